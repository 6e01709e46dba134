/* Tables that stay in their file: rows dealt out to process grids, and least squares on all of them, on however many
 * ranks this program is started with. Held against the same table whole in each rank's memory. */
#include <float.h>
#include <netcdf.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "report.h"
#include "ridgeless/random.h"

void dgelsd_(const int *m, const int *n, const int *nrhs, double *a, const int *lda, double *b, const int *ldb,
             double *s, const double *rcond, int *rank, double *work, const int *lwork, int *iwork, int *info);

/* ---- tables ------------------------------------------------------------------------------------------------------ */

static char folder[] = "/tmp/ridgeless-test-tables-XXXXXX", path[sizeof folder + 8];

typedef enum kind {
    PLAIN,
    UNITS,     /* columns of 1e-5 to 1e5 */
    APART,     /* columns of 1e-150 to 1e150 */
    ALIKE,     /* every two neighbours are nearly the same */
    TWICE,     /* column 3 is column 1 and column 2 */
    ZERO,      /* column 2 is zero */
    TINY,      /* and large targets */
    TWO_VALUES /* all rows alike but for the first */
} kind;

typedef struct table {
    const char *name;
    int n, p;
    kind kind;
    bool compressed;
} table;

static double entry_of(const table *t, rl_key key, int row, int column) {
    const double normal = rl_philox_normal(key, RL_STREAM_FEATURES, 0, (uint32_t)row, (uint32_t)column);
    switch (t->kind) {
        case UNITS:
            return ldexp(normal, (int)(34.0 * column / t->p) - 17);
        case APART:
            return ldexp(normal, (int)(1000.0 * column / t->p) - 500);
        case ALIKE:
            return column % 2 == 0 ? normal : entry_of(t, key, row, column - 1) + 1e-5 * normal;
        case TWICE:
            return column == 3 ? entry_of(t, key, row, 1) + entry_of(t, key, row, 2) : normal;
        case ZERO:
            return column == 2 ? 0 : normal;
        case TINY:
            return ldexp(normal, -900);
        case TWO_VALUES:
            return row == 0 ? column + 1 : 1;
        default:
            return normal;
    }
}

static double target_of(const table *t, rl_key key, int row) {
    double sum = rl_philox_normal(key, RL_STREAM_NOISE, 0, (uint32_t)row, 0);
    for (int j = 0; j < t->p && t->kind != UNITS; j++) sum += entry_of(t, key, row, j) / (1 + j);
    return t->kind == TINY ? ldexp(sum, 490) : sum;
}

/* Also on a rank that will not go on. */
static void nc(int code) {
    if (code == NC_NOERR) return;
    wrong("%s", nc_strerror(code));
    MPI_Abort(MPI_COMM_WORLD, 1);
}

/* On rank 0; everyone else waits for it. */
static void write_table(const report *r, const table *t) {
    const rl_key key = rl_key_make(23, t->name);
    int id, dimensions[2], x, y;
    if (r->rank == 0) {
        double *row = numbers((size_t)t->p);
        nc(nc_create(path, NC_CLOBBER | NC_NETCDF4, &id));
        nc(nc_def_dim(id, "row", (size_t)t->n, &dimensions[0]));
        nc(nc_def_dim(id, "feature", (size_t)t->p, &dimensions[1]));
        nc(nc_def_var(id, "x", NC_DOUBLE, 2, dimensions, &x));
        nc(nc_def_var(id, "y", NC_DOUBLE, 1, dimensions, &y));
        if (t->compressed) nc(nc_def_var_deflate(id, x, 0, 1, 1));
        for (size_t i = 0; i < (size_t)t->n; i++) {
            const size_t start[] = {i, 0}, count[] = {1, (size_t)t->p};
            const double target = target_of(t, key, (int)i);
            for (int j = 0; j < t->p; j++) row[j] = entry_of(t, key, (int)i, j);
            nc(nc_put_vara_double(id, x, start, count, row));
            nc(nc_put_var1_double(id, y, &i, &target));
        }
        nc(nc_close(id));
        rl_free(row);
    }
    MPI_Barrier(MPI_COMM_WORLD);
}

