"""A gRPC server that speaks Triton's protocol and answers as it is told: no model, no Triton."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
from tritonclient.grpc import service_pb2, service_pb2_grpc

from services.contracts.image_path import Pixels
from services.domain.classes import SURFACE_LABELS

Message = Any
"""A protobuf message; Triton's classes are made at run time and have no types."""


@dataclass
class ServedModel:
    """What the server says; change it while it runs."""

    name: str = "surface_defects"
    version: str = "3"
    side_px: int = 32
    labels: tuple[str, ...] = SURFACE_LABELS
    status: grpc.StatusCode | None = None
    seconds: float = 0.0
    has_evidence: bool = True
    ready: bool = True
    requests: list[int] = field(default_factory=list)


class ScriptedTriton(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]  # generated, untyped
    """Answers each image with the class whose number is its first pixel's red."""

    def __init__(self, model: ServedModel) -> None:
        self.model = model

    def ModelReady(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802 - Triton's name
        return service_pb2.ModelReadyResponse(ready=self.model.ready and request.name == self.model.name)

    def ModelMetadata(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802 - Triton's name
        self._refuse(request.name, context)
        side, classes = self.model.side_px, len(self.model.labels)
        tensor = service_pb2.ModelMetadataResponse.TensorMetadata
        outputs = [tensor(name="probabilities", datatype="FP32", shape=[-1, classes])]
        if self.model.has_evidence:
            outputs.append(tensor(name="evidence", datatype="FP32", shape=[-1, 7, 7, classes]))
        return service_pb2.ModelMetadataResponse(
            name=self.model.name,
            versions=[self.model.version],
            inputs=[tensor(name="image", datatype="UINT8", shape=[-1, side, side, 3])],
            outputs=outputs,
        )

    def ModelInfer(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802 - Triton's name
        self._refuse(request.model_name, context)
        time.sleep(self.model.seconds)
        shape = tuple(request.inputs[0].shape)
        self.model.requests.append(shape[0])
        if shape[1:] != (self.model.side_px, self.model.side_px, 3):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "unexpected shape")
        images = np.frombuffer(request.raw_input_contents[0], np.uint8).reshape(shape)
        return self._answer(request, images)

    def _answer(self, request: Message, images: Pixels) -> Message:
        classes = len(self.model.labels)
        winners = images[:, 0, 0, 0] % classes
        probabilities = np.full((len(images), classes), 0.01, np.float32)
        probabilities[np.arange(len(images)), winners] = 0.9
        evidence = np.broadcast_to(np.arange(classes, dtype=np.float32), (len(images), 7, 7, classes))
        answer = service_pb2.ModelInferResponse(model_name=self.model.name, model_version=self.model.version)
        for wanted in request.outputs:
            if wanted.name == "evidence":
                _add(answer, "evidence", "FP32", (evidence.shape, evidence.tobytes()))
            elif wanted.parameters["classification"].int64_param:
                texts = [f"{p:f}:{i}:{self.model.labels[i]}".encode() for i, p in enumerate(probabilities[0])]
                packed = b"".join(len(text).to_bytes(4, "little") + text for text in texts)
                _add(answer, "probabilities", "BYTES", ((1, classes), packed))
            else:
                _add(answer, "probabilities", "FP32", (probabilities.shape, probabilities.tobytes()))
        return answer

    def _refuse(self, name: str, context: grpc.ServicerContext) -> None:
        if name != self.model.name:
            context.abort(grpc.StatusCode.NOT_FOUND, f"unknown model '{name}'")
        if self.model.status is not None:
            context.abort(self.model.status, "scripted")


def _add(answer: Message, name: str, kind: str, values: tuple[tuple[int, ...], bytes]) -> None:
    shape, raw = values
    answer.outputs.add(name=name, datatype=kind, shape=list(shape))
    answer.raw_output_contents.append(raw)


@contextmanager
def scripted_triton(model: ServedModel, port: int = 0) -> Iterator[str]:
    """Serve while the block runs; yield host:port."""
    server = grpc.server(ThreadPoolExecutor(4))
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(ScriptedTriton(model), server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        yield f"127.0.0.1:{bound}"
    finally:
        server.stop(None).wait()
