"""A strip line as an abstract process, without pixels: known faults, seen by cameras with known weaknesses."""
