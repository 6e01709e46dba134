/* How groups share tasks in a phase. The README of this room has the protocol, and what becomes of a run that is to
 * stop.
 *
 * Groups hold two positions at a time where there are plenty, so that they compute while the answer travels, or while
 * rank 0 is busy: it computes too, and serves the others between two pieces of its own work. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "dispatch.h"

/* NEWS are a leader's; rank 0 answers with the next batch, or with a state; STOP, an empty message, comes once in a
 * phase: when the run is to stop, or else as the answer to BYE. */
enum { TAG_NEWS = 1, TAG_NEXT, TAG_STATE, TAG_STOP };

/* What news begin with. Behind it come the positions of a batch, or those of them that are done, with their records
 * (RECORDS; as PART, more follow), or a state (STATE; rl_record_append), or the error message (FAILED). */
typedef enum news_kind { RECORDS, PART, STATE, WANT_STATE, FAILED, BYE } news_kind;
typedef struct news_head {
    int64_t kind, position, status, stop;
} news_head;
enum { WORD = 8, MESSAGE_BYTES = RL_NEWS_BYTES - sizeof(news_head) };
static_assert(sizeof(news_head) % WORD == 0 && MESSAGE_BYTES % WORD == 0, "messages are of whole words");

/* Before the records of each position. */
typedef struct part_head {
    int64_t position, status; /* RL_OK: whole, or stopped in the middle */
    int64_t bytes;            /* of the records */
    double start, seconds;    /* as of an interval */
} part_head;

/* When something was computed. */
typedef struct interval {
    double start; /* rl_clock_seconds() of the rank */
    double seconds;
} interval;

/* Positions that are none. As an answer: nothing more, and with STOP drop what you have left too. */
enum { NOTHING = -1, STOP = -2 };

static bool is_failure(rl_status status) {
    return status != RL_OK && status != RL_STOPPED;
}

static void ask_to_stop(rl_run *r, rl_stop stop) {
    if (stop > r->stop) r->stop = stop;
}

static bool is_stopping(rl_run *r) {
    ask_to_stop(r, rl_stop_requested());
    return r->stop != RL_STOP_NONE;
}

void rl_agree_to_stop(rl_run *r, MPI_Comm comm) {
    int stop = is_stopping(r) ? (int)r->stop : RL_STOP_NONE;
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, &stop, 1, MPI_INT, MPI_MAX, comm));
    r->stop = (rl_stop)stop;
}

/* ---- positions --------------------------------------------------------------------------------------------------- */

/* Ranks left over by groups take positions one by one, as long as the groups work. */
static rl_schedule schedule_of(const rl_run *r, rl_member m) {
    return m.queue == RL_QUEUE_ALONE && r->phase.n_groups > 0 ? RL_SCHEDULE_DYNAMIC : r->settings.schedule;
}

/* The k-th position that a group knows by itself; NOTHING when there is none. */
static int64_t own_position(const rl_run *r, rl_member m, int64_t k) {
    const rl_queue *queue = &r->queues[m.queue];
    const int64_t groups = queue->n_groups, n = queue->end - queue->start;
    const rl_schedule schedule = schedule_of(r, m);
    if (schedule == RL_SCHEDULE_STATIC) {
        const int64_t first = n * m.index / groups, end = n * (m.index + 1) / groups;
        return first + k < end ? queue->start + first + k : NOTHING;
    }
    if (schedule == RL_SCHEDULE_DYNAMIC && k >= queue->depth) return NOTHING;
    const int64_t offset = k * groups + m.index;
    return offset < n ? queue->start + offset : NOTHING;
}

/* How many ranks compute what a rank takes part in. */
static int ranks_of(const rl_run *r, rl_member m) {
    return m.queue == RL_QUEUE_GROUPS ? r->phase.ranks : 1;
}

static int first_rank_of(const rl_run *r, rl_member m) {
    return m.queue == RL_QUEUE_GROUPS ? m.index * r->phase.ranks : r->phase.n_groups * r->phase.ranks + m.index;
}

/* The first item at a position; the others are like it. */
static const rl_todo_item *item_at(const rl_run *r, rl_member m, int64_t position) {
    return rl_items_at(&r->queues[m.queue], position);
}

static bool fits(const rl_run *r, rl_member m, int64_t position) {
    const int n = rl_n_items_at(&r->queues[m.queue], position);
    return rl_deadline_fits(r, item_at(r, m, position), n, ranks_of(r, m));
}

/* ---- what rank 0 keeps ------------------------------------------------------------------------------------------- */

