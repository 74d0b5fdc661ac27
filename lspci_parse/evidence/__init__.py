"""What is known of a host beside its dump, and where it comes from."""
