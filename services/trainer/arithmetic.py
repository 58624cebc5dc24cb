"""Which numbers a training step computes with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

_CPU_FACTS = Path("/proc/cpuinfo")
_BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
_REWRITE = "auto_mixed_precision_onednn_bfloat16"


def has_bfloat16(cpu_facts: Path = _CPU_FACTS) -> bool:
    """Tell whether the processor multiplies bfloat16; where nothing says so (not Linux), it does not."""
    try:
        text = cpu_facts.read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return not _BFLOAT16_FLAGS.isdisjoint(text.split())


@contextmanager
def bfloat16_arithmetic() -> Iterator[None]:
    """Let graphs that run inside compute convolutions and matrix products in bfloat16, if the processor has it.

    Weights, their updates and losses stay in float32. Afterwards everything is exact again, as the comparison of
    the trained network with its exported file needs. A processor without the instructions would be slower.
    """
    if not has_bfloat16():
        yield
        return
    tf.config.optimizer.set_experimental_options({_REWRITE: True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({_REWRITE: False})
