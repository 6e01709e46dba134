/* Helpers: ranks that have nothing more to compute, and work for rank 0 while that writes. They are of its node: their
 * processors are alike, and so are the bits of logarithms; and they read the files that it reads.
 *
 * Rank 0 sends rows of numbers, and larger jobs, which are answered; an empty message says that it needs nobody any
 * more. Each helper holds two messages of rows, so that it works while the next one travels. Rank 0 waits
 * for no helper long: what does not come back it makes itself. */
#include <assert.h>
#include <string.h>
#include <time.h>

#include "dispatch.h"

enum { JOBS_EACH = 2, LETTERS = 4, TAG_ROWS = 1, TAG_RESULTS, TAG_JOB, TAG_ANSWER, TAG_GONE };
enum { MOST_BYTES = RL_HELPER_NUMBERS * sizeof(double) /* of a job, or an answer */, MOST_SENT = 8 };

typedef struct job_head {
    int64_t n, width, option;
} job_head;

/* Rows on their way to a helper, and what becomes of them. */
typedef struct job {
    job_head head;
    char *message; /* the head, then the rows; owned */
    char *results; /* as they arrive; owned */
    void *wanted;  /* where they go; NULL: nobody waits for them */
    bool under_way;
    MPI_Request requests[2]; /* of the message and of the results */
} job;

/* A larger job on its way to a helper. */
typedef struct letter {
    char *bytes; /* owned */
    MPI_Request request;
} letter;

/* Where a helper's answers arrive. One that hangs may yet fill it, long after it was given up. */
typedef struct inbox {
    char *bytes; /* [MOST_BYTES]; on a helper the job that it does; owned */
    MPI_Request request;
} inbox;

struct rl_helpers {
    rl_helper_work work;
    rl_context node;                      /* the ranks of rank 0's node; MPI_COMM_NULL: this rank is of another one */
    int n;                                /* of helpers: ranks 1 ... n of the node */
    job jobs[RL_MOST_HELPERS][JOBS_EACH]; /* on rank 0; helpers have one */
    letter letters[RL_MOST_HELPERS][LETTERS];
    inbox inboxes[RL_MOST_HELPERS];
    bool lost[RL_MOST_HELPERS];  /* such a one did not give back in time */
    MPI_Request sent[MOST_SENT]; /* [n_sent], on helpers: answers that rank 0 has not taken yet */
    int n_sent;
    bool released; /* on helpers: rank 0 needs nobody any more */
    double *room;  /* [2 RL_HELPER_NUMBERS]; owned */
};

/* ---- beginning and end ------------------------------------------------------------------------------------------- */

static rl_status make_rooms(rl_helpers *h) {
    const int n = h->node.rank == 0 ? h->n : 1;
    RL_TRY(RL_ALLOC(h->room, 2 * RL_HELPER_NUMBERS));
    for (int i = 0; i < n * JOBS_EACH; i++) {
        job *j = &h->jobs[i / JOBS_EACH][i % JOBS_EACH];
        RL_TRY(RL_ALLOC(j->message, sizeof(job_head) + RL_HELPER_NUMBERS * sizeof(double)));
        RL_TRY(RL_ALLOC(j->results, RL_HELPER_NUMBERS / RL_HELPER_WIDTH * h->work.result_bytes));
    }
    for (int i = 0; h->work.job != NULL && i < n; i++) RL_TRY(RL_ALLOC(h->inboxes[i].bytes, MOST_BYTES));
    return RL_OK;
}

/* The communicator of the node, where rank 0 is on it. */
static void find_node(const rl_context *context, rl_helpers *h) {
    MPI_Comm node;
    int first = context->rank;
    RL_MPI(MPI_Comm_split_type(context->comm, MPI_COMM_TYPE_SHARED, context->rank, MPI_INFO_NULL, &node));
    RL_MPI(MPI_Bcast(&first, 1, MPI_INT, 0, node));
    if (first != 0) {
        MPI_Comm_free(&node);
        return;
    }
    h->node.comm = node;
    RL_MPI(MPI_Comm_rank(node, &h->node.rank));
    RL_MPI(MPI_Comm_size(node, &h->node.size));
    h->n = h->node.size - 1 < RL_MOST_HELPERS ? h->node.size - 1 : RL_MOST_HELPERS;
}

