"""The courier of alerts: receivers do not wait for each other, and nothing is lost or sent twice."""

import json
import threading
import time
from collections.abc import Iterator

import pytest

from services.contracts.errors import ConfigurationError, DeliveryFailed
from services.domain.alerts import ReceiverPolicy
from services.process_monitor.delivery import AlertCourier, DeliveryResult
from tests.fakes.alerts import CAM_3, SKINPASS_PITS, MemoryOutbox, MovableClock, ScriptedChannel, alert, at


class Plant:
    """A courier with the receivers `hook` and `mail`."""

    def __init__(self, batch_s: float = 30.0) -> None:
        self.outbox = MemoryOutbox()
        self.clock = MovableClock(at(100))
        self.hook, self.mail = ScriptedChannel(), ScriptedChannel()
        policies = [ReceiverPolicy("hook"), ReceiverPolicy("mail", min_severity=2)]
        pairs = list(zip(policies, [self.hook, self.mail], strict=True))
        self.courier = AlertCourier(self.outbox, pairs, self.clock, batch_s)

    def settle(self) -> None:
        """Take turns until nothing is under way."""
        for _ in range(100):
            if not self.courier.turn(0.1).busy:
                return
        raise AssertionError("the sending does not end")


@pytest.fixture
def plant() -> Iterator[Plant]:
    made = Plant()
    yield made
    made.hook.gate.set()
    made.mail.gate.set()
    made.courier.close(5.0)


def ids(channel: ScriptedChannel) -> list[list[int]]:
    return [[entry["alert_id"] for entry in json.loads(message.body)["alerts"]] for message in channel.messages]


def test_every_receiver_gets_what_it_asked_for(plant: Plant) -> None:
    plant.outbox.alerts += [alert(1), alert(2, CAM_3, severity=1)]
    report = plant.courier.turn(5.0)
    assert (ids(plant.hook), ids(plant.mail)) == ([[1], [2]], [[1]])
    assert report.alerts == {
        ("hook", DeliveryResult.SENT): 2,
        ("mail", DeliveryResult.SENT): 1,
        ("mail", DeliveryResult.SUPPRESSED): 1,
    }
    assert (report.busy, report.problem, plant.courier.problems) == ((), None, {})


def test_nothing_is_sent_twice(plant: Plant) -> None:
    plant.outbox.alerts.append(alert(1))
    for _ in range(3):
        plant.settle()
    assert plant.hook.attempts == 1


def test_a_hanging_receiver_delays_no_other(plant: Plant) -> None:
    plant.hook.gate.clear()
    plant.outbox.alerts.append(alert(1))
    began_s = time.monotonic()
    report = plant.courier.turn(0.3)
    assert time.monotonic() - began_s < 5.0
    assert (report.busy, ids(plant.mail)) == (("hook",), [[1]])
    plant.outbox.alerts.append(alert(2, CAM_3))
    plant.courier.turn(0.3)
    assert ids(plant.mail) == [[1], [2]]
    plant.hook.gate.set()
    plant.settle()
    plant.settle()
    assert ids(plant.hook) == [[1], [2]]


@pytest.mark.parametrize("error", [DeliveryFailed("the hook is down"), ConfigurationError("the hook is down")])
def test_a_failing_receiver_is_tried_again_later_and_gets_everything_once(plant: Plant, error: Exception) -> None:
    plant.hook.error = error
    plant.outbox.alerts.append(alert(1))
    report = plant.courier.turn(5.0)
    assert report.alerts["hook", DeliveryResult.ATTEMPT_FAILED] == 1
    assert plant.outbox.failed["hook"] == {1: (1, at(105), "the hook is down")}
    assert plant.courier.problems == {"hook": "the hook is down"}
    plant.outbox.alerts.append(alert(2))
    plant.settle()
    assert plant.hook.attempts == 1
    plant.clock.now = at(105)
    plant.settle()
    assert plant.outbox.failed["hook"][1] == (2, at(115), "the hook is down")
    plant.hook.error = None
    plant.clock.now = at(115)
    plant.settle()
    assert (ids(plant.hook), plant.courier.problems) == ([[2, 1]], {})
    assert plant.outbox.sent["hook"] == {1: at(115), 2: at(115)}


def test_what_is_old_and_was_tried_often_is_given_up_where_people_see_it(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    plant.outbox.alerts.append(alert(1))
    plant.outbox.failed["hook"][1] = (25, at(0), "gone")
    plant.clock.now = at(8 * 86400)
    report = plant.courier.turn(5.0)
    assert report.alerts["hook", DeliveryResult.GIVEN_UP] == 1
    assert plant.outbox.settled["hook"] == {1: "failed"}
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert plant.hook.attempts == 0


def test_a_database_that_is_away_is_reported_and_costs_nothing(plant: Plant) -> None:
    plant.outbox.alerts.append(alert(1))
    plant.outbox.is_away = True
    assert plant.courier.turn(1.0).problem == "the database does not answer"
    plant.outbox.is_away = False
    plant.settle()
    assert ids(plant.hook) == [[1]]


def test_what_was_sent_while_the_database_went_away_is_recorded_first_and_not_sent_again(plant: Plant) -> None:
    plant.outbox.alerts.append(alert(1))
    plant.outbox.fails_to_mark_sent = 2
    assert plant.courier.turn(5.0).problem == "the database went away"
    plant.outbox.alerts.append(alert(2, CAM_3))
    for _ in range(4):
        plant.settle()
    assert ids(plant.hook) == [[1], [2]]
    assert ids(plant.mail) == [[1], [2]]
    assert sorted(plant.outbox.sent["hook"]) == [1, 2]


def test_a_restart_sends_what_was_not_recorded_and_nothing_else(plant: Plant) -> None:
    plant.outbox.alerts += [alert(1), alert(2, CAM_3)]
    plant.settle()
    plant.outbox.alerts.append(alert(3, CAM_3))
    again = ScriptedChannel()
    restarted = AlertCourier(plant.outbox, [(ReceiverPolicy("hook"), again)], plant.clock)
    restarted.turn(5.0)
    restarted.close(5.0)
    assert ids(again) == [[3]]


def test_only_the_calling_thread_touches_the_outbox(plant: Plant) -> None:
    plant.outbox.alerts.append(alert(1))
    plant.settle()
    assert plant.outbox.threads == {threading.get_ident()}


def test_closing_waits_for_the_message_under_way_and_begins_no_other() -> None:
    plant = Plant()
    plant.hook.gate.clear()
    plant.outbox.alerts += [alert(1), alert(2, CAM_3)]
    plant.courier.turn(0.01)
    assert plant.hook.begun.wait(5.0)
    threading.Timer(0.3, plant.hook.gate.set).start()
    plant.courier.close(5.0)
    assert ids(plant.hook) == [[1]]
    assert list(plant.outbox.sent["hook"]) == [1]


def test_what_does_not_fit_into_a_batch_goes_with_the_next() -> None:
    plant = Plant(batch_s=0.0)
    plant.outbox.alerts += [alert(1), alert(2, CAM_3), alert(3, SKINPASS_PITS)]
    plant.courier.turn(5.0)
    assert ids(plant.hook) == [[3, 1]]
    plant.courier.turn(5.0)
    assert ids(plant.hook) == [[3, 1], [2]]
    plant.courier.close(5.0)


def test_a_bug_in_a_channel_ends_the_turn() -> None:
    plant = Plant()
    plant.hook.error = ZeroDivisionError("a bug")
    plant.outbox.alerts.append(alert(1))
    with pytest.raises(ZeroDivisionError):
        plant.courier.turn(5.0)
