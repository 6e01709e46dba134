/* beta* as the published program computes it: inv(X^T X) X^T y, the products in that order. Normal equations lose twice
 * the digits that QR does, so only `random: numpy` uses them: it reproduces the published numbers, and on California
 * housing their rounding shows in the twelfth digit of the bias. */
#include <string.h>

#include "../numbers.h"
#include "../small.h"
#include "../vectors.h"
#include "dataset.h"
#include "ridgeless/arena.h"

typedef struct normal_equations {
    size_t n, p;            /* rows and features */
    double *gram, *inverse; /* [p, p] */
    double *product;        /* [n, p] column-major: (inverse X^T)^T; by BLAS alone */
    double *beta;           /* [p] */
    int *pivot;             /* [p] */
} normal_equations;

static void list_equations_arrays(rl_arena *arena, void *object) {
    normal_equations *const e = object;
    RL_TAKE(arena, e->gram, e->p * e->p);
    RL_TAKE(arena, e->inverse, e->p * e->p);
    RL_TAKE(arena, e->product, rl_is_small((int)e->p) ? 0 : e->n * e->p);
    RL_TAKE(arena, e->beta, e->p);
    RL_TAKE(arena, e->pivot, e->p);
}

static rl_status invert_gram(normal_equations *e, const rl_dataset *d, bool *regular) {
    const int n = d->n_rows, p = d->n_features;
    const double unit = 1, zero = 0;
    int info;
    dsyrk_("L", "N", &p, &n, &unit, d->x, &p, &zero, e->gram, &p, 1, 1);
    for (int j = 0; j < p; j++) {
        for (int i = 0; i < j; i++) e->gram[i + (size_t)j * (size_t)p] = e->gram[j + (size_t)i * (size_t)p];
        e->inverse[(size_t)j * (size_t)(p + 1)] = 1;
    }
    dgesv_(&p, &p, e->gram, &p, e->pivot, e->inverse, &p, &info);
    *regular = info == 0;
    return rl_lapack_check("dgesv", info);
}

/* The same up to RL_SMALL_FEATURES features, whose bits no library decides. */
static void multiply_small(normal_equations *e, const rl_dataset *d) {
    const int p = d->n_features;
    for (int row = 0; row < d->n_rows; row++)
        for (int j = 0; j < p; j++) {
            const double *const x = d->x + (size_t)row * e->p;
            double sum = 0;
            for (int i = 0; i < p; i++) sum += e->gram[j + i * p] * x[i];
            e->beta[j] += sum * d->y[row];
        }
}

static void multiply_targets(normal_equations *e, const rl_dataset *d) {
    const int n = d->n_rows, p = d->n_features;
    rl_gemm('T', 'T', n, p, p, 1, d->x, p, e->inverse, p, 0, e->product, n);
    rl_gemv('T', n, p, 1, e->product, n, d->y, 0, e->beta);
}

rl_status rl_published_beta_star(rl_dataset *dataset) {
    normal_equations e = {.n = (size_t)dataset->n_rows, .p = (size_t)dataset->n_features};
    bool regular = false;
    RL_TRY(rl_arrays_create(&e, list_equations_arrays));
    rl_status status = RL_OK;
    if (rl_is_small(dataset->n_features)) {
        rl_small_gram(dataset->n_rows, dataset->n_features, dataset->x, e.gram);
        regular = rl_small_invert(dataset->n_features, e.gram, e.inverse);
        if (regular) multiply_small(&e, dataset);
    } else {
        status = invert_gram(&e, dataset, &regular);
        if (status == RL_OK && regular) multiply_targets(&e, dataset);
    }
    if (regular && rl_all_finite(e.beta, e.p)) memcpy(dataset->beta_star, e.beta, sizeof(double) * e.p);
    rl_free(e.gram);
    return status;
}
