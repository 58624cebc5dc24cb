"""What rooms say to each other: messages, topics, identity, codec, image path, errors."""
