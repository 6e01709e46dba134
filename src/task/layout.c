/* Where the numbers of a curve stand, and what becomes of those of one N. */
#include <math.h>
#include <string.h>

#include "ridgeless/task.h"

/* Where an array of `length` doubles begins; nowhere when it is not there. */
static size_t place(rl_curve_layout *l, bool is_there, size_t length) {
    const size_t begin = l->length;
    if (is_there) l->length += length;
    return begin;
}

rl_curve_layout rl_curve_layout_make(int n_n_train, rl_curve_shape shape) {
    rl_curve_layout l = {.n_n_train = n_n_train,
                         .n_variants = shape.n_variants,
                         .max_modes = shape.n_modes,
                         .n_directions = shape.n_directions,
                         .n_points = shape.n_points,
                         .has_population = shape.has_population,
                         .has_distance = shape.has_distance,
                         .has_modes = shape.n_modes > 0};
    const size_t spectra = (size_t)n_n_train, cells = spectra * (size_t)l.n_variants,
                 modes = spectra * (size_t)l.max_modes;
    size_t *const spectrum_fields[] = {&l.sigma_min,    &l.sigma_max,     &l.rank,
                                       &l.test_bias_sq, &l.test_bias_mse, &l.status};
    size_t *const mode_fields[] = {&l.sigma, &l.test_projection_rms, &l.residual_projection};
    l.test_mse = place(&l, true, cells);
    l.train_mse = place(&l, true, cells);
    l.population_mse = place(&l, l.has_population, cells);
    l.distance = place(&l, l.has_distance, cells);
    for (size_t i = 0; i < sizeof spectrum_fields / sizeof *spectrum_fields; i++)
        *spectrum_fields[i] = place(&l, true, spectra);
    for (size_t i = 0; i < sizeof mode_fields / sizeof *mode_fields; i++)
        *mode_fields[i] = place(&l, l.has_modes, modes);
    l.direction = place(&l, l.n_directions > 0, modes * (size_t)l.n_directions);
    l.predictions = place(&l, l.n_points > 0, cells * (size_t)l.n_points);
    return l;
}

static bool approaches_least_squares(const rl_study_dataset *spec) {
    for (int v = 0; v < spec->n_variants; v++)
        if (spec->variants[v].ablation->approaches_least_squares) return true;
    return false;
}

rl_curve_layout rl_curve_layout_of(const rl_series *series) {
    const rl_curve_shape shape = {.n_variants = series->spec->n_variants,
                                  .n_modes = series->spec->keep.modes ? series->max_modes : 0,
                                  .n_directions = series->spec->keep.directions ? series->data.n_features : 0,
                                  .n_points = series->n_points,
                                  .has_population = rl_dataset_design_known(&series->data),
                                  .has_distance = approaches_least_squares(series->spec)};
    rl_curve_layout l = rl_curve_layout_make(series->n_n_train / series->n_parts, shape);
    l.max_modes = series->max_modes;
    return l;
}

rl_curve_shape rl_curve_shape_of(const rl_curve_layout *l) {
    return (rl_curve_shape){.n_variants = l->n_variants,
                            .n_modes = l->has_modes ? l->max_modes : 0,
                            .n_directions = l->n_directions,
                            .n_points = l->n_points,
                            .has_population = l->has_population,
                            .has_distance = l->has_distance};
}

/* ---- one N ------------------------------------------------------------------------------------------------------- */

/* The arrays of a curve, and how many values of an N each has. */
enum { MAX_ARRAYS = 15 };
typedef struct arrays {
    int n;
    size_t begin[MAX_ARRAYS], width[MAX_ARRAYS];
} arrays;

static void add(arrays *a, size_t begin, size_t width) {
    a->begin[a->n] = begin;
    a->width[a->n++] = width;
}

static arrays arrays_of(const rl_curve_layout *l) {
    const size_t variants = (size_t)l->n_variants, modes = (size_t)l->max_modes;
    const size_t spectra[] = {l->sigma_min, l->sigma_max, l->rank, l->test_bias_sq, l->test_bias_mse, l->status};
    arrays a = {0};
    add(&a, l->test_mse, variants);
    add(&a, l->train_mse, variants);
    if (l->has_population) add(&a, l->population_mse, variants);
    if (l->has_distance) add(&a, l->distance, variants);
    for (size_t i = 0; i < sizeof spectra / sizeof *spectra; i++) add(&a, spectra[i], 1);
    if (l->n_points > 0) add(&a, l->predictions, variants * (size_t)l->n_points);
    if (!l->has_modes) return a;
    add(&a, l->sigma, modes);
    add(&a, l->test_projection_rms, modes);
    add(&a, l->residual_projection, modes);
    if (l->n_directions > 0) add(&a, l->direction, modes * (size_t)l->n_directions);
    return a;
}

void rl_curve_clear(const rl_curve_layout *layout, int i, double *curve) {
    const arrays a = arrays_of(layout);
    for (int k = 0; k < a.n; k++) {
        double *const values = curve + a.begin[k] + (size_t)i * a.width[k];
        for (size_t v = 0; v < a.width[k]; v++) values[v] = NAN;
    }
    curve[layout->status + (size_t)i] = RL_CELL_MISSING;
}

void rl_curve_copy(const rl_curve_layout *from, const double *source, int i, const rl_curve_layout *to, double *target,
                   int j) {
    const arrays a = arrays_of(from), b = arrays_of(to);
    for (int k = 0; k < b.n; k++) {
        const size_t common = a.width[k] < b.width[k] ? a.width[k] : b.width[k];
        double *const values = target + b.begin[k] + (size_t)j * b.width[k];
        memcpy(values, source + a.begin[k] + (size_t)i * a.width[k], common * sizeof *values);
        for (size_t v = common; v < b.width[k]; v++) values[v] = NAN;
    }
}
