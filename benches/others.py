"""What else runs on the machine while a section is measured: where that is much, seconds say little."""

import os
import resource
import time
from pathlib import Path


class Others:
    """CPU that was not ours, from now on."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.busy = foreign_seconds()

    def cores(self) -> float:
        """How many cores others kept busy since, in the mean."""
        return max(0.0, foreign_seconds() - self.busy) / (time.monotonic() - self.began)


def foreign_seconds() -> float:
    """CPU seconds of the machine since its start, without those of this process and its finished children.

    The work of the kernel that nobody is charged for counts as foreign; so does what a host takes away.
    """
    user, nice, system, _, _, *interrupts = map(
        int, Path("/proc/stat").read_text().split("\n")[0].split()[1:9]
    )
    busy = (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")
    own = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return busy - sum(usage.ru_utime + usage.ru_stime for usage in own)
