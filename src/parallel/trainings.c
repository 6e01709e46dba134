/* How groups of ranks share trainings.
 *
 * The first rank of a group speaks for it with rank 0, which keeps the list and the journal, and which trains with its
 * own group as well: it answers the others between two pieces of its training, steps that take some milliseconds, or
 * one step where that takes longer. Between pieces every group looks whether it is to stop, and leaves then: the state
 * of a training goes to the journal, and nothing is lost. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "run.h"

enum { TAG_NEWS = 11, TAG_CONTENT, TAG_ORDER, TAG_STATE, TAG_STOP };

/* What the first rank of a group tells rank 0; the content follows in a message of its own. NEWS_FAILED has a status in
 * the place of the training, and its message for content. */
typedef enum news_kind { NEWS_WANTS, NEWS_STATE, NEWS_RECORD, NEWS_FAILED } news_kind;
typedef struct news {
    int64_t kind, training, length, stop; /* length: doubles of the content */
} news;

/* What rank 0 answers to NEWS_WANTS; the state follows in a message of its own. */
typedef struct order {
    int64_t training, length; /* NOTHING: the group is done; doubles of the state, 0: from the start */
    int64_t told;             /* a message of TAG_STOP was sent */
} order;
enum { NOTHING = -1, MESSAGE = 1024 / sizeof(double), PIECE_FLOPS = 100 * 1000 * 1000, MOST_STEPS = 100000 };

typedef struct trainer {
    const rl_context *context;
    const rl_plan *plan;
    rl_run_settings settings;
    const rl_training_sink *sink;
    rl_training_summary *summary;
    double deadline; /* of rl_seconds(); INFINITY: none */
    rl_stop stop;
    bool out_of_time, told; /* told: rank 0's message to stop has come */

    /* the phase under way */
    rl_context group; /* comm is MPI_COMM_NULL on ranks left over */
    int ranks;        /* of a group */

    /* the training under way */
    int64_t index;
    rl_training *training;
    double *buffer; /* of the state or the record, whichever is longer; on the first rank of a group */
    size_t state_length, record_length;
    double began, last_save;

    /* rank 0 alone */
    int64_t *list; /* [n]: what is to do, in order */
    int64_t n, next, end;
    double work_done, work;
    int working;     /* other groups that may still ask */
    bool *stop_sent; /* [size], by rank */
    rl_status status;
    char failure[MESSAGE * sizeof(double)];
} trainer;

static bool is_root(const trainer *t) {
    return t->context->rank == 0;
}

static bool leads(const trainer *t) {
    return t->group.rank == 0;
}

static bool stopping(trainer *t) {
    if (rl_stop_requested() > t->stop) t->stop = rl_stop_requested();
    return t->stop != RL_STOP_NONE || t->out_of_time;
}

/* ---- what is to do ----------------------------------------------------------------------------------------------- */

static int ranks_of(const trainer *t, int64_t training) {
    const int said = t->plan->training_grids[t->plan->trainings[training].grid].spec->ranks_per_case;
    return said == RL_RANKS_AUTO ? 1 : said == RL_RANKS_ALL ? t->context->size : said;
}

static double work_of(const trainer *t, int64_t training) {
    const rl_autoencoder model = rl_training_model(t->plan, training);
    return rl_training_flops(&model);
}

typedef struct listed {
    int ranks;
    double work;
    int64_t training;
} listed;

/* Those of many ranks first; long ones first, so that the short ones level the end; then as in the plan. */
static int compare(const void *a, const void *b) {
    const listed *left = a, *right = b;
    if (left->ranks != right->ranks) return left->ranks > right->ranks ? -1 : 1;
    if (left->work != right->work) return left->work > right->work ? -1 : 1;
    return left->training < right->training ? -1 : left->training > right->training;
}

