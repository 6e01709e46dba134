/* What the points of a curve on a grid take: solves with triangles and products by them, how many and of how many
 * vectors. Sizes are told as if they were evenly spaced, and features as if they were normal numbers. */
#include <math.h>

#include "curve.h"

static const double word = sizeof(double);

/* Some operations of one kind on triangles, all together. */
typedef struct operations {
    double passes;    /* through a triangle */
    double numbers;   /* of the triangles that are gone through */
    double lengths;   /* of all vectors that are taken through */
    double flops;     /* of products */
    double diagonal;  /* flops of solves with the diagonal blocks */
    double touched;   /* numbers of vectors that are gone through in between */
    double eigenvals; /* squares of the orders of tridiagonal matrices whose eigenvalues are found */
} operations;

/* `vectors` of a length are taken through a triangle, so many times. */
static void take_through(operations *o, double order, double length, double vectors, double times) {
    o->passes += times;
    o->numbers += times * order * order / 2;
    o->lengths += times * vectors * length;
    o->flops += times * vectors * length * length;
}

static void solve(operations *o, const rl_core *core, double order, double length, double vectors, double times) {
    take_through(o, order, length, vectors, times);
    o->diagonal += times * vectors * length * fmin(core->m.row_block, length);
}

/* Reading a triangle, packing it and multiplying by it add up: vectors are so few that BLAS packs as much as it
 * multiplies. A block of the diagonal is solved with on one rank while the others wait. Each block of a solve has two
 * messages, which carry the vectors along rows and columns of the grid. */
static void tell_operations(const rl_core *core, rl_part part, const operations *o, rl_needs *needs) {
    const rl_process_grid *grid = core->grid;
    const double n = core->columns, blocks = ceil(n / core->m.row_block);
    const double carried = o->lengths * (log2(grid->n_columns) / grid->n_rows + log2(grid->n_rows) / grid->n_columns);
    const double shorter = fmin(grid->n_rows, grid->n_columns), several = 4; /* vectors of each member */
    if (o->passes == 0) return;
    rl_needs_flops(needs, part, o->flops, INFINITY);
    rl_needs_pass(needs, part, 0, word * o->numbers / needs->ranks, word * o->numbers / o->passes / needs->ranks);
    if (o->touched > 0)
        rl_needs_pass(needs, part, 0, word * o->touched / shorter, several * word * o->lengths / o->passes / shorter);
    rl_needs_work(needs, part, RL_WORK_NARROW, o->flops / needs->ranks);
    rl_needs_work(needs, part, RL_WORK_PACKING, word * o->numbers / needs->ranks);
    rl_needs_work(needs, part, RL_WORK_TRIANGLES, o->diagonal);
    rl_needs_work(needs, part, RL_WORK_TRIDIAGONAL, o->eigenvals / needs->ranks);
    rl_needs_work(needs, part, RL_WORK_MESSAGES, o->passes * 2 * blocks * rl_hops(needs));
    rl_needs_work(needs, part, RL_WORK_MESSAGE_BYTES, 2 * word * carried);
}

/* ---- extreme singular values ------------------------------------------------------------------------------------- */

/* Steps of Lanczos until an extreme singular value of n x p normal numbers stands. The relative gap between extreme
 * eigenvalues of such a Gram matrix, or of its inverse, is of the order d^(-2/3) (n p)^(-1/6), where d is sqrt(n) +
 * sqrt(p) at its largest and |sqrt(n) - sqrt(p)| at its smallest (Johnstone, Annals of Statistics 29, 2001; Feldheim
 * and Sodin, GAFA 20, 2010), and steps go with the root of its inverse (Saad, Numerical Methods for Large Eigenvalue
 * Problems, 6.6). The factors were counted: 15 to 95 steps, P from 300 to 1500, N from P / 2 to 5 P / 3, to 20 %. */
static double count_steps(double n, double p, rl_extreme which) {
    static const double first = 4, factor = 5.5;
    const double distance = which == RL_LARGEST ? sqrt(n) + sqrt(p) : fabs(sqrt(n) - sqrt(p));
    return first + factor * cbrt(distance) * pow(n * p, 1.0 / 12);
}

/* The eigenvalues of the tridiagonal matrices on the way: every fourth step, and later every sixteenth of the steps. */
static double sum_orders(double steps) {
    static const double often = 64, every = 4, later = 16;
    const double early = fmin(steps, often);
    return early * early * early / (3 * every) + later / 2 * (steps * steps - early * early);
}

/* `members` sizes side by side, of about n rows and of at most `longest`; less than one member is as likely as that.
 * The slowest one makes the passes, a tenth more than all on average; each step goes through its vectors so many times
 * beside the operations. */
static void add_family(const rl_core *core, double n, double longest, double members, operations *o) {
    static const double slowest = 1.1, through = 16;
    const rl_extreme both[] = {RL_SMALLEST, RL_LARGEST};
    const double order = fmin(longest, core->columns), length = fmin(n, order), families = fmin(members, 1);
    for (int i = 0; i < 2 && members > 0; i++) {
        const double steps = fmin(count_steps(n, core->rows, both[i]), length);
        const double passes = 2 * slowest * steps * families, vectors = members / families / slowest;
        if (both[i] == RL_SMALLEST)
            solve(o, core, order, length, vectors, passes);
        else
            take_through(o, order, length, vectors, passes);
        o->eigenvals += members * sum_orders(steps);
        o->touched += through * length * members * steps;
    }
}

