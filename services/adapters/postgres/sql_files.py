"""SQL files that ship beside the migrations, run whole on the driver's own connection."""

from pathlib import Path
from typing import Final, cast

import psycopg
from sqlalchemy import Connection

MIGRATIONS: Final = Path(__file__).parent / "migrations"


def run_sql_file(bind: Connection, name: str) -> None:
    """Run every statement of `migrations/sql/<name>` inside the transaction of `bind`."""
    script = (MIGRATIONS / "sql" / name).read_text(encoding="utf-8")
    driver = cast("psycopg.Connection[tuple[object, ...]]", bind.connection.driver_connection)
    driver.execute(script.encode())