static rl_status check_ranks(const trainer *t, const listed *l) {
    const rl_study *study = t->plan->study;
    const rl_study_autoencoder *a = t->plan->training_grids[t->plan->trainings[l->training].grid].spec;
    if (l->ranks <= t->context->size) return RL_OK;
    return rl_fail(RL_ERR_INPUT,
                   "%s:%d: key `ranks_per_case`: `%s` takes %d ranks a training, but the run has %d; start it with at "
                   "least %d",
                   study->path, a->line, a->name, l->ranks, t->context->size, l->ranks);
}

static rl_status sort_todo(trainer *t, const int64_t *todo) {
    listed *list = NULL;
    rl_status status = RL_ALLOC(list, t->n);
    for (int64_t i = 0; status == RL_OK && i < t->n; i++) {
        list[i] = (listed){.ranks = ranks_of(t, todo[i]), .work = work_of(t, todo[i]), .training = todo[i]};
        t->work += list[i].work;
        status = check_ranks(t, &list[i]);
    }
    if (status == RL_OK && t->n > 0) qsort(list, (size_t)t->n, sizeof *list, compare);
    for (int64_t i = 0; status == RL_OK && i < t->n; i++) t->list[i] = list[i].training;
    rl_free(list);
    return status;
}

/* ---- rank 0 ------------------------------------------------------------------------------------------------------ */

static void note_failure(trainer *t, rl_status status, const char *message) {
    if (t->status != RL_OK || status == RL_OK) return;
    t->status = status;
    snprintf(t->failure, sizeof t->failure, "%s", message);
}

static void pass_time(const trainer *t) {
    if (t->sink->progress != NULL)
        t->sink->progress(t->sink->state, t->summary->n_trainings, t->n, t->work > 0 ? t->work_done / t->work : 1);
}

/* After a failure nothing more is written: it may have been the journal's. */
static void keep_state(trainer *t, int64_t training, const double *state, size_t length) {
    if (t->status != RL_OK) return;
    const rl_status status = t->sink->save(t->sink->state, training, state, length);
    if (status != RL_OK) note_failure(t, status, rl_error_message());
}

static void keep_record(trainer *t, int64_t training, const double *record, size_t length) {
    if (t->status != RL_OK) return;
    const rl_status status = t->sink->record(t->sink->state, training, record, length);
    if (status != RL_OK) note_failure(t, status, rl_error_message());
    t->summary->n_trainings++;
    t->work_done += work_of(t, training);
    pass_time(t);
}

/* Once to every group that may still be at work. */
static rl_status send_stops(trainer *t) {
    const int groups = t->context->size / t->ranks;
    for (int g = 1; g < groups; g++) {
        const int rank = g * t->ranks;
        if (t->stop_sent[rank]) continue;
        t->stop_sent[rank] = true;
        RL_MPI(MPI_Send(NULL, 0, MPI_BYTE, rank, TAG_STOP, t->context->comm));
    }
    return RL_OK;
}

/* The next training and its state, which is the caller's to free. */
static rl_status hand_out(trainer *t, order *o, double **state) {
    bool there = false;
    *o = (order){.training = NOTHING};
    *state = NULL;
    if (stopping(t) || t->status != RL_OK || t->next >= t->end) return RL_OK;
    const int64_t training = t->list[t->next];
    const rl_autoencoder model = rl_training_model(t->plan, training);
    const size_t length = rl_training_state_length(&model);
    rl_status status = RL_ALLOC(*state, length);
    if (status == RL_OK) status = t->sink->restore(t->sink->state, training, *state, &there);
    if (status != RL_OK) {
        note_failure(t, status, rl_error_message());
        return RL_OK;
    }
    t->next++;
    *o = (order){.training = training, .length = there ? (int64_t)length : 0};
    return RL_OK;
}

static rl_status answer(trainer *t, int rank) {
    order o;
    double *state;
    RL_TRY(hand_out(t, &o, &state));
    o.told = t->stop_sent[rank];
    if (o.training == NOTHING) {
        t->working--;
        t->stop_sent[rank] = true; /* it asks no more */
    }
    RL_MPI(MPI_Send(&o, sizeof o, MPI_BYTE, rank, TAG_ORDER, t->context->comm));
    if (o.length > 0) RL_MPI(MPI_Send(state, (int)o.length, MPI_DOUBLE, rank, TAG_STATE, t->context->comm));
    rl_free(state);
    return RL_OK;
}

