"""sources"""

import hashlib
import re
import unicodedata
from pathlib import PurePosixPath

import sqlalchemy as sa
from alembic import op

import core.db.models.base
from core.db.models.base import generate_id

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

AT_ONCE = 2000
MARKS = "?!.,:;\"'()[]…¿¡؟。？！、“”‘’«»*_`"


def upgrade() -> None:
    op.create_table('knowledge_sources',
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('place', sa.String(length=1000), nullable=False),
    sa.Column('base_url', sa.String(length=1000), nullable=True),
    sa.Column('author', sa.String(length=200), nullable=False),
    sa.Column('failed', sa.Integer(), nullable=False),
    sa.Column('failures', sa.JSON(), nullable=False),
    sa.Column('passed_over', sa.Integer(), nullable=False),
    sa.Column('created_at', core.db.models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('imported_at', core.db.models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('forgotten_at', core.db.models.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=26), nullable=False),
    sa.Column('tenant_id', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('tenant_id', 'name')
    )
    with op.batch_alter_table('knowledge_sources', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_knowledge_sources_tenant_id'), ['tenant_id'], unique=False)

    op.create_table('import_leases',
    sa.Column('holder', sa.String(length=26), nullable=True),
    sa.Column('what', sa.String(length=1000), nullable=False),
    sa.Column('since', core.db.models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('renewed_at', core.db.models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=26), nullable=False),
    sa.Column('tenant_id', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('tenant_id')
    )
    with op.batch_alter_table('import_leases', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_import_leases_tenant_id'), ['tenant_id'], unique=False)

    op.add_column('source_documents', sa.Column('data_hash', sa.String(length=64), server_default='', nullable=False))
    op.add_column('source_documents', sa.Column('gone', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('knowledge_entries', sa.Column('answer_key', sa.String(length=32), nullable=True))
    op.add_column('knowledge_entries', sa.Column('disputed', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('entry_questions', sa.Column('key', sa.String(length=32), nullable=True))
    op.add_column('review_items', sa.Column('key', sa.String(length=32), nullable=True))
    op.create_index('ix_entry_questions_key', 'entry_questions', ['tenant_id', 'key'])
    op.create_index('ix_review_items_key', 'review_items', ['tenant_id', 'key'])

    _name_sources()
    _fill_keys()
    _mark_disputed()


def downgrade() -> None:
    op.drop_index('ix_review_items_key', 'review_items')
    op.drop_index('ix_entry_questions_key', 'entry_questions')
    for table, column in (
        ('review_items', 'key'),
        ('entry_questions', 'key'),
        ('knowledge_entries', 'disputed'),
        ('knowledge_entries', 'answer_key'),
        ('source_documents', 'gone'),
        ('source_documents', 'data_hash'),
    ):
        op.drop_column(table, column)  # copying a table in SQLite would drop rows that others refer to
    _name_places()
    op.drop_table('import_leases')
    op.drop_table('knowledge_sources')


_MOMENT = core.db.models.base.UtcDateTime(timezone=True)
_documents = sa.table(
    'source_documents',
    sa.column('id', sa.String),
    sa.column('tenant_id', sa.String),
    sa.column('origin', sa.String),
    sa.column('content_hash', sa.String),
    sa.column('imported_at', _MOMENT),
    sa.column('gone', sa.Boolean),
)
_sources = sa.table(
    'knowledge_sources',
    sa.column('id', sa.String),
    sa.column('tenant_id', sa.String),
    sa.column('name', sa.String),
    sa.column('place', sa.String),
    sa.column('author', sa.String),
    sa.column('failed', sa.Integer),
    sa.column('failures', sa.JSON),
    sa.column('passed_over', sa.Integer),
    sa.column('created_at', _MOMENT),
    sa.column('imported_at', _MOMENT),
)
_entries = sa.table(
    'knowledge_entries',
    sa.column('id', sa.String),
    sa.column('tenant_id', sa.String),
    sa.column('kind', sa.String),
    sa.column('status', sa.String),
    sa.column('answer', sa.Text),
    sa.column('answer_key', sa.String),
    sa.column('subject', sa.String),
    sa.column('language', sa.String),
    sa.column('context', sa.JSON),
    sa.column('disputed', sa.Boolean),
    sa.column('source_id', sa.String),
)
_questions = sa.table(
    'entry_questions',
    sa.column('id', sa.String),
    sa.column('tenant_id', sa.String),
    sa.column('entry_id', sa.String),
    sa.column('text', sa.Text),
    sa.column('key', sa.String),
)


def _name_sources() -> None:
    """Give every imported location a name, and assign its documents to it."""
    live = sa.exists().where(_entries.c.source_id == _documents.c.id, _entries.c.status != 'retired')
    op.execute(_documents.update().where(_documents.c.content_hash == '', ~live).values(gone=True))
    first, last = sa.func.min(_documents.c.imported_at), sa.func.max(_documents.c.imported_at)
    places = sa.select(_documents.c.tenant_id, _documents.c.origin, first, last)
    taken: set[tuple[str, str]] = set()
    for tenant, place, created, imported in op.get_bind().execute(
        places.group_by(_documents.c.tenant_id, _documents.c.origin).order_by(_documents.c.origin)
    ).all():
        name = base = _name_of(place)
        number = 2
        while (tenant, name.casefold()) in taken:
            name, number = f'{base}-{number}', number + 1
        taken.add((tenant, name.casefold()))
        values = {'name': name, 'place': place, 'author': 'import', 'failed': 0, 'failures': [], 'passed_over': 0}
        op.execute(_sources.insert().values(
            id=generate_id(), tenant_id=tenant, created_at=created, imported_at=imported, **values
        ))
        mine = (_documents.c.tenant_id == tenant) & (_documents.c.origin == place)
        op.execute(_documents.update().where(mine).values(origin=name))


def _name_places() -> None:
    for source in op.get_bind().execute(sa.select(_sources)).all():
        mine = (_documents.c.tenant_id == source.tenant_id) & (_documents.c.origin == source.name)
        op.execute(_documents.update().where(mine).values(origin=source.place))


def _name_of(place: str) -> str:
    if '://' in place:
        return re.sub(r'/?(sitemap[^/]*\.xml)?$', '', place.partition('://')[2])[:90]
    return (PurePosixPath(place).stem or place)[:90]


def _fill_keys() -> None:
    """Fill in the values that the application now writes with every entry."""
    connection = op.get_bind()
    after = ''
    while True:
        query = sa.select(_entries).where(_entries.c.kind == 'faq', _entries.c.id > after)
        batch = connection.execute(query.order_by(_entries.c.id).limit(AT_ONCE)).all()
        if not batch:
            return
        after = batch[-1].id
        known = {entry.id: entry for entry in batch}
        set_answer = _entries.update().where(_entries.c.id == sa.bindparam('entry'))
        connection.execute(
            set_answer.values(answer_key=sa.bindparam('value')),
            [{'entry': entry.id, 'value': _hash(entry.answer)} for entry in batch],
        )
        asked = connection.execute(sa.select(_questions).where(_questions.c.entry_id.in_(list(known)))).all()
        keyed = [
            {'question': q.id, 'value': _hash(q.text, known[q.entry_id].subject or '', known[q.entry_id].language)}
            for q in asked
            if not known[q.entry_id].context
        ]
        if keyed:
            set_key = _questions.update().where(_questions.c.id == sa.bindparam('question'))
            connection.execute(set_key.values(key=sa.bindparam('value')), keyed)


def _mark_disputed() -> None:
    mine, other = _questions.alias('mine'), _questions.alias('other')
    entry = _entries.alias('entry')
    against = (
        sa.select(mine.c.id)
        .join(other, (other.c.tenant_id == mine.c.tenant_id) & (other.c.key == mine.c.key))
        .join(entry, entry.c.id == other.c.entry_id)
        .where(
            mine.c.entry_id == _entries.c.id,
            entry.c.status == 'approved',
            entry.c.answer_key != _entries.c.answer_key,
        )
        .correlate(_entries)
        .exists()
    )
    op.execute(_entries.update().where(_entries.c.status == 'approved', against).values(disputed=True))


def _hash(*texts: str) -> str:
    return hashlib.sha256('\x1f'.join(map(_normalised, texts)).encode()).hexdigest()[:32]


def _normalised(text: str) -> str:
    words = unicodedata.normalize('NFKC', text).casefold().split()
    return ' '.join(filter(None, (word.strip(MARKS) for word in words))) or ' '.join(words)
