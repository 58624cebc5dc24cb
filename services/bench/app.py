"""One run of the benchmark: workers and stack up, rates in turn, latency, ceiling, soak."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.bench.figures import Part
from services.bench.images import images_of, rendered_images, save_images
from services.bench.line_slices import Arrivals, Drained, LineBench
from services.bench.machine import busy_share, has_package, usable_cores
from services.bench.plan import Plan
from services.bench.processes import MemorySample, core_seconds
from services.bench.rounds import RoundTable, Slice, Taken, measure_in_turn
from services.bench.stack import CAMERAS, BenchStack
from services.bench.worker import Answer, Message, Worker, number, text
from services.contracts.errors import ConfigurationError
from services.domain.topology import DEFAULT_MODEL

Say = Callable[[str], None]

REFERENCE_BATCH: Final = 64
HALF_LOAD: Final = 0.5
HIGH_LOAD: Final = 0.8
ENGINE, TRITON, LINE = "engine", "triton", "end_to_end"
REFERENCE, REFERENCE_SINGLE = "reference_batch_64", "reference_batch_1"

_START_TIMEOUT_S: Final = 300.0
_SLICE_TIMEOUT_S: Final = 300.0
_RATE_PARTS: Final = frozenset({Part.ENGINE, Part.TRITON, Part.END_TO_END, Part.REFERENCE})
_TRITON_PARTS: Final = frozenset({Part.TRITON, Part.END_TO_END})
_STORE_PARTS: Final = frozenset({Part.END_TO_END, Part.CEILING})
_ENGINE_PACKAGES: Final = ("openvino",)
_REFERENCE_PACKAGES: Final = ("keras", "tensorflow-cpu", "tensorflow")


@dataclass(slots=True)
class Findings:
    """All that was measured, before anything is made of it."""

    busy_share: float = 0.0
    image_count: int = 0
    image_bytes: int = 0
    rates: RoundTable = field(default_factory=RoundTable)
    described: dict[str, Answer] = field(default_factory=dict)
    missing: dict[Part, str] = field(default_factory=dict)
    half_load: Arrivals | None = None
    high_load: Arrivals | None = None
    ceiling: list[Drained] = field(default_factory=list)
    soak: tuple[MemorySample, ...] = ()


class Bench:
    """Owns the processes of one run."""

    def __init__(self, plan: Plan, say: Say) -> None:
        """Plan a run; nothing is started before `run`.

        Raises:
            ConfigurationError: The model is needed and not there.
        """
        self._plan = plan
        self._say = say
        self._findings = Findings()
        self._model_file = (
            newest_model(plan.model_repository) if plan.parts - {Part.CEILING, Part.REFERENCE} else None
        )

    def run(self) -> Findings:
        """Measure everything that is planned; what was started is stopped, whatever happens.

        Raises:
            MillsightError: A part does not start, ends, or stands still.
        """
        findings = self._findings
        findings.busy_share = busy_share()
        with ExitStack() as running:
            stack = BenchStack(self._plan.model_repository, self._say)
            running.callback(stack.stop)
            self._lay_out_images(stack)
            line = self._start_line(stack, running)
            if self._plan.parts & _RATE_PARTS:
                with ExitStack() as measuring:
                    self._measure_rates(stack, line, measuring)
            if line is not None:
                self._measure_loads(stack, line)
                self._measure_ceiling(stack, line, running)
        return findings

    def _lay_out_images(self, stack: BenchStack) -> None:
        plan = self._plan
        images = (
            rendered_images(plan.image_count) if plan.images is None else images_of(plan.images, plan.image_count)
        )
        self._findings.image_count = len(images)
        self._findings.image_bytes = sum(len(image) for image in images) // len(images)
        save_images(images, _images(stack))

    def _start_line(self, stack: BenchStack, running: ExitStack) -> LineBench | None:
        """Start the servers that the plan needs; return the line under load, None when no store is needed."""
        if self._plan.parts & _TRITON_PARTS:
            self._say("starting Triton")
            stack.start_triton()
        if not self._plan.parts & _STORE_PARTS:
            return None
        self._say("starting Kafka and PostgreSQL")
        stack.start_stores()
        producer = self._start_worker(
            "producer_worker",
            {"bootstrap_servers": stack.kafka.bootstrap_servers, "cameras": ",".join(CAMERAS)},
            stack,
            running,
        )
        connection = running.enter_context(closing(stack.connect()))
        return LineBench(stack, producer, connection)

    def _measure_rates(self, stack: BenchStack, line: LineBench | None, measuring: ExitStack) -> None:
        plan = self._plan
        slices: dict[str, Slice] = {}
        if plan.wants(Part.ENGINE) and self._installed(Part.ENGINE, _ENGINE_PACKAGES):
            slices[ENGINE] = self._engine_slice(stack, measuring)
        if plan.wants(Part.TRITON):
            arguments = {"url": stack.triton.grpc_url, "model_name": DEFAULT_MODEL, "trial_s": plan.trial_s}
            worker = self._described(TRITON, "triton_worker", arguments, stack, measuring)
            slices[TRITON] = _timed(worker, {"seconds": plan.slice_s}, "client", stack.triton.pid)
        if plan.wants(Part.END_TO_END) and line is not None:
            slices[LINE] = lambda: _drained(line, stack.triton.grpc_url, plan.end_to_end_frames)
        if plan.wants(Part.REFERENCE) and self._installed(Part.REFERENCE, _REFERENCE_PACKAGES):
            worker = self._described(REFERENCE, "reference_worker", {"batch": REFERENCE_BATCH}, stack, measuring)
            slices[REFERENCE] = _timed(worker, {"batch": REFERENCE_BATCH, "seconds": plan.slice_s})
            slices[REFERENCE_SINGLE] = _timed(worker, {"batch": 1, "seconds": plan.slice_s / 2})
        if LINE in slices:
            self._say("warming the line up")
            slices[LINE]()
        limits = {REFERENCE: plan.reference_rounds, REFERENCE_SINGLE: plan.reference_rounds}
        self._findings.rates = measure_in_turn(slices, plan.rounds, limits, self._say)

    def _engine_slice(self, stack: BenchStack, measuring: ExitStack) -> Slice:
        arguments = {
            "model": str(self._model_file),
            "cores": usable_cores(),
            "trial_s": self._plan.trial_s,
            "busy_share": self._findings.busy_share,
        }
        worker = self._described(ENGINE, "engine_worker", arguments, stack, measuring)
        return _timed(worker, {"seconds": self._plan.slice_s})

    def _measure_loads(self, stack: BenchStack, line: LineBench) -> None:
        plan, findings = self._plan, self._findings
        capacity = findings.rates.rate(LINE)
        if capacity is None:
            return
        if plan.wants(Part.LATENCY):
            for share in (HALF_LOAD, HIGH_LOAD):
                self._say(f"latency at {share:.0%} of {capacity.value:.1f} frames/s, {plan.latency_s:.0f} s")
                arrivals = line.arrive(share * capacity.value, plan.latency_s)
                if share == HALF_LOAD:
                    findings.half_load = arrivals
                else:
                    findings.high_load = arrivals
        if plan.wants(Part.SOAK):
            self._say(f"soak at {HALF_LOAD:.0%} load, {plan.soak_s / 60:.1f} min")
            findings.soak = line.soak(_images(stack), HALF_LOAD * capacity.value, plan.soak_s)

    def _measure_ceiling(self, stack: BenchStack, line: LineBench, running: ExitStack) -> None:
        if not self._plan.wants(Part.CEILING):
            return
        stub = self._start_worker("stub_worker", {"model_name": DEFAULT_MODEL}, stack, running)
        url = text(stub.ask({}, _SLICE_TIMEOUT_S), "url")
        rounds = self._plan.ceiling_rounds
        for done in range(rounds):
            drained = line.drain(url, self._plan.ceiling_frames)
            self._findings.ceiling.append(drained)
            self._say(f"ceiling {done + 1} of {rounds}: {drained.rate:.0f} frames/s with a stub")

    def _installed(self, part: Part, packages: Sequence[str]) -> bool:
        if any(has_package(name) for name in packages):
            return True
        self._findings.missing[part] = "not measured: install the trainer extra"
        return False

    def _described(
        self, name: str, module: str, arguments: Message, stack: BenchStack, measuring: ExitStack
    ) -> Worker:
        worker = self._start_worker(module, arguments, stack, measuring)
        self._findings.described[name] = worker.ask({"do": "describe"}, _SLICE_TIMEOUT_S)
        return worker

    def _start_worker(self, module: str, arguments: Message, stack: BenchStack, running: ExitStack) -> Worker:
        self._say(f"starting the {module.replace('_', ' ')}")
        worker = Worker(module, {"images": str(_images(stack)), **arguments}, stack.logs / f"{module}.log")
        running.callback(worker.close)
        worker.answer(_START_TIMEOUT_S)
        return worker


def newest_model(repository: Path) -> Path:
    """Return the network of the newest version in the repository.

    Raises:
        ConfigurationError: There is none.
    """
    found = [file for file in (repository / DEFAULT_MODEL).glob("*/model.xml") if file.parent.name.isdigit()]
    if not found:
        raise ConfigurationError(
            f"no model in {repository / DEFAULT_MODEL} (<version>/model.xml): train one with 'millsight train', "
            "or name another repository with --models"
        )
    return max(found, key=lambda file: int(file.parent.name))


def _images(stack: BenchStack) -> Path:
    return stack.directory / "images"


def _timed(worker: Worker, request: Message, name: str = "engine", server_pid: int | None = None) -> Slice:
    def measure() -> Taken:
        servers = {} if server_pid is None else {"triton": server_pid}
        before = core_seconds(servers)
        answer = worker.ask(request, _SLICE_TIMEOUT_S)
        images = number(answer, "images")
        used = {each: spent - before[each] for each, spent in core_seconds(servers).items()}
        used[name] = number(answer, "core_s")
        return Taken(images / number(answer, "seconds"), {each: spent / images for each, spent in used.items()})

    return measure


def _drained(line: LineBench, triton_url: str, frames: int) -> Taken:
    drained = line.drain(triton_url, frames)
    return Taken(drained.rate, drained.costs_core_s)
