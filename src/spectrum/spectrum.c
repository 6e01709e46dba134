/* Functions that all makers of spectra and points share: names, sums over holders, rank, judgement. */
#include "../small.h"
#include "../vectors.h"
#include "judgement.h"

const char *rl_producer_name(rl_producer producer) {
    static const char *const names[] = {[RL_PRODUCER_PDGESVD] = "pdgesvd",
                                        [RL_PRODUCER_PROJECTED] = "projected",
                                        [RL_PRODUCER_TWO_STAGE] = "two-stage",
                                        [RL_PRODUCER_LAPACK] = "lapack"};
    return names[producer];
}

#define NUMBER(name, number, word, text) number,
const signed char rl_cell_status_numbers[RL_N_STATUSES] = {RL_CELL_STATUS_LIST(NUMBER)};

#define AFTER_BLANK(name, number, word, text) " " word
const char *const rl_cell_status_words = &(RL_CELL_STATUS_LIST(AFTER_BLANK))[1]; /* without the first blank */

const char *rl_cell_status_text(rl_cell_status status) {
#define TEXT(name, number, word, text) text,
    static const char *const texts[RL_N_STATUSES] = {RL_CELL_STATUS_LIST(TEXT)};
    return texts[status];
}

rl_status rl_spectrum_add_up(const rl_spectrum *s, double *sums, int64_t n) {
    return s->add_up == NULL ? RL_OK : s->add_up(s->holders, sums, n);
}

int rl_spectrum_rank(const rl_spectrum *s) {
    return rl_rank_of(s->n_train, s->n_features, s->n_modes, s->sigma);
}

void rl_spectrum_left(rl_spectrum *s, const rl_training_set *train, double *ut) {
    const int k = s->n_modes, n = s->n_train, p = s->n_features;
    if (rl_is_small(p)) /* row-major rows are the columns of X^T */
        rl_small_multiply(k, n, p, s->vt, k, train->x, ut);
    else
        rl_gemm('N', 'N', k, n, p, 1, s->vt, k, train->x, p, 0, ut, k);
    for (size_t i = 0; i < (size_t)n; i++)
        for (int r = 0; r < k; r++)
            ut[i * (size_t)k + (size_t)r] = r < s->rank ? ut[i * (size_t)k + (size_t)r] / s->sigma[r] : 0;
    s->ut = ut;
    s->y = train->y;
}

void rl_judge_point(rl_point *p, int n_train, int n_features, double least, double most) {
    p->rank = rl_smaller(n_train, n_features);
    p->done = isfinite(most) && rl_surely_full_rank(n_train, n_features, least, most);
    for (int t = 0; t < RL_N_FITTED_TARGETS; t++)
        p->done &= isfinite(p->test_mse[t]) && isfinite(p->train_mse[t]) && isfinite(p->population_sq[t]);
    if (!p->done) *p = (rl_point){.done = false};
}
