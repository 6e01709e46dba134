/* Sweeps of the implicit QR iteration: one, or many one behind the other. */
#include <math.h>
#include <string.h>

#include "../../numbers.h"
#include "../../registers.h"
#include "iteration.h"

/* LAPACK: a plane rotation, and the singular values, or all of the decomposition, of [f g; 0 h], safe from overflow. */
void dlartg_(const double *f, const double *g, double *c, double *s, double *r);
void dlas2_(const double *f, const double *g, const double *h, double *smallest, double *largest);
void dlasv2_(const double *f, const double *g, const double *h, double *smallest, double *largest, double *s_right,
             double *c_right, double *s_left, double *c_left);

/* A sum of squares between these bounds has not overflowed, and has lost nothing that counts to underflow. */
static const double SAFE_MIN = 0x1p-900, SAFE_MAX = 0x1p900;

/* A rotation with c >= 0. */
typedef struct rotation {
    double c, s;
} rotation;

/* The row operand is multiplied from the right, or from the left, and reversal exchanges both. */
static int right_side(const rl_iteration *it) {
    return it->operands->rows_left == it->reversed ? RL_ROWS : RL_COLUMNS;
}

rl_chase rl_chase_begin(rl_iteration *it, int lo, int hi, int first, int last) {
    const int right = right_side(it);
    rl_chase chase = {first, last, rl_sweeps_add(&it->sweeps[right], lo, hi, first, last),
                      rl_sweeps_add(&it->sweeps[!right], lo, hi, first, last)};
    it->rotations_left -= last - first;
    if (chase.right.frames != NULL) return chase;
    rl_iteration_apply(it);
    chase.right = rl_sweeps_add(&it->sweeps[right], lo, hi, first, last);
    chase.left = rl_sweeps_add(&it->sweeps[!right], lo, hi, first, last);
    return chase;
}

/* The rotation that makes (r, 0) of (f, g); r has the sign of f. */
static double make_rotation(double f, double g, rotation *made) {
    const double squares = f * f + g * g;
    double r;
    if (squares >= SAFE_MIN && squares <= SAFE_MAX) {
        r = copysign(sqrt(squares), f);
        *made = (rotation){f / r, g / r};
        return r;
    }
    dlartg_(&f, &g, &made->c, &made->s, &r);
    if (!(made->c < 0)) return r;
    *made = (rotation){-made->c, -made->s};
    return -r;
}

/* Rotates columns i and i + 1, then rows i and i + 1, with all that the next step waits for in registers. `next`: the
 * element (i + 1, i + 1). Returns the new (i, i) and *r, the new (i - 1, i). The second rotation is made of (f', g')
 * times r, so that it need not wait for the first one's divisions: each step would take twice as long. */
