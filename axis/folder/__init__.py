"""The watched folder: for document systems that can write and read files, and nothing else."""

from axis.folder.told import Event, Teller, What
from axis.folder.watching import Options, Watcher

__all__ = ["Event", "Options", "Teller", "Watcher", "What"]
