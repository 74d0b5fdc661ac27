"""What lspci is known to print: names and types, which release prints what, what a dump is able to show."""
