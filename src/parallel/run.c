/* How ranks share curves.
 *
 * Every rank starts with curves that it knows by itself (rl_schedule decides which); each finished record goes to rank
 * 0. Under the dynamic schedule rank 0 answers a record with the next curve. Workers hold two curves at a time where
 * there are plenty, so that they compute while the answer travels. Rank 0 computes too, and serves the others between
 * two spectra of its own curve. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ridgeless/parallel.h"

enum { TAG_RECORD = 1, TAG_CURVE = 2 };

/* A message with a record: this header, then the record, or the error message's bytes when the status is a failure. */
enum { HEADER_POSITION, HEADER_STATUS, HEADER_LENGTH, N_HEADER };
enum { MESSAGE_DOUBLES = 1024 / sizeof(double) };
enum { N_SLOTS = 2 }; /* records under way from a worker */

/* Positions in the order that are none. As the answer to a record: nothing more, and drop what you have left too. */
enum { NOTHING = -1, STOP = -2 };

typedef struct run {
    const rl_context *context;
    const rl_plan *plan;
    const int64_t *order; /* [n] curves in the order of handing out */
    int64_t n;
    rl_schedule schedule;
    const rl_sink *sink;
    rl_task *task;
    rl_rank_share share;
    size_t message_length; /* doubles of the longest message */
    double *slot[N_SLOTS]; /* [message_length]: a worker's records under way; on rank 0 its own and the incoming one */
    /* rank 0 alone */
    int64_t next;     /* first position of `order` not handed out (dynamic) */
    int64_t received; /* records received or computed here */
    int working;      /* ranks that have not said goodbye */
    rl_status status; /* first failure; nothing is handed out after it */
    char failure[1024];
    MPI_Request request;
} run;

const char *rl_schedule_name(rl_schedule schedule) {
    static const char *const names[] = {"dynamic", "static", "cyclic"};
    return (size_t)schedule < sizeof names / sizeof *names ? names[schedule] : NULL;
}

/* How many curves a rank may hold under the dynamic schedule. */
static int depth(const run *r) {
    return r->n >= 4 * (int64_t)r->context->size ? 2 : 1;
}

/* The k-th curve that `rank` knows by itself, as a position in `order`; NOTHING when there is none. */
static int64_t own_position(const run *r, int rank, int64_t k) {
    const int64_t size = r->context->size;
    if (r->schedule == RL_SCHEDULE_STATIC) {
        const int64_t first = r->n * rank / size, end = r->n * (rank + 1) / size;
        return first + k < end ? first + k : NOTHING;
    }
    if (r->schedule == RL_SCHEDULE_DYNAMIC && k >= depth(r)) return NOTHING;
    const int64_t position = k * size + rank;
    return position < r->n ? position : NOTHING;
}

static rl_status compute(run *r, int64_t position, rl_tick tick, double *record) {
    const double start = rl_seconds();
    const rl_status status = rl_task_curve(r->task, r->order[position], tick, record);
    r->share.busy_seconds += rl_seconds() - start;
    r->share.curves++;
    return status;
}

static size_t record_length(const run *r, int64_t position) {
    return rl_record_layout_of(r->plan, r->plan->curves[r->order[position]].grid).length;
}

/* ---- worker ------------------------------------------------------------------------------------------------------ */

typedef struct worker {
    run *r;
    int64_t known;   /* own curves taken so far */
    int64_t sent;    /* a curve that rank 0 sent and that is still to do; NOTHING: none */
    int answers_due; /* every record is answered */
    bool stop;       /* rank 0 wants no more */
    MPI_Request sending[N_SLOTS];
} worker;

static rl_status receive_answer(worker *w) {
    int64_t position;
    RL_MPI(MPI_Recv(&position, 1, MPI_INT64_T, 0, TAG_CURVE, w->r->context->comm, MPI_STATUS_IGNORE));
    w->answers_due--;
    if (position == STOP)
        w->stop = true;
    else
        w->sent = position;
    return RL_OK;
}

