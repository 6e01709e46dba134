#include "ridgeless/case_cost.h"

#include <math.h>

#include "case_shape.h"

static const double word = sizeof(double);

/* A case on its grid at a machine's speed. */
typedef struct model {
    const rl_case_sizes *c;
    const rl_rates *rates;
    rl_case_shape shape;
    double rows, columns, left, right, ranks; /* of the shape */
    double hops;                              /* messages that a call waits for, one after the other */
    double gemm;                              /* flops a second, all ranks */
} model;

static model make_model(const rl_case_sizes *c, const rl_rates *rates) {
    model m = {.c = c, .rates = rates, .shape = rl_case_shape_of(c, c->ranks)};
    m.rows = (double)m.shape.rows;
    m.columns = (double)m.shape.columns;
    m.left = (double)m.shape.left;
    m.right = (double)m.shape.right;
    m.ranks = c->ranks;
    m.hops = log2(m.ranks);
    m.gemm = rates->gemm * m.ranks;
    return m;
}

/* ---- memory's speed ---------------------------------------------------------------------------------------------- */

/* Bytes a second of a rank that goes through a matrix of `bytes` over and over. A matrix that is in its cache it reads
 * as it would with all cores busy; memory's speed is shared by those that are. */
static double reading_speed(const model *m, double bytes) {
    const rl_rates *rates = m->rates;
    const double cores = rates->cores, busy = m->c->busy > 0 ? m->c->busy : fmin(cores, m->ranks);
    const double share = rl_rate_at(&rates->gemv, bytes);
    return fmin(share * cores / busy, fmax(share, rates->gemv_alone));
}

/* Half of the bidiagonal reduction of rows x columns: each column's step reads what is left of the matrix twice. */
static double reading_reduction(const model *m, double rows, double columns) {
    enum { SLICES = 16 };
    double seconds = 0;
    for (int i = 0; i < SLICES; i++) {
        const double done = (i + 0.5) / SLICES * columns, left = word * (rows - done) * (columns - done) / m->ranks;
        seconds += columns / SLICES * 2 * left / reading_speed(m, left);
    }
    return seconds;
}

/* Panels of a block's width, whose columns are `length` long on average, on one row or column of the grid: each column
 * is multiplied with what is left of the panel, which is then read and written. */
