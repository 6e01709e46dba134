"""Reads a results file: what the figures need of it, whether every repeat was kept or the summary alone.

The rest of the analysis sees datasets, variants and curves, and never xarray, so that a change of the file's layout
is a change of this module.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import numpy as np

if TYPE_CHECKING:
    import netCDF4
    import xarray as xr

Notes = list[str]  # what a person should know of what is not in a figure, one line each

NOT_DATASETS = ("provenance",)
AUTOENCODER = "autoencoder"  # what the attribute `kind` says of a group that is none
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MODE_VARIABLES = ("sigma", "test_projection_rms", "residual_projection")
PREDICTION_VARIABLES = ("point", "point_target", "prediction", "training_input", "training_target")
STATUS_DONE, STATUS_MISSING, STATUS_NOT_ASKED = 0, 1, 4
SHORT_LIST = 16  # numbers that a line can hold


class ResultsError(Exception):
    """A file that cannot be read as a results file; the text is one line for a person."""


@dataclass(frozen=True)
class Variant:
    """An ablation with its parameter. `options` is what its label says beyond those two."""

    index: int
    label: str
    ablation: str
    parameter: float
    options: str
    role: str = ""  # fit, factor, cure or attack; empty in files of older programs


@dataclass(frozen=True)
class Spike:
    """How high a variant's median test error stands at the threshold over its flanks, with an interval, NaN without one."""

    height: float
    low: float
    high: float

    def is_sure(self) -> bool:
        """Whether there is a spike, and its interval does not hold 1."""
        return self.height > 1 and not self.low <= 1


@dataclass(frozen=True)
class Curve:
    """One quantity against N, reduced over the repeats: arrays as long as the dataset's `n_train`, NaN where absent."""

    median: np.ndarray
    quantiles: dict[float, np.ndarray]
    mean: np.ndarray | None

    def band(self, low: float, high: float) -> tuple[np.ndarray, np.ndarray] | None:
        """The two edges of a quantile band, or None when the file lacks one of them."""
        if low not in self.quantiles or high not in self.quantiles:
            return None
        return self.quantiles[low], self.quantiles[high]


@dataclass(frozen=True)
class Buckets:
    """How many repeats of each N fell between lower (in) and upper (out), [n_train, bucket]; median and maximum by N."""

    lower: np.ndarray
    upper: np.ndarray
    count: np.ndarray
    median: np.ndarray
    maximum: np.ndarray


@dataclass(frozen=True)
class About:
    """What a results file says of itself."""

    path: Path
    title: str
    program: str
    study: str  # the study file's text
    provenance: dict[str, str]


@dataclass(frozen=True)
class Predictions:
    """A fit at the test points of one input, and the rows it has seen."""

    point: np.ndarray
    target: np.ndarray
    prediction: np.ndarray
    training_input: np.ndarray
    training_target: np.ndarray


