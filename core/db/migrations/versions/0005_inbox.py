"""inbox"""

import sqlalchemy as sa
from alembic import op

import core.db.models.base

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('canned_replies',
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('updated_by', sa.String(length=200), nullable=False),
    sa.Column('updated_at', core.db.models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=26), nullable=False),
    sa.Column('tenant_id', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('tenant_id', 'name')
    )
    with op.batch_alter_table('canned_replies', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_canned_replies_tenant_id'), ['tenant_id'], unique=False)

    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.create_index('ix_conversations_recent', ['tenant_id', 'updated_at', 'id'], unique=False)

    with op.batch_alter_table('handoff_notes', schema=None) as batch_op:
        batch_op.add_column(sa.Column('event_id', sa.String(length=64), nullable=True))
        batch_op.create_index('ix_handoff_notes_event', ['tenant_id', 'event_id'], unique=True)

    _drop_setting()


def _drop_setting() -> None:
    """Remove an earlier setting that nothing read."""
    settings = sa.table('handoff_settings', sa.column('id', sa.String), sa.column('document', sa.JSON))
    for id_, document in op.get_bind().execute(sa.select(settings)).all():
        if document.pop('canned_replies', None) is not None:
            op.execute(settings.update().where(settings.c.id == id_).values(document=document))


def downgrade() -> None:
    with op.batch_alter_table('handoff_notes', schema=None) as batch_op:
        batch_op.drop_index('ix_handoff_notes_event')
        batch_op.drop_column('event_id')

    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.drop_index('ix_conversations_recent')

    with op.batch_alter_table('canned_replies', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_canned_replies_tenant_id'))

    op.drop_table('canned_replies')