/* Takes in the answers that are there; waits for one only when there is nothing else to do. */
static rl_status receive_answers(worker *w, bool idle) {
    while (w->answers_due > 0 && w->sent == NOTHING) {
        int there = idle;
        if (!idle) RL_MPI(MPI_Iprobe(0, TAG_CURVE, w->r->context->comm, &there, MPI_STATUS_IGNORE));
        if (!there) break;
        RL_TRY(receive_answer(w));
    }
    return RL_OK;
}

/* The next curve to compute in *position, NOTHING when all is done. */
static rl_status next_curve(worker *w, int64_t *position) {
    const int64_t own = own_position(w->r, w->r->context->rank, w->known);
    RL_TRY(receive_answers(w, own == NOTHING));
    *position = NOTHING;
    if (w->stop) return RL_OK;
    if (own != NOTHING) {
        w->known++;
        *position = own;
        return RL_OK;
    }
    *position = w->sent;
    w->sent = NOTHING;
    return RL_OK;
}

static rl_status send_message(worker *w, int slot, int64_t position, rl_status status, size_t length) {
    double *message = w->r->slot[slot];
    if (status != RL_OK) {
        length = MESSAGE_DOUBLES;
        memset(message + N_HEADER, 0, sizeof(double) * MESSAGE_DOUBLES);
        strncpy((char *)(message + N_HEADER), rl_error_message(), sizeof(double) * MESSAGE_DOUBLES - 1);
    }
    message[HEADER_POSITION] = (double)position;
    message[HEADER_STATUS] = (double)status;
    message[HEADER_LENGTH] = (double)length;
    RL_MPI(MPI_Isend(message, (int)(N_HEADER + length), MPI_DOUBLE, 0, TAG_RECORD, w->r->context->comm,
                     &w->sending[slot]));
    return RL_OK;
}

/* Computes until there is nothing left, takes the last answers, and says goodbye: rank 0 then waits for this rank no
 * more. */
static rl_status run_worker(run *r) {
    const rl_tick none = {0};
    worker w = {.r = r, .sent = NOTHING, .sending = {MPI_REQUEST_NULL, MPI_REQUEST_NULL}};
    int slot = 0;
    for (;; slot = (slot + 1) % N_SLOTS) {
        int64_t position;
        RL_TRY(next_curve(&w, &position));
        RL_MPI(MPI_Wait(&w.sending[slot], MPI_STATUS_IGNORE));
        if (position == NOTHING) break;
        const rl_status status = compute(r, position, none, r->slot[slot] + N_HEADER);
        RL_TRY(send_message(&w, slot, position, status, record_length(r, position)));
        w.answers_due++;
    }
    while (w.answers_due > 0) RL_TRY(receive_answer(&w));
    RL_TRY(send_message(&w, slot, NOTHING, RL_OK, 0));
    RL_MPI(MPI_Waitall(N_SLOTS, w.sending, MPI_STATUSES_IGNORE));
    return RL_OK;
}

/* ---- rank 0 ------------------------------------------------------------------------------------------------------ */

static void note_failure(run *r, rl_status status, const char *message) {
    if (r->status != RL_OK) return;
    r->status = status;
    strncpy(r->failure, message, sizeof r->failure - 1);
}

static void pass_time(run *r) {
    if (r->sink->progress == NULL) return;
    const rl_status status = r->sink->progress(r->sink->state, r->received, r->n);
    if (status != RL_OK) note_failure(r, status, rl_error_message());
}

static void deliver(run *r, int64_t position, const double *record, size_t length) {
    r->received++;
    const rl_status status = r->sink->record(r->sink->state, r->order[position], record, length);
    if (status != RL_OK) note_failure(r, status, rl_error_message());
    pass_time(r);
}

static int64_t hand_out(run *r) {
    if (r->status != RL_OK) return STOP;
    if (r->schedule != RL_SCHEDULE_DYNAMIC || r->next >= r->n) return NOTHING;
    return r->next++;
}

