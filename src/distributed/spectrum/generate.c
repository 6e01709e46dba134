/* A case made into a core: rows, targets and beta* in their places, checked and scaled. */
#include "generate.h"

#include <math.h>
#include <string.h>

#include "../../clones.h"
#include "../../numbers.h"

/* Where the training rows and the test rows are in the core's matrix: see producer.h. */

static rl_placement train_rows(const rl_core *core, const rl_case *c) {
    return (rl_placement){.n_rows = c->n_train, .transposed = core->test_rows_left};
}

static rl_placement test_rows(const rl_core *core, const rl_case *c) {
    const bool turned = core->test_rows_left;
    return (rl_placement){.first_row = c->n_train,
                          .n_rows = c->n_test,
                          .row = turned ? 0 : core->rows,
                          .column = turned ? c->n_train : 0,
                          .transposed = turned};
}

static int population_rows(const rl_case *c) {
    return c->scale != NULL ? c->n_features : 0;
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

/* Entries that are placed as they are, or transposed. */
typedef struct source {
    rl_entry entry;
    const void *state;
    int first_row; /* the first that is placed */
} source;

static double direct_entry(const void *state, int row, int column) {
    const source *s = state;
    return s->entry(s->state, s->first_row + row, column);
}

static double transposed_entry(const void *state, int row, int column) {
    return direct_entry(state, column, row);
}

/* `rows` x `columns` entries to (row, column) and after, or, transposed, to (column, row). */
static void place_entries(rl_block_matrix *m, bool transposed, int row, int column, int rows, int columns, source s) {
    if (transposed)
        rl_block_matrix_fill(m, column, row, columns, rows, transposed_entry, &s);
    else
        rl_block_matrix_fill(m, row, column, rows, columns, direct_entry, &s);
}

/* A few vectors as columns. */
static double vector_entry(const void *state, int row, int column) {
    const double *const *vectors = state;
    return vectors[column][row];
}

/* The population's rows, and then beta*. */
static double population_entry(const void *state, int row, int column) {
    const rl_case *c = state;
    if (row == population_rows(c)) return c->beta_star[column];
    return row == column ? c->scale[row] : 0;
}

/* The part of the placed rows that this rank owns. */
static rl_share share_of(const rl_block_matrix *m, const rl_case *c, rl_placement to) {
    const int p = c->n_features;
    return rl_share_of(m, to.row, to.column, to.transposed ? p : to.n_rows, to.transposed ? to.n_rows : p);
}

/* What this rank owns, block by block: in a block, neighbours are neighbours. */
static void fill_tiles(const rl_case *c, rl_block_matrix *m, rl_placement to) {
    const rl_share mine = share_of(m, c, to);
    int width, height;
    for (int lj = mine.column; lj < mine.column_end; lj += width) {
        const int j = rl_block_matrix_global_column(m, lj);
        width = rl_smaller(m->column_block - j % m->column_block, mine.column_end - lj);
        for (int li = mine.row; li < mine.row_end; li += height) {
            const int i = rl_block_matrix_global_row(m, li);
            height = rl_smaller(m->row_block - i % m->row_block, mine.row_end - li);
            double *const out = rl_at(m, li, lj);
            const rl_tile direct = {to.first_row + i - to.row, height, j - to.column, width, out, 1, m->ld};
            const rl_tile transposed = {to.first_row + j - to.column, width, i - to.row, height, out, m->ld, 1};
            c->fill(c->state, to.transposed ? &transposed : &direct);
        }
    }
}

rl_status rl_case_fill(const rl_case *c, rl_block_matrix *m, rl_placement to) {
    if (to.n_rows == 0) return RL_OK;
    if (c->x == NULL) return c->deal(c->state, m, to);
    if (c->fill != NULL)
        fill_tiles(c, m, to);
    else
        place_entries(m, to.transposed, to.transposed ? to.column : to.row, to.transposed ? to.row : to.column,
                      to.n_rows, c->n_features, (source){c->x, c->state, to.first_row});
    return RL_OK;
}

/* ---- checks ------------------------------------------------------------------------------------------------------ */

static rl_status check_sizes(const rl_case *c, int block) {
    if (c->n_train < 1 || c->n_features < 1 || c->n_test < 1 || block < 1)
        return rl_fail(RL_ERR_INPUT,
                       "distributed case: n_train %d, n_features %d, n_test %d, block %d; all must be at least 1",
                       c->n_train, c->n_features, c->n_test, block);
    const int64_t border = (int64_t)c->n_test + population_rows(c) + RL_N_TARGETS + 1;
    if (rl_larger(c->n_train, c->n_features) + border + block > INT32_MAX)
        return rl_fail(
            RL_ERR_INPUT,
            "distributed case: n_train %d, n_features %d and n_test %d add up to more than ScaLAPACK's 32-bit "
            "indices",
            c->n_train, c->n_features, c->n_test);
    return RL_OK;
}

static rl_status check_vector(const char *name, const double *values, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(values[i]))
            return rl_fail(RL_ERR_INPUT, "distributed case: %s[%lld] is %g; it must be finite", name, (long long)i,
                           values[i]);
    return RL_OK;
}

