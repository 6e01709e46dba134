/* The least value of a function of one number that spans many decades: the best of a grid, then golden sections around
 * it (Press et al. 2007, Numerical Recipes, 3rd ed., section 10.2). */
#include "search.h"

#include <math.h>

double rl_least_at(double (*f)(const void *of, double x), const void *of, double low, double high) {
    enum { GRID = 24, SECTIONS = 24 };
    const double step = (high - low) / GRID, golden = 0.6180339887498949;
    double best = low, least = INFINITY;
    for (int i = 0; i <= GRID; i++) {
        const double value = f(of, low + i * step);
        if (value < least) {
            least = value;
            best = low + i * step;
        }
    }
    double a = fmax(low, best - step), b = fmin(high, best + step), x = b - golden * (b - a), y = a + golden * (b - a);
    double at_x = f(of, x), at_y = f(of, y);
    for (int i = 0; i < SECTIONS; i++) {
        const bool left = at_x < at_y;
        if (left) {
            b = y;
            y = x;
            at_y = at_x;
            x = b - golden * (b - a);
            at_x = f(of, x);
        } else {
            a = x;
            x = y;
            at_x = at_y;
            y = a + golden * (b - a);
            at_y = f(of, y);
        }
    }
    const double middle = at_x < at_y ? x : y;
    return fmin(at_x, at_y) < least ? middle : best;
}

rl_penalties rl_penalties_of(const rl_spectrum *s) {
    static const double decades = 18; /* log 1e8: beyond the singular values, where nothing changes any more */
    return (rl_penalties){.least = 2 * log(s->sigma[s->rank - 1]) - decades, .most = 2 * log(s->sigma[0]) + decades};
}

typedef struct penalty_trial {
    rl_evaluator *e;
    const rl_spectrum *s;
    double (*criterion)(rl_evaluator *e, const rl_spectrum *s, double penalty);
} penalty_trial;

static double try_penalty(const void *of, double log_penalty) {
    const penalty_trial *const t = of;
    return t->criterion(t->e, t->s, exp(log_penalty));
}

double rl_best_penalty(rl_evaluator *e, const rl_spectrum *s,
                       double (*criterion)(rl_evaluator *e, const rl_spectrum *s, double penalty)) {
    const penalty_trial of = {e, s, criterion};
    if (s->rank == 0) return 0;
    const rl_penalties range = rl_penalties_of(s);
    return exp(rl_least_at(try_penalty, &of, range.least, range.most));
}
