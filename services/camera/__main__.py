"""The door of the camera room: `python -m services.camera`, configured by `CAMERA_*` variables."""

import sys

from services.camera.settings import CameraSettings
from services.camera.wiring import run
from services.contracts.errors import ConfigurationError
from services.runtime.logs import configure_logging
from services.runtime.settings import load_settings


def main() -> int:
    """Run the room; return the exit code."""
    configure_logging("camera")
    try:
        run(load_settings(CameraSettings))
    except ConfigurationError as error:
        sys.stderr.write(f"millsight camera: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
