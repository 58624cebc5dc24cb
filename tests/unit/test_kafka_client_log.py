"""The client's own log does not flood while a broker is away."""

import logging

import pytest

from services.adapters.kafka.client_log import client_logger


def test_each_kind_of_line_passes_once_in_half_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    logger = client_logger("test")
    assert client_logger("test") is logger
    assert len(logger.filters) == 1
    for _ in range(100):
        logger.error("FAIL [consumer-1] connection refused")
        logger.warning("OFFSET [consumer-1] reset")
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]
