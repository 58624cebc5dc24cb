"""A classifier that kills itself with SIGKILL around its n-th database commit; everything else is the real room.

Run as `python -m tests.faults.doomed_classifier before|after N` with the classifier's own environment.
"""

import os
import signal
import sys
import threading
from collections.abc import Sequence

from typing_extensions import override

from services.adapters.postgres.connecting import Connection
from services.adapters.postgres.inspections import PostgresInspectionRepository
from services.adapters.triton import TritonClassifier
from services.classifier.settings import ClassifierSettings
from services.classifier.wiring import build_classifier, models_of
from services.contracts.line_file import load_topology
from services.domain.inspection import Inspection, RejectedFrame, StoreReport
from services.runtime.logs import configure_logging
from services.runtime.settings import PostgresSettings, load_settings


class DoomedRepository(PostgresInspectionRepository):
    """Ends the process at the n-th batch that holds inspections, before or after its transaction commits."""

    def __init__(self, settings: PostgresSettings, moment: str, batches: int) -> None:
        super().__init__(settings)
        self._moment = moment
        self._left = batches

    @override
    def store(self, inspections: Sequence[Inspection], rejected: Sequence[RejectedFrame]) -> StoreReport:
        report = super().store(inspections, rejected)
        if inspections and self._left <= 0 and self._moment == "after":
            die()
        return report

    @override
    def _write(
        self, connection: Connection, inspections: Sequence[Inspection], rejected: Sequence[RejectedFrame]
    ) -> int:
        self._left -= bool(inspections)
        if not (inspections and self._left <= 0 and self._moment == "before"):
            return super()._write(connection, inspections, rejected)
        with connection.transaction():
            super()._write(connection, inspections, rejected)
            die()
        return 0


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(moment: str, batches: int) -> None:
    configure_logging("doomed-classifier")
    settings = load_settings(ClassifierSettings)
    topology = load_topology(settings.line.file)
    scorers = {name: TritonClassifier(settings.triton, name) for name in models_of(topology)}
    repository = DoomedRepository(settings.postgres, moment, batches)
    build_classifier(settings, topology, scorers, repository, threading.Event()).run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
