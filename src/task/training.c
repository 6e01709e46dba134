/* Trainings of shallow autoencoders: each is left and gone on with between some of its steps. */
#include <stdio.h>
#include <string.h>

#include "../numbers.h"
#include "ridgeless/arena.h"
#include "ridgeless/task.h"

/* Steps until a training can be left: so many that they take some milliseconds, or one. */
enum { PIECE_FLOPS = 100 * 1000 * 1000, MOST_STEPS = 100000 };

typedef struct training_work {
    const rl_series *series;
    const rl_group *group;
    rl_task task;         /* under way */
    rl_autoencoder model; /* its */
    rl_training *training;
    double *numbers; /* a record or a state, whichever is longer */
    rl_outcome outcome;
} training_work;

rl_autoencoder rl_training_model(const rl_series *series, int i) {
    rl_autoencoder model = series->autoencoder->model;
    model.n_hidden = series->n_features;
    model.n_train = series->n_train[i];
    return model;
}

/* ---- computing --------------------------------------------------------------------------------------------------- */

static size_t most_numbers(const rl_autoencoder *model) {
    return rl_larger(rl_training_layout_of(model).length, rl_training_state_length(model));
}

/* Of the longest training. */
static void list_training_arrays(rl_arena *arena, void *object) {
    training_work *const w = object;
    size_t most = 0;
    for (int i = 0; i < w->series->n_n_train; i++) {
        const rl_autoencoder model = rl_training_model(w->series, i);
        most = rl_larger(most, most_numbers(&model));
    }
    RL_TAKE(arena, w->numbers, most);
}

static rl_status create_training_work(const rl_series *series, const rl_group *group, void **buffers) {
    training_work sizes = {.series = series, .group = group};
    return RL_OBJECT_CREATE(buffers, &sizes, list_training_arrays);
}

static void destroy_training_work(void *buffers) {
    training_work *w = buffers;
    rl_training_destroy(w->training);
    rl_free(w);
}

static rl_status begin_training(void *buffers, const rl_work *work) {
    training_work *w = buffers;
    rl_training_destroy(w->training);
    w->training = NULL;
    w->task = work->tasks[0];
    w->model = rl_training_model(w->series, w->task.n_train.first);
    const rl_example_share share = {
        .index = w->group->rank, .count = w->group->size, .add_up = w->group->add_up, .state = w->group->state};
    RL_TRY(rl_training_create(&w->model, w->series->key, (uint32_t)w->task.repeats.first, &share, &w->training));
    return work->state != NULL
               ? rl_training_restore(w->training, work->state->content, work->state->length / sizeof *w->numbers)
               : RL_OK;
}

static int steps_of_piece(const training_work *w) {
    const double flops = rl_training_flops(&w->model) / (w->model.steps + 1.0) / w->group->size;
    const double steps = PIECE_FLOPS / flops;
    return steps < 1 ? 1 : steps < MOST_STEPS ? (int)steps : MOST_STEPS;
}

static int steps_of_training(const rl_series *series, const rl_task *task) {
    (void)task; /* all of a series have as many */
    return series->autoencoder->model.steps;
}

