"""The object store seam: blobs under their SHA-256, streamed both ways, never whole in memory; small named objects."""

from axis.blobs.objects import LOG_FOLDER, Objects
from axis.blobs.store import Blobs, Corrupted

__all__ = ["LOG_FOLDER", "Blobs", "Corrupted", "Objects"]
