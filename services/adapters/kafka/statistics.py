"""What librdkafka's statistics say about a consumer (STATISTICS.md of librdkafka names the fields)."""

import json
from dataclasses import dataclass
from typing import Final

from services.contracts.records import Partition

NO_BROKER: Final = "no broker answers"


@dataclass(frozen=True, slots=True)
class ConsumerStatistics:
    """Brokers that answer, the state of group membership, records behind the end of each assigned partition."""

    brokers_up: int
    group_state: str
    join_state: str
    lag_records: dict[Partition, int]

    @property
    def problem(self) -> str | None:
        """Why nothing can arrive, in words, or None; a member without partitions stands by and is well."""
        if self.brokers_up == 0:
            return NO_BROKER
        if self.group_state != "up":
            return f"the consumer group's coordinator is not reached (state {self.group_state})"
        if self.join_state != "steady":
            return f"the consumer is joining its group (state {self.join_state})"
        return None


def read_statistics(text: str) -> ConsumerStatistics:
    """Read the JSON text that librdkafka hands to its statistics callback."""
    document = json.loads(text)
    brokers = document.get("brokers", {}).values()
    group = document.get("cgrp", {})
    return ConsumerStatistics(
        brokers_up=sum(broker["nodeid"] >= 0 and broker["state"] in {"UP", "UPDATE"} for broker in brokers),
        group_state=group.get("state", "init"),
        join_state=group.get("join_state", "init"),
        lag_records={
            (topic["topic"], partition["partition"]): partition["consumer_lag"]
            for topic in document.get("topics", {}).values()
            for partition in topic["partitions"].values()
            if partition["partition"] >= 0 and partition["consumer_lag"] >= 0
        },
    )
