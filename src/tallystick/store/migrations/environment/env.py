"""What Alembic runs around the migrations: on the connection that it was handed, in that connection's transaction."""  # noqa: INP001  Alembic runs it by its path

from __future__ import annotations

from alembic import context

from tallystick.store.migrations import VERSION_TABLE
from tallystick.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite changes columns by copying a table
    transactional_ddl=True,
)
context.run_migrations()
