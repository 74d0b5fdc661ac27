"""What matters: views of one host and of two, the catalogue of rules, and what causes what."""
