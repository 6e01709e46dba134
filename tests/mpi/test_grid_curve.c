/* grid_curve: a whole curve from one factorization on process grids, on however many ranks this program is started
 * with. Every rank runs every check; a check passes when it does on all ranks. TAP on rank 0's standard output.
 *
 * Points are held against two programs on one rank: the nested factorization of LAPACK (which its own test holds
 * against dense spectra) and LAPACK's dgelsd, which shares no idea with either; spectra against those of the same
 * training set made from nothing. Bounds are in units of eps x condition. */
#include <float.h>
#include <stdlib.h>

#include "../../src/distributed/curve/curve.h"
#include "report.h"
#include "ridgeless/case_needs.h"
#include "ridgeless/grid_curve.h"
#include "ridgeless/random.h"

void dgelsd_(const int *m, const int *n, const int *nrhs, double *a, const int *lda, double *b, const int *ldb,
             double *s, const double *rcond, int *rank, double *work, const int *lwork, int *iwork, int *info);

static double dot(const double *a, const double *b, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* ---- problems ---------------------------------------------------------------------------------------------------- */

typedef enum flaw { NONE, EQUAL_ROWS, EQUAL_COLUMNS, ZERO_ROW, ALL_ZERO } flaw;

typedef struct design {
    const char *name;
    int p, first, step, max_train; /* N = first, first + step, ... at most max_train */
    int n_test;
    double grade; /* columns scaled by 10^(grade j / p) */
    bool scaled;  /* the population's standard deviations are given, and differ */
    flaw flaw;
} design;

static const design designs[] = {
    {"wide alone", 45, 1, 1, 33, 20, .grade = 0},
    {"up to the threshold", 37, 1, 1, 37, 20, .grade = 0},
    {"through the threshold", 30, 1, 1, 79, 25, .grade = 0},
    {"tall alone", 20, 21, 1, 60, 30, .grade = 0},
    {"tall from afar", 9, 190, 130, 450, 30, .grade = 0},
    {"primes", 31, 1, 2, 53, 29, .grade = 0},
    {"sizes some rows apart", 40, 3, 7, 130, 30, .grade = 0},
    {"one size", 30, 25, 1, 25, 10, .grade = 0},
    {"one feature", 1, 1, 1, 9, 5, .grade = 0},
    {"one row", 17, 1, 1, 1, 20, .grade = 0},
    {"two features", 2, 1, 1, 6, 3, .grade = 0},
    {"one test row", 12, 1, 1, 25, 1, .grade = 0},
    {"graded", 30, 1, 1, 60, 40, .grade = 5},
    {"scaled population", 25, 1, 1, 55, 20, .scaled = true},
    {"scaled population, wide", 25, 2, 3, 17, 20, .scaled = true},
    {"crowded spectra", 300, 60, 80, 380, 20, .grade = 0},
    {"blocks and a rest", 130, 1, 11, 150, 40, .grade = 0},
    {"equal rows", 30, 1, 1, 45, 20, .flaw = EQUAL_ROWS},
    {"equal columns", 30, 1, 1, 45, 20, .flaw = EQUAL_COLUMNS},
    {"a row of zeros", 20, 1, 1, 30, 20, .flaw = ZERO_ROW},
};
enum { N_DESIGNS = sizeof designs / sizeof *designs };

/* A curve whole on every rank. */
typedef struct problem {
    const design *d;
    int n_rows, n_sizes, *n_train;
    double *x, *y, *beta_star, *scale; /* x: [n_rows, p] row-major */
    rl_point *expected;                /* of the nested factorization on one rank */
} problem;

static double entry(const void *state, int row, int column) {
    const problem *q = state;
    return q->x[(size_t)row * (size_t)q->d->p + (size_t)column];
}

static void spoil(problem *q) {
    const size_t p = (size_t)q->d->p, n = (size_t)q->n_rows;
    if (q->d->flaw == EQUAL_ROWS) {
        memcpy(q->x + 12 * p, q->x + 3 * p, sizeof(double) * p);
        q->y[12] = q->y[3];
    }
    for (size_t i = 0; i < n && q->d->flaw == EQUAL_COLUMNS; i++) q->x[i * p + p - 1] = q->x[i * p + 4];
    if (q->d->flaw == ZERO_ROW) memset(q->x + 5 * p, 0, sizeof(double) * p);
    if (q->d->flaw == ALL_ZERO) memset(q->x, 0, sizeof(double) * p * n);
}

/* The way of the nested factorization, with points as numbers of its own when the features are all zero. */
static void expect(problem *q) {
    rl_nested *nested = NULL;
    rl_test_factor factor;
    const int p = q->d->p, longest = q->n_train[q->n_sizes - 1];
    const rl_training_set rows = {.n_train = longest,
                                  .n_features = p,
                                  .x = q->x,
                                  .y = q->y,
                                  .beta_star = q->beta_star,
                                  .scale = q->d->scaled ? q->scale : NULL};
    if (RL_ALLOC(q->expected, q->n_sizes) != RL_OK || rl_nested_create(&nested, p, q->n_sizes, q->n_train) != RL_OK ||
        rl_test_factor_create(&factor, p) != RL_OK ||
        rl_test_factor_append(&factor, q->n_rows - longest, q->x + (size_t)longest * (size_t)p, p, q->y + longest) !=
            RL_OK ||
        rl_nested_curve(nested, &rows, &factor, (rl_tick){0}, q->expected) != RL_OK)
        MPI_Abort(MPI_COMM_WORLD, 1);
    rl_test_factor_destroy(&factor);
    rl_nested_destroy(nested);
}

static problem make_problem(const design *d) {
    const rl_key key = rl_key_make(23, d->name);
    const size_t p = (size_t)d->p;
    problem q = {.d = d, .n_rows = 0};
    if (RL_ALLOC(q.n_train, d->max_train) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    for (int n = d->first; n <= d->max_train; n += d->step) q.n_train[q.n_sizes++] = n;
    q.n_rows = q.n_train[q.n_sizes - 1] + d->n_test;
    q.x = numbers((size_t)q.n_rows * p), q.y = numbers((size_t)q.n_rows);
    q.beta_star = numbers(p), q.scale = numbers(p);
    for (size_t j = 0; j < p; j++) {
        const double grade = pow(10, d->grade * (double)j / d->p);
        q.beta_star[j] = rl_philox_normal(key, RL_STREAM_TEACHER, 0, 0, (uint32_t)j) / grade;
        q.scale[j] = 1.0 / (1 + (double)j);
        for (size_t i = 0; i < (size_t)q.n_rows; i++)
            q.x[i * p + j] = grade * rl_philox_normal(key, RL_STREAM_FEATURES, 0, (uint32_t)i, (uint32_t)j);
    }
    for (int i = 0; i < q.n_rows; i++)
        q.y[i] =
            dot(q.x + (size_t)i * p, q.beta_star, d->p) + rl_philox_normal(key, RL_STREAM_NOISE, 0, (uint32_t)i, 0);
    spoil(&q);
    expect(&q);
    return q;
}

static void free_problem(problem *q) {
    double *const arrays[] = {q->x, q->y, q->beta_star, q->scale};
    for (int i = 0; i < 4; i++) rl_free(arrays[i]);
    rl_free(q->n_train);
    rl_free(q->expected);
}

/* The state pointer is to where the problem lies. */
static rl_curve_case case_of(const problem *q) {
    const int longest = q->n_train[q->n_sizes - 1];
    return (rl_curve_case){.rows = {.n_train = longest,
                                    .n_features = q->d->p,
                                    .n_test = q->n_rows - longest,
                                    .x = entry,
                                    .state = q,
                                    .y = q->y,
                                    .beta_star = q->beta_star,
                                    .scale = q->d->scaled ? q->scale : NULL},
                           .n_sizes = q->n_sizes,
                           .n_train = q->n_train};
}

/* ---- points ------------------------------------------------------------------------------------------------------ */

/* Full column or row rank, by construction. */
static bool is_sound(const problem *q, int n) {
    const int p = q->d->p;
    switch (q->d->flaw) {
        case EQUAL_ROWS:
            return n < 13 || n > p;
        case EQUAL_COLUMNS:
            return n < p;
        case ZERO_ROW:
            return n < 6 || n > p;
        case ALL_ZERO:
            return false;
        default:
            return true;
    }
}

/* What either way may lose, relative. */
static double loss(const problem *q, int i) {
    const rl_point *e = &q->expected[i];
    return DBL_EPSILON * fmax(e->sigma_max / e->sigma_min, pow(10, q->d->grade));
}

static bool same_errors(const problem *q, int i, const rl_point *got) {
    const rl_point *e = &q->expected[i];
    const int n = q->n_train[i];
    const double b = 200 * loss(q, i), size = dot(q->beta_star, q->beta_star, q->d->p);
    const double nothing = b * b * dot(q->y, q->y, n) / n; /* rounding errors where the error is exactly 0 */
    bool ok = true;
    for (int t = 0; t < RL_N_FITTED_TARGETS && ok; t++)
        ok = near("test error", got->test_mse[t], e->test_mse[t], b * e->test_mse[t] + nothing) &&
             near("training error", got->train_mse[t], e->train_mse[t], b * e->train_mse[t] + nothing) &&
             near("population error", got->population_sq[t], e->population_sq[t], b * (e->population_sq[t] + size));
    if (n >= q->d->p) /* beta* to the last bit */
        ok = ok && got->test_mse[RL_TARGET_IDEAL] == 0 && got->population_sq[RL_TARGET_IDEAL] == 0 &&
             got->train_mse[RL_TARGET_IDEAL] == 0 && got->test_bias == 0 && got->test_bias_mse == 0;
    return ok && near("mean bias", got->test_bias, e->test_bias, b * sqrt(e->test_bias_mse) + sqrt(nothing)) &&
           near("mean square bias", got->test_bias_mse, e->test_bias_mse, b * e->test_bias_mse + nothing);
}

static bool same_sigma(const problem *q, int i, const rl_point *got, bool wanted) {
    const rl_point *e = &q->expected[i];
    if (!wanted) return (isnan(got->sigma_min) && isnan(got->sigma_max)) || wrong("sigma where none was asked for");
    return near("sigma_max", got->sigma_max, e->sigma_max, 1e-13 * e->sigma_max) &&
           near("sigma_min", got->sigma_min, e->sigma_min, 50 * loss(q, i) * e->sigma_min);
}

/* Least squares with the rows and columns as they are: the error over the later rows, and singular values. */
static bool same_as_dgelsd(const problem *q, int i, const rl_point *got, bool wanted) {
    const int n = q->n_train[i], p = q->d->p, one = 1, larger = n > p ? n : p, smaller = n < p ? n : p;
    const int lwork = 200 * (larger + 200) + smaller * 200;
    const double rcond = -1;
    double *a = numbers((size_t)n * (size_t)p), *b = numbers((size_t)larger), *s = numbers((size_t)smaller),
           *work = numbers((size_t)lwork), sum = 0;
    int rank, info, *iwork = NULL;
    if (RL_ALLOC(iwork, 200 * (smaller + 1)) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    for (size_t k = 0; k < (size_t)n; k++)
        for (size_t j = 0; j < (size_t)p; j++) a[j * (size_t)n + k] = q->x[k * (size_t)p + j];
    memcpy(b, q->y, sizeof(double) * (size_t)n);
    dgelsd_(&n, &p, &one, a, &n, b, &larger, s, &rcond, &rank, work, &lwork, iwork, &info);
    for (int k = n; k < q->n_rows; k++) {
        const double off = dot(q->x + (size_t)k * (size_t)p, b, p) - q->y[k];
        sum += off * off / (q->n_rows - n);
    }
    const double bound = 200 * DBL_EPSILON * fmax(s[0] / s[smaller - 1], pow(10, q->d->grade));
    const bool ok = (info == 0 || wrong("dgelsd: %d", info)) &&
                    near("test error by dgelsd", got->test_mse[RL_TARGET_Y], sum, bound * sum) &&
                    (!wanted || (near("sigma_min of dgelsd", got->sigma_min, s[smaller - 1], bound * s[smaller - 1]) &&
                                 near("sigma_max of dgelsd", got->sigma_max, s[0], 1e-13 * s[0])));
    double *const arrays[] = {a, b, s, work};
    for (int k = 0; k < 4; k++) rl_free(arrays[k]);
    rl_free(iwork);
    return ok;
}

static bool same_on_all_ranks(const rl_process_grid *grid, const rl_point *points, int n) {
    const size_t bytes = sizeof *points * (size_t)n;
    rl_point *first = NULL;
    if (RL_ALLOC(first, n) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    memcpy(first, points, bytes);
    MPI_Bcast(first, (int)bytes, MPI_BYTE, 0, grid->comm);
    const bool same = memcmp(first, points, bytes) == 0;
    rl_free(first);
    return same || wrong("ranks differ");
}

/* Every third size's singular values, and the last one's, or of a flawed problem all. */
static bool is_wanted(const problem *q, int i) {
    return i % 3 == 0 || i == q->n_sizes - 1 || q->d->flaw != NONE;
}

static bool right_points(const problem *q, const rl_point *points, bool with_sigma) {
    bool ok = true;
    for (int i = 0; i < q->n_sizes && ok; i++) {
        const int n = q->n_train[i];
        const bool wanted = with_sigma && is_wanted(q, i);
        if (points[i].done != is_sound(q, n)) ok = wrong("done: %d", points[i].done);
        if (ok && points[i].done) ok = same_errors(q, i, &points[i]) && same_sigma(q, i, &points[i], wanted);
        if (ok && points[i].done && i % 5 == 0) ok = same_as_dgelsd(q, i, &points[i], wanted);
        if (!ok) wrong("N = %d", n);
    }
    return ok;
}

/* What the curve tells is what is allocated for it and its points, on every rank. */
static bool bytes_are_as_told(const rl_process_grid *grid, int block, const rl_curve_case *c, const bool *wanted,
                              size_t before) {
    rl_needs needs = {0};
    int n_sigma = 0;
    for (int i = 0; i < c->n_sizes; i++) n_sigma += wanted[i];
    rl_grid_curve_needs(grid, block, c, c->n_sizes, n_sigma, &needs);
    return as_told(before, needs.found.bytes);
}

static bool curve_matches(const rl_process_grid *grid, int block, const problem *q) {
    const rl_curve_case c = case_of(q);
    const size_t n = (size_t)q->n_sizes;
    rl_grid_curve *curve = NULL;
    rl_point *points = NULL, *plain = NULL;
    bool *wanted = NULL;
    if (RL_ALLOC(points, n) != RL_OK || RL_ALLOC(plain, n) != RL_OK || RL_ALLOC(wanted, n) != RL_OK)
        MPI_Abort(MPI_COMM_WORLD, 1);
    for (size_t i = 0; i < n; i++) wanted[i] = is_wanted(q, (int)i);
    const size_t before = rl_allocated();
    rl_forget_peak_allocated();
    bool ok = rl_grid_curve_create(grid, block, &c, &curve, NULL) == RL_OK &&
              rl_grid_curve_points(curve, NULL, (rl_tick){0}, plain) == RL_OK &&
              rl_grid_curve_points(curve, wanted, (rl_tick){0}, points) == RL_OK;
    if (!ok) wrong("%s", rl_error_message());
    ok = ok && bytes_are_as_told(grid, block, &c, wanted, before);
    if (ok) ok = same_on_all_ranks(grid, points, q->n_sizes);
    ok = ok && right_points(q, points, true) && right_points(q, plain, false);
    for (size_t i = 0; i < n && ok; i++) /* singular values change nothing else */
        ok = memcmp(points[i].test_mse, plain[i].test_mse, sizeof plain[i].test_mse) == 0;
    if (!ok) wrong("%s, block %d, %d x %d, rank %d", q->d->name, block, grid->n_rows, grid->n_columns, grid->rank);
    rl_grid_curve_destroy(curve);
    rl_free(points);
    rl_free(plain);
    rl_free(wanted);
    return ok;
}

static void test_points(report *r, int which) {
    const int blocks[] = {8, 5, 64};
    problem q = make_problem(&designs[which]);
    bool ok = true;
    int runs = 0;
    for (int i = 0; i < q.n_sizes; i++) ok = ok && q.expected[i].done == is_sound(&q, q.n_train[i]);
    for (int g = 0; g < N_GRIDS; g++) {
        if (grids[g].rows * grids[g].columns > r->size) continue;
        rl_process_grid *grid = grid_of(grids[g].rows, grids[g].columns);
        if (grid != NULL) ok = curve_matches(grid, blocks[(g + which) % 3], &q) && ok;
        rl_process_grid_destroy(grid);
        runs++;
    }
    check(r, ok && runs > 0, "%s: as the nested factorization on one rank, and as dgelsd", q.d->name);
    free_problem(&q);
}

/* ---- spectra ----------------------------------------------------------------------------------------------------- */

/* Z f(sigma) C for singular values of at least `cutoff`, this rank's test rows. */
static void predict(const rl_spectrum *s, double cutoff, double *predictions) {
    memset(predictions, 0, sizeof(double) * (size_t)s->m);
    for (int r = 0; r < s->rank && s->sigma[r] >= cutoff; r++)
        for (int i = 0; i < s->m; i++)
            predictions[i] += s->z[(size_t)r * (size_t)s->ldz + (size_t)i] * (s->c[RL_TARGET_Y][r] / s->sigma[r]);
}

/* Of predictions with all modes and with those above the middle one, and of the targets. */
static bool same_rows(const rl_spectrum *s, const rl_spectrum *e, double b) {
    double *got = numbers((size_t)s->m), *expected = numbers((size_t)s->m);
    const double middle = s->rank > 1 ? 0.5 * (e->sigma[s->rank / 2] + e->sigma[s->rank / 2 - 1]) : 0;
    bool ok = s->m == e->m || wrong("%d rows, expected %d", s->m, e->m);
    for (int pass = 0; pass < 2 && ok; pass++) {
        predict(s, pass * middle, got);
        predict(e, pass * middle, expected);
        for (int i = 0; i < s->m && ok; i++) ok = near("prediction", got[i], expected[i], b * (10 + fabs(expected[i])));
    }
    for (int i = 0; i < s->m && ok; i++)
        ok = s->z_one[i] == 1 && s->z_target[RL_TARGET_Y][i] == e->z_target[RL_TARGET_Y][i] &&
             near("X beta*", s->z_target[RL_TARGET_IDEAL][i], e->z_target[RL_TARGET_IDEAL][i], b) &&
             near("residual", s->z_target[RL_TARGET_RESIDUAL][i], e->z_target[RL_TARGET_RESIDUAL][i], b);
    rl_free(got);
    rl_free(expected);
    return ok;
}

static double length_sq(const rl_spectrum *s, int target) {
    return dot(s->c[target], s->c[target], s->rank);
}

/* What diag(scale) V b_star comes to, row by row; together the ranks have all rows, where there are any. */
static bool same_population(const rl_process_grid *grid, const rl_spectrum *s, const rl_spectrum *e, double b) {
    int rows[2] = {s->n_population, e->n_population};
    MPI_Allreduce(MPI_IN_PLACE, rows, 2, MPI_INT, MPI_SUM, grid->comm);
    bool ok = s->n_population == e->n_population && rows[0] == rows[1] && (rows[0] == 0 || rows[0] == s->n_features);
    if (!ok) return wrong("%d population rows of %d, expected %d", s->n_population, rows[0], e->n_population);
    for (int i = 0; i < s->n_population && ok; i++) {
        double got = 0, expected = 0;
        for (int r = 0; r < s->rank; r++) {
            got += s->population_z[(size_t)r * (size_t)s->ld_population + (size_t)i] * s->b_star[r];
            expected += e->population_z[(size_t)r * (size_t)e->ld_population + (size_t)i] * e->b_star[r];
        }
        ok = near("population row", got, expected, b) && s->population_target[i] == e->population_target[i];
    }
    return ok;
}

static bool same_spectrum(const rl_process_grid *grid, const rl_spectrum *s, const rl_spectrum *e, double b) {
    bool ok = s->status == e->status && s->rank == e->rank && s->n_modes == e->n_modes && s->n_train == e->n_train &&
              s->n_features == e->n_features && s->n_test == e->n_test;
    if (!ok) return wrong("status %d, rank %d, expected %d, %d", (int)s->status, s->rank, (int)e->status, e->rank);
    for (int r = 0; r < s->n_modes && ok; r++) ok = near("sigma", s->sigma[r], e->sigma[r], 1e-13 * e->sigma[0]);
    for (int t = 0; t < RL_N_TARGETS && ok; t++)
        ok = near("coordinates", length_sq(s, t), length_sq(e, t), b * (1 + length_sq(e, t))) && s->outside_sq[t] == 0;
    return ok && near("b_outside_sq", s->b_outside_sq, e->b_outside_sq, b * (1 + e->b_outside_sq)) &&
           near("test_bias", s->test_bias, e->test_bias, b * (1 + fabs(e->test_bias))) &&
           near("test_bias_mse", s->test_bias_mse, e->test_bias_mse, b * (1 + e->test_bias_mse)) &&
           same_rows(s, e, b) && same_population(grid, s, e, b);
}

static double condition_of(const rl_spectrum *s) {
    return s->rank > 0 ? s->sigma[0] / s->sigma[s->rank - 1] : 1;
}

/* From the curve's triangle, and from nothing. */
static bool spectrum_matches(const rl_process_grid *grid, rl_grid_curve *curve, const problem *q, int i,
                             rl_producer producer) {
    const int n = q->n_train[i];
    rl_case c = case_of(q).rows;
    rl_spectrum_store stores[2] = {{0}};
    rl_spectrum s, e;
    rl_timings timings;
    c.n_train = n;
    c.n_test = q->n_rows - n;
    bool ok = rl_grid_curve_spectrum(curve, i, producer, &stores[0], &s, &timings) == RL_OK &&
              rl_distributed_spectrum(grid, producer, 8, &c, &stores[1], &e, NULL) == RL_OK;
    if (!ok) wrong("%s", rl_error_message());
    ok =
        ok && (e.status != RL_CELL_DONE ? s.status == e.status : same_spectrum(grid, &s, &e, 1e-11 * condition_of(&e)));
    ok = ok && timings.total >= timings.generate + timings.reduce + timings.project + timings.diagonalize;
    if (!ok) wrong("%s, N = %d, %s", q->d->name, n, rl_producer_name(producer));
    for (int k = 0; k < 2; k++) rl_spectrum_store_destroy(&stores[k]);
    return ok;
}

/* At the ends and in the middle, in any order, before points and after: nothing wears the curve out. */
static bool spectra_match(const rl_process_grid *grid, int block, const problem *q, int n_producers) {
    const rl_producer producers[] = {RL_PRODUCER_TWO_STAGE, RL_PRODUCER_PROJECTED, RL_PRODUCER_PDGESVD};
    const rl_curve_case c = case_of(q);
    rl_grid_curve *curve = NULL;
    rl_point *points = NULL;
    int n_wide = 0;
    while (n_wide < q->n_sizes && q->n_train[n_wide] <= q->d->p) n_wide++;
    if (RL_ALLOC(points, q->n_sizes) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    bool ok = rl_grid_curve_create(grid, block, &c, &curve, NULL) == RL_OK;
    for (int k = 0; k < n_producers && ok; k++) {
        ok = spectrum_matches(grid, curve, q, n_wide - 1, producers[k]) &&
             spectrum_matches(grid, curve, q, n_wide / 2, producers[k]) &&
             spectrum_matches(grid, curve, q, 0, producers[k]);
        if (k > 0 || !ok) continue;
        ok = rl_grid_curve_points(curve, NULL, (rl_tick){0}, points) == RL_OK && right_points(q, points, false);
    }
    rl_grid_curve_destroy(curve);
    rl_free(points);
    return ok;
}

static void test_spectra(report *r) {
    const design shapes[] = {{"spectra", 40, 1, 1, 55, 20, .grade = 0},
                             {"spectra, wide", 40, 5, 7, 33, 20, .scaled = true},
                             {"spectra, scaled", 20, 1, 1, 30, 9, .scaled = true},
                             {"spectra of equal rows", 30, 1, 1, 30, 20, .flaw = EQUAL_ROWS},
                             {"spectra of two", 2, 1, 1, 4, 5, .grade = 0},
                             {"no spectra", 6, 1, 1, 9, 5, .flaw = ALL_ZERO}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        problem q = make_problem(&shapes[i]);
        rl_process_grid *all = NULL, *line = grid_of(r->size, 1);
        bool ok = rl_process_grid_create(MPI_COMM_WORLD, 0, 0, &all) == RL_OK && spectra_match(all, 8, &q, 3);
        if (r->size > 1) ok = spectra_match(line, 64, &q, 1) && ok;
        check(r, ok, "%s: from the leading blocks as from nothing", shapes[i].name);
        rl_process_grid_destroy(all);
        rl_process_grid_destroy(line);
        free_problem(&q);
    }
}

/* ---- scaling ----------------------------------------------------------------------------------------------------- */

typedef struct scaled {
    const problem *q;
    double factor;
} scaled;

static double scaled_entry(const void *state, int row, int column) {
    const scaled *s = state;
    return s->factor * entry(s->q, row, column);
}

/* A power of two in X, with its inverse in beta*, changes sigma and the population's error by itself and nothing else,
 * in any bit; squares of 2^+-900 are no doubles, and then the population's error is none either. */
static void test_scale(report *r) {
    const design plain = {"units", 20, 1, 1, 40, 11, .grade = 0};
    const int powers[] = {-900, -300, 0, 300, 900};
    rl_process_grid *grid = grid_of(1, r->size);
    problem q = make_problem(&plain);
    rl_point points[2][40];
    bool wanted[40];
    double *beta = numbers(20);
    for (int i = 0; i < 40; i++) wanted[i] = true;
    for (int k = 0; k < 5; k++) {
        bool ok = true;
        for (int j = 0; j < 2 && ok; j++) {
            const scaled s = {&q, ldexp(1, j * powers[k])};
            rl_curve_case c = case_of(&q);
            rl_grid_curve *curve = NULL;
            c.rows.x = scaled_entry;
            c.rows.state = &s;
            c.rows.beta_star = beta;
            for (int i = 0; i < 20; i++) beta[i] = ldexp(q.beta_star[i], -j * powers[k]);
            ok = rl_grid_curve_create(grid, 8, &c, &curve, NULL) == RL_OK &&
                 rl_grid_curve_points(curve, wanted, (rl_tick){0}, points[j]) == RL_OK;
            rl_grid_curve_destroy(curve);
        }
        for (int i = 0; i < 40 && ok; i++) {
            const rl_point *a = &points[0][i], *b = &points[1][i];
            ok = a->done && b->done == (powers[k] > -900);
            if (!b->done) continue;
            for (int t = 0; t < RL_N_FITTED_TARGETS && ok; t++)
                ok = b->test_mse[t] == a->test_mse[t] && b->train_mse[t] == a->train_mse[t] &&
                     b->population_sq[t] == ldexp(a->population_sq[t], -2 * powers[k]);
            ok = ok && b->test_bias == a->test_bias && b->sigma_min == ldexp(a->sigma_min, powers[k]) &&
                 b->sigma_max == ldexp(a->sigma_max, powers[k]);
        }
        check(r, ok, "features in units of 2^%d", powers[k]);
    }
    rl_free(beta);
    free_problem(&q);
    rl_process_grid_destroy(grid);
}

/* ---- what must not hang ------------------------------------------------------------------------------------------ */

static bool refuses(const rl_process_grid *grid, int block, const rl_curve_case *c, const char *expected) {
    rl_grid_curve *curve = NULL;
    const rl_status status = rl_grid_curve_create(grid, block, c, &curve, NULL);
    return (status == RL_ERR_INPUT && curve == NULL && one_message(grid, expected)) ||
           wrong("%s: got %d, %s", expected, (int)status, rl_error_message());
}

static void test_not_finite(report *r) {
    const design plain = {"poisoned", 20, 1, 1, 30, 11, .scaled = true};
    rl_process_grid *grid = grid_of(1, r->size);
    problem q = make_problem(&plain);
    const struct {
        poison p;
        const char *expected;
    } poisons[] = {{{entry, &q, 5, 3, NAN}, "feature 3 of row 5 is nan; it must be finite"},
                   {{entry, &q, 27, 19, -INFINITY}, "feature 19 of row 27 is -inf"},
                   {{entry, &q, 40, 0, INFINITY}, "feature 0 of row 40 is inf"}};
    for (int i = 0; i < 3; i++) {
        rl_curve_case c = case_of(&q);
        c.rows.x = poisoned_entry;
        c.rows.state = &poisons[i].p;
        check(r, refuses(grid, 8, &c, poisons[i].expected), "%s", poisons[i].expected);
    }
    const rl_curve_case c = case_of(&q);
    q.y[35] = NAN;
    check(r, refuses(grid, 8, &c, "y[35] is nan"), "a target that is not a number");
    q.y[35] = 0;
    q.beta_star[7] = INFINITY;
    check(r, refuses(grid, 8, &c, "beta*[7] is inf"), "an infinite coefficient");
    q.beta_star[7] = 0;
    q.scale[19] = NAN;
    check(r, refuses(grid, 8, &c, "scale[19] is nan"), "a standard deviation that is not a number");
    free_problem(&q);
    rl_process_grid_destroy(grid);
}

static void test_sizes(report *r) {
    const design plain = {"refused", 6, 1, 1, 9, 5, .grade = 0};
    rl_process_grid *grid = grid_of(1, r->size);
    problem q = make_problem(&plain);
    rl_curve_case c = case_of(&q);
    c.n_sizes = 8;
    check(r, refuses(grid, 8, &c, "the last of 8 sizes must be all 9 training rows"), "rows beyond the sizes");
    c = case_of(&q);
    q.n_train[3] = 3;
    check(r, refuses(grid, 8, &c, "n_train[3] is 3; expected ascending"), "sizes out of order");
    q.n_train[3] = 4;
    c.rows.n_test = 0;
    check(r, refuses(grid, 8, &c, "n_test 0"), "no test rows");
    c = case_of(&q);
    check(r, refuses(grid, 0, &c, "block 0"), "no blocks");
    const int many[] = {2147483600};
    c = (rl_curve_case){
        .rows = {.n_train = many[0], .n_features = 10, .n_test = many[0]}, .n_sizes = 1, .n_train = many};
    check(r, refuses(grid, 8, &c, "32-bit indices"), "a curve beyond 32-bit indices");
    free_problem(&q);
    rl_process_grid_destroy(grid);
}

/* ---- stopping ---------------------------------------------------------------------------------------------------- */

typedef struct countdown {
    int calls, last;
} countdown;

static bool count_down(void *state) {
    countdown *c = state;
    return ++c->calls != c->last;
}

/* Wherever it is asked, by the last rank alone; and the curve is as good as before. */
static void test_stop(report *r) {
    const design plain = {"stopped", 12, 1, 1, 20, 11, .grade = 0};
    rl_process_grid *grid = grid_of(1, r->size);
    problem q = make_problem(&plain);
    const rl_curve_case c = case_of(&q);
    rl_grid_curve *curve = NULL;
    rl_point points[20], again[20];
    bool wanted[20];
    countdown all = {0};
    for (int i = 0; i < 20; i++) wanted[i] = i % 2 == 0;
    bool ok = rl_grid_curve_create(grid, 8, &c, &curve, NULL) == RL_OK &&
              rl_grid_curve_points(curve, wanted, (rl_tick){count_down, &all}, points) == RL_OK;
    check(r, ok && all.calls >= 6, "the tick is asked before each piece of work");
    for (int last = 1; last <= all.calls && ok; last++) {
        countdown mine = {.last = r->rank == r->size - 1 ? last : 0};
        ok = rl_grid_curve_points(curve, wanted, (rl_tick){count_down, &mine}, again) == RL_STOPPED &&
             mine.calls == last;
    }
    check(r, ok, "one rank's word stops all of them, at each of %d places", all.calls);
    ok = ok && rl_grid_curve_points(curve, wanted, (rl_tick){0}, again) == RL_OK &&
         memcmp(points, again, sizeof points) == 0;
    check(r, ok, "a curve that was stopped gives the same points as ever");
    rl_grid_curve_destroy(curve);
    free_problem(&q);
    rl_process_grid_destroy(grid);
}

/* ---- the account ------------------------------------------------------------------------------------------------- */

typedef struct targets {
    int n;
    double *y;
} targets;

/* As rl_dataset_case_create makes them. */
static void list_targets(rl_arena *arena, void *object) {
    targets *t = object;
    RL_TAKE(arena, t->y, t->n);
}

/* The public account, of the first rank, has the process grid and the targets of the dataset in it too. */
static bool account_is_right(const report *r, const problem *q, int n_sigma) {
    const rl_curve_case c = case_of(q);
    const rl_case_sizes sizes = {.method = RL_CASE_CURVE,
                                 .n_train = c.rows.n_train,
                                 .n_features = q->d->p,
                                 .n_test = c.rows.n_test,
                                 .n_population = q->d->scaled ? q->d->p : 0,
                                 .n_shortest = q->n_train[0],
                                 .n_sizes = q->n_sizes,
                                 .n_sigma = n_sigma,
                                 .block = 16,
                                 .ranks = r->size};
    const rl_case_needs told = rl_find_case_needs(&sizes, r->size);
    rl_process_grid *grid = NULL;
    rl_grid_curve *curve = NULL;
    rl_point *points = NULL;
    bool *wanted = NULL;
    targets made = {.n = q->n_rows};
    if (RL_ALLOC(points, q->n_sizes) != RL_OK || RL_ALLOC(wanted, q->n_sizes) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    for (int i = 0; i < n_sigma; i++) wanted[q->n_sizes - 1 - i] = true;
    const size_t before = rl_allocated();
    rl_forget_peak_allocated();
    bool ok = rl_process_grid_create(MPI_COMM_WORLD, 0, 0, &grid) == RL_OK &&
              rl_arrays_create(&made, list_targets) == RL_OK &&
              rl_grid_curve_create(grid, 16, &c, &curve, NULL) == RL_OK &&
              rl_grid_curve_points(curve, wanted, (rl_tick){0}, points) == RL_OK;
    const double most = (double)(rl_peak_allocated() - before);
    if (r->rank == 0 && most != told.bytes) ok = wrong("%s: %.0f bytes, %.0f told", q->d->name, most, told.bytes);
    rl_grid_curve_destroy(curve);
    rl_free(made.y);
    rl_process_grid_destroy(grid);
    rl_free(points);
    rl_free(wanted);
    return ok;
}

static void test_account(report *r) {
    const design shapes[] = {{"all wide", 70, 3, 5, 53, 20, .grade = 0},
                             {"wide and tall", 40, 1, 1, 130, 30, .scaled = true},
                             {"all tall", 20, 21, 7, 60, 30, .grade = 0}};
    bool ok = true;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        problem q = make_problem(&shapes[i]);
        ok = account_is_right(r, &q, 0) && ok;
        ok = account_is_right(r, &q, q.n_sizes < 5 ? q.n_sizes : 5) && ok;
        ok = account_is_right(r, &q, q.n_sizes) && ok;
        free_problem(&q);
    }
    check(r, ok, "bytes told before are bytes allocated");
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

/* The first third of the ranks and the rest, each with a curve of its own. */
static void test_groups(report *r) {
    const int small = r->size / 3 > 0 ? r->size / 3 : 1, mine = r->rank < small ? 0 : 1;
    const design shapes[] = {{"group a", 20, 1, 1, 30, 9, .grade = 0}, {"group b", 3, 1, 1, 60, 14, .grade = 0}};
    MPI_Comm group;
    rl_process_grid *grid = NULL;
    MPI_Comm_split(MPI_COMM_WORLD, mine, r->rank, &group);
    problem q = make_problem(&shapes[mine]);
    bool ok = rl_process_grid_create(group, 0, 0, &grid) == RL_OK && curve_matches(grid, 8, &q);
    MPI_Comm_free(&group);
    check(r, ok, "two groups side by side");
    rl_process_grid_destroy(grid);
    free_problem(&q);
}

int main(int argc, char **argv) {
    report r = begin_report(&argc, &argv);
    test_sizes(&r);
    test_not_finite(&r);
    test_stop(&r);
    test_scale(&r);
    test_groups(&r);
    test_account(&r);
    test_spectra(&r);
    for (int i = 0; i < N_DESIGNS; i++) test_points(&r, i);
    return end_report(&r);
}
