/* What a study would take on 1, 2, 4, ... ranks, and what bounds it there. */
#include "ridgeless/scaling.h"

const char *rl_bound_name(rl_bound bound) {
    static const char *const names[RL_N_BOUNDS] = {"compute",   "memory speed", "messages", "band",
                                                   "few tasks", "rank 0",       "file",     "start"};
    return names[bound];
}

static rl_bound largest_bound(const rl_estimate *e) {
    rl_bound largest = 0;
    for (rl_bound b = 0; b < RL_N_BOUNDS; b++)
        if (e->bounds[b] > e->bounds[largest]) largest = b;
    return largest;
}

static rl_status find_point(const rl_outlook *outlook, int ranks, rl_scaling_point *p) {
    *p = (rl_scaling_point){.ranks = ranks};
    const rl_status status = rl_estimate_create(outlook, ranks, &p->estimate);
    if (status != RL_OK) return status == RL_ERR_INPUT ? RL_OK : status;
    rl_free(p->estimate.series);
    p->estimate.series = NULL;
    p->holds = true;
    p->bound = largest_bound(&p->estimate);
    return RL_OK;
}

static double rank_seconds(const rl_scaling_point *p) {
    return p->ranks * p->estimate.seconds;
}

rl_status rl_scaling_find(const rl_outlook *outlook, rl_scaling *s) {
    s->fewest = RL_SCALING_POINTS;
    for (int i = RL_SCALING_POINTS - 1; i >= 0; i--) {
        RL_TRY(find_point(outlook, 1 << i, &s->points[i]));
        if (s->points[i].holds) s->fewest = i;
    }
    for (rl_scaling_point *p = s->points + s->fewest; p < s->points + RL_SCALING_POINTS; p++)
        if (p->holds) p->efficiency = rank_seconds(&s->points[s->fewest]) / rank_seconds(p);
    s->pays = s->fewest;
    for (int i = s->fewest + 1; i < RL_SCALING_POINTS && s->points[i].holds; i++) {
        if (s->points[i].estimate.seconds >= RL_WORTH * s->points[i - 1].estimate.seconds) break;
        s->pays = i;
    }
    return RL_OK;
}
