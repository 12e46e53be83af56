"""Kernels that give way: beside a training on the same cores, the browser is served first.

A hand that moves a lab waits for the browser, and a browser that takes turns with a training on
equal terms paints late. A training that gives way loses the few milliseconds of each movement, and
nothing while the hand rests.
"""

import contextlib
from pathlib import Path

import psutil
from jupyter_server.services.kernels.kernelmanager import ServerKernelManager

NICENESS = 15  # of 19: ten kernels together get a third of what the browser gets, if it wants it


class YieldingKernel(ServerKernelManager):
    """What starts one kernel of a JupyterLab, and starts it again: each time it gives way.

    The kernel alone: JupyterLab itself must answer, and starts the browser, which would inherit it.
    """

    async def start_kernel(self, *args, **options):
        """As its parent does."""
        await super().start_kernel(*args, **options)
        give_way(self.provisioner.pid)

    async def restart_kernel(self, *args, **options):
        """As its parent does."""
        await super().restart_kernel(*args, **options)
        give_way(self.provisioner.pid)


def give_way(pid: int) -> None:
    """Lower the priority of a process, and of those that it will start, below the other programs'.

    Args:
        pid: the process's number; it has just begun, for threads that it has already keep theirs.
    """
    lowered = psutil.BELOW_NORMAL_PRIORITY_CLASS if psutil.WINDOWS else NICENESS
    # Where Linux shares a core among sessions first, niceness counts inside of one alone, and each
    # kernel has a session of its own.
    session = Path(f"/proc/{pid}/autogroup")
    with contextlib.suppress(OSError, psutil.Error):  # it may not, or the process has ended
        psutil.Process(pid).nice(lowered)
        if session.exists():
            session.write_text(str(NICENESS))
