/* ELPA on the Gram matrix beside the program's producers: the same made-up training set on the same process grid, once
 * through the eigenvectors of X^T X, once through a spectrum. ELPA is fast, and a Gram matrix has the square of the
 * condition number: how fast stands beside what is left of the smallest singular value and of the test error, which at
 * the threshold N = P hangs on it.
 *    mpirun -n 2 elpa_gram SIZE [ROUNDS]      N = P = SIZE, 500 test rows; up to 2000 pdgesvd, too */
#include <elpa/elpa.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/cli/bench_case.h"
#include "../../src/distributed/matrix/scalapack.h"
#include "../../src/numbers.h"
#include "ridgeless/context.h"

enum { TEST_ROWS = 500, BLOCK = 64, MAX_ROUNDS = 99, LARGEST_OF_PDGESVD = 2000 };

/* What is measured: ELPA by its two solvers, and producers. */
typedef struct side {
    const char *name;
    int solver; /* of ELPA; 0: a producer */
    rl_producer producer;
    double seconds[MAX_ROUNDS];
    double sigma_min, sigma_max, test_mse;
} side;
enum { ELPA_1, ELPA_2, TWO_STAGE, PDGESVD, N_SIDES };

typedef struct bench {
    rl_context context;
    rl_process_grid *grid;
    rl_bench_case made;
    int size, n_rounds, n_sides;
    side sides[N_SIDES];
} bench;

/* ---- ELPA -------------------------------------------------------------------------------------------------------- */

/* All dealt out in blocks: the training and test rows, the targets, the Gram matrix with its eigenvectors, test rows
 * times eigenvectors, and vectors. */
typedef struct gram {
    rl_block_matrix x, x_test, y, g, v, z, xy, w, fitted;
} gram;

static rl_status create_gram(const bench *b, gram *m) {
    const int p = b->size;
    const struct {
        rl_block_matrix *matrix;
        int rows, columns;
    } wanted[] = {{&m->x, p, p},
                  {&m->x_test, TEST_ROWS, p},
                  {&m->y, p, 1},
                  {&m->g, p, p},
                  {&m->v, p, p},
                  {&m->z, TEST_ROWS, p},
                  {&m->xy, p, 1},
                  {&m->w, p, 1},
                  {&m->fitted, TEST_ROWS, 1}};
    rl_status status = RL_OK;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted && status == RL_OK; i++)
        status = rl_block_matrix_create(wanted[i].matrix, b->grid, wanted[i].rows, wanted[i].columns, BLOCK);
    return rl_process_grid_agree(b->grid, status);
}

static void destroy_gram(gram *m) {
    rl_block_matrix *const all[] = {&m->x, &m->x_test, &m->y, &m->g, &m->v, &m->z, &m->xy, &m->w, &m->fitted};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) rl_block_matrix_destroy(all[i]);
}

/* c = op(a) b */
static void multiply(const char *op, const rl_block_matrix *a, const rl_block_matrix *b, rl_block_matrix *c) {
    const int inner = *op == 'T' ? a->rows : a->columns, first = 1;
    const double one = 1, zero = 0;
    pdgemm_(op, "N", &c->rows, &c->columns, &inner, &one, a->a, &first, &first, a->descriptor, b->a, &first, &first,
            b->descriptor, &zero, c->a, &first, &first, c->descriptor);
}

void pdsyrk_(const char *uplo, const char *trans, const int *n, const int *k, const double *alpha, const double *a,
             const int *ia, const int *ja, const int *desca, const double *beta, double *c, const int *ic,
             const int *jc, const int *descc);

/* X^T X, whose upper triangle is computed and mirrored: ELPA wants all of it. */
static void make_gram(gram *m) {
    const int n = m->g.rows, k = m->x.rows, first = 1;
    const double one = 1, zero = 0;
    pdsyrk_("U", "T", &n, &k, &one, m->x.a, &first, &first, m->x.descriptor, &zero, m->g.a, &first, &first,
            m->g.descriptor);
    pdtran_(&n, &n, &one, m->g.a, &first, &first, m->g.descriptor, &zero, m->v.a, &first, &first, m->v.descriptor);
    for (int j = 0; j < m->g.local_columns; j++)
        for (int i = 0; i < m->g.local_rows; i++)
            if (rl_block_matrix_global_row(&m->g, i) > rl_block_matrix_global_column(&m->g, j))
                m->g.a[i + (size_t)j * (size_t)m->g.ld] = m->v.a[i + (size_t)j * (size_t)m->v.ld];
}

static double target(const void *state, int row, int column) {
    (void)column;
    return ((const double *)state)[row];
}

static double test_entry(const void *state, int row, int column) {
    const rl_case *c = state;
    return c->x(c->state, c->n_train + row, column);
}

