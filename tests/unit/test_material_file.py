"""The material file: what it accepts, and the sentence it answers with otherwise."""

import re
from datetime import date
from pathlib import Path

import pytest

from services.contracts.errors import ConfigurationError
from services.contracts.material_file import default_materials_dir, load_material, load_materials, material_for
from services.domain.material import GradeRule, Limit, Unit

HEAD = "material: foil\ntitle: Foil\n"
GRADES = "grades: [{name: good, limits: {total: 1}}, {name: bad}]\n"
DENT = "classes: {dent: {label: {en: Dent, de: Delle}}}\n"


def _pack_file(tmp_path: Path, body: str, name: str = "foil") -> Path:
    path = tmp_path / f"{name}.yaml"
    path.write_text(body, encoding="utf-8")
    return path


def test_a_full_pack_is_read(tmp_path: Path) -> None:
    path = _pack_file(
        tmp_path,
        HEAD
        + """
unit: sheet
merge_gap_m: 0.2
landmarks: {always: [weld], beside: [dent], beside_m: 2}
periodic: [dent]
classes:
  weld: {label: {en: Weld, de: Naht}}
  dent:
    label: {en: Dent, de: Delle}
    priors: {mill: 5}
    other_machines: 0.5
    advice: Look.
    advice_by_kind: {mill: Change the roll.}
    failure_mode: STD structural deficiency
    damage_code: 2.4 wear
    scrap: true
    typical_rate_per_km: 3
grades:
  - {name: good, limits: {total: 2, counts: {dent: 1}, longest_m: 0.5, longest_by_class_m: {weld: 2}}}
  - {name: bad}
prices:
  - {valid_from: 2026-02-01, currency: EUR, by_grade: {good: 3, bad: 1}}
  - {valid_from: 2025-02-01, currency: EUR, by_grade: {good: 2, bad: 1}}
""",
    )
    pack = load_material(path)
    dent = pack.profile("dent")
    assert (pack.name, pack.title, pack.rules.unit, pack.merge_gap_m) == ("foil", "Foil", Unit.SHEET, 0.2)
    assert (dent.label_de, dent.priors, dent.other_machines, dent.scrap) == ("Delle", {"mill": 5.0}, 0.5, True)
    assert (dent.failure_mode, dent.damage_code) == ("STD structural deficiency", "2.4 wear")
    assert dent.typical_rate_per_km == 3.0
    assert pack.advice("dent", "mill") == "Change the roll."
    assert pack.rules.grades == (
        GradeRule("good", (Limit(2.0), Limit(1.0, "dent"), Limit(0.5, None, True), Limit(2.0, "weld", True))),
        GradeRule("bad"),
    )
    assert pack.landmarks.covers("dent", 2.0)
    assert pack.periodic == ("dent",)
    assert [each.valid_from for each in pack.price_lists] == [date(2025, 2, 1), date(2026, 2, 1)]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(HEAD, ["grades: this field is missing"], id="no_grades"),
        pytest.param(HEAD + "grades: []", ["grades: "], id="empty_grades"),
        pytest.param(
            "material: tin\ntitle: T\n" + GRADES, ["describes 'tin'", "name it tin.yaml"], id="other_name"
        ),
        pytest.param(HEAD + GRADES + "colour: red", ["colour: this key is not known"], id="unknown_key"),
        pytest.param(HEAD + GRADES + "unit: kilo", ["unit: "], id="unknown_unit"),
        pytest.param(HEAD + GRADES + "classes: {dent: {}}", ["class 'dent', label: this field is"], id="no_label"),
        pytest.param(
            HEAD + GRADES + "classes: {dent: {label: {en: D, de: D}, advise: Look.}}",
            ["class 'dent', advise: this key is not known"],
            id="misspelt_advice",
        ),
        pytest.param(
            HEAD + GRADES + "classes: {dent: {label: {en: D, de: D}, priors: {mill: -1}}}",
            ["class 'dent', priors, mill"],
            id="negative_prior",
        ),
        pytest.param(
            HEAD + GRADES + "classes: {dent: {label: {en: D, de: D}, other_machines: 0}}",
            ["class 'dent', other_machines"],
            id="machines_beyond_suspicion",
        ),
        pytest.param(
            HEAD + GRADES + DENT + "periodic: [dint]",
            ["periodic: class 'dint' does not stand under classes"],
            id="unknown_periodic_class",
        ),
        pytest.param(
            HEAD + GRADES + DENT + "landmarks: {always: [dent], beside: [hole]}",
            ["landmarks, beside: class 'hole'"],
            id="unknown_landmark",
        ),
        pytest.param(
            HEAD + GRADES + DENT + "landmarks: {always: [weld]}",
            ["landmarks, always: class 'weld'"],
            id="unknown_weld",
        ),
        pytest.param(
            HEAD + DENT + "grades: [{name: good, limits: {counts: {dint: 1}}}, {name: bad}]",
            ["grade 'good', limits: class 'dint'"],
            id="limit_of_an_unknown_class",
        ),
        pytest.param(
            HEAD + "grades: [{name: good, limits: {total: -1}}, {name: bad}]",
            ["grade 'good', limits, total"],
            id="negative_limit",
        ),
        pytest.param(
            HEAD + "grades: [{name: good, limits: {total: 1}}]",
            ["the last grade, 'good'", "must have no limits"],
            id="last_grade_with_limits",
        ),
        pytest.param(
            HEAD + "grades: [{name: good}, {name: bad}]",
            ["grade 'good' has no limits", "add limits"],
            id="better_grade_without_limits",
        ),
        pytest.param(
            HEAD + "grades: [{name: good, limits: {total: 1}}, {name: good}]",
            ["grade 'good' stands 2 times"],
            id="grade_twice",
        ),
        pytest.param(
            HEAD + GRADES + "prices: [{valid_from: 2026-01-01, currency: EUR, by_grade: {good: 2}}]",
            ["price list '2026-01-01', by_grade", "each of the grades good, bad"],
            id="grade_without_price",
        ),
        pytest.param(
            HEAD + GRADES + "prices: [{valid_from: 2026-01-01, currency: EUR, by_grade: {good: 1, bad: 2}}]",
            ["grade 'bad' costs more than the better grade 'good'"],
            id="worse_is_dearer",
        ),
        pytest.param(
            HEAD
            + GRADES
            + "prices: [{valid_from: 2026-01-01, currency: EUR, by_grade: {good: 2, bad: 1}},"
            + " {valid_from: 2026-01-01, currency: EUR, by_grade: {good: 2, bad: 1}}]",
            ["prices: 2 lists begin on 2026-01-01"],
            id="two_lists_of_one_day",
        ),
        pytest.param(
            HEAD + GRADES + "prices: [{valid_from: 2026-01-01, currency: euro, by_grade: {good: 2, bad: 1}}]",
            ["price list '2026-01-01', currency"],
            id="no_currency_code",
        ),
        pytest.param(
            HEAD + GRADES + "prices: [{valid_from: 20260101, currency: EUR, by_grade: {good: 2, bad: 1}}]",
            ["valid_from: 20260101 is no day"],
            id="a_number_for_a_day",
        ),
        pytest.param(
            HEAD
            + GRADES
            + "prices: [{valid_from: 2026-01-01T06:00:00Z, currency: EUR, by_grade: {good: 2, bad: 1}}]",
            ["is a moment: write a day"],
            id="a_moment_for_a_day",
        ),
        pytest.param("- a list", ["valid dictionary"], id="no_mapping"),
    ],
)
def test_a_bad_pack_is_refused_with_a_sentence_that_names_file_and_field(
    tmp_path: Path, body: str, words: list[str]
) -> None:
    path = _pack_file(tmp_path, body)
    with pytest.raises(ConfigurationError) as refusal:
        load_material(path)
    sentence = str(refusal.value)
    assert "\n" not in sentence
    for word in [f"materials file {path}, ", *words]:
        assert word in sentence


