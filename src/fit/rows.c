/* Variants that run an algorithm on the training rows, and their errors. They make parameters, not coordinates of
 * modes: a start that is not zero leaves a part that lies outside all modes. */
#include <math.h>
#include <string.h>

#include "../vectors.h"
#include "filter.h"

/* |X beta - y|^2. residual [n_train] is a buffer. */
static double train_sum(const rl_training_set *train, const double *beta, double *residual) {
    const int n = train->n_train, p = train->n_features;
    memcpy(residual, train->y, sizeof(double) * (size_t)n);
    rl_gemv('T', p, n, 1, train->x, p, beta, -1, residual);
    return rl_sum_of_squares(n, residual);
}

/* The same over the test rows, by their triangle. residual [order] is a buffer. */
static double test_sum(const rl_test_factor *test, const double *beta, double *residual) {
    const int m = test->order, p = test->n_features;
    memcpy(residual, test->r + (size_t)(m - 1) * (size_t)m, sizeof(double) * (size_t)m);
    rl_gemv('N', m, p, 1, test->r + m, m, beta, -1, residual);
    return rl_sum_of_squares(m, residual);
}

static double parameter_error(const rl_training_set *train, const double *beta) {
    double sum = 0;
    for (int j = 0; j < train->n_features; j++) {
        const double error = (beta[j] - train->beta_star[j]) * (train->scale != NULL ? train->scale[j] : 1);
        sum += error * error;
    }
    return sum;
}

/* |beta - V c / sigma| / |c / sigma|, with the part of beta outside the modes. */
static double distance_to_least_squares(const rl_spectrum *s, const double *beta) {
    rl_squares apart = {0}, whole = {0};
    for (int j = 0; j < s->n_features; j++) {
        const double *const v = s->vt + (size_t)j * (size_t)s->n_modes;
        double residual = beta[j];
        for (int r = 0; r < s->rank; r++) residual -= v[r] * s->c[RL_TARGET_Y][r] / s->sigma[r];
        rl_squares_add(&apart, residual);
    }
    for (int r = 0; r < s->rank; r++) rl_squares_add(&whole, s->c[RL_TARGET_Y][r] / s->sigma[r]);
    return rl_distance_of(apart, whole);
}

static rl_errors errors_of(const rl_rows_problem *p, const rl_population *population, const double *beta,
                           double *residual) {
    const rl_training_set *train = p->train;
    return (rl_errors){.test_mse = rl_error_of(test_sum(p->test, beta, residual) / p->test->n_rows),
                       .train_mse = rl_error_of(train_sum(train, beta, residual) / train->n_train),
                       .population_mse = population->known
                                             ? rl_error_of(parameter_error(train, beta) + population->residual_variance)
                                             : NAN,
                       .distance = distance_to_least_squares(p->spectrum, beta),
                       .modes_kept = NAN};
}

static bool same_options(const rl_options *a, const rl_options *b) {
    for (int i = 0; i < a->n; i++)
        if (a->values[i].number != b->values[i].number) return false;
    return true;
}

/* How many of a variant's steps the one before it has made already. */
static double done_before(const rl_variant *variants, int v) {
    if (v == 0) return 0;
    const rl_variant *before = &variants[v - 1], *now = &variants[v];
    const bool goes_on = before->ablation == now->ablation && before->parameter <= now->parameter &&
                         same_options(&before->options, &now->options);
    return goes_on ? before->parameter : 0;
}

/* false: there are none. */
static bool make_parameters(const rl_rows_problem *problem, const rl_variant *variant, double done, double *beta,
                            double *residual) {
    if (variant->ablation->run != NULL) {
        variant->ablation->run(problem, variant, done, beta, residual);
        return true;
    }
    const bool solved = variant->ablation->solve(problem, variant, beta);
    for (int j = 0; j < problem->train->n_features && !solved; j++) beta[j] = NAN;
    return solved;
}

void rl_evaluate_rows(const rl_rows_problem *problem, const rl_population *population, int n_variants,
                      const rl_variant *variants, double *betas, double *residual, rl_errors *errors) {
    const size_t p = (size_t)problem->train->n_features;
    if (problem->spectrum->status != RL_CELL_DONE) return;
    for (int v = 0; v < n_variants; v++) {
        if (variants[v].ablation->need != RL_NEED_ROWS) continue;
        double *beta = betas + (size_t)v * p;
        const double done = done_before(variants, v);
        if (done > 0) memcpy(beta, beta - p, sizeof(double) * p);
        if (make_parameters(problem, &variants[v], done, beta, residual))
            errors[v] = errors_of(problem, population, beta, residual);
        else
            errors[v] = rl_no_errors;
    }
}

double rl_steps_on_rows(int n_variants, const rl_variant *variants) {
    double steps = 0;
    for (int v = 0; v < n_variants; v++)
        if (variants[v].ablation->run != NULL) steps += variants[v].parameter - done_before(variants, v);
    return steps;
}

size_t rl_room_on_rows(int n_variants, const rl_variant *variants, int n_train, int n_features) {
    size_t most = 0;
    for (int v = 0; v < n_variants; v++) {
        const rl_ablation *a = variants[v].ablation;
        const size_t room = a->solve != NULL ? a->solve_room(&variants[v], n_train, n_features) : 0;
        most = room > most ? room : most;
    }
    return most;
}

double rl_solver_flops(int n_variants, const rl_variant *variants, double n_train, double n_features) {
    double flops = 0;
    for (int v = 0; v < n_variants; v++)
        if (variants[v].ablation->solve != NULL)
            flops += variants[v].ablation->solve_flops(&variants[v], n_train, n_features);
    return flops;
}
