"""Where the tests find their material."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The project."""
CORPUS = ROOT / "corpus"
"""The project's own dumps."""
SHARED = ROOT.parent / "shared"
"""Recorded and generated material beside the project; it may be missing."""
