#include <string.h>

#include "../lapack.h"
#include "ridgeless/spectrum.h"

enum {
    BLOCK_BYTES = 1 << 18, /* rows on their way in stay in the second-level cache */
    PANEL_MAX = 32         /* columns that dtpqrt treats at a time */
};

static int panel_width(int order) {
    return order < PANEL_MAX ? order : PANEL_MAX;
}

rl_status rl_test_factor_create(rl_test_factor *factor, int n_features) {
    const int order = n_features + 2;
    const int fitting = BLOCK_BYTES / (int)sizeof(double) / order;
    *factor = (rl_test_factor){.n_features = n_features, .order = order, .capacity = fitting < 64 ? 64 : fitting};
    RL_TRY(RL_ALLOC(factor->r, (size_t)order * (size_t)order));
    RL_TRY(RL_ALLOC(factor->block, (size_t)factor->capacity * (size_t)order));
    return RL_ALLOC(factor->work, 2 * (size_t)panel_width(order) * (size_t)order);
}

void rl_test_factor_destroy(rl_test_factor *factor) {
    rl_free(factor->r);
    rl_free(factor->block);
    rl_free(factor->work);
    *factor = (rl_test_factor){0};
}

void rl_test_factor_clear(rl_test_factor *factor) {
    factor->n_rows = 0;
    memset(factor->r, 0, sizeof(double) * (size_t)factor->order * (size_t)factor->order);
}

/* Transposes rows [1 x y] into the column-major block. */
static void fill_block(rl_test_factor *factor, int count, const double *x, int ldx, const double *y) {
    const size_t ld = (size_t)factor->capacity;
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
    dtpqrt_(&count, &order, &pentagon, &width, factor->r, &order, factor->block, &factor->capacity, factor->work,
            &width, factor->work + (size_t)width * (size_t)order, &info);
    if (info != 0) return rl_fail(RL_ERR_LIBRARY, "LAPACK dtpqrt: argument %d is wrong", -info);
    factor->n_rows += count;
    return RL_OK;
}

rl_status rl_test_factor_append(rl_test_factor *factor, int count, const double *x, int ldx, const double *y) {
    for (int done = 0; done < count;) {
        const int part = count - done < factor->capacity ? count - done : factor->capacity;
        fill_block(factor, part, x + (size_t)done * (size_t)ldx, ldx, y + done);
        RL_TRY(absorb_block(factor, part));
        done += part;
    }
    return RL_OK;
}
