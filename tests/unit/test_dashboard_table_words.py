"""Columns of one table have words of their own in every language: two alike would hide one of them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.language import LANGUAGES

_DASHBOARD = Path(__file__).resolve().parents[2] / "dashboard"


def _columns(tree: ast.AST) -> Iterator[list[str]]:
    """Yield the string keys that each dictionary takes its keys' words from."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Dict):
            continue
        keys = [each for each in node.keys if isinstance(each, ast.Call) and each.args]
        names = [arg.value for arg in (each.args[0] for each in keys) if isinstance(arg, ast.Constant)]
        if names:
            yield [str(name) for name in names]


_TABLES = [
    pytest.param(names, id=f"{file.stem}:{names[0]}")
    for file in sorted(_DASHBOARD.rglob("*.py"))
    for names in _columns(ast.parse(file.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize("names", _TABLES)
def test_columns_of_a_table_are_told_apart(names: list[str]) -> None:
    for language, words in LANGUAGES.items():
        shown = [words[name] for name in names]
        assert len(set(shown)) == len(shown), (language, shown)


def test_tables_were_found() -> None:
    assert len(_TABLES) > 15
