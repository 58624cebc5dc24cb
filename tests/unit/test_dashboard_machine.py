"""The machine page: its words, its chart, its file, and the page itself with loaders replaced."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import machine_loaders
from dashboard.charts import LIGHT
from dashboard.database import Trouble
from dashboard.english import ENGLISH
from dashboard.machine_charts import control_chart
from dashboard.machine_report import html_report
from dashboard.machine_rows import ClassShare, FlagRow, MachineDetail, MachineName
from dashboard.machine_view import Mark, figures, flag_table, marks_of, most_urgent, repair_marks, roll_sentences
from services.domain.spc.control_chart import ChartKind, Stream, StreamPoint, draw
from tests.fakes.dashboard_app import answering, opened, settings_of_nowhere
from tests.fakes.dashboard_rows import NOW, SCRIPT
from tests.unit.test_dashboard_pages import shown

COILS = 12


def point(number: int, statistic: float = 0.0) -> StreamPoint:
    found = 9.0 if number >= 8 else 1.0
    ended = NOW - timedelta(minutes=COILS - number)
    return StreamPoint("skinpass-1", f"C-{number}", ended, found, 1.0, 900.0, statistic, 300, int(found))


def flag(**changes: Any) -> FlagRow:
    values: dict[str, Any] = {
        "work_order_no": "WO-000001", "defect_class": "rolled_pit", "onset_coil": "C-8",
        "onset_at": NOW - timedelta(minutes=4), "alarm_coil": "C-9", "closed_at": None, "state": "new",
        "feedback": None, "rate_per_km": 9.5, "baseline_per_km": 1.1, "rate_ratio": 8.6, "probability": 0.97,
        "matched_rolls": ["work-roll-top"], "period_m": 1.885, "reason": "rolled pits",
        "repaired_per_km": None, "repaired_km": None, **changes,
    }  # fmt: skip
    return FlagRow(**values)


def detail(**changes: Any) -> MachineDetail:
    values: dict[str, Any] = {
        "as_of": NOW, "classes": (ClassShare("rolled_pit", 43.0, 12.0, 10_800.0),),
        "points": tuple(point(n, 3.0 * max(0, n - 7)) for n in range(1, COILS + 1)), "limit": 6.0,
        "flags": (flag(),), **changes,
    }  # fmt: skip
    return MachineDetail(**values)


MACHINE = MachineName(
    "strip-1", "skinpass-1", "Skin-pass mill", "skinpass-1", "maintenance_required", "rolled pits"
)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Open the page with these machines and this detail; a `Trouble` is raised."""
    settings_of_nowhere(monkeypatch)

    def open_page(machines: object, found: MachineDetail | None = None, **address: str) -> AppTest:
        monkeypatch.setattr(machine_loaders, "machines", answering(machines))
        monkeypatch.setattr(machine_loaders, "detail", lambda *_: found or detail())
        return opened("machine", **address)

    return open_page


def test_onset_and_alarm_are_marked_on_their_coils_and_other_classes_are_not() -> None:
    coils = [f"C-{n}" for n in range(1, COILS + 1)]
    marks = marks_of([flag(), flag(defect_class="crease"), flag(onset_coil="gone")], "rolled_pit", coils)
    assert [(mark.coil_id, mark.kind) for mark in marks] == [("C-8", "onset"), ("C-9", "alarm"), ("C-9", "alarm")]


def test_the_history_says_the_rate_after_a_repair_and_on_how_much_strip() -> None:
    waiting, repaired = flag_table([flag(), flag(repaired_per_km=1.25, repaired_km=12.0)], UTC, NOW)
    assert (waiting["Per km after repair"], repaired["Per km after repair"]) == ("–", "1.2 on 12.0 km")
    (done,) = flag_table([flag(state="done", feedback="verified")], UTC, NOW)
    assert (waiting["State"], done["State"]) == ("new", "done, repair worked")


def test_a_repair_is_marked_on_the_first_coil_after_it() -> None:
    found = detail(flags=(flag(state="done", closed_at=NOW - timedelta(minutes=2, seconds=30)),))
    chart = draw(ChartKind.CUSUM, Stream(found.points, found.limit))
    assert [(mark.coil_id, mark.kind) for mark in repair_marks(found.flags, "rolled_pit", chart)] == [
        ("C-10", "repair")
    ]
    assert repair_marks(found.flags, "crease", chart) == []
    assert repair_marks([flag(state="rejected", closed_at=NOW - timedelta(minutes=3))], "rolled_pit", chart) == []


@pytest.mark.parametrize("kind", list(ChartKind))
def test_every_kind_of_chart_is_drawn_with_signals_and_limits(kind: ChartKind) -> None:
    found = detail()
    drawn = draw(kind, Stream(found.points, found.limit))
    document = control_chart(drawn, marks_of(found.flags, "rolled_pit", ["C-8", "C-9"]), LIGHT).to_dict()
    marks = [layer["mark"]["type"] for layer in document["layer"]]
    assert "rule" in marks
    assert any(layer["mark"].get("shape") == "triangle-up" for layer in document["layer"])
    assert any(row["signal"] for row in drawn.rows)


