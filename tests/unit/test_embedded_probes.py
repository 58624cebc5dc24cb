"""Answers of servers on the wire, read without their clients."""

import struct

from services.runtime.embedded.probes import _controller_id


def metadata(brokers: int, controller: int) -> bytes:
    broker = struct.pack(">ih9sih", 1, 9, b"127.0.0.1", 9092, -1)
    return struct.pack(">ii", 1, brokers) + broker * brokers + struct.pack(">ii", controller, 0)


def test_the_controller_is_found_behind_any_number_of_brokers() -> None:
    assert _controller_id(metadata(1, 1)) == 1
    assert _controller_id(metadata(3, 2)) == 2


def test_a_cluster_without_controller_or_brokers_is_not_ready() -> None:
    assert _controller_id(metadata(1, -1)) == -1
    assert _controller_id(metadata(0, 5)) == -1
