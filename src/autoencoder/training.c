/* A training: making one, its steps, and saving and restoring it. */
#include "training.h"

#include <math.h>
#include <string.h>

#include "../numbers.h"
#include "ridgeless/arena.h"

/* ---- records along the way --------------------------------------------------------------------------------------- */

static int n_records(const rl_autoencoder *model) {
    return rl_training_layout_of(model).n_records;
}

int rl_recorded_step(const rl_autoencoder *model, int i) {
    return i == n_records(model) - 1 ? model->steps : i * model->record_every;
}

/* The index of the record that is taken at a step; -1: none is. */
static int record_of(const rl_autoencoder *model, int step) {
    if (step == model->steps) return n_records(model) - 1;
    return step % model->record_every == 0 ? step / model->record_every : -1;
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

static int first_of(const rl_example_share *share, int n, int index) {
    return (int)((int64_t)n * index / share->count);
}

static rl_status draw_inputs(rl_training *t, rl_key key, uint32_t repeat) {
    const rl_example_share *s = &t->share;
    const int test = first_of(s, t->model.n_test, s->index), test_end = first_of(s, t->model.n_test, s->index + 1);
    const int end = first_of(s, t->model.n_train, s->index + 1);
    t->first_train = first_of(s, t->model.n_train, s->index);
    RL_TRY(rl_inputs_draw(&t->model, key, repeat, RL_INPUTS_TRAIN, t->first_train, end - t->first_train, &t->train));
    RL_TRY(rl_inputs_draw(&t->model, key, repeat, RL_INPUTS_TEST, test, test_end - test, &t->test));
    return rl_autoencoder_buffers_reserve(t->model.n_hidden, rl_larger(t->train.n_rows, t->test.n_rows), &t->buffers);
}

static void draw_weights(rl_training *t, rl_key key, uint32_t repeat) {
    const int n = t->model.n_features, m = t->model.n_hidden;
    const double deviation = sqrt(2.0 / (n + m));
    for (int k = 0; k < m; k++) {
        double *row = t->parameters + (size_t)k * (size_t)rl_parameter_stride(n);
        rl_philox_normal_row(key, RL_STREAM_WEIGHTS, repeat, (uint32_t)k, 0, n, row);
        for (int j = 0; j < n; j++) row[j] *= deviation;
    }
}

static void list_training_arrays(rl_arena *arena, void *object) {
    rl_training *const t = object;
    RL_TAKE_REALS(arena, t->n_parameters, &t->parameters, &t->first, &t->second);
    RL_TAKE(arena, t->sums, t->n_parameters + 1);
    RL_TAKE(arena, t->gram, (int64_t)t->model.n_hidden * t->model.n_hidden);
    RL_TAKE_REALS(arena, n_records(&t->model), &t->train_mse, &t->test_mse);
}

static rl_training training_sizes(const rl_autoencoder *model, const rl_example_share *share) {
    return (rl_training){.model = *model,
                         .share = *share,
                         .n_parameters = ((int64_t)model->n_hidden + 1) * rl_parameter_stride(model->n_features)};
}

rl_status rl_training_create(const rl_autoencoder *model, rl_key key, uint32_t repeat, const rl_example_share *share,
                             rl_training **training) {
    rl_training sizes = training_sizes(model, share);
    *training = NULL;
    RL_TRY(RL_OBJECT_CREATE(training, &sizes, list_training_arrays));
    rl_training *const t = *training;
    for (int i = 0; i < n_records(model); i++) t->train_mse[i] = t->test_mse[i] = NAN;
    const rl_status status = draw_inputs(t, key, repeat);
    if (status == RL_OK)
        draw_weights(t, key, repeat);
    else {
        rl_training_destroy(t);
        *training = NULL;
    }
    return status;
}

void rl_training_destroy(rl_training *training) {
    if (training == NULL) return;
    rl_sparse_rows_destroy(&training->train);
    rl_sparse_rows_destroy(&training->test);
    rl_autoencoder_buffers_destroy(&training->buffers);
    rl_free(training);
}

/* The most examples of a set of n that one of `count` shares has. */
static int largest_share(int n, int count) {
    return n / count + (n % count != 0);
}

size_t rl_training_bytes(const rl_autoencoder *model, int count) {
    rl_training sizes = training_sizes(model, &(rl_example_share){.count = count});
    const int train = largest_share(model->n_train, count), test = largest_share(model->n_test, count);
    return RL_OBJECT_BYTES(&sizes, list_training_arrays) + rl_sparse_rows_bytes(model, train) +
           rl_sparse_rows_bytes(model, test) + rl_autoencoder_buffers_bytes(model->n_hidden, rl_larger(train, test));
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

rl_status rl_training_add_up(const rl_training *t, double *sums, int64_t n) {
    return t->share.count > 1 ? t->share.add_up(t->share.state, sums, n) : RL_OK;
}

static rl_status loss_and_gradient(rl_training *t) {
    double *loss = &t->sums[t->n_parameters];
    RL_TRY(rl_autoencoder_gradient(t->model.n_hidden, t->parameters, &t->train, &t->buffers, loss, t->sums));
    return rl_training_add_up(t, t->sums, t->n_parameters + 1);
}

/* Parameters are checked too: those that are not finite can have outputs that are. */
static rl_status record_losses(rl_training *t, int record) {
    const double outputs = t->model.n_features, train = t->sums[t->n_parameters];
    double test;
    RL_TRY(rl_autoencoder_gradient(t->model.n_hidden, t->parameters, &t->test, &t->buffers, &test, NULL));
    RL_TRY(rl_training_add_up(t, &test, 1));
    if (!isfinite(train) || !isfinite(test) || !rl_all_finite(t->parameters, (size_t)t->n_parameters)) {
        t->status = RL_TRAINING_DIVERGED;
        t->ended = true;
        return RL_OK;
    }
    t->train_mse[record] = train / (t->model.n_train * outputs);
    t->test_mse[record] = test / (t->model.n_test * outputs);
    return RL_OK;
}

static void take_step(rl_training *t) {
    t->step++;
    const rl_adamw how = {.rate = rl_learning_rate(&t->model, t->step),
                          .weight_decay = t->model.weight_decay,
                          .scale = 1.0 / t->model.n_train,
                          .step = t->step};
    rl_adamw_step(&how, t->n_parameters, t->parameters, t->first, t->second, t->sums);
}

rl_status rl_training_advance(rl_training *training, int steps, bool *ended) {
    rl_training *const t = training;
    for (int i = 0; i < steps && !t->ended; i++) {
        const int record = record_of(&t->model, t->step);
        RL_TRY(loss_and_gradient(t));
        if (record >= 0) RL_TRY(record_losses(t, record));
        if (t->step == t->model.steps)
            t->ended = true;
        else if (!t->ended)
            take_step(t);
    }
    *ended = t->ended;
    return RL_OK;
}

int rl_training_step(const rl_training *training) {
    return training->step;
}

/* ---- states ------------------------------------------------------------------------------------------------------ */

/* A state holds the step, the losses so far, and the rows of parameters and of both moments, each without the zeros
 * that pad it. */
enum { STATE_STEP, STATE_LOSSES };

static int64_t n_rows(const rl_autoencoder *model) {
    return (int64_t)model->n_hidden + 1;
}

size_t rl_training_state_length(const rl_autoencoder *model) {
    return STATE_LOSSES + 2 * (size_t)n_records(model) + 3 * (size_t)n_rows(model) * (size_t)model->n_features;
}

int rl_training_saved_step(const double *state) {
    return (int)state[STATE_STEP];
}

void rl_training_save(const rl_training *training, double *state) {
    const rl_training *t = training;
    const double *const arrays[] = {t->parameters, t->first, t->second};
    const size_t n = (size_t)t->model.n_features, losses = (size_t)n_records(&t->model);
    state[STATE_STEP] = t->step;
    memcpy(state + STATE_LOSSES, t->train_mse, losses * sizeof *state);
    memcpy(state + STATE_LOSSES + losses, t->test_mse, losses * sizeof *state);
    double *next = state + STATE_LOSSES + 2 * losses;
    for (size_t a = 0; a < sizeof arrays / sizeof *arrays; a++)
        for (int64_t row = 0; row < n_rows(&t->model); row++, next += n)
            memcpy(next, arrays[a] + row * rl_parameter_stride(t->model.n_features), n * sizeof *next);
}

rl_status rl_training_restore(rl_training *training, const double *state) {
    rl_training *const t = training;
    double *const arrays[] = {t->parameters, t->first, t->second};
    const size_t n = (size_t)t->model.n_features, losses = (size_t)n_records(&t->model);
    const size_t behind = STATE_LOSSES + 2 * losses;
    const double step = state[STATE_STEP];
    if (!(step >= 0 && step <= t->model.steps && step == floor(step)) ||
        !rl_all_finite(state + behind, rl_training_state_length(&t->model) - behind))
        return rl_fail(RL_ERR_INPUT, "what was saved of a training is none of at most %d steps", t->model.steps);
    t->step = (int)step;
    memcpy(t->train_mse, state + STATE_LOSSES, losses * sizeof *state);
    memcpy(t->test_mse, state + STATE_LOSSES + losses, losses * sizeof *state);
    const double *next = state + behind;
    for (size_t a = 0; a < sizeof arrays / sizeof *arrays; a++)
        for (int64_t row = 0; row < n_rows(&t->model); row++, next += n)
            memcpy(arrays[a] + row * rl_parameter_stride(t->model.n_features), next, n * sizeof *next);
    return RL_OK;
}
