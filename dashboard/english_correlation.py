"""English strings of the correlation page."""

from typing import Final

CORRELATION_ENGLISH: Final[dict[str, str]] = {
    "page.correlation": "Cross-camera",
    "correlation.hours": "Span",
    "correlation.hours.1": "1 hour",
    "correlation.hours.8": "8 hours",
    "correlation.hours.24": "24 hours",
    "correlation.hours.168": "7 days",
    "correlation.none": "**No coil has been judged in this span.** Choose a longer one; the demo line needs a few"
    " minutes until its first coils have passed all cameras.",
    "correlation.newest": "Newest judged coil ended {age}.",
    "correlation.groups": "Where defects begin",
    "help.correlation.groups": "Defects per inspected kilometre that begin at a machine group: a defect that"
    " many cameras"
    " see is counted once, at the machine before the first of them.",
    "correlation.cameras": "What cameras see",
    "help.correlation.cameras": "Every camera behind the cause sees the same defect, so the last camera sees"
    " most. Switch"
    " to first sightings to see where defects appear.",
    "correlation.first_only": "First sightings only",
    "help.correlation.first_only": "Count a defect only at the first camera that reported it.",
    "correlation.first_against": "First appearance against sightings",
    "help.correlation.first_against": "A machine before a camera is charged with what begins there, not with"
    " what the camera"
    " sees.",
    "correlation.flags": "How sure the cause is",
    "correlation.no_flags": "No machine has been flagged yet.",
    "correlation.pick": "Flag",
    "correlation.download.groups": "Machines as CSV",
    "correlation.download.cameras": "Cameras as CSV",
    "correlation.see_coil": "One defect's way past the cameras, with its frames side by side, is on the page"
    " *Coil map*.",
    "heat.group": "{found} found, {expected} expected, {km} km",
    "heat.camera": "{first} first, {sightings} in all",
    "flag.open": "open",
    "flag.closed": "closed",
    "flag.title": "{order}: {defect} from {group}, {state}",
    "flag.sure": "Most probable cause: **{group}** ({sure}).",
    "flag.runner_up": "Next: {group} ({sure}).",
    "flag.members": "No camera tells these machines apart; by what such machines usually do: {members}.",
    "cause.none": "false alarm",
    "metric.correlation_defects": "Defects",
    "help.correlation_defects": "Physical defects that were registered over the span; coil-change marks are"
    " left out.",
    "metric.correlation_sightings": "Sightings",
    "help.correlation_sightings": "Reports of these defects by all cameras.",
    "metric.correlation_per_defect": "Cameras per defect",
    "help.correlation_per_defect": "How many cameras see a defect on average.",
    "metric.correlation_open": "Open machine flags",
    "help.correlation_open": "Flags that name a machine and that nobody has closed.",
    "table.sightings": "Sightings",
    "table.first_seen": "Seen first",
    "table.group": "Machines before it",
    "table.began": "Began there",
    "tip.where": "Where",
    "tip.counts": "Counts",
    "tip.per_km": "Defects per km",
    "tip.sightings": "Sightings",
}
