/* The dispatcher with tasks that take simulated time and compute nothing, under SimGrid's SMPI: how far one rank 0
 * serves.
 *    dispatch TASKS REPEATS SECONDS TOGETHER BYTES RECORD_SECONDS BYTE_SECONDS
 * There are TASKS tasks of REPEATS repeats each; a repeat takes SECONDS to compute, and TOGETHER tasks are computed
 * side by side (0: one at a time, as of summaries, in pieces between which a rank looks up). The record of a task has
 * BYTES bytes, and rank 0 is busy with it for RECORD_SECONDS + BYTES x BYTE_SECONDS. Prints one object of JSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../src/kinds.h"
#include "ridgeless/parallel.h"
#include "simulated.h"

static void let_pass(double seconds) {
    const struct timespec time = {.tv_sec = (time_t)seconds, .tv_nsec = (long)(1e9 * fmod(seconds, 1))};
    nanosleep(&time, NULL);
}

/* ---- the one kind of work there is ------------------------------------------------------------------------------- */

static struct {
    int64_t tasks;
    int repeats, together;
    double seconds, record_seconds, byte_seconds;
    size_t bytes;
} given;
static const rl_task *under_way;
static int n_under_way;
static void *content; /* of every record */

static rl_status create(const rl_series *series, const rl_group *group, void **buffers) {
    (void)series;
    (void)group;
    *buffers = NULL;
    return RL_OK;
}

static void destroy(void *buffers) {
    (void)buffers;
}

static rl_status begin(void *buffers, const rl_work *work) {
    (void)buffers;
    under_way = work->tasks;
    n_under_way = work->n;
    return RL_OK;
}

static rl_status advance(void *buffers, rl_tick tick, bool *ended) {
    enum { PIECE = 8 };
    (void)buffers;
    *ended = true;
    if (given.together > 0) {
        let_pass(n_under_way * given.repeats * given.seconds);
        return RL_OK;
    }
    for (int done = 0; done < given.repeats; done += PIECE) {
        if (done > 0 && !tick.call(tick.state)) return RL_STOPPED;
        let_pass(fmin(PIECE, given.repeats - done) * given.seconds);
    }
    return RL_OK;
}

static rl_status record(void *buffers, int i, rl_record *r) {
    static const rl_outcome done = {1, 0};
    (void)buffers;
    *r = (rl_record){.repeats = under_way[i].repeats,
                     .n = 1,
                     .outcomes = &done,
                     .step = RL_FINISHED,
                     .content = content,
                     .length = given.bytes};
    return RL_OK;
}

static int together(const rl_series *series) {
    (void)series;
    return given.together > 0 ? given.together : 1;
}

static double kept_bytes(const rl_series *series, const rl_task *task) {
    (void)series;
    (void)task;
    return (double)given.bytes;
}

/* In the place of each row of the table of kinds. */
#define KIND(name_)                         \
    extern const rl_kind rl_##name_##_kind; \
    const rl_kind rl_##name_##_kind = {     \
        .name = #name_,                     \
        .piece = "piece",                   \
        .pieces = "pieces",                 \
        .point = "point",                   \
        .points = "points",                 \
        .create = create,                   \
        .destroy = destroy,                 \
        .begin = begin,                     \
        .advance = advance,                 \
        .record = record,                   \
        .together = together,               \
        .kept_bytes = kept_bytes,           \
    };
RL_KINDS(KIND)

double rl_simulated_seconds(void) {
    return given.repeats * given.seconds;
}

/* ---- rank 0 ------------------------------------------------------------------------------------------------------ */

static double taking; /* seconds that rank 0 was busy with records */
static int64_t taken;

static rl_status take(void *state, int64_t task, const rl_record *r) {
    (void)state;
    (void)task;
    const double seconds = given.record_seconds + (double)r->length * given.byte_seconds;
    let_pass(seconds);
    taking += seconds;
    taken++;
    return RL_OK;
}

/* Of rank 0, what it computes and what it does with records and messages, and of the others what they wait. Nobody's
 * time before the first task counts. */
static void print(const rl_context *context, const rl_run_summary *s) {
    double busy = 0;
    for (int rank = 1; rank < context->size; rank++) busy += s->shares[rank].busy_seconds;
    const double workers = context->size - 1;
    printf(
        "{\"ranks\": %d, \"records\": %lld, \"seconds\": %.6g, \"records_per_second\": %.6g, "
        "\"computing_of_rank_0\": %.4f, \"taking_of_rank_0\": %.4f, \"idle_of_workers\": %.4f, \"messages\": %lld}\n",
        context->size, (long long)taken, s->seconds, (double)taken / s->seconds, s->shares[0].busy_seconds / s->seconds,
        taking / s->seconds, 1 - busy / (workers * s->seconds), (long long)rl_simulated_messages());
}

/* ---- a run ------------------------------------------------------------------------------------------------------- */

static rl_status lay_out(rl_study *study, rl_series *series, rl_plan *plan) {
    static int n_train = 1;
    *study = (rl_study){.repeats = (int)given.tasks * given.repeats};
    *series = (rl_series){
        .study = study, .kind = rl_kinds[0], .name = "simulated", .n_train = &n_train, .n_n_train = 1, .n_parts = 1};
    *plan = (rl_plan){.study = study, .series = series, .n_series = 1, .n_tasks = given.tasks};
    RL_TRY(RL_ALLOC(plan->tasks, plan->n_tasks));
    for (int64_t i = 0; i < plan->n_tasks; i++)
        plan->tasks[i] =
            (rl_task){.repeats = {(int)i * given.repeats, given.repeats}, .n_train = {0, 1}, .flops = given.repeats};
    return RL_OK;
}

static rl_status run(const rl_context *context) {
    rl_study study;
    rl_series series;
    rl_plan plan;
    rl_todo todo = {0};
    rl_run_summary summary = {0};
    const rl_run_settings settings = {.seconds_left = INFINITY};
    const rl_sink sink = {.record = take};
    RL_TRY(lay_out(&study, &series, &plan));
    RL_TRY(RL_ALLOC(content, given.bytes / sizeof(double)));
    if (context->rank == 0) RL_TRY(rl_todo_create_full(&plan, &todo));
    const rl_status status = rl_parallel_run(context, &plan, &todo, &settings, &sink, &summary);
    if (status == RL_OK && context->rank == 0) print(context, &summary);
    rl_run_summary_destroy(&summary);
    rl_todo_destroy(&todo);
    rl_free(plan.tasks);
    return status;
}

int main(int argc, char **argv) {
    rl_context context;
    MPI_Init(&argc, &argv);
    MPI_Comm_dup(MPI_COMM_WORLD, &context.comm);
    MPI_Comm_rank(context.comm, &context.rank);
    MPI_Comm_size(context.comm, &context.size);
    if (argc != 8) return 2;
    given.tasks = atoll(argv[1]);
    given.repeats = atoi(argv[2]);
    given.seconds = atof(argv[3]);
    given.together = atoi(argv[4]);
    given.bytes = (size_t)atoll(argv[5]) / sizeof(double) * sizeof(double);
    given.record_seconds = atof(argv[6]);
    given.byte_seconds = atof(argv[7]);
    const rl_status status = run(&context);
    if (status != RL_OK) fprintf(stderr, "dispatch: rank %d: %s\n", context.rank, rl_error_message());
    MPI_Comm_free(&context.comm);
    MPI_Finalize();
    return status == RL_OK ? 0 : 1;
}
