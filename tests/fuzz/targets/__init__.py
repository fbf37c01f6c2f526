"""Every parser that reads what a stranger wrote."""

from collections.abc import Mapping
from types import MappingProxyType

from tests.fuzz.oracle import Target
from tests.fuzz.targets.bodies import ENVELOPE, RECEIPT, STATUS
from tests.fuzz.targets.codes import CODE
from tests.fuzz.targets.edxml import EDXML
from tests.fuzz.targets.headers import HEADERS
from tests.fuzz.targets.sealing import KEYS, STREAM
from tests.fuzz.targets.signatures import SIGNATURE, TOKEN

TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        "code": CODE,
        "edxml": EDXML,
        "envelope": ENVELOPE,
        "headers": HEADERS,
        "receipt": RECEIPT,
        "seal-keys": KEYS,
        "seal-stream": STREAM,
        "signature": SIGNATURE,
        "status": STATUS,
        "token": TOKEN,
    }
)
