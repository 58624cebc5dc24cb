"""bfloat16 while training, and exact numbers before and after."""

from pathlib import Path

import numpy as np
import pytest

from services.trainer.settings import prepare_tensorflow

pytestmark = [pytest.mark.filterwarnings("ignore")]  # TensorFlow warns of its own dependencies


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("fpu avx2 avx512f", False), ("fpu avx512_bf16 avx512f", True), ("amx_bf16", True), ("", False)],
)
def test_the_processor_says_whether_it_multiplies_bfloat16(tmp_path: Path, flags: str, expected: bool) -> None:
    from services.trainer.arithmetic import has_bfloat16

    facts = tmp_path / "cpuinfo"
    facts.write_text(f"processor : 0\nflags\t\t: {flags}\n", encoding="ascii")
    assert has_bfloat16(facts) is expected
    assert has_bfloat16(tmp_path / "none") is False


def test_graphs_round_inside_only_and_only_where_the_processor_can() -> None:
    prepare_tensorflow(0)
    import tensorflow as tf

    from services.trainer.arithmetic import bfloat16_arithmetic, has_bfloat16

    rng = np.random.default_rng(1)
    picture = tf.constant(rng.standard_normal((2, 32, 32, 64)), tf.float32)
    kernel = tf.constant(rng.standard_normal((3, 3, 64, 64)), tf.float32)
    graph = tf.function(lambda x: tf.nn.conv2d(tf.nn.conv2d(x, kernel, 1, "SAME"), kernel, 1, "SAME"))
    before = graph(picture).numpy()
    with bfloat16_arithmetic():
        inside = graph(picture).numpy()
    np.testing.assert_array_equal(graph(picture).numpy(), before)
    error = np.abs(inside - before).max() / np.abs(before).max()
    assert error < 0.02
    assert bool(error > 1e-4) is has_bfloat16()
