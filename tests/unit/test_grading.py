"""Grades: the first whose limits hold, the limit that decided, and the price and blame of a worse one."""

from datetime import date
from math import inf, nan

import pytest

from services.domain.grading import Breach, GradedDefect, grade, merge_runs
from services.domain.material import GradeRule, GradeRules, Limit, PriceList, Unit
from services.domain.quality_loss import (
    UNATTRIBUTED,
    defective_metres,
    price,
    quality_loss,
    quality_loss_share,
)

RULES = GradeRules(
    Unit.METRE,
    (
        GradeRule("prime", (Limit(2.0), Limit(0.0, "pit"), Limit(1.5, of_length=True))),
        GradeRule("standard", (Limit(4.0), Limit(5.0, "scratch", of_length=True))),
        GradeRule("scrap"),
    ),
)
SHEETS = GradeRules(
    Unit.SHEET, (GradeRule("A", (Limit(0.0, "knothole"),)), GradeRule("B", (Limit(2.0),)), GradeRule("C"))
)

EURO = PriceList(date(2026, 1, 1), "EUR", {"prime": 10.0, "standard": 6.0, "scrap": 1.0})


def defects(number: int, defect_class: str = "spot", length_m: float = 0.5) -> list[GradedDefect]:
    return [GradedDefect(defect_class, 10.0 * each, length_m) for each in range(number)]


@pytest.mark.parametrize(
    ("found", "inspected_m", "name", "reason"),
    [
        pytest.param([], 100.0, "prime", "all limits of the best grade hold", id="clean"),
        pytest.param(defects(2), 100.0, "prime", "best grade", id="just_at_the_limit"),
        pytest.param(defects(6), 300.0, "prime", "best grade", id="a_count_is_per_100_m"),
        pytest.param(
            defects(3), 100.0, "standard", "standard, not prime: 3 defects per 100 m, 2 allowed", id="too_many"
        ),
        pytest.param(
            defects(2), 50.0, "standard", "4 defects per 100 m, 2 allowed", id="only_inspected_metres_count"
        ),
        pytest.param(defects(1, "pit"), 100.0, "standard", "1 pit per 100 m, 0 allowed", id="class_not_allowed"),
        pytest.param(
            defects(1, length_m=1.6),
            100.0,
            "standard",
            "the longest defect measures 1.6 m, 1.5 m is allowed",
            id="too_long",
        ),
        pytest.param(
            defects(1, "scratch", 9.0),
            100.0,
            "scrap",
            "the longest scratch measures 9 m, 5 m",
            id="class_too_long",
        ),
        pytest.param(defects(1, "spot", 9.0), 100.0, "standard", "9 m, 1.5 m", id="other_class_may_be_long"),
        pytest.param(
            defects(5), 100.0, "scrap", "not standard: 5 defects per 100 m, 4 allowed", id="far_too_many"
        ),
    ],
)
def test_a_coil_gets_the_first_grade_whose_limits_all_hold_and_hears_why(
    found: list[GradedDefect], inspected_m: float, name: str, reason: str
) -> None:
    graded = grade(found, inspected_m, RULES)
    assert graded.name == name
    assert reason in graded.reason


def test_the_limit_exceeded_most_decides() -> None:
    graded = grade([*defects(3), *defects(1, length_m=6.0)], 100.0, RULES)
    assert graded.deciding is not None
    assert graded.deciding.limit == Limit(1.5, of_length=True)
    assert (graded.deciding.found, graded.deciding.excess) == (6.0, 4.0)
    assert len(graded.missed[0].breaches) == 2


def test_a_limit_of_nothing_outweighs_every_other_excess() -> None:
    assert Breach(Limit(0.0), 1.0, (), Unit.METRE).excess == inf


def test_sheets_are_counted_one_by_one() -> None:
    assert grade(defects(2, "knot"), 2.4, SHEETS).name == "A"
    graded = grade(defects(1, "knothole"), 2.4, SHEETS)
    assert (graded.name, graded.rank) == ("B", 1)
    assert graded.reason == "B, not A: 1 knothole per sheet, 0 allowed"


