"""JSON out and in, with its schemas."""