static rl_status advance_training(void *buffers, rl_tick tick, bool *ended) {
    training_work *w = buffers;
    (void)tick; /* it comes back soon */
    RL_TRY(rl_training_advance(w->training, steps_of_piece(w), ended));
    return *ended ? rl_training_record(w->training, w->numbers) : RL_OK;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

static rl_record record_of(training_work *w, int step, size_t length) {
    w->outcome = (rl_outcome){w->model.n_train, step == RL_FINISHED ? (int32_t)w->numbers[0] : 0};
    return (rl_record){.repeats = {w->task.repeats.first, 1},
                       .n = 1,
                       .outcomes = &w->outcome,
                       .step = step,
                       .content = w->numbers,
                       .length = length * sizeof *w->numbers};
}

static rl_status record_training(void *buffers, int i, rl_record *record) {
    training_work *w = buffers;
    (void)i; /* one at a time */
    *record = record_of(w, RL_FINISHED, rl_training_layout_of(&w->model).length);
    return RL_OK;
}

static rl_status save_training(void *buffers, rl_record *state) {
    training_work *w = buffers;
    rl_training_save(w->training, w->numbers);
    *state = record_of(w, rl_training_step(w->training), rl_training_state_length(&w->model));
    return RL_OK;
}

static int index_of(const rl_series *series, int n_train) {
    for (int i = 0; i < series->n_n_train; i++)
        if (series->n_train[i] == n_train) return i;
    return -1;
}

static rl_status check_training(const rl_series *series, const rl_record *record, bool *sound) {
    const int i = record->n == 1 ? index_of(series, record->outcomes->n_train) : -1;
    const rl_outcome *outcome = record->outcomes;
    double first = 0;
    *sound = i >= 0 && record->length >= sizeof first;
    if (!*sound) return RL_OK;
    const rl_autoencoder model = rl_training_model(series, i);
    memcpy(&first, record->content, sizeof first);
    if (record->step == RL_FINISHED)
        *sound = record->length == rl_training_layout_of(&model).length * sizeof first && first == outcome->outcome &&
                 (first == RL_TRAINING_DONE || first == RL_TRAINING_DIVERGED);
    else
        *sound = record->length % sizeof first == 0 && rl_training_takes_state(&model, record->length / sizeof first) &&
                 first == record->step && record->step >= 0 && record->step <= model.steps;
    return RL_OK;
}

/* ---- the kind ---------------------------------------------------------------------------------------------------- */

static bool suits_training(const rl_series *series) {
    return series->autoencoder != NULL;
}

static rl_status lay_out_training(rl_series *series) {
    series->n_parts = series->n_n_train;
    series->checkpoint_seconds = series->autoencoder->checkpoint_seconds;
    return RL_OK;
}

static double training_flops(const rl_series *series, rl_range n_train) {
    double flops = 0;
    for (int i = n_train.first; i < rl_range_end(n_train); i++) {
        const rl_autoencoder model = rl_training_model(series, i);
        flops += rl_training_flops(&model);
    }
    return flops;
}

/* Of the largest training. */
static size_t training_bytes(const rl_series *series) {
    training_work sizes = {.series = series};
    size_t most = 0;
    for (int i = 0; i < series->n_n_train; i++) {
        const rl_autoencoder model = rl_training_model(series, i);
        most = rl_larger(most, rl_training_bytes(&model, 1));
    }
    return most + RL_OBJECT_BYTES(&sizes, list_training_arrays);
}

/* In each step the ranks that share the examples add up the gradient. */
static void training_sums(const rl_series *series, const rl_task *task, double *times, double *numbers) {
    const rl_autoencoder model = rl_training_model(series, task->n_train.first);
    *times = model.steps;
    *numbers = ((double)model.n_hidden + 1) * model.n_features;
}

static void training_text(const rl_series *series, const rl_task *task, char *text, size_t size) {
    char n_train[RL_N_TRAIN_TEXT];
    snprintf(text, size, "`%s`, m = %d, T = %s, repeat %d", series->name, series->n_features,
             rl_n_train_text(series->n_train[task->n_train.first], n_train), task->repeats.first);
}

static int64_t has_diverged(int outcome) {
    return outcome == RL_TRAINING_DIVERGED;
}

static void complain_of_training(const rl_record *record, char *text, size_t size) {
    (void)record;
    snprintf(text, size, "diverged: its losses or weights are not finite");
}

/* However little there is time for, it is gone on with. */
static double least_part_of_training(const rl_series *series, const rl_task *task) {
    (void)series, (void)task;
    return 0;
}

/* The largest of so many shares of the examples, as a training of its own: whoever shares them takes every step whole.
 */
static rl_autoencoder share_of(rl_autoencoder model, int ranks) {
    int *const examples = model.n_train == RL_INFINITE ? &model.batch : &model.n_train;
    *examples = rl_ceiling(*examples, ranks);
    model.n_test = rl_ceiling(model.n_test, ranks);
    return model;
}

/* Outputs that products of thin matrices make go about as fast as updates of rank 64. */
static rl_effort training_effort(const rl_series *series, rl_range n_train, int ranks) {
    rl_effort effort = {0};
    double *const outputs = series->n_features <= RL_MOST_IN_REGISTERS ? &effort.outputs : &effort.products;
    for (int i = n_train.first; i < rl_range_end(n_train); i++) {
        const rl_autoencoder share = share_of(rl_training_model(series, i), ranks);
        effort.words += rl_training_draws(&share);
        *outputs += rl_training_flops(&share);
    }
    return effort;
}

static double kept_bytes_of_training(const rl_series *series, const rl_task *task) {
    const rl_autoencoder model = rl_training_model(series, task->n_train.first);
    return (double)(rl_training_layout_of(&model).length * sizeof(double));
}

const rl_kind rl_training_kind = {
    .name = "training",
    .number = 3,
    .piece = "training",
    .pieces = "trainings",
    .point = "training",
    .points = "trainings",
    .fate = "diverged; the variable `status` says which; a smaller learning_rate may help",
    .restorable = true,
    .steps = steps_of_training,
    .suits = suits_training,
    .lay_out = lay_out_training,
    .flops = training_flops,
    .effort = training_effort,
    .bytes = training_bytes,
    .sums = training_sums,
    .text = training_text,
    .least_part = least_part_of_training,
    .kept_bytes = kept_bytes_of_training,
    .create = create_training_work,
    .destroy = destroy_training_work,
    .begin = begin_training,
    .advance = advance_training,
    .record = record_training,
    .save = save_training,
    .check = check_training,
    .failed = has_diverged,
    .complaint = complain_of_training,
};
