"""A private key in a PKCS#11 token: an HSM, a smart card, SoftHSM (OASIS PKCS #11 2.40 and 3.0).

A token may go away and come back: a network HSM restarts, a card is pulled, an administrator ends its sessions. What
is to be signed then fails as Unavailable and is tried again by whoever asked; each try opens the token anew. Two things
are never tried again by themselves: a PIN that was refused, since a third wrong one locks most tokens, and a key that
is no longer the certificate's, since its signatures would be no one's.
"""

import functools
import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pkcs11
from cryptography.exceptions import InvalidSignature
from pkcs11 import Attribute, Mechanism, ObjectClass, TokenFlag
from pkcs11.exceptions import (
    PinExpired,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    UserAlreadyLoggedIn,
    UserPinNotInitialized,
)
from pkcs11.types import Session, SignMixin, Token

from axis.errors import Misconfigured, Unavailable
from axis.trust.algorithms import Algorithm, Verify, VerifyingKey
from axis.trust.bounded import Bounded
from axis.trust.locations import TokenPlace

log = logging.getLogger("axis.trust")

DEADLINE_SECONDS = 5.0  # half of what a broker's heartbeat bears: a worker waits for its key in its one thread
_PROBE = b"the axis asks whether this key is the certificate's"
_PIN_REFUSED = (PinIncorrect, PinInvalid, PinLenRange, PinLocked, PinExpired, UserPinNotInitialized)
_PSS = (Mechanism.SHA256, pkcs11.MGF.SHA256, 32)  # RFC 7518 section 3.5
_PREFERRED: tuple[Algorithm, ...] = ("EdDSA", "ES256", "PS256", "RS256")
_MECHANISMS: Mapping[Algorithm, Mechanism] = {
    "EdDSA": Mechanism.EDDSA,
    "ES256": Mechanism.ECDSA,
    "PS256": Mechanism.SHA256_RSA_PKCS_PSS,
    "RS256": Mechanism.SHA256_RSA_PKCS,
}


