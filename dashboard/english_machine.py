"""English strings of the machine page."""

from typing import Final

MACHINE_ENGLISH: Final[dict[str, str]] = {
    "page.machine": "Machine",
    "machine.pick": "Machine",
    "machine.class": "Defect class",
    "machine.chart": "Chart",
    "machine.days": "Span",
    "machine.days.1": "24 hours",
    "machine.days.7": "7 days",
    "machine.days.30": "30 days",
    "machine.kind.cusum": "CUSUM",
    "machine.kind.u": "u (per km)",
    "machine.kind.p": "p (share of frames)",
    "machine.kind.ewma": "EWMA",
    "chart.cusum": "CUSUM of the log-likelihood ratio, nats",
    "chart.u": "u chart: defects per km, around the normal rate",
    "chart.u_laney": "u' chart (Laney: coils vary more than chance): defects per km, around the normal rate",
    "chart.p": "p chart: share of frames that the first camera behind the group called a defect, all classes",
    "chart.p_laney": "p' chart (Laney: coils vary more than chance): share of frames that the first camera behind"
    " the group called a defect, all classes",
    "chart.ewma": "EWMA (lambda 0.1) of the standardised rate; in control 500 coils between signals",
    "chart.nothing": "nobody inspected any of these coils",
    "help.machine.chart": "Only the CUSUM raises flags. The u, p and EWMA charts show the same coils the way"
    " control"
    " charts are usually read; where coils vary more than chance, the limits are Laney's.",
    "machine.state": "**{machine}: {state}.** {reason}",
    "machine.group": "No camera separates these machines, so they share a chart: {group}.",
    "machine.none": "**No machine is known yet.** Describe the line in `line.yaml` and run `millsight db"
    " migrate`, or"
    " start the demo line with `make up`.",
    "machine.no_points": "**No coil has been judged here in this span.** A coil is judged when it has passed"
    " the last"
    " camera; choose a longer span, or another class.",
    "machine.left_out": "Coils that nobody inspected, left out: {count}.",
    "machine.no_limit": "The line has raised no flag yet, so the limit of its CUSUM is not on record.",
    "machine.newest": "Newest judged coil: {coil}, ended {age}.",
    "machine.axis": "Coils, oldest first",
    "machine.classes": "Class mix",
    "help.machine.classes": "Registered defects that begin at this machine's group, each counted once, against"
    " what its"
    " normal rate lets expect.",
    "machine.roll_marks": "Roll marks",
    "machine.rolls": "{order}: defects repeat every **{period} m**, the circumference of {rolls}.",
    "machine.no_roll": "{order}: defects repeat every **{period} m**; no roll of the line has that circumference.",
    "machine.no_rolls": "No flag of this machine shows a period.",
    "machine.flags": "Flags and repairs",
    "help.machine.flags": "Defects per km of this class before the onset, since, and on up to 200 coils that began"
    " after the repair; the process monitor says whether it worked.",
    "machine.repaired": "{rate} on {length} km",
    "machine.no_flags": "This machine has never been flagged.",
    "machine.mark.onset": "onset, {order}",
    "machine.mark.alarm": "flag, {order}",
    "machine.mark.repair": "repaired, {order}",
    "machine.download.points": "Chart as CSV",
    "machine.download.classes": "Class mix as CSV",
    "machine.download.flags": "Flags as CSV",
    "machine.download.report": "Report of this machine",
    "metric.machine_open": "Open flags",
    "help.machine_open": "Flags that name this machine and that nobody has closed.",
    "metric.machine_found": "Defects that begin here",
    "help.machine_found": "Over the span, all classes; a defect that several cameras saw counts once.",
    "metric.machine_expected": "Expected at the normal rate",
    "help.machine_expected": "What this machine would have shown had its normal rates held.",
    "metric.machine_km": "Strip inspected, km",
    "help.machine_km": "Metres that cameras behind this machine inspected over the span, weighted with their"
    " chance to"
    " see a defect.",
    "table.expected": "Expected",
    "table.km": "km",
    "table.onset": "Onset",
    "table.before": "Per km before",
    "table.after": "Per km since",
    "table.repaired": "Per km after repair",
    "table.rolls": "Rolls",
    "table.closed": "Closed",
    "machine.signal": "signal",
    "tip.coil": "Coil",
    "tip.point": "Point",
    "tip.limit": "Limit",
    "tip.mark": "What happened",
}
