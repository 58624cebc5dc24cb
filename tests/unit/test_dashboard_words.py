import re
import string
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dashboard import words
from dashboard.database import Trouble
from dashboard.english import ENGLISH
from dashboard.german import GERMAN
from dashboard.states import State
from services.domain.classes import DEFECT_CLASSES

SOURCES = sorted((Path(words.__file__).parent).rglob("*.py"))


def used_keys() -> set[str]:
    text = "".join(
        file.read_text(encoding="utf-8") for file in SOURCES if not file.name.startswith(("english", "german"))
    )
    keys = set(re.findall(r'"([a-z]+\.[a-z0-9_.]+)"', text)) & {*ENGLISH, *asked_for(text)}
    keys |= {state.value for state in State} | {trouble.value for trouble in Trouble}
    keys |= {f"class.{name}" for name in DEFECT_CLASSES}
    for prefix in re.findall(r'f"([a-z_.]+)\.\{', text):
        keys |= {key for key in ENGLISH if key.startswith(f"{prefix}.")}
    return keys | {key for key in ENGLISH if key.endswith(".help") and key.removesuffix(".help") in keys}


def asked_for(text: str) -> set[str]:
    return set(re.findall(r'(?:say|plain)\(\s*"([^"]+)"', text))


def test_every_word_that_is_asked_for_exists_and_every_word_is_asked_for() -> None:
    assert used_keys() == set(ENGLISH)


def test_no_word_is_given_twice() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in SOURCES if file.name.startswith("english"))
    counts = Counter(re.findall(r'^    "([a-z]+\.[a-z0-9_.]+)":', text, re.MULTILINE))
    assert {key for key, count in counts.items() if count > 1} == set()
    assert set(counts) == set(ENGLISH)


def gaps(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_every_language_has_the_same_words_with_the_same_gaps() -> None:
    assert set(GERMAN) == set(ENGLISH)
    assert {key for key in ENGLISH if gaps(GERMAN[key]) != gaps(ENGLISH[key])} == set()
    for key, sentence in ENGLISH.items():
        assert sentence.count("**") == GERMAN[key].count("**"), key
        assert set(re.findall(r"`[^`]+`", sentence)) == set(re.findall(r"`[^`]+`", GERMAN[key])), key


def test_gaps_of_every_sentence_have_names() -> None:
    for key, sentence in ENGLISH.items():
        assert all(name != "" for _, name, _, _ in string.Formatter().parse(sentence) if name is not None), key


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert('x')</script>",
        "**bold** _x_ `code`",
        "[link](javascript:alert(1)) ![i](http://e.org/x.png)",
        "$x^2$ :red[word] :material/home: :smile:",
        "# heading",
        "a|b",
    ],
)
def test_data_in_a_sentence_is_shown_letter_for_letter(text: str) -> None:
    shown = words.say("line.heading", line=text)
    assert shown.replace("\\", "").replace("\u2060", "") == text
    assert not re.search(r"(?<!\\)[<>*_`\[\]()$:#|!]", shown.replace("\u2060", ""))


def test_links_emoji_and_arrows_are_broken_up_since_escapes_do_not_stop_them() -> None:
    shown = words.escape("http://e.org www.e.org a@e.org :smile: a--b <- (c)").replace("\\", "")
    for seen_in_text in ("://", "www.", "a@e", ":smile:", "--", "<-", "(c)"):
        assert seen_in_text not in shown


def test_ordinary_names_are_not_broken_up() -> None:
    for name in ("cam-3", "__-odd_-CAM_", "2026-03-01 12:00:00"):
        assert words.escape(name).replace("\\", "") == name
    assert words.plain("line.heading", line="cam-3") == "cam-3"


def test_control_and_direction_characters_never_reach_the_page() -> None:
    assert words.clean("a\x00b\u202ec\nd") == "a b c d"
    assert len(words.clean("x" * 10_000)) == 160


@pytest.mark.parametrize(
    ("seconds", "word"),
    [
        (None, "never"),
        (0.0834, "83 ms"),
        (4.21, "4.2 s"),
        (59.6, "60 s"),
        (300, "5 min"),
        (9000, "2 h"),
        (-3, "−3.0 s"),
    ],
)
def test_durations_read_at_a_glance(seconds: float | None, word: str) -> None:
    assert words.duration(seconds) == word


def test_a_frame_from_the_future_is_called_so() -> None:
    assert words.ago(-30) == "30 s in the future"
    assert words.ago(-4) == words.ago(0.4) == "just now"


def test_wall_time_is_the_viewers_and_carries_the_date_when_it_is_not_today() -> None:
    berlin, moment = ZoneInfo("Europe/Berlin"), datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
    assert words.clock(moment, berlin, moment) == "00:30:00"
    assert words.clock(moment, berlin, moment + timedelta(days=2)) == "2026-01-02 00:30:00"
    assert words.zone("No/Such") == words.zone(None) == ZoneInfo("UTC")


def test_a_class_that_this_version_does_not_know_is_shown_as_stored() -> None:
    assert words.class_word("oil_spot") == "oil spot"
    assert words.class_word("loose_knot") == "loose knot"
