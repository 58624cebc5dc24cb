"""Compare with numbers as books print them: equal when they round to the same digits."""

from collections.abc import Iterable


def off_by(values: float | Iterable[float], text: str, last_digit: float = 0.5) -> list[str]:
    """Return which values do not round to the printed ones; an empty list when all do.

    Args:
        values: One number or several.
        text: The printed numbers, separated by blanks or commas.
        last_digit: Units of the last digit that a value may be off; 1.0 where the book itself approximated.
    """
    numbers = text.replace(",", " ").split()
    computed = list(values) if isinstance(values, Iterable) else [values]
    assert len(computed) == len(numbers)
    wrong = []
    for value, number in zip(computed, numbers, strict=True):
        places = len(number.partition(".")[2])
        if not abs(value - float(number)) <= last_digit * 10.0**-places * (1 + 1e-9):
            wrong.append(f"{value!r} is not {number}")
    return wrong