class Dataset:
    """One dataset of the results file at one number of features P: what one panel shows."""

    def __init__(self, group: str, data: xr.Dataset, feature_index: int, path: Path):
        self.group = group
        self.source = _source(group, path)
        self._asked = _asked(data, feature_index)
        self.n_train = np.asarray(data["n_train"].values, dtype=float)[self._asked]
        self.n_features = _feature_counts(data)[feature_index]
        self.threshold = _threshold(data, feature_index, self.n_features)
        self.scale_steps = _scale_steps(data, self.threshold)
        self.has_intercept = "intercept" in data.attrs  # one of the features
        self.repeats = int(data.sizes.get("repeat", data.attrs.get("n_repeats", 0)))  # 0: the file does not say
        self.rows, self.rows_dropped = (int(data.attrs.get(name, 0)) for name in ("n_rows", "n_rows_dropped"))
        self._data = data
        self._feature_index = feature_index
        self._path = path
        self._curves: dict[tuple[str, int], Curve | None] = {}  # several figures ask for the same ones
        self.variants = _variants(data)

    def of(self, ablation: str) -> list[Variant]:
        """The variants of an ablation, by parameter; those without a curve to draw are left out."""
        found = [v for v in self.variants if v.ablation == ablation and self.curve("test_mse", v) is not None]
        return sorted(found, key=lambda v: (v.options, v.parameter))

    def unablated(self) -> Variant | None:
        """The fit that nothing was done to, when the study has it."""
        return next(iter(self.of("none")), None)

    def curve(self, variable: str, variant: Variant | None = None) -> Curve | None:
        """One quantity against N, of one variant where it differs between them. None without any value."""
        key = (variable, variant.index if variant else -1)
        if key not in self._curves:
            self._curves[key] = self._read_curve(variable, variant)
        return self._curves[key]

    def _read_curve(self, variable: str, variant: Variant | None) -> Curve | None:
        """The reduced values as the file has them, else reduced here from each repeat's."""
        median = self._array(f"{variable}_median", variant)
        mean = self._array(f"{variable}_mean", variant)
        table = self._array(f"{variable}_quantile", variant, "quantile")
        quantiles = {} if table is None else self._quantile_columns(table)
        if median is None:
            median = quantiles.get(0.5)
        if median is None or not quantiles or mean is None:
            cells = self._array(variable, variant, "repeat")
            if cells is not None:
                quantiles = quantiles or dict(zip(QUANTILES, _reduce(np.nanquantile, cells, QUANTILES)))
                median = quantiles[0.5] if median is None else median
                mean = _reduce(np.nanmean, cells) if mean is None else mean
        if median is None or not np.isfinite(median).any():
            return None
        return Curve(median, quantiles, mean)

    def spike(self, variant: Variant) -> Spike | None:
        """Of a variant, as the file has it; None where it has none."""
        height, low, high = (self._number(f"spike_height{end}", variant) for end in ("", "_low", "_high"))
        return None if height is None else Spike(height, np.nan if low is None else low, np.nan if high is None else high)

    def has_spikes(self) -> bool:
        """Whether the file says how high spikes are; older programs' files do not."""
        return "spike_height" in self._data

    def has_low_rank(self) -> bool:
        """Whether the features depend on each other, so that the threshold is at their rank and not at P."""
        return self.threshold < self.n_features

    def has_scales_apart(self) -> bool:
        """Whether the rank is lower because columns are in units far apart."""
        return "scales_apart" in self._data.attrs

    def size(self, in_full: bool = False) -> str:
        """P = 39, or P = 39 of rank 36; P = 11 with intercept, or what it is of."""
        text, inputs = f"P = {self.n_features}", self.n_features - 1
        if self.has_intercept:
            text += f" ({inputs} feature{'' if inputs == 1 else 's'} and the intercept)" if in_full else " with intercept"
        return text + (f" of rank {self.threshold}" if self.has_low_rank() else "")

    def threshold_index(self) -> int | None:
        """The index in n_train of the N at the threshold; None where the study has no such N, or the file does not say."""
        return self._index_of(self._number("threshold_n_train"))

    @property
    def null_mse(self) -> float | None:
        """The mean squared error of predicting nothing, which is 0; None where the file does not say."""
        return self._number("null_mse")

    @property
    def target_variance(self) -> float | None:
        """The mean squared error of predicting the mean of the targets; None where the file does not say."""
        return self._number("target_variance")

    def modes_kept(self, variant: Variant, n_train_index: int) -> float | None:
        """Median number of modes that predictions use; None of variants that leave none out."""
        values = self._array("modes_kept_median", variant)
        return float(values[n_train_index]) if values is not None and np.isfinite(values[n_train_index]) else None

    def _number(self, name: str, variant: Variant | None = None) -> float | None:
        """A variable that depends on no N; None where it is not there, NaN or a fill value. Infinity is a number."""
        if name not in self._data:
            return None
        chosen = {"n_features": self._feature_index, "variant": variant.index if variant else 0}
        variable = self._data[name]
        value = np.asarray(variable.isel({d: i for d, i in chosen.items() if d in variable.dims}).values, dtype=float)
        return float(value) if value.ndim == 0 and not np.isnan(value) else None

    def _index_of(self, n_train: float | None) -> int | None:
        found = np.flatnonzero(self.n_train == n_train) if n_train is not None else []
        return int(found[0]) if len(found) else None

    def modes(self, variable: str, n_train_index: int) -> np.ndarray | None:
        """A per-mode quantity of each repeat at one N, [repeat, mode], NaN of modes that are zero but for rounding; None when
        the study kept no modes."""
        values = self._array(variable, None, "repeat", "mode", n_train_index=n_train_index)
        rank = self._array("rank", None, "repeat", n_train_index=n_train_index)
        if values is not None and rank is not None:
            values[np.arange(values.shape[1]) >= rank[:, None]] = np.nan
        return values if values is not None and np.isfinite(values).any() else None

    def predictions(self, variant: Variant, n_train_index: int) -> Predictions | None:
        """What the first repeat's fit says at the test points; None when the study kept no predictions."""
        if any(name not in self._data for name in PREDICTION_VARIABLES):
            return None
        at = {"n_features": self._feature_index, "predicted_repeat": 0, "variant": variant.index}
        at["n_train"] = int(self._asked[n_train_index])
        rows = int(self.n_train[n_train_index])

        def values(name: str) -> np.ndarray:
            variable = self._data[name]
            return np.asarray(variable.isel({d: i for d, i in at.items() if d in variable.dims}).values, dtype=float)

        point, target, said, x, y = (values(name) for name in PREDICTION_VARIABLES)
        return Predictions(point, target, said, x[:rows], y[:rows]) if np.isfinite(said).all() else None

    def cells(self, variable: str, variant: Variant | None = None) -> np.ndarray | None:
        """Each repeat's values, [n_train, repeat]; None when the study kept none."""
        values = self._array(variable, variant, "repeat")
        return values if values is not None and np.isfinite(values).any() else None

    def buckets(self, variable: str, variant: Variant | None = None) -> Buckets | None:
        """How often values fell into buckets; None where the study kept no summary."""
        count = self._array(f"{variable}_bucket_count", variant, "bucket")
        median, maximum = (self._array(f"{variable}_{what}", variant) for what in ("median", "maximum"))
        lower, upper = self.array("bucket_lower", "bucket"), self.array("bucket_upper", "bucket")
        if count is None or median is None or maximum is None or lower is None or upper is None:
            return None
        return Buckets(lower, upper, count, median, maximum)

    def is_summary(self) -> bool:
        """Whether no single repeat was kept."""
        return "status_count" in self._data

    def reduced(self, name: str, variant: Variant | None = None) -> np.ndarray | None:
        """Values [n_train] that are no repeat's: of a statistic, or of theory. Infinite ones count as absent."""
        values = self._array(name, variant)
        return values if values is not None and np.isfinite(values).any() else None

    def array(self, name: str, *dimensions: str) -> np.ndarray | None:
        """A variable that depends on no N, along the dimensions in this order."""
        if name not in self._data or set(self._data[name].dims) != set(dimensions):
            return None
        return np.asarray(self._data[name].transpose(*dimensions).values, dtype=float)

    def directions(self, n_train_index: int, repeat: int) -> np.ndarray | None:
        """The modes' directions of one training set, [mode, feature]; None when the study kept none."""
        values = self._array("direction", None, "repeat", "mode", "feature", n_train_index=n_train_index)
        return values[repeat] if values is not None else None

    def has_directions(self) -> bool:
        """Whether the study kept the modes' directions."""
        return "direction" in self._data and "training_row" in self._data

    def is_isotropic(self) -> bool:
        """Whether the features are independent standard normal numbers, for which exact laws are known."""
        return self._data.attrs.get("design") == "isotropic normal"

    def has_modes(self) -> bool:
        """Whether the study kept per-mode values."""
        return all(name in self._data for name in MODE_VARIABLES)

    def incomplete(self) -> str | None:
        """One line that counts the spectra that are not there, or None when all are."""
        status = self._array("status", None, "repeat")
        counts = self._status_counts()
        if counts is not None:
            spectra, missing = int(counts.sum()), int(counts[:, STATUS_MISSING].sum())
            failed = spectra - missing - int(counts[:, STATUS_DONE].sum())
        elif status is not None:
            spectra, missing = status.size, int(np.count_nonzero(np.isnan(status) | (status == STATUS_MISSING)))
            failed = int(np.count_nonzero(status > STATUS_MISSING))
        else:
            return None
        if missing + failed == 0:
            return None
        return f"{self.group}: of {spectra} spectra {missing} are missing and {failed} failed; " "the figures show the others"

    def repeats_done(self) -> int:
        """Repeats that have at least one finished spectrum."""
        status, counts = self._array("status", None, "repeat"), self._status_counts()
        if counts is not None:
            return int(counts[:, STATUS_DONE].max())
        return self.repeats if status is None else int((status == STATUS_DONE).any(axis=0).sum())

    def _status_counts(self) -> np.ndarray | None:
        """Of a summary: repeats with each status, [n_train, status]."""
        return self._array("status_count", None, "status")

    def _quantile_columns(self, table: np.ndarray) -> dict[float, np.ndarray]:
        columns = np.asarray(self._data["quantile"].values, dtype=float) if "quantile" in self._data else np.array([])
        return {q: table[:, i] for q in QUANTILES for i, c in enumerate(columns[: table.shape[1]]) if np.isclose(q, c)}

    def _array(self, name: str, variant: Variant | None, *inner: str, n_train_index: int | None = None) -> np.ndarray | None:
        """The variable as float [n_train, *inner] (or [*inner] at one N); NaN for what is absent or not finite."""
        if name not in self._data:
            return None
        chosen = {"n_features": self._feature_index, "variant": variant.index if variant else None}
        chosen["n_train"] = self._asked if n_train_index is None else int(self._asked[n_train_index])
        variable = self._data[name]
        variable = variable.isel({d: i for d, i in chosen.items() if i is not None and d in variable.dims})
        outer = () if n_train_index is not None else ("n_train",)
        if set(variable.dims) != {*outer, *inner}:
            return None
        try:
            values = np.array(variable.transpose(*outer, *inner).values, dtype=float)
        except (OSError, RuntimeError, ValueError, TypeError) as error:
            raise ResultsError(f"{self._path}: {self.group}/{name} cannot be read: {one_line(error)}") from error
        values[~np.isfinite(values)] = np.nan
        return values


