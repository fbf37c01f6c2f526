"""The object store seam: blobs under their SHA-256, streamed both ways, never whole in memory."""

from axis.blobs.store import Blobs, Corrupted

__all__ = ["Blobs", "Corrupted"]
