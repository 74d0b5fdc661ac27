"""One writer for each format. Compares nothing."""