def read_all(paths: list[Path]) -> tuple[list[Dataset], Notes]:
    """The datasets of several files, one after the other: no two may be of the same name and size."""
    datasets: list[Dataset] = []
    notes: Notes = []
    origin: dict[tuple[str, int], Path] = {}
    for path in paths:
        found, more = read(path)
        for dataset in found:
            key = (dataset.group, dataset.n_features)
            if origin.get(key, path) != path:
                raise ResultsError(f"{path}: holds the dataset {key[0]}, as {origin[key]} does; expected one of them")
            origin[key] = path
        datasets += found
        notes += more
    return datasets, notes


def read(path: Path) -> tuple[list[Dataset], Notes]:
    """All datasets of a results file, in the file's order, and notes on groups that are none."""
    notes: Notes = []
    datasets: list[Dataset] = []
    groups = group_names(path)
    for group in groups:
        data = open_group(path, group)
        if data.attrs.get("kind") == AUTOENCODER:  # autoencoder.py draws those
            continue
        wrong = _fault(data)
        if wrong:
            notes.append(f"{path}: group {group} is not a dataset of results ({wrong}); left out")
            continue
        datasets += [Dataset(group, data, i, path) for i in range(len(_feature_counts(data)))]
    if not datasets and len(notes) == len(groups):
        raise ResultsError(f"{path}: not a results file of ridgeless: no group in it holds test errors by n_train")
    return datasets, notes


