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

rl_case_cost rl_case_predict(const rl_case_sizes *c, const rl_rates *rates) {
    const rl_case_needs needs = rl_find_case_needs(c, c->ranks);
    double seconds[RL_N_PARTS] = {0}, all = 0;
    for (int i = 0; i < needs.n_work; i++) seconds[needs.work[i].part] += work_seconds(&needs.work[i], c, rates);
    for (int part = 0; part < RL_N_PARTS; part++) all += seconds[part];
    return (rl_case_cost){.flops = needs.flops,
                          .bytes = needs.bytes_in_all,
                          .seconds = all,
                          .generate = seconds[RL_PART_GENERATE],
                          .reduce = seconds[RL_PART_REDUCE],
                          .project = seconds[RL_PART_PROJECT],
                          .diagonalize = seconds[RL_PART_DIAGONALIZE],
                          .fit = seconds[RL_PART_FIT]};
}
