/* Lanczos on inverses: the operator, the iteration, and when it ends. */
#include "inverse_lanczos.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "../../vectors.h"

enum { MAX_STEPS = 600, CHECK_EVERY = 2 };

void rl_lanczos_list_arrays(rl_arena *arena, rl_lanczos *lanczos, int max_order) {
    RL_TAKE_REALS(arena, (size_t)max_order * RL_GROUP, &lanczos->now, &lanczos->before, &lanczos->next);
    RL_TAKE(arena, lanczos->rows, RL_GROUP_SPAN * RL_GROUP);
}

/* ---- the operator ------------------------------------------------------------------------------------------------ */

/* Column j keeps its first active[j] entries. A solve with the whole lower triangle is one with its leading block in
 * those, and zeros stay zeros in a solve with the transpose: that is how one solve serves all members. */
static void clear_beyond(const rl_family *f, int ld, double *columns) {
    for (int j = 0; j < f->n_members; j++)
        memset(columns + (size_t)j * (size_t)ld + f->active[j], 0, sizeof(double) * (size_t)(ld - f->active[j]));
}

/* v := (I + the sum of s s^T)^-1 v over the first active[j] columns s of `solved` (Sherman, Morrison, Woodbury). */
static void apply_rows(const rl_lanczos *l, const rl_family *f, double *v) {
    const int n = f->order, k = f->n_rows, m = f->n_members, ld = RL_GROUP_SPAN;
    const double unit = 1;
    if (k == 0) return;
    rl_gemm('T', 'N', k, m, n, 1, f->solved, n, v, n, 0, l->rows, ld);
    clear_beyond(f, ld, l->rows);
    dtrsm_("L", "U", "T", "N", &k, &m, &unit, f->small, &ld, l->rows, &ld, 1, 1, 1, 1);
    clear_beyond(f, ld, l->rows);
    dtrsm_("L", "U", "N", "N", &k, &m, &unit, f->small, &ld, l->rows, &ld, 1, 1, 1, 1);
    rl_gemm('N', 'N', n, m, k, -1, f->solved, n, l->rows, ld, 1, v, n);
}

static void apply_inverse(const rl_lanczos *l, const rl_family *f, double *v) {
    const int n = f->order, m = f->n_members;
    const char *const half = f->lower ? "L" : "U";
    const double unit = 1;
    dtrsm_("L", half, f->lower ? "N" : "T", "N", &n, &m, &unit, f->triangle, &f->ld, v, &n, 1, 1, 1, 1);
    if (f->lower)
        apply_rows(l, f, v);
    else
        clear_beyond(f, n, v);
    dtrsm_("L", half, f->lower ? "T" : "N", "N", &n, &m, &unit, f->triangle, &f->ld, v, &n, 1, 1, 1, 1);
}

/* ---- the iteration ----------------------------------------------------------------------------------------------- */

/* One member: its tridiagonal matrix, and the eigenvalue at the last check, both in units of the first Rayleigh
 * quotient, so that no square leaves the range of numbers. */
typedef struct member {
    bool finished;
    int n_steps;
    double unit;
    double diagonal[MAX_STEPS], beside[MAX_STEPS], estimate;
} member;

/* The same pseudo-random direction each time: nothing in data can know it. */
static void start_vectors(const rl_lanczos *l, const rl_family *f) {
    const int n = f->order, uniform = 2;
    int seed[4] = {1903, 571, 2303, 1415};
    memset(l->before, 0, sizeof(double) * (size_t)n * (size_t)f->n_members);
    dlarnv_(&uniform, seed, &n, l->now);
    for (int j = 1; j < f->n_members; j++) memcpy(l->now + (size_t)j * (size_t)n, l->now, sizeof(double) * (size_t)n);
    if (!f->lower) clear_beyond(f, n, l->now);
    for (int j = 0; j < f->n_members; j++) {
        double *v = l->now + (size_t)j * (size_t)n;
        rl_scale(n, 1 / sqrt(rl_dot(n, v, v)), v);
    }
}

/* The largest eigenvalue of the member's tridiagonal matrix. */
static double largest_ritz_value(const member *m) {
    double diagonal[MAX_STEPS], beside[MAX_STEPS];
    int info;
    memcpy(diagonal, m->diagonal, sizeof(double) * (size_t)m->n_steps);
    memcpy(beside, m->beside, sizeof(double) * (size_t)m->n_steps);
    dsterf_(&m->n_steps, diagonal, beside, &info);
    return info == 0 ? diagonal[m->n_steps - 1] : NAN;
}

static void finish_member(member *m, double value) {
    m->estimate = value;
    m->finished = true;
}

static void check_member(member *m, double next, double tolerance) {
    const bool exhausted = next <= DBL_EPSILON; /* the space is invariant */
    if (!isfinite(next) || !(m->unit > 0)) {
        finish_member(m, NAN);
        return;
    }
    if (!exhausted && m->n_steps % CHECK_EVERY != 0) return;
    const double value = largest_ritz_value(m), growth = value - m->estimate;
    if (exhausted || growth <= tolerance * DBL_EPSILON * value)
        finish_member(m, value);
    else if (m->n_steps == MAX_STEPS || isnan(value))
        finish_member(m, NAN);
    else
        m->estimate = value;
}

/* v is the member's vector of this step, u that of the one before, w the operator on v; the next vector replaces u. */
static void advance_member(member *m, const rl_family *f, double *v, double *u, double *w) {
    const int n = f->order;
    const int step = m->n_steps++;
    if (step == 0) m->unit = rl_dot(n, v, w);
    rl_scale(n, 1 / m->unit, w);
    if (step > 0) rl_add(n, -m->beside[step - 1], u, w);
    m->diagonal[step] = rl_dot(n, v, w);
    rl_add(n, -m->diagonal[step], v, w);
    const double next = sqrt(rl_dot(n, w, w));
    m->beside[step] = next;
    check_member(m, next, f->tolerance);
    memcpy(u, w, sizeof(double) * (size_t)n);
    if (!m->finished)
        rl_scale(n, 1 / next, u);
    else { /* out of the way of the others */
        memset(u, 0, sizeof(double) * (size_t)n);
        memset(v, 0, sizeof(double) * (size_t)n);
    }
}

void rl_inverse_lanczos(rl_lanczos *l, const rl_family *f, double *largest) {
    member members[RL_GROUP];
    const size_t n = (size_t)f->order;
    for (int j = 0; j < f->n_members; j++) members[j] = (member){.estimate = 0};
    start_vectors(l, f);
    for (int unfinished = f->n_members; unfinished > 0;) {
        memcpy(l->next, l->now, sizeof(double) * n * (size_t)f->n_members);
        apply_inverse(l, f, l->next);
        unfinished = 0;
        for (int j = 0; j < f->n_members; j++) {
            const size_t at = (size_t)j * n;
            if (members[j].finished) continue;
            advance_member(&members[j], f, l->now + at, l->before + at, l->next + at);
            unfinished += !members[j].finished;
        }
        rl_swap(&l->now, &l->before);
    }
    for (int j = 0; j < f->n_members; j++) largest[j] = members[j].unit * members[j].estimate;
}
