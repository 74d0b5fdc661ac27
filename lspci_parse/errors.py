"""The one error that users of this package meet."""

from __future__ import annotations


class LspciError(ValueError):
    """Input that cannot be used: what was found, where, and what was expected.

    ``str(error)`` is ``FILE:LINE:COL: message``, followed by the line itself with a caret below the column
    where a line is known. All arguments are kept as attributes and the error survives pickling.

    Args:
        message: what was found and what was expected, one sentence without a full stop.
        source: name of the file, ``-`` for standard input, or ``None`` for a string in memory.
        line: number of the line, from 1, or ``None``.
        column: number of the character in that line, from 1, or ``None``.
        context: text of the line, or ``None``.
    """

    def __init__(
        self,
        message: str,
        source: str | None = None,
        line: int | None = None,
        column: int | None = None,
        context: str | None = None,
    ) -> None:
        super().__init__(message, source, line, column, context)
        self.message = message
        self.source = source
        self.line = line
        self.column = column
        self.context = context

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.source, self.line, self.column) if part is not None)
        text = f"{place}: {self.message}" if place else self.message
        if self.context is None:
            return text
        text += f"\n  {self.context}"
        if self.column is not None:
            # Keep tabs, so that the caret stands below its character whatever the tab width.
            lead = "".join("\t" if char == "\t" else " " for char in self.context[: self.column - 1])
            text += f"\n  {lead}^"
        return text

    def located(self, source: str) -> LspciError:
        """Return the same error naming ``source`` as its file, unless it names one already."""
        if self.source is not None:
            return self
        return LspciError(self.message, source, self.line, self.column, self.context)
