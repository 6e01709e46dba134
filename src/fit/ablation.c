/* The table of ablations, and the least-squares fit that most of them start from. */
#include <string.h>

#include "filter.h"

const rl_ablation *const rl_ablations[] = {
    &rl_ablation_none,
    &rl_ablation_cutoff,
    &rl_ablation_leading_modes,
    &rl_ablation_no_residuals,
    &rl_ablation_adversarial_test,
    &rl_ablation_adversarial_train,
    &rl_ablation_ridge,
    &rl_ablation_ridge_best,
    &rl_ablation_ridge_gcv,
    &rl_ablation_ridge_loo,
    &rl_ablation_gradient_descent,
    &rl_ablation_gradient_descent_best,
    &rl_ablation_gradient_descent_run,
    &rl_ablation_bagging,
    &rl_ablation_bagging_limit,
    &rl_ablation_normal_equations,
    &rl_ablation_svd,
    NULL,
};

#define ROLE_WORD(name, word, text) word,
#define ROLE_TEXT(name, word, text) text,
const char *const rl_role_words[RL_N_ROLES] = {RL_ROLE_LIST(ROLE_WORD)};
const char *const rl_role_texts[RL_N_ROLES] = {RL_ROLE_LIST(ROLE_TEXT)};

const rl_ablation *rl_ablation_find(const char *name) {
    for (int i = 0; rl_ablations[i] != NULL; i++)
        if (strcmp(rl_ablations[i]->name, name) == 0) return rl_ablations[i];
    return NULL;
}

void rl_fit_modes(const rl_spectrum *s, const double *c, int n_kept, rl_fit *fit) {
    for (int r = 0; r < s->n_modes; r++) {
        const bool kept = r < n_kept && r < s->rank;
        fit->beta[r] = kept ? c[r] / s->sigma[r] : 0;
        fit->residual[r] = kept ? 0 : c[r];
    }
}
