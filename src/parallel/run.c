/* How teams share curves in a phase.
 *
 * Every team starts with curves that it knows by itself (rl_schedule decides which); each finished record goes to rank
 * 0. Under the dynamic schedule rank 0 answers a record with the next curve. Teams hold two curves at a time where
 * there are plenty, so that they compute while the answer travels, or while rank 0 is busy with its group's case. Rank
 * 0 computes too, and serves the others between two spectra of a curve of its own. In a team on a process grid the
 * first rank alone talks with rank 0, and tells the others what is next.
 *
 * A rank that was asked to stop by a signal begins nothing more and says so in its next message; rank 0 then answers
 * everybody with STOP. When time runs out no rank is asked: no curve fits any more. A group agrees on it before each of
 * its curves, never inside one. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ridgeless/bulk.h"
#include "run.h"

enum { TAG_RECORD = 1, TAG_CURVE = 2 };

/* A message with a piece of work: this header, then its curves' records, or the error message's bytes when the status
 * is a failure. */
enum { HEADER_POSITION, HEADER_STATUS, HEADER_SECONDS, HEADER_STOP, N_HEADER };
enum { MESSAGE_DOUBLES = 1024 / sizeof(double) };
enum { N_SLOTS = 2 }; /* records under way from a worker */

/* Positions in a lane's order that are none. As the answer to a record: nothing more, and drop what you have left too.
 */
enum { NOTHING = -1, STOP = -2 };

const char *rl_schedule_name(rl_schedule schedule) {
    static const char *const names[] = {"dynamic", "static", "cyclic"};
    return (size_t)schedule < sizeof names / sizeof *names ? names[schedule] : NULL;
}

static rl_lane *lane_of(rl_run *r, rl_team team) {
    return &r->lanes[team.lane];
}

/* Ranks left over by groups take curves one by one, as long as the groups work. */
static rl_schedule schedule_of(const rl_run *r, rl_team team) {
    return team.lane == RL_LANE_ALONE && r->phase.n_groups > 0 ? RL_SCHEDULE_DYNAMIC : r->settings.schedule;
}

/* How many curves a team may hold under the dynamic schedule. */
static int depth(const rl_lane *lane) {
    return lane->end - lane->start >= 4 * (int64_t)lane->n_teams ? 2 : 1;
}

/* The k-th curve that a team knows by itself, as a position in its lane's order; NOTHING when there is none. */
static int64_t own_position(rl_run *r, rl_team team, int64_t k) {
    const rl_lane *lane = lane_of(r, team);
    const int64_t teams = lane->n_teams, n = lane->end - lane->start;
    const rl_schedule schedule = schedule_of(r, team);
    if (schedule == RL_SCHEDULE_STATIC) {
        const int64_t first = n * team.index / teams, end = n * (team.index + 1) / teams;
        return first + k < end ? lane->start + first + k : NOTHING;
    }
    if (schedule == RL_SCHEDULE_DYNAMIC && k >= depth(lane)) return NOTHING;
    const int64_t offset = k * teams + team.index;
    return offset < n ? lane->start + offset : NOTHING;
}

/* The first curve of a position; the others are like it. */
static const rl_todo_item *item_at(rl_run *r, rl_team team, int64_t position) {
    return rl_items_at(lane_of(r, team), position);
}

static bool is_span(const rl_run *r, const rl_todo_item *item) {
    return r->plan->grids[r->plan->curves[item->curve].grid].spec->keep.summary;
}

/* How many ranks a team's curve is computed by. */
static int ranks_of(const rl_run *r, rl_team team) {
    return team.lane == RL_LANE_GRID ? r->phase.ranks_per_case : 1;
}

static bool stopping(rl_run *r) {
    if (rl_stop_requested() > r->stop) r->stop = rl_stop_requested();
    return r->stop != RL_STOP_NONE;
}

rl_status rl_agree_to_stop(rl_run *r, MPI_Comm comm) {
    int stop = stopping(r) ? (int)r->stop : RL_STOP_NONE;
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, &stop, 1, MPI_INT, MPI_MAX, comm));
    r->stop = (rl_stop)stop;
    return RL_OK;
}

