"""The evaluation: simulated runs with known truth through the real monitor, and what they say about it."""
