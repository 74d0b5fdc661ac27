"""A report as one self-contained page: the verdict, the machine as a picture, every fact behind a click."""
