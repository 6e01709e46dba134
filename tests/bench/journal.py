#!/usr/bin/python3
"""What the journal costs, and how long a finished study takes that is run again. The published study at so many repeats, in
pairs with the journal and without (bench study), which one first by turns; processor seconds of the computing on one core:
   tests/bench/journal.py PROGRAM [PAIRS [REPEATS]]
Medians with their interval of 95 %, of whatever law, from order statistics. Beside it what the program itself says: the time
that records took into the journal, without what it costs the computing that follows. Data files that are not found
($RIDGELESS_DATA) are left out."""
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from measure import ENVIRONMENT, SOURCE, numbers

STUDY = SOURCE / "jobs" / "paper.yaml"
MISS = 0.05  # of the interval


def call(program, *words):
    command = ["taskset", "-c", str(min(os.sched_getaffinity(0))), program, *map(str, words)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout)


def without(program, study):
    answer = call(program, "bench", "study", study, "-k", "--json")
    return answer["seconds"] * answer["processor_share"]


def with_journal(program, study, output):
    """Processor seconds, and the share of the records by the clock."""
    for path in output.parent.glob(f"{output.name}*"):
        path.unlink()
    answer = call(program, "run", study, "-q", "-k", "--json", "-o", output)
    parts = answer["seconds"]
    return answer["compute_seconds"] * answer["processor_share"], parts["journal"]["rank_0"] / parts["compute"]["rank_0"]


def interval(values):
    """The median with the order statistics that enclose that of the law but for MISS (sign test)."""
    n, values = len(values), sorted(values)
    outside = [2 * sum(math.comb(n, k) for k in range(low + 1)) / 2**n for low in range(n // 2)]
    low = max((i for i, miss in enumerate(outside) if miss <= MISS), default=0)
    return statistics.median(values), values[low], values[n - 1 - low]


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    pairs, repeats = numbers([12, 100])
    overheads, records, again = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        study, output = pathlib.Path(folder) / "study.yaml", pathlib.Path(folder) / "study.nc"
        study.write_text(STUDY.read_text().replace("\nrepeats: 50\n", f"\nrepeats: {repeats}\n"))
        for pair in range(pairs):
            seconds = {}
            for kept in (True, False) if pair % 2 else (False, True):
                seconds[kept] = with_journal(program, study, output) if kept else without(program, study)
            overheads.append(100 * (seconds[True][0] / seconds[False] - 1))
            records.append(100 * seconds[True][1])
            start = time.monotonic()
            call(program, "run", study, "-q", "-k", "--json", "-o", output)
            again.append(time.monotonic() - start)
        size = pathlib.Path(f"{output}.journal").stat().st_size
    print(f"{pairs} pairs of {repeats} repeats, a journal of {size / 1e6:.0f} MB")
    rows = ("journal", "% of the computing", overheads), ("records", "% of the computing", records), ("run again", "s", again)
    for name, unit, values in rows:
        print("{:10s} {:8.2f} {}  ({:.2f} ... {:.2f})".format(name, interval(values)[0], unit, *interval(values)[1:]))


if __name__ == "__main__":
    main()
