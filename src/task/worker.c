/* A worker: buffers for one series at a time, made by its kind. */
#include <assert.h>

#include "ridgeless/task.h"

struct rl_worker {
    const rl_series *all;
    rl_group group;
    const rl_series *series; /* that the buffers are for; NULL: none */
    void *buffers;
};

rl_status rl_worker_create(const rl_series *series, rl_group group, rl_worker **worker) {
    RL_TRY(RL_ALLOC(*worker, 1));
    **worker = (rl_worker){.all = series, .group = group};
    return RL_OK;
}

static void release_buffers(rl_worker *w) {
    if (w->series != NULL) w->series->kind->destroy(w->buffers);
    w->series = NULL;
    w->buffers = NULL;
}

void rl_worker_destroy(rl_worker *worker) {
    if (worker == NULL) return;
    release_buffers(worker);
    rl_free(worker);
}

/* Tasks come series by series, so that buffers for one at a time are enough. */
static rl_status prepare_series(rl_worker *w, const rl_series *series) {
    if (w->series == series) return RL_OK;
    release_buffers(w);
    const rl_status status = series->kind->create(series, &w->group, &w->buffers);
    if (status == RL_OK) w->series = series;
    return status;
}

static rl_status agree_on(const rl_worker *w, rl_status status) {
    return w->group.agree != NULL ? w->group.agree(w->group.state, status) : status;
}

rl_status rl_worker_begin(rl_worker *worker, const rl_work *work) {
    const rl_series *series = &worker->all[work->tasks[0].series];
    assert(!series->on_grid || worker->group.process_grid != NULL);
    RL_TRY(agree_on(worker, prepare_series(worker, series)));
    return agree_on(worker, series->kind->begin(worker->buffers, work));
}

rl_status rl_worker_advance(rl_worker *worker, rl_tick tick, bool *ended) {
    return worker->series->kind->advance(worker->buffers, tick, ended);
}

rl_status rl_worker_record(rl_worker *worker, int i, rl_record *record) {
    return worker->series->kind->record(worker->buffers, i, record);
}

rl_status rl_worker_save(rl_worker *worker, rl_record *state) {
    return worker->series->kind->save(worker->buffers, state);
}