static void note_failure(rl_run *r, rl_status status) {
    if (r->status != RL_OK) return;
    r->status = status;
    snprintf(r->failure, sizeof r->failure, "%s", rl_error_message());
}

/* What the sink does, nobody disturbs. */
static void pass_time(const rl_run *r) {
    if (r->sink->progress == NULL) return;
    rl_guard_hold(r->settings.guard);
    r->sink->progress(r->sink->state, rl_pieces_done(r->summary), r->total.pieces, rl_part_done(r));
    rl_guard_release(r->settings.guard);
}

/* Of the sink, whether it can still keep what comes. */
static void check_sink(rl_run *r) {
    rl_guard_hold(r->settings.guard);
    const rl_status status = r->sink->check != NULL ? r->sink->check(r->sink->state) : RL_OK;
    rl_guard_release(r->settings.guard);
    if (status != RL_OK) note_failure(r, status);
}

/* With the arithmetic of the ranks that have computed it. */
static void keep_record(rl_run *r, rl_member m, int64_t task, const rl_record *record) {
    rl_record kept = *record;
    if (r->sink->record == NULL || record->n == 0) return;
    if (record->by_blas) kept.arithmetic = rl_arithmetic_of_group(r, first_rank_of(r, m), ranks_of(r, m));
    rl_guard_hold(r->settings.guard);
    const double start = rl_seconds();
    const rl_status status = r->sink->record(r->sink->state, task, &kept);
    r->share.keeping_seconds += rl_seconds() - start;
    rl_guard_release(r->settings.guard);
    if (status != RL_OK) note_failure(r, status);
}

/* Those that came together are all there. */
static void flush_records(rl_run *r) {
    if (r->sink->flush == NULL) return;
    rl_guard_hold(r->settings.guard);
    const double start = rl_seconds();
    const rl_status status = r->sink->flush(r->sink->state);
    r->share.keeping_seconds += rl_seconds() - start;
    rl_guard_release(r->settings.guard);
    if (status != RL_OK) note_failure(r, status);
}

/* An item of which all that was wanted is there. */
static void count_whole(rl_run *r, rl_member m, const rl_todo_item *item, interval when) {
    rl_run_summary *s = r->summary;
    const int repeats = item->repeats.n, ranks = ranks_of(r, m);
    const double part = rl_note_whole(r, first_rank_of(r, m), item);
    rl_pace *pace = &r->paces[rl_series_at(r, item) - r->plan->series];
    rl_done_of(s, rl_series_at(r, item)->kind)->count.pieces += repeats;
    if (m.queue == RL_QUEUE_ALONE) pace->flops += part * rl_task_at(r, item).flops;
    if (m.queue == RL_QUEUE_ALONE) pace->seconds += when.seconds;
    rl_deadline_note(r, item, ranks, part, when.seconds);
    if (r->phase.on_grid) {
        rl_grouping *grouping = &s->groupings[s->n_groupings - 1];
        *(m.queue == RL_QUEUE_GROUPS ? &grouping->pieces : &grouping->left_over_pieces) += repeats;
    }
    if (s->timed != NULL)
        s->timed[s->n_timed++] =
            (rl_timed_task){item->task, first_rank_of(r, m), ranks, repeats, when.start, when.seconds};
}

/* Of an item that was left in the middle, what is finished. */
static void take_record(rl_run *r, rl_member m, const rl_todo_item *item, const rl_record *record, interval when,
                        bool whole) {
    const rl_series *series = rl_series_at(r, item);
    const rl_count all = rl_series_count(series);
    const int64_t points = (int64_t)record->n * record->repeats.n;
    rl_done *done = rl_done_of(r->summary, series->kind);
    done->count.points += points;
    done->count.cells += points * (all.cells / all.points);
    done->seconds += when.seconds;
    if (whole) count_whole(r, m, item, when);
    keep_record(r, m, item->task, record);
}

/* What a batch of small tasks takes, so that rank 0 gets few messages however many groups there are: each takes it some
 * hundredths of a millisecond. */
static double batch_seconds(const rl_queue *queue) {
    const double between_messages = 0.0005, longest = 0.5;
    return fmin(between_messages * queue->n_groups, longest);
}

static bool is_restorable(const rl_run *r, const rl_queue *queue, int64_t position) {
    return rl_series_at(r, rl_items_at(queue, position))->kind->restorable;
}

/* How many positions from the next one on have as many items as were asked for, or just less. What can be left in the
 * middle goes alone. */
