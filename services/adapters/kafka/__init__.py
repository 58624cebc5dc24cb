"""Kafka: source, sink, dead letters."""
