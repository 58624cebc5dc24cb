"""The plan of messages: cooldown, digest, back-off, and that nothing is lost on the way."""

import itertools
import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from services.contracts.alert_messages import AlertMessage, one_line, place, render_message
from services.domain.alert_plan import (
    MESSAGE_ALERTS,
    MIN_ATTEMPTS,
    DeliveryPlan,
    plan_deliveries,
    retry_delay_s,
)
from services.domain.alerts import Alert, AlertKind, Cause, Message, PendingDelivery, ReceiverPolicy
from tests.fakes.alerts import CAM_3, LEVELLER_CREASES, SKINPASS_PITS, alert, at

COOLDOWN = ReceiverPolicy("shift", cooldown_s=600)
DIGEST = ReceiverPolicy("manager", digest_every_s=3600)


def fresh(*alerts: Alert) -> list[PendingDelivery]:
    return [PendingDelivery(each) for each in alerts]


def plan(
    pending: Sequence[PendingDelivery],
    policy: ReceiverPolicy,
    now_s: float,
    last_sent: Mapping[Cause, datetime] | None = None,
) -> DeliveryPlan:
    return plan_deliveries(pending, last_sent or {}, policy, at(now_s))


def sent(planned: DeliveryPlan) -> list[list[int]]:
    return [[each.alert_id for each in message.alerts] for message in planned.send_now]


@pytest.mark.parametrize(
    ("pending", "policy", "last_sent_s", "now_s", "expected", "wait_s"),
    [
        pytest.param([], COOLDOWN, None, 0, [], None, id="nothing"),
        pytest.param(fresh(alert(1)), COOLDOWN, None, 1, [[1]], None, id="the first of a cause goes at once"),
        pytest.param(fresh(alert(5)), COOLDOWN, 0, 10, [], 600, id="within the cooldown it waits"),
        pytest.param(fresh(alert(5)), COOLDOWN, 0, 600, [[5]], None, id="at the end of the cooldown it goes"),
        pytest.param(
            fresh(alert(5), alert(7), alert(6)), COOLDOWN, 0, 601, [[7, 6, 5]], None, id="folded, newest first"
        ),
        pytest.param(
            fresh(alert(5), alert(6, CAM_3)), COOLDOWN, 0, 10, [[6]], 600, id="another cause does not wait"
        ),
        pytest.param(
            fresh(alert(5, replace(SKINPASS_PITS, defect_class="crease"))),
            COOLDOWN,
            0,
            10,
            [[5]],
            None,
            id="another class of the same machine is another cause",
        ),
        pytest.param(
            fresh(alert(5, severity=4)), COOLDOWN, 0, 10, [[5]], None, id="severity 4 does not cool down"
        ),
        pytest.param(
            fresh(alert(5, severity=2), alert(6, severity=4)),
            COOLDOWN,
            0,
            10,
            [[6, 5]],
            None,
            id="and takes along",
        ),
        pytest.param(
            fresh(alert(5, CAM_3, 1), alert(6, LEVELLER_CREASES, 4), alert(7, severity=3)),
            COOLDOWN,
            None,
            10,
            [[6], [7], [5]],
            None,
            id="messages go by severity",
        ),
        pytest.param(fresh(alert(5)), DIGEST, None, 3604, [], 3605, id="a digest collects for an hour"),
        pytest.param(
            fresh(alert(5, severity=2), alert(6, CAM_3, 1), alert(9, LEVELLER_CREASES, 3), alert(7, severity=2)),
            DIGEST,
            None,
            3605,
            [[9, 5, 7, 6]],
            None,
            id="a digest holds all, by severity and age",
        ),
        pytest.param(
            fresh(alert(5, severity=2), alert(6, CAM_3, 1), alert(7, severity=4)),
            DIGEST,
            None,
            10,
            [[7, 5]],
            3606,
            id="severity 4 does not wait for the digest",
        ),
        pytest.param(
            fresh(alert(5)),
            replace(DIGEST, cooldown_s=86400),
            3000,
            3605,
            [[5]],
            None,
            id="a digest has no cooldown",
        ),
    ],
)
def test_cooldown_and_digest(
    pending: list[PendingDelivery],
    policy: ReceiverPolicy,
    last_sent_s: float | None,
    now_s: float,
    expected: list[list[int]],
    wait_s: float | None,
) -> None:
    last_sent = {} if last_sent_s is None else {SKINPASS_PITS: at(last_sent_s)}
    planned = plan(pending, policy, now_s, last_sent)
    assert sent(planned) == expected
    assert planned.wait_until == (None if wait_s is None else at(wait_s))
    assert (planned.suppressed, planned.given_up) == ((), ())


