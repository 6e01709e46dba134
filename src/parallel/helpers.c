/* Helpers: ranks that have nothing more to compute, and work on rows of numbers for rank 0 while that writes. They are
 * of its node: their processors are alike, and so are the bits of logarithms.
 *
 * Rank 0 sends rows; an empty message says that it needs nobody any more. Each helper holds two messages, so that it
 * works while the next one travels. Rank 0 waits for no helper long: what does not come back it makes itself. */
#include <string.h>
#include <time.h>

#include "dispatch.h"

enum { MOST_HELPERS = 4, JOBS_EACH = 2, TAG_ROWS = 1, TAG_RESULTS };

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

struct rl_helpers {
    rl_helper_work work;
    rl_context node;                   /* the ranks of rank 0's node; MPI_COMM_NULL: this rank is of another one */
    int n;                             /* of helpers: ranks 1 ... n of the node */
    job jobs[MOST_HELPERS][JOBS_EACH]; /* on rank 0; helpers have one */
    bool lost[MOST_HELPERS];           /* such a one did not give back in time */
    double *room;                      /* [2 RL_HELPER_NUMBERS]; owned */
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
    h->n = h->node.size - 1 < MOST_HELPERS ? h->node.size - 1 : MOST_HELPERS;
}

rl_status rl_helpers_create(const rl_context *context, const rl_helper_work *work, rl_helpers **helpers) {
    rl_helpers *h;
    rl_status status = RL_ALLOC(h, 1);
    *helpers = NULL;
    RL_TRY(rl_context_agree(context, status));
    *h = (rl_helpers){.work = *work, .node = {.comm = MPI_COMM_NULL}};
    *helpers = h;
    if (context->size == 1) return RL_OK;
    find_node(context, h);
    if (h->n > 0 && h->node.rank <= h->n) status = make_rooms(h);
    return rl_context_agree(context, status);
}

void rl_helpers_destroy(rl_helpers *h) {
    if (h == NULL) return;
    for (int i = 0; i < MOST_HELPERS * JOBS_EACH; i++) {
        rl_free(h->jobs[i / JOBS_EACH][i % JOBS_EACH].message);
        rl_free(h->jobs[i / JOBS_EACH][i % JOBS_EACH].results);
    }
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

void rl_helpers_release(rl_helpers *h) {
    const double start = rl_seconds();
    for (int i = 0; i < h->n; i++) RL_MPI(MPI_Send(NULL, 0, MPI_BYTE, i + 1, TAG_ROWS, h->node.comm));
    for (int i = 0; i < h->n; i++)
        while (!all_back(h, h->jobs[i])) wait_since(start);
}

/* ---- helpers ----------------------------------------------------------------------------------------------------- */

/* The next message, of so many bytes; without a word from rank 0 for a while the processor is left to others. */
static int await_message(const rl_helpers *h, MPI_Message *message) {
    const double start = rl_seconds();
    int arrived = 0, bytes;
    MPI_Status from;
    for (;;) {
        RL_MPI(MPI_Improbe(0, TAG_ROWS, h->node.comm, &arrived, message, &from));
        if (arrived) break;
        wait_since(start);
    }
    RL_MPI(MPI_Get_count(&from, MPI_BYTE, &bytes));
    return bytes;
}

void rl_help(rl_helpers *h) {
    job *const j = h->jobs[0];
    if (h->node.comm == MPI_COMM_NULL || h->node.rank > h->n) return;
    for (;;) {
        MPI_Message message;
        const int bytes = await_message(h, &message);
        RL_MPI(MPI_Mrecv(j->message, bytes, MPI_BYTE, &message, MPI_STATUS_IGNORE));
        if (bytes == 0) return;
        memcpy(&j->head, j->message, sizeof j->head);
        make_results(h, j->message, j->results);
        RL_MPI(MPI_Send(j->results, (int)((size_t)j->head.n * h->work.result_bytes), MPI_BYTE, 0, TAG_RESULTS,
                        h->node.comm));
    }
}