static int64_t chunk_size(const rl_run *r, const rl_queue *queue) {
    int64_t n = 0, items = 0;
    for (int64_t i = queue->next; i < queue->end; i++, n++) {
        items += rl_n_items_at(queue, i);
        if (n > 0 && (items > r->settings.chunk || is_restorable(r, queue, i))) break;
        if (is_restorable(r, queue, i)) return 1;
    }
    return n;
}

/* How many positions from the next one on go together, all of them of its series. A message does not become large, long
 * tasks go one by one, and so do the last ones, so that all groups end at about the same time. */
static int64_t batch_size(const rl_run *r, const rl_queue *queue) {
    const rl_todo_item *item = rl_items_at(queue, queue->next);
    const rl_series *series = rl_series_at(r, item);
    const rl_pace *pace = &r->paces[series - r->plan->series];
    const int64_t share = (queue->end - queue->next) / (4 * (int64_t)queue->n_groups);
    if (r->settings.chunk > 0) return chunk_size(r, queue);
    if (pace->flops <= 0 || series->kind->restorable) return 1;
    const rl_task task = rl_task_at(r, item);
    const double items = rl_n_items_at(queue, queue->next), bytes = items * rl_kept_bytes(series, &task);
    const double seconds = items * task.flops * pace->seconds / pace->flops;
    const int64_t most = (int64_t)fmin(fmin(batch_seconds(queue) / seconds, RL_BATCH_BYTES / bytes), (double)share);
    int64_t n = 1;
    while (n < most && rl_series_at(r, rl_items_at(queue, queue->next + n)) == series) n++;
    return n;
}

/* Ranks left over stop when the groups have nothing more to begin: the next phase is for all. What cannot end in time
 * is passed over: a cheaper task may. */
static rl_batch hand_out(rl_run *r, rl_member m) {
    rl_queue *queue = &r->queues[m.queue];
    const rl_queue *groups = &r->queues[RL_QUEUE_GROUPS];
    if (r->status != RL_OK || is_stopping(r)) return (rl_batch){STOP, 0};
    if (schedule_of(r, m) != RL_SCHEDULE_DYNAMIC) return (rl_batch){NOTHING, 0};
    if (m.queue == RL_QUEUE_ALONE && r->phase.n_groups > 0 && groups->next >= groups->end)
        return (rl_batch){NOTHING, 0};
    while (queue->next < queue->end && !fits(r, m, queue->next)) queue->next++;
    if (queue->next >= queue->end) return (rl_batch){NOTHING, 0};
    const bool batches = m.queue == RL_QUEUE_ALONE && (m.index > 0 || r->settings.chunk > 0);
    const int64_t first = queue->next, n = batches ? batch_size(r, queue) : 1;
    queue->next += n;
    return (rl_batch){first, n};
}

/* The state that a task is to go on from as a record in bytes, without N where there is none; after a failure no bytes,
 * so that nobody begins anew what had come far. */
static void find_state(rl_run *r, rl_member m, int64_t position, rl_text *state) {
    const rl_todo_item *item = item_at(r, m, position);
    rl_record record = {.outcomes = (const rl_outcome[]){{0}}, .content = ""};
    bool there = false;
    size_t used;
    rl_guard_hold(r->settings.guard);
    rl_status status = r->sink->restore(r->sink->state, item->task, state, &there);
    rl_guard_release(r->settings.guard);
    if (status == RL_OK && !there) status = rl_record_append(&record, state);
    if (status == RL_OK) status = rl_record_read(state->bytes, state->length, &record, &used);
    if (status == RL_OK) rl_note_restored(r, first_rank_of(r, m), item, &record);
    if (status == RL_OK) return;
    note_failure(r, status);
    state->length = 0;
}

/* ---- rank 0 serves ----------------------------------------------------------------------------------------------- */

/* A text that has room for so many bytes; what it held may be lost. Where there is no memory all ends: others wait, and
 * cannot be told. */
static void make_room(const rl_run *r, rl_text *text, size_t bytes) {
    if (text->capacity < bytes || text->bytes == NULL) {
        rl_free(text->bytes);
        const rl_status status = RL_ALLOC(text->bytes, bytes);
        if (status != RL_OK) rl_context_abort(r->context, status);
        text->capacity = bytes;
    }
    text->length = bytes;
}

static void send_state(rl_run *r, int rank, int64_t position) {
    rl_text state = RL_TEXT_EMPTY;
    find_state(r, rl_member_of(r, rank), position, &state);
    RL_MPI(MPI_Send(state.bytes, (int)(state.length / WORD), MPI_INT64_T, rank, TAG_STATE, r->context->comm));
    rl_free(state.bytes);
}

