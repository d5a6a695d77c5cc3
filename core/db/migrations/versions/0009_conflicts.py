"""conflicts"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('entry_conflicts',
    sa.Column('entry_id', sa.String(length=26), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('key', sa.String(length=32), nullable=False),
    sa.Column('id', sa.String(length=26), nullable=False),
    sa.Column('tenant_id', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['entry_id'], ['knowledge_entries.id']),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('entry_conflicts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_entry_conflicts_entry_id'), ['entry_id'], unique=False)
        batch_op.create_index('ix_entry_conflicts_key', ['tenant_id', 'key'], unique=False)
        batch_op.create_index(batch_op.f('ix_entry_conflicts_tenant_id'), ['tenant_id'], unique=False)


def downgrade() -> None:
    op.drop_table('entry_conflicts')
