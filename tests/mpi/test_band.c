/* distributed: the band stage on however many ranks this program is started with.
 *
 * Reflectors are applied to identities, and what comes of these is multiplied back; singular values and solutions are
 * held against LAPACK's dgbbrd. Every grid must give the bits of one rank with one stretch. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/distributed/spectrum/band.h"
#include "report.h"
#include "ridgeless/random.h"

void dgbbrd_(const char *vect, const int *m, const int *n, const int *ncc, const int *kl, const int *ku, double *ab,
             const int *ldab, double *d, double *e, double *q, const int *ldq, double *pt, const int *ldpt, double *c,
             const int *ldc, double *work, int *info, size_t);
void dbdsqr_(const char *uplo, const int *n, const int *ncvt, const int *nru, const int *ncc, double *d, double *e,
             double *vt, const int *ldvt, double *u, const int *ldu, double *c, const int *ldc, double *work, int *info,
             size_t);

typedef struct setting {
    int n, width, steps, n_rows, n_targets;
    bool rows_left, identities; /* Z and the targets are identities, or random */
} setting;

/* What a rank has of it afterwards: all of it. */
typedef struct outcome {
    double *d, *e, *targets, *z; /* [n], [n], [n, n_targets], [n_rows, n] */
} outcome;

static double normal(uint32_t matrix, int row, int column) {
    const rl_key key = rl_key_make(23, "band");
    return rl_philox_normal(key, RL_STREAM_FEATURES, matrix, (uint32_t)row, (uint32_t)column);
}

enum { MATRIX, ROWS, TARGETS };

/* Around the band lies what is none of it. */
static double matrix_entry(const void *state, int row, int column) {
    const uint32_t *which = state;
    return normal(*which, row, column);
}

static double band_entry(const setting *s, int row, int column) {
    return column >= row && column <= row + s->width ? normal(MATRIX, row, column) : 0;
}

static double z_entry(const void *state, int row, int column) {
    const setting *s = state;
    return s->identities ? row == column : normal(ROWS, row, column);
}

static double target_entry(const setting *s, int row, int column) {
    return s->identities ? row == column : normal(TARGETS, row, column);
}

static outcome make_outcome(const setting *s) {
    const size_t n = (size_t)s->n;
    return (outcome){.d = numbers(n),
                     .e = numbers(n),
                     .targets = numbers(n * (size_t)s->n_targets + 1),
                     .z = numbers(n * (size_t)s->n_rows + 1)};
}

static void free_outcome(outcome *o) {
    double *const arrays[] = {o->d, o->e, o->targets, o->z};
    for (int i = 0; i < 4; i++) rl_free(arrays[i]);
}

/* The whole stage on a grid. */
static outcome reduce(const rl_process_grid *grid, const setting *s) {
    const uint32_t which = MATRIX;
    outcome o = make_outcome(s);
    rl_block_matrix m, columns;
    rl_band band = rl_band_layout(grid, s->n, s->width < s->n ? s->width : s->n, s->n_targets, s->rows_left, s->steps);
    bool ok = rl_block_matrix_create(&m, grid, s->n, s->n, s->width) == RL_OK && rl_band_create(&band) == RL_OK;
    rl_block_matrix_fill(&m, 0, 0, s->n, s->n, matrix_entry, &which);
    ok = ok && rl_band_take(&band, &m) == RL_OK;
    columns = rl_band_columns(&band, s->n_rows);
    ok = ok && rl_block_matrix_allocate(&columns) == RL_OK;
    rl_block_matrix_fill(&columns, 0, 0, s->n_rows, s->n, z_entry, s);
    for (int t = 0; t < s->n_targets; t++)
        for (int i = 0; i < s->n; i++) o.targets[(size_t)t * (size_t)s->n + (size_t)i] = target_entry(s, i, t);
    ok = ok && rl_band_to_bidiagonal(&band, o.d, o.e, o.targets) == RL_OK;
    ok = ok && rl_band_reflect_columns(&band, &columns) == RL_OK;
    ok = ok && rl_replicate(&columns, 0, 0, s->n_rows, s->n, o.z) == RL_OK;
    if (!ok) MPI_Abort(MPI_COMM_WORLD, 1);
    rl_band_destroy(&band);
    rl_block_matrix_destroy(&columns);
    rl_block_matrix_destroy(&m);
    return o;
}