static void send_stop(rl_run *r, int rank) {
    if (r->stop_sent[rank]) return;
    r->stop_sent[rank] = true;
    RL_MPI(MPI_Send(NULL, 0, MPI_BYTE, rank, TAG_STOP, r->context->comm));
}

static void send_stops(rl_run *r) {
    if (r->status == RL_OK && !is_stopping(r)) return;
    for (int rank = 1; rank < r->context->size; rank++)
        if (rl_member_of(r, rank).leads) send_stop(r, rank);
}

/* The record at the front of some bytes, which it is taken from. */
static rl_record next_record(const rl_run *r, const char **bytes, size_t *length) {
    rl_record record;
    size_t used;
    const rl_status status = rl_record_read(*bytes, *length, &record, &used);
    if (status != RL_OK) rl_context_abort(r->context, status); /* it was made a moment ago */
    *bytes += used;
    *length -= used;
    return record;
}

/* Of n items that were computed side by side each has its share of the time, one behind the other. */
static interval share_of(interval when, int i, int n) {
    const double seconds = when.seconds / n;
    return (interval){when.start + i * seconds, seconds};
}

/* The records of all items of a position. */
static void take_position(rl_run *r, rl_member m, const part_head *part, const char *bytes) {
    const int n = rl_n_items_at(&r->queues[m.queue], part->position);
    size_t length = (size_t)part->bytes;
    for (int i = 0; length > 0; i++) {
        const rl_record record = next_record(r, &bytes, &length);
        const interval when = share_of((interval){part->start, part->seconds}, i, n);
        take_record(r, m, item_at(r, m, part->position) + i, &record, when, part->status == RL_OK);
    }
}

static void take_records(rl_run *r, rl_member m, const char *bytes, size_t length) {
    for (size_t at = 0; at < length;) {
        part_head part;
        memcpy(&part, bytes + at, sizeof part);
        take_position(r, m, &part, bytes + at + sizeof part);
        at += sizeof part + (size_t)part.bytes;
    }
    flush_records(r);
    pass_time(r);
}

static void take_state(rl_run *r, rl_member m, int64_t position, const rl_record *state) {
    const rl_todo_item *item = item_at(r, m, position);
    rl_note_state(r, first_rank_of(r, m), item, state);
    keep_record(r, m, item->task, state);
    flush_records(r);
}

/* The next batch is on its way before records are kept, which may take a while. */
static void answer_news(rl_run *r, int rank, const news_head *head, const char *bytes, size_t length) {
    const rl_member m = rl_member_of(r, rank);
    ask_to_stop(r, (rl_stop)head->stop);
    if (head->kind == STATE) {
        const rl_record state = next_record(r, &bytes, &length);
        take_state(r, m, head->position, &state);
    }
    if (head->kind == WANT_STATE) send_state(r, rank, head->position);
    if (head->kind == BYE) {
        r->working--;
        send_stop(r, rank);
    }
    if (head->kind == FAILED) note_failure(r, rl_fail((rl_status)head->status, "%s", bytes));
    if (head->kind == RECORDS || head->kind == FAILED) {
        const rl_batch batch = hand_out(r, m);
        RL_MPI(MPI_Send(&batch, 2, MPI_INT64_T, rank, TAG_NEXT, r->context->comm));
    }
    if (head->kind == RECORDS || head->kind == PART) take_records(r, m, bytes, length);
}

/* Takes in what has arrived; whether anything had. Room is made for a message when it is there. */
static bool serve(rl_run *r) {
    bool any = false;
    while (r->working > 0) {
        int arrived = 0, words;
        MPI_Message message;
        MPI_Status from;
        RL_MPI(MPI_Improbe(MPI_ANY_SOURCE, TAG_NEWS, r->context->comm, &arrived, &message, &from));
        if (!arrived) break;
        any = true;
        RL_MPI(MPI_Get_count(&from, MPI_INT64_T, &words));
        make_room(r, &r->incoming, (size_t)words * WORD);
        RL_MPI(MPI_Mrecv(r->incoming.bytes, words, MPI_INT64_T, &message, MPI_STATUS_IGNORE));
        news_head head;
        memcpy(&head, r->incoming.bytes, sizeof head);
        answer_news(r, from.MPI_SOURCE, &head, r->incoming.bytes + sizeof head, r->incoming.length - sizeof head);
    }
    check_sink(r);
    if (r->working > 0) send_stops(r);
    return any;
}

