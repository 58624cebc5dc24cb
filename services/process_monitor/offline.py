"""Analyses an export of inspections with the rules of the running monitor."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.contracts.errors import ConfigurationError
from services.contracts.flag_document import flag_document
from services.contracts.inspection_file import read_export
from services.contracts.material_file import material_for
from services.domain.material import MaterialPack
from services.domain.monitoring.analysis import CoilReport, LineAnalysis, analyse
from services.domain.monitoring.facts import Flag
from services.domain.monitoring.flagging import worst_first
from services.domain.monitoring.landmark_events import landmark_sentences
from services.domain.registration.table import InspectionTable
from services.domain.topology import Topology


@dataclass(frozen=True, slots=True)
class LineFindings:
    """What an export says of one line.

    Attributes:
        flags: Every flag as it stood last, worst first.
        notes: Sentences about coil changes and cameras that raised no flag.
    """

    line_id: str
    rows: int
    coils: int
    learning_coils: int
    flags: tuple[Flag, ...]
    notes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {
            "line_id": self.line_id,
            "rows": self.rows,
            "coils": self.coils,
            "learning_coils": self.learning_coils,
            "flags": [flag_document(flag) for flag in self.flags],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class ExportFindings:
    """What an export says; `duplicates_dropped` rows stood there twice, word for word."""

    lines: tuple[LineFindings, ...]
    duplicates_dropped: int

    def document(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {
            "flags": [flag_document(flag) for line in self.lines for flag in line.flags],
            "lines": [{k: v for k, v in line.document().items() if k != "flags"} for line in self.lines],
            "duplicates_dropped": self.duplicates_dropped,
        }


def analyse_export(path: Path, topology: Topology, packs: Mapping[str, MaterialPack]) -> ExportFindings:
    """Analyse an export.

    Args:
        path: CSV or Parquet, see docs/process-monitor.md.
        topology: The line file.
        packs: Material packs by name.

    Raises:
        ConfigurationError: The export is none, or a line of it has no camera behind a machine.
    """
    export = read_export(path, topology)
    lines = tuple(_line(name, table, topology, packs) for name, table in export.tables.items())
    return ExportFindings(lines, export.duplicates_dropped)


def _line(
    line_id: str, table: InspectionTable, topology: Topology, packs: Mapping[str, MaterialPack]
) -> LineFindings:
    versions = topology.history(line_id)
    pack = material_for(packs, versions[-1].line.cameras[0].material)
    try:
        analysis = LineAnalysis(versions, classes_of(table, pack), pack)
    except ValueError as error:
        raise ConfigurationError(f"{error}: place a camera behind a machine in the line file") from error
    table = table.recoded(table.cameras, table.coils, analysis.monitor.frame.classes)
    latest: dict[object, Flag] = {}
    notes: list[str] = []
    coils = 0
    for report in analyse(table, analysis):
        coils += 1
        latest.update({flag.flag_id: flag for flag in report.flags})
        notes += landmark_sentences(report.outcome.name, report.landmarks)
        notes += _camera_sentences(report, analysis)
    learning = versions[-1].line.monitoring.learning_coils
    if coils <= learning:
        notes.append(
            f"All {coils} coils were needed to learn what is normal ({learning}): nothing can be flagged yet."
        )
    return LineFindings(
        line_id, len(table), coils, learning, worst_first(tuple(latest.values())), tuple(dict.fromkeys(notes))
    )


def classes_of(table: InspectionTable, pack: MaterialPack) -> tuple[str, ...]:
    """Return the defect classes to watch: those of the pack, or the steel classes, and whatever else occurs."""
    known = list(pack.classes)
    return (*known, *sorted(set(table.classes) - set(known)))


def _camera_sentences(report: CoilReport, analysis: LineAnalysis) -> list[str]:
    """Say which cameras fell silent or show nothing; a silent camera is never taken for a clean strip."""
    cameras = analysis.monitor.frame.layout.cameras
    return [f"{cameras[camera]}: {finding.reason}" for camera, finding in report.outcome.check.findings]
