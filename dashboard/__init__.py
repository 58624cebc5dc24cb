"""Streamlit dashboard: reads PostgreSQL through the read-only role."""
