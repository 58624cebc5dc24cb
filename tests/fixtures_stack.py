"""Fixtures of real servers (to be filled by the embedded stack)."""
