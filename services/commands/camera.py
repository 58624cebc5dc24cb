"""`millsight camera …`: run cameras on this machine, or send one image."""

from pathlib import Path
from typing import Annotated, Final

import typer

app: Final = typer.Typer(
    help="Plug in cameras: run them on this machine, or send one image.", no_args_is_help=True
)

Broker = Annotated[
    str | None,
    typer.Option(
        envvar="KAFKA_BOOTSTRAP_SERVERS", help="host:port of the broker; left out: that of `millsight up` here"
    ),
]
HomeDir = Annotated[Path, typer.Option(envvar="MILLSIGHT_HOME", help="Directory of `millsight up`")]
_HOME: Final = Path(".millsight")
_USUAL_BROKER: Final = "127.0.0.1:9092"
CameraId = Annotated[str, typer.Option("--camera-id", help="Name of the camera and of its topic frames.<name>")]
KafkaConfig = Annotated[Path | None, typer.Option(help="File of librdkafka properties, for a secured cluster")]


def _address_of(broker: str | None, home: Path) -> str:
    """Return the broker that was named, else that of the line which runs in `home`, else the usual one."""
    from services.runtime.embedded.home import Home
    from services.runtime.embedded.state import read_state

    if broker:
        return broker
    state = read_state(Home(home)) or {}
    found = state.get("broker", {}).get("bootstrap_servers")
    return found if isinstance(found, str) else _USUAL_BROKER


@app.command()
def run(  # noqa: PLR0917 - one argument per option; typer passes them by name
    camera_id: CameraId,
    source: Annotated[
        str,
        typer.Option(
            envvar="MILLSIGHT_CAMERA_SOURCE",
            help="folder:DIR, video:FILE, rtsp://..., usb:NUMBER or simulated; use the variable for a password",
        ),
    ],
    broker: Broker = None,
    home: HomeDir = _HOME,
    line: Annotated[Path | None, typer.Option(help="Line file that says where the camera stands")] = None,
    spool_dir: Annotated[
        Path | None, typer.Option(help="Where frames wait while the broker is away; left out: HOME/spool")
    ] = None,
    spool_gb: Annotated[float, typer.Option(min=0.1, help="Most that may wait, in GB")] = 2.0,
    drop_oldest: Annotated[bool, typer.Option(help="When the spool is full, drop the oldest frames")] = False,
    fps: Annotated[float | None, typer.Option(min=0.01, max=1000, help="Frames a second at most")] = None,
    once: Annotated[bool, typer.Option(help="Stop at the end of a folder or video")] = False,
    csv: Annotated[Path | None, typer.Option(help="CSV with a column image_path, for a folder")] = None,
    kafka_config: KafkaConfig = None,
    health_port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free port")] = 0,
) -> None:
    """Run one camera until Ctrl-C: capture, keep on disk, publish to Kafka."""
    from services.camera.settings import (
        CameraSettings,
        LineSettings,
        SourceSettings,
        SpoolSettings,
    )
    from services.camera.wiring import run as run_room
    from services.contracts.capture import SpoolPolicy
    from services.contracts.errors import ConfigurationError
    from services.runtime.logs import configure_logging
    from services.runtime.settings import HealthSettings, KafkaSettings

    configure_logging("camera")
    try:
        settings = CameraSettings(
            kafka=KafkaSettings(bootstrap_servers=_address_of(broker, home), config_file=kafka_config),
            line=LineSettings(file=line),
            spool=SpoolSettings(
                dir=spool_dir or home / "spool",
                max_bytes=int(spool_gb * 1e9),
                policy=SpoolPolicy.DROP_OLDEST if drop_oldest else SpoolPolicy.BLOCK,
            ),
            source=SourceSettings.model_validate(
                {
                    "spec": source,
                    "cameras": (camera_id,),
                    "csv": csv,
                    "frames_per_second": fps,
                    "loop": not once,
                    "fail_fast": True,
                }
            ),
            health=HealthSettings(port=health_port),
        )
    except ValueError as error:
        raise ConfigurationError(" ".join(str(error).split())) from error
    run_room(settings)


@app.command()
def send(
    file: Annotated[Path, typer.Argument(help="A JPEG or PNG file")],
    camera_id: CameraId,
    broker: Broker = None,
    home: HomeDir = _HOME,
    kafka_config: KafkaConfig = None,
    timeout_s: Annotated[float, typer.Option(min=0.1, max=300)] = 15.0,
) -> None:
    """Publish one image as it is, the way any program may: the bytes are the message."""
    from services.adapters.kafka.send_image import send_bare_image
    from services.runtime.settings import KafkaSettings

    place = send_bare_image(
        KafkaSettings(bootstrap_servers=_address_of(broker, home), config_file=kafka_config),
        camera_id,
        file,
        timeout_s,
    )
    typer.echo(f"published {file} to {place}")
