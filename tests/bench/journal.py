#!/usr/bin/python3
"""What the journal costs, and how long a finished study takes that is run again: the published study at so many repeats, by
turns with the journal and without (bench study), and run again; medians and spread:
   tests/bench/journal.py PROGRAM [ROUNDS [REPEATS]]
Data files that are not found ($RIDGELESS_DATA) are left out."""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import netCDF4

from measure import ENVIRONMENT, SOURCE

STUDY = SOURCE / "jobs" / "paper.yaml"


def call(program, *words):
    return subprocess.run([program, *map(str, words)], check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout


def computing(program, study, output):
    """Seconds between the start of the first curve and the last one's arrival in the journal."""
    call(program, "run", study, "-q", "-k", "-o", output)
    with netCDF4.Dataset(output) as file:
        return float(file["provenance"].compute_seconds)


def main():
    program, rounds, repeats = sys.argv[1], *(int(word) for word in (sys.argv[2:4] + ["5", "2000"][len(sys.argv[2:4]) :]))
    overheads, again, sizes = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        study, output = pathlib.Path(folder) / "study.yaml", pathlib.Path(folder) / "study.nc"
        study.write_text(STUDY.read_text().replace("\nrepeats: 50\n", f"\nrepeats: {repeats}\n"))
        for _ in range(rounds):
            for path in pathlib.Path(folder).glob("study.nc*"):
                path.unlink()
            without = json.loads(call(program, "bench", "study", study, "-k", "--json"))["seconds"]
            overheads.append(100 * (computing(program, study, output) / without - 1))
            start = time.monotonic()
            call(program, "run", study, "-q", "-k", "-o", output)
            again.append(time.monotonic() - start)
            sizes.append(pathlib.Path(f"{output}.journal").stat().st_size)
    print(f"{rounds} rounds of {repeats} repeats, a journal of {max(sizes) / 1e6:.0f} MB")
    for name, unit, values in (("journal", "% of the computing", overheads), ("run again", "s", again)):
        print(f"{name:10s} {statistics.median(values):8.2f} {unit}  ({min(values):.2f} ... {max(values):.2f})")


if __name__ == "__main__":
    main()
