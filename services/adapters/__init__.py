"""The only importers of Kafka, Triton, PostgreSQL and camera libraries."""
