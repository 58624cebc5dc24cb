"""The report as a table for people."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.bench.figures import Figure, Report, Sense

_SIGNS = {Sense.AT_LEAST: "≥", Sense.AT_MOST: "≤"}
_FINE_BELOW = 10.0
_WIDE = 130


def print_report(report: Report, console: Console) -> None:
    """Print machine, figures with their bars, and what makes them doubtful."""
    machine, settings = report.machine, report.settings
    console.print(f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB", style="bold")
    console.print(
        f"images: {settings['images']}; {settings['image_count']} different ones of "
        f"{settings['image_mean_bytes']} bytes on average; {settings['rounds']} rounds in turn"
    )
    console.print(_table(report.figures, with_how=console.width >= _WIDE))
    for warning in report.warnings:
        console.print(Text("note: ", style="yellow").append(warning, style="default"))


def _table(figures: tuple[Figure, ...], *, with_how: bool) -> Table:
    table = Table(header_style="bold")
    table.add_column("measured", overflow="fold")
    table.add_column("value", justify="right")
    for heading in ("95 % interval", "n"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("bar", no_wrap=True)
    if with_how:
        table.add_column("how", overflow="fold")
    for figure in figures:
        cells: list[str | Text] = [
            figure.title,
            _value(figure),
            _interval(figure),
            _count(figure),
            _bar(figure),
            figure.note,
        ]
        table.add_row(*cells[: len(table.columns)])
    return table


def _value(figure: Figure) -> str:
    if figure.value is None:
        return figure.note
    return f"{_rounded(figure.value)} {figure.unit}"


def _interval(figure: Figure) -> str:
    ends = figure.interval
    return "" if ends is None else f"{_rounded(ends.low)} … {_rounded(ends.high)}"


def _count(figure: Figure) -> str:
    return "" if figure.n is None else str(figure.n)


def _bar(figure: Figure) -> Text:
    if figure.bar is None:
        return Text("")
    words = f"{_SIGNS[figure.bar.sense]} {figure.bar.limit:g} "
    if figure.met is None:
        return Text(words + "not measured")
    verdict = ("met" if figure.met else "NOT MET") + (" (close)" if figure.is_close else "")
    return Text(words + verdict, style="green" if figure.met else "red")


def _rounded(value: float) -> str:
    return f"{value:.2f}" if abs(value) < _FINE_BELOW else f"{value:,.1f}"
