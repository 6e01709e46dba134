/* Householder panels of a core with their updates: QR, and the band; QR first, so that what is far from square becomes
 * a square core. The borders are part of the core's matrix, so a panel's block reflector reaches them in the same
 * multiplication that updates A, and no reflector has to be kept for later. */
#include <math.h>
#include <string.h>

#include "../../numbers.h"
#include "../matrix/scalapack.h"
#include "producer.h"

/* pdlarfb is called directly. pdormqr and pdormlq apply the reflectors of their first block one by one, and a panel has
 * no others. */

/* Panels up to as wide as the core's blocks. */
typedef struct panels {
    const rl_core *core;
    double *tau, *t, *work;
    int lwork;
    int info; /* the lowest that a panel gave */
} panels;

/* pdgeqrf, pdgelqf, pdlarft and pdlarfb ask for at most block (rows + columns + block), of a local part that begins
 * inside a block. */
static double count_work(const rl_core *core) {
    const double block = core->m.row_block;
    return block * ((double)core->m.local_rows + core->m.local_columns + 4 * block) + RL_WORK_SLACK;
}

static void list_panels(rl_arena *arena, void *object) {
    panels *p = object;
    const rl_block_matrix *m = &p->core->m;
    const size_t block = (size_t)m->row_block;
    RL_TAKE(arena, p->tau, (size_t)rl_larger(m->local_rows, m->local_columns) + block);
    RL_TAKE(arena, p->t, block * block);
    RL_TAKE(arena, p->work, count_work(p->core));
}

static rl_status allocate_panels(panels *p) {
    RL_TRY(rl_work_length("ScaLAPACK pdlarfb", count_work(p->core), &p->lwork));
    return rl_arrays_create(p, list_panels);
}

/* A panel must lie in one row or column of blocks.
 *
 * QR of rows [first, rows) x columns [first, first + width): the panel's triangle is left in its place (what is below
 * it are the reflectors), and Q^T is applied to the same rows of all columns after it, the left border's among them. */
static void factor_columns(panels *p, int first, int width) {
    const rl_core *core = p->core;
    const int *descriptor = core->m.descriptor, i = first + 1, next = first + width + 1;
    const int rows = core->rows - first, after = core->columns + core->n_left - first - width;
    double *const a = core->m.a;
    int info;
    pdgeqrf_(&rows, &width, a, &i, &i, descriptor, p->tau, p->work, &p->lwork, &info);
    p->info = rl_smaller(p->info, info);
    if (after == 0) return;
    pdlarft_("F", "C", &rows, &width, a, &i, &i, descriptor, p->tau, p->t, p->work, 1, 1);
    pdlarfb_("L", "T", "F", "C", &rows, &after, &width, a, &i, &i, descriptor, p->t, a, &i, &next, descriptor, p->work,
             1, 1, 1, 1);
}

/* LQ of rows [first, first + width) x columns [first + width, columns), if there are any: Q^T is applied from the right
 * to the same columns of all rows below, the right border's among them. */
static void factor_rows(panels *p, int first, int width) {
    const rl_core *core = p->core;
    const int *descriptor = core->m.descriptor, i = first + 1, next = first + width + 1;
    const int columns = core->columns - first - width, below = core->rows + core->n_right - first - width;
    const int reflectors = rl_smaller(width, columns);
    double *const a = core->m.a;
    int info;
    if (columns <= 0) return;
    pdgelqf_(&width, &columns, a, &i, &next, descriptor, p->tau, p->work, &p->lwork, &info);
    p->info = rl_smaller(p->info, info);
    pdlarft_("F", "R", &columns, &reflectors, a, &i, &next, descriptor, p->tau, p->t, p->work, 1, 1);
    pdlarfb_("R", "N", "F", "R", &below, &columns, &reflectors, a, &i, &next, descriptor, p->t, a, &next, &next,
             descriptor, p->work, 1, 1, 1, 1);
}

/* Panels of columns, and of rows in turn with them if a band is wanted. */
static rl_status factor_panels(rl_core *core, bool band) {
    const int block = core->m.row_block;
    panels p = {.core = core};
    RL_TRY(rl_process_grid_agree(core->grid, allocate_panels(&p)));
    for (int first = 0; first < core->columns; first += block) {
        const int width = rl_smaller(block, core->columns - first);
        factor_columns(&p, first, width);
        if (band) factor_rows(&p, first, width);
    }
    rl_free(p.tau);
    return rl_agree_info(core->grid, "ScaLAPACK pdgeqrf or pdgelqf", &p.info);
}

