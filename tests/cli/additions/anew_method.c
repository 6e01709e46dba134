/* A seventh method, for the test of additions: full spectra on one rank as rl_spectra_curve makes them, but each N from
 * rows that were loaded anew, for data sets that are called `anew`. */
#include <string.h>

#include "curves.h"

static rl_status anew_curve(rl_curves *c, const rl_task *task, const bool *wanted, rl_tick tick, double *curve) {
    bool *one = c->made;
    for (int i = 0; i < c->series->n_n_train; i++) {
        for (int k = 0; k < c->series->n_n_train; k++) one[k] = k == i && rl_is_wanted(wanted, i);
        RL_TRY(rl_spectra_curve(c, task, one, tick, curve));
    }
    return RL_OK;
}

static rl_status create_anew(rl_curves *c) {
    bool *one;
    RL_TRY(RL_ALLOC(one, c->series->n_n_train));
    c->made = one;
    return RL_OK;
}

static double anew_flops(const rl_series *series, rl_range n_train) {
    return n_train.n * rl_test_rows_flops(series, 0) + rl_spectra_flops(series, n_train);
}

static size_t anew_bytes(const rl_series *series) {
    return (size_t)series->n_n_train;
}

static bool suits_anew(const rl_series *series) {
    return strcmp(series->name, "anew") == 0;
}

const rl_method rl_anew_method = {.number = 99,
                                  .text = "full spectra, each from rows loaded anew",
                                  .suits = suits_anew,
                                  .flops = anew_flops,
                                  .bytes = anew_bytes,
                                  .create = create_anew,
                                  .destroy = rl_free,
                                  .curve = anew_curve};