/* Magnitudes are in the order of their bits, and infinities and what is no number are above them all. */
RL_CLONES static int64_t largest_bits(const double *x, int n) {
    int64_t largest = 0;
    for (int i = 0; i < n; i++) {
        int64_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        largest = rl_larger(largest, bits & INT64_MAX);
    }
    return largest;
}

static rl_status fail_entry(const rl_block_matrix *m, rl_placement to, int li, int lj) {
    const int i = rl_block_matrix_global_row(m, li) - to.row, j = rl_block_matrix_global_column(m, lj) - to.column;
    return rl_fail(RL_ERR_INPUT, "distributed case: feature %d of row %d is %g; it must be finite",
                   to.transposed ? i : j, to.first_row + (to.transposed ? j : i), *rl_at(m, li, lj));
}

/* Local: this rank's part of rows. Raises *largest to its largest magnitude. */
static rl_status check_rows(const rl_block_matrix *m, const rl_case *c, rl_placement to, double *largest) {
    const rl_share mine = share_of(m, c, to);
    for (int lj = mine.column; lj < mine.column_end; lj++) {
        const int64_t bits = largest_bits(rl_at(m, mine.row, lj), mine.row_end - mine.row);
        double size;
        memcpy(&size, &bits, sizeof size);
        if (!isfinite(size))
            for (int li = mine.row; li < mine.row_end; li++)
                if (!isfinite(*rl_at(m, li, lj))) return fail_entry(m, to, li, lj);
        *largest = fmax(*largest, size);
    }
    return RL_OK;
}

/* ---- generation -------------------------------------------------------------------------------------------------- */

rl_core rl_core_of_case(const rl_process_grid *grid, int block, const rl_case *c) {
    const bool wide = c->n_train < c->n_features;
    const int others = c->n_test + population_rows(c) + 1;
    rl_core core = {.grid = grid,
                    .rows = wide ? c->n_features : c->n_train,
                    .columns = wide ? c->n_train : c->n_features,
                    .n_left = wide ? others : RL_N_TARGETS,
                    .n_right = wide ? RL_N_TARGETS : others,
                    .tail_rows = wide ? c->n_features - c->n_train : c->n_train - c->n_features,
                    .test_rows_left = wide};
    rl_core_lay_out(&core, block);
    return core;
}

void rl_core_lay_out(rl_core *core, int block) {
    core->m = rl_block_matrix_layout(core->grid, core->rows + core->n_right, core->columns + core->n_left, block);
}

RL_CLONES static void add_multiple(int n, const double *x, double factor, double *sums) {
    for (int i = 0; i < n; i++) sums[i] += x[i] * factor;
}