def test_a_folder_without_the_generic_pack_is_refused(tmp_path: Path) -> None:
    _pack_file(tmp_path, HEAD + GRADES)
    with pytest.raises(ConfigurationError, match=r"has no generic\.yaml"):
        load_materials(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere has no generic\.yaml"):
        load_materials(tmp_path / "nowhere")


def test_a_material_is_found_by_name_and_else_the_generic_pack_serves(tmp_path: Path) -> None:
    _pack_file(tmp_path, HEAD + GRADES)
    _pack_file(tmp_path, "material: generic\ntitle: Any\ngrades: [{name: ungraded}]", "generic")
    packs = load_materials(tmp_path)
    assert material_for(packs, "foil").name == "foil"
    assert material_for(packs, "tin").name == "generic"
    with pytest.raises(ConfigurationError, match=r"add tin\.yaml"):
        material_for({}, "tin")


def test_the_pack_of_the_documents_is_valid(tmp_path: Path, project_root: Path) -> None:
    text = (project_root / "docs" / "materials.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    pack = load_material(_pack_file(tmp_path, block))
    assert [each.name for each in pack.rules.grades] == ["first", "second"]
    assert set(re.findall(r"`(\w+)\.yaml`", text)) >= {
        path.stem for path in default_materials_dir().glob("*.yaml")
    }
