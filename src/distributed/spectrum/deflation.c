/* Aggressive early deflation (Braman, Byers and Mathias 2002; for singular values Nakatsukasa, Aishima and Yamazaki
 * 2012). The last rows of the block are a matrix that one element, beside their first column, ties to the rows above.
 * Made diagonal, they turn it into a row of numbers, the spike, one per singular value. Where the spike is as small as
 * rounding errors, the singular value is one of the block's, wherever in these rows it stands, long before the element
 * above it has become as small. What remains is made bidiagonal again. */
#include <math.h>
#include <stdlib.h>

#include "../../numbers.h"
#include "iteration.h"

enum { WINDOW = 33 };

typedef struct window {
    rl_iteration *it;
    int lo, hi;       /* rows and columns */
    double tolerance; /* elements as small as this are zeros */
    double spike[WINDOW];
} window;

/* A singular value and its element of the spike, absolute. */
typedef struct candidate {
    double sigma, spike;
} candidate;

static void turn_spike(window *w, const rl_chase *chase) {
    for (int i = chase->first; i < chase->last; i++) rl_sweep_turn(&chase->right, i, w->spike + (i - w->lo));
}

static bool is_small(const window *w, double x) {
    return fabs(x) <= w->tolerance;
}

/* Sweeps over the last part that is not diagonal, until there is none. False: too many. */
static bool make_diagonal(window *w) {
    rl_iteration *it = w->it;
    double *const e = it->e;
    int first, last = w->hi;
    while (last > w->lo) {
        if (is_small(w, e[last - 1])) {
            e[--last] = 0;
            continue;
        }
        for (first = last - 1; first > w->lo && !is_small(w, e[first - 1]);) first--;
        if (first > w->lo) e[first - 1] = 0;
        if (it->rotations_left < 0) return false;
        const double shift = rl_chase_shift(it, first, last);
        const rl_chase chase = rl_chase_begin(it, w->lo, w->hi, first, last);
        rl_chase_shifted(it, &chase, shift);
        turn_spike(w, &chase);
    }
    return true;
}

/* Moves the singular value at `from` to `to`, below; those between move up. */
static void move_down(window *w, int from, int to) {
    const rl_chase chase = rl_chase_begin(w->it, w->lo, w->hi, from, to);
    double *const d = w->it->d, moved = d[from];
    for (int i = from; i < to; i++) {
        rl_sweep_set(&chase.right, i, 0, 1);
        rl_sweep_set(&chase.left, i, 0, 1);
        d[i] = d[i + 1];
    }
    d[to] = moved;
    turn_spike(w, &chase);
}

/* Those with a small element of the spike go to the end. Returns their number. */
static int settle(window *w) {
    int remaining = w->hi;
    for (int i = w->hi; i >= w->lo; i--) {
        if (!is_small(w, w->spike[i - w->lo])) continue;
        if (i < remaining) move_down(w, i, remaining);
        remaining--;
    }
    return w->hi - remaining;
}

static int ascending_spike(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    return x->spike != y->spike ? (x->spike > y->spike) - (x->spike < y->spike)
                                : (x->sigma > y->sigma) - (x->sigma < y->sigma);
}

/* The nearest to convergence are good to all digits, but come off soon by themselves. */
static void choose_shifts(const window *w, double *shifts) {
    const int n = w->hi - w->lo + 1, first = rl_smaller(RL_SWEEPS / 2, n - RL_SWEEPS);
    candidate candidates[WINDOW];
    for (int i = 0; i < n; i++) candidates[i] = (candidate){fabs(w->it->d[w->lo + i]), fabs(w->spike[i])};
    qsort(candidates, (size_t)n, sizeof *candidates, ascending_spike);
    for (int k = 0; k < RL_SWEEPS; k++) shifts[k] = candidates[first + k].sigma;
}

/* From the last element of the spike on, each is rotated into the one before it, and the bulge that this makes in the
 * rows below is chased out. */
static void make_bidiagonal(window *w) {
    for (int i = w->hi - 1; i >= w->lo; i--) {
        const rl_chase chase = rl_chase_begin(w->it, w->lo, w->hi, i, w->hi);
        double *spike = w->spike + (i - w->lo);
        spike[0] = rl_chase_from(w->it, &chase, spike[0], spike[1]);
    }
}

int rl_iteration_deflate(rl_iteration *it, double *shifts) {
    const double rounding = RL_TOLERANCE * it->smallest;
    window w = {it, it->hi - WINDOW + 1, it->hi, rl_larger(it->negligible, rounding), {it->e[it->hi - WINDOW]}};
    if (!make_diagonal(&w)) return WINDOW; /* the iteration ends */
    const int settled = settle(&w);
    w.hi -= settled;
    if (settled < RL_SWEEPS) choose_shifts(&w, shifts);
    make_bidiagonal(&w);
    it->e[w.lo - 1] = settled < WINDOW ? w.spike[0] : 0;
    it->hi = w.hi;
    return settled;
}
