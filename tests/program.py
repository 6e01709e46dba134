"""What the tests of the whole program share: starting it on ranks, comparing results files bit by bit, and copying them."""
import os
import pathlib
import pty
import re
import select
import signal
import subprocess

import netCDF4
import numpy as np

import journal
import launcher

PROGRAM = os.environ["RIDGELESS_PROGRAM"]
SOURCE = pathlib.Path(os.environ["RIDGELESS_SOURCE_ROOT"])
WRAPPER = os.environ.get("RIDGELESS_TEST_WRAPPER", "").split()  # valgrind goes between the launcher and the program


def run(*arguments, ranks=None, before=(), each=(), cwd=None, env=None, timeout=600, check=None):
    """Runs the program, under the MPI launcher when `ranks` is given, all of it behind the words `before`, and each rank behind
    the words `each`. With `check` the exit status must be that."""
    command = [*before, *launcher.on_ranks(ranks, [*each, *WRAPPER, PROGRAM, *arguments])]
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=timeout,
    )
    if check is not None and done.returncode != check:
        raise AssertionError(f"{' '.join(command)}: exit status {done.returncode}, expected {check}\n{done.stdout}{done.stderr}")
    return done


def start(test, *arguments, ranks=None, nodes=None, cwd=None):
    """The program as run() starts it, in a session of its own: the test looks on, and ends what is left of it. `nodes`: ranks
    of each node."""
    command = [PROGRAM, *arguments]
    process = subprocess.Popen(
        launcher.on_nodes(nodes, command) if nodes else launcher.on_ranks(ranks, command),
        cwd=cwd,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    test.addCleanup(lambda: (process.poll() is None and os.killpg(process.pid, signal.SIGKILL), process.communicate()))
    return process


def in_terminal(*command, cwd=None, env=None, keys=b"", after=lambda: False):
    """The exit status of a command in a terminal of its own, and what it shows there. The keys are pressed once `after()`."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(cwd or ".")
        os.execvpe(command[0], command, {**os.environ, **(env or {})})
    said, pressed = b"", not keys
    while True:
        ready, _, _ = select.select([terminal], [], [], 0.01)
        try:
            chunk = os.read(terminal, 4096) if ready else None
        except OSError:  # nobody has it open any more
            break
        said += chunk or b""
        if not pressed and after():
            os.write(terminal, keys)
            pressed = True
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode()


def data_groups(path):
    """Every variable and attribute of the file outside `provenance`, as bytes."""
    found = {}

    def collect(group, prefix):
        for name in group.ncattrs():
            found[f"{prefix}@{name}"] = repr(np.asarray(group.getncattr(name)).tolist())
        for name, variable in group.variables.items():
            variable.set_auto_maskandscale(False)
            values = variable[...]
            text = values.dtype == object or values.dtype.kind in "US"
            found[f"{prefix}{name}"] = (variable.dimensions, repr(values.tolist()) if text else values.tobytes())
            for attribute in variable.ncattrs():
                found[f"{prefix}{name}@{attribute}"] = repr(np.asarray(variable.getncattr(attribute)).tolist())

    with netCDF4.Dataset(path) as file:
        collect(file, "")
        for name, group in file.groups.items():
            if name != "provenance":
                collect(group, f"{name}/")
    return found


def differences(left, right):
    """Names of what is not bit for bit the same in the data groups of two results files."""
    a, b = data_groups(left), data_groups(right)
    return sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))


def copy_group(old, new, left_out=lambda name: False):
    """All of a group of a results file but for the provenance, and for variables whose names are `left_out`. A copy can be
    changed: NetCDF does not open files for writing that were made in memory."""
    for name, dimension in old.dimensions.items():
        new.createDimension(name, len(dimension))
    for name, variable in old.variables.items():
        if left_out(name):
            continue
        attributes = {key: variable.getncattr(key) for key in variable.ncattrs()}
        fill = attributes.pop("_FillValue", None)
        copied = new.createVariable(name, variable.dtype, variable.dimensions, fill_value=fill)
        copied.setncatts(attributes)
        for each in (variable, copied):
            each.set_auto_maskandscale(False)
        copied[...] = variable[...]
    new.setncatts({key: old.getncattr(key) for key in old.ncattrs()})
    for name, group in old.groups.items():
        if name != "provenance":
            copy_group(group, new.createGroup(name), left_out)


def seal(path):
    """Ends a file with the seal of a results file: the checksum of all bytes before, by the library that the program uses."""
    content = path.read_bytes()
    path.write_bytes(content + f"ridgeless seal {journal.checksum(content):016x}\n".encode())


def commands():
    """Names of all commands, as --help lists them."""
    listed = re.search(r"^Commands:\n(.*?)^$", run("--help", check=0).stdout, re.M | re.S)[1]
    return re.findall(r"^  (\w+) ", listed, re.M)
