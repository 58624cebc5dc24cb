"""Servers of the user's own: their addresses, and the sentences for wrong ones."""

import pytest

from services.contracts.errors import ConfigurationError
from services.runtime.embedded.options import database_address, parse_addresses


def test_several_brokers_are_understood() -> None:
    assert parse_addresses("KAFKA_BOOTSTRAP_SERVERS", "a:9092, b:9093,[::1]:9094") == [
        ("a", 9092),
        ("b", 9093),
        ("::1", 9094),
    ]


@pytest.mark.parametrize("value", ["", "host", "host:", "host:port", "host:99999", ":9092"])
def test_an_address_without_host_or_port_is_refused_naming_the_setting(value: str) -> None:
    with pytest.raises(ConfigurationError, match="KAFKA_BOOTSTRAP_SERVERS"):
        parse_addresses("KAFKA_BOOTSTRAP_SERVERS", value)


def test_a_database_url_without_port_means_the_usual_one() -> None:
    assert database_address("postgresql://admin:secret@db.plant/millsight") == ("db.plant", 5432)


@pytest.mark.parametrize("url", ["mysql://a:geheim@b/c", "geheim", "postgresql://a:geheim@b:port/c"])
def test_a_wrong_database_url_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL") as caught:
        database_address(url)
    assert "geheim" not in str(caught.value)
