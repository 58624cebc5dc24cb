"""`millsight user`: who may log in to the dashboard of this machine, and as what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from services.contracts.user_file import User

_PROJECT: Final = Path(__file__).resolve().parents[2]

app = typer.Typer(help="People who may log in to this machine's dashboard.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="The name to log in with.")]
RoleOption = Annotated[str, typer.Option(help="viewer, operator or engineer.")]
FileOption = Annotated[Path | None, typer.Option("--file", help="The user file; the local stack's unless given.")]


@app.command()
def add(
    name: NameArgument,
    role: RoleOption = "operator",
    password_file: Annotated[Path | None, typer.Option(help="Holds the password; asked otherwise.")] = None,
    file: FileOption = None,
) -> None:
    """Add a person, or give one a new password and role."""
    from services.contracts.errors import ConfigurationError
    from services.contracts.user_file import make_user, read_users, role_named

    wanted, place = role_named(role), _file(file)
    if password_file is None:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        try:
            password = password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"The password file {password_file} cannot be read: {error}.") from error
    users = read_users(place)
    _write(place, {**users, name: make_user(name, wanted, password)})
    typer.echo(f"{name} may log in as {wanted.name.lower()}")


@app.command("set-role")
def set_role(name: NameArgument, role: RoleOption, file: FileOption = None) -> None:
    """Give a person another role; it holds from their next click on."""
    from dataclasses import replace

    from services.contracts.user_file import read_users, role_named

    wanted, place = role_named(role), _file(file)
    users = read_users(place)
    _check_known(users, name)
    _write(place, {**users, name: replace(users[name], role=wanted.name.lower())})
    typer.echo(f"{name} is {wanted.name.lower()} now")


@app.command()
def remove(name: NameArgument, file: FileOption = None) -> None:
    """Take a person out; whoever is logged in with this name loses their rights at once."""
    from services.contracts.user_file import read_users

    place = _file(file)
    users = read_users(place)
    _check_known(users, name)
    _write(place, {other: user for other, user in users.items() if other != name})
    typer.echo(f"{name} may no longer log in")


@app.command("list")
def list_users(file: FileOption = None) -> None:
    """List everybody with their role."""
    from services.contracts.user_file import read_users

    users = read_users(_file(file))
    for name in sorted(users):
        typer.echo(f"{users[name].role:<9} {name}")
    if not users:
        typer.echo("nobody yet: 'millsight user add NAME --role operator'")


def _check_known(users: dict[str, User], name: str) -> None:
    from services.contracts.errors import ConfigurationError

    if name not in users:
        raise ConfigurationError(f"There is no user {name!r}: 'millsight user list' shows everybody.")


def _file(given: Path | None) -> Path:
    if given is not None:
        return given
    from services.runtime.embedded.home import Home
    from services.runtime.embedded.options import StackSettings
    from services.runtime.settings import load_settings

    settings = load_settings(StackSettings)
    return Home((settings.millsight_home or _PROJECT / ".millsight").absolute()).users_file


def _write(file: Path, users: dict[str, User]) -> None:
    from services.contracts.errors import ConfigurationError
    from services.contracts.user_file import users_as_text
    from services.runtime.embedded.home import write_atomically

    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(file, users_as_text(users))
    except OSError as error:
        raise ConfigurationError(f"The user file {file} cannot be written: {error.strerror}.") from error
