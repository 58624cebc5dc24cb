"""`millsight analyse`: which machine, from an export of inspections."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from services.domain.monitoring.facts import Flag
    from services.process_monitor.offline import LineFindings


def analyse(
    inspections: Annotated[Path, typer.Option(help="Export: .csv, .csv.gz or .parquet.")],
    line: Annotated[Path, typer.Option(help="The line file.")] = Path("line.yaml"),
    materials: Annotated[
        Path | None, typer.Option(help="Directory of material packs; Millsight's own unless given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say which machine causes defects, since when and how sure, with the rules of the running monitor."""
    from rich.console import Console

    from services.contracts.line_file import load_topology
    from services.contracts.material_file import default_materials_dir, load_materials
    from services.process_monitor.offline import analyse_export

    packs = load_materials(materials or default_materials_dir())
    findings = analyse_export(inspections, load_topology(line), packs)
    if as_json:
        print(json.dumps(findings.document(), indent=1, allow_nan=False))
        return
    console = Console()
    for each in findings.lines:
        _show(each, console)


def _show(findings: "LineFindings", console: "Console") -> None:
    from rich.markup import escape
    from rich.table import Table

    console.print(
        f"line {findings.line_id}: {findings.rows} rows, {findings.coils} coils, {len(findings.flags)} flags"
    )
    if findings.flags:
        table = Table("cause", "class", "severity", "since coil", "alarm", "probability", "rate ratio")
        for flag in findings.flags:
            table.add_row(*(escape(cell) for cell in _cells(flag)))
        console.print(table)
    for flag in findings.flags:
        console.print(f"[bold]{escape(flag.group_id)}[/bold]: {escape(_more(flag))}")
    for note in findings.notes:
        console.print(f"note: {escape(note)}")


def _cells(flag: "Flag") -> tuple[str, ...]:
    ratio = "-" if flag.rate_ratio is None else f"{flag.rate_ratio:.1f}"
    if flag.machine_ids:
        ratio += f" ({flag.ratio_low:.1f} to {flag.ratio_high:.1f})"
    return (
        " or ".join(flag.machine_ids) or flag.group_id,
        flag.defect_class or "-",
        str(flag.severity),
        flag.onset_coil,
        flag.alarm_coil,
        f"{flag.probability:.0%}",
        ratio,
    )


def _more(flag: "Flag") -> str:
    """Say what does not fit the table."""
    text = f"{flag.reason} Began between {flag.onset_low_coil} and {flag.onset_high_coil} (95 %)."
    if flag.runner_up:
        text += f" Next best: {flag.runner_up}, {flag.runner_up_probability:.1%}."
    if flag.cleared_coil:
        text += f" Over since {flag.cleared_coil}."
    if flag.projected_coils:
        p10, p50, p90 = flag.projected_coils
        text += f" Limit in {p50:.0f} coils (10 to 90 %: {p10:.0f} to {p90:.0f})."
    return f"{text} {flag.advice}"