static rl_status listen(run *r) {
    RL_MPI(MPI_Irecv(r->slot[1], (int)r->message_length, MPI_DOUBLE, MPI_ANY_SOURCE, TAG_RECORD, r->context->comm,
                     &r->request));
    return RL_OK;
}

static rl_status take_message(run *r, int rank) {
    const double *message = r->slot[1];
    const rl_status status = (rl_status)(int)message[HEADER_STATUS];
    if ((int64_t)message[HEADER_POSITION] == NOTHING) {
        r->working--;
        return RL_OK;
    }
    if (status != RL_OK) note_failure(r, status, (const char *)(message + N_HEADER));
    const int64_t position = hand_out(r);
    RL_MPI(MPI_Send(&position, 1, MPI_INT64_T, rank, TAG_CURVE, r->context->comm));
    if (status == RL_OK)
        deliver(r, (int64_t)message[HEADER_POSITION], message + N_HEADER, (size_t)message[HEADER_LENGTH]);
    return RL_OK;
}

/* Takes in what has arrived; *any says whether anything had. */
static rl_status serve(run *r, bool *any) {
    *any = false;
    while (r->working > 0) {
        int arrived = 0;
        MPI_Status from;
        RL_MPI(MPI_Test(&r->request, &arrived, &from));
        if (!arrived) break;
        *any = true;
        RL_TRY(take_message(r, from.MPI_SOURCE));
        if (r->working > 0) RL_TRY(listen(r));
    }
    return RL_OK;
}

static bool serve_tick(void *state) {
    bool any;
    return serve(state, &any) == RL_OK;
}

static rl_status compute_own(run *r, int64_t position) {
    const rl_tick tick = {.call = serve_tick, .state = r};
    const rl_status status = compute(r, position, tick, r->slot[0]);
    if (status == RL_STOPPED) return RL_ERR_LIBRARY; /* MPI failed in the tick */
    if (status == RL_OK)
        deliver(r, position, r->slot[0], record_length(r, position));
    else
        note_failure(r, status, rl_error_message());
    return RL_OK;
}

static rl_status own_curves(run *r) {
    for (int64_t k = 0; r->status == RL_OK; k++) {
        int64_t position = own_position(r, 0, k);
        if (position == NOTHING) position = hand_out(r);
        if (position == NOTHING) break;
        RL_TRY(compute_own(r, position));
    }
    return RL_OK;
}

static rl_status await_others(run *r) {
    const struct timespec nap = {.tv_nsec = 100000};
    while (r->working > 0) {
        bool any;
        RL_TRY(serve(r, &any));
        if (any) continue;
        pass_time(r);
        nanosleep(&nap, NULL);
    }
    return RL_OK;
}

static rl_status run_rank_0(run *r) {
    const int64_t known = (int64_t)depth(r) * r->context->size;
    r->next = known < r->n ? known : r->n;
    r->working = r->context->size - 1;
    if (r->working > 0) RL_TRY(listen(r));
    RL_TRY(own_curves(r));
    RL_TRY(await_others(r));
    return r->status == RL_OK ? RL_OK : rl_fail(r->status, "%s", r->failure);
}

/* ---- both ------------------------------------------------------------------------------------------------------- */

typedef struct costed {
    double cost;
    int64_t curve;
} costed;

static int costly_first(const void *a, const void *b) {
    const costed *left = a, *right = b;
    if (left->cost != right->cost) return left->cost > right->cost ? -1 : 1;
    return left->curve < right->curve ? -1 : left->curve > right->curve;
}

/* Dynamic hands out costly curves first, so that the cheap ones level the end. */
static rl_status sort_curves(const rl_plan *plan, const int64_t *todo, int64_t n, rl_schedule schedule,
                             int64_t *order) {
    costed *list = NULL;
    if (n > 0) memcpy(order, todo, sizeof *order * (size_t)n);
    if (schedule != RL_SCHEDULE_DYNAMIC) return RL_OK;
    RL_TRY(RL_ALLOC(list, n));
    for (int64_t i = 0; i < n; i++) list[i] = (costed){plan->cost[todo[i]], todo[i]};
    qsort(list, (size_t)n, sizeof *list, costly_first);
    for (int64_t i = 0; i < n; i++) order[i] = list[i].curve;
    rl_free(list);
    return RL_OK;
}

