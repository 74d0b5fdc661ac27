"""One name and one type for each thing that any lspci release prints.

``FIELDS`` names every field terminal of the grammar. Where releases spell a field differently, the newest
release's spelling is the name (``MSI 0a`` and ``IntMsgNum 10`` are both ``IntMsgNum``, 10), and values likewise
(``75.000W`` is ``75W``). ``FLAGS`` does the same for flags, register by register, ``KINDS`` for capabilities
that a release prints by number.
"""

from lspci_parse.vocabulary.fields import FIELDS, Field
from lspci_parse.vocabulary.names import FLAGS, KINDS, UNITS
from lspci_parse.vocabulary.values import decimal, gpf_time, vpd_key, vpd_value

__all__ = ["FIELDS", "FLAGS", "KINDS", "UNITS", "Field", "decimal", "gpf_time", "vpd_key", "vpd_value"]
