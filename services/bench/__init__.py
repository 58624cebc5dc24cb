"""Measures the line on this machine: engine, Triton, end to end, latency, ceiling, and the reference stack."""
