"""The MPI launcher that the tests start ranks with. What one MPI library alone understands is here and in launcher.env, which
Meson gives to every test."""
import contextlib
import os
import pathlib
import signal

MPIEXEC = os.environ.get("RIDGELESS_MPIEXEC", "mpirun")

TERMINATED = (1, 75, 143)  # exit statuses of a launcher that was terminated


def of_a_dead_rank(number):
    """Exit statuses of a launcher of which a rank was killed by that signal: its own, that of a rank which has noticed, or
    that of the alarm which ends a rank whose library's handler waits for ever."""
    return 1, 2, int(number), 128 + number, 137, 139, 142


def of_a_rank_that_killed_itself():
    """Exit statuses of a launcher of which a rank was killed, and that alone ended the run."""
    return {128 + signal.SIGKILL} if version()[0] == "openmpi" else {signal.SIGKILL, 128 + signal.SIGKILL, 255}


def version():
    """("openmpi", 4), ("openmpi", 5) or ("mpich", 4)."""
    kind, number = os.environ["RIDGELESS_MPI"].split()
    return kind, int(number.partition(".")[0])


def on_ranks(ranks, command):
    """The command, on that many ranks, or without a launcher where `ranks` is None."""
    return list(map(str, command)) if ranks is None else [MPIEXEC, "-n", str(ranks), *map(str, command)]


def on_nodes(sizes, command):
    """The command, on as many nodes with so many ranks each as the program is told: in truth they are one machine. Each rank
    tells itself, as Open MPI 5.0.7 crashes where several commands are joined by colons."""
    nodes = [str(node) for node, size in enumerate(sizes) for _ in range(size)]
    place = "$((${OMPI_COMM_WORLD_RANK:-$PMI_RANK} + 1))"
    script = f'export SLURM_NODEID=$(echo {" ".join(nodes)} | cut -d " " -f {place}); exec "$@"'
    return [MPIEXEC, "-n", str(len(nodes)), "sh", "-c", script, "sh", *map(str, command)]


def ranks_in(folder):
    """The processes that run the program in that folder, whatever has started them, in the order of their start."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended, or is not ours to look at
            links = [os.readlink(entry / name) for name in ("exe", "cwd")]
            if links == [os.path.realpath(os.environ["RIDGELESS_PROGRAM"]), os.path.realpath(folder)]:
                found.append(int(entry.name))
    return sorted(found)


def lets_the_living_speak():
    """Whether a launcher of which a rank was killed gives the others time to say which one: MPICH's ends them at once."""
    return version()[0] != "mpich"


def short_lived(session=None):
    """The environment of runs that are started and killed by the hundred: no network drivers, no wait for ranks that were
    told to end, and what the launcher leaves behind when it is killed goes to the folder `session`."""
    found = {**os.environ}
    if version()[0] == "openmpi":
        memory = "vader" if version()[1] < 5 else "sm"
        found |= {
            "OMPI_MCA_btl": f"self,{memory}",
            "OMPI_MCA_odls_base_sigkill_timeout": "0",
            "PRTE_MCA_odls_base_sigkill_timeout": "0",
        }
        if session is not None:
            found[f"OMPI_MCA_btl_{memory}_backing_directory"] = str(session)
    if session is not None:
        pathlib.Path(session).mkdir(exist_ok=True)
        found["TMPDIR"] = str(session)
    return found


def over_loopback():
    """The environment of ranks whose nodes are one machine in truth: their shared memory must not meet."""
    return {"OMPI_MCA_btl": "self,tcp", "OMPI_MCA_btl_tcp_if_include": "lo"} if version()[0] == "openmpi" else {}
