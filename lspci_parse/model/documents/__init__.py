"""Validators that fastjsonschema wrote from our schemas; ``.ci/generate`` writes them again."""