static void check_elpa(int error, const char *what) {
    if (error == ELPA_OK) return;
    fprintf(stderr, "elpa_gram: %s: %s\n", what, elpa_strerr(error));
    MPI_Abort(MPI_COMM_WORLD, 1);
}

/* Eigenvalues, ascending, and eigenvectors of g, which is destroyed. */
static void decompose(const bench *b, gram *m, int solver, double *values) {
    const struct {
        const char *name;
        int value;
    } settings[] = {{"na", b->size},
                    {"nev", b->size},
                    {"nblk", BLOCK},
                    {"local_nrows", m->g.ld},
                    {"local_ncols", m->g.local_columns},
                    {"mpi_comm_parent", (int)MPI_Comm_c2f(b->grid->comm)},
                    {"process_row", b->grid->row},
                    {"process_col", b->grid->column}};
    int error;
    const elpa_t handle = elpa_allocate(&error);
    check_elpa(error, "elpa_allocate");
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        elpa_set_integer(handle, settings[i].name, settings[i].value, &error);
        check_elpa(error, settings[i].name);
    }
    check_elpa(elpa_setup(handle), "elpa_setup");
    elpa_set_integer(handle, "solver", solver, &error);
    check_elpa(error, "solver");
    elpa_eigenvectors_a_h_a_d(handle, m->g.a, values, m->v.a, &error);
    check_elpa(error, "elpa_eigenvectors");
    elpa_deallocate(handle, &error);
}

/* Mean square of fitted - y over the test rows. */
static rl_status measure_error(const bench *b, const rl_block_matrix *fitted, double *mse) {
    double sum = 0;
    for (int i = 0; i < fitted->local_rows && fitted->local_columns > 0; i++) {
        const double error = fitted->a[i] - b->made.case_.c.y[b->size + rl_block_matrix_global_row(fitted, i)];
        sum += error * error;
    }
    RL_TRY(rl_sum_over_ranks(b->grid, &sum, 1));
    *mse = sum / TEST_ROWS;
    return RL_OK;
}

/* Least squares by X^T X = V L V^T: beta = V L^-1 V^T X^T y, and the test rows in coordinates of modes, X_test V, as a
 * spectrum has them. Eigenvalues below rounding may be negative: their modes are as large as they are. */
static rl_status fit_by_gram(const bench *b, side *s, double *values) {
    const rl_case *c = &b->made.case_.c;
    const int p = b->size;
    gram m = {0};
    rl_status status = create_gram(b, &m);
    if (status == RL_OK) {
        rl_block_matrix_fill(&m.x, 0, 0, p, p, c->x, c->state);
        rl_block_matrix_fill(&m.x_test, 0, 0, TEST_ROWS, p, test_entry, c);
        rl_block_matrix_fill(&m.y, 0, 0, p, 1, target, c->y);
        make_gram(&m);
        multiply("T", &m.x, &m.y, &m.xy);
        decompose(b, &m, s->solver, values);
        multiply("N", &m.x_test, &m.v, &m.z);
        multiply("T", &m.v, &m.xy, &m.w);
        for (int i = 0; i < m.w.local_rows && m.w.local_columns > 0; i++)
            m.w.a[i] /= values[rl_block_matrix_global_row(&m.w, i)];
        multiply("N", &m.z, &m.w, &m.fitted);
        status = measure_error(b, &m.fitted, &s->test_mse);
        s->sigma_min = values[0] > 0 ? sqrt(values[0]) : 0;
        s->sigma_max = sqrt(values[p - 1]);
    }
    destroy_gram(&m);
    return status;
}

/* ---- producers --------------------------------------------------------------------------------------------------- */

static rl_status fit_by_spectrum(const bench *b, side *s) {
    rl_spectrum_store store = {0};
    rl_spectrum found;
    double sum = 0;
    rl_status status = rl_distributed_spectrum(b->grid, s->producer, BLOCK, &b->made.case_.c, &store, &found, NULL);
    if (status == RL_OK && found.status != RL_CELL_DONE) status = rl_fail(RL_ERR_LIBRARY, "no spectrum");
    for (int i = 0; status == RL_OK && i < found.m; i++) {
        double fitted = 0;
        for (int r = 0; r < found.rank; r++)
            fitted += found.z[i + (size_t)r * (size_t)found.ldz] * found.c[RL_TARGET_Y][r] / found.sigma[r];
        const double error = fitted - found.z_target[RL_TARGET_Y][i];
        sum += error * error;
    }
    if (status == RL_OK) status = rl_spectrum_add_up(&found, &sum, 1);
    if (status == RL_OK) {
        s->test_mse = sum / TEST_ROWS;
        s->sigma_max = found.sigma[0];
        s->sigma_min = found.sigma[found.n_modes - 1];
    }
    rl_spectrum_store_destroy(&store);
    return status;
}

