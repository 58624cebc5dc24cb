"""Millsight: one import package; a folder with a `__main__.py` is a room (a microservice)."""
