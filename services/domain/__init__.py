"""Pure rules of the line and its inspections: no clock, no randomness, no I/O."""
