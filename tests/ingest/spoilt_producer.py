"""A producer of the client's own that met a fatal error: what then becomes of who uses it."""

import ctypes
from pathlib import Path

import pytest
from confluent_kafka import Producer

MAPS = Path("/proc/self/maps")
OUT_OF_ORDER_SEQUENCE = 45


def spoil(producer: Producer) -> None:
    """Give a producer a fatal error, by what librdkafka has for tests of it."""
    if not MAPS.exists():
        pytest.skip("only Linux says where the client's library is")
    lines = MAPS.read_text().splitlines()
    (loaded,) = {line.split()[-1] for line in lines if "librdkafka" in line}
    library = ctypes.CDLL(loaded)
    # The client's handle is the first field of the object.
    handle = ctypes.c_void_p.from_address(id(producer) + object.__basicsize__)
    library.rd_kafka_name.restype = ctypes.c_char_p
    assert b"producer" in library.rd_kafka_name(handle)
    assert not library.rd_kafka_test_fatal_error(handle, OUT_OF_ORDER_SEQUENCE, b"a test")
