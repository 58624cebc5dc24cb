"""The metrics, their documentation, the alerts and the dashboard speak of the same things."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from services.runtime import metrics

_ROW = re.compile(
    r"^\| `(?P<name>[a-z_]+)` \| (?P<type>\w+) \| (?P<labels>[\w, ]*?) ?\| (?P<meaning>.+?) \|", re.M
)
_NAME = re.compile(r"\b(?:millsight|nv)_[a-z_]+\b")
_SUFFIX = re.compile(r"_(bucket|sum|count)$")


def defined_metrics() -> dict[str, MetricWrapperBase]:
    """Return the collectors of services/runtime/metrics.py by the name that Prometheus sees."""
    found = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]
    return {metric._name + ("_total" if metric._type == "counter" else ""): metric for metric in found}


def documented_rows(project_root: Path) -> dict[str, dict[str, str]]:
    text = (project_root / "docs" / "metrics.md").read_text(encoding="utf-8")
    return {row["name"]: row.groupdict() for row in _ROW.finditer(text)}


def alerts(project_root: Path) -> list[dict[str, Any]]:
    document = yaml.safe_load((project_root / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def panels(project_root: Path) -> list[dict[str, Any]]:
    document = json.loads((project_root / "deploy/grafana/millsight.json").read_text(encoding="utf-8"))
    return list(document["panels"])


def expressions(project_root: Path) -> Iterator[str]:
    yield from (rule["expr"] for rule in alerts(project_root))
    yield from (target["expr"] for panel in panels(project_root) for target in panel.get("targets", []))


def test_every_metric_is_documented_and_every_documented_metric_exists(project_root: Path) -> None:
    documented = {name for name in documented_rows(project_root) if name.startswith("millsight_")}
    assert documented == set(defined_metrics())


@pytest.mark.parametrize("name", sorted(defined_metrics()))
def test_documented_type_and_labels_are_the_real_ones(name: str, project_root: Path) -> None:
    metric, row = defined_metrics()[name], documented_rows(project_root)[name]
    assert row["type"] == metric._type
    assert [label.strip() for label in row["labels"].split(",") if label.strip()] == list(metric._labelnames)


def test_alerts_and_dashboard_name_only_documented_metrics(project_root: Path) -> None:
    documented = documented_rows(project_root)
    histograms = {name for name, row in documented.items() if row["type"] == "histogram"}
    known = (set(documented) - histograms) | {
        f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")
    }
    used = {name for text in expressions(project_root) for name in _NAME.findall(text)}
    assert used <= known, sorted(used - known)


def test_expressions_use_only_labels_that_the_metric_has(project_root: Path) -> None:
    labels = {name: list(metric._labelnames) for name, metric in defined_metrics().items()}
    for text in expressions(project_root):
        for by, name in re.findall(r"by \(([\w, ]+)\) \((?:\w+\()?(millsight_[a-z_]+)", text):
            base = name if name in labels else _SUFFIX.sub("", name)
            grouped = {label.strip() for label in by.split(",")} - {"le", "instance", "job"}
            assert grouped <= set(labels[base]), text


def test_every_alert_has_a_section_in_the_runbook(project_root: Path) -> None:
    runbook = (project_root / "docs" / "runbook.md").read_text(encoding="utf-8")
    for rule in alerts(project_root):
        assert f"\n### {rule['alert']}\n" in runbook
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in {"critical", "warning"}


def test_every_alert_of_the_runbook_exists(project_root: Path) -> None:
    runbook = (project_root / "docs" / "runbook.md").read_text(encoding="utf-8")
    section = runbook.split("\n## Alerts\n", 1)[1].split("\n## ", 1)[0]
    assert set(re.findall(r"^### (\w+)$", section, re.M)) == {rule["alert"] for rule in alerts(project_root)}


def test_every_metric_the_alerts_column_links_is_used_by_that_alert(project_root: Path) -> None:
    text = (project_root / "docs" / "metrics.md").read_text(encoding="utf-8")
    rules = {rule["alert"]: rule["expr"] for rule in alerts(project_root)}
    for line in text.splitlines():
        linked = re.match(r"^\| `([a-z_]+)` .*\[(\w+)\]\(runbook\.md#\w+\) \|$", line)
        if linked:
            assert linked[1] in rules[linked[2]], line


def test_the_dashboard_has_its_rows_and_no_two_panels_overlap(project_root: Path) -> None:
    rows = [panel["title"] for panel in panels(project_root) if panel["type"] == "row"]
    assert rows == ["Line health", "Process monitor", "Latency by stage", "Lag and spool", "Triton", "Errors"]
    taken: set[tuple[int, int]] = set()
    for panel in panels(project_root):
        place = panel["gridPos"]
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    identifiers = [panel["id"] for panel in panels(project_root)]
    assert len(identifiers) == len(set(identifiers))
