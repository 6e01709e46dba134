/* scaling: what a study would take on 1, 2, 4, ... ranks, and what bounds it there. Part of `plan`, pure. */
#ifndef RIDGELESS_SCALING_H
#define RIDGELESS_SCALING_H

#include "ridgeless/advice.h"

enum { RL_SCALING_POINTS = 13, RL_SCALING_MOST = 1 << (RL_SCALING_POINTS - 1) };

typedef struct rl_scaling_point {
    int ranks;
    bool holds;           /* false: so many cannot hold the study, or its groups; then nothing below */
    rl_estimate estimate; /* without its series */
    double efficiency;    /* rank seconds of the fewest ranks that hold the study, over those of so many */
    rl_bound bound;       /* what most of the time goes into */
} rl_scaling_point;

typedef struct rl_scaling {
    rl_scaling_point points[RL_SCALING_POINTS]; /* on 1, 2, 4, ... RL_SCALING_MOST ranks */
    int fewest;                                 /* the first point that holds; RL_SCALING_POINTS: none */
    int pays; /* the last one, from there on, up to which each is worth it (RL_WORTH) */
} rl_scaling;

/* All from what the outlook says of nodes and rates. */
rl_status rl_scaling_find(const rl_outlook *outlook, rl_scaling *scaling);

/* "compute", "memory speed", ... */
const char *rl_bound_name(rl_bound bound);

#endif