static bool fits(rl_run *r, rl_team team, int64_t position) {
    return rl_pace_fits(r, item_at(r, team, position), rl_curves_at(lane_of(r, team), position), ranks_of(r, team));
}

/* Between two pieces of a curve. */
static bool may_go_on(void *state) {
    return rl_stop_requested() < RL_STOP_NOW && rl_pace_next_piece_fits(state);
}

/* Of all curves of a position together; of spans, that of one repeat. */
static size_t record_length(const rl_run *r, const rl_lane *lane, int64_t position) {
    const int grid = r->plan->curves[rl_items_at(lane, position)->curve].grid;
    return rl_record_layout_of(r->plan, grid).length * (size_t)rl_curves_at(lane, position);
}

/* How many curves a position has, one for each repeat. */
static int64_t repeats_at(const rl_lane *lane, int64_t position) {
    int64_t n = 0;
    for (int i = 0; i < rl_curves_at(lane, position); i++) n += rl_items_at(lane, position)[i].repeats.n;
    return n;
}

static rl_status fail_curve(const rl_run *r, const char *curve, rl_status status) {
    if (r->context->size == 1) return rl_fail(status, "%s: %s", curve, rl_error_message());
    return rl_fail(status, "rank %d, %s: %s", r->context->rank, curve, rl_error_message());
}

static void describe(rl_run *r, int64_t position, char *text, size_t size) {
    const int others = rl_curves_at(lane_of(r, r->team), position) - 1;
    rl_curve_text(r->plan, item_at(r, r->team, position)->curve, text, size);
    const size_t length = strlen(text);
    if (others > 0) snprintf(text + length, size - length, " (and %d more with it)", others);
}

/* What a slot held is lost, unless there is room enough. */
static rl_status make_room(rl_run *r, int slot, size_t length) {
    if (N_HEADER + length > INT32_MAX)
        return rl_fail(RL_ERR_INPUT,
                       "a curve's record of %zu numbers is more than MPI can send at once (2^31 - 1): ask for fewer "
                       "n_train, variants or modes",
                       length);
    if (N_HEADER + length <= r->slot_length[slot]) return RL_OK;
    double *larger;
    RL_TRY(RL_ALLOC(larger, N_HEADER + length)); /* a failure leaves room for its message */
    rl_free(r->slot[slot]);
    r->slot[slot] = larger;
    r->slot_length[slot] = N_HEADER + length;
    return RL_OK;
}

/* The record of a span is as long as it turns out. */
static rl_status compute_span(rl_run *r, const rl_todo_item *item, const bool *wanted, rl_tick tick, int slot,
                              size_t *length) {
    const rl_status status = rl_task_span(r->task, item->curve, item->repeats, wanted, tick, &r->span);
    if (status != RL_OK && status != RL_STOPPED) return status;
    *length = r->span.length / sizeof(double);
    RL_TRY(make_room(r, slot, *length));
    memcpy(r->slot[slot] + N_HEADER, r->span.bytes, r->span.length);
    return status;
}

static rl_status compute_curves(rl_run *r, const rl_lane *lane, int64_t position, rl_tick tick, int slot,
                                size_t *length) {
    const rl_todo_item *items = rl_items_at(lane, position);
    const int n = rl_curves_at(lane, position);
    const bool *wanted = rl_wanted_at(r, lane, position);
    int64_t curves[RL_BULK_LANES];
    if (is_span(r, items)) return compute_span(r, items, wanted, tick, slot, length);
    for (int i = 0; i < n; i++) curves[i] = items[i].curve;
    *length = record_length(r, lane, position);
    return rl_task_curves(r->task, curves, n, wanted, tick, r->slot[slot] + N_HEADER);
}

/* Into the slot, behind a header: *length doubles. */
static rl_status compute(rl_run *r, int64_t position, rl_tick tick, int slot, size_t *length, double *seconds) {
    const double start = rl_seconds();
    const rl_lane *lane = lane_of(r, r->team);
    char text[240];
    *length = 0;
    describe(r, position, text, sizeof text);
    rl_guard_doing(r->settings.guard, "computing %s", text);
    rl_pace_begin_curve(r);
    const rl_status status = compute_curves(r, lane, position, tick, slot, length);
    rl_guard_doing(r->settings.guard, "between two curves");
    *seconds = rl_seconds() - start;
    r->share.busy_seconds += *seconds;
    r->share.curves += status == RL_OK ? repeats_at(lane, position) : 0;
    return status == RL_OK || status == RL_STOPPED ? status : fail_curve(r, text, status);
}

