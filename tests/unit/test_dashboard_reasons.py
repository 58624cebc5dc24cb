"""Why a machine is in its state, in the viewer's language."""

import re

import pytest

from dashboard import language
from dashboard.reasons import _COMPILED, why
from services.adapters.postgres.sql_files import MIGRATIONS

_VIEW = (MIGRATIONS / "sql" / "0002_machine_views.sql").read_text(encoding="utf-8")


def sentences_of_the_view() -> list[str]:
    """Return every sentence that the column `reason` of `machine_health` can hold, gaps filled."""
    body = _VIEW[_VIEW.index("j.group_id, j.state,\n    CASE") : _VIEW.index("END AS reason")]
    return [text.replace("%s", "7") for text in re.findall(r"(?:THEN|ELSE)\s+(?:format\()?'([^']*)'", body)]


def test_every_sentence_of_the_database_is_known_and_reads_the_same_in_english() -> None:
    sentences = sentences_of_the_view()
    assert len(sentences) == len(_COMPILED) == 8
    assert [why(sentence) for sentence in sentences] == sentences


def test_a_german_viewer_reads_german_with_the_plants_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "language", lambda: "de")
    said = why("rolled_pit: 5.0 times as often as normal since coil C-3")
    assert said.endswith(": 5.0-mal so oft wie üblich seit Coil C-3")
    assert "rolled" not in said


def test_a_sentence_unknown_here_is_shown_as_it_is_stored() -> None:
    assert why("something new: 3 times") == "something new: 3 times"
