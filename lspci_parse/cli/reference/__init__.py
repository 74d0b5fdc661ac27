"""Manual page and completions, made from the argument parser."""
