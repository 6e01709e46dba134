/* The factorizations of a curve, its fits and training errors. */
#include <string.h>

#include "../../lapack.h"
#include "private.h"

/* ---- wide -------------------------------------------------------------------------------------------------------- */

/* QR of X^T, which row-major storage is already: X = L Q. */
static rl_status factor_wide(rl_nested *s) {
    const int features = s->features, rows = s->wide_rows, one = 1;
    const double unit = 1, zero = 0;
    int info;
    memcpy(s->wide, s->rows->x, sizeof(double) * (size_t)features * (size_t)rows);
    dgeqrf_(&features, &rows, s->wide, &features, s->tau, s->work, &s->n_work, &info);
    RL_TRY(rl_lapack_check("dgeqrf", info));
    memcpy(s->ideal, s->rows->beta_star, sizeof(double) * (size_t)features);
    dormqr_("L", "T", &features, &one, &rows, s->wide, &features, s->tau, s->ideal, &features, s->work, &s->n_work,
            &info, 1, 1);
    RL_TRY(rl_lapack_check("dormqr", info));
    dsyrk_("U", "T", &rows, &features, &unit, s->rows->x, &features, &zero, s->gram, &features, 1, 1);
    return RL_OK;
}

rl_status rl_nested_wide_fits(rl_nested *s, rl_tick tick) {
    RL_TRY(factor_wide(s));
    for (int first = 0, count; first < s->n_wide; first += count) {
        if (!rl_may_go_on(tick)) return RL_STOPPED;
        count = rl_nested_group(s, first);
        rl_nested_wide_sigma(s, first, count);
    }
    return RL_OK;
}

/* ---- tall -------------------------------------------------------------------------------------------------------- */

/* The triangle of [X y] of the smallest tall training set. */
static rl_status factor_tall(rl_nested *s) {
    const int n = s->first_tall, order = s->order;
    const size_t features = (size_t)s->features, ld = (size_t)n;
    int info;
    for (size_t i = 0; i < ld; i++) {
        for (size_t j = 0; j < features; j++) s->qr[j * ld + i] = s->rows->x[i * features + j];
        s->qr[features * ld + i] = s->rows->y[i];
    }
    dgeqrf_(&n, &order, s->qr, &n, s->qr_tau, s->work, &s->n_work, &info);
    RL_TRY(rl_lapack_check("dgeqrf", info));
    memset(s->triangle, 0, sizeof(double) * (size_t)order * (size_t)order);
    for (size_t j = 0; j < (size_t)order; j++)
        for (size_t i = 0; i <= j; i++) s->triangle[i * (size_t)order + j] = s->qr[j * ld + i];
    s->n_in_triangle = n;
    return RL_OK;
}

/* Givens rotations of the next row against the triangle's rows, which are columns here, and so contiguous. */
static void append_row(rl_nested *s) {
    const size_t features = (size_t)s->features, i = (size_t)s->n_in_triangle++;
    const int one = 1;
    memcpy(s->row, s->rows->x + i * features, sizeof(double) * features);
    s->row[features] = s->rows->y[i];
    for (int j = 0; j < s->order; j++) {
        const int after = s->order - 1 - j;
        double *diagonal = s->triangle + (size_t)j * (size_t)(s->order + 1), cosine, sine;
        drotg_(diagonal, &s->row[j], &cosine, &sine);
        drot_(&after, diagonal + 1, &one, s->row + j + 1, &one, &cosine, &sine);
    }
}

static void extend_triangle(rl_nested *s, int n) {
    while (s->n_in_triangle < n) append_row(s);
}

static void fit_tall(rl_nested *s, int i) {
    const int one = 1, features = s->features;
    const double *corner = s->triangle + (size_t)s->order * (size_t)s->order - 1;
    double *beta = s->betas + (size_t)(i - s->n_wide) * (size_t)features;
    rl_point *p = &s->points[i];
    for (int j = 0; j < features; j++) beta[j] = s->triangle[(size_t)j * (size_t)s->order + (size_t)features];
    dtrsv_("L", "T", "N", &features, s->triangle, &s->order, beta, &one, 1, 1, 1);
    for (int j = 0; j < features; j++) {
        const double off = rl_nested_scale(s, j) * (beta[j] - s->rows->beta_star[j]);
        p->population_sq[RL_TARGET_Y] += off * off;
    }
    p->train_mse[RL_TARGET_Y] = *corner * *corner / s->n_train[i];
}

rl_status rl_nested_tall_fits(rl_nested *s, rl_tick tick) {
    RL_TRY(factor_tall(s));
    s->smallest.known = false; /* another matrix: the one of the wide sizes shrank to the threshold */
    s->n_in_gram = 0;
    memset(s->gram, 0, sizeof(double) * (size_t)s->features * (size_t)s->features);
    for (int first = s->n_wide, count; first < s->n_n_train; first += count) {
        if (!rl_may_go_on(tick)) return RL_STOPPED;
        extend_triangle(s, s->n_train[first]);
        count = rl_nested_tall_sigma(s, first, rl_nested_group(s, first));
        for (int i = first; i < first + count; i++) {
            extend_triangle(s, s->n_train[i]);
            fit_tall(s, i);
        }
    }
    return RL_OK;
}
