#!/usr/bin/python3
"""Seconds and memory of ScaLAPACK spectra beside what is predicted from rates that are calibrated in the same run. Exits with 1
when any of the seconds is off by more than a factor of 3. The machine should have nothing else to do:
   tests/bench/spectra.py PROGRAM [RANKS [SIZE ...]]"""
import json
import pathlib
import subprocess
import sys
import tempfile

from measure import ENVIRONMENT

PHASES = ("seconds", "generate_seconds", "reduce_seconds", "project_seconds", "diagonalize_seconds")
WITHIN = 3


def answer(ranks, *arguments):
    done = subprocess.run(
        ["mpirun", "-n", str(ranks), *map(str, arguments), "--json"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    ranks = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    sizes = sys.argv[3:] or ["600", "800", "1000", "1600x800"]
    worst = 1
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "rates.json"
        answer(ranks, program, "bench", "calibrate", "--force", "-o", file)
        print(f"ranks: {ranks}; measured / predicted seconds, and their ratio; peak memory, with the program's own, / predicted")
        print(
            f"{'':22s}" + "".join(f"{phase.removesuffix('_seconds'):>20s}" for phase in PHASES) + f"{'':8s}{'memory, MiB':>16s}"
        )
        for size in sizes:
            spectra = answer(ranks, program, "bench", "spectrum", size, "-r", 3, "--rates", file)
            for row in spectra["producers"]:
                if "predicted" not in row:
                    continue
                predicted = row["predicted"]
                ratio = row["seconds"] / predicted["seconds"]
                worst = max(worst, ratio, 1 / ratio)
                print(
                    f"{size:>10s} {row['producer']:11s}"
                    + "".join(f"{row[p]:10.3f} /{predicted[p]:8.3f}" for p in PHASES)
                    + f"{ratio:8.2f}{row['peak_memory_bytes'] / 2**20:8.1f} /{predicted['memory_bytes'] / 2**20:6.1f}"
                )
    print(f"off by at most a factor of {worst:.2f}")
    return 0 if worst <= WITHIN else 1


if __name__ == "__main__":
    sys.exit(main())
