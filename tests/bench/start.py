#!/usr/bin/python3
"""What starting and writing cost: `run` of a tiny study, of the published study that is finished, and of the published
study anew, beside a program that does nothing but MPI_Init and MPI_Finalize, in turn, by the clock:
   tests/bench/start.py PROGRAM [ROUNDS]"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from measure import ENVIRONMENT, SOURCE, machine, numbers, show, show_ratio

TINY = "repeats: 1\nn_train: [1, 5, 10, 20]\ndatasets: [diabetes]\nablations: [none]\n"
NOTHING = "#include <mpi.h>\nint main(int n, char **words) { MPI_Init(&n, &words); return MPI_Finalize(); }\n"


def clock(*command):
    start = time.monotonic()
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
    return time.monotonic() - start


def main():
    program, (rounds,) = sys.argv[1], numbers([7])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "tiny.yaml").write_text(TINY)
        (folder / "nothing.c").write_text(NOTHING)
        subprocess.run(["mpicc", "-O2", folder / "nothing.c", "-o", folder / "nothing"], check=True)
        run = lambda study, *words: (program, "run", study, "-k", "-q", "-o", folder / f"{study.stem}.nc", *words)
        paper = SOURCE / "jobs" / "paper.yaml"
        clock(*run(paper))
        sides = {
            "MPI_Init and MPI_Finalize alone": (folder / "nothing",),
            "run of a tiny study": run(folder / "tiny.yaml", "--fresh"),
            "run of the published study, finished": run(paper),
            "assemble (its results file anew)": None,
            "run of the published study anew": run(paper, "--fresh"),
        }
        seconds = {side: [] for side in sides}
        for _ in range(rounds):
            for side, command in sides.items():
                if command is None:
                    (folder / "paper.nc").unlink()
                    command = (program, "assemble", paper, "-k", "-q", "-o", folder / "paper.nc")
                seconds[side].append(clock(*command))
        size = os.stat(folder / "paper.nc").st_size
    print(f"{machine()}\n{rounds} rounds; the published study's results file has {size / 1e6:.1f} MB")
    for side, values in seconds.items():
        show(side, values, "s")
    nothing, *others = seconds
    for side in others[:2]:
        show_ratio(f"{side} over MPI alone", seconds[side], seconds[nothing])


if __name__ == "__main__":
    main()
