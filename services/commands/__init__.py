"""Commands of `millsight`: each a thin door that wires rooms and adapters."""
