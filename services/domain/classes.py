"""Names of what a frame can show: the ten steel-strip surface defects, and a clean surface.

Source of the ten classes: GC10-DET, Lv, Duan, Jiang, Fu, Gan, Sensors 2020, 20(6), 1562. The position of a
name in `DEFECT_CLASSES` is its nominal class number.
"""

from typing import Final

DEFECT_CLASSES: Final = (
    "crease",
    "crescent_gap",
    "inclusion",
    "oil_spot",
    "punching_hole",
    "rolled_pit",
    "silk_spot",
    "waist_folding",
    "water_spot",
    "welding_line",
)
"""The ten surface defects in nominal order 0 to 9."""

NO_DEFECT: Final = "no_defect"
"""Verdict for a frame of clean strip: the camera looked and found nothing."""

SURFACE_LABELS: Final = (*DEFECT_CLASSES, NO_DEFECT)
"""Output order of the `surface_defects` model."""

COIL_CHANGE_CLASSES: Final = frozenset({"welding_line", "punching_hole", "crescent_gap"})
"""Marks of a coil change (weld, tracking hole, notch) when they stand beside each other: not a machine fault."""
