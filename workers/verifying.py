"""Read a batch: each message alone, and the signatures beside the event loop.

Verifying is a quarter of the work on an envelope and needs no interpreter: the library lets other threads run
meanwhile. In threads it uses a processor that would be idle, while the loop publishes the batch before.
"""

import asyncio
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

_THREADS = 2  # with more they hinder each other, and the loop, over the interpreter
_WORTH_IT = 8  # for fewer messages handing them over costs more than it saves

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
        signers = iter(await _verify_all(keyring, [each for each in opened if isinstance(each, Opened)], at))
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


async def _verify_all(keyring: Keyring, opened: Sequence[Opened[_Model]], at: dt.datetime) -> list[Signer | Exception]:
    if len(opened) < _WORTH_IT:
        return _verify(keyring, opened, at)
    share = -(-len(opened) // _THREADS)
    parts = [opened[start : start + share] for start in range(0, len(opened), share)]
    found = await asyncio.gather(*(asyncio.to_thread(_verify, keyring, part, at) for part in parts))
    return [each for part in found for each in part]


def _verify(keyring: Keyring, opened: Sequence[Opened[_Model]], at: dt.datetime) -> list[Signer | Exception]:
    found: list[Signer | Exception] = []
    for each in opened:
        try:
            found.append(keyring.verify(each.submission.body, each.signature, at))
        except Exception as error:  # noqa: BLE001 - raised again by `_admit`, for this message alone
            found.append(error)
    return found
