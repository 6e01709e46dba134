/* Learning rates, and a step of AdamW. */
#include <math.h>

#include "../clones.h"
#include "ridgeless/autoencoder.h"

static const double BETA_1 = 0.9, BETA_2 = 0.999, PI = 0x1.921fb54442d18p+1;

const char *rl_learning_schedule_name(rl_learning_schedule schedule) {
    return schedule == RL_LEARNING_CONSTANT ? "constant" : "cosine";
}

const char *rl_loss_name(rl_loss loss) {
    return loss == RL_LOSS_MEAN ? "mean" : "sum";
}

const char *rl_precision_name(rl_precision precision) {
    return precision == RL_PRECISION_FLOAT ? "float" : "double";
}

double rl_learning_rate(const rl_autoencoder *model, int step) {
    const double warm = round(model->warm_up * model->steps);
    if (step <= warm) return model->learning_rate * step / warm;
    if (model->schedule == RL_LEARNING_CONSTANT) return model->learning_rate;
    return model->learning_rate * (1 + cos(PI * (step - warm) / (model->steps - warm))) / 2;
}

/* Factors that all parameters share in a step. */
typedef struct factors {
    double kept, rate, first_scale, second_scale, scale, epsilon;
} factors;

RL_CLONES static void update_parameters(const factors *f, int64_t n, double *restrict parameters,
                                        double *restrict first, double *restrict second,
                                        const double *restrict gradient) {
    const factors c = *f;
    for (int64_t i = 0; i < n; i++) {
        const double g = c.scale * gradient[i];
        first[i] = BETA_1 * first[i] + (1 - BETA_1) * g;
        second[i] = BETA_2 * second[i] + (1 - BETA_2) * (g * g);
        const double size = sqrt(second[i] * c.second_scale) + c.epsilon;
        parameters[i] = c.kept * parameters[i] - c.rate * (first[i] * c.first_scale / size);
    }
}

void rl_adamw_step(const rl_autoencoder *model, int step, int64_t n, double *parameters, double *first, double *second,
                   const double *gradient) {
    const double rate = rl_learning_rate(model, step);
    const double averaged = model->loss == RL_LOSS_MEAN ? model->n_features : 1;
    const factors f = {.kept = 1 - rate * model->weight_decay,
                       .rate = rate,
                       .first_scale = 1 / (1 - pow(BETA_1, step)),
                       .second_scale = 1 / (1 - pow(BETA_2, step)),
                       .scale = 1 / (rl_training_examples(model) * averaged),
                       .epsilon = model->epsilon};
    update_parameters(&f, n, parameters, first, second, gradient);
}
