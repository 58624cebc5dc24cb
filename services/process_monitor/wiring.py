"""Joins the process monitor to PostgreSQL and to the receivers of alerts; importing this connects to nothing."""

import logging
import signal
import threading
from collections.abc import Mapping
from typing import Final

from services.adapters.notifications.opening import open_receivers
from services.adapters.postgres.alert_outbox import PostgresAlertOutbox
from services.adapters.postgres.monitor_reader import PostgresInspectionReader
from services.adapters.postgres.monitor_store import PostgresMonitorStore
from services.contracts.errors import TransientError
from services.contracts.line_file import load_topology
from services.contracts.material_file import default_materials_dir, load_materials, material_for
from services.domain.classes import DEFECT_CLASSES
from services.domain.material import GENERIC, MaterialPack
from services.domain.topology import Topology
from services.process_monitor.app import ProcessMonitor
from services.process_monitor.delivery import AlertCourier, DeliveryResult
from services.process_monitor.line_watch import LineWatch, WatchParts, watched_classes
from services.process_monitor.settings import MonitorSettings
from services.runtime import metrics
from services.runtime.clock import utc_now
from services.runtime.health import HealthServer

logger = logging.getLogger(__name__)

_COURIER_TURN_S: Final = 1.0
_COURIER_CLOSE_S: Final = 5.0


def run(settings: MonitorSettings) -> None:
    """Watch all lines until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: A setting, the line file, a material pack, the alert file or the schema does not fit.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    topology = load_topology(settings.line.file)
    packs = load_materials(settings.materials.dir or default_materials_dir())
    receivers = open_receivers(settings.alerts.file) if settings.alerts.file is not None else []
    source, store = PostgresInspectionReader(settings.postgres), PostgresMonitorStore(settings.postgres)
    _refuse_wrong_database(store)
    monitor = ProcessMonitor(
        settings.reading, source, store, lambda: _watches(topology, packs, source, store), stop
    )
    courier = AlertCourier(PostgresAlertOutbox(settings.postgres), receivers, utc_now)
    server = HealthServer(monitor.health, settings.health.host, settings.health.port)
    server.start()
    for receiver, _ in receivers:
        for result in DeliveryResult:
            metrics.ALERTS.labels(receiver.name, result.value)
    post = threading.Thread(target=_deliver, args=(courier, stop), name="alerts", daemon=True)
    post.start()
    logger.info("process monitor starts", extra={"health_port": server.port, "receivers": len(receivers)})
    try:
        monitor.run()
    finally:
        stop.set()
        post.join(_COURIER_CLOSE_S * 2)
        server.stop()
        source.close()
        store.close()
        logger.info("process monitor has stopped")


def _watches(
    topology: Topology,
    packs: Mapping[str, MaterialPack],
    source: PostgresInspectionReader,
    store: PostgresMonitorStore,
) -> Mapping[str, LineWatch]:
    """Return a watch for every line that has cameras."""
    watches = {}
    for line in topology.lines:
        if not line.cameras:
            logger.warning("no camera looks at this line", extra={"line_id": line.id})
            continue
        pack = material_for(packs, line.cameras[0].material)
        labels = DEFECT_CLASSES if pack.name == GENERIC else ()
        parts = WatchParts(source, store, topology.history(line.id), watched_classes(pack, labels), pack)
        watches[line.id] = LineWatch(parts)
    return watches


def _deliver(courier: AlertCourier, stop: threading.Event) -> None:
    """Bring alerts out until stopped; what is under way then may end."""
    while not stop.wait(_COURIER_TURN_S):
        report = courier.turn(_COURIER_TURN_S)
        for (receiver, result), count in report.alerts.items():
            metrics.ALERTS.labels(receiver, result.value).inc(count)
    courier.close(_COURIER_CLOSE_S)


def _refuse_wrong_database(store: PostgresMonitorStore) -> None:
    """Stop at the start where the schema does not fit; a database that is away may come back."""
    try:
        store.check()
    except TransientError as error:
        logger.warning("the database is away", extra={"reason": str(error)})
