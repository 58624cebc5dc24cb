"""The door of the classifier: `python -m services.classifier`, configured by `CLASSIFIER_*` variables."""

import sys

from services.classifier.settings import ClassifierSettings
from services.classifier.wiring import run
from services.contracts.errors import ConfigurationError
from services.runtime.logs import configure_logging
from services.runtime.settings import load_settings


def main() -> int:
    """Run the room; return the exit code."""
    configure_logging("classifier")
    try:
        run(load_settings(ClassifierSettings))
    except ConfigurationError as error:
        sys.stderr.write(f"millsight classifier: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
