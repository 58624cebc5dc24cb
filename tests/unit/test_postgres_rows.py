"""How inspections become parameters, and what database errors ask for; no server needed."""

import struct
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from psycopg import errors

from services.adapters.postgres import arrays
from services.adapters.postgres.camera_notes import CameraNotes
from services.adapters.postgres.connecting import Fault, connect, fault_of
from services.adapters.postgres.roles import role_url
from services.adapters.postgres.rows import INSERT_INSPECTIONS, clean, content_type, inspection_columns
from services.contracts.errors import ConfigurationError
from tests.fixtures_postgres import NOON, an_inspection

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        pytest.param("coil-7", "coil-7", id="plain"),
        pytest.param("Spule 7 ÄÖ 鋼 😀", "Spule 7 ÄÖ 鋼 😀", id="any_script"),
        pytest.param("a\0b", "a\ufffdb", id="nul"),
        pytest.param("a\ud800b", "a\ufffdb", id="lone_surrogate"),
        pytest.param("", "", id="empty"),
        pytest.param("x" * 300, "x" * 256, id="too_long"),
    ],
)
def test_text_is_made_storable(given: str, stored: str) -> None:
    assert clean(given) == stored


@pytest.mark.parametrize(
    ("image", "name"),
    [
        (b"\xff\xd8\xff\xdb", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"", "application/octet-stream"),
    ],
)
def test_the_first_bytes_name_the_encoding(image: bytes, name: str) -> None:
    assert content_type(image) == name


def test_an_array_is_encoded_as_the_server_expects_it() -> None:
    """One dimension, has NULLs, element type, length, lower bound 1; then length and bytes of each element."""
    expected = struct.pack("!iiIii", 1, 1, 20, 2, 1) + struct.pack("!iq", 8, -5) + struct.pack("!i", -1)
    assert arrays.bigints([-5, None]) == expected
    assert arrays.texts([]) == struct.pack("!iiIii", 1, 0, 25, 0, 1)
    moment = datetime(2000, 1, 1, 0, 0, 1, 2, tzinfo=UTC)
    assert arrays.timestamps([moment]).endswith(struct.pack("!iq", 8, 1_000_002))
    assert arrays.timestamps([moment - 2 * SECOND]).endswith(struct.pack("!iq", 8, -999_998))
    assert arrays.documents(["{}"]).endswith(b"\x00\x00\x00\x03\x01{}")
    assert arrays.uuids([UUID(int=1)]).endswith(b"\x00" * 15 + b"\x01")


def test_every_column_of_an_inspection_has_its_parameter() -> None:
    names = INSERT_INSPECTIONS.partition(b"(")[2].partition(b")")[0].split(b",")
    assert len(names) == INSERT_INSPECTIONS.count(b"%s") == len(inspection_columns([an_inspection()]))


def test_what_the_picture_says_becomes_the_last_six_columns_and_null_where_nobody_measured() -> None:
    measured = an_inspection(
        brightness=0.25, saturated=0.0, sharpness=640.0, picture_hash=-(2**63), spot=(0.125, float("nan"))
    )
    assert inspection_columns([measured, an_inspection()])[-6:] == (
        arrays.reals([0.25, None]),
        arrays.reals([0.0, None]),
        arrays.reals([640.0, None]),
        arrays.bigints([-(2**63), None]),
        arrays.reals([0.125, None]),
        arrays.reals([None, None]),
    )


