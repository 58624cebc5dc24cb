"""Alembic's door: runs revisions on the connection that `schema.migrate` hands over."""

from typing import Final

from alembic import context
from sqlalchemy import Connection

SCHEMA: Final = "millsight"

connection = context.config.attributes["connection"]
assert isinstance(connection, Connection)  # noqa: S101 - only schema.migrate runs this file
context.configure(connection=connection, version_table_schema=SCHEMA)
with context.begin_transaction():
    context.run_migrations()
