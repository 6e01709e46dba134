/* Extreme singular values of many sizes side by side: Lanczos on the Gram matrix of each, or on its inverse, without
 * reorthogonalization, which costs extreme eigenvalues nothing (Paige 1980). One pass over the triangle serves all
 * members; members that have converged leave. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "../../numbers.h"
#include "../../vectors.h"
#include "curve.h"
#include "ridgeless/arena.h"

enum { MAX_STEPS = 1000, CHECK_EVERY = 4 };
static const double tolerance = 8; /* of eigenvalues, in units of eps */

/* Lanczos vectors lie by column for leading blocks and by row with appended rows: as the inverse takes them. Column j
 * of each belongs to member[j]. */
struct rl_grid_lanczos {
    int n_most, order; /* most members; order of the triangle */
    size_t length;     /* of a vector */
    const rl_grid_family *family;
    rl_extreme which;
    bool by_row;
    int local, ld;
    rl_lengths lengths;
    int member[RL_VECTORS], appended[RL_VECTORS];
    double *now, *before, *next; /* [local, n_most] */
    double *across;              /* the other way */
    double *rows;                /* [RL_ROW_SPAN, n_most] */
    double *direction;           /* [order] */
    int n_steps, next_check;
    /* of the tridiagonal matrices: [n_most, MAX_STEPS], in units of the first Rayleigh quotient, so that no square
     * leaves the range of numbers */
    double *diagonal, *beside;
    double unit[RL_VECTORS], estimate[RL_VECTORS]; /* by member */
};

static void list_lanczos(rl_arena *arena, void *object) {
    rl_grid_lanczos *l = object;
    const size_t n = (size_t)l->n_most;
    RL_TAKE_REALS(arena, n * l->length, &l->now, &l->before, &l->next, &l->across);
    RL_TAKE(arena, l->rows, n * RL_ROW_SPAN);
    RL_TAKE(arena, l->direction, l->order);
    RL_TAKE_REALS(arena, n * MAX_STEPS, &l->diagonal, &l->beside);
}

static rl_grid_lanczos lay_out_lanczos(const rl_triangle *t, int n_most) {
    return (rl_grid_lanczos){.n_most = n_most, .order = t->order, .length = rl_triangle_vectors(t, 1)};
}

rl_status rl_grid_lanczos_create(const rl_triangle *t, int n_most, rl_grid_lanczos **made) {
    rl_grid_lanczos plan = lay_out_lanczos(t, n_most);
    return RL_OBJECT_CREATE(made, &plan, list_lanczos);
}

size_t rl_grid_lanczos_bytes(const rl_triangle *t, int n_most) {
    rl_grid_lanczos plan = lay_out_lanczos(t, n_most);
    return RL_OBJECT_BYTES(&plan, list_lanczos);
}

static void take_family(rl_grid_lanczos *l, const rl_grid_family *family, rl_extreme which) {
    const rl_triangle *t = family->triangle;
    l->family = family;
    l->which = which;
    l->by_row = family->rows != NULL;
    l->local = l->by_row ? t->local_rows : t->local_columns;
    l->ld = l->by_row ? t->ld_rows : t->ld_columns;
    l->lengths = family->lengths;
    l->n_steps = 0;
    l->next_check = CHECK_EVERY;
    for (int j = 0; j < family->lengths.n; j++) {
        l->member[j] = j;
        l->appended[j] = family->appended[j];
        l->estimate[j] = 0;
    }
}

static double *column_of(const rl_grid_lanczos *l, double *vectors, int j) {
    return vectors + (size_t)j * (size_t)l->ld;
}

/* ---- the operators ----------------------------------------------------------------------------------------------- */

/* Column j keeps the rows that its member appends. */
static void clear_rows(const rl_grid_lanczos *l) {
    for (int j = 0; j < l->lengths.n; j++)
        memset(l->rows + (size_t)j * RL_ROW_SPAN + l->appended[j], 0,
               (size_t)(RL_ROW_SPAN - l->appended[j]) * sizeof(double));
}

/* l->rows := operand^T vectors, where each of `line` has a part of both. */
static rl_status multiply_rows(const rl_grid_lanczos *l, const double *operand, const double *vectors, int length,
                               int ld, MPI_Comm line) {
    memset(l->rows, 0, (size_t)RL_ROW_SPAN * (size_t)l->lengths.n * sizeof(double));
    rl_add_product('T', l->family->n_rows, l->lengths.n, length, 1, operand, ld, vectors, ld, l->rows, RL_ROW_SPAN);
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, l->rows, RL_ROW_SPAN * l->lengths.n, MPI_DOUBLE, MPI_SUM, line));
    clear_rows(l);
    return RL_OK;
}