/* The first rank of a group tells the others the next position; alone, a rank has nobody to tell. NOTHING when one of
 * them was asked to stop. */
static rl_status tell_group(rl_run *r, int64_t *position) {
    if (r->grid == NULL) return RL_OK;
    RL_TRY(rl_agree_to_stop(r, r->grid->comm));
    if (r->stop != RL_STOP_NONE) *position = NOTHING;
    RL_MPI(MPI_Bcast(position, 1, MPI_INT64_T, 0, r->grid->comm));
    return RL_OK;
}

/* The other ranks of a group. Their first one reports. */
static rl_status follow(rl_run *r) {
    const rl_tick tick = {.call = may_go_on, .state = r};
    for (;;) {
        int64_t position = NOTHING;
        size_t length;
        double seconds;
        RL_TRY(tell_group(r, &position));
        if (position == NOTHING) return RL_OK;
        compute(r, position, tick, 0, &length, &seconds);
    }
}

/* ---- worker ------------------------------------------------------------------------------------------------------ */

typedef struct worker {
    rl_run *r;
    int64_t known;   /* own curves taken so far */
    int64_t sent;    /* a curve that rank 0 sent and that is still to do; NOTHING: none */
    int answers_due; /* every record is answered */
    MPI_Request sending[N_SLOTS];
} worker;

static rl_status receive_answer(worker *w) {
    int64_t position;
    RL_MPI(MPI_Recv(&position, 1, MPI_INT64_T, 0, TAG_CURVE, w->r->context->comm, MPI_STATUS_IGNORE));
    w->answers_due--;
    if (position != STOP)
        w->sent = position;
    else if (w->r->stop == RL_STOP_NONE)
        w->r->stop = RL_STOP_SOON;
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
    rl_run *r = w->r;
    int64_t own = own_position(r, r->team, w->known);
    for (; own != NOTHING && !fits(r, r->team, own); own = own_position(r, r->team, w->known)) w->known++;
    RL_TRY(receive_answers(w, own == NOTHING));
    *position = NOTHING;
    if (stopping(r)) return RL_OK;
    if (own != NOTHING) {
        w->known++;
        *position = own;
        return RL_OK;
    }
    *position = w->sent;
    w->sent = NOTHING;
    return RL_OK;
}

static rl_status send_message(worker *w, int slot, int64_t position, rl_status status, size_t length, double seconds) {
    double *message = w->r->slot[slot];
    if (status != RL_OK && status != RL_STOPPED) {
        length = MESSAGE_DOUBLES;
        memset(message + N_HEADER, 0, sizeof(double) * MESSAGE_DOUBLES);
        strncpy((char *)(message + N_HEADER), rl_error_message(), sizeof(double) * MESSAGE_DOUBLES - 1);
    }
    message[HEADER_POSITION] = (double)position;
    message[HEADER_STATUS] = (double)status;
    message[HEADER_SECONDS] = seconds;
    message[HEADER_STOP] = (double)(stopping(w->r) ? w->r->stop : RL_STOP_NONE);
    RL_MPI(MPI_Isend(message, (int)(N_HEADER + length), MPI_DOUBLE, 0, TAG_RECORD, w->r->context->comm,
                     &w->sending[slot]));
    return RL_OK;
}

/* Computes until there is nothing left, takes the last answers, and says goodbye: rank 0 then waits for this team no
 * more. */
static rl_status run_worker(rl_run *r) {
    const rl_tick tick = {.call = may_go_on, .state = r};
    worker w = {.r = r, .sent = NOTHING, .sending = {MPI_REQUEST_NULL, MPI_REQUEST_NULL}};
    int slot = 0;
    for (;; slot = (slot + 1) % N_SLOTS) {
        int64_t position;
        size_t length;
        double seconds;
        RL_TRY(next_curve(&w, &position));
        RL_MPI(MPI_Wait(&w.sending[slot], MPI_STATUS_IGNORE));
        RL_TRY(tell_group(r, &position));
        if (position == NOTHING) break;
        const rl_status status = compute(r, position, tick, slot, &length, &seconds);
        RL_TRY(send_message(&w, slot, position, status, length, seconds));
        w.answers_due++;
    }
    while (w.answers_due > 0) RL_TRY(receive_answer(&w));
    RL_TRY(send_message(&w, slot, NOTHING, RL_OK, 0, 0));
    for (int i = 0; i < N_SLOTS; i++) RL_MPI(MPI_Wait(&w.sending[i], MPI_STATUS_IGNORE));
    return RL_OK;
}

