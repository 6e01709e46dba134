/* The implicit QR iteration on a bidiagonal matrix. */
#include "bidiagonal.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../clones.h"
#include "../../lapack.h"
#include "../../numbers.h"
#include "rotations.h"

/* LAPACK: a plane rotation, and the singular values, or all of the decomposition, of [f g; 0 h], safe from overflow. */
void dlartg_(const double *f, const double *g, double *c, double *s, double *r);
void dlas2_(const double *f, const double *g, const double *h, double *smallest, double *largest);
void dlasv2_(const double *f, const double *g, const double *h, double *smallest, double *largest, double *s_right,
             double *c_right, double *s_left, double *c_left);

enum { ROWS, COLUMNS };

/* Criteria of convergence, relative: Demmel and Kahan's tolerance, a hundred roundings. */
static const double TOLERANCE = 100 * (DBL_EPSILON / 2);

/* A sum of squares between these bounds has not overflowed, and has lost nothing that counts to underflow. */
static const double SAFE_MIN = 0x1p-900, SAFE_MAX = 0x1p900;

typedef struct mode {
    double sigma;
    int column;
} mode;

/* A chase goes down. Where it should go up, the order of rows and columns is reversed: with J the reversal, J B^T J is
 * upper bidiagonal, d and e reversed, left and right exchanged. */
typedef struct iteration {
    int n;
    double *d, *e;
    bool reversed;
    int lo, hi;               /* the block under way: rows and columns lo ... hi; e is zero around it */
    double smallest, largest; /* of the block: a lower bound of its singular values, and its largest element */
    double negligible;        /* an element of e as small as this is zero anyway */
    int64_t rotations_left;
    const rl_operands *operands;
    rl_sweeps sweeps[2]; /* for the rows and for the columns */
    double *columns;     /* the operand's columns as rows [ld_columns, n] */
    int ld_columns;
    mode *modes;   /* [n]: in order, at the end */
    double *spare; /* [n_rows]: a column of the rows */
} iteration;

/* ---- sweeps ------------------------------------------------------------------------------------------------------ */

static void apply_sweeps(iteration *it) {
    const rl_operands *o = it->operands;
    rl_sweeps_apply(&it->sweeps[ROWS], it->reversed, o->rows, o->n_rows, o->ld_rows);
    rl_sweeps_apply(&it->sweeps[COLUMNS], it->reversed, it->columns, o->n_columns, it->ld_columns);
}

typedef struct sweep {
    rl_rotation *right, *left; /* of column i at [i * RL_SWEEP_STRIDE] */
} sweep;

static sweep begin_sweep(iteration *it) {
    const int right = it->operands->rows_left == it->reversed ? ROWS : COLUMNS;
    sweep s = {rl_sweeps_add(&it->sweeps[right], it->lo, it->hi), rl_sweeps_add(&it->sweeps[!right], it->lo, it->hi)};
    if (s.right != NULL) return s;
    apply_sweeps(it);
    return (sweep){rl_sweeps_add(&it->sweeps[right], it->lo, it->hi),
                   rl_sweeps_add(&it->sweeps[!right], it->lo, it->hi)};
}

/* The rotation that makes (r, 0) of (f, g). */
static double make_rotation(double f, double g, rl_rotation *made) {
    const double squares = f * f + g * g;
    double r;
    if (squares >= SAFE_MIN && squares <= SAFE_MAX) {
        r = sqrt(squares);
        *made = (rl_rotation){f / r, g / r};
    } else {
        dlartg_(&f, &g, &made->c, &made->s, &r);
    }
    return r;
}

/* One step of the implicitly shifted QR sweep, with all that the next one waits for in registers. */
typedef struct bulge {
    double f, g;            /* a rotation from the right of columns i and i + 1 makes g zero */
    double diagonal, above; /* elements (i, i) and (i, i + 1) before it */
} bulge;

/* Rotates columns i and i + 1, then rows i and i + 1. `next`: the element (i + 1, i + 1). Returns the new (i, i) and
 * *r, the new (i - 1, i). The second rotation is made of (f', g') times r, so that it need not wait for the first one's
 * divisions: each step would take twice as long. */
static inline double sweep_step(bulge *b, double next, rl_rotation *right, rl_rotation *left, double *r) {
    const double f = b->f * b->diagonal + b->g * b->above, g = b->g * next;
    const double squares = b->f * b->f + b->g * b->g, next_squares = f * f + g * g;
    double made;
    if (squares >= SAFE_MIN && squares <= SAFE_MAX && next_squares >= SAFE_MIN && next_squares <= SAFE_MAX) {
        *r = sqrt(squares);
        *right = (rl_rotation){b->f / *r, b->g / *r};
        const double length = sqrt(next_squares);
        *left = (rl_rotation){f / length, g / length};
        made = length / *r;
    } else {
        *r = make_rotation(b->f, b->g, right);
        made = make_rotation(right->c * b->diagonal + right->s * b->above, right->s * next, left);
    }
    const double above = right->c * b->above - right->s * b->diagonal, below = right->c * next;
    b->f = left->c * above + left->s * below;
    b->diagonal = left->c * below - left->s * above;
    return made;
}

