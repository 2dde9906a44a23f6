"""How much a folder holds at most while something runs."""

import contextlib
import os
import threading
from pathlib import Path

SECONDS_BETWEEN = 1.0


class FolderWatch:
    """Looks at a folder, which need not be there yet, once a second."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.most_bytes = 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)

    def __enter__(self) -> "FolderWatch":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()

    def look(self) -> None:
        """Looks until told to stop."""
        while not self.done.wait(SECONDS_BETWEEN):
            self.most_bytes = max(self.most_bytes, held(self.folder))


def held(folder: Path) -> int:
    """What the files below a folder take on disk; files come and go meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(os.path.join(parent, name)).st_blocks * 512
    return total
