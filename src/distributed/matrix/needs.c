/* The account of what a case needs. */
#include "needs.h"

#include <assert.h>
#include <math.h>

#include "block_matrix.h"

static const double word = sizeof(double);

void rl_needs_on_grid(rl_needs *needs, const rl_process_grid *grid) {
    needs->ranks = grid->size;
    needs->shape = (rl_grid_shape){grid->n_rows, grid->n_columns};
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

void rl_needs_hold(rl_needs *needs, size_t bytes) {
    needs->held += (double)bytes;
    needs->found.bytes = fmax(needs->found.bytes, needs->held);
    rl_needs_lend(needs, 0);
}

void rl_needs_briefly(rl_needs *needs, size_t bytes) {
    rl_needs_hold(needs, bytes);
    needs->held -= (double)bytes;
}

void rl_needs_arrays(rl_needs *needs, void *object, rl_array_list *list) {
    rl_needs_hold(needs, rl_arrays_bytes(object, list));
}

void rl_needs_lend(rl_needs *needs, double elements) {
    const double all = needs->held + needs->libraries + word * elements;
    needs->found.bytes_in_all = fmax(needs->found.bytes_in_all, all);
}

void rl_needs_limit(rl_needs *needs, const char *limit, double needed, double allowed) {
    if (needs->found.limit != NULL || needed <= allowed) return;
    needs->found.limit = limit;
    needs->found.needed = needed < 0x1p63 ? (int64_t)needed : INT64_MAX;
    needs->found.allowed = (int64_t)allowed;
}

/* ---- work -------------------------------------------------------------------------------------------------------- */

static void add_work(rl_needs *needs, rl_case_work work) {
    rl_case_needs *found = &needs->found;
    assert(found->n_work < RL_MOST_WORK);
    found->work[found->n_work++] = work;
}

void rl_needs_work(rl_needs *needs, rl_part part, rl_work_kind kind, double amount) {
    for (rl_case_work *w = needs->found.work; w < needs->found.work + needs->found.n_work; w++)
        if (w->part == part && w->kind == kind && w->bytes == 0) {
            w->amount += amount;
            return;
        }
    if (amount > 0) add_work(needs, (rl_case_work){.part = part, .kind = kind, .amount = amount});
}

void rl_needs_flops(rl_needs *needs, rl_part part, double flops, double flops_per_byte) {
    needs->found.flops += flops;
    needs->found.traffic[part].flops += flops;
    needs->found.traffic[part].bytes += flops / flops_per_byte;
}

/* So many flops for each number that goes through memory and each column of a block. */
static void add_products(rl_needs *needs, rl_part part, rl_work_kind kind, double flops, double flops_per_number) {
    rl_needs_flops(needs, part, flops, needs->block > 0 ? flops_per_number * needs->block / word : INFINITY);
    rl_needs_work(needs, part, kind, flops / needs->ranks);
}

void rl_needs_products(rl_needs *needs, rl_part part, double flops) {
    enum { FLOPS = 2, NUMBERS = 2 };
    add_products(needs, part, RL_WORK_PRODUCTS, flops, (double)FLOPS / NUMBERS);
}

void rl_needs_panels(rl_needs *needs, rl_part part, double flops, int panels) {
    enum { FLOPS = 4, NUMBERS = 3 };
    add_products(needs, part, RL_WORK_PANELS, flops, (double)FLOPS * panels / NUMBERS);
}

void rl_needs_pass(rl_needs *needs, rl_part part, double flops, double bytes, double matrix_bytes) {
    needs->found.traffic[part].bytes += bytes * needs->ranks;
    add_work(needs, (rl_case_work){part, RL_WORK_PRODUCTS, flops, bytes, matrix_bytes});
}

double rl_hops(const rl_needs *needs) {
    return log2(needs->ranks);
}

void rl_needs_calls(rl_needs *needs, rl_part part, double calls) {
    rl_needs_work(needs, part, RL_WORK_COLUMNS, calls / RL_CALLS_PER_COLUMN);
    rl_needs_work(needs, part, RL_WORK_MESSAGES, calls * rl_hops(needs));
}

void rl_needs_agreements(rl_needs *needs, rl_part part, double agreements) {
    rl_needs_work(needs, part, RL_WORK_MESSAGES, agreements * rl_hops(needs));
}

void rl_needs_spreading(rl_needs *needs, rl_part part, double elements) {
    const double rows = needs->shape.rows, columns = needs->shape.columns;
    const double messages = log2(columns) / rows + log2(rows) / columns;
    if (needs->ranks > 1) rl_needs_work(needs, part, RL_WORK_MESSAGE_BYTES, word * elements / 2 * messages);
}

void rl_needs_sum(rl_needs *needs, rl_part part, double numbers) {
    const double messages = 2 * rl_hops(needs);
    rl_needs_work(needs, part, RL_WORK_MESSAGES, messages * ceil(numbers / RL_SUM_PIECE));
    rl_needs_work(needs, part, RL_WORK_MESSAGE_BYTES, messages * word * numbers);
}

void rl_needs_dealing(rl_needs *needs, rl_part part, double elements) {
    enum { AGREEMENTS = 6 };
    if (needs->ranks == 1) return;
    rl_needs_work(needs, part, RL_WORK_MESSAGE_BYTES, 2 * word * elements / needs->ranks);
    rl_needs_work(needs, part, RL_WORK_MESSAGES, needs->ranks);
    rl_needs_agreements(needs, part, AGREEMENTS);
}
