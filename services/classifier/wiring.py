"""Joins the classifier to Kafka, Triton and PostgreSQL; importing this connects to nothing."""

import logging
import signal
import socket
import threading
from collections.abc import Callable
from typing import Final
from uuid import uuid4

import cv2

from services.adapters.kafka.config import GroupMembership, consumer_config, producer_config
from services.adapters.kafka.dead_letters import KafkaDeadLetterSink
from services.adapters.kafka.producer import RecordPublisher
from services.adapters.kafka.registry import RegistryFrameCodec
from services.adapters.kafka.resend import KafkaResender
from services.adapters.kafka.source import KafkaRecordSource
from services.adapters.kafka.topics import CAMERA_STATUS_PLAN, DEAD_LETTER_PLAN, ensure_topics
from services.adapters.postgres.inspections import PostgresInspectionRepository
from services.adapters.postgres.second_looks import PostgresSecondLooks
from services.adapters.triton import TritonClassifier
from services.classifier.app import Classifier
from services.classifier.housekeeping import keep_house
from services.classifier.looking import Decoder, Looker
from services.classifier.pipeline import PipelineParts
from services.classifier.ports import FrameDecoder, ImageScorer, InspectionRepository
from services.classifier.rejection_limit import RejectionLimit
from services.classifier.retry import Hold
from services.classifier.second_looks import give_second_looks
from services.classifier.sequence_watch import SequenceWatch
from services.classifier.settings import ClassifierSettings
from services.classifier.unwrap import FileReferences, FrameUnwrapper
from services.contracts.codec import FRAME_CODEC
from services.contracts.errors import MillsightError, TransientError
from services.contracts.line_file import load_topology
from services.contracts.topics import CAMERA_STATUS_TOPIC, FRAME_TOPIC_PATTERN
from services.domain.topology import DEFAULT_MODEL, Topology
from services.runtime.clock import utc_now
from services.runtime.health import HealthServer

logger = logging.getLogger(__name__)

TOPIC_PATTERNS: Final = (FRAME_TOPIC_PATTERN, "^" + CAMERA_STATUS_TOPIC.replace(".", "[.]") + "$")


def run(settings: ClassifierSettings) -> None:
    """Classify until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: A setting, the line file, or the database's schema does not fit.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    topology = load_topology(settings.line.file)
    scorers = {name: TritonClassifier(settings.triton, name) for name in models_of(topology)}
    repository = PostgresInspectionRepository(settings.postgres)
    _refuse_wrong_database(repository)
    probe = PostgresInspectionRepository(
        settings.postgres.model_copy(update={"connect_timeout_s": 1, "statement_timeout_s": 1.0})
    )
    classifier = build_classifier(settings, topology, scorers, repository, stop)
    classifier.health.checks["database"] = lambda: _problem(probe.check)
    classifier.health.checks |= {f"model {name}": scorer.problem for name, scorer in scorers.items()}
    server = HealthServer(classifier.health, settings.health.host, settings.health.port)
    server.start()
    logger.info("classifier starts", extra={"health_port": server.port, "group_id": settings.group.group_id})
    chores = (
        lambda: ensure_topics(settings.kafka, DEAD_LETTER_PLAN, CAMERA_STATUS_PLAN),
        repository.ensure_partitions,
        repository.apply_retention,
    )
    threading.Thread(target=keep_house, args=(chores, stop), name="house", daemon=True).start()
    looks = (PostgresSecondLooks(settings.postgres), _resender(settings), stop)
    threading.Thread(target=give_second_looks, args=looks, name="second-looks", daemon=True).start()
    try:
        classifier.run()
    finally:
        stop.set()
        server.stop()
        repository.close()
        logger.info("classifier has stopped")


def models_of(topology: Topology) -> frozenset[str]:
    """Return the names of all models that frames may need; cameras that no line names use the default."""
    return topology.models | {DEFAULT_MODEL}


def build_classifier(
    settings: ClassifierSettings,
    topology: Topology,
    scorers: dict[str, ImageScorer] | dict[str, TritonClassifier],
    repository: InspectionRepository,
    stop: threading.Event,
) -> Classifier:
    """Join a classifier to Kafka; whoever looks and whoever stores is given, so that tests can give their own."""
    cv2.setNumThreads(1)
    client_id = f"classifier-{socket.gethostname()}-{uuid4().hex[:8]}"
    group = GroupMembership(
        settings.group.group_id, client_id, settings.group.session_timeout_s, settings.group.max_poll_interval_s
    )
    source = KafkaRecordSource(consumer_config(settings.kafka, group), TOPIC_PATTERNS)
    publisher = RecordPublisher(producer_config(settings.kafka, client_id + "-dlq", delivery_timeout_s=7.0))
    watch = SequenceWatch()
    threads = settings.intake.decode_threads
    unwrapper = FrameUnwrapper(_frame_decoder(settings), FileReferences(settings.images.references_dir), watch)
    parts = PipelineParts(
        topology=topology,
        decoder=Decoder(unwrapper, lambda camera_id: _model_of(topology, camera_id), threads),
        looker=Looker(scorers),
        repository=repository,
        dead_letters=KafkaDeadLetterSink(publisher),
        limit=RejectionLimit(settings.dead_letters),
        hold=Hold(stop),
        clock=utc_now,
        watch=watch,
        evidence_max_bytes=settings.images.evidence_max_bytes,
    )
    return Classifier(settings, source, parts, stop)


def _resender(settings: ClassifierSettings) -> KafkaResender:
    name = f"resend-{socket.gethostname()}-{uuid4().hex[:8]}"
    alone = GroupMembership(name, name, settings.group.session_timeout_s, settings.group.max_poll_interval_s)
    publisher = RecordPublisher(producer_config(settings.kafka, name, delivery_timeout_s=7.0))
    return KafkaResender(consumer_config(settings.kafka, alone), publisher)


def _frame_decoder(settings: ClassifierSettings) -> FrameDecoder:
    url = settings.kafka.schema_registry_url
    return FRAME_CODEC if url is None else RegistryFrameCodec(url)


def _model_of(topology: Topology, camera_id: str) -> str:
    station = topology.station(camera_id)
    return DEFAULT_MODEL if station is None else station.model


def _refuse_wrong_database(repository: PostgresInspectionRepository) -> None:
    """Stop before the first frame where the schema does not fit; a database that is away may come back."""
    try:
        repository.check()
    except TransientError as error:
        logger.warning("the database is away", extra={"reason": str(error)})


def _problem(check: Callable[[], None]) -> str | None:
    try:
        check()
    except MillsightError as error:
        return str(error)
    return None
