"""Worker: a server that speaks Triton's protocol and answers a constant, to see what the classifier does alone.

It is a stub: it infers nothing, says "no defect" of every image (so no evidence images are kept), and answers at
once. What the classifier does is real: Kafka, checks, decoding, gRPC, PostgreSQL, offsets.
"""

from collections.abc import Callable
from concurrent import futures
from functools import lru_cache
from typing import Final

import grpc
import numpy as np
from tritonclient.grpc import service_pb2, service_pb2_grpc
from typing_extensions import override

from services.bench.images import MODEL_INPUT_PX
from services.bench.worker import Answer, Message, serve, text
from services.domain.classes import NO_DEFECT, SURFACE_LABELS

_VERSION: Final = "1"
_MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
_CLASSES: Final = len(SURFACE_LABELS)
_OUTPUTS: Final = {"probabilities": (_CLASSES,), "embedding": (128,), "evidence": (7, 7, _CLASSES)}


class StubTriton(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc] # generated without types
    """Ready at once, knows one model, and finds nothing in any image."""

    def __init__(self, model_name: str) -> None:
        """Answer for this model."""
        self._model_name = model_name

    @override
    def ServerLive(self, request: object, context: object) -> service_pb2.ServerLiveResponse:
        """Say yes."""
        return service_pb2.ServerLiveResponse(live=True)

    @override
    def ServerReady(self, request: object, context: object) -> service_pb2.ServerReadyResponse:
        """Say yes."""
        return service_pb2.ServerReadyResponse(ready=True)

    @override
    def ModelReady(self, request: object, context: object) -> service_pb2.ModelReadyResponse:
        """Say yes."""
        return service_pb2.ModelReadyResponse(ready=True)

    @override
    def ModelMetadata(self, request: object, context: object) -> service_pb2.ModelMetadataResponse:
        """Describe the tensors as the real model does."""
        tensor = service_pb2.ModelMetadataResponse.TensorMetadata
        side = MODEL_INPUT_PX
        return service_pb2.ModelMetadataResponse(
            name=self._model_name,
            versions=[_VERSION],
            platform="openvino",
            inputs=[tensor(name="image", datatype="UINT8", shape=[-1, side, side, 3])],
            outputs=[tensor(name=name, datatype="FP32", shape=[-1, *shape]) for name, shape in _OUTPUTS.items()],
        )

    @override
    def ModelInfer(
        self, request: service_pb2.ModelInferRequest, context: object
    ) -> service_pb2.ModelInferResponse:
        """Say "no defect" of every image of the batch, with the outputs that were asked for."""
        batch = int(request.inputs[0].shape[0])
        response = service_pb2.ModelInferResponse(
            model_name=self._model_name, model_version=_VERSION, id=request.id
        )
        for output in request.outputs:
            if output.parameters["classification"].int64_param:
                response.outputs.add(name=output.name, datatype="BYTES", shape=[batch, _CLASSES])
                response.raw_output_contents.append(_ranking() * batch)
            else:
                response.outputs.add(name=output.name, datatype="FP32", shape=[batch, *_OUTPUTS[output.name]])
                response.raw_output_contents.append(_constant(output.name, batch))
        return response


@lru_cache(maxsize=256)
def _constant(name: str, batch: int) -> bytes:
    values = np.zeros((batch, *_OUTPUTS[name]), dtype=np.float32)
    if name == "probabilities":
        values[..., SURFACE_LABELS.index(NO_DEFECT)] = 1.0
    return values.tobytes()


def _ranking() -> bytes:
    """Return what Triton's classification extension answers: every class as `score:index:label`, best first."""
    names = sorted(enumerate(SURFACE_LABELS), key=lambda each: each[1] != NO_DEFECT)
    words = (f"{float(label == NO_DEFECT):f}:{index}:{label}".encode() for index, label in names)
    return b"".join(len(word).to_bytes(4, "little") + word for word in words)


def prepare(arguments: Message) -> Callable[[Message], Answer]:
    """Start to serve on a free port of loopback; any request is answered with the address."""
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=4),
        options=[("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES)],
    )
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(StubTriton(text(arguments, "model_name")), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()

    def handle(_request: Message) -> Answer:
        return {"url": f"127.0.0.1:{port}", "serving": server is not None}

    return handle


if __name__ == "__main__":
    serve(prepare)
