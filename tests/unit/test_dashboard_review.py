"""The review queue: its words, the order of looking, and the page itself with loaders and writer replaced."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import access, loaders, review_loaders, writing
from dashboard.access import Person
from dashboard.database import DataUnavailable, Trouble
from dashboard.planner import Refused
from dashboard.review_rows import ClassAnswers, FramePicture, QueuedFrame, QueueSnapshot
from dashboard.review_view import answer_table, choices, figures, next_frame, reasons
from dashboard.rows import LineSnapshot
from dashboard.words import plain
from dashboard.writing import Answer
from services.contracts.user_file import Role
from services.domain.classes import SURFACE_LABELS
from tests.fakes.dashboard_app import opened, settings_of_nowhere
from tests.fakes.dashboard_rows import NOW, SCRIPT
from tests.fakes.plant import drawn_jpeg
from tests.unit.test_dashboard_pages import shown


def queued(number: int, **changes: Any) -> QueuedFrame:
    values: dict[str, Any] = {
        "frame_id": UUID(int=number), "captured_at": NOW, "line_id": "strip-1", "machine_id": "washer-1",
        "camera_id": f"cam-{number}", "coil_id": "C-1", "model_name": "surface_defects", "model_version": "1",
        "defect_class": "oil_spot", "confidence": 0.41, "unsure": True, "disagreed": False, "flagged": False,
        **changes,
    }  # fmt: skip
    return QueuedFrame(**values)


KEPT = FramePicture(
    drawn_jpeg("oil_spot", 1), None, {"oil_spot": 0.41, "water_spot": 0.4, "crease": 0.01}, list(SURFACE_LABELS)
)
ANSWERS = (ClassAnswers("oil_spot", 10, 6, 2), ClassAnswers("crease", 2, 2, 0))


@dataclass
class Plant:
    """What waits, and what was answered; an answered frame waits no longer."""

    frames: list[QueuedFrame]
    picture: FramePicture | None = KEPT
    refusal: Exception | None = None
    given: list[Answer] = field(default_factory=list)

    def queue(self, *_: object) -> QueueSnapshot:
        if isinstance(self.refusal, DataUnavailable):
            raise self.refusal
        answered = {answer.frame_id for answer in self.given}
        return QueueSnapshot([each for each in self.frames if each.frame_id not in answered], ANSWERS)

    def answer(self, answer: Answer) -> None:
        access.require(Role.OPERATOR)
        if self.refusal is not None:
            raise self.refusal
        self.given.append(answer)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Open the page on a plant, as an operator unless said otherwise."""
    settings_of_nowhere(monkeypatch)
    monkeypatch.setattr(loaders, "line", lambda _: LineSnapshot(NOW, 300.0, (), ()))

    def open_page(plant: Plant, role: Role = Role.OPERATOR) -> AppTest:
        monkeypatch.setattr(access, "person", lambda: Person("Ada", role))
        monkeypatch.setattr(review_loaders, "queue", plant.queue)
        monkeypatch.setattr(review_loaders, "picture_of", lambda _: plant.picture)
        monkeypatch.setattr(review_loaders, "forget", lambda: None)
        monkeypatch.setattr(writing, "give_answer", plant.answer)
        return opened("review")

    return open_page


def test_the_frame_that_is_looked_at_stays_while_others_arrive_before_it() -> None:
    old, new = queued(1), queued(2)
    assert next_frame([new, old], old.frame_id, ()) is old
    assert next_frame([new, old], None, ()) is new
    assert next_frame([new, old], None, {new.frame_id}) is old
    assert next_frame([new], None, {new.frame_id}) is None
    assert next_frame([new], UUID(int=9), ()) is new


def test_a_class_keeps_its_key_whatever_the_model_said() -> None:
    keys = dict(choices(queued(1), KEPT))
    assert keys["crease"] == "1"
    assert keys["welding_line"] == "0"
    assert keys["no_defect"] == "N"
    assert keys == dict(choices(queued(2, defect_class="crease"), KEPT))
    assert len(set(keys.values())) == len(SURFACE_LABELS)


