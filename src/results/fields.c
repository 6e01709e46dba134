/* The tables of fields and statistics of data sets. */
#include <string.h>

#include "dataset.h"

#define MEMBER(member) offsetof(rl_reduced, member)
#define ARRAY(member)  offsetof(rl_curve_layout, member)

const rl_statistic rl_statistics[RL_N_STATISTICS] = {
    {RL_MINIMUM, "minimum", "minimum", NULL, NC_DOUBLE, MEMBER(minimum)},
    {RL_MAXIMUM, "maximum", "maximum", NULL, NC_DOUBLE, MEMBER(maximum)},
    {RL_MEAN, "mean", "mean", "repeat: mean", NC_DOUBLE, MEMBER(mean)},
    {RL_STANDARD_ERROR, "standard_error", "standard error of the mean", NULL, NC_DOUBLE, MEMBER(standard_error)},
    {RL_MEDIAN, "median", "median", "repeat: median", NC_DOUBLE, MEMBER(median)},
    {RL_GEOMETRIC_MEAN, "geometric_mean", "geometric mean", NULL, NC_DOUBLE, MEMBER(geometric_mean)},
    {RL_COUNT, "count", "repeats that have a value", NULL, NC_INT, MEMBER(count)},
    {RL_QUANTILES, "quantile", "quantiles", NULL, NC_DOUBLE, MEMBER(quantile)},
};

enum {
    OF_ERRORS = RL_MEAN | RL_STANDARD_ERROR | RL_MEDIAN | RL_GEOMETRIC_MEAN | RL_COUNT | RL_QUANTILES,
    OF_SPECTRA = RL_MEAN | RL_MEDIAN | RL_QUANTILES
};

/* Long names are what plots write beside their axes: short. What exactly it is stands in the comment. */
#define SQUARED_TARGET "in squared units of the target"
#define OF_FEATURES    "in units of the features"

