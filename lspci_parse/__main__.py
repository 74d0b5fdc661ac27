"""``python -m lspci_parse`` is the command ``lspci-parse``."""

from lspci_parse.cli import main

raise SystemExit(main())
