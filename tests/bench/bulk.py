#!/usr/bin/python3
"""Small spectra in bulk: the program's repeats side by side, its spectra one by one, and the NumPy peer (numpy_study.py), in turn in
one run. Processor time of one core for each, start-up taken off; two ranks over one by the clock. Medians and spread:
   tests/bench/bulk.py PROGRAM [ROUNDS [REPEATS]]"""
import json
import os
import statistics
import subprocess
import sys

from study import DATA, ENVIRONMENT, HERE, SPECTRA_A_REPEAT, answer, processor

FEW = 8  # repeats of the runs whose time counts as start-up


def processor_seconds(*command):
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: status {status}")
    return usage.ru_utime + usage.ru_stime


def spectra_a_second(repeats, command):
    """command(repeats): what computes so many."""
    seconds = processor_seconds(*command(repeats)) - processor_seconds(*command(FEW))
    return SPECTRA_A_REPEAT * (repeats - FEW) / seconds


def main():
    program, rounds, repeats = sys.argv[1], *(int(word) for word in (sys.argv[2:4] + ["5", "4000"][len(sys.argv[2:4]):]))
    bench = lambda study: lambda n: (program, "bench", "study", HERE / study, "--repeats", n, "--json")
    sides = {"side by side": (repeats, bench("bulk.yaml")),
             "one by one": (repeats // 10, bench("one_by_one.yaml")),
             "NumPy": (repeats // 10, lambda n: ("/usr/bin/python3", HERE / "numpy_study.py", DATA, n))}
    found, ranks = {name: [] for name in sides}, []
    for _ in range(rounds):
        for name, (n, command) in sides.items():
            found[name].append(spectra_a_second(n, command))
        by_clock = [json.loads(answer("mpirun", "-n", n, *bench("bulk.yaml")(repeats)))["spectra_per_second"] for n in (1, 2)]
        ranks.append(by_clock[1] / by_clock[0])
    print(f"{processor()}, {os.cpu_count()} cores; {rounds} rounds of {SPECTRA_A_REPEAT * repeats} spectra, the others a tenth of them")
    for name, values in found.items():
        print(f"{name:24s} {statistics.median(values):10.0f} spectra/s  ({min(values):.0f} ... {max(values):.0f})")
    ratios = {f"side by side over {other}": [a / b for a, b in zip(found["side by side"], found[other])]
              for other in ("one by one", "NumPy")}
    for name, values in {**ratios, "2 ranks over 1": ranks}.items():
        print(f"{name:28s} {statistics.median(values):6.2f} times  ({min(values):.2f} ... {max(values):.2f})")


if __name__ == "__main__":
    main()