@pytest.mark.parametrize(
    ("policy", "suppressed"),
    [
        pytest.param(ReceiverPolicy("all"), (), id="everything"),
        pytest.param(ReceiverPolicy("severe", min_severity=3), (1, 2), id="from severity 3"),
        pytest.param(ReceiverPolicy("severe", min_severity=4), (1, 2, 3), id="also the urgent bound"),
        pytest.param(
            ReceiverPolicy("cameras", kinds=frozenset({AlertKind.CAMERA_CONDITION})), (1, 3, 4), id="one kind"
        ),
    ],
)
def test_what_was_not_asked_for_is_suppressed(policy: ReceiverPolicy, suppressed: tuple[int, ...]) -> None:
    alerts = [
        alert(1, severity=1),
        alert(2, CAM_3, severity=2, kind=AlertKind.CAMERA_CONDITION),
        alert(3, LEVELLER_CREASES, severity=3),
        alert(4, severity=4),
    ]
    planned = plan(fresh(*alerts), policy, 10)
    assert planned.suppressed == suppressed
    assert sorted(itertools.chain(*sent(planned))) == sorted({1, 2, 3, 4} - set(suppressed))


@pytest.mark.parametrize(
    ("pending", "now_s", "expected", "wait_s"),
    [
        pytest.param([PendingDelivery(alert(1), 1, at(50))], 49, [], 50, id="waits"),
        pytest.param([PendingDelivery(alert(1), 1, at(50))], 50, [[1]], None, id="is tried again"),
        pytest.param(
            [PendingDelivery(alert(1), 1, at(50)), PendingDelivery(alert(2))], 20, [], 50, id="news joins the wait"
        ),
        pytest.param(
            [PendingDelivery(alert(1), 3, at(50)), PendingDelivery(alert(2), 1, at(30))],
            40,
            [],
            50,
            id="the longest wait of a cause counts",
        ),
        pytest.param(
            [PendingDelivery(alert(1), 1, at(50)), PendingDelivery(alert(2, CAM_3))],
            20,
            [[2]],
            50,
            id="another cause is tried",
        ),
        pytest.param(
            [PendingDelivery(alert(1), 1, at(50)), PendingDelivery(alert(2, severity=4))],
            20,
            [[2, 1]],
            None,
            id="news of severity 4 is tried at once",
        ),
        pytest.param(
            [PendingDelivery(alert(2, severity=4), 1, at(50))], 20, [], 50, id="severity 4 backs off when tried"
        ),
    ],
)
def test_failed_attempts_back_off(
    pending: list[PendingDelivery], now_s: float, expected: list[list[int]], wait_s: float | None
) -> None:
    planned = plan(pending, ReceiverPolicy("hook"), now_s)
    assert sent(planned) == expected
    assert planned.wait_until == (None if wait_s is None else at(wait_s))


def test_the_wait_doubles_up_to_a_quarter_of_an_hour() -> None:
    assert [retry_delay_s(n) for n in (1, 2, 3, 7, 8, 9, 10, 5000)] == [5, 10, 20, 320, 640, 900, 900, 900]


@pytest.mark.parametrize(
    ("attempts", "age_s", "is_given_up"),
    [
        pytest.param(MIN_ATTEMPTS, 604800, True, id="old and often tried"),
        pytest.param(MIN_ATTEMPTS, 604799, False, id="not old enough"),
        pytest.param(MIN_ATTEMPTS - 1, 6048000, False, id="old, but the monitor was not there to try"),
        pytest.param(0, 6048000, False, id="never tried"),
    ],
)
def test_an_alert_is_given_up_when_it_is_old_and_was_tried_often(
    attempts: int, age_s: float, is_given_up: bool
) -> None:
    delivery = PendingDelivery(alert(1, after_s=0), attempts, at(0) if attempts else None)
    planned = plan([delivery], COOLDOWN, age_s)
    assert planned.given_up == ((1,) if is_given_up else ())
    assert sent(planned) == ([] if is_given_up else [[1]])


def test_more_alerts_than_a_message_holds_make_several_oldest_first() -> None:
    planned = plan(fresh(*[alert(number) for number in range(201)]), COOLDOWN, 9999)
    assert sent(planned) == [list(range(99, -1, -1)), list(range(199, 99, -1)), [200]]


def test_a_digest_that_is_cut_begins_with_the_most_severe() -> None:
    alerts = [alert(number, severity=3 if number >= 150 else 1) for number in range(201)]
    planned = plan(fresh(*alerts), DIGEST, 9999)
    assert sent(planned) == [[*range(150, 201), *range(49)], list(range(49, 149)), [149]]


