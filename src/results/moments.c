/* Second moments of tables and populations: triangles of rows, and spectra of these. */
#include "moments.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../numbers.h"
#include "../vectors.h"

/* ---- a table ----------------------------------------------------------------------------------------------------- */

bool rl_has_moments(const rl_dataset *d) {
    const bool is_table = !rl_dataset_in_blocks(d) && !rl_dataset_varies(d) && d->n_test_only == 0;
    const bool is_known = d->map == NULL && rl_dataset_design_known(d);
    return (is_table || is_known) && d->n_features <= RL_MOMENT_FEATURES;
}

static void list_table_arrays(rl_arena *arena, void *object) {
    rl_moment_maker *const t = object;
    const size_t p = (size_t)t->n_features, order = p + 2, n = t->data->fresh ? 0 : (size_t)t->n_rows;
    RL_TAKE(arena, t->x, RL_MOMENT_BLOCK * p);
    RL_TAKE(arena, t->y, RL_MOMENT_BLOCK);
    RL_TAKE(arena, t->train_x, order * p);
    RL_TAKE_REALS(arena, order, &t->train_y, &t->room, &t->weights);
    RL_TAKE(arena, t->cross, p * p);
    RL_TAKE(arena, t->axes, n > 0 ? p * p : 0);
    RL_TAKE(arena, t->along, n > 0 ? p * RL_MOMENT_BLOCK : 0);
    RL_TAKE_REALS(arena, n, &t->leverage, &t->sorted);
    RL_TAKE(arena, t->keeps, n);
}

static rl_moment_maker sizes_of_table(const rl_dataset *data) {
    return (rl_moment_maker){.data = data, .n_rows = data->fresh ? 1 : data->n_rows, .n_features = data->n_features};
}

/* Gets the next rows of a table; 0: there are none. */
static int get_block(rl_moment_maker *t, int first) {
    const int count = rl_smaller(RL_MOMENT_BLOCK, t->n_rows - first);
    if (count > 0) rl_rows_get(&t->rows, first, count, t->x, t->n_features, t->y);
    return count;
}

static rl_status read_table(rl_moment_maker *t) {
    for (int first = 0, count; (count = get_block(t, first)) > 0; first += count)
        RL_TRY(rl_test_factor_append(&t->all, count, t->x, t->n_features, t->y));
    return RL_OK;
}

/* Of independent features of known root mean squares, with the best linear model of all: rows that have the moments of
 * one. */
static rl_status read_population(rl_moment_maker *t) {
    const rl_dataset *d = t->data;
    const double *const scale = rl_dataset_scale(d);
    const size_t p = (size_t)t->n_features;
    memset(t->x, 0, sizeof *t->x * p);
    for (size_t j = 0; j < p; j++) {
        const double length = scale != NULL ? scale[j] : 1, target = length * d->beta_star[j];
        t->x[j] = length;
        RL_TRY(rl_test_factor_append(&t->all, 1, t->x, t->n_features, &target));
        t->x[j] = 0;
    }
    const double residual = sqrt(rl_dataset_residual_variance(d));
    return rl_test_factor_append(&t->all, 1, t->x, t->n_features, &residual);
}

static rl_status create_table(rl_moment_maker *t, rl_random_kind random, uint64_t seed) {
    RL_TRY(rl_arrays_create(t, list_table_arrays));
    RL_TRY(rl_rows_create(&t->rows, t->data, random, seed));
    RL_TRY(rl_test_factor_create(&t->all, t->n_features));
    RL_TRY(rl_test_factor_create(&t->kept, t->n_features));
    RL_TRY(rl_dense_producer_create(&t->producer, t->all.order, t->n_features));
    if (t->data->fresh) return read_population(t);
    RL_TRY(rl_rows_arrange(&t->rows, 0));
    return read_table(t);
}

