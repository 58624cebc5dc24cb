"""Trainer room: images and a CSV in, a model version out; the only importer of TensorFlow."""