def about(path: Path) -> About:
    """The study's text, and what the run left in `provenance` in one line each; long lists are left out."""
    root = open_file(path)
    text = {name: str(getattr(root, name, "")) for name in ("title", "program", "study_text")}
    group = root.groups.get("provenance")
    said = {name: _plain(group.getncattr(name)) for name in group.ncattrs()} if group is not None else {}
    kept = {name: value for name, value in said.items() if value}
    return About(path, text["title"] or path.stem, text["program"], text["study_text"], kept)


def _plain(value: Any) -> str:
    numbers = np.atleast_1d(value)
    if numbers.dtype.kind not in "fiu":
        return str(value)
    return ", ".join(f"{number:.6g}" for number in numbers) if numbers.size <= SHORT_LIST else ""


_files: dict[tuple[object, ...], netCDF4.Dataset] = {}


def open_file(path: Path) -> netCDF4.Dataset:
    """The whole file, open once however often it is asked for: two handles of one file can crash the library."""
    import netCDF4

    if not path.exists():
        raise ResultsError(f"{path}: no such file{_expected(path)}")
    if path.is_dir():
        raise ResultsError(f"{path}: a folder{_expected(path)}")
    try:
        status = path.stat()
        key = (path.resolve(), status.st_ino, status.st_mtime_ns, status.st_size)
        if key not in _files:
            _files[key] = netCDF4.Dataset(str(path))
    except (OSError, RuntimeError) as error:
        reason = one_line(getattr(error, "strerror", None) or error).removeprefix("NetCDF: ")
        raise ResultsError(f"{path}: cannot be read as NetCDF ({reason}){_expected(path)}") from error
    return _files[key]


def _expected(path: Path) -> str:
    """The end of a message; with the results file beside a study file, or a name without its ending."""
    beside = path.with_name(f"{path.stem}.nc")
    guess = f"; did you mean {beside}?" if beside != path and beside.exists() else ""
    return f"; expected a results file (NetCDF) that `ridgeless run` wrote{guess}"


def _source(group: str, path: Path) -> str:
    """Where the data set's rows come from, as the study has it; empty where the file does not say."""
    settings = str(getattr(open_file(path), "settings", ""))
    found = re.search(rf"^{re.escape(group)}/source: (.*)$", settings, re.MULTILINE)
    return found.group(1) if found else ""


