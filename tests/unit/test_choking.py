"""What chokes a worker on purpose finds what it is put around: a scenario that takes minutes would say it late."""

import importlib
import inspect

import pytest

from axis.core.messages import Submission
from axis.faults.choking import READERS


@pytest.mark.parametrize(("module", "name"), READERS)
def test_readers_are_where_the_choke_is_put(module: str, name: str) -> None:
    reader = getattr(importlib.import_module(module), name)
    (submission, *_) = inspect.signature(reader).parameters.values()
    assert submission.annotation is Submission
