"""Submitting the scripts of jobs/ to a Slurm of our own and looking at what becomes of them."""
import os
import pathlib
import re
import signal
import time

from program import PROGRAM, SOURCE

NOT_ENDED = ("PENDING", "RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "REQUEUED", "REQUEUE_HOLD", "RESIZING", "SIGNALING")
PATIENCE = 600  # seconds that any one wait may take: many times what it does on a quiet machine


def wait_until(condition, what, seconds=PATIENCE, pause=0.1):
    """The condition's first answer that counts as true."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(pause)
    return answer


def send(process, number):
    try:
        os.kill(process, number)
    except ProcessLookupError:
        pass  # it has ended


def filled(script, *changes, study="study"):
    """A script of jobs/ as a user would fill it in. Each change is a pair of texts, of which the first must be there."""
    text = (SOURCE / "jobs" / script).read_text()
    for old, new in (("ridgeless=ridgeless ", f"ridgeless={PROGRAM} "), ("my-study", study), *changes):
        assert old in text, f"{script} has no `{old}`"
        text = text.replace(old, new)
    return text


def holding(folder, growth, journal=".nc.journal"):
    """The environment in which the rank that writes this journal stops itself once it has written so many bytes: a machine
    that is busy may be too late for a stop from outside."""
    (folder / "hold").write_text(f"{growth} {journal}\n")
    preloaded = f"{os.environ.get('LD_PRELOAD', '')} {os.environ['RIDGELESS_HOLD_JOURNAL']}".strip()
    return {"LD_PRELOAD": preloaded, "RIDGELESS_HOLD": str(folder / "hold")}


def starting_again(times):
    return "most_restarts=20", f"most_restarts={times}"


class Job:
    """A script on its way through Slurm, submitted in `folder`."""

    def __init__(self, cluster, folder, script, *options, arguments=(), env=None):
        (folder / "job.sbatch").write_text(script)
        done = cluster.ask("sbatch", "--parsable", *options, "job.sbatch", *arguments, cwd=folder, env=env or {})
        if done.returncode != 0:
            raise AssertionError(f"sbatch: {done.stderr}\n{script}")
        self.cluster, self.folder, self.number = cluster, folder, done.stdout.strip()

    def element(self, index):
        """An element of an array."""
        one = object.__new__(Job)
        one.cluster, one.folder, one.number = self.cluster, self.folder, f"{self.number}_{index}"
        return one

    def facts(self):
        """What Slurm knows of it."""
        return dict(re.findall(r"(\w+)=(\S*)", self.cluster.ask("scontrol", "show", "job", "-o", self.number).stdout))

    def log(self):
        """All that it has printed, whatever its name."""
        name = self.facts().get("StdOut", "")
        path = pathlib.Path(name)
        return path.read_text(errors="replace") if path.is_file() else ""

    def control(self, *command):
        done = self.cluster.ask(*command, self.number)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: {done.stderr}")

    def mark(self):
        """What is in the environment of its processes."""
        return f"SLURM_JOB_ID={self.facts()['JobId']}".encode()

    def ranks(self, mark=None):
        """Its processes that are the program under test."""
        mark = mark or self.mark()
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.readlink(entry / "exe") == os.path.realpath(PROGRAM):
                    if mark in (entry / "environ").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
            except OSError:
                pass  # it has ended
        return found

    def numbered(self):
        """Its processes by rank."""

        def number(process):
            words = pathlib.Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
            return next(int(word.partition(b"=")[2]) for word in words if word.startswith(b"SLURM_PROCID="))

        return {number(process): process for process in self.ranks()}

    def send_ranks(self, number):
        for process in self.ranks():
            send(process, number)

    def stopped(self, mark):
        """Whether one of the ranks has stopped itself."""
        for process in self.ranks(mark):
            try:
                if pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "T":
                    return True
            except OSError:
                pass  # it has ended
        return False

    def hold_in_the_middle(self, again=False):
        """Waits until the rank that writes the journal has stopped itself, and stops the others. Slurm continues them before it
        ends them. Without `again` no start after this one is held."""
        wait_until(self.ranks, lambda: f"ranks of job {self.number}:\n{self.log()}")
        mark = self.mark()
        wait_until(lambda: self.stopped(mark), lambda: f"progress of job {self.number}:\n{self.log()}", pause=0.05)
        self.send_ranks(signal.SIGSTOP)
        if not again:
            (self.folder / "hold").unlink()

    def tell_to_stop(self, *options):
        """What Slurm does before the time limit."""
        self.control("scancel", "--signal=USR1", *options)
        self.send_ranks(signal.SIGCONT)

    def wait_for_start(self, restart):
        wait_until(
            lambda: self.facts()["Restarts"] == str(restart), lambda: f"restart {restart} of job {self.number}:\n{self.log()}"
        )

    def end(self):
        """(state, exit status) once it has ended for good."""

        def ended():
            facts = self.facts()
            return facts if facts["JobState"] not in NOT_ENDED else None

        facts = wait_until(ended, lambda: f"the end of job {self.number}:\n{self.log()}")
        return facts["JobState"], int(facts["ExitCode"].split(":")[0])

    def completes(self, restarts):
        """Fails unless it ends well after one of so many restarts."""
        (state, status), restart = self.end(), int(self.facts()["Restarts"])
        if (state, status) != ("COMPLETED", 0) or restart not in restarts:
            raise AssertionError(
                f"expected it to be completed, restarts {restarts}; found {state}, {status}, {restart}:\n{self.log()}"
            )