/* ---- rounds ------------------------------------------------------------------------------------------------------ */

static rl_status measure(bench *b, side *s, int round, double *values) {
    RL_TRY(rl_context_wait(&b->context));
    const double start = rl_seconds();
    RL_TRY(s->solver != 0 ? fit_by_gram(b, s, values) : fit_by_spectrum(b, s));
    s->seconds[round] = rl_seconds() - start;
    return rl_context_largest(&b->context, &s->seconds[round], 1);
}

static double median(const double *values, int n) {
    double sorted[MAX_ROUNDS];
    memcpy(sorted, values, sizeof *sorted * (size_t)n);
    qsort(sorted, (size_t)n, sizeof *sorted, rl_compare_reals);
    return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static double median_ratio(const bench *b, const side *above, const side *below) {
    double ratios[MAX_ROUNDS];
    for (int i = 0; i < b->n_rounds; i++) ratios[i] = above->seconds[i] / below->seconds[i];
    return median(ratios, b->n_rounds);
}

/* Beside the last side, which is the most trusted. */
static void print(const bench *b) {
    const side *best = &b->sides[b->n_sides - 1];
    const double condition = best->sigma_max / best->sigma_min;
    printf("N = P = %d, %d test rows, %d ranks, %d rounds; ELPA's interface of %d\n", b->size, TEST_ROWS,
           b->context.size, b->n_rounds, ELPA_API_VERSION);
    printf("%-22s %9s %11s %14s %12s %14s %12s\n", "", "seconds", "two-stage/", "sigma_min", "differs by", "test error",
           "differs by");
    for (const side *s = b->sides; s < b->sides + b->n_sides; s++)
        printf("%-22s %9.3f %11.2f %14.9g %12.1e %14.9g %12.1e\n", s->name, median(s->seconds, b->n_rounds),
               median_ratio(b, &b->sides[TWO_STAGE], s), s->sigma_min, fabs(s->sigma_min / best->sigma_min - 1),
               s->test_mse, fabs(s->test_mse / best->test_mse - 1));
    printf("two-stage/: how many times as long it takes; differs by: of %s's\n", best->name);
    printf("eps x condition: %.1e, eps x condition^2: %.1e\n", DBL_EPSILON * condition,
           DBL_EPSILON * condition * condition);
}

static rl_status run(bench *b) {
    double *values = NULL;
    RL_TRY(rl_process_grid_create(b->context.comm, 0, 0, &b->grid));
    RL_TRY(rl_bench_case_create(&b->made, b->grid, b->size, b->size, TEST_ROWS));
    RL_TRY(rl_context_agree(&b->context, RL_ALLOC(values, b->size)));
    rl_status status = RL_OK;
    for (int round = 0; round < b->n_rounds; round++)
        for (int i = 0; i < b->n_sides && status == RL_OK; i++) status = measure(b, &b->sides[i], round, values);
    rl_free(values);
    if (status == RL_OK && b->context.rank == 0) print(b);
    return status;
}

int main(int argc, char **argv) {
    bench b = {.sides = {[ELPA_1] = {.name = "Gram, ELPA one stage", .solver = ELPA_SOLVER_1STAGE},
                         [ELPA_2] = {.name = "Gram, ELPA two stages", .solver = ELPA_SOLVER_2STAGE},
                         [TWO_STAGE] = {.name = "two-stage", .producer = RL_PRODUCER_TWO_STAGE},
                         [PDGESVD] = {.name = "pdgesvd", .producer = RL_PRODUCER_PDGESVD}}};
    b.size = argc > 1 ? atoi(argv[1]) : 0;
    b.n_rounds = argc > 2 ? atoi(argv[2]) : 1;
    b.n_sides = b.size <= LARGEST_OF_PDGESVD ? N_SIDES : PDGESVD;
    if (b.size < 1 || b.n_rounds < 1 || b.n_rounds > MAX_ROUNDS || elpa_init(ELPA_API_VERSION) != ELPA_OK) {
        fprintf(stderr, "usage: mpirun -n RANKS elpa_gram SIZE [ROUNDS]\n");
        return 2;
    }
    rl_status status = rl_context_create(&argc, &argv, &b.context);
    if (status == RL_OK) status = rl_context_agree(&b.context, run(&b));
    if (status != RL_OK) fprintf(stderr, "elpa_gram: %s\n", rl_error_message());
    rl_bench_case_destroy(&b.made);
    rl_process_grid_destroy(b.grid);
    rl_context_destroy(&b.context);
    return rl_exit_status(status);
}
