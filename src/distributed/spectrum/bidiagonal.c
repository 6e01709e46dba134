/* The implicit QR iteration on a bidiagonal matrix: blocks, convergence, beginning and end. */
#include "bidiagonal.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../clones.h"
#include "../../numbers.h"
#include "iteration.h"

void rl_iteration_apply(rl_iteration *it) {
    const rl_operands *o = it->operands;
    rl_sweeps_apply(&it->sweeps[RL_ROWS], it->reversed, o->rows, o->n_rows, o->ld_rows, o->max_lanes);
    if (!o->keep_columns)
        rl_sweeps_apply(&it->sweeps[RL_COLUMNS], it->reversed, it->columns, o->n_columns, it->ld_columns, o->max_lanes);
    for (int i = 0; i < 2; i++) rl_sweeps_clear(&it->sweeps[i]);
}

/* ---- convergence ------------------------------------------------------------------------------------------------- */

/* The next of Demmel and Kahan's lower bounds: the smallest singular value of the rows and columns up to i is at least
 * the least of the bounds so far over sqrt(n), and all of them change by a relative RL_TOLERANCE at most when an
 * element of e below RL_TOLERANCE times its row's bound is made zero. */
static double next_bound(double bound, double e, double d) {
    return fabs(d) * (bound / (bound + fabs(e)));
}

/* Zeros at the end of the block. */
static void trim_block(rl_iteration *it) {
    const double *d = it->d;
    double *e = it->e;
    while (it->hi > it->lo && fabs(e[it->hi - 1]) <= rl_larger(it->negligible, RL_TOLERANCE * fabs(d[it->hi])))
        e[--it->hi] = 0;
}

/* Makes zeros of all that is small enough in e, leaves the last block or element in lo ... hi, and bounds it. */
static void examine_block(rl_iteration *it) {
    const double *d = it->d;
    double *e = it->e, bound = fabs(d[it->lo]);
    it->smallest = it->largest = bound;
    for (int i = it->lo; i < it->hi; i++) {
        const double size = fabs(e[i]);
        if (!(size <= rl_larger(it->negligible, RL_TOLERANCE * bound))) {
            bound = next_bound(bound, size, d[i + 1]);
            it->smallest = rl_smaller(it->smallest, bound);
            it->largest = rl_larger(it->largest, rl_larger(size, fabs(d[i + 1])));
            continue;
        }
        e[i] = 0;
        if (i == it->hi - 1) {
            it->hi--;
        } else {
            it->lo = i + 1;
            bound = it->smallest = it->largest = fabs(d[i + 1]);
        }
    }
}

/* True if examine_block could find a zero: a row's bound is no more than its diagonal element. */
RL_CLONES static bool may_split(const double *d, const double *e, int n, double negligible) {
    int small = 0;
    for (int i = 0; i < n; i++) {
        const double size = fabs(e[i]), limit = RL_TOLERANCE * fabs(d[i]);
        small |= (size <= limit) | (size <= negligible);
    }
    return small != 0;
}

/* The smallest singular value may be so small that a shift would spoil it. */
static bool is_delicate(const rl_iteration *it) {
    return 100.0 * it->n * it->smallest <= it->largest;
}

/* Many sweeps at a time treat all singular values alike, single ones get at the smallest first, and from then on it has
 * no part in errors: where it is far below the others, its own roundings are to count. */
static bool needs_single_sweeps(const rl_iteration *it) {
    return it->hi - it->lo + 1 < RL_CHASE_LEAST || 1000 * it->smallest <= it->largest;
}

/* True if nobody knows, or if it may have changed, what kind of sweeps the block needs. */
static bool needs_bounds(const rl_iteration *it) {
    if (is_delicate(it)) return true;
    return it->hi - it->lo + 1 >= RL_CHASE_LEAST && needs_single_sweeps(it);
}

/* ---- iteration --------------------------------------------------------------------------------------------------- */

static void reverse_array(double *x, int n) {
    for (int i = 0; i < n / 2; i++) {
        const double swapped = x[i];
        x[i] = x[n - 1 - i];
        x[n - 1 - i] = swapped;
    }
}

static void reverse_order(rl_iteration *it) {
    const int lo = it->lo;
    rl_iteration_apply(it);
    reverse_array(it->d, it->n);
    reverse_array(it->e, it->n - 1);
    it->lo = it->n - 1 - it->hi;
    it->hi = it->n - 1 - lo;
    it->reversed = !it->reversed;
}

/* The last block that is not diagonal. */
static bool find_block(rl_iteration *it) {
    it->hi = it->n - 1;
    while (it->hi > 0 && it->e[it->hi - 1] == 0) it->hi--;
    it->lo = it->hi;
    while (it->lo > 0 && it->e[it->lo - 1] != 0) it->lo--;
    return it->lo < it->hi;
}

