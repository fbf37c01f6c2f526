"""Read a batch: parse each message alone, verify all signatures, admit each message alone."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from axis.core.decisions import Refuse
from axis.core.messages import Signer, Submission
from axis.core.reading import signature_of
from axis.errors import Refused
from axis.trust import Keyring
from workers.runtime import Pause
from workers.threads import each_in_threads

_Model = TypeVar("_Model")
_Admitted = TypeVar("_Admitted")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Opened(Generic[_Model]):
    """A message that was parsed; who signed it is not known yet."""

    submission: Submission
    model: _Model
    signature: str


@dataclass(frozen=True, slots=True)
class Reader(Generic[_Model, _Admitted]):
    """How messages of one kind are read.

    parse: bytes to a model, or raise Refused. admit: may this signer say this? or raise Refused. refuse, poison: make a
    refusal of what was raised. keyring, at: verify with these certificates, as of this time.
    """

    keyring: Keyring
    at: dt.datetime
    parse: Callable[[Submission], _Model]
    admit: Callable[[Opened[_Model], Signer], _Admitted]
    refuse: Callable[[Submission, Refused], Refuse]
    poison: Callable[[Submission, Exception], Refuse]

    async def read(self, batch: Sequence[Submission]) -> list[_Admitted | Refuse]:
        """Return for each what was admitted of it, or its refusal."""
        pause = Pause()
        opened: list[Opened[_Model] | Refuse] = []
        for submission in batch:
            opened.append(self._alone(submission, partial(self._open, submission)))
            await pause()
        signed = [each for each in opened if isinstance(each, Opened)]
        signers = iter(await each_in_threads(self._verify, signed))
        read: list[_Admitted | Refuse] = []
        for each in opened:
            if isinstance(each, Opened):
                read.append(self._alone(each.submission, partial(self._admit, each, next(signers))))
            else:
                read.append(each)
            await pause()
        return read

    def _open(self, submission: Submission) -> Opened[_Model]:
        return Opened(submission, self.parse(submission), signature_of(submission))

    def _verify(self, opened: Opened[_Model]) -> Signer | Exception:
        try:
            return self.keyring.verify(opened.submission.body, opened.signature, self.at)
        except Exception as error:  # noqa: BLE001 - raised again by `_admit`, for this message alone
            return error

    def _admit(self, opened: Opened[_Model], signer: Signer | Exception) -> _Admitted:
        if isinstance(signer, Exception):
            raise signer
        return self.admit(opened, signer)

    def _alone(self, submission: Submission, step: Callable[[], _T]) -> _T | Refuse:
        try:
            return step()
        except Refused as error:
            return self.refuse(submission, error)
        except Exception as error:  # noqa: BLE001 - one message must never take its neighbours with it
            return self.poison(submission, error)