static rl_status gather_summary(const run *r, double seconds, rl_run_summary *summary) {
    const rl_context *context = r->context;
    double mine[2] = {r->share.busy_seconds, (double)r->share.curves}, *all = NULL;
    *summary = (rl_run_summary){.seconds = seconds};
    rl_status status = context->rank == 0 ? RL_ALLOC(all, 2 * context->size) : RL_OK;
    if (status == RL_OK && context->rank == 0) status = RL_ALLOC(summary->shares, context->size);
    RL_TRY(rl_context_agree(context, status));
    RL_MPI(MPI_Gather(mine, 2, MPI_DOUBLE, all, 2, MPI_DOUBLE, 0, context->comm));
    if (context->rank != 0) return RL_OK;
    double sum = 0, largest = 0;
    for (int i = 0; i < context->size; i++) {
        summary->shares[i] = (rl_rank_share){.busy_seconds = all[2 * i], .curves = (int64_t)all[2 * i + 1]};
        sum += all[2 * i];
        largest = fmax(largest, all[2 * i]);
    }
    summary->imbalance = sum > 0 ? largest * context->size / sum : 1;
    rl_free(all);
    return RL_OK;
}

/* Rank 0's curves to do, in the order of handing out, on every rank. */
static rl_status share_order(run *r, const int64_t *todo, int64_t **order) {
    RL_MPI(MPI_Bcast(&r->n, 1, MPI_INT64_T, 0, r->context->comm));
    rl_status status = RL_ALLOC(*order, r->n);
    if (status == RL_OK && r->context->rank == 0) status = sort_curves(r->plan, todo, r->n, r->schedule, *order);
    RL_TRY(rl_context_agree(r->context, status));
    for (int64_t done = 0; done < r->n; done += INT32_MAX) {
        const int64_t left = r->n - done;
        RL_MPI(MPI_Bcast(*order + done, (int)(left < INT32_MAX ? left : INT32_MAX), MPI_INT64_T, 0, r->context->comm));
    }
    r->order = *order;
    return RL_OK;
}

static rl_status prepare(run *r) {
    const size_t longest = rl_record_length_max(r->plan);
    r->message_length = N_HEADER + (longest > MESSAGE_DOUBLES ? longest : MESSAGE_DOUBLES);
    if (r->message_length > INT32_MAX)
        return rl_fail(RL_ERR_INPUT,
                       "a curve's record of %zu numbers is more than MPI can send at once (2^31 - 1): ask for fewer "
                       "n_train, variants or modes",
                       longest);
    for (int i = 0; i < N_SLOTS; i++) RL_TRY(RL_ALLOC(r->slot[i], r->message_length));
    return rl_task_create(r->plan, &r->task);
}

rl_status rl_parallel_run(const rl_context *context, const rl_plan *plan, const int64_t *todo, int64_t n_todo,
                          rl_schedule schedule, const rl_sink *sink, rl_run_summary *summary) {
    run r = {.context = context, .plan = plan, .n = n_todo, .schedule = schedule, .sink = sink};
    int64_t *order = NULL;
    const double start = rl_seconds();
    rl_status status = share_order(&r, todo, &order);
    if (status == RL_OK) status = rl_context_agree(context, prepare(&r));
    if (status == RL_OK) {
        status = context->rank == 0 ? run_rank_0(&r) : run_worker(&r);
        /* Failures of the work itself end in rank 0's status with nobody waiting; a failure of MPI leaves others
         * waiting. */
        if (status != RL_OK && (context->rank != 0 || r.status == RL_OK)) rl_context_abort(context, status);
        status = rl_context_agree(context, status);
    }
    const double seconds = rl_seconds() - start;
    rl_task_destroy(r.task);
    for (int i = 0; i < N_SLOTS; i++) rl_free(r.slot[i]);
    rl_free(order);
    RL_TRY(status);
    return gather_summary(&r, seconds, summary);
}