rl_status rl_moment_maker_create(rl_moment_maker *t, const rl_dataset *data, rl_random_kind random, uint64_t seed) {
    *t = sizes_of_table(data);
    return create_table(t, random, seed);
}

void rl_moment_maker_destroy(rl_moment_maker *t) {
    rl_dense_producer_destroy(t->producer);
    rl_test_factor_destroy(&t->kept);
    rl_test_factor_destroy(&t->all);
    rl_rows_destroy(&t->rows);
    rl_free(t->x); /* the first array: all of them */
    *t = (rl_moment_maker){0};
}

size_t rl_moment_maker_bytes(const rl_dataset *data) {
    rl_moment_maker sizes = sizes_of_table(data);
    return rl_arrays_bytes(&sizes, list_table_arrays) + rl_rows_bytes(data) +
           2 * rl_test_factor_bytes(data->n_features) + rl_dense_producer_bytes(data->n_features + 2, data->n_features);
}

/* ---- moments ----------------------------------------------------------------------------------------------------- */

/* The spectrum of the rows in a triangle [1 X y], with all rows for test rows. */
static rl_status find_spectrum(rl_moment_maker *t, const rl_test_factor *rows, rl_spectrum *spectrum) {
    const size_t p = (size_t)t->n_features, order = (size_t)rows->order;
    for (size_t i = 0; i < order; i++) {
        for (size_t j = 0; j < p; j++) t->train_x[i * p + j] = rows->r[i + (j + 1) * order];
        t->train_y[i] = rows->r[i + (order - 1) * order];
    }
    const rl_training_set train = {.n_train = rows->order,
                                   .n_features = t->n_features,
                                   .x = t->train_x,
                                   .y = t->train_y,
                                   .beta_star = rl_rows_beta_star(&t->rows)};
    RL_TRY(rl_dense_producer_spectrum(t->producer, &train, &t->all, spectrum));
    const int n = t->data->fresh ? t->n_features : t->n_rows;
    if (spectrum->status == RL_CELL_DONE) spectrum->rank = rl_rank_of(n, t->n_features, t->n_features, spectrum->sigma);
    return RL_OK;
}

static void cross_test_rows(rl_moment_maker *t, const rl_spectrum *s, rl_moments *moments) {
    if (s->rank == 0) return;
    const double unit = 1 / s->sigma[0];
    rl_gemm('T', 'N', s->n_modes, s->n_modes, s->m, unit, s->z, s->ldz, s->z, s->ldz, 0, t->cross, s->n_modes);
    for (size_t i = 0; i < (size_t)s->n_modes * (size_t)s->n_modes; i++) t->cross[i] *= unit;
    moments->cross = t->cross;
}

static rl_status make_moments(rl_moment_maker *t, const rl_test_factor *rows, rl_spectrum *spectrum,
                              rl_moments *moments) {
    RL_TRY(find_spectrum(t, rows, spectrum));
    const bool fresh = t->data->fresh;
    *moments = (rl_moments){.spectrum = spectrum,
                            .n_train_rows = fresh ? 1 : rows->n_rows,
                            .n_test_rows = fresh ? 1 : t->all.n_rows,
                            .kept = 1,
                            .room = t->room,
                            .weights = t->weights};
    cross_test_rows(t, spectrum, moments);
    return RL_OK;
}

rl_status rl_moments_of_all(rl_moment_maker *t, rl_spectrum *spectrum, rl_moments *moments) {
    return make_moments(t, &t->all, spectrum, moments);
}

/* ---- typical training sets --------------------------------------------------------------------------------------- */

