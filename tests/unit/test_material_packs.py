"""The packs that ship: complete, consistent with the model and the demo line, and usable without code."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from services.contracts.line_file import load_topology
from services.contracts.material_file import default_materials_dir, load_materials, material_for
from services.domain.classes import COIL_CHANGE_CLASSES, DEFECT_CLASSES
from services.domain.grading import GradedDefect, grade
from services.domain.machine_faults import weak_spots
from services.domain.material import GENERAL_ADVICE, Landmarks, MaterialPack, Unit
from services.domain.topology import DEFAULT_MATERIAL, Machine

NEU_CLASSES = ("crazing", "inclusion", "patches", "pitted_surface", "rolled-in_scale", "scratches")


@pytest.fixture(scope="module")
def packs() -> Mapping[str, MaterialPack]:
    return load_materials(default_materials_dir())


@pytest.fixture(scope="module")
def steel(packs: Mapping[str, MaterialPack]) -> MaterialPack:
    return packs[DEFAULT_MATERIAL]


@pytest.fixture(scope="module")
def machines(project_root: Path) -> tuple[Machine, ...]:
    return load_topology(project_root / "line.yaml").lines[0].machines


def test_the_packs_of_the_checkout_are_found(project_root: Path) -> None:
    assert default_materials_dir() == project_root / "materials"


def test_four_packs_ship(packs: Mapping[str, MaterialPack]) -> None:
    assert set(packs) == {"steel_strip", "hot_rolled_strip", "plywood", "generic"}


def test_steel_strip_knows_the_classes_of_its_model_and_the_marks_of_a_coil_change(steel: MaterialPack) -> None:
    assert tuple(steel.classes) == DEFECT_CLASSES
    assert steel.unknown(DEFECT_CLASSES) == ()
    assert steel.landmarks.always | steel.landmarks.beside == COIL_CHANGE_CLASSES
    assert steel.periodic == ("rolled_pit", "silk_spot")


@pytest.mark.parametrize("name", ["steel_strip", "hot_rolled_strip", "plywood"])
def test_every_class_has_two_labels_its_own_advice_and_codes(packs: Mapping[str, MaterialPack], name: str) -> None:
    for profile in packs[name].classes.values():
        assert profile.label_en
        assert profile.label_de
        assert profile.label_en != profile.label_de
        assert profile.advice != GENERAL_ADVICE
        assert profile.advice.endswith(".")
        assert all(each.endswith(".") for each in profile.advice_by_kind.values())
        assert profile.damage_code[0].isdigit()
        assert profile.failure_mode[:3].isupper()


def test_every_kind_with_a_weak_spot_is_the_first_suspect_or_near_it(
    steel: MaterialPack, machines: tuple[Machine, ...]
) -> None:
    """The demo's machines leave what the pack suspects them of: each is above an even share of the suspicion."""
    for fault in weak_spots(machines):
        prior = steel.machine_prior(fault.defect_class, machines)
        assert prior[fault.machine_id] > 1 / len(machines), fault


@pytest.mark.parametrize("defect_class", DEFECT_CLASSES)
def test_no_machine_is_beyond_suspicion_and_a_prior_sums_to_one(
    steel: MaterialPack, machines: tuple[Machine, ...], defect_class: str
) -> None:
    prior = steel.machine_prior(defect_class, machines)
    assert list(prior) == [machine.id for machine in machines]
    assert min(prior.values()) > 0
    assert sum(prior.values()) == pytest.approx(1.0)


def test_two_machines_of_the_suspected_kind_share_the_suspicion(steel: MaterialPack) -> None:
    washers = [
        Machine("w1", "W", "washer", 1.0),
        Machine("w2", "W", "washer", 2.0),
        Machine("x", "X", "reel", 3.0),
    ]
    assert steel.machine_prior("water_spot", washers) == pytest.approx({"w1": 10 / 21, "w2": 10 / 21, "x": 1 / 21})


def test_a_prior_without_machines_is_refused(steel: MaterialPack) -> None:
    with pytest.raises(ValueError, match="at least one machine"):
        steel.machine_prior("crease", [])


