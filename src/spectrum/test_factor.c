/* The test factor: any number of test rows in one triangle. */
#include <string.h>

#include "../numbers.h"
#include "../small.h"
#include "../vectors.h"
#include "ridgeless/arena.h"
#include "ridgeless/spectrum.h"

enum {
    BLOCK_BYTES = 1 << 18, /* rows on their way in stay in the second-level cache, */
    LEAST_ROWS = 256,      /* but with fewer dtpqrt loses a third of its speed */
    PANEL_MAX = 32         /* columns that dtpqrt treats at a time */
};

static int panel_width(int order) {
    return rl_smaller(order, PANEL_MAX);
}

static void list_test_factor_arrays(rl_arena *arena, void *object) {
    rl_test_factor *const f = object;
    const size_t order = (size_t)f->order;
    RL_TAKE(arena, f->r, order * order);
    RL_TAKE(arena, f->block, (size_t)f->capacity * order);
    RL_TAKE(arena, f->work, 2 * (size_t)panel_width(f->order) * order);
}

static rl_test_factor sizes_of_test_factor(int n_features) {
    const int order = n_features + 2, fitting = BLOCK_BYTES / (int)sizeof(double) / order;
    return (rl_test_factor){.n_features = n_features, .order = order, .capacity = rl_larger(fitting, LEAST_ROWS)};
}

rl_status rl_test_factor_create(rl_test_factor *factor, int n_features) {
    *factor = sizes_of_test_factor(n_features);
    return rl_arrays_create(factor, list_test_factor_arrays);
}

int rl_test_factor_capacity(int n_features) {
    return sizes_of_test_factor(n_features).capacity;
}

size_t rl_test_factor_bytes(int n_features) {
    rl_test_factor sizes = sizes_of_test_factor(n_features);
    return rl_arrays_bytes(&sizes, list_test_factor_arrays);
}

void rl_test_factor_destroy(rl_test_factor *factor) {
    rl_free(factor->r); /* the first array: all of them */
    *factor = (rl_test_factor){0};
}

void rl_test_factor_clear(rl_test_factor *factor) {
    factor->n_rows = 0;
    memset(factor->r, 0, sizeof(double) * (size_t)factor->order * (size_t)factor->order);
}

/* How many rows come in together. */
static int block_rows(const rl_test_factor *factor) {
    return rl_is_small(factor->n_features) ? RL_SMALL_ROWS : factor->capacity;
}

/* Transposes rows [1 x y] into the column-major block. */
static void fill_block(rl_test_factor *factor, int count, const double *x, int ldx, const double *y) {
    const size_t ld = (size_t)block_rows(factor);
    for (int i = 0; i < count; i++) {
        double *row = factor->block + i;
        row[0] = 1;
        for (int j = 0; j < factor->n_features; j++) row[(size_t)(j + 1) * ld] = x[(size_t)i * (size_t)ldx + (size_t)j];
        row[(size_t)(factor->order - 1) * ld] = y[i];
    }
}

static rl_status absorb_block(rl_test_factor *factor, int count) {
    const int order = factor->order, pentagon = 0, width = panel_width(order);
    int info;
    if (rl_is_small(factor->n_features)) {
        rl_small_append(order, factor->r, count, factor->block);
        factor->n_rows += count;
        return RL_OK;
    }
    dtpqrt_(&count, &order, &pentagon, &width, factor->r, &order, factor->block, &factor->capacity, factor->work,
            &width, factor->work + (size_t)width * (size_t)order, &info);
    RL_TRY(rl_lapack_check("dtpqrt", info));
    factor->n_rows += count;
    return RL_OK;
}

rl_status rl_test_factor_append(rl_test_factor *factor, int count, const double *x, int ldx, const double *y) {
    for (int done = 0; done < count;) {
        const int part = rl_smaller(count - done, block_rows(factor));
        fill_block(factor, part, x + (size_t)done * (size_t)ldx, ldx, y + done);
        RL_TRY(absorb_block(factor, part));
        done += part;
    }
    return RL_OK;
}
