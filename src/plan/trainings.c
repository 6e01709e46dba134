/* The trainings of a study's autoencoders, laid out. */
#include <math.h>
#include <stdio.h>

#include "ridgeless/plan.h"

static const int64_t most_trainings = 1000000;

static int64_t count(const rl_study *study, const rl_study_autoencoder *a) {
    return (int64_t)a->n_hidden * a->n_train.n_values * study->repeats; /* 1e4 x 1e6 x 1e8 is below 2^63 */
}

static void lay_out(rl_plan *plan, int grid) {
    const rl_study_autoencoder *a = plan->training_grids[grid].spec;
    int64_t i = plan->training_grids[grid].first;
    for (int h = 0; h < a->n_hidden; h++)
        for (int t = 0; t < a->n_train.n_values; t++)
            for (int r = 0; r < plan->study->repeats; r++) plan->trainings[i++] = (rl_training_case){grid, h, t, r};
}

static double largest_bytes(const rl_plan *plan) {
    double largest = 0;
    for (int64_t i = 0; i < plan->n_trainings; i++) {
        const rl_training_case *c = &plan->trainings[i];
        if (c->repeat > 0) continue;
        const rl_autoencoder model = rl_training_model(plan, i);
        largest = fmax(largest, rl_training_bytes(&model, 1));
    }
    return largest;
}

rl_status rl_plan_trainings(rl_plan *plan, const bool *wanted) {
    const rl_study *study = plan->study;
    RL_TRY(RL_ALLOC(plan->training_grids, study->n_autoencoders));
    for (int i = 0; i < study->n_autoencoders; i++) {
        const rl_study_autoencoder *a = &study->autoencoders[i];
        if (wanted != NULL && !wanted[i]) continue;
        plan->training_grids[plan->n_training_grids++] =
            (rl_training_grid){.spec = a, .key = rl_key_make(study->seed, a->name), .first = plan->n_trainings};
        plan->n_trainings += count(study, a);
        if (plan->n_trainings > most_trainings)
            return rl_fail(RL_ERR_INPUT, "%s:%d: more than %lld trainings of autoencoders; expected at most that many",
                           study->path, a->line, (long long)most_trainings);
    }
    RL_TRY(RL_ALLOC(plan->trainings, plan->n_trainings));
    for (int i = 0; i < plan->n_training_grids; i++) lay_out(plan, i);
    plan->memory_per_rank += (size_t)largest_bytes(plan);
    return RL_OK;
}

rl_autoencoder rl_training_model(const rl_plan *plan, int64_t training) {
    const rl_training_case *c = &plan->trainings[training];
    const rl_study_autoencoder *a = plan->training_grids[c->grid].spec;
    rl_autoencoder model = a->model;
    model.n_hidden = a->hidden[c->i_hidden];
    model.n_train = a->n_train.values[c->i_n_train];
    return model;
}

void rl_training_text(const rl_plan *plan, int64_t training, char *text, size_t size) {
    const rl_autoencoder model = rl_training_model(plan, training);
    const rl_training_case *c = &plan->trainings[training];
    snprintf(text, size, "`%s`, m = %d, T = %d, repeat %d", plan->training_grids[c->grid].spec->name, model.n_hidden,
             model.n_train, c->repeat);
}

/* Measured beside dgemm on updates of rank 64: outputs in registers and those that are made by products of thin
 * matrices come near it. */
static const double part_of_gemm = 0.8;

double rl_predict_training(const rl_plan *plan, int64_t training, int ranks, const rl_rates *rates) {
    const rl_autoencoder model = rl_training_model(plan, training);
    const double parameters = ((double)model.n_hidden + 1) * model.n_features;
    const double sums = ranks > 1 ? 2 * (rates->message * log2(ranks) + 8 * parameters / rates->message_bandwidth) : 0;
    return rl_training_flops(&model) / (ranks * part_of_gemm * rates->gemm) + model.steps * sums;
}
