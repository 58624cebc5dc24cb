"""Asks the broker every two seconds whether it answers, and creates the topics once it does."""

import logging
import threading
import time
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from services.adapters.kafka.config import admin_config
from services.adapters.kafka.topics import TopicPlan, ensure_topics
from services.contracts.errors import DeliveryFailed
from services.runtime.settings import KafkaSettings

_EVERY_S: Final = 2.0
_ANSWER_WITHIN_S: Final = 2.0
_FIRST_ANSWER_S: Final = 0.2

logger = logging.getLogger(__name__)


class BrokerProbe:
    """Knows, without anybody waiting for it, since when the broker has answered."""

    def __init__(
        self, kafka: KafkaSettings, plans: tuple[TopicPlan, ...], client_id: str = "millsight-probe"
    ) -> None:
        """Prepare; nothing is asked before `start`.

        Raises:
            ConfigurationError: The Kafka properties file cannot be used.
        """
        self._kafka = kafka
        self._plans = plans
        self._properties = admin_config(kafka, client_id)
        self._problem: str | None = f"the broker at {kafka.bootstrap_servers} has not answered yet"
        self._topics_ready = False
        self._reachable_since_s: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="broker-probe", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._stop.set()
        self._thread.join(_FIRST_ANSWER_S)

    @property
    def problem(self) -> str | None:
        """Why the broker cannot be used, in words; None when it answers and its topics are there."""
        return self._problem

    @property
    def topics_ready(self) -> bool:
        """Whether the topics have been seen to once; stays true when the broker goes away later."""
        return self._topics_ready

    @property
    def reachable_for_s(self) -> float:
        """Seconds since when the broker has answered without a break; 0 when it does not."""
        since_s = self._reachable_since_s
        return 0.0 if since_s is None else time.monotonic() - since_s

    def _run(self) -> None:
        admin = AdminClient(self._properties, logger=logger)
        while not self._stop.is_set():
            self._note(self._ask(admin))
            self._stop.wait(_EVERY_S if self._problem is None else _FIRST_ANSWER_S)

    def _ask(self, admin: AdminClient) -> str | None:
        try:
            if self._topics_ready:
                admin.list_topics(topic=self._plans[0].name, timeout=_ANSWER_WITHIN_S)
            else:
                self._see_to_topics(admin)
        except KafkaException as error:
            return f"the broker at {self._kafka.bootstrap_servers} does not answer: {error.args[0].str()}"
        except DeliveryFailed as error:
            return str(error)
        return None

    def _see_to_topics(self, admin: AdminClient) -> None:
        there = admin.list_topics(timeout=_ANSWER_WITHIN_S).topics
        missing = [plan for plan in self._plans if plan.name not in there]
        if missing:
            ensure_topics(self._kafka, *missing)
        self._topics_ready = True

    def _note(self, problem: str | None) -> None:
        if problem is not None:
            self._reachable_since_s = None
        elif self._reachable_since_s is None:
            self._reachable_since_s = time.monotonic()
        self._problem = problem
