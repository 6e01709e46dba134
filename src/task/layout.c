/* Where the numbers of a curve stand, and what becomes of those of one N. */
#include <math.h>
#include <string.h>

#include "../numbers.h"
#include "ridgeless/task.h"

/* The arrays of a curve in their order, and how many values of an N each has: 0 where it is not there. Some have so
 * many per variant. */
enum { N_ARRAYS = 16 };
typedef struct arrays {
    struct {
        size_t *begin, width, per_variant;
    } at[N_ARRAYS];
} arrays;

static arrays arrays_of(rl_curve_layout *l) {
    const size_t variants = (size_t)l->n_variants, modes = l->has_modes ? (size_t)l->max_modes : 0;
    return (arrays){{{&l->test_mse, variants, 1},
                     {&l->train_mse, variants, 1},
                     {&l->population_mse, l->has_population ? variants : 0, 1},
                     {&l->distance, l->has_distance ? variants : 0, 1},
                     {&l->modes_kept, l->has_modes_kept ? variants : 0, 1},
                     {&l->sigma_min, 1, 0},
                     {&l->sigma_max, 1, 0},
                     {&l->rank, 1, 0},
                     {&l->test_bias_sq, 1, 0},
                     {&l->test_bias_mse, 1, 0},
                     {&l->status, 1, 0},
                     {&l->sigma, modes, 0},
                     {&l->test_projection_rms, modes, 0},
                     {&l->residual_projection, modes, 0},
                     {&l->direction, modes * (size_t)l->n_directions, 0},
                     {&l->predictions, variants * (size_t)l->n_points, (size_t)l->n_points}}};
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
