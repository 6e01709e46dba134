"""The peer of study.py: the study of study.yaml as a practised NumPy user would write it, one batched SVD per N for all
repeats and test errors through Gram matrices. numpy_study.py DATA_FOLDER REPEATS prints the seconds of the computation.
Tables that the folder lacks are left out."""
import csv
import gzip
import pathlib
import sys
import time

import numpy as np

N_TRAIN = range(1, 40)
CUTOFFS = np.logspace(-3, 0, 7)
LEADING = range(1, 11)


def diabetes(folder):
    with gzip.open(f"{folder}/diabetes_data_raw.csv.gz") as raw, gzip.open(f"{folder}/diabetes_target.csv.gz") as target:
        x, y = np.loadtxt(raw), np.loadtxt(target)
    x = x - x.mean(axis=0)
    return x / np.linalg.norm(x, axis=0), y


def california(folder):
    longitude, latitude, age, rooms, bedrooms, people, households, income, value = np.loadtxt(
        f"{folder}/cal_housing.data", delimiter=",", unpack=True
    )
    ratios = rooms / households, bedrooms / households, people, people / households
    return np.column_stack([income, age, *ratios, latitude, longitude]), value / 1e5


def who(folder):
    with open(f"{folder}/life_expectancy_who_rajarshi.csv", newline="") as file:
        header, *rows = csv.reader(file)
    names = [name.strip() for name in header]
    left_out = {"Country", "Year", "Status", "Life expectancy", "Income composition of resources"}
    whole = [row for row in rows if all(cell.strip() for cell in row)]
    column = lambda name: [float(row[names.index(name)]) for row in whole]
    return np.column_stack([column(name) for name in names if name not in left_out]), np.array(column("Life expectancy"))


def student_teacher(_):
    generator = np.random.RandomState(0)
    hidden = generator.randn(1000, 30)
    return hidden[:, :20], hidden @ generator.randn(30)


def filters(sigma):
    """[repeat, variant, mode]: 1 / sigma where the variant keeps the mode."""
    inverse = np.divide(1, sigma, out=np.zeros_like(sigma), where=sigma > 0)
    kept = [np.ones_like(sigma, bool)] + [sigma >= cutoff for cutoff in CUTOFFS]
    kept += [np.broadcast_to(np.arange(sigma.shape[1]) < k, sigma.shape) for k in LEADING]
    return np.stack(kept, axis=1) * inverse[:, None]


def quadratic(beta, gram, target):
    """|X beta - target|^2 from the Gram matrix of [X y y*]."""
    p = beta.shape[-1]
    square = np.einsum("rvp,rpq,rvq->rv", beta, gram[:, :p, :p], beta, optimize=True)
    return square - 2 * np.einsum("rvp,rp->rv", beta, gram[:, :p, target]) + gram[:, None, target, target]


def study(x, y, repeats):
    n, p = x.shape
    table = np.column_stack([x, y, x @ np.linalg.lstsq(x, y, rcond=None)[0]])
    orders = np.stack([np.random.RandomState(repeat).permutation(n) for repeat in range(repeats)])
    total, errors = table.T @ table, []
    for size in N_TRAIN:
        rows = table[orders[:, n - size :]]
        u, sigma, vt = np.linalg.svd(rows[..., :p], full_matrices=False)
        c = np.swapaxes(u, 1, 2) @ rows[..., p:]
        test = total - np.swapaxes(rows, 1, 2) @ rows
        f = filters(sigma)
        errors.append(quadratic((f * c[:, None, :, 0]) @ vt, test, p) / (n - size))
        errors.append(quadratic((f[:, :1] * c[:, None, :, 1]) @ vt, test, p + 1) / (n - size))
    return errors


def tables(folder):
    """By the name of the data set, those that the folder has."""
    sources = {
        "student-teacher": ("", student_teacher),
        "california": ("cal_housing.data", california),
        "diabetes": ("diabetes_target.csv.gz", diabetes),
        "who": ("life_expectancy_who_rajarshi.csv", who),
    }
    return {name: source(folder) for name, (file, source) in sources.items() if (pathlib.Path(folder) / file).exists()}


def main():
    folder, repeats = sys.argv[1], int(sys.argv[2])
    found = tables(folder)
    start = time.perf_counter()
    for x, y in found.values():
        study(x, y, repeats)
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