/* ---- rank 0 ------------------------------------------------------------------------------------------------------ */

static void note_failure(rl_run *r, rl_status status, const char *message) {
    if (r->status != RL_OK) return;
    r->status = status;
    snprintf(r->failure, sizeof r->failure, "%s", message);
}

static void pass_time(rl_run *r) {
    if (r->sink->progress != NULL) r->sink->progress(r->sink->state, r->summary->n_curves, r->n_repeated);
}

static void count(rl_run *r, rl_team team, const rl_todo_item *item, double seconds) {
    rl_run_summary *s = r->summary;
    const bool on_grid = team.lane == RL_LANE_GRID;
    const int repeats = item->repeats.n, ranks = ranks_of(r, team);
    s->n_curves += repeats;
    rl_pace_note(r, item, ranks, seconds);
    if (r->phase.n_groups > 0) {
        rl_grouping *grouping = &s->groupings[s->n_groupings - 1];
        *(on_grid ? &grouping->curves : &grouping->left_over_curves) += repeats;
    }
    if (s->timed != NULL) s->timed[s->n_timed++] = (rl_timed_curve){item->curve, ranks, repeats, seconds};
}

static int64_t count_spectra(const rl_run *r, const rl_todo_item *item, const double *record, size_t length) {
    const rl_record_layout layout = rl_record_layout_of(r->plan, r->plan->curves[item->curve].grid);
    int64_t n = 0;
    if (length > 0 && is_span(r, item)) {
        const rl_span span = rl_span_of(record, length);
        n = (int64_t)span.repeats.n * span.n_sizes;
    } else if (length > 0) {
        for (int i = 0; i < layout.n_sizes; i++) n += rl_record_status(&layout, record, i) != RL_CELL_MISSING;
    }
    r->summary->n_spectra += n;
    r->summary->n_cells += n * layout.n_variants;
    return n;
}

/* Of a curve that was left in the middle, the spectra that are finished. */
static void deliver_curve(rl_run *r, rl_team team, const rl_todo_item *item, const double *record, size_t length,
                          double seconds, bool whole) {
    const int64_t n = count_spectra(r, item, record, length);
    if (whole) count(r, team, item, seconds);
    if (n > 0 && r->sink->record != NULL) {
        const rl_status status = r->sink->record(r->sink->state, item->curve, record, length);
        if (status != RL_OK) note_failure(r, status, rl_error_message());
    }
}

/* Records of all curves of a position, `length` doubles. Curves that were computed side by side took the same time. */
static void deliver(rl_run *r, rl_team team, int64_t position, const double *records, size_t length, double seconds,
                    bool whole) {
    const rl_lane *lane = lane_of(r, team);
    const int n = rl_curves_at(lane, position);
    const size_t each = length / (size_t)n;
    for (int i = 0; i < n; i++)
        deliver_curve(r, team, &rl_items_at(lane, position)[i], records + (size_t)i * each, each, seconds / n, whole);
    pass_time(r);
}

/* Ranks left over stop when the groups have nothing more to begin: the next phase is for all. What cannot end in time
 * is passed over: a cheaper curve may. */
static int64_t hand_out(rl_run *r, rl_team team) {
    rl_lane *lane = lane_of(r, team);
    const rl_lane *grid = &r->lanes[RL_LANE_GRID];
    if (r->status != RL_OK || stopping(r)) return STOP;
    if (schedule_of(r, team) != RL_SCHEDULE_DYNAMIC) return NOTHING;
    if (team.lane == RL_LANE_ALONE && r->phase.n_groups > 0 && grid->next >= grid->end) return NOTHING;
    while (lane->next < lane->end && !fits(r, team, lane->next)) lane->next++;
    return lane->next < lane->end ? lane->next++ : NOTHING;
}

