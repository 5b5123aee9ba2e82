"""Facts of the machine and of the tree that a result belongs to, and the distribution of the arms over the cores."""
import os
import pathlib
import platform
import re
import subprocess
import time

_PINNING_NEEDS_CORES = 4


class Machine:
    def __init__(self, root):
        self._root = pathlib.Path(root)
        self.cores = len(os.sched_getaffinity(0))

    def core(self, role):
        """The server gets core 0, the source core 1, the client core 2. With fewer than four cores nothing is pinned, because they have to
        share."""
        return sorted(os.sched_getaffinity(0))[role] if self.cores >= _PINNING_NEEDS_CORES else None

    def facts(self):
        return {
            "cpu": _first(r"model name\s*:\s*(.+)", "/proc/cpuinfo"),
            "cores": self.cores,
            "memory_mb": int(_first(r"MemTotal:\s*(\d+)", "/proc/meminfo")) // 1024,
            "kernel": platform.release(),
            "system": _first(r'PRETTY_NAME="?([^"\n]+)', "/etc/os-release"),
            "virtualised": "hypervisor" in pathlib.Path("/proc/cpuinfo").read_text(),
            "pinned": self.core(0) is not None,
            "load_1m": os.getloadavg()[0],
        }

    def tree(self):
        commit = self._git("rev-parse", "--short=12", "HEAD") or "unknown"
        return {"commit": commit, "changed": bool(self._git("status", "--porcelain", "--untracked-files=no"))}

    def _git(self, *arguments):
        done = subprocess.run(["git", "-C", self._root, *arguments], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""


def busy_share(seconds):
    """Returns the share of all cores that any process used. 0 is an idle machine."""
    before = _cpu_times()
    time.sleep(seconds)
    after = _cpu_times()
    total = sum(after) - sum(before)
    idle = after[3] + after[4] - before[3] - before[4]
    return round(1 - idle / total, 3) if total else 0.0


class OtherWork:
    """Measures what other processes used of this machine during a `with`: all CPU time less that of `children` and of this process."""

    def __init__(self, children):
        self._children = children
        self.share = 0.0

    def __enter__(self):
        self._times, self._own = _cpu_times(), self._children.cpu_s()
        return self

    def __exit__(self, *_):
        times, own = _cpu_times(), self._children.cpu_s()
        ticks = [after - before for before, after in zip(self._times, times)]
        total = sum(ticks)
        busy_ticks = total - ticks[3] - ticks[4]
        other_ticks = busy_ticks - (own - self._own) * os.sysconf("SC_CLK_TCK")
        self.share = round(max(0.0, other_ticks / total), 3) if total else 0.0


def _cpu_times():
    with open("/proc/stat", encoding="ascii") as stat:
        return [int(n) for n in stat.readline().split()[1:9]]


def _first(pattern, path):
    try:
        found = re.search(pattern, pathlib.Path(path).read_text())
    except OSError:
        found = None
    return found.group(1).strip() if found else "0"


def pinned(root, name):
    """Returns a value of cmake/pins.cmake."""
    return _first(rf'set\({name} "([^"]+)"\)', pathlib.Path(root) / "cmake/pins.cmake")


def version_line(program, *arguments):
    """Returns the first line that a program prints about itself."""
    done = subprocess.run([str(program), *arguments], capture_output=True, text=True, check=False)
    return ((done.stdout or done.stderr).strip().splitlines() or ["unknown"])[0]
