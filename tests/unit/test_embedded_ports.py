"""Ports: the wanted one when it is free, else another, never twice the same."""

import socket
from pathlib import Path

from services.runtime.embedded.ports import choose_port, free_port, is_free


def test_the_first_wanted_port_that_is_free_is_taken() -> None:
    wanted = free_port()
    assert choose_port(None, wanted) == wanted


def test_a_port_in_use_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        assert not is_free(port)
        assert choose_port(port) != port


def test_a_port_given_to_another_part_is_passed_over() -> None:
    wanted = free_port()
    assert choose_port(wanted, taken=frozenset({wanted})) != wanted


def test_a_free_port_is_not_one_that_a_client_could_be_lent(tmp_path: Path) -> None:
    lent = tmp_path / "ip_local_port_range"
    lent.write_text("10050\t60999\n")
    assert all(10_000 <= free_port(lent) < 10_050 for _ in range(100))


def test_a_free_port_is_found_when_every_port_can_be_lent(tmp_path: Path) -> None:
    lent = tmp_path / "ip_local_port_range"
    lent.write_text("1024\t65535\n")
    assert is_free(free_port(lent))
    assert is_free(free_port(tmp_path / "absent"))