/* Messages are as long as what they hold: room is made when one is there. */
static rl_status receive(rl_run *r, MPI_Message *message, const MPI_Status *from, int *length) {
    RL_MPI(MPI_Get_count(from, MPI_DOUBLE, length));
    RL_TRY(make_room(r, 1, (size_t)*length - N_HEADER));
    RL_MPI(MPI_Mrecv(r->slot[1], *length, MPI_DOUBLE, message, MPI_STATUS_IGNORE));
    return RL_OK;
}

static rl_status take_message(rl_run *r, int rank, int length) {
    const double *message = r->slot[1];
    const rl_status status = (rl_status)(int)message[HEADER_STATUS];
    const rl_team team = rl_team_of(r, rank);
    if ((int)message[HEADER_STOP] > (int)r->stop) r->stop = (rl_stop)(int)message[HEADER_STOP];
    if ((int64_t)message[HEADER_POSITION] == NOTHING) {
        r->working--;
        return RL_OK;
    }
    if (status != RL_OK && status != RL_STOPPED) note_failure(r, status, (const char *)(message + N_HEADER));
    const int64_t position = hand_out(r, team);
    RL_MPI(MPI_Send(&position, 1, MPI_INT64_T, rank, TAG_CURVE, r->context->comm));
    if (status == RL_OK || status == RL_STOPPED)
        deliver(r, team, (int64_t)message[HEADER_POSITION], message + N_HEADER, (size_t)length - N_HEADER,
                message[HEADER_SECONDS], status == RL_OK);
    return RL_OK;
}

/* Takes in what has arrived; *any says whether anything had. */
static rl_status serve(rl_run *r, bool *any) {
    *any = false;
    while (r->working > 0) {
        int arrived = 0, length;
        MPI_Message message;
        MPI_Status from;
        RL_MPI(MPI_Improbe(MPI_ANY_SOURCE, TAG_RECORD, r->context->comm, &arrived, &message, &from));
        if (!arrived) break;
        *any = true;
        RL_TRY(receive(r, &message, &from, &length));
        RL_TRY(take_message(r, from.MPI_SOURCE, length));
    }
    return RL_OK;
}

static bool serve_tick(void *state) {
    bool any;
    return serve(state, &any) == RL_OK && may_go_on(state);
}

static rl_status compute_own(rl_run *r, int64_t position) {
    const rl_tick tick = {.call = serve_tick, .state = r};
    bool any;
    size_t length;
    double seconds;
    const rl_status status = compute(r, position, tick, 0, &length, &seconds);
    if (status == RL_OK || status == RL_STOPPED)
        deliver(r, r->team, position, r->slot[0] + N_HEADER, length, seconds, status == RL_OK);
    else
        note_failure(r, status, rl_error_message());
    return serve(r, &any);
}

/* The next of rank 0's own, *k of which it has taken or passed over. */
static int64_t next_own(rl_run *r, int64_t *k) {
    if (r->status != RL_OK || stopping(r)) return NOTHING;
    for (;;) {
        const int64_t position = own_position(r, r->team, (*k)++);
        if (position == NOTHING) break;
        if (fits(r, r->team, position)) return position;
    }
    const int64_t position = hand_out(r, r->team);
    return position == STOP ? NOTHING : position;
}

static rl_status own_curves(rl_run *r) {
    for (int64_t k = 0;;) {
        int64_t position = next_own(r, &k);
        RL_TRY(tell_group(r, &position));
        if (position == NOTHING) return RL_OK;
        RL_TRY(compute_own(r, position));
    }
}

