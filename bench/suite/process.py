"""Processes that a benchmark starts, what they cost, and how they end: by their ids, every one.

This process is made the reaper of its orphans, so that a daemon that leaves its parent (an HAProxy
that is reloaded by starting another) is still ours to end and to account for.
"""

import copy
import ctypes
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TICK = os.sysconf("SC_CLK_TCK")
PR_SET_CHILD_SUBREAPER = 36


class BenchError(Exception):
    """What cannot be measured, said in one sentence."""


def prepare():
    """To be called once: the limits that all children get, and the care for orphans."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # All that this machine allows, up to what is of use: ten thousand servers are kept connected to.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    # A quarter of the stack's limit is what an environment may take: ten thousand services fit.
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    wanted = 64 << 20
    if hard == resource.RLIM_INFINITY or hard >= wanted:
        resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))


def open_files():
    """How many files a process that we start may have open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def free_ports(count):
    """Ports that nobody listens on, from the kernel; all different."""
    sockets = []
    for _ in range(count):
        one = socket.socket()
        one.bind(("0.0.0.0", 0))
        sockets.append(one)
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def wait_until(condition, limit, pause=0.001):
    """The seconds until `condition()` was true; None when it was not within `limit` seconds."""
    began = time.monotonic()
    while True:
        if condition():
            return time.monotonic() - began
        if time.monotonic() - began > limit:
            return None
        time.sleep(pause)


class Workspace:
    """A folder for the files of one scenario; gone at its end."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="swarmgate-bench-")
        # Servers give up root.
        os.chmod(self.path, 0o755)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)

    def inside(self, name):
        """A part of it for one of several that would write the same names; it goes with the whole."""
        part = copy.copy(self)
        part.path = self.folder(name)
        return part

    def file(self, name):
        return os.path.join(self.path, name)

    def folder(self, name):
        path = self.file(name)
        os.makedirs(path, exist_ok=True)
        return path

    def write(self, name, text):
        path = self.file(name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path


class Child:
    """A process in a session of its own, whose output goes to a file."""

    def __init__(self, argv, log, env=None, **options):
        self.log = log
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                env=env, start_new_session=True, **options)

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def tail(self):
        with open(self.log, errors="replace", encoding="utf-8") as text:
            return "".join(text.readlines()[-5:])

    def end(self, grace=10):
        """SIGTERM; SIGKILL to the processes of the session that are left after `grace` seconds."""
        if self.running():
            self.process.terminate()
            try:
                self.process.wait(grace)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        kill_session(self.pid)


def run(argv, **options):
    """Runs to the end: (exit code, output, processor seconds)."""
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=subprocess.STDOUT, **options)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode(errors="replace")
    return child.returncode, text, usage.ru_utime + usage.ru_stime


def _stat(pid):
    """The fields of /proc/PID/stat behind the name; None where there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()
    except OSError:
        return None


def kill_session(session):
    for pid in all_pids():
        fields = _stat(pid)
        if fields and int(fields[3]) == session and fields[0] != "Z":
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def children(parent):
    """The processes that this one has started and that still live."""
    found = []
    for pid in all_pids():
        fields = _stat(pid)
        if fields and int(fields[1]) == parent and fields[0] != "Z":
            found.append(pid)
    return found


def tree(roots):
    """The given processes and all that descend from them."""
    children = {}
    for pid in all_pids():
        fields = _stat(pid)
        if fields:
            children.setdefault(int(fields[1]), []).append(pid)
    found, left = [], list(roots)
    while left:
        pid = left.pop()
        fields = _stat(pid)
        if pid not in found and fields and fields[0] != "Z":
            found.append(pid)
            left += children.get(pid, [])
    return found


def cpu_seconds(pids, waited_for=False):
    """Processor time of these processes; with `waited_for`, also of their children that ended."""
    total = 0
    for pid in pids:
        fields = _stat(pid)
        if fields:
            total += sum(int(field) for field in fields[11:15 if waited_for else 13])
    return total / TICK


def calm_down(pid):
    """Waits until two seconds go by with less than a tenth of them in use; at most a minute."""
    for _ in range(30):
        before = cpu_seconds([pid])
        time.sleep(2)
        if cpu_seconds([pid]) - before < 0.2:
            return


def _status_kib(pid, key):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith(key + ":"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def rss_mib(pids):
    return sum(_status_kib(pid, "VmRSS") for pid in pids) / 1024


def reset_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as refs:
        refs.write("5")


def peak_mib(pid):
    return _status_kib(pid, "VmHWM") / 1024


def io_counters(pid):
    """What the process has written: {"wchar": bytes handed to the kernel, "syscw": calls, …}."""
    with open(f"/proc/{pid}/io", encoding="ascii") as counters:
        return {key: int(value) for key, value in (line.split(": ") for line in counters)}


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as comm:
            return comm.read().strip()
    except OSError:
        return ""


def end_all():
    """Ends whatever this process has started and not ended."""
    for _ in range(20):
        left = [pid for pid in tree([os.getpid()]) if pid != os.getpid()]
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            while os.waitpid(-1, os.WNOHANG)[0] > 0:
                pass
        except ChildProcessError:
            return
        time.sleep(0.05)
