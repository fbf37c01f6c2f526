"""How much memory a big package takes, measured in a process of its own."""

import subprocess
import sys

MIB = 1024 * 1024
OPEN = b"<Attachment><AttachmentName>a.pdf</AttachmentName><ContentTransferEncoded>"
CLOSE = b"</ContentTransferEncoded></Attachment>"
# What is read and written is made up as it is asked for, so that nothing but the axis itself can hold it.
READ = """
import base64, io, resource, sys
from axis.edxml import read
from tests.unit.edxml.test_memory import CLOSE, OPEN, before_content, after_content

class Made(io.RawIOBase):
    def __init__(self, megabytes, attachments):
        piece = base64.b64encode(bytes(range(256)) * 3072)
        self.parts = iter([before_content(), *[one for _ in range(attachments) for one in
            [OPEN, *[piece] * (megabytes * 1048576 // attachments // len(piece)), CLOSE]], after_content()])
        self.rest = b""
    def read(self, size):
        if not self.rest:
            self.rest = next(self.parts, b"")
        piece, self.rest = self.rest[:size], self.rest[size:]
        return piece

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
megabytes, attachments = map(int, sys.argv[1:])
read(Made(1, 1))
before = peak()
package = read(Made(megabytes, attachments))
assert sum(file.size for file in package.attachments) > megabytes * 700_000
print(peak() - before)
"""
WRITE = """
import dataclasses, hashlib, io, resource, sys
from axis.edxml import read, write_document
from axis.edxml.sources import Elsewhere
from tests.unit.edxml.test_memory import CLOSE, OPEN, before_content, after_content

PIECE = bytes(range(256)) * 256
class Made:
    def __init__(self, pieces):
        self.pieces = pieces
    def chunks(self, size):
        yield from (PIECE for _ in range(self.pieces))
class Nowhere(io.RawIOBase):
    written = 0
    def write(self, data):
        self.written += len(data)
        return len(data)
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
def document(name, pieces):
    digest = hashlib.sha256()
    for _ in range(pieces):
        digest.update(PIECE)
    package = read(before_content() + OPEN + CLOSE + after_content())
    file = dataclasses.replace(package.attachments[0], name=name, size=pieces * len(PIECE), sha256=digest.hexdigest(),
        content=Elsewhere(Made(pieces)))
    return dataclasses.replace(package, attachments=(file,))
megabytes = int(sys.argv[1])
for name in ("a.pdf", "a.txt"):
    write_document(document(name, 1), Nowhere())
big = [document("a.pdf", megabytes * 16), document("a.txt", megabytes)]
before, target = peak(), Nowhere()
for each in big:
    write_document(each, target)
assert target.written > megabytes * 1_300_000
print(peak() - before)
"""


def before_content() -> bytes:
    return (
        b'<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016"><edXMLEnvelope><edXMLHeader><MessageHeader>'
        b"<From><OrganId>000.00.00.H37</OrganId></From><To><OrganId>000.00.00.G12</OrganId></To>"
        b"<DocumentId>000.00.00.H37,2026/11/20,12/UBND</DocumentId></MessageHeader></edXMLHeader></edXMLEnvelope>"
        b"<AttachmentEncoded>"
    )


def after_content() -> bytes:
    return b"</AttachmentEncoded></edXML>"


def measured(program: str, *arguments: str) -> int:
    run = subprocess.run(
        [sys.executable, "-c", program, *arguments], check=True, capture_output=True, text=True, timeout=120
    )
    return int(run.stdout)


def test_reading_200_megabytes_takes_a_few() -> None:
    """Forty attachments of 5 MB each: once each had a buffer in memory of its own."""
    assert measured(READ, "200", "40") < 24 * MIB


def test_so_does_writing() -> None:
    assert measured(WRITE, "60") < 24 * MIB
