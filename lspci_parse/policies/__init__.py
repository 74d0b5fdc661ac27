"""A host against what somebody wants of it."""
