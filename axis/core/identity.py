"""People whom somebody else knows: an OpenID provider, and which of its claims give which role."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from axis.core.codes import canonical
from axis.core.operators import Role
from axis.errors import Malformed

_ORDER = tuple(Role)  # the role of an agency user is the least, an administrator's the most
_AGENCY = f"{Role.AGENCY.value}:"


class Provider(BaseModel):
    """An OpenID provider (OpenID Connect Core 1.0), and what is known of us there.

    `roles`: “claim=value” -> a role, or “agency:CODE” for an agency user; dots lead into a claim that is an object:
    {"groups=axis-ops": "operator", "realm_access.roles=so-noi-vu": "agency:H37.05"}.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: Annotated[str, Field(pattern=r"^https?://[^?#\s]+$")]
    client_id: Annotated[str, Field(min_length=1, max_length=256)]
    roles: Annotated[dict[str, str], Field(min_length=1)]
    scope: str = "openid profile"
    name_claim: str = "name"

    @model_validator(mode="after")
    def _check_roles(self) -> Self:
        for rule, role in self.roles.items():
            if not all(rule.partition("=")):
                raise ValueError(f"{rule}: a rule is “claim=value”")
            _role(role)
        return self


def role_of(claims: Mapping[str, object], provider: Provider) -> tuple[Role, str | None] | None:
    """Return the role that claims give, the most of several, with an agency user's code; None: they give none.

    None too for two agencies at once: nobody can say whose user that is.
    """
    given = {
        _role(role)
        for rule, role in provider.roles.items()
        if rule.partition("=")[2] in _values(claims, rule.partition("=")[0])
    }
    most = max((_ORDER.index(role) for role, _ in given), default=None)
    best = [each for each in given if most is not None and each[0] is _ORDER[most]]
    return best[0] if len(best) == 1 else None


def _role(told: str) -> tuple[Role, str | None]:
    if told.startswith(_AGENCY):
        try:
            return Role.AGENCY, canonical(told.removeprefix(_AGENCY))
        except Malformed as error:
            raise ValueError(f"{told}: {error.detail}") from error
    if told in {*Role} - {Role.AGENCY}:
        return Role(told), None
    raise ValueError(f"{told}: a role is viewer, operator, administrator or agency:CODE")


def _values(claims: Mapping[str, object], path: str) -> frozenset[str]:
    """Return the texts under a claim. A name with dots in it, as some providers have, counts before a path."""
    found: object = claims.get(path)
    if found is None:
        found = claims
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
    values = found if isinstance(found, list) else [found]
    return frozenset(value for value in values if isinstance(value, str))