rl_status rl_core_reduce_to_band(rl_core *core) {
    return factor_panels(core, true);
}

/* Reflectors lie where R has zeros. */
rl_status rl_core_factor(rl_core *core) {
    const rl_block_matrix *m = &core->m;
    RL_TRY(factor_panels(core, false));
    const int row_end = rl_rows_before(m, core->rows);
    for (int lj = rl_columns_before(m, core->columns) - 1; lj >= 0; lj--) {
        const int begin = rl_rows_before(m, rl_block_matrix_global_column(m, lj) + 1);
        if (begin < row_end) memset(rl_at(m, begin, lj), 0, (size_t)(row_end - begin) * sizeof(double));
    }
    return RL_OK;
}

/* Some rows of the right border on their way up. */
static rl_block_matrix lay_out_some(const rl_core *core) {
    const int64_t height = (int64_t)core->m.row_block * core->grid->n_rows;
    return rl_core_matrix(core, (int)rl_smaller(height, (int64_t)core->n_right), core->columns);
}

/* The right border from row `rows` up to row `columns`, some rows at a time: the two places overlap. */
static rl_status move_right_border(rl_core *core) {
    rl_block_matrix *m = &core->m, some = lay_out_some(core);
    const int one = 1, height = some.rows;
    RL_TRY(rl_process_grid_agree(core->grid, rl_block_matrix_allocate(&some)));
    for (int done = 0; done < core->n_right; done += height) {
        const int count = rl_smaller(height, core->n_right - done);
        const int from = core->rows + done + 1, to = core->columns + done + 1;
        pdgemr2d_(&count, &core->columns, m->a, &from, &one, m->descriptor, some.a, &one, &one, some.descriptor,
                  &core->grid->context);
        pdgemr2d_(&count, &core->columns, some.a, &one, &one, some.descriptor, m->a, &to, &one, m->descriptor,
                  &core->grid->context);
    }
    rl_block_matrix_destroy(&some);
    return RL_OK;
}

rl_status rl_reduce_shape(rl_core *core) {
    RL_TRY(rl_core_factor(core));
    RL_TRY(move_right_border(core));
    core->rows = core->columns;
    return RL_OK;
}

/* ---- needs ------------------------------------------------------------------------------------------------------- */

void rl_panels_needs(const rl_core *core, rl_needs *needs) {
    panels p = {.core = core};
    rl_needs_limit(needs, "LWORK of pdlarfb", count_work(core), INT32_MAX);
    rl_needs_briefly(needs, rl_arrays_bytes(&p, list_panels));
}

void rl_needs_panels(rl_needs *needs, rl_part part, const rl_core *core, double length, int processes) {
    const double columns = core->columns, width = fmin(core->m.row_block, columns), share = length / processes;
    const double bytes = sizeof(double) * share * width;
    rl_needs_pass(needs, part, 0, 3 * columns * bytes / 2, bytes);
}

double rl_needs_libraries(const rl_core *core) {
    enum { MESSAGES = 1 << 17 };
    return sizeof(double) * (2 * count_work(core) + MESSAGES);
}

/* QR of A, carried on to the left border. */
void rl_core_factor_needs(const rl_core *core, rl_needs *needs) {
    const double r = core->rows, n = core->columns, left = core->n_left;
    rl_panels_needs(core, needs);
    rl_needs_products(needs, RL_PART_REDUCE, 2 * r * n * n - 2.0 / 3 * n * n * n + 4 * r * n * left - 2 * n * n * left);
    rl_needs_panels(needs, RL_PART_REDUCE, core, r - n / 2, core->grid->n_rows);
    rl_needs_calls(needs, RL_PART_REDUCE, n * RL_CALLS_PER_PANEL_COLUMN);
    rl_needs_spreading(needs, RL_PART_REDUCE, n * (r + n + left));
}

void rl_reduce_shape_needs(rl_core *core, rl_needs *needs) {
    const rl_block_matrix some = lay_out_some(core);
    rl_core_factor_needs(core, needs);
    rl_needs_matrix(needs, &some);
    rl_needs_lend(needs, 2 * rl_elements(&some)); /* pdgemr2d packs what goes and what comes */
    rl_needs_no_matrix(needs, &some);
    core->rows = core->columns;
}
