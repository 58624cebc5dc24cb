"""`millsight work-orders …`: list work orders, look at one, move one on a step."""

import json
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from services.commands.database_urls import PLANNER, REPORTS, UrlFile, url_of

if TYPE_CHECKING:
    from rich.text import Text

    from services.adapters.postgres.work_orders import Step, WorkOrder, WorkOrderEvent

app: Final = typer.Typer(help="Work orders: one per flag; every step is written down.", no_args_is_help=True)

_NEVER_BROKEN: Final = frozenset({"work order", "equipment"})
"""What people copy from the list into their next command."""

Number = Annotated[str, typer.Argument(help="As in WO-000123")]
Who = Annotated[str, typer.Option(help="Your name, for the audit trail")]
Comment = Annotated[str | None, typer.Option(help="Anything worth keeping")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON")]


class Feedback(StrEnum):
    """Whether the repair worked."""

    VERIFIED = "verified"
    NO_CHANGE = "no_change"


@app.command("list")
def list_orders(
    line: Annotated[str | None, typer.Option(help="Only this line")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too")] = False,
    as_json: AsJson = False,
    url_file: UrlFile = None,
) -> None:
    """List the open work orders, most urgent first."""
    from rich.console import Console
    from rich.table import Column, Table

    from services.adapters.postgres.work_orders import list_work_orders

    orders = list_work_orders(url_of(url_file, REPORTS), line, everything=everything)
    if as_json:
        typer.echo(json.dumps([asdict(order) for order in orders], default=str, indent=1))
        return
    names = ("work order", "priority", "state", "equipment", "damage", "since coil", "required by", "assigned to")
    table = Table(*(Column(name, no_wrap=name in _NEVER_BROKEN, overflow="fold") for name in names))
    for order in orders:
        table.add_row(*_texts(_short(order)))
    Console().print(table)


@app.command()
def show(number: Number, as_json: AsJson = False, url_file: UrlFile = None) -> None:
    """Show a work order, what the flag says, and who did what."""
    from rich.console import Console
    from rich.table import Table

    from services.adapters.postgres.work_orders import show_work_order

    order, events = show_work_order(url_of(url_file, REPORTS), number)
    if as_json:
        document = {**asdict(order), "events": [asdict(event) for event in events]}
        typer.echo(json.dumps(document, default=str, indent=1))
        return
    facts = Table(show_header=False)
    for name, value in asdict(order).items():
        if value not in (None, []):
            facts.add_row(*_texts([name.replace("_", " "), _word(value)]))
    steps = Table("when", "who", "step", "state", "comment")
    for event in events:
        steps.add_row(*_texts(_step_line(event)))
    Console().print(facts, steps)


@app.command()
def acknowledge(number: Number, who: Who, comment: Comment = None, url_file: UrlFile = None) -> None:
    """Say that somebody has seen it."""
    _take(url_file, number, "acknowledge", who, comment=comment)


@app.command()
def assign(number: Number, who: Who, to: Annotated[str, typer.Option()], url_file: UrlFile = None) -> None:
    """Give it to somebody."""
    _take(url_file, number, "assign", who, assigned_to=to)


@app.command()
def start(number: Number, who: Who, comment: Comment = None, url_file: UrlFile = None) -> None:
    """Say that work has begun."""
    _take(url_file, number, "start", who, comment=comment)


@app.command()
def done(
    number: Number,
    who: Who,
    cause: Annotated[str | None, typer.Option(help="What the cause was found to be")] = None,
    feedback: Annotated[Feedback | None, typer.Option(help="Whether it helped, if you know already")] = None,
    comment: Comment = None,
    url_file: UrlFile = None,
) -> None:
    """Say that the work is done."""
    _take(url_file, number, "done", who, cause_code=cause, feedback=feedback, comment=comment)


@app.command()
def reject(
    number: Number,
    who: Who,
    cause: Annotated[str, typer.Option(help="Why it is rejected")],
    comment: Comment = None,
    url_file: UrlFile = None,
) -> None:
    """Close it without work."""
    _take(url_file, number, "reject", who, cause_code=cause, comment=comment)


@app.command("comment")
def remark(
    number: Number,
    who: Who,
    comment: Annotated[str, typer.Option("--text", help="Anything worth keeping")],
    url_file: UrlFile = None,
) -> None:
    """Write something down without moving the order on; closed orders take remarks too."""
    _take(url_file, number, "comment", who, comment=comment)


@app.command("feedback")
def give_feedback(
    number: Number,
    who: Who,
    feedback: Annotated[Feedback, typer.Option("--result", help="Whether the repair worked")],
    comment: Comment = None,
    url_file: UrlFile = None,
) -> None:
    """Say of a done work order whether the repair worked."""
    _take(url_file, number, "feedback", who, feedback=feedback, comment=comment)


def _take(url_file: UrlFile, number: str, step: "Step", who: str, **values: str | None) -> None:
    from services.adapters.postgres.work_orders import StepRequest, take_step

    state = take_step(url_of(url_file, PLANNER), StepRequest(number, step, who, **values))
    typer.echo(f"{number} is {state.replace('_', ' ')}")


def _short(order: "WorkOrder") -> list[str]:
    return [
        order.work_order_no,
        str(order.priority),
        order.state.replace("_", " "),
        order.group_id,
        (order.damage_code or "–").replace("_", " "),
        order.onset_coil,
        _word(order.required_by),
        order.assigned_to or "–",
    ]


def _step_line(event: "WorkOrderEvent") -> list[str]:
    return [_word(event.at), event.who, event.step, event.to_state.replace("_", " "), event.comment or ""]


def _texts(cells: list[str]) -> "list[Text]":
    """Make cells printable: no control characters, and no markup is read into them."""
    from rich.text import Text

    from services.contracts.alert_messages import one_line

    return [Text(one_line(cell)) for cell in cells]


def _word(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:.3g}" if isinstance(value, float) else str(value)