const rl_field rl_fields[RL_N_FIELDS] = {
    {"test_mse", "test error", "mean square over the test rows, " SQUARED_TARGET, RL_FIELD_CELL, NC_DOUBLE,
     ARRAY(test_mse), OF_ERRORS, true, false},
    {"train_mse", "train error", "mean square over the training rows, " SQUARED_TARGET, RL_FIELD_CELL, NC_DOUBLE,
     ARRAY(train_mse), OF_ERRORS, false, false},
    {"population_mse", "population error", "expected square over the population, " SQUARED_TARGET, RL_FIELD_CELL,
     NC_DOUBLE, ARRAY(population_mse), OF_ERRORS, true, false},
    {"distance", "distance from least squares",
     "of the solution from the least-squares one, in units of that one's length; for n_train < n_features it is the "
     "minimum-norm one; absent for ablations that do not approach it",
     RL_FIELD_CELL, NC_DOUBLE, ARRAY(distance), OF_SPECTRA, false, false},
    {"modes_kept", "modes kept",
     "that predictions use: modes that are not zero, and whose part of the fit is not; absent for ablations that leave "
     "none out",
     RL_FIELD_CELL, NC_DOUBLE, ARRAY(modes_kept), RL_MEDIAN, false, true},
    {"gcv", "generalized cross-validation",
     "what the training rows alone say of the test error (Golub, Heath and Wahba 1979), " SQUARED_TARGET
     "; absent for ablations whose predictions are not linear in the training targets",
     RL_FIELD_CELL, NC_DOUBLE, ARRAY(measured[RL_MEASURE_GCV]), OF_ERRORS, false, false},
    {"loo", "leave-one-out error",
     "mean square over the training rows of the error of a fit without the row, " SQUARED_TARGET
     "; of ablations other than least squares and ridge by the shortcut e / (1 - leverage); absent for those whose "
     "predictions are not linear in the training targets",
     RL_FIELD_CELL, NC_DOUBLE, ARRAY(measured[RL_MEASURE_LOO]), OF_ERRORS, true, false},
    {"zero_one", "zero-one error", "share of test rows on the wrong side of the middle between the two targets",
     RL_FIELD_CELL, NC_DOUBLE, ARRAY(measured[RL_MEASURE_ZERO_ONE]), OF_ERRORS, false, false},
    {"worst_share", "share of the worst test rows",
     "of the sum of squared errors over the test rows, what the worst hundredth of these carries, rounded up",
     RL_FIELD_CELL, NC_DOUBLE, ARRAY(measured[RL_MEASURE_WORST_SHARE]), OF_SPECTRA, false, false},
    {"sigma_min", "smallest singular value", "the smallest non-zero one of the training features, " OF_FEATURES,
     RL_FIELD_SPECTRUM, NC_DOUBLE, ARRAY(sigma_min), OF_SPECTRA, false, false},
    {"sigma_max", "largest singular value", "of the training features, " OF_FEATURES, RL_FIELD_SPECTRUM, NC_DOUBLE,
     ARRAY(sigma_max), OF_SPECTRA, false, false},
    {"rank", "rank", "number of non-zero singular values of the training features", RL_FIELD_SPECTRUM, NC_INT,
     ARRAY(rank), 0, false, false},
    {"test_bias_sq", "square of the mean bias", "mean over the test rows, " SQUARED_TARGET, RL_FIELD_SPECTRUM,
     NC_DOUBLE, ARRAY(test_bias_sq), OF_SPECTRA, false, false},
    {"test_bias_mse", "mean squared bias", "mean over the test rows, " SQUARED_TARGET, RL_FIELD_SPECTRUM, NC_DOUBLE,
     ARRAY(test_bias_mse), OF_SPECTRA, false, false},
    {"status", "status of the spectrum", "whether it could be computed, or why not", RL_FIELD_STATUS, NC_BYTE,
     ARRAY(status), 0, false, false},
    {"sigma", "singular value", "of the training features, " OF_FEATURES, RL_FIELD_MODE, NC_DOUBLE, ARRAY(sigma), 0,
     false, false},
    {"test_projection_rms", "test projection",
     "root mean square over the test rows of their projection on the right singular vector, " OF_FEATURES,
     RL_FIELD_MODE, NC_DOUBLE, ARRAY(test_projection_rms), 0, false, false},
    {"residual_projection", "residual projection",
     "of the best linear model's residuals on the left singular vector, in units of the target; signs are fixed by "
     "making the largest component of the right singular vector positive",
     RL_FIELD_MODE, NC_DOUBLE, ARRAY(residual_projection), 0, false, false},
    {"direction", "right singular vector", "of the training features; the largest component is positive",
     RL_FIELD_DIRECTION, NC_DOUBLE, ARRAY(direction), 0, false, false},
};

const char *rl_field_coordinates(const rl_field *field) {
    return field->kind == RL_FIELD_CELL ? "ablation parameter" : NULL;
}

const char *rl_field_sets(const rl_field *field) {
    return field->kind == RL_FIELD_CELL ? "variant n_features n_train" : "n_features n_train";
}

size_t rl_field_offset(const rl_field *field, const rl_curve_layout *layout) {
    size_t begin;
    memcpy(&begin, (const char *)layout + field->offset, sizeof begin);
    return begin;
}

bool rl_field_present(const rl_field *field, const rl_curve_layout *layout) {
    if (field->offset == ARRAY(population_mse)) return layout->has_population;
    if (field->offset == ARRAY(distance)) return layout->has_distance;
    if (field->offset == ARRAY(modes_kept)) return layout->has_modes_kept;
    for (int k = 0; k < RL_N_MEASURES; k++)
        if (field->offset == ARRAY(measured[0]) + (size_t)k * sizeof layout->measured[0])
            return (layout->measures & 1u << k) != 0;
    if (field->kind == RL_FIELD_DIRECTION) return layout->n_directions > 0;
    return field->kind != RL_FIELD_MODE || layout->has_modes;
}

bool rl_field_kept(const rl_field *field, const rl_keep *keep) {
    switch (field->kind) {
        case RL_FIELD_STATUS:
            return true;
        case RL_FIELD_MODE:
            return keep->modes;
        case RL_FIELD_DIRECTION:
            return keep->directions;
        default:
            return keep->cells && !field->is_count;
    }
}
