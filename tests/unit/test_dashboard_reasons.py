"""Why a machine or a camera is in its state, in the viewer's language."""

import re

import numpy as np
import pytest

from dashboard import language
from dashboard.reasons import _COMPILED, camera_why, condition_word, why
from services.adapters.postgres.sql_files import MIGRATIONS
from services.domain.camera_condition import CameraCondition, CameraFinding, CameraFrames, camera_findings
from services.domain.monitoring.camera_flagging import _CAMERA_REASON

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


@pytest.mark.parametrize("kind", sorted(_CAMERA_REASON))
def test_why_a_camera_is_flagged_reads_the_same_in_english_and_is_known_in_german(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = _CAMERA_REASON[kind].format(camera="cam-2", ratio=11.2, onset="C-3")
    assert camera_why(sentence) == sentence
    monkeypatch.setattr(language, "language", lambda: "de")
    said = camera_why(sentence)
    assert said.startswith("cam-2 ")
    assert said.endswith("seit Coil C-3.")


def test_a_sentence_unknown_here_is_shown_as_it_is_stored() -> None:
    assert why("something new: 3 times") == "something new: 3 times"


def every_finding() -> list[CameraFinding]:
    """Return one finding of each kind, with the sentence that is stored for it."""
    few, many = np.linspace(0.2, 0.5, 60), np.arange(1, 61)
    spots = np.tile([[0.7, 0.3]], (60, 1))

    def frames(
        brightness: float = 0.4,
        saturated: float = 0.01,
        sharpness: float = 200.0,
        same: bool = False,
        spot: bool = False,
    ) -> CameraFrames:
        return CameraFrames(
            1e9 + 0.5 * many.astype(float), few * brightness / 0.4, np.full(60, saturated), np.full(60, sharpness),
            np.ones(60, np.int64) if same else many, np.zeros(60, np.int64) if spot else np.full(60, -1),
            spots if spot else np.full((60, 2), np.nan), ("oil_spot",),
        )  # fmt: skip

    looks = [
        frames(brightness=0.001, saturated=0.0), frames(saturated=0.9), frames(same=True), frames(sharpness=20.0),
        frames(spot=True),
    ]  # fmt: skip
    found = [finding for look in looks for finding in camera_findings(look, 200.0)]
    no, none = np.zeros(0), np.zeros(0, np.int64)
    nothing = CameraFrames(no, no, no, no, none, none, np.zeros((0, 2)), ())
    return [*found, *camera_findings(nothing, None, expected_frames=40)]


def test_every_camera_sentence_is_known_alone_and_joined_with_others(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = every_finding()
    assert {finding.kind for finding in findings} == set(CameraCondition)
    joined = "; ".join(finding.reason for finding in findings)
    assert camera_why(joined) == joined.replace("oil_spot", "oil spot")
    monkeypatch.setattr(language, "language", lambda: "de")
    for finding in findings:
        assert set(re.findall(r"\d+", camera_why(finding.reason))) == set(re.findall(r"\d+", finding.reason))
    german = camera_why(joined)
    assert german.count(";") == joined.count(";")
    assert not re.search(r"\b(the|frames?|while)\b", german)


def test_what_is_wrong_with_a_camera_has_a_word_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    english = [condition_word(kind.value) for kind in CameraCondition]
    monkeypatch.setattr(language, "language", lambda: "de")
    german = [condition_word(kind.value) for kind in CameraCondition]
    assert not set(english) & set(german)
    assert condition_word("new_kind") == "new kind"
