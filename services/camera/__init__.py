"""Camera room: images in, frames out to Kafka through a durable spool."""
