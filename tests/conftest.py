"""Fixtures that several test modules use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.paths import SHARED


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded material beside the project; the test is skipped where it is missing."""
    if not SHARED.is_dir():
        pytest.skip("the recorded material (../shared) is not here")
    return SHARED
