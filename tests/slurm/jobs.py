"""Submitting the scripts of jobs/ to a Slurm of our own and looking at what becomes of them."""
import json
import os
import pathlib
import re
import signal
import time

from program import PROGRAM, SOURCE

NOT_ENDED = ("PENDING", "RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "REQUEUED", "REQUEUE_HOLD", "RESIZING", "SIGNALING")
PATIENCE = 120  # seconds that any one wait may take


def wait_until(condition, what, seconds=PATIENCE):
    """The condition's first answer that counts as true."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.1)
    return answer


def filled(script, *changes, study="study"):
    """A script of jobs/ as a user would fill it in. Each change is a pair of texts, of which the first must be there."""
    text = (SOURCE / "jobs" / script).read_text()
    for old, new in (("ridgeless=ridgeless ", f"ridgeless={PROGRAM} "), ("my-study", study), *changes):
        assert old in text, f"{script} has no `{old}`"
        text = text.replace(old, new)
    return text


def starting_again(times):
    return "most_restarts=20", f"most_restarts={times}"


class Job:
    """A script on its way through Slurm, submitted in `folder`."""

    def __init__(self, cluster, folder, script, *options, name="job.sbatch", env=None):
        (folder / name).write_text(script)
        done = cluster.ask("sbatch", "--parsable", *options, name, cwd=folder, env=env or {})
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

    def ranks(self):
        """Its processes that are the program under test."""
        mark = f"SLURM_JOB_ID={self.facts()['JobId']}".encode()
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.readlink(entry / "exe") == os.path.realpath(PROGRAM):
                    if mark in (entry / "environ").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
            except OSError:
                pass  # it has ended
        return found

    def send_ranks(self, number):
        for process in self.ranks():
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass

    def hold_in_the_middle(self, progress):
        """Stops the ranks when some of the study is done and some is not, as `progress()` says: (done, of all). Slurm continues
        them before it ends them."""
        def begun():
            if self.facts()["JobState"] not in NOT_ENDED:
                raise AssertionError(f"ended too early:\n{self.log()}")
            done, total = progress()
            return self.ranks() if 0 < done < total else None
        wait_until(begun, "some curves are done")
        self.send_ranks(signal.SIGSTOP)
        done, total = progress()
        assert done < total, "the study was done before it could be held"
        return done

    def tell_to_stop(self, *options):
        """What Slurm does before the time limit."""
        self.control("scancel", "--signal=USR1", *options)
        self.send_ranks(signal.SIGCONT)

    def wait_for_start(self, restart):
        return wait_until(lambda: self.facts()["Restarts"] == str(restart), f"restart {restart} of job {self.number}:\n{self.log()}")

    def end(self):
        """(state, exit status) once it has ended for good."""
        def ended():
            facts = self.facts()
            return facts if facts["JobState"] not in NOT_ENDED else None
        try:
            facts = wait_until(ended, "its end")
        except AssertionError as error:
            raise AssertionError(f"job {self.number}: {error}\n{self.log()}") from error
        return facts["JobState"], int(facts["ExitCode"].split(":")[0])

    def completes(self, restarts):
        """Fails unless it ends well after so many restarts."""
        found = (*self.end(), int(self.facts()["Restarts"]))
        if found != ("COMPLETED", 0, restarts):
            raise AssertionError(f"expected to be completed after {restarts} restart(s), found {found}:\n{self.log()}")


def progress_of(run, folder, *study):
    """How the job of a study is looked at: a function that returns (curves done, of all)."""
    def progress():
        answer = json.loads(run("status", *study, "--json", cwd=folder, check=0).stdout)
        return answer["done"], answer["curves"]
    return progress
