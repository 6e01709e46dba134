/* The rows of a repeat: their order, and the features that a map makes of them. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "dataset.h"
#include "ridgeless/arena.h"

static void list_rows_arrays(rl_arena *arena, void *object) {
    rl_rows *const r = object;
    const rl_dataset *d = r->dataset;
    const size_t n = (size_t)d->n_rows, p = (size_t)d->n_features;
    RL_TAKE(arena, r->order, d->fresh ? 0 : n);
    if (d->map == NULL) return;
    RL_TAKE(arena, r->use.weights, (size_t)r->use.n_features * (size_t)r->use.n_weights);
    RL_TAKE(arena, r->x, n * p);
    RL_TAKE(arena, r->beta_star, p);
    if (!d->fresh) return;
    RL_TAKE(arena, r->inputs, n * (size_t)d->n_inputs);
    RL_TAKE(arena, r->y, n);
}

/* Whether each row is drawn when it is asked for, so that nothing is allocated. */
static bool is_drawn_by_row(const rl_dataset *d) {
    return d->fresh && d->map == NULL;
}

/* The rows before their arrays are there. */
static rl_rows empty_rows(const rl_dataset *d) {
    rl_rows rows = {.dataset = d};
    if (d->map != NULL) rows.use = rl_map_use_of(d->map, d->map_options, d->n_inputs, d->n_features - d->intercept);
    return rows;
}

rl_status rl_rows_create(rl_rows *rows, const rl_dataset *dataset, rl_random_kind random, uint64_t seed) {
    *rows = empty_rows(dataset);
    rows->random = random;
    rows->key = rl_key_make(seed, dataset->name);
    if (is_drawn_by_row(dataset)) return RL_OK;
    RL_TRY(rl_arrays_create(rows, list_rows_arrays));
    if (dataset->map == NULL) return rl_rows_arrange(rows, 0);
    if (!dataset->fresh) {
        rows->inputs = dataset->x + dataset->intercept;
        rows->y = dataset->y;
    }
    return RL_OK;
}

size_t rl_rows_bytes(const rl_dataset *dataset) {
    if (is_drawn_by_row(dataset)) return 0;
    rl_rows rows = empty_rows(dataset);
    const size_t own = rl_arrays_bytes(&rows, list_rows_arrays);
    return dataset->map == NULL ? own : own + rl_least_squares_bytes(dataset->n_rows, dataset->n_features);
}

void rl_rows_destroy(rl_rows *rows) {
    rl_free(rows->order); /* the first array: all of them */
    *rows = (rl_rows){0};
}

/* ---- order ------------------------------------------------------------------------------------------------------- */

/* Swaps the last n_last of n entries to the front, in reverse order. */
static void read_from_the_end(int n, int n_last, int *order) {
    for (int i = 0; i < n_last && i < n / 2; i++) {
        const int swapped = order[i];
        order[i] = order[n - 1 - i];
        order[n - 1 - i] = swapped;
    }
}

static void put_in_order(rl_rows *rows, int n_first) {
    const int n_rows = rows->dataset->n_rows, n = n_rows - rows->dataset->n_test_only;
    for (int i = n; i < n_rows; i++) rows->order[i] = i;
    if (rows->random == RL_RANDOM_PHILOX) {
        rl_philox_permutation(rows->key, rows->repeat, n, n_first, rows->order);
    } else {
        rl_mt19937 generator;
        rl_mt19937_seed(&generator, rows->repeat);
        rl_mt19937_permutation(&generator, n, n_first, rows->order);
    }
    read_from_the_end(n, n_first, rows->order);
}

/* ---- features ---------------------------------------------------------------------------------------------------- */

static rl_status check_features(const rl_rows *rows) {
    const rl_dataset *d = rows->dataset;
    const size_t p = (size_t)d->n_features, n = (size_t)d->n_rows;
    for (size_t i = 0; i < n * p; i++)
        if (!isfinite(rows->x[i]))
            return rl_fail(RL_ERR_INPUT,
                           "dataset `%s`: feature %zu that `%s` makes of row %zu is not finite; expected smaller "
                           "inputs",
                           d->name, i % p + 1 - d->intercept, d->map->name, i / p + 1);
    return RL_OK;
}

rl_status rl_rows_make_features(rl_rows *rows) {
    const rl_dataset *d = rows->dataset;
    const size_t p = (size_t)d->n_features, ones = d->intercept;
    const size_t step = (size_t)d->n_inputs + (d->fresh ? 0 : ones);
    for (int i = 0; d->fresh && i < d->n_rows; i++)
        d->source->draw(d, rows->key, rows->repeat, i, rows->inputs + (size_t)i * step, rows->y + i);
    rl_map_draw(&rows->use, d->map, rows->key, rows->repeat);
    for (size_t i = 0; i < (size_t)d->n_rows; i++) {
        if (d->intercept) rows->x[i * p] = 1;
        d->map->fill(&rows->use, rows->inputs + i * step, rows->x + i * p + ones);
    }
    return check_features(rows);
}

/* Features that no repeat changes are made once, in the dataset's order, so that their bits do not depend on which
 * repeat comes first. */
static rl_status fit_features(rl_rows *rows) {
    const rl_dataset *d = rows->dataset;
    rl_best_fit fit = {.beta = rows->beta_star};
    if (rows->made && !rl_dataset_varies(d)) return RL_OK;
    RL_TRY(rl_rows_make_features(rows));
    RL_TRY(rl_least_squares(d->name, d->n_rows, d->n_features, rows->x, rows->y, &fit));
    rows->made = true;
    return RL_OK;
}

rl_status rl_rows_arrange(rl_rows *rows, uint32_t repeat) {
    rows->repeat = repeat;
    if (!rows->dataset->fresh) put_in_order(rows, rows->dataset->n_rows);
    return rows->dataset->map != NULL ? fit_features(rows) : RL_OK;
}

void rl_rows_arrange_first(rl_rows *rows, uint32_t repeat, int n_first) {
    assert(!rows->dataset->fresh && rows->dataset->map == NULL);
    rows->repeat = repeat;
    put_in_order(rows, n_first);
}

const double *rl_rows_beta_star(const rl_rows *rows) {
    return rows->dataset->map != NULL ? rows->beta_star : rows->dataset->beta_star;
}

void rl_rows_get(const rl_rows *rows, int first, int count, double *x, int ldx, double *y) {
    const rl_dataset *d = rows->dataset;
    assert(!rl_dataset_in_blocks(d));
    assert(first >= 0 && count >= 0 && count <= d->n_rows - first && ldx >= d->n_features);
    const double *const from_x = d->map != NULL ? rows->x : d->x, *const from_y = d->map != NULL ? rows->y : d->y;
    for (int i = 0; i < count; i++) {
        double *row = x + (size_t)i * (size_t)ldx;
        if (d->fresh && d->map == NULL) {
            if (d->intercept) row[0] = 1;
            d->source->draw(d, rows->key, rows->repeat, first + i, row + d->intercept, &y[i]);
            continue;
        }
        const size_t index = (size_t)(d->fresh ? first + i : rows->order[first + i]);
        memcpy(row, from_x + index * (size_t)d->n_features, sizeof(double) * (size_t)d->n_features);
        y[i] = from_y[index];
    }
}
