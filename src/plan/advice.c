/* How many ranks to use: twice as many, as long as that pays, and no second node while one is fast enough. */
#include <math.h>

#include "ridgeless/advice.h"

static const double soon = 600; /* seconds that one node may take before a second one is asked for */
enum { MOST_RANKS = 16384 };

/* The fewest ranks that the study can do with. One alone has all of a node's memory. */
static rl_status find_fewest(const rl_outlook *o, int *ranks) {
    *ranks = 1;
    for (const rl_series *s = o->plan->series; s < o->plan->series + o->plan->n_series; s++) {
        int fewest = s->ranks_per_case;
        if (s->on_grid && fewest <= 0) RL_TRY(rl_fewest_ranks(s, o->nodes.bytes, &fewest));
        if (s->on_grid && s->ranks_per_case <= 0 && fewest > 1)
            RL_TRY(rl_fewest_ranks(s, o->nodes.bytes / o->nodes.cores, &fewest));
        if (fewest > *ranks) *ranks = fewest;
    }
    return RL_OK;
}

/* INFINITY: so many do not hold a case, though fewer ranks do, which have more memory each. */
static rl_status seconds_on(const rl_outlook *o, int ranks, double *seconds) {
    rl_estimate e;
    const rl_status status = rl_estimate_create(o, ranks, &e);
    *seconds = status == RL_OK ? e.seconds : INFINITY;
    if (status == RL_OK) rl_estimate_destroy(&e);
    return status == RL_ERR_INPUT ? RL_OK : status;
}

/* Twice *ranks, as long as that pays, as far as `most`, and while it takes longer than `enough` seconds. *pays: more
 * would have paid. */
static rl_status double_ranks(const rl_outlook *o, int most, double enough, int *ranks, bool *pays) {
    double before, after;
    RL_TRY(seconds_on(o, *ranks, &before));
    *pays = true;
    while (*pays && *ranks < most && before > enough) {
        const int next = *ranks <= most / 2 ? 2 * *ranks : most;
        RL_TRY(seconds_on(o, next, &after));
        *pays = after < RL_WORTH * before;
        if (*pays) *ranks = next;
        if (*pays) before = after;
    }
    return RL_OK;
}

/* The choice of so many ranks, in its place; made where it is not there yet, and where so many do. */
static rl_status choose(const rl_outlook *o, int ranks, rl_advice *a) {
    int i = 0;
    rl_estimate made;
    while (i < a->n && a->choices[i].ranks < ranks) i++;
    if (i < a->n && a->choices[i].ranks == ranks) return RL_OK;
    const rl_status status = rl_estimate_create(o, ranks, &made);
    if (status != RL_OK) return status == RL_ERR_INPUT ? RL_OK : status;
    for (int k = a->n++; k > i; k--) a->choices[k] = a->choices[k - 1];
    a->choices[i] = made;
    return RL_OK;
}

static int find_choice(const rl_advice *a, int ranks) {
    int i = 0;
    while (a->choices[i].ranks != ranks) i++;
    return i;
}

/* On one node as many as pay; on more where that is not fast enough. */
static rl_status find_ranks(const rl_outlook *o, int fewest, int *on_node, int *best, rl_reason *reason) {
    const int node = fewest > o->nodes.cores ? fewest : o->nodes.cores;
    double seconds;
    bool pays;
    *on_node = fewest;
    RL_TRY(double_ranks(o, node, 0, on_node, &pays));
    RL_TRY(seconds_on(o, *on_node, &seconds));
    *best = *on_node;
    if (pays && seconds > soon) RL_TRY(double_ranks(o, MOST_RANKS, soon, best, &pays));
    *reason = pays ? RL_SOON_ENOUGH : RL_NOTHING_GAINED;
    return RL_OK;
}

static rl_status make_choices(const rl_outlook *o, rl_advice *a) {
    const int cores = o->nodes.cores;
    int fewest, on_node, best;
    bool pays;
    RL_TRY(find_fewest(o, &fewest));
    RL_TRY(rl_estimate_create(o, fewest, &a->choices[0]));
    a->n = 1;
    RL_TRY(find_ranks(o, fewest, &on_node, &best, &a->reason));
    int most = best;
    if (a->reason == RL_SOON_ENOUGH) RL_TRY(double_ranks(o, MOST_RANKS, 0, &most, &pays));
    const int wanted[] = {on_node, best, cores, 2 * cores, most};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (wanted[i] > fewest) RL_TRY(choose(o, wanted[i], a));
    a->best = find_choice(a, best);
    a->on_node = find_choice(a, on_node);
    return RL_OK;
}

rl_status rl_advise(const rl_outlook *outlook, rl_advice *advice) {
    *advice = (rl_advice){0};
    const rl_status status = make_choices(outlook, advice);
    if (status != RL_OK) rl_advice_destroy(advice);
    return status;
}

void rl_advice_destroy(rl_advice *advice) {
    for (int i = 0; i < advice->n; i++) rl_estimate_destroy(&advice->choices[i]);
    *advice = (rl_advice){0};
}
