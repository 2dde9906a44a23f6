"""Peak size of a folder while a program runs."""

import contextlib
import os
import threading
from pathlib import Path

SECONDS_BETWEEN = 1.0


class FolderWatch:
    """Measures a folder, which may not exist yet, once per second."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.most_bytes = 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self) -> "FolderWatch":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()

    def watch(self) -> None:
        """Measures the folder until the end."""
        while not self.done.wait(SECONDS_BETWEEN):
            self.most_bytes = max(self.most_bytes, disk_bytes(self.folder))


def disk_bytes(folder: Path) -> int:
    """Returns the disk use of the files below a folder. Files may appear and disappear during the walk."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(os.path.join(parent, name)).st_blocks * 512
    return total
