"""What ends the reading of a package, and where."""

from axis.errors import Malformed
from schemas.reasons import edxml

# The stable codes of EdxmlError.
CODES = frozenset(reason.code for reason in edxml.REASONS)


class EdxmlError(Malformed):
    """Report a package that cannot be read, and where (1-based line and column, path; None when there is no place)."""

    code = "edxml/not-well-formed"

    def __init__(
        self, detail: str, *, code: str, line: int | None = None, column: int | None = None, path: str | None = None
    ) -> None:
        super().__init__(detail, code=code, line=line, column=column)
        self.path = path

    def __str__(self) -> str:
        place = "" if self.line is None else f" (line {self.line}, column {self.column})"
        return f"{self.code}: {self.detail}{place}"
