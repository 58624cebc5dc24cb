"""docs/sql.md, the schema and the adapter's statements agree with each other; no server needed."""

import re
from pathlib import Path

import pytest

from services.adapters.postgres import rows
from services.adapters.postgres.inspections import NEEDED_REVISION
from services.adapters.postgres.schema import newest_revision
from services.adapters.postgres.sql_files import MIGRATIONS
from tests.conftest import PROJECT_ROOT

DOCUMENT = PROJECT_ROOT / "docs" / "sql.md"
TABLES_SQL = MIGRATIONS / "sql" / "0001_tables.sql"
ALL_SQL = "".join(file.read_text() for file in sorted((MIGRATIONS / "sql").glob("0*.sql")))


def _columns(table: str) -> list[str]:
    body = re.search(rf"CREATE TABLE millsight\.{table} \((.*?)\n\)", TABLES_SQL.read_text(), re.DOTALL)
    assert body is not None
    changes = re.findall(rf"ALTER TABLE millsight\.{table}\s(.*?);", ALL_SQL, re.DOTALL)
    later = re.findall(r"ADD COLUMN (\w+)", " ".join(changes))
    return [*re.findall(r"^    ([a-z_]+) [a-z]", body.group(1), re.MULTILINE), *later]


def _inserted(statement: bytes) -> list[str]:
    found = re.search(r"\(\s*(.*?)\)\nSELECT", statement.decode(), re.DOTALL)
    assert found is not None
    return re.split(r",\s*", found.group(1).strip())


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        pytest.param(rows.INSERT_INSPECTIONS, "inspections", id="inspections"),
        pytest.param(rows.INSERT_IMAGES, "inspection_images", id="images"),
        pytest.param(rows.INSERT_REJECTED, "rejected_frames", id="rejects"),
    ],
)
def test_the_statement_fills_every_column_but_the_databases_own_clock_and_count(
    statement: bytes, table: str
) -> None:
    inserted = _inserted(statement)
    assert set(inserted) == set(_columns(table)) - {"stored_at", "change_no"}
    assert statement.count(b"%s") == len(inserted)


def test_every_table_and_view_is_in_the_document() -> None:
    text = DOCUMENT.read_text()
    names = re.findall(r"CREATE (?:TABLE|VIEW) millsight\.(\w+)", ALL_SQL)
    assert len(names) >= 40
    assert [name for name in names if not name.endswith("_default") and f"`{name}`" not in text] == []


def test_every_table_and_view_says_what_a_row_is() -> None:
    for name in re.findall(r"CREATE (?:TABLE|VIEW) millsight\.(\w+)", ALL_SQL):
        if not name.endswith("_default"):
            assert re.search(rf"COMMENT ON (?:TABLE|VIEW) millsight\.{name}\s+IS", ALL_SQL), name


@pytest.mark.parametrize("table", ["inspections"])
def test_every_column_of_the_main_table_is_in_the_document(table: str) -> None:
    text = DOCUMENT.read_text()
    assert [column for column in _columns(table) if f"`{column}`" not in text] == []


def test_every_question_of_the_document_has_its_number_and_its_query() -> None:
    text = DOCUMENT.read_text()
    numbers = [int(number) for number in re.findall(r"^\*\*(\d+)\. ", text, re.MULTILINE)]
    assert numbers == list(range(1, 21))
    assert text.count("```sql\n") == len(numbers)


def test_every_function_that_runs_with_the_owners_rights_fixes_its_search_path() -> None:
    definitions = re.split(r"(?=CREATE (?:OR REPLACE )?FUNCTION)", ALL_SQL)
    definers = [text for text in definitions if "SECURITY DEFINER" in text]
    assert len(definers) == 16
    assert all("SET search_path = pg_catalog, pg_temp" in text for text in definers)


def test_revisions_have_one_head_and_ship_as_files_of_the_package() -> None:
    assert NEEDED_REVISION <= newest_revision() == "0007"
    assert {path.name for path in Path(MIGRATIONS / "sql").iterdir()} >= {"grants.sql", "0001_tables.sql"}
