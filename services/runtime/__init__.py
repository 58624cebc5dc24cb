"""How a process lives: settings, logs, clock, deadlines, metrics, health."""