static outcome reduce_alone(const setting *s) {
    rl_process_grid *self = NULL;
    setting whole = *s;
    whole.steps = 0;
    if (rl_process_grid_create_alone(&self) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    outcome o = reduce(self, &whole);
    rl_process_grid_destroy(self);
    return o;
}

static bool same_bits(const setting *s, const outcome *a, const outcome *b) {
    const size_t n = (size_t)s->n, bytes = sizeof(double);
    const bool same = memcmp(a->d, b->d, n * bytes) == 0 && memcmp(a->e, b->e, (n - 1) * bytes) == 0 &&
                      memcmp(a->targets, b->targets, n * (size_t)s->n_targets * bytes) == 0 &&
                      memcmp(a->z, b->z, n * (size_t)s->n_rows * bytes) == 0;
    return same || wrong("n = %d, width %d, steps %d, %d rows: bits differ", s->n, s->width, s->steps, s->n_rows);
}

/* ---- all vectors ------------------------------------------------------------------------------------------------- */

/* Column c of P or Q, as rows of Z (column c) or of the targets' transpose (row c). */
static double vector_entry(const setting *s, const outcome *o, bool left, int i, int c) {
    const size_t n = (size_t)s->n;
    return left == s->rows_left ? o->z[(size_t)c * n + (size_t)i] : o->targets[(size_t)i * n + (size_t)c];
}

static double orthogonality(const setting *s, const outcome *o, bool left) {
    double worst = 0;
    for (int a = 0; a < s->n; a++)
        for (int b = a; b < s->n; b++) {
            double sum = a == b ? -1 : 0;
            for (int i = 0; i < s->n; i++) sum += vector_entry(s, o, left, i, a) * vector_entry(s, o, left, i, b);
            worst = fmax(worst, fabs(sum));
        }
    return worst;
}

/* The largest element of B P - Q D. */
static double residual(const setting *s, const outcome *o) {
    double worst = 0;
    for (int c = 0; c < s->n; c++)
        for (int i = 0; i < s->n; i++) {
            double sum = -o->d[c] * vector_entry(s, o, true, i, c);
            if (c > 0) sum -= o->e[c - 1] * vector_entry(s, o, true, i, c - 1);
            for (int k = i; k < s->n && k <= i + s->width; k++)
                sum += band_entry(s, i, k) * vector_entry(s, o, false, k, c);
            worst = fmax(worst, fabs(sum));
        }
    return worst;
}

static bool is_decomposition(const setting *s, const outcome *o) {
    const double bound = 30 * sqrt(s->n) * DBL_EPSILON;
    const double p = orthogonality(s, o, false), q = orthogonality(s, o, true), r = residual(s, o);
    return (p <= bound && q <= bound && r <= bound * sqrt(s->width + 1)) ||
           wrong("n = %d, width %d, left %d: P^T P - I %.2g, Q^T Q - I %.2g, B P - Q D %.2g", s->n, s->width,
                 s->rows_left, p, q, r);
}

/* One rank, one stretch: the rest of this program holds other grids to its bits. */
static void test_decompositions(report *r) {
    const int widths[] = {1, 2, 3, 7, 8, 16, 33, 64};
    bool ok = true;
    int turn = 0;
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
        for (int n = 1; n <= 150; n += n < 24 ? 1 : 42)
            for (int left = 0; left < 2; left++) {
                const setting s = {n, widths[w], 0, n, n, left != 0, true};
                if (turn++ % r->size != r->rank) continue; /* each rank takes some */
                outcome o = reduce_alone(&s);
                ok = is_decomposition(&s, &o) && ok;
                free_outcome(&o);
            }
    check(r, ok, "B P = Q D with orthogonal P and Q");
}

/* ---- the same bits on every grid --------------------------------------------------------------------------------- */

static bool same_on(const rl_process_grid *grid, const setting *s) {
    outcome expected = reduce_alone(s), o = reduce(grid, s);
    const bool ok = same_bits(s, &o, &expected);
    free_outcome(&expected);
    free_outcome(&o);
    return ok;
}

static rl_process_grid *next_grid(const report *r, int g, int *rows, int *columns) {
    *rows = g < N_GRIDS ? grids[g].rows : 1;
    *columns = g < N_GRIDS ? grids[g].columns : r->size;
    return *rows * *columns <= r->size ? grid_of(*rows, *columns) : NULL;
}

/* More ranks than stretches, stretches that end within a step, no rows, and one stretch of a matrix larger than it. */
static void test_small(report *r) {
    const int widths[] = {1, 2, 3, 5, 8, 50}, rows[] = {0, 1, 17};
    for (int g = 0; g <= N_GRIDS; g++) {
        int grid_rows, grid_columns;
        rl_process_grid *grid = next_grid(r, g, &grid_rows, &grid_columns);
        bool ok = true;
        if (grid_rows * grid_columns > r->size) continue;
        for (int n = 1; n <= 40 && grid != NULL; n++)
            for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
                const setting s = {n, widths[w], 3 + n % 3, rows[(n + (int)w) % 3], n % 4, n % 2 != 0, false};
                ok = same_on(grid, &s) && ok;
            }
        check(r, ok, "all n up to 40 have the bits of one rank on %d x %d", grid_rows, grid_columns);
        rl_process_grid_destroy(grid);
    }
}

