"""Reads a YAML file that a person wrote, and says in one sentence what is wrong with it and where."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from services.contracts.errors import ConfigurationError

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class Entry(BaseModel):
    """A mapping of the file: unknown keys are refused, and so are `.nan` and `.inf`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


EntryT = TypeVar("EntryT", bound=Entry)

_ONE_OF: Final = {
    "lines": "line",
    "machines": "machine",
    "cameras": "camera",
    "rolls": "roll",
    "grades": "grade",
    "classes": "class",
    "prices": "price list",
}
_PLAIN: Final = {
    "extra_forbidden": "this key is not known here: check its spelling or take it out",
    "missing": "this field is missing: add it",
}


def read_entry(path: Path, what: str, model: type[EntryT]) -> EntryT:
    """Read a YAML file into `model`.

    Args:
        path: The file.
        what: What to call it in the sentence, as in "line file".
        model: The model of the whole document.

    Raises:
        ConfigurationError: The file cannot be read, is no YAML, or breaks a rule; the sentence names file,
            entry ("line 'strip-1', machines") and what to do.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{what} {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{what} {path} is not UTF-8 text") from error
    except ValueError as error:
        raise ConfigurationError(f"{what} {path} holds a date or number that does not exist: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{what} {path} is not valid YAML: {' '.join(str(error).split())}") from error
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        message = _PLAIN.get(first["type"], first["msg"].removeprefix("Value error, "))
        where = place(document, first["loc"])
        raise ConfigurationError(
            f"{what} {path}, {where}: {message}" if where else f"{what} {path}, {message}"
        ) from error


def place(document: object, location: Sequence[int | str]) -> str:
    """Say where in a document something is, as a person would: "line 'strip-1', machine 'm2', position_m".

    Args:
        document: What the YAML reader returned.
        location: Keys and list indices from the top, as pydantic gives them.

    Returns:
        Words joined by commas; empty for the whole document.
    """
    words: list[str] = []
    here, collection = document, ""
    for step in location:
        inside = _inside(here, step)
        if collection:
            words[-1] = f"{collection} {_name(inside, step)}"
            collection = ""
        else:
            words.append(str(step))
            collection = _ONE_OF.get(str(step), "")
        here = inside
    return ", ".join(words)


def _inside(container: object, step: int | str) -> object:
    if isinstance(container, list) and isinstance(step, int) and step < len(container):
        return container[step]
    return container.get(step) if isinstance(container, dict) else None


def _name(entry: object, step: int | str) -> str:
    if isinstance(step, str):
        return repr(step)
    if not isinstance(entry, dict):
        return f"no. {step + 1}"
    known = [str(entry[key]) for key in ("id", "name", "valid_from") if key in entry]
    if not known:
        return f"no. {step + 1}"
    dated = "id" in entry and "valid_from" in entry
    return f"{known[0]!r} (valid from {entry['valid_from']})" if dated else repr(known[0])
