#include "ridgeless/spectrum.h"

#include <float.h>

const char *rl_producer_name(rl_producer producer) {
    static const char *const names[] = {[RL_PRODUCER_PDGESVD] = "pdgesvd",
                                        [RL_PRODUCER_PROJECTED] = "projected",
                                        [RL_PRODUCER_TWO_STAGE] = "two-stage",
                                        [RL_PRODUCER_LAPACK] = "lapack"};
    return names[producer];
}

const char *rl_cell_status_text(rl_cell_status status) {
    static const char *const texts[] = {[RL_CELL_DONE] = "done",
                                        [RL_CELL_MISSING] = "not computed yet",
                                        [RL_CELL_NO_CONVERGENCE] = "LAPACK did not converge",
                                        [RL_CELL_ZERO_MATRIX] = "the training features are all zero",
                                        [RL_CELL_NOT_ASKED] = "not asked for"};
    return texts[status];
}

rl_status rl_spectrum_add_up(const rl_spectrum *s, double *sums, int64_t n) {
    return s->add_up == NULL ? RL_OK : s->add_up(s->holders, sums, n);
}

int rl_spectrum_rank(const rl_spectrum *s) {
    const int larger = s->n_train > s->n_features ? s->n_train : s->n_features;
    const double threshold = larger * DBL_EPSILON * s->sigma[0];
    int rank = s->n_modes;
    while (rank > 0 && !(s->sigma[rank - 1] > threshold)) rank--;
    return rank;
}
