"""What can be wrong with a package: errors that end the reading, deviations that do not."""

from dataclasses import dataclass

from axis.errors import Malformed

# The stable codes of EdxmlError. A code never changes its meaning; a new case gets a new code.
CODES = {
    "edxml/not-well-formed": "the bytes are not well-formed XML",
    "edxml/doctype": "a document type declaration, which no package needs and every XML bomb does",
    "edxml/encoding": "the bytes are not UTF-8, or declare to be something else",
    "edxml/too-deep": "elements are nested deeper than the limit",
    "edxml/too-large": "the package, one of its parts, or the number of its elements is over the limit",
    "edxml/not-edxml": "well-formed XML of another kind",
    "edxml/missing-field": "a field without which nobody can be sent anything is missing or empty",
    "edxml/bad-base64": "an attachment is not base64",
    "edxml/zip-bomb": "an attachment unpacks to more than the limit",
    "edxml/code": "an organisation code that has no canonical form",
    "edxml/conversion": "understood, but does not fit an envelope or a status",
}


class EdxmlError(Malformed):
    """Report a package that cannot be read, and where (1-based line and column; None when there is no place)."""

    code = "edxml/not-well-formed"

    def __str__(self) -> str:
        place = "" if self.line is None else f" (line {self.line}, column {self.column})"
        return f"{self.code}: {self.detail}{place}"


@dataclass(frozen=True, slots=True)
class Deviation:
    """One tolerated departure from the format: a stable `code`, a sentence, and where it was seen (1-based)."""

    code: str
    message: str
    line: int | None = None
    column: int | None = None
