"""Classifier room: frames in, inspections out to PostgreSQL."""