static rl_status take_news(trainer *t, int rank) {
    news n;
    double *content = NULL;
    RL_MPI(MPI_Recv(&n, sizeof n, MPI_BYTE, rank, TAG_NEWS, t->context->comm, MPI_STATUS_IGNORE));
    if ((int)n.stop > (int)t->stop) t->stop = (rl_stop)(int)n.stop;
    if (n.kind == NEWS_WANTS) return answer(t, rank);
    const rl_status status = RL_ALLOC(content, n.length);
    if (status != RL_OK) rl_context_abort(t->context, status); /* the other rank waits, and cannot be told */
    RL_MPI(MPI_Recv(content, (int)n.length, MPI_DOUBLE, rank, TAG_CONTENT, t->context->comm, MPI_STATUS_IGNORE));
    if (n.kind == NEWS_STATE) keep_state(t, n.training, content, (size_t)n.length);
    if (n.kind == NEWS_RECORD) keep_record(t, n.training, content, (size_t)n.length);
    if (n.kind == NEWS_FAILED) note_failure(t, (rl_status)n.training, (const char *)content);
    rl_free(content);
    return RL_OK;
}

/* Takes in what has arrived; *any says whether anything had. */
static rl_status serve(trainer *t, bool *any) {
    *any = false;
    while (t->working > 0) {
        int there = 0;
        MPI_Status from;
        RL_MPI(MPI_Iprobe(MPI_ANY_SOURCE, TAG_NEWS, t->context->comm, &there, &from));
        if (!there) break;
        *any = true;
        RL_TRY(take_news(t, from.MPI_SOURCE));
    }
    if (stopping(t) || t->status != RL_OK) RL_TRY(send_stops(t));
    return RL_OK;
}

static rl_status await_others(trainer *t) {
    const struct timespec nap = {.tv_nsec = 100000};
    while (t->working > 0) {
        bool any;
        if (rl_seconds() > t->deadline) t->out_of_time = true;
        RL_TRY(serve(t, &any));
        if (any) continue;
        pass_time(t);
        nanosleep(&nap, NULL);
    }
    return RL_OK;
}

/* ---- a group's first rank ---------------------------------------------------------------------------------------- */

static rl_status tell(trainer *t, news_kind kind, int64_t training, const double *content, size_t length) {
    const news n = {.kind = kind,
                    .training = training,
                    .length = (int64_t)length,
                    .stop = stopping(t) && !t->out_of_time ? (int64_t)t->stop : RL_STOP_NONE};
    RL_MPI(MPI_Send(&n, sizeof n, MPI_BYTE, 0, TAG_NEWS, t->context->comm));
    if (length > 0) RL_MPI(MPI_Send(content, (int)length, MPI_DOUBLE, 0, TAG_CONTENT, t->context->comm));
    return RL_OK;
}

static rl_status tell_failure(trainer *t, rl_status status) {
    double message[MESSAGE] = {0};
    char text[200];
    rl_training_text(t->plan, t->index, text, sizeof text);
    if (t->context->size == 1)
        rl_fail(status, "%s: %s", text, rl_error_message());
    else
        rl_fail(status, "rank %d, %s: %s", t->context->rank, text, rl_error_message());
    if (is_root(t)) {
        note_failure(t, status, rl_error_message());
        return RL_OK;
    }
    strncpy((char *)message, rl_error_message(), sizeof message - 1);
    return tell(t, NEWS_FAILED, status, message, MESSAGE);
}

static rl_status deliver_state(trainer *t) {
    t->last_save = rl_seconds();
    rl_training_save(t->training, t->buffer);
    if (!is_root(t)) return tell(t, NEWS_STATE, t->index, t->buffer, t->state_length);
    keep_state(t, t->index, t->buffer, t->state_length);
    return RL_OK;
}

static rl_status deliver_record(trainer *t) {
    if (!is_root(t)) return tell(t, NEWS_RECORD, t->index, t->buffer, t->record_length);
    keep_record(t, t->index, t->buffer, t->record_length);
    return RL_OK;
}

