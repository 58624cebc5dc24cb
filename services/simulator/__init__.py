"""Simulator room: a strip line with known faults as an export of inspections, with the truth beside it."""
