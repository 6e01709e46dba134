"""What the benchmarks share: running one core's worth of work, its processor time, and medians with their spread."""
import os
import pathlib
import platform
import statistics
import subprocess
import sys

ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent


def answer(*command):
    """What the command prints."""
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout


def processor_seconds(*command):
    """Of the command and its children: other work on the machine disturbs them less than the clock."""
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: status {status}")
    return usage.ru_utime + usage.ru_stime


def machine():
    cpu = platform.machine()
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
            break
    return f"{cpu}, {os.cpu_count()} cores, {platform.platform(terse=True)}"


def numbers(defaults):
    """The command line's after the program, the rest by default."""
    given = list(map(int, sys.argv[2:]))
    return given + defaults[len(given) :]


def show(name, values, unit, form="{:.3g}"):
    low, middle, high = (form.format(f(values)) for f in (min, statistics.median, max))
    print(f"{name:44s} {middle:>10s} {unit}  ({low} ... {high})", flush=True)


def show_ratio(name, above, below):
    """Of what was measured in the same rounds."""
    show(name, [a / b for a, b in zip(above, below)], "times")