static rl_status receive_order(trainer *t, order *o, double **state) {
    *state = NULL;
    RL_TRY(tell(t, NEWS_WANTS, NOTHING, NULL, 0));
    RL_MPI(MPI_Recv(o, sizeof *o, MPI_BYTE, 0, TAG_ORDER, t->context->comm, MPI_STATUS_IGNORE));
    if (o->training == NOTHING && o->told && !t->told)
        RL_MPI(MPI_Recv(NULL, 0, MPI_BYTE, 0, TAG_STOP, t->context->comm, MPI_STATUS_IGNORE));
    if (o->length == 0) return RL_OK;
    const rl_status status = RL_ALLOC(*state, o->length);
    if (status != RL_OK) rl_context_abort(t->context, status);
    RL_MPI(MPI_Recv(*state, (int)o->length, MPI_DOUBLE, 0, TAG_STATE, t->context->comm, MPI_STATUS_IGNORE));
    return RL_OK;
}

/* A message to stop, and on rank 0 whatever there is. */
static rl_status look_at_mail(trainer *t) {
    bool any;
    int there = 0;
    if (is_root(t)) {
        pass_time(t);
        return serve(t, &any);
    }
    if (!leads(t) || t->told) return RL_OK;
    RL_MPI(MPI_Iprobe(0, TAG_STOP, t->context->comm, &there, MPI_STATUS_IGNORE));
    if (!there) return RL_OK;
    RL_MPI(MPI_Recv(NULL, 0, MPI_BYTE, 0, TAG_STOP, t->context->comm, MPI_STATUS_IGNORE));
    t->told = true;
    if (t->stop == RL_STOP_NONE) t->stop = RL_STOP_SOON;
    return RL_OK;
}

/* ---- all ranks of a group ---------------------------------------------------------------------------------------- */

/* The same bits on every rank, whatever the library adds in what order. */
static rl_status add_up(const void *state, double *sums, int64_t n) {
    const rl_context *group = state;
    RL_TRY(rl_context_sum_at(group->comm, 0, sums, n));
    RL_MPI(MPI_Bcast(sums, (int)n, MPI_DOUBLE, 0, group->comm));
    return RL_OK;
}

/* Whoever was asked to stop, or has the other reason, asks all of the communicator. */
static rl_status agree_to_stop(trainer *t, MPI_Comm comm, bool *other_reason) {
    int reasons[2] = {stopping(t) ? (int)t->stop : RL_STOP_NONE, *other_reason};
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, reasons, 2, MPI_INT, MPI_MAX, comm));
    t->stop = (rl_stop)reasons[0];
    *other_reason = reasons[1] != 0;
    return RL_OK;
}

/* Whether the group leaves its training: it does when one of its ranks has reason to. */
static rl_status agree_to_leave(trainer *t, double piece, bool *leave) {
    const double spread = 1.25; /* of the next piece over the last */
    RL_TRY(look_at_mail(t));
    if (rl_seconds() + spread * piece > t->deadline) t->out_of_time = true;
    if (t->group.size > 1) RL_TRY(agree_to_stop(t, t->group.comm, &t->out_of_time));
    *leave = stopping(t) || (is_root(t) && t->status != RL_OK);
    if (t->group.size > 1) RL_MPI(MPI_Bcast(leave, 1, MPI_C_BOOL, 0, t->group.comm));
    return RL_OK;
}

static rl_status make_training(trainer *t, const double *state) {
    const rl_autoencoder model = rl_training_model(t->plan, t->index);
    const rl_training_case *c = &t->plan->trainings[t->index];
    const rl_example_share share = {
        .index = t->group.rank, .count = t->group.size, .add_up = add_up, .state = &t->group};
    t->state_length = rl_training_state_length(&model);
    t->record_length = rl_training_layout_of(&model).length;
    RL_TRY(RL_ALLOC(t->buffer, t->state_length > t->record_length ? t->state_length : t->record_length));
    RL_TRY(rl_training_create(&model, t->plan->training_grids[c->grid].key, (uint32_t)c->repeat, &share, &t->training));
    return state != NULL ? rl_training_restore(t->training, state) : RL_OK;
}

