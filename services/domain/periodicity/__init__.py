"""Defects that repeat along the strip, and the rolls whose turn they match."""
