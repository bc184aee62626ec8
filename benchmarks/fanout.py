"""What an operator would use instead: ssh in parallel, and ansible."""

from __future__ import annotations

import os
import resource
import shlex
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import cpu
from benchmarks.lab import Lab


@dataclass(frozen=True)
class Cost:
    """One round: wall time, CPU on the operator's machine, CPU on the nodes; in seconds."""

    wall_s: float
    operator_s: float
    nodes_s: float


def script() -> str:
    """The recurring host reading, as one text for a remote shell."""
    from lptui.probes.host.commands import VITALS_FUNCTION

    return f"{VITALS_FUNCTION.text}; lptui_vitals"


class SshFanout:
    """`ssh` to every host at once; over ControlMaster connections, or each time anew."""

    def __init__(self, lab: Lab, round_trip_ms: int, *, multiplexed: bool) -> None:
        self._lab = lab
        config = lab.ssh_config(round_trip_ms, multiplexed=multiplexed)
        self._base = ["ssh", "-F", str(config)]
        self._multiplexed = multiplexed
        self._masters: set[int] = set()
        remote = shlex.quote(script())
        prefix = shlex.join(self._base)
        self._line = "".join(f"{prefix} {name} {remote} >/dev/null &\n" for name in lab.names)

    def __enter__(self) -> SshFanout:
        if self._multiplexed:
            for name in self._lab.names:
                subprocess.run([*self._base, "-fN", name], check=True, capture_output=True)
            marker = str(self._base[2])
            self._masters = set(_pids_with(marker))
        return self

    def __exit__(self, *_: object) -> None:
        if self._multiplexed:
            for name in self._lab.names:
                argv = [*self._base, "-O", "exit", name]
                subprocess.run(argv, check=False, capture_output=True)

    def round(self) -> Cost:
        """Asks all hosts once."""
        nodes = cpu.seconds(cpu.tree(self._lab.sshd_pid))
        masters = cpu.seconds(self._masters)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.perf_counter()
        subprocess.run(["/bin/sh", "-c", self._line + "wait\n"], check=True)
        wall = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        own = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        return Cost(
            wall,
            own + cpu.seconds(self._masters) - masters,
            cpu.seconds(cpu.tree(self._lab.sshd_pid)) - nodes,
        )


class Ansible:
    """`ansible -m raw` with ControlPersist and as many forks as hosts."""

    def __init__(self, lab: Lab, round_trip_ms: int) -> None:
        self._lab = lab
        inventory = lab.folder / f"inventory-{round_trip_ms}"
        config = lab.ssh_config(round_trip_ms, multiplexed=False)
        inventory.write_text(
            "[all]\n"
            + "".join(
                f"{name} ansible_ssh_common_args='-F {config} -o ControlMaster=auto "
                f"-o ControlPersist=600 -o ControlPath={lab.folder}/an-{round_trip_ms}-%n'\n"
                for name in lab.names
            )
        )
        program = shutil.which("ansible") or "ansible"
        self._argv = [program, "all", "-i", str(inventory), "-f", "50", "-m", "raw", "-a", script()]
        self._env = os.environ | {
            "ANSIBLE_LOCAL_TEMP": str(lab.folder / "ansible"),
            "ANSIBLE_HOME": str(lab.folder / "ansible"),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(lab.folder),
            "LC_ALL": "C.UTF-8",
        }

    @staticmethod
    def is_installed() -> bool:
        return shutil.which("ansible") is not None

    def round(self) -> Cost:
        """Asks all hosts once; the first round also opens the connections."""
        nodes = cpu.seconds(cpu.tree(self._lab.sshd_pid))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.perf_counter()
        subprocess.run(self._argv, check=True, capture_output=True, env=self._env)
        wall = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        own = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        return Cost(wall, own, cpu.seconds(cpu.tree(self._lab.sshd_pid)) - nodes)


def _pids_with(marker: str) -> Sequence[int]:
    """Processes of ours whose command line has a text: ssh's masters, gone to the background."""
    found = []
    for pid in cpu.tree(1):
        try:
            if marker.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
        except OSError:
            continue
    return found
