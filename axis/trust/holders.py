"""What holds a private key: the one thing that signing needs, wherever the key lives."""

from typing import Protocol

from axis.trust.algorithms import Algorithm, PrivateKey, algorithm_for, signing


class KeyHolder(Protocol):
    """A private key that signs and is never seen.

    `sign` returns the bytes that go into a JWS (RFC 7518 section 3; ES256 is r‖s) or raises Unavailable: what was to be
    signed is then tried again later, and nothing was given away. It may block up to a deadline of its own.
    """

    @property
    def algorithm(self) -> Algorithm:
        """What its signatures are."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Sign these bytes."""
        ...


class FileKey:
    """A private key in this process's memory."""

    def __init__(self, key: PrivateKey) -> None:
        self.algorithm: Algorithm = algorithm_for(key)
        self.sign = signing(key, self.algorithm)  # bound once: nothing stands between a router and its key