static void set_text(rl_options *options, const char *key, const char *text, double number) {
    rl_option_value *value = &options->values[rl_options_find(options, key)];
    rl_free(value->text);
    value->given = true;
    value->number = number;
    if (rl_strdup(&value->text, text) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
}

static rl_dataset load(const char *name, bool in_blocks) {
    const rl_source *source = rl_source_find("netcdf");
    rl_dataset dataset;
    rl_options options;
    if (rl_options_create(&options, source->options, source->n_options) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    set_text(&options, "file", path, 0);
    set_text(&options, "target", "y", 0);
    set_text(&options, "load", in_blocks ? "blocks" : "whole", in_blocks ? 2 : 1);
    const rl_data_path nowhere = {0};
    const rl_source_request request = {.name = name, .options = &options, .path = &nowhere, .seed = 4};
    if (rl_dataset_load(source, &request, &dataset) != RL_OK || rl_dataset_in_blocks(&dataset) != in_blocks) {
        wrong("%s", rl_error_message());
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    rl_options_destroy(&options);
    return dataset;
}

static rl_rows rows_of(const rl_dataset *dataset, uint32_t repeat) {
    rl_rows rows;
    if (rl_rows_create(&rows, dataset, RL_RANDOM_PHILOX, 4) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    rl_rows_arrange(&rows, repeat);
    return rows;
}

/* ---- dealing ----------------------------------------------------------------------------------------------------- */

typedef struct placed {
    const rl_case *c;
    rl_placement to;
} placed;

static double placed_entry(const void *state, int row, int column) {
    const placed *p = state;
    return p->to.transposed ? p->c->x(p->c->state, p->to.first_row + column, row)
                            : p->c->x(p->c->state, p->to.first_row + row, column);
}

/* The hash of a matrix larger than what goes into it, so that one sees what lies where. */
static bool hash_of(const rl_process_grid *grid, int block, bool tall, const rl_case *c, rl_placement to,
                    uint64_t *hash) {
    const int rows = to.transposed ? c->n_features : to.n_rows, columns = to.transposed ? to.n_rows : c->n_features;
    rl_block_matrix m;
    rl_status status =
        rl_block_matrix_create(&m, grid, to.row + rows + 5, to.column + columns + 3, tall ? RL_TALL : block);
    if (status != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    const placed p = {c, to};
    if (c->x != NULL)
        rl_block_matrix_fill(&m, to.row, to.column, rows, columns, placed_entry, &p);
    else
        status = c->deal(c->state, &m, to);
    if (status == RL_OK) *hash = hash_matrix(&m);
    if (status != RL_OK) wrong("%s", rl_error_message());
    rl_block_matrix_destroy(&m);
    return status == RL_OK;
}

enum { N_TRAIN = 61, N_TEST = 50 };

/* The matrix that each rank makes alone of the whole table. */
static bool same_matrix(const rl_process_grid *grid, const rl_process_grid *self, const rl_dataset *blocks,
                        const rl_dataset *whole, uint32_t repeat, rl_placement to) {
    static const int block_sizes[] = {8, 32, 64};
    uint64_t expected = 0, hash = 1;
    rl_rows dealt_rows = rows_of(blocks, repeat), rows = rows_of(whole, repeat);
    rl_dataset_case dealt, made;
    bool ok = rl_dataset_case_create(&dealt, grid, &dealt_rows, N_TRAIN, N_TEST) == RL_OK &&
              rl_dataset_case_create(&made, self, &rows, N_TRAIN, N_TEST) == RL_OK;
    if (!ok) MPI_Abort(MPI_COMM_WORLD, 1);
    ok = memcmp(dealt.y, made.y, sizeof(double) * (N_TRAIN + N_TEST)) == 0 && dealt.c.x == NULL;
    ok = ok && hash_of(self, 8, false, &made.c, to, &expected);
    for (int b = 0; b < 3; b++)
        ok = hash_of(grid, block_sizes[b], false, &dealt.c, to, &hash) && hash == expected && ok;
    ok = hash_of(grid, 0, true, &dealt.c, to, &hash) && hash == expected && ok;
    rl_dataset_case_destroy(&dealt);
    rl_dataset_case_destroy(&made);
    rl_rows_destroy(&dealt_rows);
    rl_rows_destroy(&rows);
    return ok;
}

static void test_dealing(report *r) {
    const table t = {"dealt", 150, 37, PLAIN, true};
    const rl_placement places[] = {{.n_rows = N_TRAIN},
                                   {.first_row = N_TRAIN, .n_rows = N_TEST, .row = 9, .column = 2},
                                   {.first_row = 100, .n_rows = 1, .row = 1},
                                   {.n_rows = N_TRAIN, .transposed = true},
                                   {.first_row = N_TRAIN, .n_rows = N_TEST, .row = 2, .column = 9, .transposed = true}};
    const size_t row_bytes = 37 * sizeof(double), slabs[] = {RL_SLAB_BYTES, 7 * row_bytes, 1};
    write_table(r, &t);
    rl_dataset blocks = load("dealt", true), whole = load("dealt", false);
    rl_process_grid *self = NULL;
    check(r, rl_process_grid_create(MPI_COMM_SELF, 1, 1, &self) == RL_OK && blocks.checksum == whole.checksum,
          "the same table");
    for (int g = 0; g < N_GRIDS; g++) {
        if (grids[g].rows * grids[g].columns > r->size) continue;
        rl_process_grid *grid = grid_of(grids[g].rows, grids[g].columns);
        for (int s = 0; s < 3; s++) {
            blocks.file.slab_bytes = slabs[s];
            bool ok = true;
            for (size_t i = 0; i < sizeof places / sizeof *places && grid != NULL; i++)
                for (uint32_t repeat = 0; repeat < 2; repeat++)
                    ok = same_matrix(grid, self, &blocks, &whole, 5 * repeat, places[i]) && ok;
            check(r, ok, "dealt out on %d x %d in blocks of 8, 32, 64 and by rows, slabs of %zu bytes", grids[g].rows,
                  grids[g].columns, slabs[s]);
        }
        rl_process_grid_destroy(grid);
    }
    rl_process_grid_destroy(self);
    rl_dataset_destroy(&blocks);
    rl_dataset_destroy(&whole);
}

/* The entries are the same bits wherever they come from, and so is all that is computed of them. */
static bool same_spectrum(const rl_process_grid *grid, const rl_dataset *blocks, const rl_dataset *whole, int n_train) {
    const rl_dataset *const data[] = {blocks, whole};
    rl_spectrum_store stores[2] = {{0}};
    rl_spectrum s[2];
    bool ok = true;
    for (int i = 0; i < 2; i++) {
        rl_rows rows = rows_of(data[i], 3);
        rl_dataset_case c;
        ok = ok && rl_dataset_case_create(&c, grid, &rows, n_train, 20) == RL_OK;
        ok = ok && rl_distributed_spectrum(grid, RL_PRODUCER_PROJECTED, 8, &c.c, &stores[i], &s[i], NULL) == RL_OK &&
             s[i].status == RL_CELL_DONE;
        if (!ok) wrong("%s", rl_error_message());
        rl_dataset_case_destroy(&c);
        rl_rows_destroy(&rows);
    }
    const size_t bytes = ok ? (size_t)s[0].n_modes * sizeof(double) : 0;
    ok = ok && s[0].m == s[1].m && memcmp(s[0].sigma, s[1].sigma, bytes) == 0 &&
         memcmp(s[0].z, s[1].z, bytes / (size_t)s[0].n_modes * (size_t)s[0].m) == 0 &&
         memcmp(s[0].b_star, s[1].b_star, bytes) == 0;
    for (int t = 0; t < RL_N_TARGETS && ok; t++) ok = memcmp(s[0].c[t], s[1].c[t], bytes) == 0;
    for (int i = 0; i < 2; i++) rl_spectrum_store_destroy(&stores[i]);
    return ok;
}

static void test_spectra(report *r) {
    const table t = {"spectra", 90, 24, PLAIN, false};
    write_table(r, &t);
    rl_dataset blocks = load("spectra", true), whole = load("spectra", false);
    blocks.file.slab_bytes = 1000;
    memcpy(blocks.beta_star, whole.beta_star, 24 * sizeof(double));
    rl_process_grid *grid = grid_of(1, r->size);
    static const int n_train[] = {50, 24, 11};
    for (int i = 0; i < 3; i++)
        check(r, same_spectrum(grid, &blocks, &whole, n_train[i]), "the spectrum of %d dealt rows, 24 features",
              n_train[i]);
    rl_process_grid_destroy(grid);
    rl_dataset_destroy(&blocks);
    rl_dataset_destroy(&whole);
}

/* ---- least squares ----------------------------------------------------------------------------------------------- */

/* sigma_1 / sigma_p of X with columns scaled to about unit length by powers of two, which QR does not notice, and the
 * largest |residual| / sigma_1 |beta| in those units: what least squares is sensitive to (Wedin 1973). */
static void sensitivity(const rl_dataset *d, int *exponent, double *condition, double *residual) {
    const int n = d->n_rows, p = d->n_features, one = 1;
    double *a = numbers((size_t)n * (size_t)p), *b = numbers((size_t)n), *s = numbers((size_t)p);
    double size = 0, sum = 0, asked;
    for (int j = 0; j < p; j++) {
        double largest = 0;
        for (int i = 0; i < n; i++) largest = fmax(largest, fabs(d->x[(size_t)i * (size_t)p + (size_t)j]));
        frexp(largest, &exponent[j]);
        for (int i = 0; i < n; i++)
            a[(size_t)j * (size_t)n + (size_t)i] = ldexp(d->x[(size_t)i * (size_t)p + (size_t)j], -exponent[j]);
    }
    memcpy(b, d->y, sizeof(double) * (size_t)n);
    int rank, info, lwork = -1, integers, *iwork = NULL;
    const double rcond = DBL_EPSILON;
    dgelsd_(&n, &p, &one, a, &n, b, &n, s, &rcond, &rank, &asked, &lwork, &integers, &info);
    lwork = (int)asked;
    double *work = numbers((size_t)lwork);
    if (RL_ALLOC(iwork, integers) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    dgelsd_(&n, &p, &one, a, &n, b, &n, s, &rcond, &rank, work, &lwork, iwork, &info);
    if (info != 0) MPI_Abort(MPI_COMM_WORLD, 1);
    for (int j = 0; j < p; j++) size += b[j] * b[j];
    for (int i = p; i < n; i++) sum += b[i] * b[i];
    *condition = s[0] / s[p - 1];
    *residual = sqrt(sum) / (s[0] * sqrt(size));
    double *const arrays[] = {a, b, s, work};
    for (int i = 0; i < 4; i++) rl_free(arrays[i]);
    rl_free(iwork);
}

/* In units of eps x condition: |beta - expected| / |expected| in the scaled columns, over the sensitivity. */
static double error_of(const double *beta, const double *expected, const int *exponent, int p, double condition,
                       double residual) {
    double sum = 0, size = 0;
    for (int j = 0; j < p; j++) {
        const double error = ldexp(beta[j] - expected[j], exponent[j]), value = ldexp(expected[j], exponent[j]);
        sum += error * error;
        size += value * value;
    }
    return sqrt(sum / size) / (DBL_EPSILON * condition * (1 + condition * residual));
}

static bool same_bits_on_all(const rl_process_grid *grid, const double *values, int n) {
    double *theirs = numbers((size_t)n);
    memcpy(theirs, values, sizeof(double) * (size_t)n);
    MPI_Bcast(theirs, n, MPI_DOUBLE, 0, grid->comm);
    const bool same = memcmp(theirs, values, sizeof(double) * (size_t)n) == 0;
    rl_free(theirs);
    return same;
}

static void test_least_squares(report *r, const table *t) {
    static const int block_sizes[] = {8, 64};
    write_table(r, t);
    rl_dataset blocks = load(t->name, true), whole = load(t->name, false);
    int *exponent = NULL;
    double *beta = numbers((size_t)t->p), condition, residual, worst = 0;
    if (RL_ALLOC(exponent, t->p) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    sensitivity(&whole, exponent, &condition, &residual);
    bool ok = true;
    for (int g = 0; g < N_GRIDS; g++) {
        if (grids[g].rows * grids[g].columns > r->size) continue;
        rl_process_grid *grid = grid_of(grids[g].rows, grids[g].columns);
        for (int b = 0; b < 2 && grid != NULL; b++)
            for (int i = 0; i < 2; i++) {
                const rl_dataset *d = i == 0 ? &blocks : &whole;
                if (rl_distributed_least_squares(grid, block_sizes[b], d, beta) != RL_OK)
                    ok = wrong("%s", rl_error_message());
                ok = same_bits_on_all(grid, beta, t->p) && ok;
                worst = fmax(worst, error_of(beta, whole.beta_star, exponent, t->p, condition, residual));
            }
        rl_process_grid_destroy(grid);
    }
    MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    check(r, ok && worst < 20, "least squares, %s (%d x %d, condition %.1e): off by %.2f eps x condition", t->name,
          t->n, t->p, condition, worst);
    rl_free(beta);
    rl_free(exponent);
    rl_dataset_destroy(&blocks);
    rl_dataset_destroy(&whole);
}

static void test_least_squares_refuses(report *r, const table *t, const char *message) {
    rl_process_grid *grid = grid_of(1, r->size);
    write_table(r, t);
    rl_dataset blocks = load(t->name, true);
    double *beta = numbers((size_t)t->p);
    const rl_status status = rl_distributed_least_squares(grid, 8, &blocks, beta);
    check(r, status == RL_ERR_INPUT && one_message(grid, message) && one_message(grid, t->name), "%s: %s", t->name,
          message);
    rl_free(beta);
    rl_dataset_destroy(&blocks);
    rl_process_grid_destroy(grid);
}

/* ---- what must not hang ------------------------------------------------------------------------------------------ */

typedef enum damage { REMOVED, TOUCHED, NOT_A_NUMBER, OTHER_SHAPE, BAD_CHUNK } damage;

static void put_back_time(const rl_dataset *d) {
    const struct utimbuf times = {d->file.modified, d->file.modified};
    if (utime(path, &times) != 0) MPI_Abort(MPI_COMM_WORLD, 1);
}

/* What follows zlib's first bytes at level 1. */
static void spoil_chunk(void) {
    rl_text content = RL_TEXT_EMPTY;
    if (rl_read_file(path, (size_t)1 << 24, &content) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    size_t at = 0;
    while (memcmp(content.bytes + at, "\x78\x01", 2) != 0) at++;
    memset(content.bytes + at + 2, 0xff, 64);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(content.bytes, 1, content.length, file) != content.length || fclose(file) != 0)
        MPI_Abort(MPI_COMM_WORLD, 1);
    rl_free(content.bytes);
}

/* On rank 0. The last three keep the size and the time, so that only reading finds them. */
static void damage_file(const table *t, const rl_dataset *d, damage how) {
    const size_t at[] = {(size_t)t->n - 1, 1}; /* in the last slab */
    const double nan = NAN;
    int id, x;
    switch (how) {
        case REMOVED:
            unlink(path);
            return;
        case TOUCHED: {
            const struct utimbuf times = {d->file.modified, d->file.modified + 1};
            if (utime(path, &times) != 0) MPI_Abort(MPI_COMM_WORLD, 1);
            return;
        }
        case NOT_A_NUMBER:
            nc(nc_open(path, NC_WRITE, &id));
            nc(nc_inq_varid(id, "x", &x));
            nc(nc_put_var1_double(id, x, at, &nan));
            nc(nc_close(id));
            put_back_time(d);
            return;
        case OTHER_SHAPE:
            nc(nc_create(path, NC_CLOBBER, &id));
            nc(nc_def_dim(id, "row", 3, &x));
            nc(nc_close(id));
            if (truncate(path, d->file.bytes) != 0) MPI_Abort(MPI_COMM_WORLD, 1);
            put_back_time(d);
            return;
        case BAD_CHUNK:
            spoil_chunk();
            put_back_time(d);
            return;
    }
}

static void test_damage(report *r) {
    const struct {
        damage how;
        rl_status status;
        const char *message;
    } damages[] = {{REMOVED, RL_ERR_IO, "cannot be read any more"},
                   {TOUCHED, RL_ERR_IO, "has changed since the table was loaded"},
                   {NOT_A_NUMBER, RL_ERR_IO, "has changed since the table was loaded"},
                   {OTHER_SHAPE, RL_ERR_IO, "has changed since the table was loaded"},
                   {BAD_CHUNK, RL_ERR_IO, "t.nc: nc_get_vara_double"}};
    rl_process_grid *grid = grid_of(1, r->size);
    for (size_t k = 0; k < sizeof damages / sizeof *damages; k++) {
        const table t = {"damaged", 40, 12, PLAIN, damages[k].how == BAD_CHUNK};
        write_table(r, &t);
        rl_dataset blocks = load("damaged", true);
        blocks.file.slab_bytes = 500; /* 5 rows */
        MPI_Barrier(MPI_COMM_WORLD);
        if (r->rank == 0) damage_file(&t, &blocks, damages[k].how);
        MPI_Barrier(MPI_COMM_WORLD);
        rl_rows rows = rows_of(&blocks, 0);
        rl_dataset_case c;
        rl_spectrum_store store = {0};
        rl_spectrum s;
        bool ok = rl_dataset_case_create(&c, grid, &rows, 15, 25) == RL_OK; /* targets are in memory */
        ok = ok && rl_distributed_spectrum(grid, RL_PRODUCER_PROJECTED, 8, &c.c, &store, &s, NULL) == damages[k].status;
        ok = one_message(grid, damages[k].message) && ok;
        double beta[12];
        ok = rl_distributed_least_squares(grid, 8, &blocks, beta) == damages[k].status && ok;
        check(r, one_message(grid, damages[k].message) && ok, "one error on all ranks: %s", damages[k].message);
        if (!ok) wrong("%s", rl_error_message());
        rl_spectrum_store_destroy(&store);
        rl_dataset_case_destroy(&c);
        rl_rows_destroy(&rows);
        rl_dataset_destroy(&blocks);
    }
    rl_process_grid_destroy(grid);
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static void make_folder(const report *r) {
    if (r->rank == 0 && mkdtemp(folder) == NULL) MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
    snprintf(path, sizeof path, "%s/t.nc", folder);
}

static void remove_folder(const report *r) {
    MPI_Barrier(MPI_COMM_WORLD);
    if (r->rank != 0) return;
    unlink(path);
    rmdir(folder);
}

int main(int argc, char **argv) {
    const table solved[] = {{"tall", 200, 30, PLAIN, false},        {"square", 33, 33, PLAIN, false},
                            {"one feature", 50, 1, PLAIN, false},   {"2 x 1", 2, 1, PLAIN, false},
                            {"many rows", 40000, 40, PLAIN, false}, /* more than are in memory at once */
                            {"all units", 120, 25, UNITS, false},   {"nearly alike", 150, 24, ALIKE, false}};
    report r = begin_report(&argc, &argv);
    make_folder(&r);
    test_dealing(&r);
    test_spectra(&r);
    for (size_t i = 0; i < sizeof solved / sizeof *solved; i++) test_least_squares(&r, &solved[i]);
    if (r.size <= 2) /* where two triangles are more than 2 MiB per rank */
        test_least_squares(&r, &(table){"many features", 1600, 740, PLAIN, false});
    test_least_squares_refuses(&r, &(table){"wide", 12, 13, PLAIN, false}, "12 rows are fewer than its 13 features");
    test_least_squares_refuses(&r, &(table){"twice", 50, 20, TWICE, false},
                               "feature 4 (counted from 1) depends linearly");
    test_least_squares_refuses(&r, &(table){"zero", 50, 20, ZERO, false},
                               "feature 3 (counted from 1) depends linearly");
    test_least_squares_refuses(&r, &(table){"alike rows", 50, 20, TWO_VALUES, false}, "depends linearly");
    test_least_squares_refuses(&r, &(table){"units apart", 120, 25, APART, false},
                               "the features have a lower rank than 25 in the units that they are in");
    test_least_squares_refuses(&r, &(table){"tiny", 50, 9, TINY, false}, "least squares on all rows overflows");
    test_damage(&r);
    remove_folder(&r);
    return end_report(&r);
}