static void test_larger(report *r) {
    const setting settings[] = {{301, 8, 3, 70, 3, false, false},
                                {301, 8, 5, 33, 3, true, false},
                                {257, 16, 0, 20, 3, true, false},
                                {400, 4, 4, 5, 3, false, false},
                                {190, 33, 3, 64, 1, false, false}};
    for (int g = 0; g <= N_GRIDS; g++) {
        int grid_rows, grid_columns;
        rl_process_grid *grid = next_grid(r, g, &grid_rows, &grid_columns);
        bool ok = true;
        if (grid_rows * grid_columns > r->size) continue;
        for (size_t i = 0; i < sizeof settings / sizeof *settings && grid != NULL; i++)
            ok = same_on(grid, &settings[i]) && ok;
        check(r, ok, "larger ones too, on %d x %d", grid_rows, grid_columns);
        rl_process_grid_destroy(grid);
    }
}

/* ---- LAPACK ------------------------------------------------------------------------------------------------------ */

/* B = Q D P^T by dgbbrd, which leaves B in `c` as Q^T c; pt [n, n]. */
static void reduce_by_lapack(const setting *s, double *d, double *e, double *pt, double *c) {
    const int n = s->n, none = 0, one = 1, width = s->width, ld = width + 1;
    double *ab = numbers((size_t)n * (size_t)ld), *work = numbers(2 * (size_t)n), unused[1];
    int info;
    for (int j = 0; j < n; j++)
        for (int i = j > width ? j - width : 0; i <= j; i++)
            ab[(size_t)j * (size_t)ld + (size_t)(width + i - j)] = band_entry(s, i, j);
    dgbbrd_("P", &n, &n, &one, &none, &width, ab, &ld, d, e, unused, &one, pt, &n, c, &n, work, &info, 1);
    if (info != 0) MPI_Abort(MPI_COMM_WORLD, 1);
    rl_free(ab);
    rl_free(work);
}

static void singular_values(int n, double *d, double *e) {
    const int one = 1, none = 0;
    double *work = numbers(4 * (size_t)n), *vt = numbers((size_t)n);
    int info;
    dbdsqr_("U", &n, &one, &none, &none, d, e, vt, &n, NULL, &one, NULL, &one, work, &info, 1);
    if (info != 0) MPI_Abort(MPI_COMM_WORLD, 1);
    rl_free(work);
    rl_free(vt);
}

/* c becomes D^-1 c. */
static void solve_bidiagonal(int n, const double *d, const double *e, double *c) {
    for (int i = n - 1; i >= 0; i--) c[i] = (c[i] - (i + 1 < n ? e[i] * c[i + 1] : 0)) / d[i];
}

/* Of row i of Z, multiplied by P, and a solution in P's basis; `step` from one column to the next. */
static double predict(int n, const double *row, size_t step, const double *c) {
    double sum = 0;
    for (int j = 0; j < n; j++) sum += row[(size_t)j * step] * c[j];
    return sum;
}

