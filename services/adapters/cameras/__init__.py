"""Cameras: everything that yields images."""
