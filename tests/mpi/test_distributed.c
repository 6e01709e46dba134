/* distributed: process grids, block-cyclic matrices and the ScaLAPACK producers, on however many ranks this program is
 * started with.
 *
 * The producers are held against two programs on one rank: the dense producer (what a spectrum consists of) and
 * LAPACK's dgelsd (predictions row by row), to 1e-10 x condition. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/distributed/spectrum/generate.h"
#include "../../src/distributed/spectrum/tall_qr.h"
#include "../../src/vectors.h"
#include "report.h"
#include "ridgeless/case_needs.h"
#include "ridgeless/distributed.h"
#include "ridgeless/random.h"

void dgelsd_(const int *m, const int *n, const int *nrhs, double *a, const int *lda, double *b, const int *ldb,
             double *s, const double *rcond, int *rank, double *work, const int *lwork, int *iwork, int *info);

/* ---- grids and matrices ------------------------------------------------------------------------------------------ */

static double normal_entry(const void *state, int row, int column) {
    const rl_key *key = state;
    return rl_philox_normal(*key, RL_STREAM_FEATURES, 0, (uint32_t)row, (uint32_t)column);
}

static void test_shapes(report *r) {
    const int expected[][3] = {{1, 1, 1}, {2, 1, 2}, {3, 1, 3},  {4, 2, 2},
                               {6, 2, 3}, {7, 1, 7}, {12, 3, 4}, {36, 6, 6}};
    bool ok = true;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        int rows, columns;
        rl_process_grid_shape(expected[i][0], &rows, &columns);
        ok = ok && rows == expected[i][1] && columns == expected[i][2];
    }
    check(r, ok, "the most nearly square grids");
    rl_process_grid *grid = NULL;
    const rl_status status = rl_process_grid_create(MPI_COMM_WORLD, r->size + 1, 1, &grid);
    char expected_shape[32];
    snprintf(expected_shape, sizeof expected_shape, " 1x%d", r->size);
    check(r,
          status == RL_ERR_INPUT && grid == NULL && strstr(rl_error_message(), "does not use all of") != NULL &&
              strstr(rl_error_message(), expected_shape) != NULL,
          "a grid that its ranks do not fill is refused, and those that they fill are named");
}

static void test_contexts(report *r) {
    enum { TIMES = 200 };
    bool ok = true;
    for (int i = 0; i < TIMES && ok; i++) {
        rl_process_grid *grid = NULL;
        ok = rl_process_grid_create(MPI_COMM_WORLD, 0, 0, &grid) == RL_OK && grid->rank == r->rank &&
             grid->n_rows * grid->n_columns == r->size && grid->row * grid->n_columns + grid->column == grid->rank;
        rl_process_grid_destroy(grid);
    }
    check(r, ok, "%d grids made and given back", TIMES);
}

static void test_agreement(report *r) {
    rl_process_grid *grid = grid_of(1, r->size);
    check(r, rl_process_grid_agree(grid, RL_OK) == RL_OK, "all well: agreed");
    const rl_status mine = r->rank == r->size - 1 ? rl_fail(RL_ERR_IO, "rank %d's message", r->rank) : RL_OK;
    char expected[64];
    snprintf(expected, sizeof expected, "rank %d's message", r->size - 1);
    check(r, rl_process_grid_agree(grid, mine) == RL_ERR_IO && strcmp(rl_error_message(), expected) == 0,
          "the last rank's failure is everybody's");
    rl_process_grid_destroy(grid);
}

/* Number i of a rank; what they add up to depends on the order. */
static double summand(int rank, int i) {
    return pow(10, (rank * 7 + i) % 33 - 16) / (3 + rank);
}

/* Of `n` ranks from `first` on: those below the largest power of two, and those from there. */
static double tree_sum(int first, int n, int i) {
    int half = 1;
    if (n == 1) return summand(first, i);
    while (2 * half < n) half *= 2;
    return tree_sum(first, half, i) + tree_sum(first + half, n - half, i);
}

static void test_sums(report *r) {
    enum { N = 20011 }; /* more than two pieces */
    static double values[N];
    for (int g = 0; g < N_GRIDS; g++) {
        const int size = grids[g].rows * grids[g].columns;
        if (size > r->size) continue;
        rl_process_grid *grid = grid_of(grids[g].rows, grids[g].columns);
        for (int i = 0; i < N && grid != NULL; i++) values[i] = summand(grid->rank, i);
        bool ok = grid == NULL || rl_sum_over_ranks(grid, values, N) == RL_OK;
        for (int i = 0; i < N && grid != NULL; i++) ok = ok && values[i] == tree_sum(0, size, i);
        check(r, ok, "sums over %d ranks are those of a tree, on every rank", size);
        rl_process_grid_destroy(grid);
    }
}

static rl_grid_shape shape_of(const rl_process_grid *grid) {
    return (rl_grid_shape){grid->n_rows, grid->n_columns};
}

/* The hash of a rows x columns matrix, all but a frame of two filled. 0 where the grid has no part of this rank. */
static bool hash_on(const rl_process_grid *grid, int block, bool tall, uint64_t *hash) {
    enum { ROWS = 150, COLUMNS = 133, FRAME = 2 };
    const rl_key key = rl_key_make(5, "hash");
    rl_block_matrix m;
    const rl_status status = rl_block_matrix_create(&m, grid, ROWS, COLUMNS, tall ? RL_TALL : block);
    bool ok = status == RL_OK && m.ld % 64 != 0;
    rl_block_matrix_fill(&m, FRAME, FRAME, ROWS - 2 * FRAME, COLUMNS - 2 * FRAME, normal_entry, &key);
    for (int j = 0; j < m.local_columns; j++)
        for (int i = 0; i < m.local_rows; i++) {
            const int row = rl_block_matrix_global_row(&m, i), column = rl_block_matrix_global_column(&m, j);
            const bool inside = row >= FRAME && row < ROWS - FRAME && column >= FRAME && column < COLUMNS - FRAME;
            const double expected = inside ? normal_entry(&key, row - FRAME, column - FRAME) : 0;
            ok = ok && m.a[(size_t)j * (size_t)m.ld + (size_t)i] == expected &&
                 (tall || rl_block_owner(shape_of(grid), row / block, column / block) == grid->rank);
        }
    int64_t elements = (int64_t)m.local_rows * m.local_columns;
    MPI_Allreduce(MPI_IN_PLACE, &elements, 1, MPI_INT64_T, MPI_SUM, grid->comm);
    ok = ok && elements == ROWS * COLUMNS;
    *hash = hash_matrix(&m);
    rl_block_matrix_destroy(&m);
    return ok;
}

