#!/usr/bin/python3
"""Many repeats of the published study: spectra per second of the program, repeats side by side; of the program one by
one, by LAPACK; and of a practised NumPy user (numpy_study.py), the same cells, in turn in one run. Processor time of
one core for each, start-up taken off; two ranks over one by the clock:
   tests/bench/study.py PROGRAM [ROUNDS [REPEATS]]
All four data sets where $RIDGELESS_DATA has them, else the two that ship."""
import json
import os
import pathlib
import sys
import tempfile

from measure import HERE, SOURCE, answer, machine, numbers, processor_seconds, show, show_ratio


FEW = 8  # repeats of the runs whose time counts as start-up


def main():
    program, (rounds, repeats) = sys.argv[1], numbers([5, 4000])
    data = os.environ.get("RIDGELESS_DATA", SOURCE / "jobs" / "data")
    with tempfile.TemporaryDirectory() as folder:
        one_by_one = pathlib.Path(folder) / "one_by_one.yaml"
        one_by_one.write_text("producer: lapack\n" + (HERE / "study.yaml").read_text())
        bench = lambda study: lambda n: (program, "bench", "study", study, "--skip-missing", "--repeats", n, "--json", "-q")
        sides = {
            "side by side": (repeats, bench(HERE / "study.yaml")),
            "one by one, LAPACK": (repeats // 10, bench(one_by_one)),
            "NumPy": (repeats // 10, lambda n: ("/usr/bin/python3", HERE / "numpy_study.py", data, n)),
        }
        spectra = json.loads(answer(*bench(one_by_one)(FEW)))["spectra"] / FEW
        seconds, ranks = {name: [] for name in sides}, ([], [])
        for _ in range(rounds):
            for name, (n, command) in sides.items():
                used = processor_seconds(*command(n)) - processor_seconds(*command(FEW))
                seconds[name].append(used / (spectra * (n - FEW)))
            for n, found in zip((1, 2), ranks):
                found.append(json.loads(answer("mpirun", "-n", n, *bench(HERE / "study.yaml")(2 * repeats)))["seconds"])
    print(f"{machine()}\n{rounds} rounds of {spectra * repeats:.0f} spectra, {spectra / 39:.0f} data sets, the others a tenth")
    for name, values in seconds.items():
        show(name, [1e6 * value for value in values], "us per spectrum")
    for other in ("one by one, LAPACK", "NumPy"):
        show_ratio(f"side by side over {other}", seconds[other], seconds["side by side"])
    show_ratio("2 ranks over 1, by the clock", *ranks)


if __name__ == "__main__":
    main()
