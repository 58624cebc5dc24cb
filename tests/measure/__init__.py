"""Measurements of the dashboard that are run by hand; see docs/dashboard.md."""