def test_words_of_marks_on_one_coil_stand_below_each_other() -> None:
    found = detail()
    drawn = draw(ChartKind.CUSUM, Stream(found.points, found.limit))
    marks = [*marks_of([flag(onset_coil="C-9")], "rolled_pit", ["C-9"]), Mark("C-4", "repair", "repaired")]
    sets = control_chart(drawn, marks, LIGHT).to_dict()["datasets"].values()
    words = {row["words"]: (row["place"], row["line"]) for rows in sets for row in rows if "words" in row}
    assert words == {"onset, WO-000001": (9, 0), "flag, WO-000001": (9, 1), "repaired": (4, 0)}


@pytest.mark.parametrize("kind", list(ChartKind))
@pytest.mark.parametrize(("often", "seldom", "frames"), [(2, 1, 300), (90, 1, 300), (0, 0, 0)])
def test_the_page_calls_a_chart_what_the_command_calls_it(
    kind: ChartKind, often: int, seldom: int, frames: int
) -> None:
    counts = [often if n % 2 else seldom for n in range(COILS)]
    points = tuple(
        replace(point(n + 1), first_seen=float(count), sightings=count, frames=frames, exposure_m=3.0 * frames)
        for n, count in enumerate(counts)
    )
    chart = draw(kind, Stream(points, None))
    assert ENGLISH[f"chart.{chart.code}"] == chart.title
    assert chart.code.endswith("_laney") is (kind in {ChartKind.U, ChartKind.P} and often > 50)


def test_a_period_names_its_roll_or_says_that_none_fits() -> None:
    fits, none, silent = flag(), flag(matched_rolls=[]), flag(period_m=None)
    said = roll_sentences([fits, none, silent])
    assert len(said) == 2
    assert "work" in said[0]
    assert "no roll of the line" in said[1]


def test_the_figures_count_open_flags_and_defects() -> None:
    found = figures(detail(flags=(flag(), flag(closed_at=NOW))))
    assert (found["machine_open"], found["machine_found"], found["machine_expected"]) == ("1", "43.0", "12.0")


def test_the_file_holds_everything_and_escapes_what_the_database_says() -> None:
    odd = MachineName("strip-1", "m", SCRIPT, "m", "ok", SCRIPT)
    found = detail()
    page = html_report(odd, "rolled_pit", found, draw(ChartKind.U, Stream(found.points, found.limit)))
    assert "<script>" not in page
    assert "WO-000001" in page
    assert page.count("<tr>") > COILS


def test_the_page_shows_state_chart_history_and_downloads(page: Callable[..., AppTest]) -> None:
    at = page([MACHINE], machine="skinpass-1", chart="u")
    assert not at.exception
    text = shown(at)
    assert "Skin-pass mill: maintenance required." in text
    assert "u' chart (Laney" in text
    assert "every **1.885 m**" in text
    assert "circumference of work-roll-top" in text
    assert "Newest judged coil: C-12, ended just now" in text
    assert {metric.label: metric.value for metric in at.metric}["Open flags"] == "1"
    assert len(at.dataframe) == 2
    assert at.query_params["chart"] == "u"


def test_the_machine_that_asks_for_a_look_most_is_shown_first_with_what_is_flagged(
    page: Callable[..., AppTest],
) -> None:
    well = [MachineName("strip-1", name, name, name, state, "") for name, state in (("a", "ok"), ("b", "watch"))]
    classes = tuple(ClassShare(name, 9.0, 9.0, 10_800.0) for name in ("oil_spot", "rolled_pit"))
    at = page(
        [*well, MACHINE],
        detail(
            classes=classes,
            flags=(
                flag(closed_at=NOW, defect_class="crease"),
                flag(defect_class="oil_spot", rate_ratio=2.0),
                flag(),
            ),
        ),
    )
    assert (at.query_params["machine"], at.query_params["class"]) == ("skinpass-1", "rolled_pit")
    at = page([*well, MACHINE], detail(classes=classes), machine="b", **{"class": "oil_spot"})
    assert (at.query_params["machine"], at.query_params["class"]) == ("b", "oil_spot")


@pytest.mark.parametrize(
    ("states", "shown_first"),
    [
        pytest.param(("ok", "offline", "inspect"), "2", id="a flag before silence"),
        pytest.param(("ok", "watch", "watch"), "1", id="the first along the strip"),
        pytest.param(("inspect", "burning"), "1", id="a state that is new"),
        pytest.param(("ok", "ok"), "0", id="all well"),
    ],
)
def test_the_worst_state_comes_first(states: tuple[str, ...], shown_first: str) -> None:
    machines = [MachineName("strip-1", str(n), "", None, state, "") for n, state in enumerate(states)]
    assert most_urgent(machines) == shown_first


@pytest.mark.parametrize(
    ("machines", "changes", "sentence"),
    [
        pytest.param([], {}, "No machine is known yet", id="no line"),
        pytest.param(
            [MACHINE], {"classes": (), "points": (), "flags": ()}, "No coil has been judged", id="no coil"
        ),
        pytest.param([MACHINE], {"flags": ()}, "never been flagged", id="no flag"),
        pytest.param(Trouble.GONE, {}, "does not answer", id="database away"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(
    page: Callable[..., AppTest], machines: object, changes: dict[str, object], sentence: str
) -> None:
    at = page(machines, detail(**changes))
    assert not at.exception
    assert sentence in shown(at)