static void await_others(rl_run *r) {
    const struct timespec nap = {.tv_nsec = 100000};
    while (r->working > 0) {
        if (serve(r)) continue;
        pass_time(r);
        nanosleep(&nap, NULL);
    }
}

/* ---- leaders ----------------------------------------------------------------------------------------------------- */

/* What is appended to the message from now on is sent by send_news. */
static void begin_news(rl_run *r) {
    RL_MPI(MPI_Wait(&r->sending, MPI_STATUS_IGNORE));
    r->message.length = sizeof(news_head);
}

static void send_news(rl_run *r, news_kind kind, int64_t position, rl_status status) {
    const rl_stop stop = is_stopping(r) ? r->stop : RL_STOP_NONE;
    const news_head head = {kind, position, status, stop};
    memcpy(r->message.bytes, &head, sizeof head);
    RL_MPI(MPI_Isend(r->message.bytes, (int)(r->message.length / WORD), MPI_INT64_T, 0, TAG_NEWS, r->context->comm,
                     &r->sending));
}

static void send_failure(rl_run *r, int64_t position, rl_status status) {
    r->message.length = sizeof(news_head) + MESSAGE_BYTES;
    strncpy(r->message.bytes + sizeof(news_head), rl_error_message(), MESSAGE_BYTES);
    r->message.bytes[r->message.length - 1] = '\0';
    send_news(r, FAILED, position, status);
}

static void receive_stop(rl_run *r) {
    if (r->settings.sleeps) rl_await_asleep(r, TAG_STOP);
    RL_MPI(MPI_Recv(NULL, 0, MPI_BYTE, 0, TAG_STOP, r->context->comm, MPI_STATUS_IGNORE));
    r->told = true;
}

static void receive_answer(rl_run *r) {
    rl_batch batch;
    if (r->settings.sleeps) rl_await_asleep(r, TAG_NEXT);
    RL_MPI(MPI_Recv(&batch, 2, MPI_INT64_T, 0, TAG_NEXT, r->context->comm, MPI_STATUS_IGNORE));
    r->answers_due--;
    if (batch.first == STOP)
        ask_to_stop(r, RL_STOP_SOON);
    else if (batch.first != NOTHING)
        r->sent = batch;
}

/* Takes in the answers that are there; waits for one only when there is nothing else to do. */
static void receive_answers(rl_run *r, bool idle) {
    while (r->answers_due > 0 && r->sent.n == 0) {
        int there = idle;
        if (!idle) RL_MPI(MPI_Iprobe(0, TAG_NEXT, r->context->comm, &there, MPI_STATUS_IGNORE));
        if (!there) break;
        receive_answer(r);
    }
}

/* Rank 0 waits for this group no more. */
static void say_goodbye(rl_run *r) {
    while (r->answers_due > 0) receive_answer(r);
    begin_news(r);
    send_news(r, BYE, NOTHING, RL_OK);
    if (!r->told) receive_stop(r);
    RL_MPI(MPI_Wait(&r->sending, MPI_STATUS_IGNORE));
}

/* The records of the positions that are done; whether rank 0 is to answer with another batch. */
static void send_held(rl_run *r, bool wants_answer) {
    if (r->held == 0) return;
    send_news(r, wants_answer ? RECORDS : PART, NOTHING, RL_OK);
    r->answers_due += wants_answer;
    r->held = 0;
}

/* A message to stop, and on rank 0 whatever there is. */
static void look_at_mail(rl_run *r) {
    int there = 0;
    if (rl_is_root(r)) {
        pass_time(r);
        serve(r);
    } else if (r->me.leads && !r->told) {
        RL_MPI(MPI_Iprobe(0, TAG_STOP, r->context->comm, &there, MPI_STATUS_IGNORE));
        if (there) receive_stop(r);
        if (there) ask_to_stop(r, RL_STOP_SOON);
    }
}

/* Where groups know all their positions by themselves, they make batches of them as they go. */
static bool holds_back(const rl_run *r, int64_t own) {
    return r->held > 0 && own != NOTHING && schedule_of(r, r->me) != RL_SCHEDULE_DYNAMIC &&
           r->me.queue == RL_QUEUE_ALONE && !rl_series_at(r, item_at(r, r->me, own))->kind->restorable &&
           r->message.length < RL_BATCH_BYTES && rl_seconds() - r->held_since < batch_seconds(&r->queues[r->me.queue]);
}