static void test_hashes(report *r) {
    const int blocks[] = {8, 32, 64, 1, 7, 500};
    uint64_t reference = 0;
    rl_process_grid *self = NULL;
    bool ok = rl_process_grid_create(MPI_COMM_SELF, 1, 1, &self) == RL_OK && hash_on(self, 8, false, &reference);
    check(r, ok && reference != 0, "each rank alone makes the matrix");
    rl_process_grid_destroy(self);
    for (int g = 0; g < N_GRIDS; g++) {
        if (grids[g].rows * grids[g].columns > r->size) continue;
        rl_process_grid *grid = grid_of(grids[g].rows, grids[g].columns);
        ok = true;
        for (size_t b = 0; b < sizeof blocks / sizeof *blocks && grid != NULL; b++) {
            uint64_t hash = 0;
            ok = ok && hash_on(grid, blocks[b], false, &hash) && hash == reference;
        }
        uint64_t hash = 0;
        if (grid != NULL) ok = ok && hash_on(grid, 0, true, &hash) && hash == reference;
        check(r, ok, "the same global matrix on %d x %d, blocks 8, 32, 64, 1, 7, 500, and by rows", grids[g].rows,
              grids[g].columns);
        rl_process_grid_destroy(grid);
    }
}

static void test_hash_sees_changes(report *r) {
    const rl_key key = rl_key_make(5, "hash");
    rl_process_grid *grid = grid_of(1, r->size);
    rl_block_matrix m;
    uint64_t before = 0, changed = 0, swapped = 0, back = 0;
    bool ok = rl_block_matrix_create(&m, grid, 20, 9, 4) == RL_OK;
    rl_block_matrix_fill(&m, 0, 0, 20, 9, normal_entry, &key);
    before = hash_matrix(&m);
    const double first = m.a[0], second = m.a[1]; /* all ranks own rows 0 and 1 of some column, or rank 0 does */
    if (r->rank == 0) m.a[0] = nextafter(first, 2);
    changed = hash_matrix(&m);
    if (r->rank == 0) m.a[0] = second, m.a[1] = first;
    swapped = hash_matrix(&m);
    if (r->rank == 0) m.a[0] = first, m.a[1] = second;
    back = hash_matrix(&m);
    check(r, ok && before != changed && before != swapped && changed != swapped && back == before,
          "the hash sees one bit and one exchange");
    rl_block_matrix_destroy(&m);
    rl_process_grid_destroy(grid);
}

static void test_limits(report *r) {
    rl_process_grid *grid = grid_of(1, r->size);
    rl_block_matrix m;
    rl_status status = rl_block_matrix_create(&m, grid, 2000000000, 2000000000, 64);
    check(r, status == RL_ERR_INPUT && strstr(rl_error_message(), "pdgemr2d") != NULL && m.a == NULL,
          "a matrix beyond pdgemr2d's limit is refused by name");
    rl_block_matrix_destroy(&m);
    status = rl_block_matrix_create(&m, grid, 2000000000, 2000000000, RL_TALL);
    check(r, status == RL_ERR_INPUT && strstr(rl_error_message(), "pdgemr2d") != NULL, "one split by rows too");
    rl_block_matrix_destroy(&m);
    check(r, rl_block_matrix_create(&m, grid, 4, 0, 64) == RL_ERR_INPUT, "no columns: refused");
    check(r, rl_block_matrix_create(&m, grid, 0, 4, RL_TALL) == RL_ERR_INPUT, "no rows: refused");
    const rl_case large = {.n_train = 2147483640, .n_features = 10, .n_test = 2147483640};
    rl_spectrum_store store = {0};
    rl_spectrum s;
    status = rl_distributed_spectrum(grid, RL_PRODUCER_PROJECTED, 64, &large, &store, &s, NULL);
    check(r, status == RL_ERR_INPUT && strstr(rl_error_message(), "n_test 2147483640") != NULL,
          "a case beyond 32-bit indices is refused");
    const rl_case empty = {.n_train = 4, .n_features = 10, .n_test = 0};
    status = rl_distributed_spectrum(grid, RL_PRODUCER_PROJECTED, 64, &empty, &store, &s, NULL);
    check(r, status == RL_ERR_INPUT && strstr(rl_error_message(), "n_test 0") != NULL, "no test rows: refused");
    rl_spectrum_store_destroy(&store);
    rl_process_grid_destroy(grid);
}

/* ---- cases ------------------------------------------------------------------------------------------------------- */

typedef struct test_case {
    const char *name;
    int n, p, n_test;
    double grade; /* column j scaled by 10^(-grade j / p) */
    int rank;     /* 0: full; else X is the product of n x rank and rank x p */
} test_case;

static const test_case cases[] = {
    {"tall", 60, 23, 41, 0, 0},
    {"hardly tall", 43, 41, 30, 0, 0},
    {"square", 37, 37, 50, 0, 0},
    {"hardly wide", 41, 43, 30, 0, 0},
    {"wide", 23, 60, 41, 0, 0},
    {"very wide", 5, 200, 20, 0, 0},
    {"very tall", 200, 5, 20, 0, 0},
    {"deficient tall", 40, 20, 33, 0, 12},
    {"deficient square", 24, 24, 33, 0, 11},
    {"deficient wide", 20, 40, 33, 0, 12},
    {"graded tall", 50, 30, 40, 6, 0},
    {"graded square", 40, 40, 40, 5, 0},
    {"graded wide", 30, 50, 40, 6, 0},
    {"1 x 1", 1, 1, 7, 0, 0},
    {"N = 1", 1, 17, 20, 0, 0},
    {"P = 1", 17, 1, 20, 0, 0},
    {"2 x 2", 2, 2, 9, 0, 0},
    {"3 x 2", 3, 2, 9, 0, 0},
    {"2 x 3", 2, 3, 9, 0, 0},
    {"primes", 31, 29, 53, 0, 0},
    {"one test row", 12, 9, 1, 0, 0},
    {"one test row, wide", 9, 12, 1, 0, 0},
    {"blocks and a rest", 130, 129, 67, 0, 0},
    {"512 x 512", 512, 512, 64, 0, 0},
};
enum { N_CASES = sizeof cases / sizeof *cases };

/* A case whole on every rank: rows [n + n_test, p] row-major. */
typedef struct problem {
    const test_case *t;
    double *rows, *y, *beta_star;
    rl_case c;
} problem;

static double problem_entry(const void *state, int row, int column) {
    const problem *q = state;
    return q->rows[(size_t)row * (size_t)q->t->p + (size_t)column];
}