def group_names(path: Path) -> list[str]:
    """The groups of a results file that hold results."""
    return [name for name in open_file(path).groups if name not in NOT_DATASETS]


def open_group(path: Path, group: str) -> xr.Dataset:
    """One group of a results file, read when its values are asked for."""
    import xarray as xr

    try:
        store = xr.backends.NetCDF4DataStore(open_file(path).groups[group])
        return xr.open_dataset(store, decode_times=False)
    except (OSError, RuntimeError, ValueError) as error:
        raise ResultsError(f"{path}: group {group} cannot be read: {one_line(error)}") from error


def _fault(data: xr.Dataset) -> str | None:
    """Why the group cannot be drawn at all, or None."""
    for name in ("n_train", "variant", "ablation"):
        if name not in data or data[name].dims != ("n_train" if name == "n_train" else "variant",):
            return f"it has no {name}"
    for name in ("n_train", "parameter"):
        if name in data and data[name].dtype.kind not in "iuf":
            return f"its {name} is not made of numbers"
    if data.sizes["n_train"] == 0 or not (data["n_train"].values >= 1).all():
        return "its n_train are not numbers of rows"
    if not _feature_counts(data):
        return "it does not say its n_features"
    if not any(f"test_mse{suffix}" in data for suffix in ("", "_median", "_quantile")):
        return "it has no test_mse"
    return None


def _feature_counts(data: xr.Dataset) -> list[int]:
    """P by index along n_features: the coordinate, else the group's attribute. Empty when there is no such number."""
    source: Any = data["n_features"].values if "n_features" in data else data.attrs.get("n_features")
    try:
        counts = [int(p) for p in np.atleast_1d(np.asarray(source, dtype=float))]
    except (TypeError, ValueError):
        return []
    return counts if min(counts, default=0) >= 1 else []


def _scale_steps(data: xr.Dataset, threshold: int) -> list[int]:
    """Numbers of features, below the threshold, behind which their standard deviations fall: the error peaks at as many rows."""
    return [int(n) for n in np.atleast_1d(data.attrs.get("scale_steps", ())) if n < threshold]


def _threshold(data: xr.Dataset, feature_index: int, n_features: int) -> int:
    """The N of the threshold: P where the file does not say, or nonsense."""
    try:
        told = np.atleast_1d(np.asarray(data.attrs.get("threshold", n_features), dtype=float))[feature_index]
    except (IndexError, TypeError, ValueError):
        return n_features
    return int(told) if 1 <= told <= n_features else n_features


def _asked(data: xr.Dataset, feature_index: int) -> np.ndarray:
    """Indices along n_train of what the study asks for at this number of features."""
    everything = np.arange(data.sizes["n_train"])
    if "status_count" in data and set(data["status_count"].dims) == {"n_features", "n_train", "status"}:
        counts = data["status_count"].isel(n_features=feature_index, status=STATUS_NOT_ASKED)
        return everything[counts.values == 0]
    if "status" not in data or set(data["status"].dims) != {"n_features", "n_train", "repeat"}:
        return everything
    status = data["status"].isel(n_features=feature_index).transpose("n_train", "repeat").values
    return everything[~(status == STATUS_NOT_ASKED).all(axis=1)]


def _variants(data: xr.Dataset) -> list[Variant]:
    labels = [_text(v) for v in data["variant"].values]
    ablations = [_text(v) for v in data["ablation"].values]
    parameters = np.asarray(data["parameter"].values, dtype=float) if "parameter" in data else [np.nan] * len(labels)
    roles = [_text(v) for v in data["role"].values] if "role" in data else [""] * len(labels)
    rows = zip(labels, ablations, parameters, roles)
    return [Variant(i, label, name, float(p), _options(label, name), role) for i, (label, name, p, role) in enumerate(rows)]


def _options(label: str, ablation: str) -> str:
    """What follows name and parameter in a label: `relative` of "cutoff=0.1 relative"."""
    match = re.match(re.escape(ablation) + r"(?:=[^\s,;(]*)?[\s,;]*(.*)$", label)
    return match.group(1).strip("() ") if match else label


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def one_line(error: BaseException) -> str:
    """What a library says of a failure, for the end of a message."""
    return " ".join(str(error).split()) or type(error).__name__


def _reduce(function: Callable[..., np.ndarray], cells: np.ndarray, *more: Any) -> np.ndarray:
    """A NaN-skipping reduction over the repeats, silent about an N that has none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return function(cells, *more, axis=-1)
