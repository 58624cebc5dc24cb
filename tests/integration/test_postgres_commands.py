"""`millsight report`, `export` and `work-orders` on a real database: formats, files, mistakes in one sentence."""

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import cast

import pyarrow.parquet
import pytest

from services import cli
from services.adapters.postgres.monitor_store import PostgresMonitorStore
from services.contracts.inspection_file import read_inspections
from services.contracts.line_file import load_topology
from services.contracts.monitor_records import CoilResult
from services.domain.inspection import Verdict
from tests.conftest import PROJECT_ROOT
from tests.fakes.coil_facts import THEN, a_coil, a_flag
from tests.fixtures_postgres import NOON, Database, Repository, an_inspection

Run = Callable[..., tuple[int, str, str]]
HOSTILE = '<script>alert("1")</script>\x1b[31m'


@pytest.fixture
def run(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a command as the shell would, with the URL of the reports role or the planner's."""
    files = {"reports": tmp_path / "reports.url", "planner": tmp_path / "planner.url"}
    files["reports"].write_text(database.reports_url)
    files["planner"].write_text(database.planner_url)
    monkeypatch.setenv("COLUMNS", "200")

    def millsight(*arguments: str, role: str = "reports") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["millsight", *arguments, "--url-file", str(files[role])])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return millsight


@pytest.fixture
def reported(database: Database, monitor_store: PostgresMonitorStore) -> Database:
    flag = a_flag(advice=f"=change the roll {HOSTILE}")
    for number in (4, 5):
        monitor_store.save_coil(CoilResult(a_coil(number), (), [flag]))
    return database


def test_the_report_for_the_terminal_names_machine_onset_and_work_order(reported: Database, run: Run) -> None:
    code, out, _ = run("report")
    assert code == 0
    lines = out.splitlines()
    first = next(line for line in lines if "skinpass-1" in line)
    for word in ("rolled pit", "maintenance", "C-3", "96%", "WO-000001"):
        assert word in first
    assert any("uncoiler-1 (of" in line for line in lines)
    assert "\x1b[31m" not in out


def test_the_report_as_csv_and_json_has_every_column(reported: Database, run: Run) -> None:
    code, out, _ = run("report", "--format", "csv", "--machine", "skinpass-1")
    [row] = csv.DictReader(io.StringIO(out))
    assert (code, row["machine_id"], row["severity"], row["matched_roll"]) == (
        0, "skinpass-1", "3", "skinpass-1-work-top",
    )  # fmt: skip
    assert row["recommended_action"].startswith("'=change")
    code, out, _ = run("report", "--format", "json", "--line", "strip-1")
    rows = json.loads(out)
    assert (code, len(rows), rows[0]["defects_first_seen"], rows[0]["coils"]) == (0, 6, 4.0, 2)
    assert set(rows[0]) == set(row)


def test_the_report_as_a_page_needs_nothing_and_runs_nothing(reported: Database, run: Run) -> None:
    code, out, _ = run("report", "--format", "html")
    assert code == 0
    assert out.startswith("<!doctype html>")
    assert "<script" not in out
    assert "&lt;script&gt;" in out
    assert "http" not in out.replace("http-equiv", "")
    assert out.count("<tr") == 1 + 6


def test_a_span_of_its_own_is_reported(reported: Database, run: Run) -> None:
    start, end = (THEN - timedelta(days=3)).isoformat(), (THEN - timedelta(days=2)).isoformat()
    _, out, _ = run("report", "--from", start, "--to", end, "--format", "json")
    assert {row["state"] for row in json.loads(out)} >= {"no_data"}
    assert {row["coils"] for row in json.loads(out)} == {0}


def test_exports_hold_every_frame_once_and_analyse_reads_them(
    run: Run, repository: Repository, tmp_path: Path
) -> None:
    frames = [
        an_inspection("crease" if n % 5 == 0 else "no_defect", NOON + timedelta(seconds=n)) for n in range(50)
    ]
    twice = an_inspection(
        "oil_spot", NOON, model_version="2", frame_id=frames[0].frame_id, coil_id='a "coil", odd'
    )
    outside = an_inspection(captured_at=NOON + timedelta(hours=2))
    repository.store([*frames, twice, outside], ())
    end = (NOON + timedelta(hours=1)).isoformat()
    tables = []
    for name in ("all.csv", "all.csv.gz", "all.parquet"):
        file = tmp_path / name
        code, out, err = run("export", "--from", NOON.isoformat(), "--to", end, "--output", str(file))
        assert (code, err) == (0, "")
        assert out.startswith("50 inspections are in")
        tables.append(read_inspections(file, load_topology(PROJECT_ROOT / "line.yaml"), "strip-1"))
    for table in tables:
        order = table.captured_s.argsort()
        assert sorted(table.frame_id) == sorted(str(frame.frame_id) for frame in frames)
        assert table.captured_s[order].tolist() == [(NOON + timedelta(seconds=n)).timestamp() for n in range(50)]
        assert table.classes[table.label[order[0]]] == "oil_spot"
        assert table.coils[table.coil[order[0]]] == 'a "coil", odd'
        assert (table.label >= 0).sum() == 10
    parquet = pyarrow.parquet.read_table(tmp_path / "all.parquet")
    assert {"p_crease", "p_oil_spot", "p_no_defect"} <= set(parquet.column_names)
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