static void shifted_sweep(iteration *it, double shift) {
    double *const d = it->d, *const e = it->e;
    const sweep s = begin_sweep(it);
    const double first = d[it->lo];
    bulge b = {(fabs(first) - shift) * (copysign(1, first) + shift / first), e[it->lo], first, e[it->lo]};
    for (int i = it->lo; i < it->hi; i++) {
        const size_t at = (size_t)i * RL_SWEEP_STRIDE;
        double r;
        d[i] = sweep_step(&b, d[i + 1], &s.right[at], &s.left[at], &r);
        if (i > it->lo) e[i - 1] = r;
        if (i + 1 < it->hi) {
            b.g = s.left[at].s * e[i + 1];
            b.above = s.left[at].c * e[i + 1];
        }
    }
    e[it->hi - 1] = b.f;
    d[it->hi] = b.diagonal;
}

/* Demmel and Kahan's sweep with the shift zero, in which nothing is subtracted. */
static void zero_shift_sweep(iteration *it) {
    double *const d = it->d, *const e = it->e;
    const sweep s = begin_sweep(it);
    rl_rotation right = {1, 0}, left = {1, 0};
    for (int i = it->lo; i < it->hi; i++) {
        const double r = make_rotation(right.c * d[i], e[i], &right);
        if (i > it->lo) e[i - 1] = left.s * r;
        d[i] = make_rotation(left.c * r, right.s * d[i + 1], &left);
        s.right[(size_t)i * RL_SWEEP_STRIDE] = right;
        s.left[(size_t)i * RL_SWEEP_STRIDE] = left;
    }
    const double last = right.c * d[it->hi];
    e[it->hi - 1] = left.s * last;
    d[it->hi] = left.c * last;
}

/* A block of two, at once. */
static void solve_pair(iteration *it) {
    double *const d = it->d + it->lo, *const e = it->e + it->lo;
    const sweep s = begin_sweep(it);
    const size_t at = (size_t)it->lo * RL_SWEEP_STRIDE;
    double smallest, largest;
    dlasv2_(&d[0], &e[0], &d[1], &smallest, &largest, &s.right[at].s, &s.right[at].c, &s.left[at].s, &s.left[at].c);
    d[0] = largest;
    e[0] = 0;
    d[1] = smallest;
    it->hi = it->lo;
}

/* ---- convergence ------------------------------------------------------------------------------------------------- */

/* The next of Demmel and Kahan's lower bounds: the smallest singular value of the rows and columns up to i is at least
 * the least of the bounds so far over sqrt(n), and all of them change by a relative TOLERANCE at most when an element
 * of e below TOLERANCE times its row's bound is made zero. */
static double next_bound(double bound, double e, double d) {
    return fabs(d) * (bound / (bound + fabs(e)));
}

/* Zeros at the end of the block. */
static void trim_block(iteration *it) {
    const double *d = it->d;
    double *e = it->e;
    while (it->hi > it->lo && fabs(e[it->hi - 1]) <= rl_larger(it->negligible, TOLERANCE * fabs(d[it->hi])))
        e[--it->hi] = 0;
}

