"""Requests of people to send a refused message again, as the classifier takes them up."""

from services.adapters.postgres.session import Session
from services.domain.inspection import BrokerPosition
from services.runtime.settings import PostgresSettings

_MOST = 20


class PostgresSecondLooks:
    """Hands out requests; safe to use beside other classifiers, each request goes to one of them."""

    def __init__(self, settings: PostgresSettings) -> None:
        self._session = Session(settings, application_name="millsight second looks")

    def take(self) -> list[tuple[int, BrokerPosition]]:
        """Return up to 20 requests with where each message lies; one not finished in a minute comes again.

        Raises:
            StorageUnavailable: Try again later.
            ConfigurationError: The schema or the role does not fit.
        """
        with self._session as connection:
            rows = connection.execute(
                "SELECT request_id, cluster_id, topic, kafka_partition, kafka_offset"
                " FROM millsight.take_second_looks(%s)",
                (_MOST,),
            ).fetchall()
        return [
            (int(str(number)), BrokerPosition(str(cluster), str(topic), int(str(partition)), int(str(offset))))
            for number, cluster, topic, partition, offset in rows
        ]

    def finish(self, request_id: int, problem: str | None) -> None:
        """Note that the message was sent again, or why that cannot be.

        Raises:
            StorageUnavailable: Try again later.
        """
        with self._session as connection:
            connection.execute("SELECT millsight.finish_second_look(%s, %s)", (request_id, problem))

    def close(self) -> None:
        """Close the connection."""
        self._session.close()
