"""Worker: the reference stack, Keras ResNet50 in float32 with a Dense head, one predict loop, decoding included.

The weights are random: they change what is said, not how long it takes.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from services.bench.images import MODEL_INPUT_PX, pixels_of, saved_images
from services.bench.worker import Answer, Message, number, serve, text
from services.domain.classes import DEFECT_CLASSES

if TYPE_CHECKING:
    import keras


def build() -> "keras.Model":
    """Build ResNet50 without its top, average pooling, Dense 128 ReLU, Dense softmax over ten classes."""
    import keras

    backbone = keras.applications.ResNet50(
        include_top=False, weights=None, pooling="avg", input_shape=(MODEL_INPUT_PX, MODEL_INPUT_PX, 3)
    )
    hidden = keras.layers.Dense(128, activation="relu")(backbone.output)
    return keras.Model(backbone.input, keras.layers.Dense(len(DEFECT_CLASSES), activation="softmax")(hidden))


def predict_loop(model: "keras.Model", images: list[bytes], batch: int, seconds: float) -> tuple[int, float]:
    """Decode and predict batch after batch for at least this long; return images and seconds really taken."""
    started_s = time.monotonic()
    count = 0
    while (took_s := time.monotonic() - started_s) < seconds:
        chosen = [images[(count + index) % len(images)] for index in range(batch)]
        model.predict(pixels_of(chosen).astype("float32"), batch_size=batch, verbose=0)
        count += batch
    return count, took_s


def prepare(arguments: Message) -> Callable[[Message], Answer]:
    """Build the model and run it once with each batch size."""
    import keras
    import tensorflow

    images = saved_images(Path(text(arguments, "images")))
    model = build()
    for batch in (int(number(arguments, "batch")), 1):
        predict_loop(model, images, batch, 0.0001)

    def handle(request: Message) -> Answer:
        if request.get("do") == "describe":
            return {"keras": keras.__version__, "tensorflow": tensorflow.__version__, "precision": "float32"}
        before_s = time.process_time()
        count, took_s = predict_loop(model, images, int(number(request, "batch")), number(request, "seconds"))
        return {"images": count, "seconds": took_s, "core_s": time.process_time() - before_s}

    return handle


if __name__ == "__main__":
    serve(prepare)
