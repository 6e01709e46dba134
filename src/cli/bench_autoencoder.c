/* `bench autoencoder SIZE`: seconds per step of a training of an autoencoder. Every rank takes steps of a training of
 * its own at the same time: what a core does while the others are as busy. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { LARGEST = 10000000, MOST_HIDDEN = 10000, NONZEROS = 10, N_TEST = 1, SETTLING = 100 };
static const double settling_seconds = 3, round_seconds = 0.2; /* a round has as many steps as take so long */

typedef struct autoencoder_bench {
    rl_autoencoder model;
    rl_training *training;
    int n_rounds, steps;            /* steps per round */
    double seconds[RL_MOST_ROUNDS]; /* per step, on the slowest rank */
} autoencoder_bench;

/* "10000x5000x2": features x training examples x hidden dimensions. */
static rl_status parse_size(const char *text, rl_autoencoder *model) {
    enum { N_SIZES = 3 };
    int64_t sizes[N_SIZES];
    if (rl_parse_sizes(text, N_SIZES, LARGEST, sizes) != N_SIZES || sizes[N_SIZES - 1] > MOST_HIDDEN)
        return rl_fail(
            RL_ERR_INPUT,
            "bench autoencoder: got `%s`; expected features x examples x hidden dimensions, like 10000x5000x2", text);
    *model = (rl_autoencoder){.n_features = (int)sizes[0],
                              .n_train = (int)sizes[1],
                              .n_hidden = (int)sizes[2],
                              .n_test = N_TEST,
                              .sparsity = sizes[0] > NONZEROS ? 1 - (double)NONZEROS / (double)sizes[0] : 0,
                              .steps = 1000000000,
                              .warm_up = 0,
                              .schedule = RL_LEARNING_CONSTANT,
                              .learning_rate = 1e-3,
                              .weight_decay = 1e-2,
                              .epsilon = 1e-8,
                              .loss = RL_LOSS_MEAN,
                              .record_every = 1000000000};
    return RL_OK;
}

static rl_status take_steps(autoencoder_bench *b, int steps, double *seconds) {
    bool ended;
    const double start = rl_seconds();
    RL_TRY(rl_training_advance(b->training, steps, &ended));
    *seconds = (rl_seconds() - start) / steps;
    return RL_OK;
}

/* Where a training begins, hidden vectors lie close together and move fast, which is no time to speak of. */
static rl_status settle(autoencoder_bench *b) {
    double seconds = 0, step = 0;
    for (int i = 0; i < SETTLING && seconds < settling_seconds; i++) {
        RL_TRY(take_steps(b, 1, &step));
        seconds += step;
    }
    return RL_OK;
}

/* Some steps say how many make a round. */
static rl_status measure_steps(autoencoder_bench *b, const rl_context *context) {
    const rl_example_share alone = RL_ALL_EXAMPLES;
    double first = 0;
    rl_status status = rl_training_create(&b->model, rl_key_make(0, "bench"), 0, &alone, &b->training);
    if (status == RL_OK) status = settle(b);
    if (status == RL_OK) status = take_steps(b, 2, &first);
    RL_TRY(rl_context_agree(context, status));
    RL_TRY(rl_context_largest(context, &first, 1));
    b->steps = first >= round_seconds ? 1 : (int)(round_seconds / first) + 1;
    for (int i = 0; i < b->n_rounds; i++) {
        RL_TRY(rl_context_wait(context));
        RL_TRY(rl_context_agree(context, take_steps(b, b->steps, &b->seconds[i])));
        RL_TRY(rl_context_largest(context, &b->seconds[i], 1));
    }
    return RL_OK;
}

static rl_status print_speed(autoencoder_bench *b, const rl_settings *settings, const rl_context *context) {
    const rl_autoencoder *m = &b->model;
    json_t *rounds = json_array();
    for (int i = 0; i < b->n_rounds; i++) json_array_append_new(rounds, json_real(b->seconds[i]));
    qsort(b->seconds, (size_t)b->n_rounds, sizeof *b->seconds, rl_compare_reals);
    const double median = b->seconds[b->n_rounds / 2], flops = rl_training_flops(m) / (m->steps + 1.0);
    const double outputs = (double)m->n_features * m->n_train / median;
    if (settings->json)
        return rl_print_json(json_pack("{s:i, s:i, s:i, s:i, s:i, s:f, s:o, s:f, s:f}", "n_features", m->n_features,
                                       "n_train", m->n_train, "n_hidden", m->n_hidden, "ranks", context->size,
                                       "steps_of_a_round", b->steps, "seconds", median, "rounds", rounds,
                                       "outputs_per_second", outputs, "gflops", 1e-9 * flops / median));
    json_decref(rounds);
    printf(
        "n = %d, T = %d, m = %d, %d rank%s: %.4g s per step, the median of %d round%s of %d step%s; %.3g outputs/s, "
        "%.3g GFlop/s per rank\n",
        m->n_features, m->n_train, m->n_hidden, context->size, rl_plural(context->size), median, b->n_rounds,
        rl_plural(b->n_rounds), b->steps, rl_plural(b->steps), outputs, 1e-9 * flops / median);
    return RL_OK;
}

rl_status rl_bench_autoencoder(const rl_settings *settings, const rl_context *context) {
    enum { USUAL_ROUNDS = 5 };
    autoencoder_bench b = {.steps = 0};
    RL_TRY(parse_size(settings->arguments[1], &b.model));
    RL_TRY(rl_bench_rounds(settings, USUAL_ROUNDS, &b.n_rounds));
    rl_status status = measure_steps(&b, context);
    if (status == RL_OK && context->rank == 0) status = print_speed(&b, settings, context);
    rl_training_destroy(b.training);
    return rl_context_agree(context, status);
}