static int steps_of_piece(const trainer *t) {
    const rl_autoencoder model = rl_training_model(t->plan, t->index);
    const double flops = rl_training_flops(&model) / (model.steps + 1.0) / t->group.size;
    const double steps = PIECE_FLOPS / flops;
    return steps < 1 ? 1 : steps < MOST_STEPS ? (int)steps : MOST_STEPS;
}

static bool save_is_due(const trainer *t) {
    const double share_of_time = 0.1, now = rl_seconds();
    const double least = t->plan->training_grids[t->plan->trainings[t->index].grid].spec->checkpoint_seconds;
    return now - t->last_save >= fmax(least, share_of_time * (now - t->began));
}

static rl_status take_steps(trainer *t, bool *ended) {
    const int steps = steps_of_piece(t);
    t->began = t->last_save = rl_seconds();
    for (bool leave = false; !leave;) {
        const double start = rl_seconds();
        RL_TRY(rl_training_advance(t->training, steps, ended));
        if (*ended) return RL_OK;
        RL_TRY(agree_to_leave(t, rl_seconds() - start, &leave));
        if (leads(t) && (leave || save_is_due(t))) RL_TRY(deliver_state(t));
    }
    return RL_OK;
}

static void release_training(trainer *t) {
    rl_training_destroy(t->training);
    rl_free(t->buffer);
    t->training = NULL;
    t->buffer = NULL;
}

static rl_status train(trainer *t, int64_t index, const double *state) {
    bool ended = false;
    char text[200];
    t->index = index;
    rl_training_text(t->plan, index, text, sizeof text);
    rl_guard_doing(t->settings.guard, "training %s", text);
    rl_status status = rl_context_agree(&t->group, make_training(t, state));
    if (status == RL_OK) status = take_steps(t, &ended);
    if (status == RL_OK && ended) status = rl_training_record(t->training, t->buffer);
    if (status == RL_OK && ended && leads(t)) status = deliver_record(t);
    rl_guard_doing(t->settings.guard, "between two trainings");
    release_training(t);
    return status == RL_OK || !leads(t) ? RL_OK : tell_failure(t, status);
}

/* The first rank's order and state to the others; *state on them is theirs to free. */
static rl_status share_order(trainer *t, order *o, double **state) {
    if (t->group.size == 1) return RL_OK;
    RL_MPI(MPI_Bcast(o, sizeof *o, MPI_BYTE, 0, t->group.comm));
    if (o->length == 0) return RL_OK;
    const rl_status status = leads(t) ? RL_OK : RL_ALLOC(*state, o->length);
    if (status != RL_OK) rl_context_abort(t->context, status);
    RL_MPI(MPI_Bcast(*state, (int)o->length, MPI_DOUBLE, 0, t->group.comm));
    return RL_OK;
}

static rl_status work_in_group(trainer *t) {
    for (;;) {
        order o = {.training = NOTHING};
        double *state = NULL;
        if (is_root(t))
            RL_TRY(hand_out(t, &o, &state));
        else if (leads(t))
            RL_TRY(receive_order(t, &o, &state));
        rl_status status = share_order(t, &o, &state);
        if (status == RL_OK && o.training != NOTHING) status = train(t, o.training, o.length > 0 ? state : NULL);
        rl_free(state);
        RL_TRY(status);
        if (o.training == NOTHING) return RL_OK;
    }
}

/* ---- phases ------------------------------------------------------------------------------------------------------ */

static rl_status begin_phase(trainer *t) {
    const int size = t->context->size, group = t->context->rank / t->ranks, n_groups = size / t->ranks;
    const bool grouped = group < n_groups;
    t->told = false;
    t->working = n_groups - 1;
    if (is_root(t)) memset(t->stop_sent, 0, (size_t)size * sizeof *t->stop_sent);
    t->group = (rl_context){.comm = MPI_COMM_NULL};
    RL_MPI(MPI_Comm_split(t->context->comm, grouped ? group : MPI_UNDEFINED, t->context->rank, &t->group.comm));
    if (!grouped) return RL_OK;
    MPI_Comm_rank(t->group.comm, &t->group.rank);
    MPI_Comm_size(t->group.comm, &t->group.size);
    return RL_OK;
}

