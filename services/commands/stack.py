"""`millsight up`, `down`, `status` and `logs`: the local stack."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from services.domain.topology import Topology
    from services.runtime.embedded.assembly import Wiring
    from services.runtime.embedded.home import Home
    from services.runtime.embedded.options import StackOptions, StackSettings

_PROJECT: Final = Path(__file__).resolve().parents[2]
_STOP_TIMEOUT_S: Final = 75.0
_POLL_S: Final = 0.2
_UNASSIGNED: Final = """
SELECT DISTINCT camera_id FROM inspections
WHERE machine_id = 'unassigned' AND captured_at > now() - interval '1 hour' ORDER BY camera_id
"""


def up(
    frames: Annotated[Path | None, typer.Option(help="Play real images from this directory (with a CSV).")] = None,
    workers: Annotated[int, typer.Option(min=0, max=64, help="Classifier processes.")] = 1,
    detach: Annotated[bool, typer.Option("--detach", help="Return when the line is ready.")] = False,
    demo: Annotated[bool, typer.Option(help="Run the demo cameras.")] = True,
    cameras: Annotated[int | None, typer.Option(min=1, help="Run only this many of the line's cameras.")] = None,
    line: Annotated[Path | None, typer.Option(help="The line file; line.yaml unless given.")] = None,
) -> None:
    """Run the line until Ctrl-C: Kafka, PostgreSQL, Triton, classifier, process monitor, cameras and dashboard."""
    from services.contracts.errors import ConfigurationError
    from services.contracts.line_file import load_topology
    from services.runtime.embedded.detached import start_detached
    from services.runtime.embedded.options import StackOptions

    line_file = (line or _PROJECT / "line.yaml").absolute()
    topology = load_topology(line_file)
    if frames is not None and not frames.is_dir():
        raise ConfigurationError(f"--frames {frames} is not a directory: give the directory that holds the images")
    names = tuple(station.camera_id for station in topology.cameras)
    chosen = () if cameras is None else names[:cameras]
    options = StackOptions(_PROJECT, line_file, workers, frames, demo, chosen)
    if detach:
        start_detached(_home_and_settings()[0], [each for each in sys.argv[1:] if each != "--detach"], typer.echo)
    else:
        _up_here(options, topology)


def down() -> None:
    """Stop the line in order; does nothing when none runs."""
    from services.contracts.errors import TransientError
    from services.runtime.deadline import Deadline
    from services.runtime.embedded.lock import is_locked
    from services.runtime.embedded.state import read_state
    from services.runtime.embedded.supervisor import supervisor_lives

    home, _ = _home_and_settings()
    state = read_state(home)
    if state is None or not is_locked(home.lock_file):
        typer.echo("nothing runs")
        return
    if supervisor_lives(state):
        os.kill(int(state["supervisor"]["pid"]), signal.SIGTERM)
    wait = Deadline.after(_STOP_TIMEOUT_S)
    while is_locked(home.lock_file):
        if wait.expired:
            raise TransientError(f"the stack did not stop within {_STOP_TIMEOUT_S:.0f} s: see {home.logs}")
        time.sleep(_POLL_S)
    typer.echo("stopped")


def status(
    as_json: Annotated[
        bool, typer.Option("--json", help="For programs; holds the reports role's password.")
    ] = False,
) -> None:
    """Say what runs, where, and what is broken; exit code 1 when something is."""
    from services.runtime.clock import utc_now
    from services.runtime.embedded.status import look

    home, _ = _home_and_settings()
    found = look(home, utc_now, _unassigned_cameras)
    if as_json:
        typer.echo(json.dumps(found.document, indent=2))
    else:
        for service in found.document["services"]:
            place = f"{service['state']:<9} {service['address']:<28}"
            typer.echo(f"{service['name']:<15} {place} {service['reason']}".rstrip())
        for note in found.notes:
            typer.echo(f"note: {note}")
        for problem in found.problems:
            typer.echo(f"broken: {problem}")
        if found.well:
            typer.echo("all is well")
    raise typer.Exit(0 if found.well else 1)


def logs(
    service: Annotated[str | None, typer.Argument(help="One service; all unless given.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines are written.")] = False,
    lines: Annotated[int, typer.Option(min=0, help="Lines from the end.")] = 20,
) -> None:
    """Show the logs of the stack."""
    from services.contracts.errors import ConfigurationError
    from services.runtime.embedded.tail import Tail

    home, _ = _home_and_settings()
    known = sorted(file.stem for file in home.logs.glob("*.log"))
    if service is not None and service not in known:
        raise ConfigurationError(f"there is no log of {service!r}: known are {', '.join(known) or 'none yet'}")
    tail = Tail([home.log_file(name) for name in ([service] if service else known)])
    for line in tail.last(lines):
        typer.echo(line)
    while follow:
        for line in tail.more():
            typer.echo(line)
        time.sleep(_POLL_S)


def _home_and_settings() -> "tuple[Home, StackSettings]":
    from services.runtime.embedded.home import Home
    from services.runtime.embedded.options import StackSettings
    from services.runtime.settings import load_settings

    settings = load_settings(StackSettings)
    return Home((settings.millsight_home or _PROJECT / ".millsight").absolute()), settings


def _up_here(options: "StackOptions", topology: "Topology") -> None:
    from services.runtime.clock import utc_now
    from services.runtime.embedded.assembly import Assembly
    from services.runtime.embedded.diary import Diary
    from services.runtime.embedded.greeting import greeting
    from services.runtime.embedded.state import Past, StateFile, read_state
    from services.runtime.embedded.supervisor import Supervisor, take_over

    home, settings = _home_and_settings()
    home.create()
    diary = Diary(home.log_file("supervisor"), typer.echo, utc_now)
    lock = take_over(home, diary.note)
    assembly = Assembly(home, options, settings, diary.note, Past.of(read_state(home)))
    assembly.assemble(_wiring(home, settings, topology))
    state = StateFile(home, assembly.addresses, assembly.ports)
    supervisor = Supervisor(home, assembly.parts, state, diary.note)
    supervisor.run(lock, lambda: typer.echo(greeting(assembly.addresses, home)))


def _wiring(home: "Home", settings: "StackSettings", topology: "Topology") -> "Wiring":
    """The two pieces of work that need the adapters."""
    from services.adapters.kafka.topics import (
        CAMERA_STATUS_PLAN,
        DEAD_LETTER_PLAN,
        ensure_topics,
        frame_topic_plan,
    )
    from services.adapters.postgres.line import apply_topology
    from services.adapters.postgres.models import register_models
    from services.adapters.postgres.roles import CLASSIFIER, OWNER, ROLE_NAMES, ensure_roles, role_url
    from services.adapters.postgres.schema import migrate
    from services.adapters.postgres.secret_files import password_of, write_url
    from services.runtime.embedded.assembly import Wiring
    from services.runtime.settings import KafkaSettings

    models = settings.millsight_model_repository or _PROJECT / "model_repository"

    def database(admin_url: str) -> None:
        passwords = {name: password_of(home.secrets, name) for name in ROLE_NAMES}
        ensure_roles(admin_url, passwords)
        for name, password in passwords.items():
            write_url(home.secrets, name, role_url(admin_url, name, password))
        owner_url = role_url(admin_url, OWNER, passwords[OWNER])
        migrate(owner_url)
        apply_topology(owner_url, topology)
        register_models(role_url(admin_url, CLASSIFIER, passwords[CLASSIFIER]), models)

    def topics(bootstrap_servers: str) -> None:
        kafka = KafkaSettings(bootstrap_servers=bootstrap_servers, config_file=settings.kafka_config_file)
        cameras = [frame_topic_plan(station.camera_id) for station in topology.cameras]
        ensure_topics(kafka, *cameras, DEAD_LETTER_PLAN, CAMERA_STATUS_PLAN)

    return Wiring(database, topics)


def _unassigned_cameras(reports_url: str) -> list[str]:
    """Return cameras whose frames of the last hour stand under machine 'unassigned'.

    Raises:
        OSError: The database could not be asked.
    """
    from contextlib import closing

    import psycopg

    from services.adapters.postgres.connecting import connect, one_line
    from services.contracts.errors import MillsightError

    try:
        with closing(connect(reports_url, application_name="millsight status", connect_timeout_s=3)) as connection:
            rows = connection.execute(_UNASSIGNED).fetchall()
    except psycopg.Error as error:
        raise OSError(one_line(error)) from error
    except MillsightError as error:
        raise OSError(str(error)) from error
    return [str(camera_id) for (camera_id,) in rows]