rl_status rl_helpers_create(const rl_context *context, const rl_helper_work *work, rl_helpers **helpers) {
    rl_helpers *h;
    rl_status status = RL_ALLOC(h, 1);
    *helpers = NULL;
    RL_TRY(rl_context_agree(context, status));
    *h = (rl_helpers){.work = *work, .node = {.comm = MPI_COMM_NULL}};
    for (int i = 0; i < RL_MOST_HELPERS; i++) h->inboxes[i].request = MPI_REQUEST_NULL;
    for (int i = 0; i < RL_MOST_HELPERS * LETTERS; i++) h->letters[i / LETTERS][i % LETTERS].request = MPI_REQUEST_NULL;
    *helpers = h;
    if (context->size == 1) return RL_OK;
    find_node(context, h);
    if (h->n > 0 && h->node.rank <= h->n) status = make_rooms(h);
    return rl_context_agree(context, status);
}

void rl_helpers_destroy(rl_helpers *h) {
    if (h == NULL) return;
    for (int i = 0; i < RL_MOST_HELPERS * JOBS_EACH; i++) {
        rl_free(h->jobs[i / JOBS_EACH][i % JOBS_EACH].message);
        rl_free(h->jobs[i / JOBS_EACH][i % JOBS_EACH].results);
    }
    for (int i = 0; i < RL_MOST_HELPERS * LETTERS; i++) rl_free(h->letters[i / LETTERS][i % LETTERS].bytes);
    for (int i = 0; i < RL_MOST_HELPERS; i++) rl_free(h->inboxes[i].bytes);
    if (h->node.comm != MPI_COMM_NULL) MPI_Comm_free(&h->node.comm);
    rl_free(h->room);
    rl_free(h);
}

/* ---- rank 0 ------------------------------------------------------------------------------------------------------ */

/* Whether a job has come back, and its results are where they are wanted; or there was none. */
static bool is_back(const rl_helpers *h, job *j) {
    int all = 1;
    if (!j->under_way) return true;
    RL_MPI(MPI_Testall(2, j->requests, &all, MPI_STATUSES_IGNORE));
    if (!all) return false;
    if (j->wanted != NULL) memcpy(j->wanted, j->results, (size_t)j->head.n * h->work.result_bytes);
    j->under_way = false;
    return true;
}

/* One that holds nothing, or less than another one; NULL: all have enough. */
static job *find_free_job(rl_helpers *h, int *helper) {
    for (int k = 0; k < JOBS_EACH; k++)
        for (int i = 0; i < h->n; i++)
            if (!h->lost[i] && is_back(h, &h->jobs[i][k])) {
                *helper = i;
                return &h->jobs[i][k];
            }
    return NULL;
}

bool rl_helpers_give(rl_helpers *h, const double *rows, size_t n, size_t width, int option, void *results) {
    const size_t bytes = n * width * sizeof *rows;
    int helper;
    if (h->n == 0 || width < RL_HELPER_WIDTH || n * width > RL_HELPER_NUMBERS) return false;
    job *j = find_free_job(h, &helper);
    if (j == NULL) return false;
    j->head = (job_head){(int64_t)n, (int64_t)width, option};
    j->wanted = results;
    j->under_way = true;
    memcpy(j->message, &j->head, sizeof j->head);
    memcpy(j->message + sizeof j->head, rows, bytes);
    RL_MPI(MPI_Irecv(j->results, (int)(n * h->work.result_bytes), MPI_BYTE, helper + 1, TAG_RESULTS, h->node.comm,
                     &j->requests[1]));
    RL_MPI(MPI_Isend(j->message, (int)(sizeof j->head + bytes), MPI_BYTE, helper + 1, TAG_ROWS, h->node.comm,
                     &j->requests[0]));
    return true;
}

/* The results of a message's rows, one after the other. */
static void make_results(const rl_helpers *h, const char *message, char *results) {
    job_head head;
    memcpy(&head, message, sizeof head);
    const double *rows = (const void *)(message + sizeof head);
    for (int64_t i = 0; i < head.n; i++)
        h->work.row(rows + i * head.width, (int)head.width, (int)head.option, h->room,
                    results + (size_t)i * h->work.result_bytes);
}