/* The next position of the batch under way; NOTHING when it has ended, or the run is to stop. */
static int64_t next_of_batch(rl_run *r) {
    if (r->batch.n > 0) look_at_mail(r);
    if (is_stopping(r)) r->batch.n = 0;
    while (r->batch.n > 0) {
        r->batch.n--;
        if (fits(r, r->me, r->batch.first++)) return r->batch.first - 1;
    }
    return NOTHING;
}

/* The next position of this rank's group; NOTHING when all is done. */
static int64_t next_position(rl_run *r) {
    const int64_t next = next_of_batch(r);
    if (next != NOTHING) return next;
    int64_t own = own_position(r, r->me, r->known);
    while (own != NOTHING && !fits(r, r->me, own)) own = own_position(r, r->me, ++r->known);
    if (is_stopping(r) || !holds_back(r, own)) send_held(r, true);
    if (!rl_is_root(r)) receive_answers(r, own == NOTHING);
    if (is_stopping(r) || r->status != RL_OK) return NOTHING;
    if (own != NOTHING) {
        r->known++;
        return own;
    }
    r->batch = rl_is_root(r) ? hand_out(r, r->me) : r->sent;
    r->sent = (rl_batch){NOTHING, 0};
    return next_of_batch(r);
}

/* ---- all ranks of a group ---------------------------------------------------------------------------------------- */

/* The leader tells the others the next position; alone, a rank has nobody to tell. NOTHING when one of them was asked
 * to stop. */
static void tell_group(rl_run *r, int64_t *position) {
    if (r->group.comm == MPI_COMM_NULL) return;
    rl_agree_to_stop(r, r->group.comm);
    if (r->stop != RL_STOP_NONE) *position = NOTHING;
    RL_MPI(MPI_Bcast(position, 1, MPI_INT64_T, 0, r->group.comm));
}

static void receive_state(rl_run *r, int64_t position, rl_text *state) {
    int words;
    MPI_Status from;
    begin_news(r);
    send_news(r, WANT_STATE, position, RL_OK);
    RL_MPI(MPI_Probe(0, TAG_STATE, r->context->comm, &from));
    RL_MPI(MPI_Get_count(&from, MPI_INT64_T, &words));
    make_room(r, state, (size_t)words * WORD);
    RL_MPI(MPI_Recv(state->bytes, words, MPI_INT64_T, 0, TAG_STATE, r->context->comm, MPI_STATUS_IGNORE));
}

/* Rank 0's state of the work at a position, to all ranks of the group; *state is the caller's. */
static void share_state(rl_run *r, int64_t position, rl_text *state) {
    if (rl_is_root(r))
        find_state(r, r->me, position, state);
    else if (r->me.leads)
        receive_state(r, position, state);
    if (r->group.size == 1) return;
    size_t length = state->length;
    RL_BROADCAST(&r->group, &length, 1);
    if (!r->me.leads) make_room(r, state, length);
    RL_BROADCAST(&r->group, state->bytes, length);
}

/* Whether what is under way goes on by itself, without a word from ranks outside the group. */
static void note_computing(const rl_run *r, bool computing) {
    const int rank = r->context->rank, first = r->group.comm == MPI_COMM_NULL ? rank : rank - r->group.rank;
    rl_guard_computing(r->settings.guard, first, computing ? r->group.size : 0);
}

static rl_status begin_work(rl_run *r, int64_t position) {
    const rl_queue *queue = &r->queues[r->me.queue];
    const rl_todo_item *items = rl_items_at(queue, position);
    rl_record record = {0};
    rl_text state = RL_TEXT_EMPTY;
    size_t used;
    rl_work work = {.tasks = r->tasks, .n = rl_n_items_at(queue, position), .wanted = rl_wanted_at(r, queue, position)};
    for (int i = 0; i < work.n; i++) r->tasks[i] = rl_task_at(r, &items[i]);
    rl_status status = RL_OK;
    if (items->has_state) share_state(r, position, &state);
    if (items->has_state) status = rl_record_read(state.bytes, state.length, &record, &used);
    if (record.n > 0) work.state = &record;
    note_computing(r, true);
    if (status == RL_OK) status = rl_worker_begin(r->worker, &work);
    note_computing(r, false);
    rl_free(state.bytes);
    return status;
}

/* Every rank of the group makes its state or record; the leader's goes to rank 0. */
static rl_status save_work(rl_run *r, int64_t position) {
    rl_record state;
    r->saved = rl_seconds();
    rl_status status = rl_worker_save(r->worker, &state);
    if (!rl_is_root(r) && r->me.leads) {
        begin_news(r);
        if (status == RL_OK) status = rl_record_append(&state, &r->message);
        if (status == RL_OK) send_news(r, STATE, position, RL_OK);
    }
    if (r->group.size > 1) status = rl_context_agree(&r->group, status);
    if (status == RL_OK && rl_is_root(r)) take_state(r, r->me, position, &state);
    return status;
}