/* What B^-1 y predicts of each row of Z, and the singular values. */
static void check_against_lapack(report *r, const rl_process_grid *grid, const setting *s) {
    const int n = s->n;
    const size_t size = (size_t)n;
    outcome o = reduce(grid, s);
    double *d = numbers(size), *e = numbers(size), *pt = numbers(size * size), *c = numbers(size), *row = numbers(size);
    bool ok = true;
    for (int i = 0; i < n; i++) c[i] = target_entry(s, i, 0);
    reduce_by_lapack(s, d, e, pt, c);
    solve_bidiagonal(n, d, e, c);
    solve_bidiagonal(n, o.d, o.e, o.targets);
    singular_values(n, d, e);
    singular_values(n, o.d, o.e);
    for (int i = 0; i < n && ok; i++) ok = near("sigma", o.d[i], d[i], n * DBL_EPSILON * d[0]);
    const double bound = 10 * n * DBL_EPSILON * d[0] / d[n - 1], length = sqrt(predict(n, c, 1, c));
    for (int i = 0; i < s->n_rows && ok; i++) {
        for (size_t j = 0; j < size; j++) {
            row[j] = 0;
            for (size_t k = 0; k < size; k++) row[j] += z_entry(s, i, (int)k) * pt[k * size + j];
        }
        ok = near("prediction", predict(n, o.z + i, (size_t)s->n_rows, o.targets), predict(n, row, 1, c),
                  bound * length * sqrt(predict(n, row, 1, row)));
    }
    check(r, ok, "n = %d, width %d: singular values and predictions are those by dgbbrd", n, s->width);
    double *const arrays[] = {d, e, pt, c, row};
    for (int i = 0; i < 5; i++) rl_free(arrays[i]);
    free_outcome(&o);
}

static void test_lapack(report *r) {
    const setting settings[] = {{90, 7, 3, 19, 1, false, false}, {200, 16, 3, 40, 1, false, false}};
    rl_process_grid *grid = grid_of(1, r->size);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) check_against_lapack(r, grid, &settings[i]);
    rl_process_grid_destroy(grid);
}

/* ---- what must stay ---------------------------------------------------------------------------------------------- */

static double sum_of_squares(const double *x, size_t n, size_t step) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i * step] * x[i * step];
    return sum;
}

static void test_sums_of_squares(report *r) {
    const setting s = {350, 12, 3, 31, 3, true, false};
    rl_process_grid *grid = grid_of(1, r->size);
    outcome o = reduce(grid, &s);
    const size_t n = (size_t)s.n;
    const double relative = 20 * DBL_EPSILON;
    double norm = 0;
    bool ok = true;
    for (int i = 0; i < s.n; i++)
        for (int j = i; j < s.n && j <= i + s.width; j++) norm += band_entry(&s, i, j) * band_entry(&s, i, j);
    ok = near("B", sum_of_squares(o.d, n, 1) + sum_of_squares(o.e, n - 1, 1), norm, relative * norm);
    for (int t = 0; t < s.n_targets; t++) {
        double squares = 0;
        for (int i = 0; i < s.n; i++) squares += target_entry(&s, i, t) * target_entry(&s, i, t);
        ok = near("targets", sum_of_squares(o.targets + (size_t)t * n, n, 1), squares, relative * squares) && ok;
    }
    for (int i = 0; i < s.n_rows; i++) {
        double squares = 0;
        for (int j = 0; j < s.n; j++) squares += z_entry(&s, i, j) * z_entry(&s, i, j);
        ok = near("row", sum_of_squares(o.z + i, n, (size_t)s.n_rows), squares, relative * squares) && ok;
    }
    check(r, ok, "sums of squares of the band, of targets and of rows stay");
    free_outcome(&o);
    rl_process_grid_destroy(grid);
}

/* Numbers that are none go through it like others: nothing depends on them but numbers. */
static double poisoned(const void *state, int row, int column) {
    return row == 20 && column == 22 ? NAN : matrix_entry(state, row, column);
}

static void test_not_finite(report *r) {
    enum { N = 60, WIDTH = 5 };
    const uint32_t which = MATRIX;
    double d[N], e[N], targets[N] = {0};
    rl_process_grid *grid = grid_of(1, r->size);
    rl_block_matrix m;
    rl_band band = rl_band_layout(grid, N, WIDTH, 1, false, 3);
    bool ok = rl_block_matrix_create(&m, grid, N, N, WIDTH) == RL_OK && rl_band_create(&band) == RL_OK;
    rl_block_matrix_fill(&m, 0, 0, N, N, poisoned, &which);
    ok = ok && rl_band_take(&band, &m) == RL_OK && rl_band_to_bidiagonal(&band, d, e, targets) == RL_OK;
    int bad = 0;
    for (int i = 0; i < N; i++) bad += !isfinite(d[i]);
    check(r, ok && bad > 0, "a band that is not finite ends, and shows it");
    rl_band_destroy(&band);
    rl_block_matrix_destroy(&m);
    rl_process_grid_destroy(grid);
}

int main(int argc, char **argv) {
    report r = begin_report(&argc, &argv);
    test_decompositions(&r);
    test_small(&r);
    test_larger(&r);
    test_lapack(&r);
    test_sums_of_squares(&r);
    test_not_finite(&r);
    return end_report(&r);
}
