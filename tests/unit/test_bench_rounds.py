"""Rates measured in turn, and the window over which a backlog's rate is taken."""

from collections.abc import Callable

import numpy as np
import pytest

from services.bench.rounds import RoundTable, Taken, measure_in_turn
from services.bench.rows import steady_window


def _slices(order: list[str], rates: dict[str, float]) -> dict[str, Callable[[], Taken]]:
    def slice_of(name: str) -> Callable[[], Taken]:
        def measure() -> Taken:
            order.append(name)
            return Taken(rates[name], {"engine": 1 / rates[name]})

        return measure

    return {name: slice_of(name) for name in rates}


def test_every_other_round_runs_backwards() -> None:
    order: list[str] = []
    measure_in_turn(_slices(order, {"a": 4.0, "b": 2.0, "c": 1.0}), 3, {}, lambda _line: None)
    assert order == ["a", "b", "c", "c", "b", "a", "a", "b", "c"]


def test_a_limited_measurement_is_left_out_of_later_rounds_and_paired_in_the_first() -> None:
    order: list[str] = []
    table = measure_in_turn(_slices(order, {"line": 80.0, "slow": 20.0}), 4, {"slow": 1}, lambda _line: None)
    ratio = table.ratio("line", "slow")
    assert order.count("slow") == 1
    assert ratio is not None
    assert ratio.value == pytest.approx(4.0)
    assert ratio.n == 1


def test_a_measurement_that_was_never_taken_has_neither_rate_nor_ratio_nor_cost() -> None:
    table = RoundTable()
    table.add("line", 0, Taken(80.0, {}))
    assert table.rate("engine") is None
    assert table.ratio("line", "engine") is None
    assert table.cost_ratio("engine", "line") is None


def test_costs_add_up_over_parts_and_average_over_rounds() -> None:
    table = RoundTable()
    table.add("line", 0, Taken(80.0, {"triton": 0.016, "classifier": 0.001}))
    table.add("line", 1, Taken(80.0, {"triton": 0.018, "classifier": 0.001}))
    cost = table.cost("line")
    assert cost is not None
    assert cost.value == pytest.approx(0.018)
    assert table.costs_by_part("line") == {"triton": pytest.approx(0.017), "classifier": pytest.approx(0.001)}


def test_the_steady_window_counts_only_rows_committed_inside_it() -> None:
    commits = np.repeat(np.arange(0.0, 20.0), 10)  # ten rows every second
    window = steady_window(commits)
    assert (window.begin_s, window.end_s) == (2.0, 18.0)
    assert window.rate == pytest.approx(10.0)


def test_start_up_and_running_dry_are_outside_the_steady_window() -> None:
    slow_start = np.arange(0.0, 10.0)
    steady = 10.0 + np.arange(0.0, 18.0, 0.1)
    slow_end = np.array([60.0, 90.0])
    assert steady_window(np.concatenate([slow_start, steady, slow_end])).rate == pytest.approx(10.0, rel=0.02)


def test_two_commits_are_enough_for_a_window() -> None:
    assert steady_window(np.array([1.0] * 8 + [2.0] * 8)).rate == pytest.approx(8.0)


@pytest.mark.parametrize("commits", [pytest.param([], id="no_rows"), pytest.param([5.0] * 32, id="one_commit")])
def test_rows_of_less_than_two_commits_have_no_rate(commits: list[float]) -> None:
    with pytest.raises(ValueError, match="two commits"):
        steady_window(np.array(commits))