static bool is_save_due(const rl_run *r, int64_t position) {
    const double share_of_time = 0.1, now = rl_seconds();
    const double least = rl_series_at(r, item_at(r, r->me, position))->checkpoint_seconds;
    return r->me.leads && now - r->saved >= fmax(least, share_of_time * (now - r->began));
}

/* Whether the group leaves its work, as it does when one of its ranks has reason to, and whether it saves its state. */
static void agree_to_leave(rl_run *r, int64_t position, double piece, bool *leave, bool *save) {
    enum { STOPPING, FAILING, SAVING, N_REASONS };
    look_at_mail(r);
    if (!rl_deadline_allows(r, piece)) ask_to_stop(r, RL_STOP_SOON);
    is_stopping(r);
    int reasons[N_REASONS] = {(int)r->stop, r->status != RL_OK, is_save_due(r, position)};
    if (r->group.size > 1) RL_MPI(MPI_Allreduce(MPI_IN_PLACE, reasons, N_REASONS, MPI_INT, MPI_MAX, r->group.comm));
    r->stop = (rl_stop)reasons[STOPPING];
    *leave = r->stop != RL_STOP_NONE || reasons[FAILING];
    *save = *leave || reasons[SAVING];
}

/* Between two pieces that cannot be gone on with. */
static bool may_go_on(void *state) {
    return rl_stop_requested() < RL_STOP_NOW && rl_deadline_next_piece_fits(state);
}

static bool serve_and_go_on(void *state) {
    const rl_run *r = state;
    note_computing(r, false);
    serve(state);
    note_computing(r, true);
    return r->status == RL_OK && may_go_on(state);
}

static rl_status sleep_through(rl_run *r, int64_t position, rl_tick tick) {
    const rl_queue *queue = &r->queues[r->me.queue];
    const int n = rl_n_items_at(queue, position);
    note_computing(r, true);
    const rl_status status = rl_sleep_through(r, rl_items_at(queue, position), n, ranks_of(r, r->me), tick);
    note_computing(r, false);
    return status;
}

/* *left: RL_STOPPED, and instead of records there is a state, which rank 0 has got. */
static rl_status compute_work(rl_run *r, int64_t position, bool *left) {
    const rl_tick tick = {.call = rl_is_root(r) ? serve_and_go_on : may_go_on, .state = r};
    rl_deadline_begin_task(r);
    if (r->settings.sleeps) return sleep_through(r, position, tick);
    RL_TRY(begin_work(r, position));
    for (bool ended = false;;) {
        bool save;
        const double start = rl_seconds();
        note_computing(r, true);
        const rl_status status = rl_worker_advance(r->worker, tick, &ended);
        note_computing(r, false);
        RL_TRY(status);
        if (ended) return RL_OK;
        agree_to_leave(r, position, rl_seconds() - start, left, &save);
        if (save) RL_TRY(save_work(r, position));
        if (*left) return RL_STOPPED;
    }
}

static rl_status make_record(const rl_run *r, int i, rl_record *record) {
    if (!r->settings.sleeps) return rl_worker_record(r->worker, i, record);
    *record = rl_record_of_sleep();
    return RL_OK;
}

/* Rank 0 takes its own as they are, other leaders' go into the message. */
static rl_status hand_over_records(rl_run *r, int64_t position, rl_status status, interval when) {
    const rl_queue *queue = &r->queues[r->me.queue];
    const int n = rl_n_items_at(queue, position);
    for (int i = 0; i < n; i++) {
        rl_record record;
        RL_TRY(make_record(r, i, &record));
        if (rl_is_root(r))
            take_record(r, r->me, rl_items_at(queue, position) + i, &record, share_of(when, i, n), status == RL_OK);
        else if (r->me.leads)
            RL_TRY(rl_record_append(&record, &r->message));
    }
    return RL_OK;
}

/* Behind what is in the message already; of work that was left with a state, nothing but that. After a failure the
 * message is as it was. */