def test_a_number_that_does_not_fit_its_column_is_an_overflow() -> None:
    with pytest.raises(OverflowError):
        arrays.integers([2**31])
    with pytest.raises(OverflowError):
        arrays.bigints([2**63])
    with pytest.raises(OverflowError):
        arrays.reals([1e300])


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        pytest.param(psycopg.OperationalError("server closed the connection"), Fault.UNAVAILABLE, id="lost"),
        pytest.param(errors.AdminShutdown(), Fault.UNAVAILABLE, id="shutdown_57P01"),
        pytest.param(errors.CannotConnectNow(), Fault.UNAVAILABLE, id="starting_57P03"),
        pytest.param(errors.QueryCanceled(), Fault.UNAVAILABLE, id="statement_timeout_57014"),
        pytest.param(errors.LockNotAvailable(), Fault.UNAVAILABLE, id="lock_timeout_55P03"),
        pytest.param(errors.DeadlockDetected(), Fault.UNAVAILABLE, id="deadlock_40P01"),
        pytest.param(errors.SerializationFailure(), Fault.UNAVAILABLE, id="serialization_40001"),
        pytest.param(errors.DiskFull(), Fault.UNAVAILABLE, id="disk_full_53100"),
        pytest.param(errors.TooManyConnections(), Fault.UNAVAILABLE, id="too_many_connections_53300"),
        pytest.param(errors.ReadOnlySqlTransaction(), Fault.UNAVAILABLE, id="standby_25006"),
        pytest.param(errors.IoError(), Fault.UNAVAILABLE, id="io_error_58030"),
        pytest.param(errors.FeatureNotSupported(), Fault.UNAVAILABLE, id="outdated_plan_0A000"),
        pytest.param(errors.NumericValueOutOfRange(), Fault.ROW, id="out_of_range_22003"),
        pytest.param(errors.CheckViolation(), Fault.ROW, id="check_23514"),
        pytest.param(errors.ProgramLimitExceeded(), Fault.ROW, id="index_entry_too_long_54000"),
        pytest.param(errors.UndefinedTable(), Fault.SCHEMA, id="not_migrated_42P01"),
        pytest.param(errors.InsufficientPrivilege(), Fault.SCHEMA, id="wrong_role_42501"),
        pytest.param(psycopg.ProgrammingError("wrong number of parameters"), Fault.BUG, id="our_own_mistake"),
    ],
)
def test_a_database_error_asks_for_one_thing(error: psycopg.Error, fault: Fault) -> None:
    assert fault_of(error) is fault


def test_a_camera_is_noted_once_a_second_and_at_once_when_it_catches_up() -> None:
    notes = CameraNotes()

    def due(captured_s: float, received_s: float) -> int:
        frame = an_inspection(captured_at=NOON + captured_s * SECOND, received_at=NOON + received_s * SECOND)
        chosen = notes.due([frame])
        notes.told(chosen)
        return len(chosen)

    assert due(0, 0) == 1
    assert due(0.5, 0.5) == 0
    assert due(0.9, 0.99) == 0
    assert due(1.0, 1.0) == 1
    assert due(61.0, 1.1) == 1, "a replay covers a minute in a tenth of a second"
    assert due(3.0, 2.0) == 0, "an older frame within the second"
    assert due(3.0, 2.2) == 1, "an older frame, but a sign of life"


def test_only_the_newest_frame_of_each_camera_is_noted() -> None:
    frames = [an_inspection(captured_at=NOON + n * SECOND, camera_id=camera) for n in (2, 5, 3) for camera in "ab"]
    assert [frame.captured_at for frame in CameraNotes().due(frames)] == [NOON + 5 * SECOND] * 2


@pytest.mark.parametrize(
    ("admin", "expected"),
    [
        ("postgresql://admin:secret@db:5432/postgres", "postgresql://r:p%2F%40@db:5432/millsight"),
        (
            "postgresql://admin@db/postgres?sslmode=verify-full",
            "postgresql://r:p%2F%40@db/millsight?sslmode=verify-full",
        ),
        ("host=db port=6432 user=admin dbname=x", "postgresql://r:p%2F%40@db:6432/millsight"),
        ("postgresql://admin@[::1]:5433/postgres", "postgresql://r:p%2F%40@[::1]:5433/millsight"),
        ("host=/run/postgresql port=5433", "postgresql://r:p%2F%40@/millsight?host=%2Frun%2Fpostgresql&port=5433"),
        ("postgresql://a:b@one:1,two:2/x", "postgresql://r:p%2F%40@/millsight?host=one%2Ctwo&port=1%2C2"),
    ],
)
def test_the_url_of_another_role_keeps_the_way_to_the_server(admin: str, expected: str) -> None:
    assert role_url(admin, "r", "p/@") == expected


def test_a_url_that_is_none_is_the_users_mistake_and_its_password_is_not_repeated() -> None:
    for call in (lambda url: role_url(url, "r", "p"), lambda url: connect(url, application_name="test")):
        with pytest.raises(ConfigurationError) as caught:
            call("postgresql://admin:secret@db:port/%zz")
        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is None
