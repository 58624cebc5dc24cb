"""Following logs that grow, and that are emptied to bound them."""

from pathlib import Path

from services.runtime.embedded.supervisor import bound_log
from services.runtime.embedded.tail import Tail


def test_the_end_is_shown_then_only_what_is_new(tmp_path: Path) -> None:
    log = tmp_path / "kafka.log"
    log.write_text("one\ntwo\nthree\n")
    tail = Tail([log])
    assert list(tail.last(2)) == ["two", "three"]
    with log.open("a") as stream:
        stream.write("four\nhal")
    assert list(tail.more()) == ["four"]
    with log.open("a") as stream:
        stream.write("f\n")
    assert list(tail.more()) == ["half"]


def test_lines_of_several_logs_are_marked_and_missing_logs_are_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x\n")
    tail = Tail([tmp_path / "a.log", tmp_path / "b.log"])
    assert [line.split() for line in tail.last(5)] == [["a", "x"]]


def test_a_log_beyond_its_bound_is_moved_aside_and_followed_from_its_new_beginning(tmp_path: Path) -> None:
    log = tmp_path / "triton.log"
    log.write_text("old\n" * 100)
    tail = Tail([log])
    list(tail.last(0))
    bound_log(log, limit_bytes=100)
    assert log.stat().st_size == 0
    assert (tmp_path / "triton.log.1").read_text() == "old\n" * 100
    with log.open("a") as stream:
        stream.write("new\n")
    assert list(tail.more()) == ["new"]


def test_a_log_within_its_bound_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "triton.log"
    log.write_text("old\n")
    bound_log(log, limit_bytes=100)
    assert log.read_text() == "old\n"
