#include <assert.h>
#include <string.h>

#include "source.h"

rl_status rl_rows_create(rl_rows *rows, const rl_dataset *dataset, rl_random_kind random, uint64_t seed) {
    assert(!(dataset->fresh && random == RL_RANDOM_NUMPY)); /* the source refuses it */
    *rows = (rl_rows){.dataset = dataset, .random = random, .key = rl_key_make(seed, dataset->name)};
    if (!dataset->fresh) RL_TRY(RL_ALLOC(rows->order, dataset->n_rows));
    rl_rows_arrange(rows, 0);
    return RL_OK;
}

void rl_rows_destroy(rl_rows *rows) {
    rl_free(rows->order);
    *rows = (rl_rows){0};
}

static void reverse(int n, int *order) {
    for (int i = 0; i < n / 2; i++) {
        const int swapped = order[i];
        order[i] = order[n - 1 - i];
        order[n - 1 - i] = swapped;
    }
}

void rl_rows_arrange(rl_rows *rows, uint32_t repeat) {
    rows->repeat = repeat;
    if (rows->dataset->fresh) return;
    const int n = rows->dataset->n_rows;
    if (rows->random == RL_RANDOM_PHILOX) {
        rl_philox_permutation(rows->key, repeat, n, rows->order);
        return;
    }
    rl_mt19937 generator;
    rl_mt19937_seed(&generator, repeat);
    rl_mt19937_permutation(&generator, n, rows->order);
    reverse(n, rows->order);
}

void rl_rows_get(const rl_rows *rows, int first, int count, double *x, int ldx, double *y) {
    const rl_dataset *d = rows->dataset;
    assert(!rl_dataset_in_blocks(d));
    assert(first >= 0 && count >= 0 && count <= d->n_rows - first && ldx >= d->n_features);
    for (int i = 0; i < count; i++) {
        double *row = x + (size_t)i * (size_t)ldx;
        if (d->fresh) {
            rl_teacher_row(&d->teacher, rows->key, rows->repeat, (uint32_t)(first + i), d->n_features, row, &y[i]);
            continue;
        }
        const size_t index = (size_t)rows->order[first + i];
        memcpy(row, d->x + index * (size_t)d->n_features, sizeof(double) * (size_t)d->n_features);
        y[i] = d->y[index];
    }
}