/* Makes zeros of all that is small enough in e, leaves the last block or element in lo ... hi, and bounds it. */
static void examine_block(iteration *it) {
    const double *d = it->d;
    double *e = it->e, bound = fabs(d[it->lo]);
    it->smallest = it->largest = bound;
    for (int i = it->lo; i < it->hi; i++) {
        const double size = fabs(e[i]);
        if (!(size <= rl_larger(it->negligible, TOLERANCE * bound))) {
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
        const double size = fabs(e[i]), limit = TOLERANCE * fabs(d[i]);
        small |= (size <= limit) | (size <= negligible);
    }
    return small != 0;
}

/* The smallest singular value may be so small that a shift would spoil it. */
static bool is_delicate(const iteration *it) {
    return 100.0 * it->n * it->smallest <= it->largest;
}

static double choose_shift(const iteration *it) {
    const double *d = it->d, *e = it->e;
    double shift, ignored;
    if (is_delicate(it)) return 0;
    dlas2_(&d[it->hi - 1], &e[it->hi - 1], &d[it->hi], &shift, &ignored);
    const double ratio = shift / fabs(d[it->lo]);
    return ratio * ratio < DBL_EPSILON / 2 ? 0 : shift; /* as good as none */
}

/* ---- iteration --------------------------------------------------------------------------------------------------- */

static void reverse_array(double *x, int n) {
    for (int i = 0; i < n / 2; i++) {
        const double swapped = x[i];
        x[i] = x[n - 1 - i];
        x[n - 1 - i] = swapped;
    }
}

static void reverse_order(iteration *it) {
    const int lo = it->lo;
    apply_sweeps(it);
    reverse_array(it->d, it->n);
    reverse_array(it->e, it->n - 1);
    it->lo = it->n - 1 - it->hi;
    it->hi = it->n - 1 - lo;
    it->reversed = !it->reversed;
}

/* The last block that is not diagonal. */
static bool find_block(iteration *it) {
    it->hi = it->n - 1;
    while (it->hi > 0 && it->e[it->hi - 1] == 0) it->hi--;
    it->lo = it->hi;
    while (it->lo > 0 && it->e[it->lo - 1] != 0) it->lo--;
    return it->lo < it->hi;
}

/* What is split off is left to find_block, but for its last part. Sweeps hardly change the bounds, so bounds are made
 * anew only when they matter. */
static bool diagonalize_block(iteration *it) {
    bool examined = false;
    it->smallest = 0;
    for (;;) {
        trim_block(it);
        if (it->hi <= it->lo + 1) break;
        if (!examined &&
            (is_delicate(it) || may_split(it->d + it->lo, it->e + it->lo, it->hi - it->lo, it->negligible))) {
            examine_block(it);
            examined = true;
            continue;
        }
        if (it->rotations_left < 0) return false;
        it->rotations_left -= it->hi - it->lo;
        const double shift = choose_shift(it);
        if (shift == 0)
            zero_shift_sweep(it);
        else
            shifted_sweep(it, shift);
        examined = false;
    }
    if (it->lo < it->hi) solve_pair(it);
    return true;
}

/* Sweeps go from the block's large end to its small one. */
static bool iterate_blocks(iteration *it) {
    bool converged = true;
    while (converged && find_block(it)) {
        if (fabs(it->d[it->lo]) < fabs(it->d[it->hi])) reverse_order(it);
        converged = diagonalize_block(it);
    }
    if (it->reversed) reverse_order(it);
    apply_sweeps(it);
    return converged;
}

/* ---- beginning and end ------------------------------------------------------------------------------------------- */

static void set_negligible(iteration *it) {
    const double n = it->n;
    double bound = fabs(it->d[0]), smallest = bound;
    for (int i = 1; i < it->n && smallest > 0; i++) {
        bound = next_bound(bound, it->e[i - 1], it->d[i]);
        smallest = fmin(smallest, bound);
    }
    it->negligible = fmax(TOLERANCE * smallest / sqrt(n), 6 * n * n * DBL_MIN);
}

/* To elements of at most 1, by a power of two. Returns its exponent. */
static int scale_elements(iteration *it) {
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
    const mode *x = a, *y = b;
    return x->sigma != y->sigma ? (x->sigma < y->sigma) - (x->sigma > y->sigma) : x->column - y->column;
}

/* Column r of the rows becomes the one that mode r has. Cycle by cycle; `spare` holds a column. */
static void order_rows(mode *modes, int n, const rl_operands *o, double *spare) {
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
static void finish_modes(iteration *it, int exponent) {
    mode *const modes = it->modes;
    const rl_operands *o = it->operands;
    const size_t n = (size_t)it->n;
    for (int r = 0; r < it->n; r++) modes[r] = (mode){fabs(it->d[r]), r};
    qsort(modes, n, sizeof *modes, descending);
    for (size_t r = 0; r < n; r++) {
        const size_t from = (size_t)modes[r].column;
        for (size_t t = 0; t < (size_t)o->n_columns; t++)
            o->columns[t * n + r] = copysign(1, it->d[from]) * it->columns[from * (size_t)it->ld_columns + t];
    }
    for (size_t r = 0; r < n; r++) it->d[r] = ldexp(modes[r].sigma, exponent);
    order_rows(modes, it->n, o, it->spare);
}

static void list_iteration(rl_arena *arena, void *object) {
    iteration *it = object;
    const size_t n = (size_t)it->n;
    RL_TAKE(arena, it->columns, n * (size_t)it->ld_columns);
    RL_TAKE(arena, it->modes, n);
    RL_TAKE(arena, it->spare, it->operands->n_rows);
    for (int i = 0; i < 2; i++) rl_sweeps_list(&it->sweeps[i], arena);
}

static iteration lay_out_iteration(int n, const rl_operands *operands) {
    return (iteration){.n = n,
                       .rotations_left = 6 * (int64_t)n * n,
                       .operands = operands,
                       .sweeps = {{.n = n}, {.n = n}},
                       .ld_columns = rl_whole_lanes(operands->n_columns)};
}

size_t rl_bidiagonal_bytes(int n, const rl_operands *operands) {
    iteration it = lay_out_iteration(n, operands);
    return rl_arrays_bytes(&it, list_iteration);
}

static void take_columns(iteration *it) {
    const rl_operands *o = it->operands;
    const size_t n = (size_t)it->n;
    for (size_t t = 0; t < (size_t)o->n_columns; t++)
        for (size_t i = 0; i < n; i++) it->columns[i * (size_t)it->ld_columns + t] = o->columns[t * n + i];
}

rl_status rl_bidiagonal_diagonalize(int n, double *d, double *e, const rl_operands *operands, bool *converged) {
    iteration it = lay_out_iteration(n, operands);
    RL_TRY(rl_arrays_create(&it, list_iteration));
    it.d = d;
    it.e = e;
    take_columns(&it);
    const int exponent = scale_elements(&it);
    set_negligible(&it);
    *converged = iterate_blocks(&it);
    if (*converged) finish_modes(&it, exponent);
    rl_free(it.columns);
    return RL_OK;
}