static void sweep_once(rl_iteration *it) {
    const double shift = rl_chase_shift(it, it->lo, it->hi);
    if (shift == 0) {
        rl_chase_zero(it);
    } else {
        const rl_chase chase = rl_chase_begin(it, it->lo, it->hi, it->lo, it->hi);
        rl_chase_shifted(it, &chase, shift);
    }
}

/* Looks for singular values that have converged, or brings them nearer to it. */
static void sweep_block(rl_iteration *it) {
    double shifts[RL_SWEEPS];
    if (is_delicate(it)) {
        rl_chase_zero(it);
    } else if (needs_single_sweeps(it)) {
        sweep_once(it);
    } else if (rl_iteration_deflate(it, shifts) < RL_SWEEPS) {
        rl_chase_many(it, shifts);
    }
}

/* What is split off is left to find_block, but for its last part. Sweeps hardly change the bounds, so bounds are made
 * anew only when they matter. */
static bool diagonalize_block(rl_iteration *it) {
    bool examined = false;
    it->smallest = 0;
    for (;;) {
        trim_block(it);
        if (it->hi <= it->lo + 1) break;
        if (!examined &&
            (needs_bounds(it) || may_split(it->d + it->lo, it->e + it->lo, it->hi - it->lo, it->negligible))) {
            examine_block(it);
            examined = true;
            continue;
        }
        if (it->rotations_left < 0) return false;
        sweep_block(it);
        examined = false;
    }
    if (it->lo < it->hi) rl_chase_pair(it);
    return true;
}

/* Sweeps go from the block's large end to its small one. */
static bool iterate_blocks(rl_iteration *it) {
    bool converged = true;
    while (converged && find_block(it)) {
        if (fabs(it->d[it->lo]) < fabs(it->d[it->hi])) reverse_order(it);
        converged = diagonalize_block(it);
    }
    if (it->reversed) reverse_order(it);
    rl_iteration_apply(it);
    return converged;
}

/* ---- beginning and end ------------------------------------------------------------------------------------------- */

static void set_negligible(rl_iteration *it) {
    const double n = it->n;
    double bound = fabs(it->d[0]), smallest = bound;
    for (int i = 1; i < it->n && smallest > 0; i++) {
        bound = next_bound(bound, it->e[i - 1], it->d[i]);
        smallest = fmin(smallest, bound);
    }
    it->negligible = fmax(RL_TOLERANCE * smallest / sqrt(n), 6 * n * n * DBL_MIN);
}

/* To elements of at most 1, by a power of two. Returns its exponent. */
static int scale_elements(rl_iteration *it) {
    double largest = 0;
    int exponent = 0;
    for (int i = 0; i < it->n; i++) largest = fmax(largest, fabs(it->d[i]));
    for (int i = 0; i < it->n - 1; i++) largest = fmax(largest, fabs(it->e[i]));
    frexp(largest, &exponent);
    for (int i = 0; i < it->n; i++) it->d[i] = ldexp(it->d[i], -exponent);
    for (int i = 0; i < it->n - 1; i++) it->e[i] = ldexp(it->e[i], -exponent);
    return exponent;
}

static int descending(const void *a, const void *b) {
    const rl_mode *x = a, *y = b;
    return x->sigma != y->sigma ? (x->sigma < y->sigma) - (x->sigma > y->sigma) : x->column - y->column;
}

/* Column r of the rows becomes the one that mode r has. Cycle by cycle; `spare` holds a column. */
static void order_rows(rl_mode *modes, int n, const rl_operands *o, double *spare) {
    const size_t bytes = (size_t)o->n_rows * sizeof(double), ld = (size_t)o->ld_rows;
    for (int r = 0; r < n && bytes > 0; r++) {
        int to = r;
        if (modes[r].column == r) continue;
        memcpy(spare, o->rows + (size_t)r * ld, bytes);
        while (modes[to].column != r) {
            const int from = modes[to].column;
            memcpy(o->rows + (size_t)to * ld, o->rows + (size_t)from * ld, bytes);
            modes[to].column = to;
            to = from;
        }
        memcpy(o->rows + (size_t)to * ld, spare, bytes);
        modes[to].column = to;
    }
}

