"""Read an edXML package (QCVN 102:2016): strict about safety, tolerant about spelling."""

import dataclasses
from typing import BinaryIO

from axis.edxml.document import read_document
from axis.edxml.limits import DEFAULT_LIMITS, Limits
from axis.edxml.model import EdxmlDocument, EdxmlStatus
from axis.edxml.package import open_package
from axis.edxml.status import is_status, read_status
from axis.edxml.tree import Report, parse_tree


def read(source: bytes | BinaryIO, *, limits: Limits = DEFAULT_LIMITS) -> EdxmlDocument | EdxmlStatus:
    """Read a document or status package from bytes or a binary file.

    What departs from the format without doing harm is in `warnings`; elements without a place are in `extras`.

    Raises:
        EdxmlError: for anything else that is wrong with the bytes, with a stable code, line and column.
        OSError: when the file itself cannot be read.
    """
    report = Report()
    package = open_package(parse_tree(source, limits, report), report)
    read_package = read_status(package) if is_status(package) else read_document(package, limits)
    return dataclasses.replace(read_package, warnings=tuple(report.deviations))
