"""Every word the dashboard shows, in one place, and the only way to put data into a sentence safely.

`say` returns Markdown in which every value is escaped: a machine called `<script>` or `**x**` is shown letter for
letter. `plain` returns bare text for places that never read Markdown (tables, charts, files).
"""

import re
from datetime import datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dashboard.language import strings

_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")
# Links, emoji and arrows are found in text even when escaped; an invisible joiner keeps them apart.
_READ_IN_TEXT = re.compile(r"(?<!\d):(?=\S)|:(?=[^\s\d])|@|www(?=\.)|[-<>=~+](?=[-<>=~])|\((?=[cCrRtTmM]{1,2}\))")
_CLOCKS_AGREE_S: Final = 5.0
_JOINER: Final = "\u2060"
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffc]+")
_MAX_TEXT: Final = 160
_KILO: Final = 1000


def clean(text: object) -> str:
    """Return data as one line of printable text of bounded length."""
    line = _UNPRINTABLE.sub(" ", str(text)).strip()
    return line if len(line) <= _MAX_TEXT else line[: _MAX_TEXT - 1] + "…"


def escape(text: object) -> str:
    """Return data as Markdown that shows it letter for letter."""
    return _MARKDOWN.sub(r"\\\1", _READ_IN_TEXT.sub(lambda found: f"{found.group()}{_JOINER}", clean(text)))


def say(key: str, **values: object) -> str:
    """Return the sentence `key` as Markdown with all values escaped."""
    return strings()[key].format(**{name: escape(value) for name, value in values.items()})


def plain(key: str, **values: object) -> str:
    """Return the sentence `key` as bare text, for tables, charts and files."""
    return strings()[key].format(**{name: clean(value) for name, value in values.items()})


def class_word(defect_class: str) -> str:
    """Return a defect class as people write it; a class unknown here is shown as it is stored."""
    return strings().get(f"class.{defect_class}", defect_class.replace("_", " "))


def health_word(state: str) -> str:
    """Return a machine's state in words; one unknown here is shown as it is stored."""
    return plain(f"health.{state}") if f"health.{state}" in strings() else clean(state.replace("_", " "))


def duration(seconds: float | None) -> str:
    """Return a length of time in words, coarse enough to read at a glance."""
    if seconds is None:
        return plain("time.never")
    if seconds < 0:
        return f"−{duration(-seconds)}"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    steps = ((86_400 * 2, 86_400, "d"), (3_600 * 2, 3_600, "h"), (120, 60, "min"), (10, 1, "s"))
    for at_least, unit, name in steps:
        if seconds >= at_least:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.1f} s"


def ago(seconds: float | None) -> str:
    """Return an age in words; a negative age is a camera whose clock runs ahead."""
    if seconds is None:
        return plain("time.never")
    if seconds < -_CLOCKS_AGREE_S:
        return plain("time.ahead", lead=duration(-seconds))
    return plain("time.now") if seconds < 1 else plain("time.ago", age=duration(seconds))


def number(value: float | None, digits: int = 1) -> str:
    """Return a number with thousands set apart, or a dash."""
    return "–" if value is None else f"{value:,.{digits}f}".replace(",", "\u202f")


def percent(share: float | None) -> str:
    """Return a share as a percentage, or a dash."""
    return "–" if share is None else f"{share * 100:.1f} %"


def percent_range(interval: tuple[float, float] | None) -> str:
    """Return an interval of shares as percentages, or a dash."""
    return "–" if interval is None else f"{interval[0] * 100:.1f}–{interval[1] * 100:.1f} %"


def confidence(share: float) -> str:
    """Return how sure the model is, as a whole percentage."""
    return f"{share * 100:.0f} %"


def metre(position_m: float | None) -> str:
    """Return a position along the strip, or a dash where the camera does not know it."""
    return "–" if position_m is None else f"{number(position_m)} m"


def zone(name: str | None) -> tzinfo:
    """Return the viewer's time zone, UTC where it is unknown."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def clock(moment: datetime | None, where: tzinfo, now: datetime | None = None) -> str:
    """Return a moment as wall time; with the date when it lies more than half a day before `now`."""
    if moment is None:
        return plain("time.never")
    local = moment.astimezone(where)
    distant = now is None or abs(now - moment) > timedelta(hours=12)
    return local.strftime("%Y-%m-%d %H:%M:%S" if distant else "%H:%M:%S")


def byte_size(size: int) -> str:
    """Return a number of bytes in a readable unit."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < _KILO:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= _KILO
    return f"{value:.1f} TB"
