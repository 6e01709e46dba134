/* The intercept of a dataset: a column of ones before the features of every row, and before what is known of them.
 *
 * It comes after the source has done its work, so that nothing standardizes it. It is the first column: a view of the
 * first P features has it, whatever P is, and so do rows that a map has made. */
#include <string.h>

#include "dataset.h"

void rl_put_ones(int n_rows, int n_inputs, double *rows) {
    const size_t p = (size_t)n_inputs;
    for (size_t i = (size_t)n_rows; i-- > 0;) { /* the last row first: each moves to where the next one was */
        memmove(rows + i * (p + 1) + 1, rows + i * p, p * sizeof *rows);
        rows[i * (p + 1)] = 1;
    }
}

static rl_status widen_rows(rl_dataset *d) {
    const size_t p = (size_t)d->n_inputs, n = (size_t)d->n_rows;
    double *const narrow = d->x;
    if (narrow == NULL) return RL_OK;
    d->x = NULL;
    const rl_status status = RL_ALLOC(d->x, n * (p + 1));
    if (status == RL_OK) {
        memcpy(d->x, narrow, n * p * sizeof *narrow);
        rl_put_ones(d->n_rows, d->n_inputs, d->x);
    }
    rl_free(narrow);
    return status;
}

/* Along the column of ones, the root mean square is 1. */
static rl_status widen_scale(rl_dataset *d) {
    if (!d->fresh || d->teacher.beta == NULL || d->teacher.isotropic) return RL_OK;
    RL_TRY(RL_ALLOC(d->scale, d->n_features));
    d->scale[0] = 1;
    memcpy(d->scale + 1, d->teacher.scale, sizeof(double) * (size_t)d->n_inputs);
    return RL_OK;
}

/* The other features have mean 0: so the column of ones is an axis of its own, and the others stay. */
static rl_status widen_axes(rl_dataset *d) {
    const size_t p = (size_t)d->n_inputs;
    double *const deviations = d->deviations, *const axes = d->axes;
    size_t at = 0;
    if (axes == NULL) return RL_OK;
    d->deviations = d->axes = NULL;
    rl_status status = RL_ALLOC(d->deviations, p + 1);
    if (status == RL_OK) status = RL_ALLOC(d->axes, (p + 1) * (p + 1));
    while (at < p && deviations[at] >= 1) at++;
    for (size_t r = 0; status == RL_OK && r <= p; r++) {
        const size_t from = r - (r > at);
        d->deviations[r] = r == at ? 1 : deviations[from];
        if (r == at)
            d->axes[r * (p + 1)] = 1;
        else
            memcpy(d->axes + r * (p + 1) + 1, axes + from * p, p * sizeof *axes);
    }
    rl_free(deviations);
    rl_free(axes);
    return status;
}

rl_status rl_add_intercept(rl_dataset *dataset) {
    dataset->intercept = true;
    dataset->n_features++;
    RL_TRY(widen_rows(dataset));
    RL_TRY(widen_scale(dataset));
    return widen_axes(dataset);
}