/* Leverage of every row against those of the spectrum. A direction that these do not have makes it very large. */
static void measure_leverage(rl_moment_maker *t, const rl_spectrum *s) {
    const int p = t->n_features;
    const double least = rl_rank_tolerance(t->n_rows, p) * s->sigma[0];
    for (int r = 0; r < p; r++)
        for (int j = 0; j < p; j++)
            t->axes[r + (size_t)j * (size_t)p] = s->vt[r + (size_t)j * (size_t)p] / fmax(s->sigma[r], least);
    for (int first = 0, count; (count = get_block(t, first)) > 0; first += count) {
        rl_gemm('N', 'N', p, count, p, 1, t->axes, p, t->x, p, 0, t->along, p);
        for (int i = 0; i < count; i++) t->leverage[first + i] = rl_sum_of_squares(p, t->along + (size_t)i * (size_t)p);
    }
}

double rl_largest_leverage(rl_moment_maker *t, const rl_spectrum *s) {
    double sum = 0, largest = 0;
    if (t->data->fresh) return NAN;
    measure_leverage(t, s);
    for (int i = 0; i < t->n_rows; i++) {
        sum += t->leverage[i];
        largest = fmax(largest, t->leverage[i]);
    }
    return largest / (sum / t->n_rows);
}

/* Keeps the n_kept rows of least leverage, of equals the first; false: they are those that were kept before. */
static bool choose_rows(rl_moment_maker *t, int n_kept) {
    bool changed = false;
    memcpy(t->sorted, t->leverage, sizeof *t->sorted * (size_t)t->n_rows);
    qsort(t->sorted, (size_t)t->n_rows, sizeof *t->sorted, rl_compare_reals);
    const double last = t->sorted[n_kept - 1];
    int n_equal = n_kept;
    for (int i = 0; i < t->n_rows; i++) n_equal -= t->leverage[i] < last;
    for (int i = 0; i < t->n_rows; i++) {
        const bool keeps = t->leverage[i] < last || (t->leverage[i] == last && n_equal-- > 0);
        changed |= keeps != t->keeps[i];
        t->keeps[i] = keeps;
    }
    return changed;
}

/* The triangle of the rows that are kept. */
static rl_status read_kept(rl_moment_maker *t) {
    rl_test_factor_clear(&t->kept);
    for (int first = 0, count; (count = get_block(t, first)) > 0; first += count)
        for (int i = 0, end; i < count; i = end + 1) {
            for (end = i; end < count && t->keeps[first + end]; end++) continue;
            const size_t at = (size_t)i * (size_t)t->n_features;
            RL_TRY(rl_test_factor_append(&t->kept, end - i, t->x + at, t->n_features, t->y + i));
        }
    return RL_OK;
}

rl_status rl_typical_moments(rl_moment_maker *t, double n_train, rl_spectrum *spectrum, rl_moments *moments) {
    enum { MOST_PASSES = 8 };
    const int n_dropped = t->data->fresh ? 0 : (int)lround(t->n_rows * fmin(M_LN2 / n_train, 0.5));
    const int n_kept = rl_larger(t->n_rows - n_dropped, rl_smaller(t->n_rows, 2 * t->n_features));
    RL_TRY(rl_moments_of_all(t, spectrum, moments));
    for (int i = 0; n_kept < t->n_rows && i < t->n_rows; i++) t->keeps[i] = true;
    for (int pass = 0; pass < MOST_PASSES && n_kept < t->n_rows && spectrum->rank > 0; pass++) {
        measure_leverage(t, spectrum);
        if (!choose_rows(t, n_kept)) break;
        RL_TRY(read_kept(t));
        RL_TRY(make_moments(t, &t->kept, spectrum, moments));
        moments->kept = rl_normal_share_kept(spectrum->rank, (double)n_kept / t->n_rows);
    }
    return RL_OK;
}

double rl_typical_n_train(const rl_moment_maker *t, int n_train) {
    enum { OCTAVES = 12 };
    const double most = 3e10; /* flops for all sets of rows */
    const double p = t->n_features, a_set = 4 * (20 * p * p * p + 4 * t->n_rows * p * p);
    const double steps = floor(most / a_set / OCTAVES); /* for each octave */
    if (t->data->fresh || steps < 1) return INFINITY;
    return exp2(round(log2(n_train) * steps) / steps);
}
