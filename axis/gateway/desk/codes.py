"""Codes and names as a partner reads and writes them: by the directory, before the rule."""

import datetime as dt
from collections.abc import Callable

from axis.core.codes import canonical, to_qcvn102
from axis.core.directory import Directory
from axis.core.partners import CodeForm
from axis.edxml import Organisation


class Codes:
    """The directory as it stands, for the forms of codes. `directory` returns the latest."""

    def __init__(self, directory: Callable[[], Directory], now: Callable[[], dt.datetime]) -> None:
        self._directory = directory
        self._now = now

    @property
    def directory(self) -> Directory:
        """The directory as it stands now."""
        return self._directory()

    def read(self, text: str) -> str:
        """Return the canonical code of either form; raise Malformed `code/malformed`."""
        return self._directory().code_of_102(text) or canonical(text, tolerant=True)

    def legacy(self, code: str) -> str:
        """Write a code in the 13-character form, or as it is where it has none."""
        known = self._directory().latest(code)
        return (known.code102 if known is not None else None) or to_qcvn102(code) or code

    def written(self, code: str, form: CodeForm) -> str:
        """Write a code in a partner's form."""
        return self.legacy(code) if form is CodeForm.QCVN102 else code

    def name(self, code: str) -> str:
        """Return what the code names, or the code itself."""
        directory = self._directory()
        known = directory.organisation(code, self._now()) or directory.latest(code)
        return code if known is None else known.name

    def naming(self, form: CodeForm) -> Callable[[str], Organisation]:
        """Return how packages for a partner name organisations."""

        def naming(code: str) -> Organisation:
            return Organisation(organ_id=self.written(code, form), name=self.name(code))

        return naming