static rl_status add_to_message(rl_run *r, int64_t position, rl_status status, interval when, bool left) {
    if (r->held == 0) begin_news(r);
    const size_t begin = r->message.length;
    part_head part = {.position = position, .status = status, .start = when.start, .seconds = when.seconds};
    rl_status added = rl_text_append_bytes(&r->message, &part, sizeof part);
    if (added == RL_OK && !left) added = hand_over_records(r, position, status, when);
    if (added != RL_OK) {
        r->message.length = begin;
        return added;
    }
    part.bytes = (int64_t)(r->message.length - begin - sizeof part);
    memcpy(r->message.bytes + begin, &part, sizeof part);
    if (r->held++ == 0) r->held_since = r->began;
    return RL_OK;
}

static rl_status fail_position(const rl_run *r, const char *text, rl_status status) {
    if (r->context->size == 1) return rl_fail(status, "%s: %s", text, rl_error_message());
    return rl_fail(status, "rank %d, %s: %s", r->context->rank, text, rl_error_message());
}

static void describe_position(const rl_run *r, int64_t position, char *text, size_t size) {
    const rl_queue *queue = &r->queues[r->me.queue];
    const int others = rl_n_items_at(queue, position) - 1;
    rl_plan_text(r->plan, rl_items_at(queue, position)->task, text, size);
    const size_t length = strlen(text);
    if (others > 0) snprintf(text + length, size - length, " (and %d more with it)", others);
}

static void count_share(rl_run *r, int64_t position, double seconds, bool whole) {
    const rl_queue *queue = &r->queues[r->me.queue];
    r->share.busy_seconds += seconds;
    for (int i = 0; whole && i < rl_n_items_at(queue, position); i++)
        r->share.pieces += rl_items_at(queue, position)[i].repeats.n;
}

/* What goes to rank 0 now; the records of a batch wait for those that follow, but not for long. */
static void report_position(rl_run *r, int64_t position, rl_status status) {
    const double longest_wait = 1;
    if (rl_is_root(r)) {
        if (is_failure(status)) note_failure(r, status);
        flush_records(r);
        pass_time(r);
        serve(r);
    } else if (r->me.leads) {
        const bool full = r->message.length > RL_BATCH_BYTES || rl_seconds() - r->held_since > longest_wait;
        if (is_failure(status) || (r->batch.n > 0 && full)) send_held(r, false);
        if (is_failure(status)) {
            begin_news(r);
            send_failure(r, position, status);
            r->answers_due++;
        }
    }
}

static void do_position(rl_run *r, int64_t position) {
    const double start = rl_seconds(), kept = r->share.keeping_seconds;
    interval when = {.start = rl_clock_seconds()};
    bool left = false;
    char text[240];
    describe_position(r, position, text, sizeof text);
    rl_guard_doing(r->settings.guard, "computing %s", text);
    r->began = r->saved = start;
    rl_status status = compute_work(r, position, &left);
    when.seconds = rl_seconds() - start;
    rl_guard_doing(r->settings.guard, "between two %s", rl_series_at(r, item_at(r, r->me, position))->kind->pieces);
    count_share(r, position, when.seconds - (r->share.keeping_seconds - kept), status == RL_OK); /* others' records */
    rl_status handed = RL_OK;
    if (!is_failure(status) && r->me.leads && !rl_is_root(r))
        handed = add_to_message(r, position, status, when, left);
    else if (!is_failure(status) && !left)
        handed = hand_over_records(r, position, status, when);
    if (handed != RL_OK) status = handed;
    if (is_failure(status)) fail_position(r, text, status);
    report_position(r, position, status);
}

/* ---- a phase ----------------------------------------------------------------------------------------------------- */

static void begin_sharing(rl_run *r) {
    r->known = 0;
    r->batch = r->sent = (rl_batch){NOTHING, 0};
    r->held = 0;
    r->answers_due = 0;
    r->told = false;
    r->sending = MPI_REQUEST_NULL;
    r->working = r->queues[RL_QUEUE_GROUPS].n_groups + r->queues[RL_QUEUE_ALONE].n_groups - 1;
    if (rl_is_root(r)) memset(r->stop_sent, 0, (size_t)r->context->size * sizeof *r->stop_sent);
}

rl_status rl_share_work(rl_run *r) {
    begin_sharing(r);
    for (;;) {
        int64_t position = r->me.leads ? next_position(r) : NOTHING;
        tell_group(r, &position);
        if (position == NOTHING) break;
        do_position(r, position);
    }
    if (rl_is_root(r))
        await_others(r);
    else if (r->me.leads)
        say_goodbye(r);
    if (r->restorable || r->settings.sleeps) RL_TRY(rl_context_wait(r->context)); /* perhaps long */
    return rl_context_agree(r->context, r->status == RL_OK ? RL_OK : rl_fail(r->status, "%s", r->failure));
}