static rl_status await_others(rl_run *r) {
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

/* What the teams know by themselves is handed out. */
static void begin_lane(rl_lane *lane) {
    const int64_t known = lane->start + (int64_t)depth(lane) * lane->n_teams;
    lane->next = known < lane->end ? known : lane->end;
}

static rl_status run_rank_0(rl_run *r) {
    for (int l = 0; l < RL_N_LANES; l++) begin_lane(&r->lanes[l]);
    r->working = r->phase.n_groups + r->lanes[RL_LANE_ALONE].n_teams - 1;
    RL_TRY(own_curves(r));
    RL_TRY(await_others(r));
    return r->status == RL_OK ? RL_OK : rl_fail(r->status, "%s", r->failure);
}

/* ---- both ------------------------------------------------------------------------------------------------------- */

/* Failures of the work itself end in rank 0's status with nobody waiting. */
static rl_status work(rl_run *r) {
    const bool root = r->context->rank == 0;
    return rl_context_agree(r->context, root ? run_rank_0(r) : r->team.leads ? run_worker(r) : follow(r));
}

static rl_status gather_summary(const rl_run *r, double seconds) {
    enum { N_NUMBERS = 3 };
    const rl_context *context = r->context;
    rl_run_summary *summary = r->summary;
    double mine[N_NUMBERS] = {r->share.busy_seconds, (double)r->share.curves, rl_peak_memory()}, *all = NULL;
    summary->seconds = seconds;
    rl_status status = context->rank == 0 ? RL_ALLOC(all, N_NUMBERS * context->size) : RL_OK;
    if (status == RL_OK && context->rank == 0) status = RL_ALLOC(summary->shares, context->size);
    RL_TRY(rl_context_agree(context, status));
    RL_MPI(MPI_Gather(mine, N_NUMBERS, MPI_DOUBLE, all, N_NUMBERS, MPI_DOUBLE, 0, context->comm));
    if (context->rank != 0) return RL_OK;
    double sum = 0, largest = 0;
    for (int i = 0; i < context->size; i++) {
        const double *number = all + (size_t)i * N_NUMBERS;
        summary->shares[i] =
            (rl_rank_share){.busy_seconds = number[0], .curves = (int64_t)number[1], .peak_memory = number[2]};
        sum += number[0];
        largest = fmax(largest, number[0]);
    }
    summary->imbalance = sum > 0 ? largest * context->size / sum : 1;
    rl_free(all);
    return RL_OK;
}

/* That a message may hold, of all ranks' work, but for those of spans. */
static size_t longest_record(const rl_run *r) {
    size_t longest = rl_record_length_max(r->plan);
    for (int l = 0; l < RL_N_LANES; l++)
        for (int64_t i = 0; i < r->lanes[l].total; i++) {
            const size_t length = record_length(r, &r->lanes[l], i);
            if (length > longest) longest = length;
        }
    return longest;
}

static rl_status prepare(rl_run *r) {
    const size_t longest = longest_record(r);
    if (r->context->rank == 0 && r->n <= RL_TIMED_CURVES) RL_TRY(RL_ALLOC(r->summary->timed, r->n));
    for (int i = 0; i < N_SLOTS; i++) RL_TRY(make_room(r, i, longest > MESSAGE_DOUBLES ? longest : MESSAGE_DOUBLES));
    return RL_OK;
}

static void release(rl_run *r) {
    for (int i = 0; i < N_SLOTS; i++) rl_free(r->slot[i]);
    for (int l = 0; l < RL_N_LANES; l++) {
        rl_free(r->lanes[l].order);
        rl_free(r->lanes[l].first);
    }
    rl_todo_destroy(&r->sizes);
    rl_free(r->span.bytes);
    rl_free(r->ranks_of_grid);
}

rl_status rl_parallel_run(const rl_context *context, const rl_plan *plan, const rl_todo *todo,
                          const rl_run_settings *settings, const rl_sink *sink, rl_run_summary *summary) {
    rl_run r = {.context = context, .plan = plan, .settings = *settings, .sink = sink, .summary = summary};
    const double start = rl_seconds();
    *summary = (rl_run_summary){0};
    rl_status status = rl_share_todo(&r, todo);
    rl_pace_begin(&r);
    if (status == RL_OK) status = rl_context_agree(context, prepare(&r));
    if (status == RL_OK) status = rl_run_phases(&r, work);
    const double seconds = rl_seconds() - start;
    const bool early = context->rank == 0 && summary->n_curves < r.n_repeated;
    release(&r);
    RL_TRY(status);
    RL_TRY(gather_summary(&r, seconds));
    return rl_context_agree(context, early ? rl_fail(RL_STOPPED, "stopped early") : RL_OK);
}

void rl_run_summary_destroy(rl_run_summary *summary) {
    rl_free(summary->shares);
    rl_free(summary->groupings);
    rl_free(summary->timed);
    *summary = (rl_run_summary){0};
}