static double make_entry(const test_case *t, rl_key key, uint32_t i, uint32_t j) {
    const double grade = pow(10, -t->grade * j / t->p);
    if (t->rank == 0 || i >= (uint32_t)t->n) return grade * rl_philox_normal(key, RL_STREAM_FEATURES, 0, i, j);
    double sum = 0;
    for (uint32_t k = 0; k < (uint32_t)t->rank; k++)
        sum += rl_philox_normal(key, RL_STREAM_FEATURES, 1, i, k) * rl_philox_normal(key, RL_STREAM_FEATURES, 2, k, j);
    return sum;
}

static problem make_problem(const test_case *t) {
    const rl_key key = rl_key_make(17, t->name);
    const size_t n = (size_t)(t->n + t->n_test), p = (size_t)t->p;
    problem q = {.t = t, .rows = numbers(n * p), .y = numbers(n), .beta_star = numbers(p)};
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++) q.rows[i * p + j] = make_entry(t, key, (uint32_t)i, (uint32_t)j);
    for (size_t i = 0; i < n; i++) q.y[i] = rl_philox_normal(key, RL_STREAM_NOISE, 0, (uint32_t)i, 0);
    for (size_t j = 0; j < p; j++) q.beta_star[j] = rl_philox_normal(key, RL_STREAM_TEACHER, 0, 0, (uint32_t)j);
    return q;
}

static void free_problem(problem *q) {
    rl_free(q->rows);
    rl_free(q->y);
    rl_free(q->beta_star);
}

/* The state pointer is to where the problem lies. */
static rl_case case_of(const problem *q) {
    return (rl_case){.n_train = q->t->n,
                     .n_features = q->t->p,
                     .n_test = q->t->n_test,
                     .x = problem_entry,
                     .state = q,
                     .y = q->y,
                     .beta_star = q->beta_star};
}