static inline double step(rl_bulge *b, double next, rotation *right, rotation *left, double *r) {
    const double f = b->f * b->diagonal + b->g * b->above, g = b->g * next;
    const double squares = b->f * b->f + b->g * b->g, next_squares = f * f + g * g;
    double made;
    if (squares >= SAFE_MIN && squares <= SAFE_MAX && next_squares >= SAFE_MIN && next_squares <= SAFE_MAX) {
        *r = copysign(sqrt(squares), b->f);
        *right = (rotation){b->f / *r, b->g / *r};
        const double length = copysign(sqrt(next_squares), f);
        *left = (rotation){f / length, g / length};
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

/* Chases a bulge from column `begin` to column `end`. Returns what of it came to stand beside the first column. */
static double advance(const rl_iteration *it, const rl_chase *chase, rl_bulge *bulge, int begin, int end) {
    double *const d = it->d, *const e = it->e;
    double r, first = 0;
    rl_bulge b = *bulge;
    rotation right, left;
    for (int i = begin; i < end; i++) {
        d[i] = step(&b, d[i + 1], &right, &left, &r);
        rl_sweep_set(&chase->right, i, right.c, right.s);
        rl_sweep_set(&chase->left, i, left.c, left.s);
        if (i > chase->first)
            e[i - 1] = r;
        else
            first = r;
        if (i + 1 == chase->last) break;
        b.g = left.s * e[i + 1];
        b.above = left.c * e[i + 1];
    }
    *bulge = b;
    return first;
}

static void end_chase(const rl_iteration *it, const rl_chase *chase, const rl_bulge *b) {
    it->e[chase->last - 1] = b->f;
    it->d[chase->last] = b->diagonal;
}

double rl_chase_from(rl_iteration *it, const rl_chase *chase, double f, double g) {
    rl_bulge b = {f, g, it->d[chase->first], it->e[chase->first]};
    const double r = advance(it, chase, &b, chase->first, chase->last);
    end_chase(it, chase, &b);
    return r;
}

/* The first column of B B^T - shift^2, but for a factor. */
static double first_of(double d, double shift) {
    return shift > 0 && d != 0 ? (fabs(d) - shift) * (copysign(1, d) + shift / d) : d;
}

void rl_chase_shifted(rl_iteration *it, const rl_chase *chase, double shift) {
    rl_chase_from(it, chase, first_of(it->d[chase->first], shift), it->e[chase->first]);
}

double rl_chase_shift(const rl_iteration *it, int first, int last) {
    const double *d = it->d, *e = it->e;
    double shift, ignored;
    dlas2_(&d[last - 1], &e[last - 1], &d[last], &shift, &ignored);
    const double ratio = shift / fabs(d[first]);
    return ratio * ratio < RL_ROUNDING ? 0 : shift;
}

void rl_chase_zero(rl_iteration *it) {
    double *const d = it->d, *const e = it->e;
    const rl_chase chase = rl_chase_begin(it, it->lo, it->hi, it->lo, it->hi);
    rotation right = {1, 0}, left = {1, 0};
    for (int i = it->lo; i < it->hi; i++) {
        const double r = make_rotation(right.c * d[i], e[i], &right);
        if (i > it->lo) e[i - 1] = left.s * r;
        d[i] = make_rotation(left.c * r, right.s * d[i + 1], &left);
        rl_sweep_set(&chase.right, i, right.c, right.s);
        rl_sweep_set(&chase.left, i, left.c, left.s);
    }
    const double last = right.c * d[it->hi];
    e[it->hi - 1] = left.s * last;
    d[it->hi] = left.c * last;
}

/* Turns both columns to the other side: the sign of what the rotation makes changes, and c is not negative. */
static double set_turned(const rl_sweep *sweep, int i, double c, double s) {
    const double sign = c < 0 ? -1 : 1;
    rl_sweep_set(sweep, i, sign * c, sign * s);
    return sign;
}

void rl_chase_pair(rl_iteration *it) {
    const int lo = it->lo;
    double *const d = it->d + lo, *const e = it->e + lo;
    const rl_chase chase = rl_chase_begin(it, lo, it->hi, lo, it->hi);
    rotation right, left;
    double smallest, largest;
    dlasv2_(&d[0], &e[0], &d[1], &smallest, &largest, &right.s, &right.c, &left.s, &left.c);
    const double sign = set_turned(&chase.right, lo, right.c, right.s) * set_turned(&chase.left, lo, left.c, left.s);
    d[0] = sign * largest;
    e[0] = 0;
    d[1] = sign * smallest;
    it->hi = lo;
}

/* ---- many sweeps ------------------------------------------------------------------------------------------------- */

/* Of sweep k in groups of its own. */
static rl_chase chase_of(const rl_iteration *it, const rl_sweep_group *right, const rl_sweep_group *left, int k) {
    return (rl_chase){it->lo, it->hi, rl_sweep_of(right, k), rl_sweep_of(left, k)};
}

static void run_chain(rl_chain *chain, int lanes) {
#ifdef RL_WIDE
    if (lanes > 2) {
        (lanes == 8 ? rl_chain_run_8 : rl_chain_run_4)(chain);
        return;
    }
#endif
    (void)lanes;
    rl_chain_run_2(chain);
}

static double *scale_at(const rl_sweep_group *group, int column) {
    return group->scales + (column - group->lo);
}

static void start_side(const rl_sweep_group *group, rl_chain_side *side, int k, int at) {
    side->scale[k] = *scale_at(group, at);
    side->scale_after[k] = *scale_at(group, at + 1);
}

/* What the first sweep waits for lies there already, and what the last one has left behind. */
static void end_side(const rl_sweep_group *group, const rl_chain_side *side, int end) {
    for (int k = 0; k + 1 < RL_SWEEPS; k++) *scale_at(group, end - RL_LAG * k - 1) = side->scale_after[k + 1];
    for (int k = 0; k < RL_SWEEPS; k++) *scale_at(group, end - RL_LAG * k) = side->scale[k];
}

/* Each sweep takes the first steps alone, until all are RL_LAG columns behind each other and away from the block's
 * beginning; so do the last ones when the first sweep has reached its end. */
static void start_chain(const rl_iteration *it, const rl_sweep_group *right, const rl_sweep_group *left,
                        const double *shifts, rl_chain *chain) {
    for (int k = 0; k < RL_SWEEPS; k++) {
        const rl_chase chase = chase_of(it, right, left, k);
        const double first = it->d[it->lo], beside = it->e[it->lo];
        const int at = chain->begin - RL_LAG * k;
        rl_bulge b = {first_of(first, shifts[k]), beside, first, beside};
        advance(it, &chase, &b, it->lo, at);
        chain->f[k] = b.f, chain->g[k] = b.g, chain->diagonal[k] = b.diagonal, chain->above[k] = b.above;
        chain->next[k] = it->d[at + 1];
        start_side(right, &chain->right, k, at);
        start_side(left, &chain->left, k, at);
    }
}

static void finish_chain(const rl_iteration *it, const rl_sweep_group *right, const rl_sweep_group *left,
                         const rl_chain *chain) {
    for (int k = 0; k + 1 < RL_SWEEPS; k++) it->d[chain->end - RL_LAG * k - 1] = chain->next[k + 1];
    end_side(right, &chain->right, chain->end);
    end_side(left, &chain->left, chain->end);
    for (int k = 0; k < RL_SWEEPS; k++) {
        const rl_chase chase = chase_of(it, right, left, k);
        rl_bulge b = {chain->f[k], chain->g[k], chain->diagonal[k], chain->above[k]};
        advance(it, &chase, &b, chain->end - RL_LAG * k, it->hi);
        end_chase(it, &chase, &b);
    }
}

/* Elements lo ... hi of d and e to the spare array, or back. */
static void copy_block(rl_iteration *it, bool back) {
    double *const parts[] = {it->d + it->lo, it->e + it->lo};
    const size_t lengths[] = {(size_t)(it->hi - it->lo) + 1, (size_t)(it->hi - it->lo)};
    for (int i = 0; i < 2; i++) {
        double *spare = it->spare + i * it->n;
        memcpy(back ? parts[i] : spare, back ? spare : parts[i], lengths[i] * sizeof *spare);
    }
}

/* Numbers that are too small to be squared need the care of single sweeps, as do many right angles one after the
 * other. */
static void chase_alone(rl_iteration *it, rl_sweep_group *right, rl_sweep_group *left, const double *shifts) {
    copy_block(it, true);
    right->scales = left->scales = NULL;
    for (int k = 0; k < RL_SWEEPS; k++) {
        const rl_chase chase = chase_of(it, right, left, k);
        rl_chase_shifted(it, &chase, shifts[k]);
    }
}

static bool is_turned(const rl_iteration *it, int side) {
    const rl_operands *o = it->operands;
    return side == RL_ROWS ? o->n_rows > 0 : o->n_columns > 0 && !o->keep_columns;
}

static rl_chain_side side_of(const rl_iteration *it, int side, const rl_sweep_group *group, int begin) {
    return (rl_chain_side){.frames = is_turned(it, side) ? rl_sweep_frame(group, begin) : NULL,
                           .scales = scale_at(group, begin)};
}

void rl_chase_many(rl_iteration *it, const double *shifts) {
    const int side = right_side(it), begin = it->lo + RL_LAG * (RL_SWEEPS - 1) + 1;
    rl_sweep_group *right = rl_sweeps_add_group(&it->sweeps[side], it->lo, it->hi);
    if (right == NULL) {
        rl_iteration_apply(it);
        right = rl_sweeps_add_group(&it->sweeps[side], it->lo, it->hi);
    }
    rl_sweep_group *const left = rl_sweeps_add_group(&it->sweeps[!side], it->lo, it->hi);
    rl_chain chain = {.d = it->d, .e = it->e, .begin = begin, .end = it->hi - 1, .least = SAFE_MAX};
    chain.right = side_of(it, side, right, begin);
    chain.left = side_of(it, !side, left, begin);
    copy_block(it, false);
    start_chain(it, right, left, shifts, &chain);
    run_chain(&chain, rl_fused_lanes(it->operands->max_lanes));
    finish_chain(it, right, left, &chain);
    if (!(chain.least >= SAFE_MIN) || !rl_sweeps_are_scaled_well(right) || !rl_sweeps_are_scaled_well(left))
        chase_alone(it, right, left, shifts);
    it->rotations_left -= (int64_t)RL_SWEEPS * (it->hi - it->lo);
}
