"""Read a batch: parse each message alone, verify all signatures, admit each message alone."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

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
    """How messages of one kind are read. All four say by raising, or by their result, what is wrong with one message.

    parse: bytes to a model. admit: may this signer say this? refuse: make a refusal of it. poison: the same for a
    failure of ours.
    """

    parse: Callable[[Submission], _Model]
    admit: Callable[[Opened[_Model], Signer, dt.datetime], _Admitted]
    refuse: Callable[[Submission, Refused], Refuse]
    poison: Callable[[Submission, Exception], Refuse]

    async def read(self, batch: Sequence[Submission], keyring: Keyring, at: dt.datetime) -> list[_Admitted | Refuse]:
        """Return for each what was admitted of it, or its refusal; `at`: when certificates have to be valid."""
        pause = Pause()
        opened: list[Opened[_Model] | Refuse] = []
        for submission in batch:
            opened.append(self._alone(submission, partial(self._open, submission)))
            await pause()
        signed = [each for each in opened if isinstance(each, Opened)]
        signers = iter(await each_in_threads(partial(_verify, keyring, at), signed))
        read: list[_Admitted | Refuse] = []
        for each in opened:
            if isinstance(each, Opened):
                read.append(self._alone(each.submission, partial(self._admit, each, next(signers), at)))
            else:
                read.append(each)
            await pause()
        return read

    def _open(self, submission: Submission) -> Opened[_Model]:
        return Opened(submission, self.parse(submission), signature_of(submission))

    def _admit(self, opened: Opened[_Model], signer: Signer | Exception, at: dt.datetime) -> _Admitted:
        if isinstance(signer, Exception):
            raise signer
        return self.admit(opened, signer, at)

    def _alone(self, submission: Submission, step: Callable[[], _T]) -> _T | Refuse:
        try:
            return step()
        except Refused as error:
            return self.refuse(submission, error)
        except Exception as error:  # noqa: BLE001 - one message must never take its neighbours with it
            return self.poison(submission, error)


def _verify(keyring: Keyring, at: dt.datetime, opened: Opened[Any]) -> Signer | Exception:
    try:
        return keyring.verify(opened.submission.body, opened.signature, at)
    except Exception as error:  # noqa: BLE001 - raised again by `_admit`, for this message alone
        return error