/* v := (I + the sum of s s^T)^-1 v over the columns s of `solved` that a member appends (the Woodbury formula). */
static rl_status correct_vectors(const rl_grid_lanczos *l, double *v) {
    const rl_grid_family *f = l->family;
    const rl_triangle *t = f->triangle;
    const int k = f->n_rows, n = l->lengths.n, ld = RL_ROW_SPAN;
    const double unit = 1;
    if (k == 0) return RL_OK;
    RL_TRY(multiply_rows(l, f->solved, v, t->local_columns, t->ld_columns, t->row));
    dtrsm_("L", "U", "T", "N", &k, &n, &unit, f->small, &ld, l->rows, &ld, 1, 1, 1, 1);
    clear_rows(l);
    dtrsm_("L", "U", "N", "N", &k, &n, &unit, f->small, &ld, l->rows, &ld, 1, 1, 1, 1);
    rl_add_product('N', t->local_columns, n, k, -1, f->solved, t->ld_columns, l->rows, ld, v, t->ld_columns);
    return RL_OK;
}

/* l->next := (R^T R)^-1 l->now, or (R R^T + rows)^-1. */
static rl_status apply_inverse(const rl_grid_lanczos *l) {
    const rl_triangle *t = l->family->triangle;
    if (!l->by_row) {
        memcpy(l->next, l->now, (size_t)l->ld * (size_t)l->lengths.n * sizeof(double));
        RL_TRY(rl_triangle_solve_transposed(t, &l->lengths, l->next, l->across));
        return rl_triangle_solve(t, &l->lengths, l->across, l->next);
    }
    RL_TRY(rl_triangle_solve(t, &l->lengths, l->now, l->across));
    RL_TRY(correct_vectors(l, l->across));
    return rl_triangle_solve_transposed(t, &l->lengths, l->across, l->next);
}

/* l->next := R^T R l->now, or (R R^T + rows) l->now. */
static rl_status apply_direct(const rl_grid_lanczos *l) {
    const rl_grid_family *f = l->family;
    const rl_triangle *t = f->triangle;
    if (!l->by_row) {
        RL_TRY(rl_triangle_multiply(t, &l->lengths, l->now, l->across));
        return rl_triangle_multiply_transposed(t, &l->lengths, l->across, l->next);
    }
    RL_TRY(rl_triangle_multiply_transposed(t, &l->lengths, l->now, l->across));
    RL_TRY(rl_triangle_multiply(t, &l->lengths, l->across, l->next));
    if (f->n_rows == 0) return RL_OK;
    RL_TRY(multiply_rows(l, f->rows, l->now, t->local_rows, t->ld_rows, t->column));
    rl_add_product('N', t->local_rows, l->lengths.n, f->n_rows, 1, f->rows, t->ld_rows, l->rows, RL_ROW_SPAN, l->next,
                   t->ld_rows);
    return RL_OK;
}

/* ---- the iteration ----------------------------------------------------------------------------------------------- */

/* MPI gives all ranks the same bits, so all decide alike. */
static rl_status add_up_sums(const rl_grid_lanczos *l, double *sums) {
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, sums, l->lengths.n, MPI_DOUBLE, MPI_SUM, l->family->triangle->m->grid->comm));
    return RL_OK;
}

/* products[j] = a_j . b_j. Each entry of a vector is on a whole line of processes. */
static rl_status find_products(const rl_grid_lanczos *l, double *a, double *b, double *sums) {
    const rl_process_grid *grid = l->family->triangle->m->grid;
    const bool counts = l->by_row ? grid->column == 0 : grid->row == 0;
    for (int j = 0; j < l->lengths.n; j++)
        sums[j] = counts ? rl_dot(l->local, column_of(l, a, j), column_of(l, b, j)) : 0;
    return add_up_sums(l, sums);
}

/* The same pseudo-random direction each time: nothing in data can know it. */
static rl_status start_vectors(rl_grid_lanczos *l) {
    const rl_triangle *t = l->family->triangle;
    const int uniform = 2;
    int seed[4] = {1903, 571, 2303, 1415};
    double squares[RL_VECTORS];
    dlarnv_(&uniform, seed, &t->order, l->direction);
    for (int j = 0; j < l->lengths.n; j++) {
        double *v = column_of(l, l->now, j);
        for (int i = 0; i < l->local; i++) {
            const int at = l->by_row ? rl_block_matrix_global_row(t->m, i) : rl_block_matrix_global_column(t->m, i);
            v[i] = at < l->lengths.order[j] ? l->direction[at] : 0;
        }
    }
    RL_TRY(find_products(l, l->now, l->now, squares));
    for (int j = 0; j < l->lengths.n; j++) rl_scale(l->local, 1 / sqrt(squares[j]), column_of(l, l->now, j));
    return RL_OK;
}

/* One step of all members: l->next becomes what the operator adds to the space, not yet of length 1; its length to
 * length[j]. */