static double dot(const double *a, const double *b, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* X_test beta for the least-squares solution of smallest norm with singular values above rcond x the largest. */
static void reference_predictions(const problem *q, double rcond, double *predictions) {
    const int n = q->t->n, p = q->t->p, one = 1, larger = n > p ? n : p, smaller = n < p ? n : p;
    double *a = numbers((size_t)n * (size_t)p), *b = numbers((size_t)larger), *s = numbers((size_t)smaller);
    for (size_t i = 0; i < (size_t)n; i++)
        for (size_t j = 0; j < (size_t)p; j++) a[j * (size_t)n + i] = q->rows[i * (size_t)p + j];
    memcpy(b, q->y, sizeof(double) * (size_t)n);
    double asked[1];
    int rank, info, lwork = -1, *iwork = NULL, integers;
    dgelsd_(&n, &p, &one, a, &n, b, &larger, s, &rcond, &rank, asked, &lwork, &integers, &info);
    lwork = (int)asked[0];
    double *work = numbers((size_t)lwork);
    if (RL_ALLOC(iwork, integers) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    dgelsd_(&n, &p, &one, a, &n, b, &larger, s, &rcond, &rank, work, &lwork, iwork, &info);
    for (int i = 0; i < q->t->n_test; i++)
        predictions[i] = info == 0 ? dot(q->rows + (size_t)(n + i) * (size_t)p, b, p) : NAN;
    double *const arrays[] = {a, b, s, work};
    for (int i = 0; i < 4; i++) rl_free(arrays[i]);
    rl_free(iwork);
}

/* Z f(sigma) C for singular values of at least `cutoff`, this rank's test rows. */
static void filtered_predictions(const rl_spectrum *s, double cutoff, double *predictions) {
    for (int i = 0; i < s->m; i++) predictions[i] = 0;
    for (int r = 0; r < s->rank && s->sigma[r] >= cutoff; r++)
        for (int i = 0; i < s->m; i++)
            predictions[i] += s->z[(size_t)r * (size_t)s->ldz + (size_t)i] * (s->c[RL_TARGET_Y][r] / s->sigma[r]);
}

/* What a case is held against. */
typedef struct reference {
    rl_test_factor factor;
    rl_dense_producer *producer;
    rl_spectrum s;
    double *none, *cut; /* [n_test]: predictions, all modes and those above `cutoff` */
    double cutoff, condition;
} reference;

static reference make_reference(const problem *q) {
    const test_case *t = q->t;
    reference f = {.none = numbers((size_t)t->n_test), .cut = numbers((size_t)t->n_test)};
    const rl_training_set train = {
        .n_train = t->n, .n_features = t->p, .x = q->rows, .y = q->y, .beta_star = q->beta_star};
    const double *test_rows = q->rows + (size_t)t->n * (size_t)t->p;
    if (rl_test_factor_create(&f.factor, t->p) != RL_OK ||
        rl_test_factor_append(&f.factor, t->n_test, test_rows, t->p, q->y + t->n) != RL_OK ||
        rl_dense_producer_create(&f.producer, t->n, t->p) != RL_OK ||
        rl_dense_producer_spectrum(f.producer, &train, &f.factor, &f.s) != RL_OK)
        MPI_Abort(MPI_COMM_WORLD, 1);
    const int middle = f.s.rank / 2; /* a cutoff in the gap above the middle mode */
    f.cutoff = middle > 0 ? 0.5 * (f.s.sigma[middle] + f.s.sigma[middle - 1]) : 0.5 * f.s.sigma[0];
    f.condition = f.s.sigma[0] / f.s.sigma[f.s.rank - 1];
    reference_predictions(q, (t->n > t->p ? t->n : t->p) * DBL_EPSILON, f.none);
    reference_predictions(q, f.cutoff / f.s.sigma[0], f.cut);
    return f;
}

static void free_reference(reference *f) {
    rl_test_factor_destroy(&f->factor);
    rl_dense_producer_destroy(f->producer);
    rl_free(f->none);
    rl_free(f->cut);
}

/* ---- tall panels ------------------------------------------------------------------------------------------------- */

/* Rows of a panel on the root, on every other rank, and on every third. */
typedef struct tall_case {
    const char *name;
    int width, root_rows, other_rows, third_rows;
    double grade; /* column j is scaled by 10^(-grade j / width) */
    int rank;     /* columns from here on are sums of those before them */
} tall_case;

static const tall_case tall_cases[] = {
    {"even", 16, 40, 40, 40, 0, 16},
    {"all rows on the root", 16, 100, 0, 0, 0, 16},
    {"few on the others", 24, 24, 3, 0, 0, 24},
    {"fewer rows than columns", 20, 7, 0, 0, 0, 20},
    {"graded", 16, 50, 30, 20, 120, 16},
    {"deficient", 16, 33, 20, 5, 0, 6},
    {"zeros", 8, 12, 9, 0, 0, 0},
    {"one column", 1, 5, 4, 0, 0, 1},
    {"one number", 1, 1, 0, 0, 0, 1},
    {"wide", 64, 64, 200, 70, 8, 64},
};
enum { N_TALL = sizeof tall_cases / sizeof *tall_cases };

static void fill_panel(const tall_case *t, rl_tall_qr *q) {
    const rl_key key = rl_key_make(29, t->name);
    for (int j = 0; j < q->width; j++)
        for (int i = 0; i < q->rows; i++) {
            double *a = q->a + i, entry = 0;
            if (j < t->rank)
                entry = pow(10, -t->grade * j / t->width) *
                        rl_philox_normal(key, RL_STREAM_FEATURES, (uint32_t)q->grid->rank, (uint32_t)i, (uint32_t)j);
            else
                for (int k = 0; k < t->rank; k++) entry += a[k * q->rows];
            a[j * q->rows] = entry;
        }
}

/* || H^T H - I || for H = I - V T V^T, where V^T V = gram: || T + T^T - T^T gram T ||. */
static double distance_from_orthogonal(const rl_tall_qr *q, const double *gram) {
    const int k = q->reflectors;
    double *product = numbers((size_t)(k * k)), *square = numbers((size_t)(k * k)), largest = 0;
    rl_gemm('N', 'N', k, k, k, 1, gram, k, q->t, k, 0, product, k);
    rl_gemm('T', 'N', k, k, k, 1, q->t, k, product, k, 0, square, k);
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++)
            largest = fmax(largest, fabs(q->t[i + j * k] + q->t[j + i * k] - square[i + j * k]));
    rl_free(product);
    rl_free(square);
    return largest;
}

/* panel - (I - V T V^T) [R; 0], each column's largest element in units of the column's length. */
static double residual_of(const rl_tall_qr *q, const double *panel, const double *vt) {
    const int k = q->reflectors, n = q->width;
    const bool is_root = q->grid->rank == q->root;
    double *product = numbers((size_t)(k * n)), *factor = numbers((size_t)(k * n)), worst = 0;
    if (is_root) {
        rl_gemm('N', 'N', k, n, k, 1, vt, k, q->r, k, 0, product, k);
        rl_gemm('N', 'N', k, n, k, 1, q->t, k, product, k, 0, factor, k);
    }
    MPI_Bcast(factor, k * n, MPI_DOUBLE, q->root, q->grid->comm);
    for (int j = 0; j < n; j++) {
        double sums[2] = {0};
        for (int i = 0; i < q->rows; i++) {
            double left = panel[i + j * q->rows] + dot(vt + i * k, factor + j * k, k);
            if (is_root && i < k) left -= q->r[i + j * k];
            sums[0] += panel[i + j * q->rows] * panel[i + j * q->rows];
            sums[1] = fmax(sums[1], fabs(left));
        }
        MPI_Allreduce(MPI_IN_PLACE, &sums[0], 1, MPI_DOUBLE, MPI_SUM, q->grid->comm);
        MPI_Allreduce(MPI_IN_PLACE, &sums[1], 1, MPI_DOUBLE, MPI_MAX, q->grid->comm);
        if (sums[1] > 0) worst = fmax(worst, sums[1] / sqrt(sums[0]));
    }
    rl_free(product);
    rl_free(factor);
    return worst;
}

/* The reflectors' first rows are a unit lower triangle, on the root; T and R are upper triangles. */
static bool has_triangles(const rl_tall_qr *q, const double *vt) {
    const int k = q->reflectors;
    bool ok = true;
    for (int j = 0; j < k; j++)
        for (int i = 0; i < k; i++) {
            if (i > j) ok = ok && q->t[i + j * k] == 0;
            if (q->grid->rank == q->root) ok = ok && (i > j ? q->r[i + j * k] == 0 : vt[j + i * k] == (i == j));
        }
    return ok;
}

static void list_tall(rl_arena *arena, void *object) {
    rl_tall_qr_list(object, arena);
}

static bool factors_panel(const rl_process_grid *grid, const tall_case *t, int root) {
    const int place = (grid->rank - root + grid->size) % grid->size;
    rl_tall_qr q = {.grid = grid, .most_rows = 200, .most_columns = t->width, .root = root, .width = t->width};
    if (rl_arrays_create(&q, list_tall) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    q.rows = place == 0 ? t->root_rows : place % 3 == 0 ? t->third_rows : t->other_rows;
    q.reflectors = t->root_rows < t->width ? t->root_rows : t->width;
    const size_t elements = (size_t)q.rows * (size_t)t->width;
    double *panel = numbers(elements), *vt = numbers((size_t)(q.rows * q.reflectors));
    double *gram = numbers((size_t)(q.reflectors * q.reflectors));
    fill_panel(t, &q);
    memcpy(panel, q.a, elements * sizeof(double));
    rl_tall_qr_factor(&q, vt);
    if (q.rows > 0)
        rl_gemm('N', 'T', q.reflectors, q.reflectors, q.rows, 1, vt, q.reflectors, vt, q.reflectors, 0, gram,
                q.reflectors);
    MPI_Allreduce(MPI_IN_PLACE, gram, q.reflectors * q.reflectors, MPI_DOUBLE, MPI_SUM, grid->comm);
    const double distance = distance_from_orthogonal(&q, gram), residual = residual_of(&q, panel, vt);
    const bool ok = q.info == 0 && has_triangles(&q, vt) && distance <= 4 * t->width * DBL_EPSILON &&
                    residual <= 4 * t->width * DBL_EPSILON;
    if (!ok) wrong("%s, root %d: %.2g from orthogonal, residual %.2g", t->name, root, distance, residual);
    double *const arrays[] = {q.a, panel, vt, gram};
    for (int i = 0; i < 4; i++) rl_free(arrays[i]);
    return ok;
}

static void test_tall_panels(report *r) {
    rl_process_grid *grid = grid_of(1, r->size);
    for (int i = 0; i < N_TALL; i++) {
        bool ok = true;
        for (int root = 0; root < r->size; root++) ok = factors_panel(grid, &tall_cases[i], root) && ok;
        check(r, ok, "a tall panel, %s: orthogonal and exact to a few eps, whatever rank is the root",
              tall_cases[i].name);
    }
    rl_process_grid_destroy(grid);
}

/* ---- comparison -------------------------------------------------------------------------------------------------- */

static const double TOLERANCE = 1e-10;

static double largest_of(const double *values, int n) {
    double largest = 0;
    for (int i = 0; i < n; i++) largest = fmax(largest, fabs(values[i]));
    return largest;
}

/* The zero modes of a deficient matrix are any basis of their space: only what they and the outside hold together is
 * the target's own. */
static double outside_of_rank(const rl_spectrum *s, int target) {
    return s->outside_sq[target] + dot(s->c[target] + s->rank, s->c[target] + s->rank, s->n_modes - s->rank);
}

static bool same_modes(const rl_spectrum *s, const reference *f) {
    bool ok = s->rank == f->s.rank && s->n_modes == f->s.n_modes;
    if (!ok) return wrong("rank %d of %d, expected %d of %d", s->rank, s->n_modes, f->s.rank, f->s.n_modes);
    /* Backward stable: absolute errors of a few n eps sigma_1. */
    for (int r = 0; r < s->n_modes && ok; r++)
        ok = near("sigma", s->sigma[r], f->s.sigma[r], 20 * (s->n_train + s->n_features) * DBL_EPSILON * f->s.sigma[0]);
    for (int t = 0; t < RL_N_TARGETS && ok; t++) {
        const double inside = dot(f->s.c[t], f->s.c[t], s->rank), outside = outside_of_rank(&f->s, t);
        const double bound = TOLERANCE * f->condition * (inside + outside);
        ok = near("part outside", outside_of_rank(s, t), outside, bound) &&
             near("part inside", dot(s->c[t], s->c[t], s->rank), inside, bound);
    }
    return ok;
}

/* Mode by mode and free of sign: products of two coordinates. Vectors are known to eps sigma_1 / gap. */
static bool same_coordinates(const rl_spectrum *s, const reference *f) {
    bool ok = true;
    const double scale = largest_of(f->s.c[RL_TARGET_Y], s->rank) * largest_of(f->s.b_star, s->rank);
    for (int r = 0; r < s->rank && ok; r++) {
        const double above = r > 0 ? f->s.sigma[r - 1] - f->s.sigma[r] : INFINITY;
        const double below = r + 1 < s->n_modes ? f->s.sigma[r] - f->s.sigma[r + 1] : INFINITY;
        /* the null space of X is a neighbour too, at 0 */
        const double gap = fmin(fmin(above, below), f->s.sigma[r]);
        const double bound = 1e-13 * (s->n_train + s->n_features) * f->s.sigma[0] / gap * scale;
        ok = near("c_r b_r", s->c[RL_TARGET_Y][r] * s->b_star[r], f->s.c[RL_TARGET_Y][r] * f->s.b_star[r], bound) &&
             near("c_r e_r", s->c[RL_TARGET_Y][r] * s->c[RL_TARGET_RESIDUAL][r],
                  f->s.c[RL_TARGET_Y][r] * f->s.c[RL_TARGET_RESIDUAL][r],
                  bound / largest_of(f->s.b_star, s->rank) * largest_of(f->s.c[RL_TARGET_RESIDUAL], s->rank));
    }
    return ok;
}

static bool same_bias(const rl_spectrum *s, const reference *f, const problem *q) {
    if (s->rank == s->n_features)
        return (s->b_outside_sq == 0 && s->test_bias == 0 && s->test_bias_mse == 0) ||
               wrong("bias at full rank is not 0");
    const double norm = dot(q->beta_star, q->beta_star, q->t->p), test = f->s.test_bias_mse;
    return near("b_outside_sq", s->b_outside_sq, f->s.b_outside_sq, TOLERANCE * f->condition * norm) &&
           near("test_bias", s->test_bias, f->s.test_bias, TOLERANCE * f->condition * sqrt(test)) &&
           near("test_bias_mse", s->test_bias_mse, test, TOLERANCE * f->condition * test);
}

static bool same_predictions(const rl_spectrum *s, const reference *f, const problem *q, int first) {
    double *predictions = numbers((size_t)s->m);
    bool ok = true;
    filtered_predictions(s, 0, predictions);
    for (int i = 0; i < s->m && ok; i++)
        ok = near("prediction", predictions[i], f->none[first + i],
                  TOLERANCE * f->condition * largest_of(f->none, q->t->n_test));
    filtered_predictions(s, f->cutoff, predictions);
    for (int i = 0; i < s->m && ok; i++)
        ok = near("prediction with a cutoff", predictions[i], f->cut[first + i],
                  TOLERANCE * f->condition * largest_of(f->cut, q->t->n_test));
    for (int i = 0; i < s->m && ok; i++) {
        const double *x = q->rows + (size_t)(q->t->n + first + i) * (size_t)q->t->p, y = q->y[q->t->n + first + i];
        const double ideal = dot(x, q->beta_star, q->t->p), bound = TOLERANCE * (1 + fabs(ideal) + fabs(y));
        ok = s->z_one[i] == 1 && s->z_target[RL_TARGET_Y][i] == y &&
             near("X beta*", s->z_target[RL_TARGET_IDEAL][i], ideal, bound) &&
             near("residual", s->z_target[RL_TARGET_RESIDUAL][i], y - ideal, bound);
    }
    rl_free(predictions);
    return ok;
}

/* This rank's first test row, from the counts of the ranks before it; -1 when the counts do not add up. */
static int first_test_row(const rl_process_grid *grid, const rl_spectrum *s) {
    int first = 0, all = 0;
    MPI_Exscan(&s->m, &first, 1, MPI_INT, MPI_SUM, grid->comm);
    MPI_Allreduce(&s->m, &all, 1, MPI_INT, MPI_SUM, grid->comm);
    if (grid->rank == 0) first = 0;
    return all == s->n_test ? first : -1;
}

/* Sigma, coordinates and scalars have rank 0's bits. */
static bool same_on_all_ranks(const rl_process_grid *grid, const rl_spectrum *s) {
    double *const arrays[] = {s->sigma, s->b_star, s->c[0], s->c[1], s->c[2]};
    double *theirs = numbers((size_t)s->n_modes);
    const size_t bytes = (size_t)s->n_modes * sizeof(double);
    bool ok = true;
    for (int a = 0; a < 5; a++) {
        memcpy(theirs, arrays[a], bytes);
        MPI_Bcast(theirs, s->n_modes, MPI_DOUBLE, 0, grid->comm);
        ok = ok && memcmp(theirs, arrays[a], bytes) == 0;
    }
    rl_free(theirs);
    const double mine[] = {s->outside_sq[0], s->outside_sq[1], s->outside_sq[2], s->b_outside_sq,
                           s->test_bias,     s->test_bias_mse, s->rank,          s->status};
    double first[sizeof mine / sizeof *mine];
    memcpy(first, mine, sizeof mine);
    MPI_Bcast(first, sizeof mine / sizeof *mine, MPI_DOUBLE, 0, grid->comm);
    return ok && memcmp(first, mine, sizeof mine) == 0;
}

/* What the producer tells is what is allocated, on every rank. */
static bool bytes_are_as_told(const rl_process_grid *grid, rl_producer producer, int block, const rl_case *c,
                              size_t before) {
    rl_needs needs = {0};
    rl_distributed_spectrum_needs(grid, producer, block, c, &needs);
    return as_told(before, needs.found.bytes);
}

static bool matches(const rl_process_grid *grid, rl_producer producer, int block, const problem *q,
                    const reference *f) {
    const rl_case c = case_of(q);
    rl_spectrum_store store = {0};
    rl_spectrum s;
    rl_timings timings;
    const size_t before = rl_allocated();
    rl_forget_peak_allocated();
    bool ok = rl_distributed_spectrum(grid, producer, block, &c, &store, &s, &timings) == RL_OK;
    if (!ok) wrong("%s", rl_error_message());
    ok = ok && bytes_are_as_told(grid, producer, block, &c, before);
    if (ok && s.status != RL_CELL_DONE) ok = wrong("status %d", (int)s.status);
    if (ok) {
        const int first = first_test_row(grid, &s);
        const bool equal = same_on_all_ranks(grid, &s);
        ok = (first >= 0 || wrong("the ranks' test rows do not add up")) && (equal || wrong("ranks differ")) &&
             same_modes(&s, f) && same_coordinates(&s, f) && same_bias(&s, f, q) && same_predictions(&s, f, q, first);
        ok = ok && timings.total >= timings.generate + timings.reduce + timings.project + timings.diagonalize &&
             timings.generate > 0 && timings.project > 0 && timings.diagonalize > 0;
    }
    if (!ok)
        wrong("%s, %s, block %d, %d x %d, rank %d", q->t->name, rl_producer_name(producer), block, grid->n_rows,
              grid->n_columns, grid->rank);
    rl_spectrum_store_destroy(&store);
    return ok;
}

static const rl_producer producers[] = {RL_PRODUCER_PDGESVD, RL_PRODUCER_PROJECTED, RL_PRODUCER_TWO_STAGE};
enum { N_PRODUCERS = sizeof producers / sizeof *producers };

/* One case on every grid that the ranks allow. The large one once a producer: it is there for its leading dimension. */
static void test_case_on_grids(report *r, const test_case *t) {
    const int blocks[] = {8, 64, 32};
    problem q = make_problem(t);
    reference f = make_reference(&q);
    const bool large = t->n >= 512;
    for (int p = 0; p < N_PRODUCERS; p++) {
        bool ok = true;
        int runs = 0;
        for (int g = 0; g < N_GRIDS; g++) {
            const int size = grids[g].rows * grids[g].columns;
            if (size > r->size || (large && size != (r->size < 4 ? r->size : 4))) continue;
            rl_process_grid *grid = grid_of(grids[g].rows, grids[g].columns);
            for (int b = 0; b < (large ? 1 : 2) && grid != NULL; b++)
                ok = matches(grid, producers[p], blocks[(large ? 1 : 0) + b], &q, &f) && ok;
            rl_process_grid_destroy(grid);
            runs++;
        }
        check(r, ok && runs > 0, "%s: %s as the dense producer and dgelsd", t->name, rl_producer_name(producers[p]));
    }
    free_reference(&f);
    free_problem(&q);
}

/* ---- fresh rows -------------------------------------------------------------------------------------------------- */

static rl_dataset fresh_dataset(int rows, int features) {
    const rl_source *source = rl_source_find("student-teacher");
    rl_options options;
    rl_dataset dataset;
    if (rl_options_create(&options, source->options, source->n_options) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    options.values[rl_options_find(&options, "rows")].number = rows;
    options.values[rl_options_find(&options, "features")].number = features;
    options.values[rl_options_find(&options, "hidden_features")].number = features + 3;
    options.values[rl_options_find(&options, "draw")].number = 1;   /* fresh */
    options.values[rl_options_find(&options, "design")].number = 2; /* power-law */
    const rl_source_request request = {.name = "fresh", .options = &options};
    if (rl_dataset_load(source, &request, &dataset) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    rl_options_destroy(&options);
    return dataset;
}

/* Rows placed in a matrix with a frame, by tiles and entry by entry. */
static bool same_by_tiles(const rl_process_grid *grid, int block, const rl_case *c, rl_placement to) {
    const int rows = to.row + 1 + (to.transposed ? c->n_features : to.n_rows);
    const int columns = to.column + 2 + (to.transposed ? to.n_rows : c->n_features);
    rl_case by_entry = *c;
    rl_block_matrix tiles, entries;
    bool ok = rl_block_matrix_create(&tiles, grid, rows, columns, block) == RL_OK &&
              rl_block_matrix_create(&entries, grid, rows, columns, block) == RL_OK;
    by_entry.fill = NULL;
    ok =
        ok && c->fill != NULL && rl_case_fill(c, &tiles, to) == RL_OK && rl_case_fill(&by_entry, &entries, to) == RL_OK;
    ok = ok && memcmp(tiles.a, entries.a, sizeof(double) * (size_t)tiles.ld * (size_t)tiles.local_columns) == 0;
    rl_block_matrix_destroy(&tiles);
    rl_block_matrix_destroy(&entries);
    return ok || wrong("block %d, first row %d, transposed %d", block, to.first_row, to.transposed);
}

static void test_tiles(report *r) {
    enum { N = 90, N_TEST = 33, P = 75 };
    const int blocks[] = {1, 7, 8, 64, 200};
    const rl_placement places[] = {{0, N, 0, 0, false}, {N, N_TEST, N, 0, false}, {N - 1, N_TEST, 5, 3, false},
                                   {0, N, 0, 0, true},  {N, N_TEST, 0, N, true},  {N - 1, N_TEST, 5, 3, true}};
    rl_dataset dataset = fresh_dataset(N + N_TEST, P);
    rl_rows rows;
    bool ok = rl_rows_create(&rows, &dataset, RL_RANDOM_PHILOX, 3) == RL_OK;
    rl_rows_arrange(&rows, 2);
    for (int g = 0; g < N_GRIDS; g++) {
        if (grids[g].rows * grids[g].columns > r->size) continue;
        rl_process_grid *grid = grid_of(grids[g].rows, grids[g].columns);
        rl_dataset_case case_;
        if (grid == NULL) continue;
        ok = ok && rl_dataset_case_create(&case_, grid, &rows, N, N_TEST) == RL_OK;
        for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++)
            for (size_t k = 0; k < sizeof places / sizeof *places; k++)
                ok = ok && same_by_tiles(grid, blocks[b], &case_.c, places[k]);
        rl_dataset_case_destroy(&case_);
        rl_process_grid_destroy(grid);
    }
    check(r, ok, "fresh rows made by tiles are their entries");
    rl_rows_destroy(&rows);
    rl_dataset_destroy(&dataset);
}

/* The public account, of the first rank, has the process grid and the targets of the dataset in it too. */
static bool account_is_right(const report *r, rl_producer producer, rl_grid_shape grid_shape, const rl_rows *rows,
                             int n_train) {
    const int n_test = rows->dataset->n_rows - n_train;
    const int p = rows->dataset->n_features;
    const rl_case_sizes sizes = {.method = rl_case_method_of(producer),
                                 .n_train = n_train,
                                 .n_features = p,
                                 .n_test = n_test,
                                 .n_population = p,
                                 .block = 16,
                                 .ranks = r->size,
                                 .grid = grid_shape};
    const rl_case_needs told = rl_find_case_needs(&sizes, r->size);
    const size_t before = rl_allocated();
    rl_process_grid *grid = NULL;
    rl_dataset_case case_;
    rl_spectrum_store store = {0};
    rl_spectrum s;
    rl_forget_peak_allocated();
    bool ok = rl_process_grid_create(MPI_COMM_WORLD, grid_shape.rows, grid_shape.columns, &grid) == RL_OK &&
              rl_dataset_case_create(&case_, grid, rows, n_train, n_test) == RL_OK &&
              rl_distributed_spectrum(grid, producer, 16, &case_.c, &store, &s, NULL) == RL_OK;
    const double most = (double)(rl_peak_allocated() - before);
    ok = ok && told.limit == NULL && told.bytes_in_all > told.bytes &&
         (r->rank == 0 ? most == told.bytes : most <= told.bytes);
    if (!ok)
        wrong("%s, N = %d, %d process rows: %.0f bytes, %.0f told", rl_producer_name(producer), n_train,
              grid_shape.rows, most, told.bytes);
    rl_spectrum_store_destroy(&store);
    rl_dataset_case_destroy(&case_);
    rl_process_grid_destroy(grid);
    return ok;
}

static void test_account(report *r) {
    enum { P = 70, ROWS = 250 };
    const int n_train[] = {1, 40, 69, 70, 71, 75, 200};
    const rl_grid_shape shapes[] = {{0, 0}, {r->size, 1}};
    rl_dataset dataset = fresh_dataset(ROWS, P);
    rl_rows rows;
    bool ok = rl_rows_create(&rows, &dataset, RL_RANDOM_PHILOX, 3) == RL_OK;
    rl_rows_arrange(&rows, 1);
    for (size_t i = 0; i < sizeof n_train / sizeof *n_train; i++)
        for (int p = 0; p < N_PRODUCERS; p++)
            for (int s = 0; s < (r->size > 1 ? 2 : 1); s++)
                ok = account_is_right(r, producers[p], shapes[s], &rows, n_train[i]) && ok;
    check(r, ok, "bytes told before are bytes allocated");
    rl_rows_destroy(&rows);
    rl_dataset_destroy(&dataset);
}

/* ---- what must not hang ------------------------------------------------------------------------------------------ */

static void test_not_finite(report *r) {
    const test_case shapes[] = {{"poisoned tall", 30, 20, 11, 0, 0}, {"poisoned wide", 20, 30, 11, 0, 0}};
    rl_process_grid *grid = grid_of(1, r->size);
    for (int i = 0; i < 2; i++) {
        problem q = make_problem(&shapes[i]);
        const struct {
            poison p;
            const char *expected;
        } poisons[] = {{{problem_entry, &q, 5, 3, NAN}, "feature 3 of row 5 is nan; it must be finite"},
                       {{problem_entry, &q, 17, 19, -INFINITY}, "feature 19 of row 17 is -inf"},
                       {{problem_entry, &q, shapes[i].n + 10, 0, INFINITY}, "is inf; it must be finite"}};
        for (int k = 0; k < 3; k++)
            for (int p = 0; p < N_PRODUCERS; p++) {
                rl_case c = case_of(&q);
                c.x = poisoned_entry;
                c.state = &poisons[k].p;
                rl_spectrum_store store = {0};
                rl_spectrum s;
                const rl_status status = rl_distributed_spectrum(grid, producers[p], 8, &c, &store, &s, NULL);
                check(r, status == RL_ERR_INPUT && one_message(grid, poisons[k].expected), "%s, %s: %s", shapes[i].name,
                      rl_producer_name(producers[p]), poisons[k].expected);
                rl_spectrum_store_destroy(&store);
            }
        free_problem(&q);
    }
    rl_process_grid_destroy(grid);
}

static void test_vectors_not_finite(report *r) {
    const test_case t = {"poisoned targets", 12, 9, 4, 0, 0};
    rl_process_grid *grid = grid_of(1, r->size);
    problem q = make_problem(&t);
    rl_spectrum_store store = {0};
    rl_spectrum s;
    q.y[13] = NAN;
    rl_case c = case_of(&q);
    rl_status status = rl_distributed_spectrum(grid, RL_PRODUCER_PROJECTED, 8, &c, &store, &s, NULL);
    check(r, status == RL_ERR_INPUT && one_message(grid, "y[13] is nan"), "a target that is not a number is refused");
    q.y[13] = 0;
    q.beta_star[8] = INFINITY;
    status = rl_distributed_spectrum(grid, RL_PRODUCER_PROJECTED, 8, &c, &store, &s, NULL);
    check(r, status == RL_ERR_INPUT && one_message(grid, "beta*[8] is inf"), "an infinite coefficient is refused");
    q.beta_star[8] = 1e308;
    for (int i = 0; i < t.n + t.n_test; i++) q.rows[i * t.p + 8] = 1e10;
    status = rl_distributed_spectrum(grid, RL_PRODUCER_PROJECTED, 8, &c, &store, &s, NULL);
    check(r, status == RL_ERR_INPUT && one_message(grid, "y - X beta*"), "a product that overflows is refused");
    rl_spectrum_store_destroy(&store);
    free_problem(&q);
    rl_process_grid_destroy(grid);
}

/* ---- scaling, zeros ---------------------------------------------------------------------------------------------- */

typedef struct scaled {
    const problem *q;
    double factor;
} scaled;

static double scaled_entry(const void *state, int row, int column) {
    const scaled *x = state;
    return row < x->q->t->n ? x->factor * problem_entry(x->q, row, column) : problem_entry(x->q, row, column);
}

/* A power of two in X changes sigma by itself and C by nothing, in any bit; squares of 2^+-900 are no doubles. The same
 * call twice gives the same bits, so that the comparison means something. */
static void test_scale(report *r) {
    const test_case shapes[] = {{"scaled tall", 40, 20, 11, 0, 0}, {"scaled wide", 20, 22, 11, 0, 0}};
    rl_process_grid *grid = grid_of(1, r->size);
    for (int i = 0; i < 2; i++) {
        problem q = make_problem(&shapes[i]);
        memset(q.beta_star, 0, sizeof(double) * (size_t)shapes[i].p); /* X beta* would scale too */
        for (int p = 0; p < N_PRODUCERS; p++) {
            bool ok = true;
            const int powers[] = {-900, 0, 900};
            for (int k = 0; k < 3 && ok; k++) {
                const scaled plain = {&q, 1}, other = {&q, ldexp(1, powers[k])};
                rl_case c = case_of(&q);
                rl_spectrum_store stores[2] = {{0}};
                rl_spectrum s[2];
                c.x = scaled_entry;
                c.state = &plain;
                ok = rl_distributed_spectrum(grid, producers[p], 8, &c, &stores[0], &s[0], NULL) == RL_OK;
                c.state = &other;
                ok = ok && rl_distributed_spectrum(grid, producers[p], 8, &c, &stores[1], &s[1], NULL) == RL_OK;
                ok = ok && s[0].status == RL_CELL_DONE && s[1].status == RL_CELL_DONE && s[0].rank == s[1].rank;
                for (int m = 0; m < s[0].n_modes && ok; m++)
                    ok = s[1].sigma[m] == ldexp(s[0].sigma[m], powers[k]) &&
                         s[1].c[RL_TARGET_Y][m] == s[0].c[RL_TARGET_Y][m];
                for (int j = 0; j < 2; j++) rl_spectrum_store_destroy(&stores[j]);
            }
            check(r, ok, "%s: %s is indifferent to powers of two", shapes[i].name, rl_producer_name(producers[p]));
        }
        free_problem(&q);
    }
    rl_process_grid_destroy(grid);
}

static bool is_near(double got, double expected) {
    return fabs(got - expected) <= 100 * DBL_EPSILON * fabs(expected);
}

/* The pseudoinverse of zeros is zeros: no mode is used, targets keep their lengths (y* = X beta* = 0, so that what is
 * left is y), and the bias of a test row is all of x . beta*. */
static bool is_of_zeros(const rl_spectrum *s, const problem *q) {
    const test_case *t = q->t;
    double bias = 0;
    for (int i = t->n; i < t->n + t->n_test; i++)
        bias += pow(dot(q->rows + (size_t)i * (size_t)t->p, q->beta_star, t->p), 2) / t->n_test;
    if (s->status != RL_CELL_DONE || s->rank != 0 || s->sigma[0] != 0) return wrong("rank %d", s->rank);
    if (!is_near(s->test_bias_mse, bias)) return wrong("bias %g, expected %g", s->test_bias_mse, bias);
    if (!is_near(s->b_outside_sq, dot(q->beta_star, q->beta_star, t->p))) return wrong("beta* is not left as it is");
    for (int target = 0; target < RL_N_TARGETS; target++) {
        const double *c = s->c[target], length = target == RL_TARGET_IDEAL ? 0 : dot(q->y, q->y, t->n);
        const double got = dot(c, c, s->n_modes) + s->outside_sq[target];
        if (!is_near(got, length)) return wrong("target %d: %g, expected %g", target, got, length);
    }
    return true;
}

static void test_zero_matrix(report *r) {
    static const test_case zeros[] = {
        {"tall zeros", 14, 9, 5, 0, 0}, {"wide zeros", 9, 14, 5, 0, 0}, {"one row of zeros", 1, 4, 5, 0, 0}};
    rl_process_grid *grid = grid_of(1, r->size);
    for (int i = 0; i < 3; i++) {
        problem q = make_problem(&zeros[i]);
        const scaled nothing = {&q, 0};
        rl_case c = case_of(&q);
        c.x = scaled_entry;
        c.state = &nothing;
        for (int p = 0; p < N_PRODUCERS; p++) {
            rl_spectrum_store store = {0};
            rl_spectrum s;
            const bool ok = rl_distributed_spectrum(grid, producers[p], 8, &c, &store, &s, NULL) == RL_OK;
            check(r, ok && is_of_zeros(&s, &q), "%s: %s has rank 0", zeros[i].name, rl_producer_name(producers[p]));
            rl_spectrum_store_destroy(&store);
        }
        free_problem(&q);
    }
    rl_process_grid_destroy(grid);
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

/* The first third of the ranks and the rest work side by side on different cases, and not equally many. */
static void test_groups(report *r) {
    const int small = r->size / 3 > 0 ? r->size / 3 : 1, mine = r->rank < small ? 0 : 1;
    const test_case shapes[2][3] = {
        {{"group a", 30, 20, 9, 0, 0}},
        {{"group b", 20, 33, 14, 0, 0}, {"group b again", 26, 26, 8, 0, 0}, {"and again", 9, 5, 3, 0, 0}}};
    MPI_Comm group;
    rl_process_grid *grid = NULL;
    MPI_Comm_split(MPI_COMM_WORLD, mine, r->rank, &group);
    bool ok = rl_process_grid_create(group, 0, 0, &grid) == RL_OK;
    MPI_Comm_free(&group);
    for (int i = 0; i < 3 && ok && shapes[mine][i].name != NULL; i++) {
        problem q = make_problem(&shapes[mine][i]);
        reference f = make_reference(&q);
        for (int p = 0; p < N_PRODUCERS; p++) ok = matches(grid, producers[p], 8, &q, &f) && ok;
        free_reference(&f);
        free_problem(&q);
    }
    check(r, ok, "two groups side by side");
    rl_process_grid_destroy(grid);
}

int main(int argc, char **argv) {
    report r = begin_report(&argc, &argv);
    test_shapes(&r);
    test_contexts(&r);
    test_agreement(&r);
    test_sums(&r);
    test_hashes(&r);
    test_hash_sees_changes(&r);
    test_limits(&r);
    test_tiles(&r);
    test_account(&r);
    test_not_finite(&r);
    test_vectors_not_finite(&r);
    test_zero_matrix(&r);
    test_tall_panels(&r);
    test_groups(&r);
    test_scale(&r);
    for (int i = 0; i < N_CASES; i++) test_case_on_grids(&r, &cases[i]);
    return end_report(&r);
}