static double panels(const model *m, double columns, double length, double processes) {
    const double width = fmin((double)m->shape.block, columns), share = length / processes;
    const double bytes = 3 * word * columns * share * width / 2;
    return bytes / reading_speed(m, word * share * width);
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

/* Of PBLAS, by pdgebrd, by pdgeqr2 or pdgelq2, and by pdlarft. */
enum { CALLS_A_COLUMN = 27, CALLS_A_PANEL_COLUMN = 8, CALLS_A_REFLECTOR = 2 };

static double calls(const model *m, double columns, double calls_a_column) {
    return columns * calls_a_column * (m->rates->column / CALLS_A_COLUMN + m->hops * m->rates->message);
}

/* Block reflectors pass along rows and columns of the grid, the whole matrix's rows and columns in the end. */
static double broadcasts(const model *m, double elements) {
    if (m->ranks < 2) return 0;
    return word * elements / sqrt(m->ranks) * log2(1 + sqrt(m->ranks)) / m->rates->message_bandwidth;
}

/* A matrix dealt out anew: all but a rank's own part travels. */
static double dealing(const model *m, double elements) {
    if (m->ranks < 2) return 0;
    return 2 * word * elements / m->ranks / m->rates->message_bandwidth + m->ranks * m->rates->message;
}

/* ---- phases of a spectrum ---------------------------------------------------------------------------------------- */

/* Every number is drawn once, and then looked at four times: finite? its size; times beta*; scaled. */
static double generating(const model *m) {
    const double elements = (m->rows + m->right) * (m->columns + m->left) / m->ranks;
    const double targets = (double)(m->c->n_train + m->c->n_test);
    return m->c->normals / m->ranks / m->rates->normals + 4 * word * elements / reading_speed(m, word * elements) +
           (m->ranks > 1 ? 2 * word * targets * m->ranks / m->rates->message_bandwidth : 0);
}

/* QR of A, with the left border. */
static double qr_flops(const model *m) {
    const double r = m->rows, n = m->columns;
    return 2 * r * n * n - 2.0 / 3 * n * n * n + 4 * r * n * m->left - 2 * n * n * m->left;
}

static void add_qr(const model *m, rl_case_cost *cost) {
    const double r = m->rows, n = m->columns, flops = qr_flops(m);
    cost->flops += flops;
    cost->reduce += flops / m->gemm + panels(m, n, r - n / 2, (double)m->shape.grid_rows) +
                    calls(m, n, CALLS_A_PANEL_COLUMN) + broadcasts(m, n * (r + n + m->left));
}

/* One-stage bidiagonal reduction of rows x columns. */
static void add_bidiagonal(const model *m, double rows, rl_case_cost *cost) {
    const double n = m->columns, flops = 4 * rows * n * n - 4.0 / 3 * n * n * n;
    cost->flops += flops;
    cost->reduce += flops / 2 / m->gemm + reading_reduction(m, rows, n) + calls(m, n, CALLS_A_COLUMN) +
                    broadcasts(m, 2 * n * (rows + n));
}

/* Q^T and P applied to the borders. */
static double border_flops(const model *m, double rows) {
    const double n = m->columns;
    return (4 * rows * n - 2 * n * n) * m->left + 2 * n * n * m->right;
}

static void add_multiplications(const model *m, double flops, double *phase, rl_case_cost *cost) {
    cost->flops += flops;
    *phase += flops / m->gemm;
}

/* Z goes to its ranks; turned before, where test rows are columns. */
static void add_gathering(const model *m, rl_case_cost *cost) {
    cost->project += (m->shape.wide ? 2 : 1) * dealing(m, (double)m->shape.z_rows * m->columns);
}

static double own_rows(const model *m) {
    return ceil((double)m->shape.z_rows / m->ranks) + RL_CASE_TARGETS;
}

/* A rotation is 6 flops, and there is about one for each of n^2 and row. */
static void add_rotations(const model *m, double rotated, double speed, rl_case_cost *cost) {
    const double n = m->columns;
    cost->flops += 6 * n * n * rotated * m->ranks;
    cost->diagonalize += n * n * (m->rates->bidiagonal + rotated / speed);
}

static void add_projected(const model *m, rl_case_cost *cost) {
    const double rows = m->shape.qr_first ? m->columns : m->rows;
    add_bidiagonal(m, rows, cost);
    add_multiplications(m, border_flops(m, rows), &cost->project, cost);
    /* Every block of reflectors is gone through column by column once more, to make its triangle. */
    cost->project += panels(m, m->columns, rows - m->columns / 2, (double)m->shape.grid_rows) +
                     panels(m, m->columns, m->columns / 2, (double)m->shape.grid_columns) +
                     calls(m, 2 * m->columns, CALLS_A_REFLECTOR);
    add_gathering(m, cost);
    add_rotations(m, own_rows(m), m->rates->rotations, cost);
}

/* Dense to band: a QR and an LQ panel for each block of columns, with the borders; then each rank gets the band, and
 * turns its own rows on the band's way to bidiagonal form. */
static void add_two_stage(const model *m, rl_case_cost *cost) {
    const double rows = m->shape.qr_first ? m->columns : m->rows, n = m->columns, width = (double)m->shape.block;
    const double flops = 4 * rows * n * n - 4.0 / 3 * n * n * n + border_flops(m, rows), turned = own_rows(m);
    add_multiplications(m, flops, &cost->reduce, cost);
    cost->reduce += panels(m, n, rows - n / 2, (double)m->shape.grid_rows) +
                    panels(m, n, n / 2, (double)m->shape.grid_columns) + calls(m, 2 * n, CALLS_A_PANEL_COLUMN) +
                    broadcasts(m, 2 * n * (rows + n + m->left + m->right));
    add_gathering(m, cost);
    if (m->ranks > 1)
        cost->project +=
            2 * m->hops * (n / width * m->rates->message + 2 * word * n * width / m->rates->message_bandwidth);
    cost->flops += m->ranks * n * n * (8 * width + 4 * turned);
    cost->diagonalize += n * n * (width * m->rates->band + turned / m->rates->band_rotations);
    add_rotations(m, turned, m->rates->rotations, cost);
}

/* All rows of U and all columns of V^T are turned, and both multiplied by the reflectors; then the borders by them. */
static void add_pdgesvd(const model *m, rl_case_cost *cost) {
    const double n = m->columns;
    rl_case_cost reduction = {0};
    add_bidiagonal(m, n, &reduction);
    cost->flops += reduction.flops;
    cost->diagonalize += reduction.reduce + 2 * dealing(m, n * n);
    add_multiplications(m, 4 * n * n * n, &cost->diagonalize, cost);
    add_rotations(m, 2 * ceil(n / m->ranks), m->rates->pdgesvd_rotations, cost);
    add_multiplications(m, 2 * n * n * (m->left + m->right), &cost->project, cost);
    add_gathering(m, cost);
}

/* Each variant's predictions read Z once. */
static void add_fits(const model *m, rl_case_cost *cost) {
    const double z = m->columns * ceil((double)m->shape.z_rows / m->ranks), variants = (double)m->c->n_variants;
    cost->flops += 2 * z * m->ranks * variants;
    cost->fit += variants * word * z / reading_speed(m, word * z);
}

static void add_spectrum(const model *m, rl_case_cost *cost) {
    if (m->shape.qr_first) add_qr(m, cost);
    if (m->c->way == RL_CASE_PDGESVD)
        add_pdgesvd(m, cost);
    else if (m->c->way == RL_CASE_PROJECTED)
        add_projected(m, cost);
    else
        add_two_stage(m, cost);
    add_fits(m, cost);
}

/* ---- a curve ----------------------------------------------------------------------------------------------------- */

/* Solves with the triangle or products by it, for `vectors` at once: the triangle is gone through once, block by block,
 * with two messages each. */
static double solving(const model *m, double vectors) {
    const double n = m->columns, blocks = ceil(n / (double)m->shape.block), triangle = word * n * n / 2 / m->ranks;
    return fmax(triangle / reading_speed(m, triangle), n * n * vectors / m->gemm) +
           2 * blocks * m->hops * m->rates->message;
}

/* Rows beyond the triangle's order are appended to it. */
static void add_appending(const model *m, rl_case_cost *cost) {
    const double n = m->columns, appended = fmax(0, (double)(m->c->n_train - m->c->n_features));
    const double batches = ceil(appended / (2 * (double)m->shape.block));
    add_multiplications(m, 4 * n * n * appended, &cost->reduce, cost);
    cost->reduce += batches * (panels(m, n, 2 * (double)m->shape.block, 1) + calls(m, n, CALLS_A_PANEL_COLUMN));
}

/* Singular values of many sizes side by side: Lanczos for the smallest and the largest, two solves or products a step.
 */
static void add_sigma(const model *m, rl_case_cost *cost) {
    enum { AT_ONCE = 64, STEPS = 25, EXTREMES = 2, SOLVES = 2 };
    const double wanted = (double)m->c->n_sigma, groups = ceil(wanted / AT_ONCE), n = m->columns;
    const double solves = STEPS * EXTREMES * SOLVES;
    if (wanted == 0) return;
    cost->flops += solves * n * n * wanted;
    cost->diagonalize += groups * solves * solving(m, wanted / groups);
}

static void add_curve(const model *m, rl_case_cost *cost) {
    const double n = m->columns, others = m->left * m->rows;
    add_qr(m, cost);
    add_appending(m, cost);
    add_sigma(m, cost);
    /* What is left of every later row, one coordinate after the other. */
    cost->flops += 4 * others;
    cost->fit +=
        2 * word * others / m->ranks / reading_speed(m, word * others / m->ranks) + 4 * solving(m, 1) + calls(m, n, 1);
}

/* ------------------------------------------------------------------------------------------------------------------ */

rl_case_way rl_case_way_of(rl_producer producer) {
    static const rl_case_way ways[] = {[RL_PRODUCER_PDGESVD] = RL_CASE_PDGESVD,
                                       [RL_PRODUCER_PROJECTED] = RL_CASE_PROJECTED,
                                       [RL_PRODUCER_TWO_STAGE] = RL_CASE_TWO_STAGE};
    return ways[producer];
}

rl_case_cost rl_case_predict(const rl_case_sizes *c, const rl_rates *rates) {
    const model m = make_model(c, rates);
    rl_case_cost cost = {.bytes = rl_case_bytes(c, c->ranks), .generate = generating(&m)};
    if (c->way == RL_CASE_CURVE)
        add_curve(&m, &cost);
    else
        add_spectrum(&m, &cost);
    cost.seconds = cost.generate + cost.reduce + cost.project + cost.diagonalize + cost.fit;
    return cost;
}
