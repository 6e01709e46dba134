#!/usr/bin/python3
"""How many ranks one rank 0 serves: the dispatcher with simulated ranks, whose tasks only pass time, under SimGrid's SMPI.
What tasks and records take is measured here first (tests/bench/take_records.c), of the first data set of the published
study with every error kept, and counted in buckets:
   tests/simulated/simulate.py BUILD_FOLDER [MOST_RANKS]
Simulated are nodes of 64 cores with 100 Gbit/s and 1 us between them."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

CORES, BYTES_PER_SECOND, LATENCY = 64, 12.5e9, 1e-6
# Seconds that a process is busy with sending and with receiving a message, and with each of its bytes.
SENDING, RECEIVING, COPYING = 0.5e-6, 1e-6, 1e-10
PLATFORM = """<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="nodes" prefix="node" suffix="" radical="0-{last}" speed="1Gf" core="{cores}" bw="{bandwidth}Bps" lat="{latency}s"
    loopback_bw="20GBps" loopback_lat="300ns"/>
</platform>
"""
SETTINGS = {
    "smpi/simulate-computation": "no",  # time passes where the tasks say so
    "smpi/iprobe": 1e-6,  # seconds of a look that finds nothing
    "smpi/test": 1e-6,
    "smpi/grow-injected-times": "no",
    "smpi/shared-malloc": "local",  # see rl_simulated_alloc
    "smpi/os": f"0:{SENDING}:0",
    "smpi/or": f"0:{RECEIVING}:{COPYING}",
}


# Of spectra: each rank has a node of its own; messages take what the platform says, by the algorithms of Open MPI.
ALONE, NETWORK = 1, {"smpi/coll-selector": "ompi", "smpi/lat-factor": "0:1", "smpi/bw-factor": "0:1"}


def start(ranks, cores, settings, *command):
    """The JSON that a program prints on so many simulated ranks."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        numbers = {"last": (ranks - 1) // cores, "cores": cores, "bandwidth": BYTES_PER_SECOND, "latency": LATENCY}
        (folder / "platform.xml").write_text(PLATFORM.format(**numbers))
        (folder / "hosts").write_text("".join(f"node{rank // cores}\n" for rank in range(ranks)))
        smpirun = ["smpirun", "-np", ranks, "-platform", folder / "platform.xml", "-hostfile", folder / "hosts"]
        smpirun += [f"--cfg={key}:{value}" for key, value in {**SETTINGS, **settings, "smpi/tmpdir": folder}.items()]
        smpirun += ["--log=root.thres:warning", *command]
        done = subprocess.run(list(map(str, smpirun)), check=True, stdout=subprocess.PIPE, text=True, cwd=folder)
    return json.loads(done.stdout)


def simulate(dispatch, ranks, tasks, repeats, seconds, together, size, taking):
    """The answer of dispatch.c, whose first lines say what the arguments are."""
    return start(ranks, CORES, {}, dispatch, tasks, repeats, seconds, together, size, taking, 0)


def simulate_spectrum(spectrum, ranks, n, n_test, block):
    """The answer of spectrum.c, likewise: what messages take, simulated and predicted."""
    return start(ranks, ALONE, NETWORK, spectrum, n, n_test, block)


def measure(build, keep, repeats):
    """Of a record, what rank 0 is busy with it, its bytes and repeats, and what a repeat takes to compute."""
    source = pathlib.Path(__file__).resolve().parent.parent / "bench" / "study.yaml"
    text = source.read_text().replace("repeats: 50", f"repeats: {repeats}").replace("random: numpy", "random: philox")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "study.yaml").write_text(f"{text}keep: {keep}\n")
        command = [build / "tests" / "bench" / "take_records", folder / "study.yaml", folder / "study.nc"]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout)


def show(dispatch, ranks, case):
    found = simulate(dispatch, ranks, **case)
    print(
        f"{ranks:6d} {found['records']:9d} {found['records_per_second']:11.0f} {found['messages']:9d}"
        f" {found['taking_of_rank_0']:10.1%} {found['computing_of_rank_0']:10.1%} {found['idle_of_workers']:10.1%}",
        flush=True,
    )


def main():
    build, most = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 1024
    dispatch = build / "tests" / "simulated" / "dispatch"
    cells, summary = ("cells", 30000, (16, 32, 64, 128, 256), 2000), ("summary", 1000000, (64, 256, 1024), 16)
    for keep, repeats, sizes, per_rank in (cells, summary):
        m = measure(build, keep, repeats)
        span = max(1, round(m["repeats_per_record"]))
        print(
            f"keep: {keep}: {1e6 * m['seconds_per_repeat']:.0f} us per curve, records of {span} curves and"
            f" {m['bytes_per_record']:.0f} bytes, each takes rank 0 {1e6 * m['seconds_per_record']:.1f} us\n"
            f"{'ranks':>6s} {'records':>9s} {'per second':>11s} {'messages':>9s}"
            f" {'rank 0:':>10s} {'computes':>10s} {'workers':>10s}\n"
            f"{'':38s} {'takes':>10s} {'':10s} {'idle':>10s}"
        )
        case = {"repeats": span, "seconds": m["seconds_per_repeat"], "together": 8 if keep == "cells" else 0}
        case |= {"size": m["bytes_per_record"], "taking": m["seconds_per_record"]}
        for ranks in sizes:
            if ranks <= most:
                show(dispatch, ranks, {"tasks": per_rank * ranks, **case})


if __name__ == "__main__":
    main()
