/* A fourth kind of work, for the test of additions: the mean of the first K standard normal numbers of each of M
 * streams. A stream is a repeat and K an N of a data set that is called `means`, of which nothing else is used. */
#include <stdio.h>
#include <string.h>

#include "ridgeless/task.h"

typedef struct mean_work {
    const rl_series *series;
    rl_work work;
    rl_key key;
    int n;                /* finished */
    double *numbers;      /* [longest K] */
    double *means;        /* [n_n_train] */
    rl_outcome *outcomes; /* likewise */
} mean_work;

static void destroy_means(void *buffers) {
    mean_work *w = buffers;
    rl_free(w->numbers);
    rl_free(w->means);
    rl_free(w->outcomes);
    rl_free(w);
}

static rl_status create_means(const rl_series *series, const rl_group *group, void **buffers) {
    mean_work *w;
    (void)group; /* each rank by itself */
    RL_TRY(RL_ALLOC(w, 1));
    *w = (mean_work){.series = series, .key = rl_key_make(series->study->seed, series->name)};
    rl_status status = RL_ALLOC(w->numbers, series->n_train[series->n_n_train - 1]);
    if (status == RL_OK) status = RL_ALLOC(w->means, series->n_n_train);
    if (status == RL_OK) status = RL_ALLOC(w->outcomes, series->n_n_train);
    if (status == RL_OK)
        *buffers = w;
    else
        destroy_means(w);
    return status;
}

static rl_status begin_means(void *buffers, const rl_work *work) {
    mean_work *w = buffers;
    w->work = *work;
    w->n = 0;
    return RL_OK;
}

static double mean_of(mean_work *w, int repeat, int k) {
    double sum = 0;
    rl_philox_normal_row(w->key, RL_STREAM_START, (uint32_t)repeat, 0, 0, k, w->numbers);
    for (int i = 0; i < k; i++) sum += w->numbers[i];
    return sum / k;
}

static rl_status advance_means(void *buffers, rl_tick tick, bool *ended) {
    mean_work *w = buffers;
    const rl_task *task = w->work.tasks;
    *ended = true;
    for (int i = 0; i < task->n_train.n; i++) {
        const int k = w->series->n_train[task->n_train.first + i];
        if (w->work.wanted != NULL && !w->work.wanted[i]) continue;
        if (!rl_may_go_on(tick)) return RL_STOPPED;
        w->outcomes[w->n] = (rl_outcome){.n_train = k};
        w->means[w->n++] = mean_of(w, task->repeats.first, k);
    }
    return RL_OK;
}

static rl_status record_means(void *buffers, int i, rl_record *record) {
    mean_work *w = buffers;
    *record = (rl_record){.repeats = {w->work.tasks[i].repeats.first, 1},
                          .n = w->n,
                          .outcomes = w->outcomes,
                          .step = RL_FINISHED,
                          .content = w->means,
                          .length = (size_t)w->n * sizeof *w->means};
    return RL_OK;
}

static bool suits_means(const rl_series *series) {
    return strcmp(series->name, "means") == 0;
}

static rl_status lay_out_means(rl_series *series) {
    (void)series; /* a task per stream */
    return RL_OK;
}

static double means_flops(const rl_series *series, rl_range n_train) {
    double flops = 0;
    for (int i = n_train.first; i < rl_range_end(n_train); i++) flops += 50.0 * series->n_train[i];
    return flops;
}

static size_t means_bytes(const rl_series *series) {
    return (size_t)series->n_train[series->n_n_train - 1] * sizeof(double);
}

static void means_text(const rl_series *series, const rl_task *task, char *text, size_t size) {
    snprintf(text, size, "`%s`, stream %d", series->name, task->repeats.first);
}

static rl_status check_means(const rl_series *series, const rl_record *record, bool *sound) {
    (void)series;
    *sound = record->n > 0 && record->length == (size_t)record->n * sizeof(double);
    return RL_OK;
}

static int64_t none_failed(int outcome) {
    (void)outcome;
    return 0;
}

const rl_kind rl_means_kind = {.name = "means",
                               .number = 99,
                               .piece = "stream",
                               .pieces = "streams",
                               .point = "mean",
                               .points = "means",
                               .fate = "failed",
                               .suits = suits_means,
                               .lay_out = lay_out_means,
                               .flops = means_flops,
                               .bytes = means_bytes,
                               .text = means_text,
                               .create = create_means,
                               .destroy = destroy_means,
                               .begin = begin_means,
                               .advance = advance_means,
                               .record = record_means,
                               .check = check_means,
                               .failed = none_failed};
