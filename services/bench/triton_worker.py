"""Worker: the same model behind Triton, over gRPC: uint8 batches, two requests in flight."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import tritonclient.grpc as triton

from services.bench.images import pixels_of, saved_images
from services.bench.worker import Answer, Message, number, serve, text

BATCHES: Final = (8, 16)
IN_FLIGHT: Final = 2
_TIMEOUT_S: Final = 60.0
_WARM_UP_S: Final = 0.5


class TritonLoad:
    """A closed loop: as soon as one of two requests is answered, the next is sent."""

    def __init__(self, url: str, model_name: str) -> None:
        """Ask the server what the model's input and outputs are called.

        Raises:
            tritonclient.utils.InferenceServerException: The server or the model is not there.
        """
        self._client = triton.InferenceServerClient(url)
        self._model_name = model_name
        metadata = self._client.get_model_metadata(model_name, client_timeout=_TIMEOUT_S)
        self._input = metadata.inputs[0].name
        self._outputs = [triton.InferRequestedOutput(output.name) for output in metadata.outputs]

    def run(self, pixels: npt.NDArray[np.uint8], batch: int, seconds: float) -> tuple[int, float]:
        """Infer for this long; return the number of images and the seconds it really took."""
        inputs = [
            self._input_of(pixels[start : start + batch]) for start in range(0, len(pixels) - batch + 1, batch)
        ]
        answered = threading.Semaphore(IN_FLIGHT)
        failures: list[Exception] = []

        def finish(result: object, error: Exception | None) -> None:  # noqa: ARG001 - given by name
            if error is not None:
                failures.append(error)
            answered.release()

        started_s = time.monotonic()
        count = 0
        while time.monotonic() - started_s < seconds and not failures:
            answered.acquire()
            self._client.async_infer(
                self._model_name,
                [inputs[count % len(inputs)]],
                finish,
                outputs=self._outputs,
                client_timeout=_TIMEOUT_S,
            )
            count += 1
        for _ in range(IN_FLIGHT):
            answered.acquire()
        if failures:
            raise failures[0]
        return count * batch, time.monotonic() - started_s

    def _input_of(self, pixels: npt.NDArray[np.uint8]) -> triton.InferInput:
        tensor = triton.InferInput(self._input, list(pixels.shape), "UINT8")
        tensor.set_data_from_numpy(pixels)
        return tensor


def prepare(arguments: Message) -> Callable[[Message], Answer]:
    """Try the batch sizes for a moment and keep the fastest."""
    pixels = pixels_of(saved_images(Path(text(arguments, "images"))))
    load = TritonLoad(text(arguments, "url"), text(arguments, "model_name"))
    trials = _trials(load, pixels, number(arguments, "trial_s"))
    batch = max(trials, key=lambda size: trials[size])

    def handle(request: Message) -> Answer:
        if request.get("do") == "describe":
            named = {f"batch {size}": rate for size, rate in trials.items()}
            return {"configuration": f"batch {batch}, {IN_FLIGHT} in flight", "trials": named}
        before_s = time.process_time()
        count, took_s = load.run(pixels, batch, number(request, "seconds"))
        return {"images": count, "seconds": took_s, "core_s": time.process_time() - before_s}

    return handle


def _trials(load: TritonLoad, pixels: npt.NDArray[np.uint8], seconds: float) -> dict[int, float]:
    rates = {}
    for batch in _sizes(len(pixels)):
        load.run(pixels, batch, _WARM_UP_S)
        count, took_s = load.run(pixels, batch, seconds)
        rates[batch] = count / took_s
    return rates


def _sizes(images: int) -> Sequence[int]:
    return [size for size in BATCHES if size <= images] or [images]


if __name__ == "__main__":
    serve(prepare)