/* Ranks left over sleep until the others have done. */
static rl_status run_phase(trainer *t) {
    RL_TRY(begin_phase(t));
    if (t->group.comm != MPI_COMM_NULL) {
        RL_TRY(work_in_group(t));
        if (is_root(t)) RL_TRY(await_others(t));
        MPI_Comm_free(&t->group.comm);
    }
    return rl_context_wait(t->context);
}

/* Rank 0 says what the next phase is of; 0: nothing is left. Whoever was asked to stop asks all. */
static rl_status next_phase(trainer *t, bool *more) {
    bool at_end = t->out_of_time || t->status != RL_OK;
    RL_TRY(agree_to_stop(t, t->context->comm, &at_end));
    t->ranks = 0;
    if (is_root(t) && t->next < t->n && t->stop == RL_STOP_NONE && !at_end) {
        t->ranks = ranks_of(t, t->list[t->next]);
        for (t->end = t->next; t->end < t->n && ranks_of(t, t->list[t->end]) == t->ranks;) t->end++;
    }
    RL_TRY(rl_broadcast(t->context, &t->ranks, sizeof t->ranks));
    *more = t->ranks > 0;
    return RL_OK;
}

static rl_status run_phases(trainer *t) {
    for (bool more;;) {
        RL_TRY(next_phase(t, &more));
        if (!more) break;
        RL_TRY(run_phase(t));
    }
    if (!is_root(t)) return RL_OK;
    if (t->status != RL_OK) return rl_fail(t->status, "%s", t->failure);
    return t->summary->n_trainings < t->n ? rl_fail(RL_STOPPED, "stopped early") : RL_OK;
}

/* Seconds kept for the results file, which holds the records once. */
static double seconds_to_write(const rl_plan *plan) {
    const double fixed = 2, bytes_per_second = 40e6;
    double bytes = 0;
    for (int64_t i = 0; i < plan->n_trainings; i++) {
        const rl_autoencoder model = rl_training_model(plan, i);
        bytes += (double)(rl_training_layout_of(&model).length * sizeof(double));
    }
    return fixed + bytes / bytes_per_second;
}

static rl_status share_settings(trainer *t) {
    rl_guard *const guard = t->settings.guard; /* each rank has its own */
    RL_TRY(rl_broadcast(t->context, &t->settings, sizeof t->settings));
    RL_TRY(rl_broadcast(t->context, &t->n, sizeof t->n));
    t->settings.guard = guard;
    const double left = t->settings.seconds_left;
    t->deadline = isfinite(left) ? rl_seconds() + left - seconds_to_write(t->plan) : INFINITY;
    return RL_OK;
}

rl_status rl_parallel_train(const rl_context *context, const rl_plan *plan, const int64_t *todo, int64_t n,
                            const rl_run_settings *settings, const rl_training_sink *sink,
                            rl_training_summary *summary) {
    trainer t = {
        .context = context, .plan = plan, .settings = *settings, .sink = sink, .summary = summary, .n = n, .index = -1};
    const double start = rl_seconds();
    *summary = (rl_training_summary){0};
    RL_TRY(share_settings(&t));
    rl_status status = RL_OK;
    if (is_root(&t)) status = RL_ALLOC(t.list, t.n);
    if (status == RL_OK && is_root(&t)) status = RL_ALLOC(t.stop_sent, context->size);
    if (status == RL_OK && is_root(&t)) status = sort_todo(&t, todo);
    status = rl_context_agree(context, status);
    if (status == RL_OK) status = rl_context_agree(context, run_phases(&t));
    summary->seconds = rl_seconds() - start;
    rl_free(t.list);
    rl_free(t.stop_sent);
    return status;
}