static rl_status extend_spaces(rl_grid_lanczos *l, double *length) {
    const size_t step = (size_t)l->n_steps++;
    double sums[RL_VECTORS];
    RL_TRY(l->which == RL_SMALLEST ? apply_inverse(l) : apply_direct(l));
    if (step == 0) {
        RL_TRY(find_products(l, l->now, l->next, sums));
        for (int j = 0; j < l->lengths.n; j++) l->unit[l->member[j]] = sums[j];
    }
    for (int j = 0; j < l->lengths.n; j++) {
        const double *beside = l->beside + (size_t)l->member[j] * MAX_STEPS;
        rl_scale(l->local, 1 / l->unit[l->member[j]], column_of(l, l->next, j));
        if (step > 0) rl_add(l->local, -beside[step - 1], column_of(l, l->before, j), column_of(l, l->next, j));
    }
    RL_TRY(find_products(l, l->now, l->next, sums));
    for (int j = 0; j < l->lengths.n; j++) {
        l->diagonal[(size_t)l->member[j] * MAX_STEPS + step] = sums[j];
        rl_add(l->local, -sums[j], column_of(l, l->now, j), column_of(l, l->next, j));
    }
    RL_TRY(find_products(l, l->next, l->next, length));
    for (int j = 0; j < l->lengths.n; j++) {
        length[j] = sqrt(length[j]);
        l->beside[(size_t)l->member[j] * MAX_STEPS + step] = length[j];
    }
    return RL_OK;
}

/* The largest eigenvalue of a member's tridiagonal matrix. */
static double largest_ritz_value(const rl_grid_lanczos *l, int member) {
    double diagonal[MAX_STEPS], beside[MAX_STEPS];
    int info;
    memcpy(diagonal, l->diagonal + (size_t)member * MAX_STEPS, sizeof(double) * (size_t)l->n_steps);
    memcpy(beside, l->beside + (size_t)member * MAX_STEPS, sizeof(double) * (size_t)l->n_steps);
    dsterf_(&l->n_steps, diagonal, beside, &info);
    return info == 0 ? diagonal[l->n_steps - 1] : NAN;
}

/* The space cannot grow, or numbers have left their range. */
static bool is_exhausted(double length) {
    return !(length > DBL_EPSILON) || !isfinite(length);
}

/* Each rank looks at some members, and tells the others what it finds. */
static rl_status ritz_values(const rl_grid_lanczos *l, const double *length, double *values) {
    const rl_process_grid *grid = l->family->triangle->m->grid;
    for (int j = 0; j < l->lengths.n; j++) {
        const bool mine = j % grid->size == grid->rank, sound = isfinite(length[j]) && l->unit[l->member[j]] > 0;
        values[j] = !mine ? 0 : sound ? largest_ritz_value(l, l->member[j]) : NAN;
    }
    return add_up_sums(l, values);
}

/* Says which columns are finished, and stores the estimates of their members. */
static rl_status check_members(rl_grid_lanczos *l, const double *length, bool *finished) {
    double values[RL_VECTORS];
    bool due = l->n_steps == l->next_check;
    for (int j = 0; j < l->lengths.n; j++) {
        due = due || is_exhausted(length[j]);
        finished[j] = false;
    }
    if (!due) return RL_OK;
    RL_TRY(ritz_values(l, length, values));
    for (int j = 0; j < l->lengths.n; j++) {
        double *estimate = &l->estimate[l->member[j]];
        const bool grows = values[j] - *estimate > tolerance * DBL_EPSILON * values[j];
        if (l->n_steps < l->next_check && !is_exhausted(length[j])) continue; /* another member's turn */
        finished[j] = is_exhausted(length[j]) || !grows || l->n_steps == MAX_STEPS;
        *estimate = finished[j] && grows && !is_exhausted(length[j]) ? NAN : values[j];
    }
    if (l->n_steps == l->next_check) {
        const int more = rl_larger(l->n_steps / 16, CHECK_EVERY);
        l->next_check = rl_smaller(l->n_steps + more, MAX_STEPS);
    }
    return RL_OK;
}

/* For the members that go on, l->now becomes the next vectors and l->before the present ones. */
static void go_on_with_members(rl_grid_lanczos *l, const double *length, const bool *finished) {
    const size_t bytes = (size_t)l->local * sizeof(double);
    int n = 0;
    for (int j = 0; j < l->lengths.n; j++) {
        if (finished[j]) continue;
        memcpy(column_of(l, l->before, n), column_of(l, l->now, j), bytes);
        memmove(column_of(l, l->next, n), column_of(l, l->next, j), bytes);
        rl_scale(l->local, 1 / length[j], column_of(l, l->next, n));
        l->lengths.order[n] = l->lengths.order[j];
        l->appended[n] = l->appended[j];
        l->member[n++] = l->member[j];
    }
    l->lengths.n = n;
    rl_swap(&l->now, &l->next);
}

rl_status rl_grid_extreme(const rl_grid_family *family, rl_extreme which, rl_grid_lanczos *l, double *sigma) {
    const int n = family->lengths.n;
    take_family(l, family, which);
    RL_TRY(start_vectors(l));
    while (l->lengths.n > 0) {
        double length[RL_VECTORS];
        bool finished[RL_VECTORS];
        RL_TRY(extend_spaces(l, length));
        RL_TRY(check_members(l, length, finished));
        go_on_with_members(l, length, finished);
    }
    for (int j = 0; j < n; j++) {
        const double value = l->unit[j] * l->estimate[j];
        sigma[j] = l->which == RL_SMALLEST ? 1 / sqrt(value) : sqrt(value);
    }
    return RL_OK;
}
