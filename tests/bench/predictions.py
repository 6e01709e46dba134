#!/usr/bin/python3
"""What `plan` predicts of the studies of jobs/ beside what `run` takes, by `plan --compare`, from rates that are
calibrated in the same run. Of long studies a part is run. On a busy machine measured seconds are corrected:
multiplied by the part of a core that ranks got, which the table says; that is right for rates of an idle machine
alone (--rates). Exits with 1 when a study is off by more than a factor of 1.5. Two minutes on two idle cores:
   tests/bench/predictions.py PROGRAM [--ranks N] [--rates FILE|default] [STUDY ...]"""
import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

from measure import ENVIRONMENT, SOURCE, machine

WITHIN = 1.5
# of jobs/, and what is replaced in it to make it shorter
STUDIES = {
    "quickstart": (),
    "first-study": (),
    "paper": (),
    "theory": (),
    "geometry": (),
    "gradient-descent": (),
    "polynomial": (),
    "random-features": (("repeats: 20", "repeats: 5"),),
    "tails": (("repeats: 1000000", "repeats: 20000"),),
    "autoencoder": (("repeats: 10 ", "repeats: 2 "), ("steps: 10000", "steps: 500")),
    "scaling": (),
}


def call(*words):
    return subprocess.run(list(map(str, words)), env=ENVIRONMENT, stdout=subprocess.PIPE, check=True, text=True).stdout


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def launch(ranks, *words):
    """By the clock, and the part of a core that each rank got, at most 1."""
    started, worked = time.monotonic(), processor_seconds()
    call(*(["mpirun", "-n", ranks] if ranks > 1 else []), *words)
    seconds = time.monotonic() - started
    return seconds, min(1, (processor_seconds() - worked) / (seconds * ranks))


def short_study(name, folder):
    text = (SOURCE / "jobs" / f"{name}.yaml").read_text()
    for old, new in STUDIES[name]:
        assert old in text, f"{name}.yaml has no `{old}` any more"
        text = text.replace(old, new)
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


def compare(program, study, output, ranks, rates):
    """[(what, predicted, measured)] in seconds, the whole program by the clock last; and the part of a core."""
    words = [study, "-k", "-q", "-o", output]
    whole = json.loads(call(program, "plan", *words, *rates, "-n", ranks, "--json"))["seconds"]
    seconds, share = launch(ranks, program, "run", *words)
    lines = json.loads(call(program, "plan", study, "-k", "-q", *rates, "--compare", output, "--json"))["compared"]
    rows = [(line["name"], line["predicted"], line["measured"]) for line in lines if line["unit"] == "s"]
    return rows + [("whole, by the clock", whole, seconds)], share


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("studies", nargs="*", metavar="STUDY", help=f"some of {', '.join(STUDIES)}; default: all")
    parser.add_argument("--ranks", type=int, default=1, help="of each run; default 1")
    parser.add_argument("--rates", help="a file of rates, or `default` for those that are shipped; default: calibrated now")
    options = parser.parse_intermixed_args()
    program, off = options.program.resolve(), []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        file = options.rates or folder / "rates.json"
        if options.rates == "default":
            ENVIRONMENT.update({"RIDGELESS_RATES": "", "XDG_CONFIG_HOME": str(folder)})
        elif options.rates is None:
            launch(len(os.sched_getaffinity(0)), program, "bench", "calibrate", "--force", "-o", file)
        rates = [] if options.rates == "default" else ["--rates", file]
        print(f"{machine()}, ranks: {options.ranks}, rates: {options.rates or 'calibrated now'}")
        print(f"{'':44s}{'predicted':>12s}{'measured':>12s}{'ratio':>8s}{'of a core':>12s}{'corrected':>12s}", flush=True)
        for study in options.studies or STUDIES:
            rows, share = compare(program, short_study(study, folder), folder / f"{study}.nc", options.ranks, rates)
            for what, predicted, measured in rows:
                ratio = measured / predicted
                print(
                    f"{study:18s}{what:26.26s}{predicted:11.3f}s{measured:11.3f}s{ratio:8.2f}{share:12.2f}{ratio * share:12.2f}",
                    flush=True,
                )
            corrected = rows[-1][2] / rows[-1][1] * share
            if not 1 / WITHIN <= corrected <= WITHIN:
                off.append(f"{study} {corrected:.2f}")
    print(f"off by more than a factor of {WITHIN}: " + (", ".join(off) or "none"))
    return 1 if off else 0


if __name__ == "__main__":
    sys.exit(main())
