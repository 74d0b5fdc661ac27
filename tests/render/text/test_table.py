"""Tables leave their cells alone."""

from lspci_parse.render.text.table import table


def test_ids_stay_ids_and_trees_stay_trees() -> None:
    """tabulate takes 1e31 for a number, 0010 for 10, and strips leading blanks unless it is told not to."""
    assert table([["1e31", "0010"], ["  └─ x", "1"]]).splitlines() == ["1e31    0010", "  └─ x  1"]
