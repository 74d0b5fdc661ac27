"""From bytes to a dump, in this order: reading, segments, repair, device, transform, dumps, truncation."""
