"""The local stack: Apache Kafka, PostgreSQL and Triton as child processes of one supervisor."""
