"""Worker: the raw engine, OpenVINO in this process with all cores; the best of a few configurations is kept.

Pixels are decoded beforehand: this is the engine's own rate, which everything else is compared with.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from services.bench.images import pixels_of, saved_images
from services.bench.worker import Answer, Message, number, serve, text

_WARM_UP_S: Final = 0.5
_BUSY_SHARE: Final = 0.15
"""When others use more, rates of single trials say more about them than about a configuration."""

_PRECISIONS: Final = {"u8": "int8", "i8": "int8", "f32": "float32", "bf16": "bfloat16"}


@dataclass(frozen=True, slots=True)
class Configuration:
    """One way to run the engine: streams share the cores, requests keep them busy."""

    batch: int
    streams: int
    requests: int

    @override
    def __str__(self) -> str:
        """Say it in words."""
        return f"batch {self.batch}, {self.streams} stream{'s' * (self.streams > 1)}, {self.requests} in flight"


def configurations(cores: int) -> tuple[Configuration, ...]:
    """Return what is tried: one stream on all cores, and a stream for each core, with small and large batches."""
    tried = [Configuration(8, 1, 2), Configuration(16, 1, 2)]
    if cores > 1:
        tried += [Configuration(batch, cores, 2 * cores) for batch in (1, 4, 8)]
    return tuple(tried)


class Engine:
    """A compiled model and the batches it is fed."""

    def __init__(self, model_file: Path, configuration: Configuration, cores: int) -> None:
        """Compile the model and run it once."""
        import openvino

        self.configuration = configuration
        self._compiled = openvino.Core().compile_model(
            str(model_file),
            "CPU",
            {
                "PERFORMANCE_HINT": "THROUGHPUT",
                "INFERENCE_PRECISION_HINT": "f32",
                "NUM_STREAMS": configuration.streams,
                "INFERENCE_NUM_THREADS": cores,
            },
        )
        self._queue = openvino.AsyncInferQueue(self._compiled, configuration.requests)

    def run(self, pixels: npt.NDArray[np.uint8], seconds: float) -> tuple[int, float]:
        """Infer batch after batch for this long; return the number of images and the seconds it really took."""
        size = self.configuration.batch
        batches = [pixels[start : start + size] for start in range(0, len(pixels) - size + 1, size)]
        started_s = time.monotonic()
        count = 0
        while time.monotonic() - started_s < seconds:
            self._queue.start_async({0: batches[count % len(batches)]}, share_inputs=True)
            count += 1
        self._queue.wait_all()
        return count * size, time.monotonic() - started_s

    def precision(self) -> str:
        """Say what the first convolution is computed in."""
        for node in self._compiled.get_runtime_model().get_ops():
            facts = node.get_rt_info()
            if str(facts["layerType"].astype(str)) == "Convolution":
                precision = str(facts["runtimePrecision"].astype(str)).lower()
                return _PRECISIONS.get(precision, precision)
        return "unknown"


def prepare(arguments: Message) -> Callable[[Message], Answer]:
    """Try every configuration for a moment and keep the fastest; on a busy machine, the one that costs least."""
    import openvino

    cores = int(number(arguments, "cores"))
    trial_s = number(arguments, "trial_s")
    pixels = pixels_of(saved_images(Path(text(arguments, "images"))))
    model_file = Path(text(arguments, "model"))
    busy = number(arguments, "busy_share") > _BUSY_SHARE
    trials: dict[str, Mapping[str, float]] = {}
    best: tuple[float, Engine] | None = None
    for configuration in configurations(cores):
        engine = Engine(model_file, configuration, cores)
        engine.run(pixels, _WARM_UP_S)
        before_s = time.process_time()
        count, took_s = engine.run(pixels, trial_s)
        rate, per_core_s = count / took_s, count / (time.process_time() - before_s)
        trials[str(configuration)] = {"images_per_s": rate, "images_per_core_s": per_core_s}
        merit = per_core_s if busy else rate
        if best is None or merit > best[0]:
            best = (merit, engine)
    assert best is not None  # noqa: S101 - there is always a first configuration
    chosen = best[1]

    def handle(request: Message) -> Answer:
        if request.get("do") == "describe":
            return {
                "configuration": str(chosen.configuration),
                "trials": trials,
                "precision": chosen.precision(),
                "version": openvino.__version__,
            }
        before_s = time.process_time()
        count, took_s = chosen.run(pixels, number(request, "seconds"))
        return {"images": count, "seconds": took_s, "core_s": time.process_time() - before_s}

    return handle


if __name__ == "__main__":
    serve(prepare)
