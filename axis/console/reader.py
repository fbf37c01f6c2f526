"""Who looks at a page, and in which language."""

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from axis.core.operators import Role

_Sought = TypeVar("_Sought", bound=Any)


class Language(StrEnum):
    """A language of the console; the first is the one of who has chosen none."""

    VIETNAMESE = "vi"
    ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who is logged in. `code`: the agency of an agency user, else None; `csrf`: goes into every form."""

    login: str
    name: str
    role: Role
    code: str | None
    language: Language
    csrf: str
    must_change_password: bool = False

    def sought(self, sought: _Sought) -> _Sought:
        """Narrow what is looked for (a dataclass with a field `account`) to what this reader may see."""
        return sought if self.role is not Role.AGENCY else dataclasses.replace(sought, account=self.code)

    def may_see(self, *accounts: str | None) -> bool:
        """Say whether this reader may see what these agencies sent or received."""
        return self.role is not Role.AGENCY or self.code in accounts