@pytest.mark.parametrize(
    ("defect_class", "weld_distance_m", "mark", "holds"),
    [
        pytest.param("welding_line", None, True, False, id="a_weld_always"),
        pytest.param("punching_hole", 1.2, True, False, id="hole_behind_its_weld"),
        pytest.param("punching_hole", -3.0, True, False, id="hole_before_its_weld"),
        pytest.param("punching_hole", 3.1, False, True, id="hole_far_behind_a_weld"),
        pytest.param("punching_hole", -3.1, False, True, id="hole_far_before_a_weld"),
        pytest.param("punching_hole", None, False, True, id="hole_without_any_weld"),
        pytest.param("crescent_gap", 0.5, True, False, id="notch_at_its_weld"),
        pytest.param("crescent_gap", None, False, False, id="edge_nick"),
        pytest.param("crease", 0.0, False, False, id="a_crease_at_a_weld_is_a_crease"),
    ],
)
def test_marks_of_a_coil_change_are_told_from_defects(
    steel: MaterialPack, defect_class: str, weld_distance_m: float | None, mark: bool, holds: bool
) -> None:
    assert steel.landmarks.covers(defect_class, weld_distance_m) is mark
    assert steel.holds_coil(defect_class, weld_distance_m) is holds


def test_advice_differs_by_the_kind_of_machine(steel: MaterialPack) -> None:
    at_mill = steel.advice("oil_spot", "skin_pass_mill")
    assert "chocks" in at_mill
    assert steel.advice("oil_spot", "no_such_kind") == steel.advice("oil_spot") != at_mill


def test_the_prices_of_a_day_are_those_of_the_last_list_before_it(steel: MaterialPack) -> None:
    def prime(day: date) -> float | None:
        prices = steel.prices_at(day)
        return None if prices is None else prices.by_grade["prime"]

    assert [
        prime(date(2024, 12, 31)),
        prime(date(2025, 1, 1)),
        prime(date(2026, 6, 30)),
        prime(date(2030, 1, 1)),
    ] == [
        None,
        6.10,
        6.35,
        6.60,
    ]
    assert prime(datetime(2026, 7, 1, 0, 30, tzinfo=UTC)) == 6.60


def test_one_hole_away_from_welds_makes_scrap(steel: MaterialPack) -> None:
    graded = grade([GradedDefect("punching_hole", 100.0, 0.5)], 240.0, steel.rules)
    assert graded.name == "scrap"
    assert "punching_hole" in graded.reason


@pytest.mark.parametrize(
    ("found", "letter"),
    [
        pytest.param([], "A", id="clear"),
        pytest.param([("plug", 0.05)] * 2, "A", id="two_small_plugs"),
        pytest.param([("knot", 0.02)], "B", id="a_small_tight_knot"),
        pytest.param([("knothole", 0.0254)], "C", id="a_knothole_of_one_inch"),
        pytest.param([("knothole", 0.026)], "D", id="a_larger_knothole"),
        pytest.param([("knothole", 0.07)], "reject", id="a_knothole_above_two_and_a_half_inches"),
        pytest.param([("split", 0.1)] * 5, "D", id="many_splits"),
    ],
)
def test_plywood_is_graded_by_the_worst_limit_without_code(
    packs: Mapping[str, MaterialPack], found: list[tuple[str, float]], letter: str
) -> None:
    plywood = packs["plywood"]
    assert plywood.rules.unit is Unit.SHEET
    sheet = [GradedDefect(defect_class, 1.0, length_m) for defect_class, length_m in found]
    assert grade(sheet, 2.44, plywood.rules).name == letter


def test_hot_rolled_strip_knows_the_six_classes_in_both_spellings(packs: Mapping[str, MaterialPack]) -> None:
    pack = packs["hot_rolled_strip"]
    assert pack.unknown([*NEU_CLASSES, "rolled_in_scale"]) == ()
    assert pack.profile("rolled_in_scale").advice == pack.profile("rolled-in_scale").advice


def test_a_material_without_a_pack_gets_the_generic_one(packs: Mapping[str, MaterialPack]) -> None:
    pack = material_for(packs, "aluminium_foil")
    assert pack is packs["generic"]
    assert pack.unknown(["anything"]) == ()
    assert pack.landmarks == Landmarks()
    assert pack.prices_at(date(2026, 1, 1)) is None
    assert grade([GradedDefect("dent", 1.0, 0.5)] * 500, 1.0, pack.rules).name == "ungraded"
    two = [Machine("a", "A", "mill", 1.0), Machine("b", "B", "reel", 2.0)]
    assert pack.machine_prior("dent", two) == {"a": 0.5, "b": 0.5}


def test_a_class_that_a_pack_does_not_name_is_treated_neutrally_and_reported(steel: MaterialPack) -> None:
    profile = steel.profile("edge_crack")
    assert (profile.label_en, profile.advice, profile.scrap) == ("Edge crack", GENERAL_ADVICE, False)
    assert steel.unknown(["crease", "edge_crack"]) == ("edge_crack",)