/* ---- sizes above n_features -------------------------------------------------------------------------------------- */

/* How many rows may lie between the sizes that are corrected for together, where the triangle has `over` rows more than
 * columns: rows of I + S^T S, S = R^-1 rows, add up to at most RL_MOST_LOST. For normal numbers an entry of S^T S is
 * p / over on the diagonal and beside it p / over^1.5 times a normal number (moments of the inverse Wishart law). */
static double rows_together(double over, double p) {
    static const double mean = 0.8; /* of a normal number without its sign */
    const double left = RL_MOST_LOST - 1 - p / over;
    return over > 0 && left > 0 ? fmin(RL_ROW_SPAN, 1 + left / (mean * p / (over * sqrt(over)))) : 0;
}

/* Rows are appended to the triangle, a panel of each block of columns after the other: each makes its reflector, whose
 * cost is that of five products of blocks, while the others wait; a product with it has the triangle read and written.
 */
static void tell_appending(const rl_core *core, double rows, operations *o, rl_needs *needs) {
    static const double panel = 5;
    const double n = core->columns, block = fmin(core->m.row_block, n), batches = ceil(rows / RL_ROW_BATCH);
    o->passes += 2 * batches;
    o->numbers += batches * n * n;
    o->flops += n * n * (2 * rows + block * batches);
    o->diagonal += panel * batches * n * block * block;
    rl_needs_work(needs, RL_PART_REDUCE, RL_WORK_MESSAGE_BYTES,
                  word * n * (block * batches + rows) * 2 * rl_hops(needs));
}

/* Each group appends what lies between it and the one before; solves for as many rows as might go together, and for the
 * fit, its corrections and the probes; and predicts all later rows. */
static void tell_tall(const rl_core *core, double first, double n, double step, double part_sigma, operations *sigma,
                      rl_needs *needs) {
    operations appending = {0}, fits = {0};
    const double p = core->columns, later = core->n_left;
    double at = p;
    for (double i = 0; i < n;) {
        const double size = first + i * step, rows = fmin(rows_together(size - p, p), (n - 1 - i) * step);
        const double members = 1 + floor(rows / step + 1e-9);
        tell_appending(core, size - at, &appending, needs);
        solve(&fits, core, p, p, fmin(RL_ROW_SPAN, (n - 1 - i) * step), 1);
        solve(&fits, core, p, p, 1 + rows + RL_PROBES, 1);
        fits.flops += 2 * p * later * members;
        fits.numbers += p * later;
        add_family(core, size, size, members * part_sigma, sigma);
        at = size;
        i += members;
    }
    tell_operations(core, RL_PART_REDUCE, &appending, needs);
    tell_operations(core, RL_PART_FIT, &fits, needs);
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

/* What is left of every later row, one coordinate after the other. */
static void tell_fits(const rl_core *core, rl_needs *needs) {
    const double others = (double)core->n_left * core->rows, bytes = word * others / needs->ranks;
    operations fit = {0};
    rl_needs_flops(needs, RL_PART_FIT, 4 * others, INFINITY);
    rl_needs_pass(needs, RL_PART_FIT, 0, 2 * bytes, bytes);
    solve(&fit, core, core->columns, core->columns, 1 + RL_PROBES, 1);
    tell_operations(core, RL_PART_FIT, &fit, needs);
    rl_needs_calls(needs, RL_PART_FIT, core->columns);
}

/* Wide sizes that want singular values, 64 together from the longest on: n of them from `first` on. */
static void add_wide(const rl_core *core, double first, double n, double step, operations *sigma) {
    for (double left = n; left > 0; left -= RL_VECTORS) {
        const double members = fmin(left, RL_VECTORS), longest = first + fmax(left - 1, 0) * step,
                     width = members * step;
        const double middle = first + fmax(left - (members + 1) / 2, 0) * step;
        add_family(core, sqrt(middle * middle + width * width / 12), longest, members, sigma);
    }
}

void rl_curve_tell_work(const rl_grid_curve *curve, double n_sigma, rl_needs *needs) {
    const rl_core *core = &curve->placed.core;
    const double first = curve->c->n_train[0], last = curve->c->rows.n_train, p = curve->n_features;
    const double n_sizes = fmax(fmax(curve->c->n_sizes, (double)curve->n_bounds), n_sigma);
    const double step = n_sizes > 1 ? (last - first) / (n_sizes - 1) : 1, part_sigma = n_sigma / n_sizes;
    const double n_wide = first > p ? 0 : fmin(n_sizes, floor((p - first) / step + 1e-9) + 1);
    operations sigma = {0};
    if (n_sigma > 0) add_wide(core, first, n_wide * part_sigma, step / part_sigma, &sigma);
    if (n_sizes > n_wide) tell_tall(core, first + n_wide * step, n_sizes - n_wide, step, part_sigma, &sigma, needs);
    tell_operations(core, RL_PART_DIAGONALIZE, &sigma, needs);
    tell_fits(core, needs);
}
