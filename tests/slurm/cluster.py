"""A Slurm of our own on this machine: slurmctld and slurmd for the time of the tests, without munge, systemd, cgroups and
accounting, everything below one temporary folder.

A guard, started by `cluster.py FOLDER`, is the parent of the daemons. It ends them, and whatever jobs they have started, when
its standard input is closed: when the tests say so, and also when they are killed, for the kernel closes the pipe then.
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "scontrol", "squeue", "scancel", "setpriv")
# Seconds; each takes one or two, and some ten on a busy machine.
COMING_UP, ENDING = 60, 300
CONFIGURATION = """ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
# A requeued job may start again at once, not after two minutes.
AuthInfo=cred_expire=5
SchedulerParameters=batch_sched_delay=0,sched_interval=3,bf_interval=3
CredType=cred/none
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin={task_plugin}
SelectType=select/cons_tres
SelectTypeParameters={select}
SchedulerType=sched/backfill
JobRequeue=1
ReturnToService=2
KillWait=10
MinJobAge=3600
# Job numbers name shared memory: no two clusters on a machine may have the same ones.
FirstJobId={first_job}
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
SlurmdParameters=config_overrides
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
TmpFS={folder}/tmp.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldPort={ports[0]}
{nodes}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def why_not():
    """Why no Slurm can be started here; "" when one can."""
    missing = [name for name in PROGRAMS if shutil.which(name, path=search_path()) is None]
    if missing:
        return f"Slurm is not installed: no {', '.join(missing)}"
    if os.geteuid() != 0:
        return "only root can start slurmd"
    return ""


def search_path():
    return os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"


def free_ports(n):
    """Ports that nobody listens on now. Should somebody take one before the daemon does, the start is tried again."""
    sockets = [socket.socket() for _ in range(n)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Cluster:
    """With `virtual` nodes: so many, of 8 cores each whatever the machine has, where nothing is bound. With 0: this machine as
    one node of as many cores as it has, to which tasks are bound. Either has the memory that jobs ask for."""

    def __init__(self, virtual):
        self.virtual = virtual
        self.guard = None

    def start(self):
        for attempt in range(3):
            self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ridgeless-slurm-"))
            self.environment = {**os.environ, "PATH": search_path(), "SLURM_CONF": str(self.folder / "slurm.conf")}
            self.configure()
            self.guard = subprocess.Popen(
                [sys.executable, __file__, self.folder, *self.names],
                stdin=subprocess.PIPE,
                env=self.environment,
                start_new_session=True,
            )
            if self.comes_up():
                return self
            told = "\n".join(path.read_text()[-2000:] for path in self.folder.glob("*.log"))
            self.stop()
        raise RuntimeError(f"no Slurm after {attempt + 1} attempts: {told}")

    def configure(self):
        self.names = [f"n{i + 1}" for i in range(self.virtual)] or ["here"]
        ports = free_ports(1 + len(self.names))
        host = socket.gethostname().split(".")[0]
        cores = 8 if self.virtual else os.cpu_count()
        lines = [
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cores} Boards=1 SocketsPerBoard=1 "
            f"CoresPerSocket={cores} ThreadsPerCore=1 RealMemory=1000000 State=UNKNOWN"
            for name, port in zip(self.names, ports[1:])
        ]
        for name in ("state", *(f"{kind}.{name}" for kind in ("spool", "tmp") for name in self.names)):
            (self.folder / name).mkdir()
        (self.folder / "slurm.conf").write_text(
            CONFIGURATION.format(
                host=host,
                folder=self.folder,
                ports=ports,
                nodes="\n".join(lines),
                first_job=100 * ports[0],
                task_plugin="task/none" if self.virtual else "task/affinity",
                select="CR_Core_Memory",
            )
        )

    def comes_up(self):
        deadline = time.monotonic() + COMING_UP
        while time.monotonic() < deadline and self.guard.poll() is None:
            states = self.ask("sinfo", "-h", "-N", "-o", "%T").stdout.split()
            if states == ["idle"] * len(self.names):
                return True
            time.sleep(0.1)
        return False

    def ask(self, *command, **more):
        """One of Slurm's programs, or any other, told of this cluster."""
        return subprocess.run(
            [*map(str, command)],
            env={**self.environment, **more.pop("env", {})},
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=ENDING,
            **more,
        )

    def stop(self):
        self.guard.stdin.close()
        self.guard.wait(timeout=2 * ENDING)


# ---- the guard -----------------------------------------------------------------------------------------------------------


def ours(configuration):
    """Processes that know of this cluster: daemons, the steps' managers, jobs and what they have started."""
    mark = f"SLURM_CONF={configuration}".encode()
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            pass  # it has ended, or is not ours to look at
    return found


def end_all(configuration):
    """What is started while the others are ended is found in the next round."""
    deadline = time.monotonic() + ENDING
    while (there := ours(configuration)) and time.monotonic() < deadline:
        for process in there:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.05)


def keep_guard(folder, names):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    daemons = [["slurmctld", "-D", "-c", "-i"], *(["slurmd", "-D", "-N", name] for name in names)]
    for i, daemon in enumerate(daemons):
        with open(folder / f"{daemon[0]}.{i}.log", "w") as log:
            subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *daemon], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder
            )
    sys.stdin.read()  # the end of the tests
    end_all(folder / "slurm.conf")
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    keep_guard(pathlib.Path(sys.argv[1]), sys.argv[2:])