/* A negative element changes its sign, and the left or right vector, the one that multiplies the columns, with it. */
static void finish_modes(rl_iteration *it, int exponent) {
    rl_mode *const modes = it->modes;
    const rl_operands *o = it->operands;
    const size_t n = (size_t)it->n;
    for (int r = 0; r < it->n; r++) modes[r] = (rl_mode){fabs(it->d[r]), r};
    qsort(modes, n, sizeof *modes, descending);
    for (size_t r = 0; r < n; r++) {
        const size_t from = (size_t)modes[r].column;
        for (size_t t = 0; t < (size_t)o->n_columns && !o->keep_columns; t++)
            o->columns[t * n + r] = copysign(1, it->d[from]) * it->columns[from * (size_t)it->ld_columns + t];
    }
    for (size_t r = 0; r < n; r++) it->d[r] = ldexp(modes[r].sigma, exponent);
    order_rows(modes, it->n, o, it->spare);
}

/* ---- large rows -------------------------------------------------------------------------------------------------- */

/* Columns divided by their scales (rotations.h) are up to 2^400 times as large: rows that have so large numbers are
 * turned as rows that are smaller by a power of two. factors [rows]: 1, or what they are multiplied by meanwhile.
 * False: all are 1. */
RL_CLONES static bool find_factors(int rows, int n, const double *x, size_t ld, double *factors) {
    const double large = 0x1p500, factor = 0x1p-600;
    bool any = false;
    memset(factors, 0, (size_t)rows * sizeof *factors);
    for (size_t j = 0; j < (size_t)n; j++)
        for (int i = 0; i < rows; i++) factors[i] = rl_larger(factors[i], fabs(x[j * ld + (size_t)i]));
    for (int i = 0; i < rows; i++) {
        any |= factors[i] >= large;
        factors[i] = factors[i] >= large ? factor : 1;
    }
    return any;
}

static void multiply_rows(int rows, int n, double *x, size_t ld, const double *factors, bool back) {
    for (size_t j = 0; j < (size_t)n; j++)
        for (size_t i = 0; i < (size_t)rows; i++) x[j * ld + i] *= back ? 1 / factors[i] : factors[i];
}

static bool iterate_on_small_rows(rl_iteration *it) {
    const rl_operands *o = it->operands;
    double *const operands[] = {o->rows, it->columns}, *const factors[] = {it->factors, it->factors + o->n_rows};
    const int rows[] = {o->n_rows, o->n_columns}, ld[] = {o->ld_rows, it->ld_columns};
    bool large[2];
    for (int i = 0; i < 2; i++) {
        large[i] = find_factors(rows[i], it->n, operands[i], (size_t)ld[i], factors[i]);
        if (large[i]) multiply_rows(rows[i], it->n, operands[i], (size_t)ld[i], factors[i], false);
    }
    const bool converged = iterate_blocks(it);
    for (int i = 0; i < 2; i++)
        if (large[i]) multiply_rows(rows[i], it->n, operands[i], (size_t)ld[i], factors[i], true);
    return converged;
}

static void list_iteration(rl_arena *arena, void *object) {
    rl_iteration *it = object;
    const size_t n = (size_t)it->n;
    RL_TAKE(arena, it->columns, n * (size_t)it->ld_columns);
    RL_TAKE(arena, it->modes, n);
    RL_TAKE(arena, it->spare, rl_larger(2 * n, (size_t)it->operands->n_rows));
    RL_TAKE(arena, it->factors, (size_t)it->operands->n_rows + (size_t)it->operands->n_columns);
    for (int i = 0; i < 2; i++) rl_sweeps_list(&it->sweeps[i], arena);
}

static rl_iteration lay_out_iteration(int n, const rl_operands *operands) {
    return (rl_iteration){.n = n,
                          .rotations_left = 6 * (int64_t)n * n,
                          .operands = operands,
                          .sweeps = {{.n = n}, {.n = n}},
                          .ld_columns = rl_whole_lanes(operands->n_columns)};
}

size_t rl_bidiagonal_bytes(int n, const rl_operands *operands) {
    rl_iteration it = lay_out_iteration(n, operands);
    return rl_arrays_bytes(&it, list_iteration);
}

static void take_columns(rl_iteration *it) {
    const rl_operands *o = it->operands;
    const size_t n = (size_t)it->n;
    for (size_t t = 0; t < (size_t)o->n_columns; t++)
        for (size_t i = 0; i < n; i++) it->columns[i * (size_t)it->ld_columns + t] = o->columns[t * n + i];
}

rl_status rl_bidiagonal_diagonalize(int n, double *d, double *e, const rl_operands *operands, bool *converged) {
    rl_iteration it = lay_out_iteration(n, operands);
    RL_TRY(rl_arrays_create(&it, list_iteration));
    it.d = d;
    it.e = e;
    take_columns(&it);
    const int exponent = scale_elements(&it);
    set_negligible(&it);
    *converged = iterate_on_small_rows(&it);
    if (*converged) finish_modes(&it, exponent);
    rl_free(it.columns);
    return RL_OK;
}