@pytest.mark.parametrize("inspected_m", [0.0, -1.0, nan, inf])
def test_what_nobody_looked_at_has_no_grade(inspected_m: float) -> None:
    with pytest.raises(ValueError, match="nobody looked"):
        grade([], inspected_m, RULES)


def test_rules_without_an_open_last_grade_are_refused_when_it_is_needed() -> None:
    with pytest.raises(ValueError, match="last grade must have no limits"):
        grade(defects(1), 100.0, GradeRules(Unit.METRE, (GradeRule("only", (Limit(0.0),)),)))


@pytest.mark.parametrize(
    ("position_m", "length_m", "causes", "words"),
    [
        pytest.param(1.0, -0.1, {}, "cannot be -0.1 m long", id="negative_length"),
        pytest.param(nan, 0.1, {}, "cannot be", id="nowhere"),
        pytest.param(1.0, 0.1, {"a": 0.7, "b": 0.4}, "no probabilities", id="more_than_certain"),
        pytest.param(1.0, 0.1, {"a": -0.1}, "no probabilities", id="negative_probability"),
        pytest.param(1.0, 0.1, {"a": nan}, "no probabilities", id="no_number"),
    ],
)
def test_an_impossible_defect_is_refused(
    position_m: float, length_m: float, causes: dict[str, float], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        GradedDefect("spot", position_m, length_m, causes)


def test_neighbours_of_one_class_become_one_long_defect_with_averaged_causes() -> None:
    frames = [
        GradedDefect("scratch", 3.0, 0.5, {"m1": 0.5, "m2": 0.3}),
        GradedDefect("scratch", 2.0, 0.5, {"m1": 1.0}),
        GradedDefect("spot", 2.5, 0.5),
        GradedDefect("scratch", 9.0, 0.5, {"m2": 1.0}),
    ]
    merged = merge_runs(frames, gap_m=0.5)
    assert [(each.defect_class, each.position_m, each.length_m) for each in merged] == [
        ("scratch", 2.5, 1.5),
        ("spot", 2.5, 0.5),
        ("scratch", 9.0, 0.5),
    ]
    assert merged[0].causes == pytest.approx({"m1": 0.75, "m2": 0.15})


def test_a_gap_of_good_strip_keeps_two_defects_apart() -> None:
    pair = [GradedDefect("scratch", 0.25, 0.5), GradedDefect("scratch", 1.26, 0.5)]
    assert len(merge_runs(pair, gap_m=0.5)) == 2
    assert len(merge_runs(pair, gap_m=0.52)) == 1


def test_a_short_defect_inside_a_long_one_does_not_end_the_run() -> None:
    run = [
        GradedDefect("scratch", 5.0, 10.0),
        GradedDefect("scratch", 2.0, 0.5),
        GradedDefect("scratch", 10.4, 0.5),
    ]
    assert [each.span_m for each in merge_runs(run, gap_m=0.2)] == [pytest.approx((0.0, 10.65))]


def test_a_coil_is_worth_its_metres_and_a_sheet_is_worth_one() -> None:
    assert price("standard", 250.0, Unit.METRE, EURO) == 1500.0
    assert price("standard", 250.0, Unit.SHEET, EURO) == 6.0


def test_the_best_grade_loses_nothing() -> None:
    loss = quality_loss(grade(defects(1), 100.0, RULES), 250.0, EURO)
    assert (loss.metres, loss.money, loss.currency, loss.by_machine) == (0.0, 0.0, "EUR", {})


def test_a_loss_falls_on_the_defects_that_broke_the_limit_and_on_their_causes() -> None:
    long = GradedDefect("spot", 5.0, 2.0, {"m1": 0.75, "m2": 0.15})
    harmless = GradedDefect("spot", 50.0, 0.5, {"m3": 1.0})
    loss = quality_loss(grade([long, harmless], 100.0, RULES), 250.0, EURO)
    assert (loss.metres, loss.money) == (250.0, 1000.0)
    assert {name: part.money for name, part in loss.by_machine.items()} == pytest.approx(
        {"m1": 750.0, "m2": 150.0, UNATTRIBUTED: 100.0}
    )
    assert {name: part.metres for name, part in loss.by_machine.items()} == pytest.approx(
        {"m1": 187.5, "m2": 37.5, UNATTRIBUTED: 25.0}
    )
    assert list(loss.by_machine) == ["m1", "m2", UNATTRIBUTED]


def test_each_step_down_falls_on_the_defects_that_made_it() -> None:
    """Both miss prime (4 of the 9 EUR per metre), the scratch alone misses standard (5 of 9)."""
    pit = GradedDefect("pit", 5.0, 0.5, {"m1": 1.0})
    scratch = GradedDefect("scratch", 50.0, 9.0, {"m2": 1.0})
    loss = quality_loss(grade([pit, scratch], 100.0, RULES), 100.0, EURO)
    assert loss.money == 900.0
    assert {name: part.money for name, part in loss.by_machine.items()} == pytest.approx(
        {"m1": 200.0, "m2": 200.0 + 500.0}
    )


def test_a_defect_that_breaks_two_limits_is_blamed_once() -> None:
    both = GradedDefect("pit", 5.0, 2.0, {"m1": 1.0})
    other = GradedDefect("spot", 50.0, 2.0, {"m2": 1.0})
    loss = quality_loss(grade([both, other], 100.0, RULES), 100.0, EURO)
    assert {name: part.share for name, part in loss.by_machine.items()} == pytest.approx({"m1": 0.5, "m2": 0.5})


@pytest.mark.parametrize(
    ("prices", "money"),
    [
        pytest.param(None, None, id="no_price"),
        pytest.param(PriceList(date(2026, 1, 1), "EUR", dict.fromkeys(EURO.by_grade, 2.0)), 0.0, id="one_price"),
    ],
)
def test_without_a_difference_in_price_every_step_weighs_the_same(
    prices: PriceList | None, money: float | None
) -> None:
    pit = GradedDefect("pit", 5.0, 0.5, {"m1": 1.0})
    scratch = GradedDefect("scratch", 50.0, 9.0, {"m2": 1.0})
    loss = quality_loss(grade([pit, scratch], 100.0, RULES), 100.0, prices)
    assert (loss.metres, loss.money) == (100.0, money)
    assert {name: part.metres for name, part in loss.by_machine.items()} == pytest.approx({"m1": 25.0, "m2": 75.0})


def test_the_parts_of_a_loss_add_up_to_the_whole() -> None:
    found = [
        GradedDefect("pit" if each % 3 else "scratch", float(each), 0.3 * each, {"m1": 0.05 * each, "m2": 0.2})
        for each in range(15)
    ]
    loss = quality_loss(grade(found, 100.0, RULES), 240.0, EURO)
    assert sum(part.share for part in loss.by_machine.values()) == pytest.approx(1.0)
    assert sum(part.money or 0.0 for part in loss.by_machine.values()) == pytest.approx(loss.money)


def test_defective_metres_follow_the_causes() -> None:
    found = [GradedDefect("spot", 1.0, 2.0, {"m1": 0.5, "m2": 0.25}), GradedDefect("pit", 5.0, 1.0, {"m1": 1.0})]
    assert defective_metres(found) == pytest.approx({"m1": 2.0, "m2": 0.5, UNATTRIBUTED: 0.5})


@pytest.mark.parametrize(
    ("defective_m", "baseline_m", "share"),
    [pytest.param(12.0, 2.0, 0.1, id="excess"), pytest.param(1.0, 2.0, 0.0, id="better_than_usual")],
)
def test_a_machine_loses_its_excess_defective_metres(defective_m: float, baseline_m: float, share: float) -> None:
    assert quality_loss_share(defective_m, baseline_m, 100.0) == pytest.approx(share)


def test_a_share_of_nothing_inspected_is_refused() -> None:
    with pytest.raises(ValueError, match="share of nothing"):
        quality_loss_share(0.0, 0.0, 0.0)