def test_an_export_that_fails_leaves_the_old_file_and_no_half_one(
    run: Run, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of two unrecorded models: whichever class is met first, the other comes too late for the header."""
    monkeypatch.setattr("services.adapters.postgres.export._FIRST_ROWS", 1)
    for name in ("moth", "fly"):
        verdict = Verdict({name: 1.0}, name, 1.0)
        repository.store(
            [an_inspection(captured_at=NOON + timedelta(seconds=n), verdict=verdict) for n in range(9)], ()
        )
    file = tmp_path / "all.csv"
    file.write_text("old")
    span = ("--from", NOON.isoformat(), "--to", (NOON + timedelta(hours=1)).isoformat())
    code, _, err = run("export", *span, "--output", str(file))
    assert (code, err.count("\n")) == (2, 1)
    assert "that no recorded model version has" in err
    assert file.read_text() == "old"
    assert list(tmp_path.glob(".*.part")) == []


def test_work_orders_go_their_way_at_the_prompt(reported: Database, run: Run) -> None:
    code, out, _ = run("work-orders", "list")
    assert code == 0
    assert "WO-000001" in out
    who = ("WO-000001", "--who", "Ada")
    assert run("work-orders", "acknowledge", *who, role="planner")[1] == "WO-000001 is acknowledged\n"
    assert run("work-orders", "assign", *who, "--to", "shift B", role="planner")[0] == 0
    assert run("work-orders", "start", *who, role="planner")[1] == "WO-000001 is in progress\n"
    done = run(
        "work-orders", "done", *who, "--cause", f"worn roll {HOSTILE}", "--feedback", "verified", role="planner"
    )
    assert done[:2] == (0, "WO-000001 is done\n")
    code, out, _ = run("work-orders", "show", "WO-000001")
    assert code == 0
    assert "Ada" in out
    assert "\x1b[31m" not in out
    shown = json.loads(run("work-orders", "show", "WO-000001", "--json")[1])
    assert [event["step"] for event in shown["events"]] == ["create", "acknowledge", "assign", "start", "done"]
    assert "WO-000001" not in run("work-orders", "list")[1]
    assert [order["state"] for order in json.loads(run("work-orders", "list", "--all", "--json")[1])] == ["done"]


def test_a_control_chart_is_drawn_from_what_the_monitor_kept(reported: Database, run: Run) -> None:
    """Two coils with 2 pits on 0.9 km each, normal 2: u = 2.22 +- 3 sqrt(2.22 / 0.9)."""
    of_pits = ("chart", "--machine", "welder-1", "--class", "rolled_pit")
    code, out, _ = run(*of_pits, "--kind", "u", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert (code, [row["coil_id"] for row in rows]) == (0, ["C-4", "C-5"])
    assert float(rows[0]["point"]) == float(rows[0]["centre"]) == pytest.approx(2 / 0.9)
    assert float(rows[0]["upper"]) == pytest.approx(2 / 0.9 + 3 * (2 / 0.9 / 0.9) ** 0.5)
    shares = json.loads(run(*of_pits, "--kind", "p", "--format", "json")[1])
    assert [row["point"] for row in shares] == [12 / 2000] * 2
    cusum = json.loads(run(*of_pits, "--format", "json")[1])
    assert [(row["point"], row["upper"], row["signal"]) for row in cusum] == [(0.5, 8.1, False)] * 2
    code, out, _ = run(*of_pits, "--kind", "ewma")
    assert code == 0
    assert "rolled_pit from uncoiler-1+welder-1: EWMA" in out
    assert "2 coils, 0 signals" in out


MISTAKES = (
    pytest.param(("chart", "--machine", "mill-9", "--class", "rolled_pit"), "there is no machine 'mill-9'",
                 id="chart_machine"),
    pytest.param(("chart", "--machine", "welder-1", "--class", "moth"), "no chart is kept of class 'moth'",
                 id="chart_class"),
    pytest.param(("chart", "--machine", "welder-1", "--class", "rolled_pit", "--from", "2100-01-01"),
                 "no coil ended in that time", id="chart_span"),
    pytest.param(("report", "--machine", "mill-9"), "there is no machine 'mill-9'", id="machine"),
    pytest.param(("report", "--line", "strip-9"), "there is no line 'strip-9': the lines are strip-1", id="line"),
    pytest.param(("report", "--from", "yesterday"), "--from 'yesterday' is no point in time", id="moment"),
    pytest.param(("report", "--from", "2026-02-02", "--to", "2026-02-01"), "must end after it starts", id="span"),
    pytest.param(("report", "--from", "2100-01-01"), "no coil has ended since --from", id="future"),
    pytest.param(("export", "--from", "2026-02-02", "--to", "2026-02-01", "--output", "x.csv"),
                 "must end after it starts", id="export_span"),
    pytest.param(("export", "--from", "2026-02-01", "--to", "2026-02-02", "--output", "x.xls"),
                 "x.xls", id="ending"),
    pytest.param(("export", "--from", "2026-02-01", "--to", "2026-02-02", "--output", "/no/such/x.csv"),
                 "cannot be written", id="folder"),
    pytest.param(("work-orders", "show", "WO-9"), "there is no work order 'WO-9'", id="order"),
    pytest.param(("work-orders", "start", "WO-000001", "--who", "Ada"), "the database does not fit", id="reader"),
)  # fmt: skip


def test_mistakes_end_in_one_sentence_and_code_two(reported: Database, run: Run) -> None:
    for case in MISTAKES:
        arguments, sentence = cast("tuple[tuple[str, ...], str]", case.values)
        code, out, err = run(*arguments)
        assert (code, out) == (2, ""), (case.id, out, err)
        assert sentence in err, (case.id, err)
        assert err.startswith("millsight: ")
        assert err.count("\n") == 1
    code, _, err = run("work-orders", "start", "WO-000001", "--who", "Ada", role="planner")
    assert (code, err) == (2, "millsight: work order WO-000001 is new: step start needs it to be acknowledged\n")