static double add_product(int n, const double *x, const double *y, double sum) {
    for (int i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

/* values [n_rows] += rows of X times beta, this rank's part; in a block, neighbours are neighbours. */
static void add_products(const rl_block_matrix *m, const rl_case *c, rl_placement to, double *values) {
    const rl_share mine = share_of(m, c, to);
    int height;
    for (int lj = mine.column; lj < mine.column_end; lj++) {
        const int j = rl_block_matrix_global_column(m, lj) - to.column;
        for (int li = mine.row; li < mine.row_end; li += height) {
            const int row = rl_block_matrix_global_row(m, li), i = row - to.row;
            height = rl_smaller(m->row_block - row % m->row_block, mine.row_end - li);
            if (to.transposed)
                values[j] = add_product(height, rl_at(m, li, lj), c->beta_star + i, values[j]);
            else
                add_multiple(height, rl_at(m, li, lj), c->beta_star[j], values + i);
        }
    }
}

static rl_status make_targets(rl_placed_case *placed) {
    const rl_case *c = placed->c;
    const rl_core *core = &placed->core;
    const int64_t n = (int64_t)c->n_train + c->n_test;
    double *ideal = placed->target[RL_TARGET_IDEAL];
    add_products(&core->m, c, train_rows(core, c), ideal);
    add_products(&core->m, c, test_rows(core, c), ideal + c->n_train);
    RL_TRY(rl_sum_over_ranks(core->grid, ideal, n));
    for (int64_t i = 0; i < n; i++) {
        placed->target[RL_TARGET_Y][i] = c->y[i];
        placed->target[RL_TARGET_RESIDUAL][i] = c->y[i] - ideal[i];
    }
    return check_vector("y - X beta*", placed->target[RL_TARGET_RESIDUAL], n);
}

void rl_placed_case_fill_targets(rl_placed_case *placed) {
    rl_core *core = &placed->core;
    const bool turned = core->test_rows_left;
    place_entries(&core->m, turned, 0, turned ? core->rows : core->columns, placed->c->n_train, RL_N_TARGETS,
                  (source){vector_entry, placed->target, 0});
}

/* The population's rows and beta*, after the test rows. */
static void fill_population(rl_placed_case *placed) {
    const rl_case *c = placed->c;
    rl_core *core = &placed->core;
    const int next = c->n_test + (core->test_rows_left ? c->n_train : core->rows);
    place_entries(&core->m, core->test_rows_left, next, 0, population_rows(c) + 1, c->n_features,
                  (source){population_entry, c, 0});
}

RL_CLONES static void divide(int n, double divisor, double *x) {
    for (int i = 0; i < n; i++) x[i] /= divisor;
}

/* By a power of two, so that the largest entry is in [1/2, 1): no norm overflows or underflows, and no bit changes. */
static void scale_train(rl_placed_case *placed, double largest) {
    const rl_block_matrix *m = &placed->core.m;
    const rl_share mine = share_of(m, placed->c, train_rows(&placed->core, placed->c));
    int exponent = 0;
    if (largest > 0) frexp(largest, &exponent);
    placed->is_zero = largest == 0;
    placed->scale = ldexp(1, exponent < 1023 ? exponent : 1023);
    if (exponent == 0) return;
    for (int lj = mine.column; lj < mine.column_end; lj++)
        divide(mine.row_end - mine.row, placed->scale, rl_at(m, mine.row, lj));
}

static rl_status generate_rows(rl_placed_case *placed) {
    const rl_case *c = placed->c;
    rl_core *core = &placed->core;
    double largest = 0, ignored = 0;
    rl_status status = rl_case_fill(c, &core->m, train_rows(core, c));
    if (status == RL_OK) status = rl_case_fill(c, &core->m, test_rows(core, c));
    RL_TRY(status); /* the same on all ranks */
    status = check_rows(&core->m, c, train_rows(core, c), &largest);
    if (status == RL_OK) status = check_rows(&core->m, c, test_rows(core, c), &ignored);
    RL_TRY(rl_process_grid_agree(core->grid, status));
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, core->grid->comm));
    RL_TRY(make_targets(placed));
    if (core->n_right > 0) rl_placed_case_fill_targets(placed);
    fill_population(placed);
    scale_train(placed, largest);
    return RL_OK;
}

static void list_targets(rl_arena *arena, void *object) {
    rl_placed_case *placed = object;
    const size_t n = (size_t)placed->c->n_train + (size_t)placed->c->n_test;
    for (int t = 0; t < RL_N_TARGETS; t++) RL_TAKE(arena, placed->target[t], n);
}

static rl_status allocate_case(rl_placed_case *placed) {
    const rl_case *c = placed->c;
    RL_TRY(check_vector("y", c->y, (int64_t)c->n_train + c->n_test));
    RL_TRY(check_vector("beta*", c->beta_star, c->n_features));
    if (c->scale != NULL) RL_TRY(check_vector("scale", c->scale, c->n_features));
    RL_TRY(rl_arrays_create(placed, list_targets));
    return rl_block_matrix_allocate(&placed->core.m);
}

rl_status rl_placed_case_create_as(rl_placed_case *placed, const rl_core *core, const rl_case *c) {
    *placed = (rl_placed_case){.c = c, .core = *core};
    RL_TRY(rl_process_grid_agree(core->grid, allocate_case(placed)));
    return generate_rows(placed);
}

rl_status rl_placed_case_create(rl_placed_case *placed, const rl_process_grid *grid, int block, const rl_case *c) {
    *placed = (rl_placed_case){0};
    RL_TRY(rl_process_grid_agree(grid, check_sizes(c, block)));
    const rl_core core = rl_core_of_case(grid, block, c);
    return rl_placed_case_create_as(placed, &core, c);
}

/* Every number is looked at four times: is it finite? how large? times beta*; scaled. Targets are added up. */
void rl_placed_case_needs(const rl_core *core, const rl_case *c, rl_needs *needs) {
    enum { AGREEMENTS = 4 };
    rl_placed_case placed = {.c = c};
    const double targets = (double)c->n_train + c->n_test;
    const double bytes = sizeof(double) * (double)core->m.rows * core->m.columns / needs->ranks;
    rl_needs_arrays(needs, &placed, list_targets);
    rl_needs_matrix(needs, &core->m);
    rl_needs_pass(needs, RL_PART_GENERATE, 0, 4 * bytes, bytes);
    rl_needs_sum(needs, RL_PART_GENERATE, targets);
    rl_needs_agreements(needs, RL_PART_GENERATE, AGREEMENTS);
}

void rl_placed_case_destroy(rl_placed_case *placed) {
    rl_free(placed->target[0]);
    rl_block_matrix_destroy(&placed->core.m);
    *placed = (rl_placed_case){0};
}
