"""Help by topic: Markdown that reads well in a terminal and on a repository's page."""
