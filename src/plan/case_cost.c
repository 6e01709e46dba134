/* Seconds of a case: its work, kind by kind, at a machine's rates. */
#include "ridgeless/case_cost.h"

#include <math.h>

/* Bytes per second of a rank that goes through a matrix of `bytes` over and over. A matrix that is in its cache it
 * reads as it would with all cores busy; memory's speed is shared by those that are. */
static double reading_speed(const rl_case_sizes *c, const rl_rates *rates, double bytes) {
    const double cores = rates->cores, busy = c->busy > 0 ? c->busy : fmin(cores, c->ranks);
    const double share = rl_rate_at(&rates->gemv, bytes);
    return fmin(share * cores / busy, fmax(share, rates->gemv_alone));
}

double rl_reading_rate(const rl_case_sizes *c, const rl_rates *rates, double bytes) {
    return c->ranks * reading_speed(c, rates, bytes);
}

static double products_seconds(const rl_case_work *w, const rl_case_sizes *c, const rl_rates *rates) {
    const double computing = w->amount / rates->gemm;
    return w->bytes > 0 ? fmax(computing, w->bytes / reading_speed(c, rates, w->matrix_bytes)) : computing;
}

static double work_seconds(const rl_case_work *w, const rl_case_sizes *c, const rl_rates *rates) {
    switch (w->kind) {
        case RL_WORK_NORMALS:
            return w->amount / rates->normals;
        case RL_WORK_PRODUCTS:
            return products_seconds(w, c, rates);
        case RL_WORK_NARROW:
            return w->amount / rates->narrow;
        case RL_WORK_PACKING:
            return w->amount / rates->packing;
        case RL_WORK_TRIANGLES:
            return w->amount / rates->triangles;
        case RL_WORK_TRIDIAGONAL:
            return w->amount * rates->tridiagonal;
        case RL_WORK_PANELS:
            return w->amount / rates->panels;
        case RL_WORK_COLUMNS:
            return w->amount * rates->column;
        case RL_WORK_MESSAGES:
            return w->amount * rates->message;
        case RL_WORK_MESSAGE_BYTES:
            return w->amount / rates->message_bandwidth;
        case RL_WORK_BIDIAGONAL:
            return w->amount * rates->bidiagonal;
        case RL_WORK_ROTATIONS:
            return w->amount / rates->rotations;
        case RL_WORK_PDGESVD_ROTATIONS:
            return w->amount / rates->pdgesvd_rotations;
        case RL_WORK_BAND:
            return w->amount * rates->band;
        case RL_WORK_BAND_ROTATIONS:
            return w->amount / rates->band_rotations;
    }
    return 0;
}

static rl_bound bound_of(const rl_case_work *w, const rl_case_sizes *c, const rl_rates *rates) {
    switch (w->kind) {
        case RL_WORK_PRODUCTS:
            return products_seconds(w, c, rates) > w->amount / rates->gemm ? RL_BOUND_MEMORY : RL_BOUND_COMPUTE;
        case RL_WORK_TRIANGLES:
            return c->ranks > 1 ? RL_BOUND_MESSAGES : RL_BOUND_COMPUTE;
        case RL_WORK_COLUMNS:
        case RL_WORK_MESSAGES:
        case RL_WORK_MESSAGE_BYTES:
            return RL_BOUND_MESSAGES;
        case RL_WORK_BIDIAGONAL:
        case RL_WORK_BAND:
            return RL_BOUND_BAND;
        default:
            return RL_BOUND_COMPUTE;
    }
}

rl_case_cost rl_case_predict(const rl_case_sizes *c, const rl_rates *rates) {
    const rl_case_needs needs = rl_find_case_needs(c, c->ranks);
    rl_case_cost cost = {.flops = needs.flops, .bytes = needs.bytes_in_all};
    double seconds[RL_N_PARTS] = {0};
    for (const rl_case_work *w = needs.work; w < needs.work + needs.n_work; w++) {
        const double taken = work_seconds(w, c, rates);
        seconds[w->part] += taken;
        cost.bounds[bound_of(w, c, rates)] += taken;
    }
    for (int part = 0; part < RL_N_PARTS; part++) cost.seconds += seconds[part];
    cost.generate = seconds[RL_PART_GENERATE];
    cost.reduce = seconds[RL_PART_REDUCE];
    cost.project = seconds[RL_PART_PROJECT];
    cost.diagonalize = seconds[RL_PART_DIAGONALIZE];
    cost.fit = seconds[RL_PART_FIT];
    return cost;
}
