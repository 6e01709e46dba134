/* Where the numbers of a curve stand, and what becomes of those of one N. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "../numbers.h"
#include "ridgeless/task.h"

/* The arrays of a curve in their order, and how many values of an N each has: 0 where it is not there. Some have so
 * many per variant. */
enum { N_OWN_ARRAYS = 16, N_ARRAYS = N_OWN_ARRAYS + RL_N_MEASURES };
typedef struct one_array {
    size_t *begin, width, per_variant;
} one_array;
typedef struct arrays {
    one_array at[N_ARRAYS];
} arrays;

static arrays arrays_of(rl_curve_layout *l) {
    const size_t variants = (size_t)l->n_variants, modes = l->has_modes ? (size_t)l->max_modes : 0;
    int n = 0;
    arrays a;
#define ARRAY(begin, width, per_variant) a.at[n++] = (one_array){&l->begin, width, per_variant}
    ARRAY(test_mse, variants, 1);
    ARRAY(train_mse, variants, 1);
    ARRAY(population_mse, l->has_population ? variants : 0, 1);
    ARRAY(distance, l->has_distance ? variants : 0, 1);
    ARRAY(modes_kept, l->has_modes_kept ? variants : 0, 1);
    for (int k = 0; k < RL_N_MEASURES; k++) ARRAY(measured[k], (l->measures & 1u << k) != 0 ? variants : 0, 1);
    ARRAY(sigma_min, 1, 0);
    ARRAY(sigma_max, 1, 0);
    ARRAY(rank, 1, 0);
    ARRAY(test_bias_sq, 1, 0);
    ARRAY(test_bias_mse, 1, 0);
    ARRAY(status, 1, 0);
    ARRAY(sigma, modes, 0);
    ARRAY(test_projection_rms, modes, 0);
    ARRAY(residual_projection, modes, 0);
    ARRAY(direction, modes * (size_t)l->n_directions, 0);
    ARRAY(predictions, variants * (size_t)l->n_points, (size_t)l->n_points);
#undef ARRAY
    assert(n == N_ARRAYS);
    return a;
}

rl_curve_layout rl_curve_layout_like(const rl_curve_layout *like, int n_n_train) {
    rl_curve_layout l = *like;
    const arrays a = arrays_of(&l);
    l.n_n_train = n_n_train;
    l.length = 0;
    for (int k = 0; k < N_ARRAYS; k++) {
        *a.at[k].begin = l.length;
        l.length += (size_t)n_n_train * a.at[k].width;
    }
    return l;
}

static bool approaches_least_squares(const rl_study_dataset *spec) {
    for (int v = 0; v < spec->n_variants; v++)
        if (spec->variants[v].ablation->approaches_least_squares) return true;
    return false;
}

static bool leaves_modes_out(const rl_study_dataset *spec) {
    for (int v = 0; v < spec->n_variants; v++)
        if (spec->variants[v].ablation->leaves_modes_out) return true;
    return false;
}

rl_curve_layout rl_curve_layout_of(const rl_series *series) {
    const rl_curve_layout held = {.n_variants = series->spec->n_variants,
                                  .max_modes = series->max_modes,
                                  .n_directions = series->spec->keep.directions ? series->data.n_features : 0,
                                  .n_points = series->n_points,
                                  .has_population = rl_dataset_design_known(&series->data),
                                  .has_distance = approaches_least_squares(series->spec),
                                  .has_modes_kept = leaves_modes_out(series->spec),
                                  .measures = series->spec->measures,
                                  .has_modes = series->spec->keep.modes && series->max_modes > 0};
    return rl_curve_layout_like(&held, series->n_n_train / series->n_parts);
}

/* ---- one N ------------------------------------------------------------------------------------------------------- */

static void fill_with_nan(double *values, size_t n) {
    for (size_t v = 0; v < n; v++) values[v] = NAN;
}

void rl_curve_clear(const rl_curve_layout *layout, int i, double *curve) {
    rl_curve_layout l = *layout;
    const arrays a = arrays_of(&l);
    for (int k = 0; k < N_ARRAYS; k++) fill_with_nan(curve + *a.at[k].begin + (size_t)i * a.at[k].width, a.at[k].width);
    curve[l.status + (size_t)i] = RL_CELL_MISSING;
}

void rl_curve_copy(const rl_curve_layout *from, const double *source, int i, const int *variants,
                   const rl_curve_layout *to, double *target, int j) {
    rl_curve_layout l = *from, m = *to;
    const arrays a = arrays_of(&l), b = arrays_of(&m);
    for (int k = 0; k < N_ARRAYS; k++) {
        const size_t there = a.at[k].width, width = b.at[k].width, common = rl_smaller(there, width);
        const size_t each = b.at[k].per_variant;
        const double *const old = source + *a.at[k].begin + (size_t)i * there;
        double *const values = target + *b.at[k].begin + (size_t)j * width;
        if (variants != NULL && each > 0) {
            for (size_t v = 0; v * each < width; v++)
                memcpy(values + v * each, old + (size_t)variants[v] * each, each * sizeof *values);
            continue;
        }
        memcpy(values, old, common * sizeof *values);
        fill_with_nan(values + common, width - common);
    }
}