def random_pending(dice: random.Random) -> list[PendingDelivery]:
    causes = [SKINPASS_PITS, LEVELLER_CREASES, CAM_3]
    kinds = list(AlertKind)
    return [
        PendingDelivery(
            alert(
                n, dice.choice(causes), dice.randint(1, 4), after_s=dice.uniform(0, 900), kind=dice.choice(kinds)
            ),
            attempts := dice.choice([0, 0, 1, 30]),
            at(dice.uniform(0, 2000)) if attempts else None,
        )
        for n in range(dice.randint(0, 30))
    ]


def random_policy(dice: random.Random) -> ReceiverPolicy:
    return ReceiverPolicy(
        "any",
        kinds=frozenset(dice.sample(list(AlertKind), dice.randint(0, 8))),
        min_severity=dice.randint(1, 4),
        cooldown_s=dice.choice([0, 300]),
        digest_every_s=dice.choice([None, 600]),
        give_up_after_s=dice.choice([500, 604800]),
    )


@pytest.mark.parametrize("seed", range(60))
def test_every_alert_has_one_fate_and_the_order_of_rows_does_not_matter(seed: int) -> None:
    dice = random.Random(seed)
    pending, policy = random_pending(dice), random_policy(dice)
    last_sent = {CAM_3: at(700)}
    planned = plan(pending, policy, 1000, last_sent)
    fates = Counter([*itertools.chain(*sent(planned)), *planned.suppressed, *planned.given_up])
    waiting = {each.alert.alert_id for each in pending} - fates.keys()
    assert max(fates.values(), default=1) == 1
    assert (planned.wait_until is not None) == bool(waiting)
    assert planned.wait_until is None or planned.wait_until > at(1000)
    for _ in range(3):
        dice.shuffle(pending)
        assert plan(pending, policy, 1000, last_sent) == planned


@pytest.mark.parametrize("seed", range(20))
def test_over_a_shift_every_alert_ends_in_exactly_one_message(seed: int) -> None:
    """Steps of a minute; the receiver fails half of the time, until hour four."""
    dice = random.Random(seed)
    policy = replace(random_policy(dice), kinds=frozenset(), min_severity=1, give_up_after_s=604800)
    alerts = [
        alert(n, dice.choice([SKINPASS_PITS, CAM_3]), dice.randint(1, 4), after_s=dice.uniform(0, 14400))
        for n in range(80)
    ]
    state: dict[int, PendingDelivery] = {}
    last_sent: dict[Cause, datetime] = {}
    delivered: Counter[int] = Counter()
    for now_s in range(0, 6 * 3600, 60):
        state |= {
            a.alert_id: PendingDelivery(a)
            for a in alerts
            if now_s - 60 < a.created_at.timestamp() - at(0).timestamp() <= now_s
        }
        for message in plan(list(state.values()), policy, now_s, last_sent).send_now:
            if now_s < 14400 and dice.random() < 0.5:
                retry_at = at(now_s + retry_delay_s(message.attempts + 1))
                state |= {
                    n: replace(state[n], attempts=state[n].attempts + 1, next_attempt_at=retry_at)
                    for n in message.alert_ids
                }
                continue
            delivered.update(message.alert_ids)
            last_sent |= {each.cause: at(now_s) for each in message.alerts}
            for number in message.alert_ids:
                del state[number]
    assert state == {}
    assert delivered == Counter(range(80))


def rendered(*alerts: Alert, is_digest: bool = False) -> tuple[AlertMessage, dict[str, Any]]:
    message = render_message(Message("hook", alerts, is_digest, 0))
    document = json.loads(message.body)
    assert isinstance(document, dict)
    return message, document


def test_a_message_says_what_happened_where_and_what_else_happened_since() -> None:
    newest = alert(9, severity=2, kind=AlertKind.FLAG_CLEARED, after_s=7200, link="https://plant.example/flags/9")
    message, document = rendered(newest, alert(8, severity=3, after_s=3600), alert(7, severity=2, after_s=60))
    assert message.subject == "[plan this shift] subject 9 and 2 more"
    assert message.text.splitlines() == [
        "INSPECT: subject 9",
        "flag cleared 2026-03-02 08:00 UTC, line strip-1, machine skinpass-1, defect rolled_pit",
        "text 9",
        "https://plant.example/flags/9",
        "",
        "And 2 more since 2026-03-02 06:01 UTC:",
        "- 2026-03-02 07:00 UTC, plan this shift, flag raised: subject 8",
        "- 2026-03-02 06:01 UTC, inspect, flag raised: subject 7",
    ]
    assert (document["schema"], document["severity"], document["digest"]) == ("millsight.alert.v1", 3, False)
    entries = document["alerts"]
    assert isinstance(entries, list)
    assert [entry["alert_id"] for entry in entries] == [9, 8, 7]
    assert entries[0]["machine_ids"] == ["skinpass-1"]
    assert entries[0]["created_at"] == "2026-03-02T08:00:00+00:00"


