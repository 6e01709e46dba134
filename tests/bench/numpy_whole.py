"""The peer of whole.py: the study of study.yaml from its tables to one NetCDF file, as a practised NumPy user would write it.
Fits are batched as in numpy_study.py, and every error is kept, with its statistics over the repeats:
   numpy_whole.py DATA_FOLDER REPEATS numpy|philox OUTPUT
Orders of rows are drawn as `random: numpy` of study files draws them, or as cheaply as NumPy's Philox can."""
import pathlib
import sys

import netCDF4
import numpy as np

from numpy_study import N_TRAIN, filters, quadratic, tables

QUANTILES = np.array([0.05, 0.25, 0.5, 0.75, 0.95])


def last_rows(n, repeats, generator):
    """[repeat, N]: for each repeat the rows of its largest training set; the smaller ones are its last rows."""
    most = N_TRAIN[-1]
    if generator == "numpy":
        return np.stack([np.random.RandomState(repeat).permutation(n)[n - most :] for repeat in range(repeats)])
    draw = lambda repeat: np.random.Generator(np.random.Philox(key=repeat)).choice(n, most, replace=False)
    return np.stack([draw(repeat) for repeat in range(repeats)])


def fit(x, y, chosen):
    """Of one data set: by name, values [variant, N, repeat] or [N, repeat]."""
    n, p = x.shape
    table = np.column_stack([x, y, x @ np.linalg.lstsq(x, y, rcond=None)[0]])
    total = table.T @ table
    parts = {name: [] for name in ("test_mse", "train_mse", "sigma_min", "sigma_max")}
    for size in N_TRAIN:
        rows = table[chosen[:, -size:]]
        u, sigma, vt = np.linalg.svd(rows[..., :p], full_matrices=False)
        c = np.swapaxes(u, 1, 2) @ rows[..., p:]
        seen = np.swapaxes(rows, 1, 2) @ rows
        f = filters(sigma)
        test = quadratic((f * c[:, None, :, 0]) @ vt, total - seen, p) / (n - size)
        ideal = quadratic((f[:, :1] * c[:, None, :, 1]) @ vt, total - seen, p + 1) / (n - size)
        explained, ideally = ((f > 0) @ (c * c)[..., :1])[..., 0], ((f[:, :1] > 0) @ (c * c)[..., 1:])[..., 0]
        train = np.maximum(seen[:, None, p, p] - explained, 0) / size
        ideal_train = np.maximum(seen[:, None, p + 1, p + 1] - ideally, 0) / size
        parts["test_mse"].append(np.maximum(np.concatenate([test, ideal], axis=1), 0).T)
        parts["train_mse"].append(np.concatenate([train, ideal_train], axis=1).T)
        parts["sigma_min"].append(sigma[:, -1])
        parts["sigma_max"].append(sigma[:, 0])
    return {name: np.stack(values, axis=-2) for name, values in parts.items()}


def statistics(values):
    """Over the repeats, the last axis."""
    n = values.shape[-1]
    at = QUANTILES * (n - 1)
    below, above = np.floor(at).astype(int), np.ceil(at).astype(int)
    ordered = np.sort(values, axis=-1)
    quantiles = ordered[..., below] + (at - below) * (ordered[..., above] - ordered[..., below])
    with np.errstate(divide="ignore"):
        geometric = np.exp(np.log(values).mean(axis=-1))
    return {
        "mean": values.mean(axis=-1),
        "standard_error": values.std(axis=-1, ddof=1) / np.sqrt(n),
        "geometric_mean": geometric,
        "median": quantiles[..., 2],
        "quantile": quantiles,
    }


def write(group, found):
    variants, sizes, repeats = found["test_mse"].shape
    for name, size in (("variant", variants), ("n_train", sizes), ("repeat", repeats), ("quantile", len(QUANTILES))):
        group.createDimension(name, size)
    for name, values in found.items():
        dimensions = ("variant", "n_train", "repeat")[-values.ndim :]
        group.createVariable(name, "f8", dimensions)[:] = values
        for statistic, reduced in statistics(values).items():
            over = dimensions[:-1] + ("quantile",) * (statistic == "quantile")
            group.createVariable(f"{name}_{statistic}", "f8", over)[:] = reduced
    group.createVariable("n_train", "i4", ("n_train",))[:] = N_TRAIN
    group.createVariable("quantile", "f8", ("quantile",))[:] = QUANTILES


def main():
    folder, repeats, generator, output = sys.argv[1], int(sys.argv[2]), sys.argv[3], pathlib.Path(sys.argv[4])
    with netCDF4.Dataset(output, "w") as file:
        file.set_fill_off()
        for name, (x, y) in tables(folder).items():
            write(file.createGroup(name), fit(x, y, last_rows(len(y), repeats, generator)))


if __name__ == "__main__":
    main()