def test_a_model_with_many_classes_runs_out_of_keys_and_not_of_classes() -> None:
    labels = [f"class_{number}" for number in range(14)]
    found = choices(queued(1), FramePicture(b"", None, {}, labels))
    assert [name for name, _ in found] == labels
    assert [key for _, key in found][9:] == ["0", "", "", "", ""]


def test_figures_leave_out_what_could_not_be_told() -> None:
    found = figures(QueueSnapshot([queued(1)] * 200, ANSWERS))
    assert found == {"review_waiting": "200+", "review_answered": "12", "review_agreed": "80.0 %"}
    assert figures(QueueSnapshot([], []))["review_agreed"] == "–"
    assert answer_table(ANSWERS)[0][plain("table.corrected")] == 2


def test_all_reasons_are_said() -> None:
    assert reasons(queued(1, disagreed=True, flagged=True)) == [
        "model unsure", "cameras disagree", "part of a flag",
    ]  # fmt: skip


def test_one_press_confirms_and_the_next_frame_comes(page: Callable[..., AppTest]) -> None:
    plant = Plant([queued(1), queued(2)])
    at = page(plant)
    assert not at.exception
    assert "The model says oil spot" in shown(at).replace("*", "")
    at.button(key="confirm").click().run()
    assert [answer.defect_class for answer in plant.given] == ["oil_spot"]
    assert plant.given[0].frame_id == UUID(int=1)
    assert "cam-2" in shown(at)


@pytest.mark.parametrize(
    ("button", "answer"), [("is crease", "crease"), ("is no_defect", "no_defect"), ("unclear", None)]
)
def test_one_press_corrects(page: Callable[..., AppTest], button: str, answer: str | None) -> None:
    plant = Plant([queued(1)])
    at = page(plant)
    at.button(key=button).click().run()
    assert not at.exception
    assert [given.defect_class for given in plant.given] == [answer]
    assert "Nothing waits for an answer" in shown(at).replace("*", "")


def test_a_frame_put_off_comes_again_when_asked(page: Callable[..., AppTest]) -> None:
    plant = Plant([queued(1), queued(2)])
    at = page(plant)
    at.button(key="later").click().run()
    assert "cam-2" in shown(at)
    at.button(key="later").click().run()
    assert "Only frames that you put off are left" in shown(at).replace("*", "")
    next(button for button in at.button if button.label == "Look at them now").click().run()
    assert "cam-1" in shown(at)
    assert plant.given == []


def test_a_viewer_looks_and_cannot_answer(page: Callable[..., AppTest]) -> None:
    at = page(Plant([queued(1)]), Role.VIEWER)
    assert not at.exception
    assert "Log in as an operator" in shown(at)
    assert [button.key for button in at.button if button.key] == ["later"]


def test_a_refused_answer_is_said_and_the_frame_stays(page: Callable[..., AppTest]) -> None:
    plant = Plant([queued(1)])
    at = page(plant)
    plant.refusal = Refused("the picture of this frame is no longer kept")
    at.button(key="confirm").click().run()
    assert not at.exception
    assert "This was not kept: the picture of this frame is no longer kept." in shown(at)
    assert "cam-1" in shown(at)


@pytest.mark.parametrize(
    "picture", [None, FramePicture(None, None, {}, []), FramePicture(b"no image", None, {}, [])]
)
def test_a_picture_that_is_gone_is_said(page: Callable[..., AppTest], picture: FramePicture | None) -> None:
    at = page(Plant([queued(1)], picture))
    assert not at.exception
    assert "picture is no longer kept" in shown(at)


def test_odd_names_are_shown_letter_for_letter(page: Callable[..., AppTest]) -> None:
    at = page(Plant([queued(1, camera_id=SCRIPT, machine_id=SCRIPT, defect_class=SCRIPT, coil_id=None)]))
    assert not at.exception
    assert SCRIPT in shown(at)


def test_a_database_that_is_away_is_said(page: Callable[..., AppTest]) -> None:
    at = page(Plant([], refusal=DataUnavailable(Trouble.GONE)))
    assert not at.exception
    assert "does not answer" in shown(at)