def test_a_digest_counts_by_severity() -> None:
    message, document = rendered(alert(1, severity=3), alert(2, CAM_3, 1), alert(3, CAM_3, 1), is_digest=True)
    assert message.subject == "[plan this shift] 3 alerts: 1 plan this shift, 2 watch"
    assert [line for line in message.text.splitlines() if line.startswith(("PLAN", "WATCH"))] == [
        "PLAN THIS SHIFT: subject 1",
        "WATCH: subject 2",
        "WATCH: subject 3",
    ]
    assert document["digest"] is True


def test_the_same_alerts_have_the_same_message_id_in_any_order() -> None:
    one, two = rendered(alert(1), alert(2))[0], rendered(alert(2), alert(1))[0]
    assert one.message_id == two.message_id
    assert one.message_id != rendered(alert(1))[0].message_id


@pytest.mark.parametrize(
    "evil",
    [
        "a\r\nBcc: thief@evil.example",
        "a\nb",
        "a\rb",
        "a\x0bb",
        "a\x85b",
        "a\u2028b",
        "a\u202eb",
        "a\x00b",
        "a\ud800b",
    ],
    ids=["crlf", "lf", "cr", "vt", "nel", "line-separator", "direction", "nul", "surrogate"],
)
def test_no_control_character_reaches_a_subject(evil: str) -> None:
    bad = alert(
        1, replace(SKINPASS_PITS, line_id=evil, defect_class=evil), subject=evil, text=evil, details={evil: evil}
    )
    message, document = rendered(bad, alert(2, bad.cause, subject=evil))
    assert message.subject.isprintable()
    assert len(message.subject.splitlines()) == 1
    assert document["subject"] == message.subject
    assert "Bcc:" not in [line[:4] for line in message.text.splitlines()[:2]]
    assert message.text.encode("utf-8")
    assert message.body.isascii()
    assert json.loads(message.body.decode().encode("utf-8"))


def test_values_that_json_does_not_know_do_not_stop_a_message() -> None:
    details = {
        "rate": float("nan"),
        "ratio": [1.5, float("inf")],
        "since": at(0),
        "deep": {"ids": (1, 2)},
        "none": None,
    }
    _, document = rendered(alert(1, details=details, link="javascript:alert(1)"))
    entry = document["alerts"][0]
    assert entry["details"] == {
        "rate": None,
        "ratio": [1.5, None],
        "since": "2026-03-02T06:00:00+00:00",
        "deep": {"ids": [1, 2]},
        "none": None,
    }
    assert entry["link"] is None


def test_a_message_has_a_bounded_size() -> None:
    long = alert(1, subject="s" * 9999, text="t" * 99999, details={"x": "d" * 9999})
    message, document = rendered(*[replace(long, alert_id=n) for n in range(MESSAGE_ALERTS)], is_digest=True)
    assert len(message.subject) <= 200
    assert len(message.body) < 2_000_000
    entry = document["alerts"][0]
    assert (entry["details"], entry["details_left_out"]) == ({}, True)
    single, _ = rendered(long, replace(long, alert_id=2))
    assert len(single.subject) <= 200
    assert single.subject.endswith("... and 1 more")


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (SKINPASS_PITS, "line strip-1, machine skinpass-1, defect rolled_pit"),
        (
            LEVELLER_CREASES,
            "line strip-1, machine leveller-1 or leveller-2 (no camera stands between them), defect crease",
        ),
        (CAM_3, "line strip-1, camera cam-3"),
        (Cause("strip-1"), "line strip-1"),
    ],
    ids=["machine", "group", "camera", "line"],
)
def test_a_place_is_said_in_plant_words(cause: Cause, words: str) -> None:
    assert place(cause) == words


def test_a_line_that_is_too_long_ends_in_dots() -> None:
    assert one_line("abcdefgh", most=8) == "abcdefgh"
    assert one_line("abcdefghi", most=8) == "abcde..."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"severity": 0}, "severity 0", id="severity too low"),
        pytest.param({"severity": 5}, "severity 5", id="severity too high"),
        pytest.param({"created_at": at(0).replace(tzinfo=None)}, "no zone", id="naive time"),
    ],
)
def test_an_impossible_alert_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(alert(1), **change)


def test_a_cause_is_about_machines_or_a_camera() -> None:
    with pytest.raises(ValueError, match="not both"):
        Cause("strip-1", ("skinpass-1",), "cam-1")