class TokenKey:
    """A key that stays in its token; opened now, and again whenever the token was away.

    `public` is the key of the certificate: whatever the token holds under the name has to fit it. RSA signs PS256, or
    RS256 where the token cannot do the former. A signature costs what the token takes, plus a hop to another thread;
    the caller is blocked meanwhile, `deadline` seconds at most.

    Raises:
        Misconfigured: there is no such key, it is not the certificate's, or the PIN is refused.
        Unavailable: `key/unavailable` when there is no such token now, or it does not answer.
    """

    def __init__(self, place: TokenPlace, public: VerifyingKey, *, deadline: float = DEADLINE_SECONDS) -> None:
        self._place, self._public = place, public
        self._deadline = deadline
        self._opened = False
        self._sign_raw: Callable[[bytes], bytes] | None = None
        self._given_up: str | None = None
        self._algorithm: Algorithm = "PS256"
        self._line = _line(place.module)
        self._line.run(self._open, deadline)

    @property
    def algorithm(self) -> Algorithm:
        """What its signatures are."""
        return self._algorithm

    def sign(self, data: bytes) -> bytes:
        """Sign these bytes; raise Unavailable `key/unavailable`."""
        return self._line.run(lambda: self._sign(data), self._deadline)

    # From here on in the thread of the line.

    def _sign(self, data: bytes) -> bytes:
        if self._given_up is not None:
            raise Unavailable(f"{self._given_up}; mend that and start again", code="key/unavailable")
        if self._sign_raw is not None:
            try:
                return self._sign_raw(data)
            except PKCS11Error as error:
                # A session that ended is the common case, and one that a second try heals.
                log.warning("%s: %s; opening it again", self._place, _told(error))
                self._sign_raw = None
        try:
            sign = self._open()
        except Misconfigured as error:
            raise Unavailable(error.detail, code="key/unavailable") from error
        try:
            return sign(data)
        except PKCS11Error as error:
            self._sign_raw = None
            raise Unavailable(f"{self._place}: {_told(error)}", code="key/unavailable") from error

    def _open(self) -> Callable[[bytes], bytes]:
        try:
            key, algorithm = self._find()
        except _PIN_REFUSED as error:
            self._given_up = f"{self._place}: the PIN is refused ({_told(error)})"
            raise Misconfigured(self._given_up) from error
        except PKCS11Error as error:
            raise Unavailable(f"{self._place}: {_told(error)}", code="key/unavailable") from error
        sign = _signing(key, algorithm)
        self._prove(sign, self._public.algorithms[algorithm])
        self._algorithm, self._sign_raw = algorithm, sign
        return sign

    def _find(self) -> tuple[SignMixin, Algorithm]:
        library = pkcs11.lib(str(self._place.module))
        if self._opened:
            # Some modules look for tokens only when they start. This ends the sessions of other keys of the module in
            # this process; they open theirs again in the same way.
            library.reinitialize()
        self._opened = True
        token = self._token(library.get_tokens(token_label=self._place.token, token_serial=self._place.serial))
        session = self._session(token)
        key = self._key(session)
        possible = token.slot.get_mechanisms()
        for algorithm in _PREFERRED:
            if algorithm in self._public.algorithms and _MECHANISMS[algorithm] in possible:
                return key, algorithm
        raise Misconfigured(f"{self._place}: it can sign none of {', '.join(self._public.algorithms)}")

    def _token(self, found: Iterable[Token]) -> Token:
        slot = self._place.slot
        tokens = [token for token in found if slot is None or token.slot.slot_id == slot]
        if not tokens:
            raise Unavailable(f"{self._place}: no such token is there", code="key/unavailable")
        if len(tokens) > 1:
            raise Misconfigured(f"{self._place}: {len(tokens)} such tokens are there: say serial= or slot-id= as well")
        return tokens[0]

    def _session(self, token: Token) -> Session:
        if self._place.pin is None:
            return token.open()
        if token.flags & (TokenFlag.USER_PIN_COUNT_LOW | TokenFlag.USER_PIN_FINAL_TRY):
            # The next wrong one may lock the token for good, and a process that is started again and again tries again.
            raise Misconfigured(
                f"{self._place}: a wrong PIN was given before, and the token counts: log in once by hand with the "
                "right one (pkcs11-tool --login), put that into the file of the PIN, and start again"
            )
        try:
            return token.open(user_pin=_read_pin(self._place.pin))
        except UserAlreadyLoggedIn:
            # A process is logged in to a token once, for all its sessions: another key of ours was first.
            return token.open()

    def _key(self, session: Session) -> SignMixin:
        wanted: dict[Attribute, object] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
        if self._place.label is not None:
            wanted[Attribute.LABEL] = self._place.label
        if self._place.id is not None:
            wanted[Attribute.ID] = self._place.id
        # All of them: a search that is left half-way stays open in the session.
        found = list(session.get_objects(wanted))
        if len(found) != 1:
            told = "no such key" if not found else f"{len(found)} such keys: say id= as well"
            raise Misconfigured(f"{self._place}: {told}")
        (key,) = found
        if not isinstance(key, SignMixin):
            raise Misconfigured(f"{self._place}: it is not allowed to sign (CKA_SIGN)")
        return key

    def _prove(self, sign: Callable[[bytes], bytes], verify: Verify) -> None:
        try:
            verify(sign(_PROBE), _PROBE)
        except (InvalidSignature, PKCS11Error) as error:
            raise Misconfigured(f"{self._place} is not the key of the certificate ({_told(error)})") from error


@functools.cache
def _line(module: Path) -> Bounded:
    # One for all keys of a module: it must not be started anew by one while it signs for another (section 11.4).
    return Bounded(f"the PKCS#11 module {module.name}")


def _signing(key: SignMixin, algorithm: Algorithm) -> Callable[[bytes], bytes]:
    if algorithm == "ES256":
        # Hashed here: many tokens have the bare mechanism alone. Its result is r‖s already, as a JWS has it.
        return lambda data: key.sign(hashlib.sha256(data).digest(), mechanism=Mechanism.ECDSA)
    parameter = _PSS if algorithm == "PS256" else None
    return lambda data: key.sign(data, mechanism=_MECHANISMS[algorithm], mechanism_param=parameter)


def _read_pin(path: Path) -> str:
    # Read each time: whoever changes the PIN of a token that was away changes the file as well.
    try:
        pin = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(
            f"the PIN cannot be read from {path}: {getattr(error, 'strerror', None) or error}"
        ) from error
    if not pin:
        raise Misconfigured(f"{path} holds no PIN")
    return pin


def _told(error: Exception) -> str:
    return f"{type(error).__name__} {error}".strip()