/* Between two looks, of which the first ones come one upon the other. */
static void wait_since(double start) {
    const double short_while = 1e-3;
    if (rl_seconds() - start > short_while) nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

/* What a helper has not brought back, which gets nothing any more. */
static void do_without(rl_helpers *h, int helper) {
    h->lost[helper] = true;
    for (job *j = h->jobs[helper]; j < h->jobs[helper] + JOBS_EACH; j++) {
        if (is_back(h, j) || j->wanted == NULL) continue;
        make_results(h, j->message, j->wanted);
        j->wanted = NULL;
    }
}

static bool all_back(const rl_helpers *h, job *jobs) {
    bool all = true;
    for (int k = 0; k < JOBS_EACH; k++) all = is_back(h, &jobs[k]) && all;
    return all;
}

void rl_helpers_await(rl_helpers *h) {
    const double start = rl_seconds();
    for (int i = 0; i < h->n; i++) {
        while (!h->lost[i] && !all_back(h, h->jobs[i])) {
            if (rl_seconds() - start > h->work.patience)
                do_without(h, i);
            else
                wait_since(start);
        }
    }
}

/* ---- rank 0: larger jobs ----------------------------------------------------------------------------------------- */

int rl_helpers_count(const rl_helpers *h) {
    return h->n;
}

static bool has_left(letter *l) {
    int done = 1;
    if (l->request != MPI_REQUEST_NULL) RL_MPI(MPI_Test(&l->request, &done, MPI_STATUS_IGNORE));
    return done;
}

bool rl_helpers_ask(rl_helpers *h, int helper, const void *bytes, size_t length) {
    letter *l = h->letters[helper];
    while (l < h->letters[helper] + LETTERS && !has_left(l)) l++;
    if (l == h->letters[helper] + LETTERS || h->lost[helper] || length > MOST_BYTES) return false;
    rl_free(l->bytes);
    l->bytes = NULL;
    if (rl_alloc(&l->bytes, length, 1) != RL_OK) return false;
    memcpy(l->bytes, bytes, length);
    RL_MPI(MPI_Isend(l->bytes, (int)length, MPI_BYTE, helper + 1, TAG_JOB, h->node.comm, &l->request));
    return true;
}

/* A helper's next answer is there; false: it does not come. */
static bool await_answer(rl_helpers *h, int helper, size_t length) {
    inbox *const in = &h->inboxes[helper];
    const double start = rl_seconds();
    int there = 0;
    MPI_Message message;
    for (; !there; wait_since(start)) {
        RL_MPI(MPI_Improbe(helper + 1, TAG_ANSWER, h->node.comm, &there, &message, MPI_STATUS_IGNORE));
        if (there) break;
        if (rl_seconds() - start > h->work.patience) return false;
    }
    RL_MPI(MPI_Imrecv(in->bytes, (int)length, MPI_BYTE, &message, &in->request));
    for (there = 0; !there; wait_since(start)) {
        RL_MPI(MPI_Test(&in->request, &there, MPI_STATUS_IGNORE));
        if (!there && rl_seconds() - start > h->work.patience) return false;
    }
    return true;
}

bool rl_helpers_take(rl_helpers *h, int helper, void *bytes, size_t length) {
    h->lost[helper] = h->lost[helper] || !await_answer(h, helper, length);
    if (h->lost[helper])
        do_without(h, helper);
    else
        memcpy(bytes, h->inboxes[helper].bytes, length);
    return !h->lost[helper];
}

/* What it has sent that nobody waits for any more, until it has gone. */
static void drain(rl_helpers *h, int helper) {
    const double start = rl_seconds();
    for (bool gone = false; !gone; wait_since(start)) {
        int there = 0, length;
        MPI_Message message;
        MPI_Status from;
        if (h->inboxes[helper].request != MPI_REQUEST_NULL) {
            RL_MPI(MPI_Test(&h->inboxes[helper].request, &there, MPI_STATUS_IGNORE));
            continue;
        }
        RL_MPI(MPI_Improbe(helper + 1, MPI_ANY_TAG, h->node.comm, &there, &message, &from));
        if (!there) continue;
        RL_MPI(MPI_Get_count(&from, MPI_BYTE, &length));
        RL_MPI(MPI_Mrecv(h->inboxes[helper].bytes, length, MPI_BYTE, &message, MPI_STATUS_IGNORE));
        gone = from.MPI_TAG == TAG_GONE;
    }
    for (letter *l = h->letters[helper]; l < h->letters[helper] + LETTERS; l++)
        while (!has_left(l)) wait_since(start);
}

void rl_helpers_release(rl_helpers *h) {
    const double start = rl_seconds();
    for (int i = 0; i < h->n; i++) RL_MPI(MPI_Send(NULL, 0, MPI_BYTE, i + 1, TAG_ROWS, h->node.comm));
    for (int i = 0; i < h->n; i++) {
        drain(h, i);
        while (!all_back(h, h->jobs[i])) wait_since(start);
    }
}

/* ---- helpers ----------------------------------------------------------------------------------------------------- */

/* Does what a message of rows asks for; an empty one releases. */
static void serve_rows(rl_helpers *h, MPI_Message *message, int bytes) {
    job *const j = h->jobs[0];
    RL_MPI(MPI_Mrecv(j->message, bytes, MPI_BYTE, message, MPI_STATUS_IGNORE));
    h->released = bytes == 0;
    if (h->released) return;
    memcpy(&j->head, j->message, sizeof j->head);
    make_results(h, j->message, j->results);
    RL_MPI(
        MPI_Send(j->results, (int)((size_t)j->head.n * h->work.result_bytes), MPI_BYTE, 0, TAG_RESULTS, h->node.comm));
}

static void await_taken(rl_helpers *h);

static void serve_job(rl_helpers *h, MPI_Message *message, int bytes) {
    char *const asked = h->inboxes[0].bytes; /* nobody sends a helper anything else that is as long */
    RL_MPI(MPI_Mrecv(asked, bytes, MPI_BYTE, message, MPI_STATUS_IGNORE));
    if (!h->released) h->work.job(h->work.state, h, asked, (size_t)bytes);
    await_taken(h);
}

/* Whether there was a message, of this tag, which is done. */
static bool serve_next(rl_helpers *h, int tag) {
    int there, bytes;
    MPI_Message message;
    MPI_Status from;
    RL_MPI(MPI_Improbe(0, tag, h->node.comm, &there, &message, &from));
    if (!there) return false;
    RL_MPI(MPI_Get_count(&from, MPI_BYTE, &bytes));
    (from.MPI_TAG == TAG_ROWS ? serve_rows : serve_job)(h, &message, bytes);
    return true;
}

/* Until rank 0 has taken all that is on its way, it may be waiting for rows. */
static void await_taken(rl_helpers *h) {
    const double start = rl_seconds();
    for (int taken = 0;;) {
        RL_MPI(MPI_Testall(h->n_sent, h->sent, &taken, MPI_STATUSES_IGNORE));
        if (taken) break;
        if (!serve_next(h, TAG_ROWS)) wait_since(start);
    }
    h->n_sent = 0;
}

void rl_helpers_answer(rl_helpers *h, const void *bytes, size_t length) {
    assert(length <= MOST_BYTES);
    if (h->released) return;
    if (h->n_sent == MOST_SENT) await_taken(h);
    RL_MPI(MPI_Isend(bytes, (int)length, MPI_BYTE, 0, TAG_ANSWER, h->node.comm, &h->sent[h->n_sent++]));
    serve_next(h, TAG_ROWS);
}

/* Without a word from rank 0 for a while the processor is left to others. */
void rl_help(rl_helpers *h) {
    if (h->node.comm == MPI_COMM_NULL || h->node.rank > h->n) return;
    for (double start = rl_seconds(); !h->released;) {
        if (serve_next(h, MPI_ANY_TAG))
            start = rl_seconds();
        else
            wait_since(start);
    }
    while (serve_next(h, TAG_JOB)) continue; /* which nobody wants any more */
    RL_MPI(MPI_Send(NULL, 0, MPI_BYTE, 0, TAG_GONE, h->node.comm));
}
