"""CPU time of other processes during a measurement. If it is high, the measured seconds mean little."""

import os
import resource
import time
from pathlib import Path


class Others:
    """CPU time of other processes since the creation of this object."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.busy = foreign_seconds()

    def cores(self) -> float:
        """Returns the mean number of cores that other processes kept busy."""
        return max(0.0, foreign_seconds() - self.busy) / (time.monotonic() - self.began)


def foreign_seconds() -> float:
    """Returns the CPU seconds of the machine since its start, except for this process and its ended children.

    Kernel work that is not charged to a process counts as foreign, and so does time stolen by a host.
    """
    user, nice, system, _, _, *interrupts = map(
        int, Path("/proc/stat").read_text().split("\n")[0].split()[1:9]
    )
    busy = (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")
    own = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return busy - sum(usage.ru_utime + usage.ru_stime for usage in own)
