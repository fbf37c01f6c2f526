"""The log that proves: Merkle trees, checkpoints signed as notes, tiles. Without I/O but for timestamps."""

from axis.proving.checkpoints import Checkpoint, read_checkpoint
from axis.proving.edge import Edge
from axis.proving.entries import Entry, receipt_entry
from axis.proving.evidence import LogProof
from axis.proving.merkle import leaf_hash, verify_consistency, verify_inclusion
from axis.proving.notes import NoteKey, NoteSigner
from axis.proving.reading import LogReader, Source

__all__ = [
    "Checkpoint",
    "Edge",
    "Entry",
    "LogProof",
    "LogReader",
    "NoteKey",
    "NoteSigner",
    "Source",
    "leaf_hash",
    "read_checkpoint",
    "receipt_entry",
    "verify_consistency",
    "verify_inclusion",
]
