#!/usr/bin/python3
"""Checks a results file of ridgeless from outside: xarray opens every group with no other argument and decodes nothing
strangely, every variable is described, and every reduced variable is NumPy's reduction of the cells beside it.

Usage: check_results_file.py FILE [FILE ...]      results files
       check_results_file.py --sample PROGRAM     the one that the unit test PROGRAM writes with --sample
Exit status 0 when all is well, 77 when xarray is not there."""
import os
import subprocess
import sys
import tempfile
import warnings

try:
    import netCDF4
    import numpy as np
    import xarray as xr
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

CELLS = ("variant", "n_features", "n_train")
SPECTRA = ("n_features", "n_train")
EVERY = {name: CELLS + ("repeat",) for name in ("test_mse", "train_mse", "population_mse")}
EVERY |= {name: SPECTRA + ("repeat",) for name in ("sigma_min", "sigma_max", "rank", "test_bias_sq", "test_bias_mse", "status")}
EVERY |= {name: SPECTRA + ("repeat", "mode") for name in ("sigma", "test_projection_rms", "residual_projection")}


def reductions(values):
    """The reductions over the last axis, NaN ignored, by NumPy."""
    count = np.sum(~np.isnan(values), axis=-1)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return {
            "count": count,
            "mean": np.nanmean(values, axis=-1),
            "standard_error": np.nanstd(values, axis=-1, ddof=1) / np.sqrt(count),
            "median": np.nanmedian(values, axis=-1),
            "geometric_mean": np.exp(np.nanmean(np.log(values), axis=-1)),
            "quantile": np.moveaxis(np.nanquantile(values, [0.05, 0.25, 0.5, 0.75, 0.95], axis=-1), 0, -1),
        }


def check_reduced(group, name):
    for statistic, expected in reductions(group[name].values).items():
        reduced = group.get(f"{name}_{statistic}")
        if reduced is None:
            continue
        tail = ("quantile",) if statistic == "quantile" else ()
        assert reduced.dims == EVERY[name][:-1] + tail, (reduced.name, reduced.dims)
        np.testing.assert_allclose(reduced.values, expected, rtol=1e-13, atol=1e-300, err_msg=reduced.name)


def check_group(path, name):
    with xr.open_dataset(path, group=name) as group:
        assert {"variant", "n_features", "n_train", "repeat", "quantile"} <= set(group.dims), group.dims
        for variable in group.variables.values():
            assert variable.dtype.kind in "ifO", f"{name}: {variable} decoded as {variable.dtype}"
            assert variable.attrs["long_name"]
        for coordinate in ("variant", "ablation", "parameter"):
            assert group.coords[coordinate].dims == ("variant",)
        assert all(isinstance(label, str) for label in group.variant.values)
        assert len(set(group.variant.values)) == group.sizes["variant"]
        assert (np.diff(group.n_train.values) > 0).all()
        assert "status" in group and group.status.attrs["flag_meanings"].split()[0] == "done"
        done = (group.status == 0).values
        for variable, dims in EVERY.items():
            if variable not in group:
                continue
            assert group[variable].dims == dims, (variable, group[variable].dims)
            if variable in ("sigma_min", "sigma_max", "rank"):
                assert (np.isnan(group[variable].values) == ~done).all(), f"{variable}: a silent value or hole"
            if "mode" not in dims and variable not in ("rank", "status"):
                check_reduced(group, variable)
        print(f"{path}: {name}: {group.sizes['variant']} variants, {int(done.sum())} of {done.size} spectra: good")


def main(paths):
    for path in paths:
        with netCDF4.Dataset(path) as file:
            groups = [name for name in file.groups if name != "provenance"]
            for attribute in ("Conventions", "title", "program", "settings", "study_text", "study_hash"):
                assert isinstance(file.getncattr(attribute), str), attribute
            assert "provenance" in file.groups and groups
        for name in groups:
            check_group(path, name)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--sample":
        with tempfile.TemporaryDirectory() as folder:
            sample = os.path.join(folder, "sample.nc")
            subprocess.run([sys.argv[2], "--sample", sample], check=True)
            main([sample])
    else:
        main(sys.argv[1:])
