"""The one error that users meet."""

from __future__ import annotations

import pickle

from lspci_parse import LspciError


def test_place_message_and_caret() -> None:
    error = LspciError("no rule knows this line", "bad.txt", 7, 3, "\t\tFoo: bar")
    assert str(error) == "bad.txt:7:3: no rule knows this line\n  \t\tFoo: bar\n  \t\t^"


def test_message_alone() -> None:
    assert str(LspciError("the input is empty")) == "the input is empty"


def test_file_without_line() -> None:
    assert str(LspciError("is a folder", "dumps")) == "dumps: is a folder"


def test_it_is_a_value_error_and_survives_pickling() -> None:
    error = LspciError("what", "a.txt", 1, 2, "text")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - pickled just here
    assert isinstance(again, LspciError)
    assert isinstance(again, ValueError)
    assert (str(again), again.line) == (str(error), 1)


def test_located_names_a_file_once() -> None:
    assert LspciError("what").located("a.txt").source == "a.txt"
    assert LspciError("what", "b.txt").located("a.txt").source == "b.txt"
