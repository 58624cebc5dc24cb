"""What `millsight up` prints once everything serves: where it is, and how to plug in a camera."""

from collections.abc import Mapping
from typing import Any, Final

from services.runtime.embedded.home import Home

READY: Final = "the line is ready"
_PLUG_IN: Final = """
plug in a camera: publish JPEG or PNG files to its topic
  kcat -P -b {servers} -t frames.cam-7 photo.jpg
  python -c "import sys; from confluent_kafka import Producer; p = Producer({{'bootstrap.servers': \\
    '{servers}'}}); p.produce('frames.cam-7', open(sys.argv[1], 'rb').read()); p.flush()" photo.jpg
"""


def greeting(addresses: Mapping[str, Any], home: Home) -> str:
    """Return the table of addresses; its last line says that the line is ready."""
    broker, postgres = addresses["broker"], addresses["postgres"]
    receivers = addresses["alerts"]["file"]
    rows = [
        ("dashboard", addresses.get("dashboard", {}).get("url", "not started")),
        ("broker", f"{broker['bootstrap_servers']} ({broker['kind']})"),
        ("database", f"{postgres['host']}:{postgres['port']}, read-only URL in {postgres['reports_url_file']}"),
        ("triton", f"{addresses['triton']['grpc_url']} (gRPC)"),
        ("alerts", f"to the receivers in {receivers}" if receivers else "to nobody: set MILLSIGHT_ALERTS_FILE"),
        *((f"metrics {name}", url) for name, url in addresses["metrics"].items()),
        ("logs", str(home.logs)),
    ]
    table = "\n".join(f"  {name:<24} {value}" for name, value in rows)
    return f"\n{table}\n{_PLUG_IN.format(servers=broker['bootstrap_servers'])}\n{READY}"
