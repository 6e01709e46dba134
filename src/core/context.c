/* The communicator: starting and ending MPI, and what ranks agree on, add up and say of themselves. */
#include "ridgeless/context.h"

#include <fenv.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "launcher.h"

void rl_mpi_fail(int code, const char *call) {
    rl_context world = {.comm = MPI_COMM_WORLD};
    char text[MPI_MAX_ERROR_STRING] = "unknown error";
    int length = 0;
    MPI_Error_string(code, text, &length);
    MPI_Comm_rank(world.comm, &world.rank);
    rl_context_abort(&world, rl_fail(RL_ERR_LIBRARY, "MPI failed: %.*s (%.60s)", length, text, call));
}

/* Makes the line on rank 0, about the node where most ranks share a processor. */
static void describe_crowd(rl_context *context, rl_crowd crowd) {
    struct {
        double ranks_per_processor;
        int rank;
    } mine = {crowd.processors > 0 ? (double)crowd.ranks / crowd.processors : 0, context->rank}, worst;
    int numbers[] = {(int)crowd.waiting, crowd.ranks, crowd.processors};
    RL_MPI(MPI_Allreduce(&mine, &worst, 1, MPI_DOUBLE_INT, MPI_MAXLOC, context->comm));
    RL_MPI(MPI_Bcast(numbers, 3, MPI_INT, worst.rank, context->comm));
    const rl_waiting waiting = (rl_waiting)numbers[0];
    if (context->rank == 0 && (waiting == RL_WAITING_YIELDS || waiting == RL_WAITING_SPINS))
        snprintf(context->crowd, sizeof context->crowd, "%d ranks share %d processor%s of a node: %s", numbers[1],
                 numbers[2], rl_plural(numbers[2]),
                 waiting == RL_WAITING_YIELDS
                     ? "a rank that waits lets the others run"
                     : "with this MPI library a rank that waits keeps its processor, and all take long");
}

void rl_context_tell_crowd(const rl_context *context) {
    if (context->crowd[0] != '\0') rl_info("%s", context->crowd);
}

rl_status rl_context_fail_thread(int error) {
    return rl_fail(RL_ERR_LIBRARY,
                   "no thread can be started: %s; raise the number of processes (`ulimit -u`, pids.max of a control "
                   "group) or memory (`ulimit -v`)",
                   strerror(error));
}

static void *wait_for_word(void *lock) {
    pthread_mutex_lock(lock);
    pthread_mutex_unlock(lock);
    return NULL;
}

/* MPI libraries start some, and tell in pages of text where they cannot. */
static rl_status try_threads(void) {
    enum { SOME = 3 };
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_t threads[SOME];
    int n = 0, error = 0;
    pthread_mutex_lock(&lock);
    while (n < SOME && (error = pthread_create(&threads[n], NULL, wait_for_word, &lock)) == 0) n++;
    pthread_mutex_unlock(&lock);
    while (n > 0) pthread_join(threads[--n], NULL);
    return error == 0 ? RL_OK : rl_context_fail_thread(error);
}

rl_status rl_context_create(int *argc, char ***argv, rl_context *context) {
    fesetenv(FE_DFL_ENV);
    /* Large arrays go back to the system when they are freed. glibc before 2.38 cannot use the place of an aligned
     * block for the next one of its size: a process would grow each time that a table is dealt out. Not so the buffers
     * of 1 MiB that HDF5 takes for every array of texts, and others. */
    mallopt(M_MMAP_THRESHOLD, (1 << 20) + (1 << 17));
    mallopt(M_TRIM_THRESHOLD, 1 << 22); /* what is taken and given back by turns, as records are, stays */
    *context = (rl_context){.comm = MPI_COMM_NULL};
    const double began = rl_seconds();
    rl_crowd crowd;
    context->rank = rl_launcher_rank(); /* until MPI knows better */
    RL_TRY(rl_launcher_prepare(&crowd));
    RL_TRY(rl_context_ask_memory(true));
    RL_TRY(try_threads());
    if (MPI_Init(argc, argv) != MPI_SUCCESS) return rl_fail(RL_ERR_LIBRARY, "MPI could not be started");
    context->start_seconds = rl_seconds() - began;
    rl_launcher_send_at_once();
    RL_MPI(MPI_Comm_dup(MPI_COMM_WORLD, &context->comm));
    RL_MPI(MPI_Comm_set_errhandler(context->comm, MPI_ERRORS_RETURN));
    RL_MPI(MPI_Comm_size(context->comm, &context->size));
    RL_TRY(rl_launcher_check_size(context->size));
    RL_MPI(MPI_Comm_rank(context->comm, &context->rank));
    describe_crowd(context, crowd);
    return RL_OK;
}

void rl_context_destroy(rl_context *context) {
    if (context->comm != MPI_COMM_NULL) MPI_Comm_free(&context->comm);
    MPI_Finalize();
}

rl_status rl_context_agree(const rl_context *context, rl_status status) {
    enum { MESSAGE_BYTES = 1024 };
    char message[MESSAGE_BYTES] = "";
    int first = status == RL_OK ? context->size : context->rank, agreed = (int)status;
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, context->comm));
    if (first == context->size) return RL_OK;
    if (first == context->rank) strncpy(message, rl_error_message(), MESSAGE_BYTES - 1);
    RL_MPI(MPI_Bcast(message, MESSAGE_BYTES, MPI_CHAR, first, context->comm));
    RL_MPI(MPI_Bcast(&agreed, 1, MPI_INT, first, context->comm));
    return rl_fail((rl_status)agreed, "%s", message);
}

rl_status rl_context_wait(const rl_context *context) {
    const struct timespec nap = {.tv_nsec = 2000000};
    MPI_Request request;
    RL_MPI(MPI_Ibarrier(context->comm, &request));
    for (;;) {
        int all = 0;
        RL_MPI(MPI_Test(&request, &all, MPI_STATUS_IGNORE));
        if (all) return RL_OK;
        nanosleep(&nap, NULL);
    }
}

rl_status rl_context_largest(const rl_context *context, double *values, int n) {
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, values, n, MPI_DOUBLE, MPI_MAX, context->comm));
    return RL_OK;
}

rl_status rl_context_sum(const rl_context *context, double *values, int n) {
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, values, n, MPI_DOUBLE, MPI_SUM, context->comm));
    return RL_OK;
}

/* Adds up a copy, because MPI_Reduce of MPICH 4.0 takes MPI_IN_PLACE for an address where ranks share memory. */
rl_status rl_context_sum_at(MPI_Comm comm, int root, double *values, int64_t n) {
    enum { PIECE = 4096 };
    double mine[PIECE];
    int rank;
    RL_MPI(MPI_Comm_rank(comm, &rank));
    for (int64_t first = 0; first < n; first += PIECE) {
        const int length = (int)(n - first < PIECE ? n - first : PIECE);
        memcpy(mine, values + first, (size_t)length * sizeof *mine);
        RL_MPI(MPI_Reduce(mine, rank == root ? values + first : NULL, length, MPI_DOUBLE, MPI_SUM, root, comm));
    }
    return RL_OK;
}

rl_status rl_context_sum_integers(const rl_context *context, uint64_t *values, int n) {
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, values, n, MPI_UINT64_T, MPI_SUM, context->comm));
    return RL_OK;
}

rl_status rl_context_gather(const rl_context *context, const double *values, int n, double *all) {
    const int ranks = context->rank == 0 ? context->size : 0;
    int *counts = NULL;
    RL_TRY(rl_context_agree(context, ranks > 0 ? RL_ALLOC(counts, 2 * ranks) : RL_OK));
    RL_MPI(MPI_Gather(&n, 1, MPI_INT, counts, 1, MPI_INT, 0, context->comm));
    int *const starts = ranks > 0 ? counts + ranks : NULL;
    for (int rank = 1; rank < ranks; rank++) starts[rank] = starts[rank - 1] + counts[rank - 1];
    RL_MPI(MPI_Gatherv(values, n, MPI_DOUBLE, all, counts, starts, MPI_DOUBLE, 0, context->comm));
    rl_free(counts);
    return RL_OK;
}

rl_status rl_context_node_size(const rl_context *context, int *ranks) {
    MPI_Comm node;
    RL_MPI(MPI_Comm_split_type(context->comm, MPI_COMM_TYPE_SHARED, context->rank, MPI_INFO_NULL, &node));
    MPI_Comm_size(node, ranks);
    MPI_Comm_free(&node);
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, ranks, 1, MPI_INT, MPI_MAX, context->comm));
    return RL_OK;
}

static rl_status append_new_hosts(const char *names, int n, rl_text *hosts) {
    for (int i = 0; i < n; i++) {
        const char *name = names + (size_t)i * MPI_MAX_PROCESSOR_NAME;
        bool seen = false;
        for (int j = 0; j < i && !seen; j++) seen = strcmp(name, names + (size_t)j * MPI_MAX_PROCESSOR_NAME) == 0;
        if (!seen) RL_TRY(rl_text_append(hosts, "%s%s", hosts->length > 0 ? " " : "", name));
    }
    return RL_OK;
}

rl_status rl_context_hosts(const rl_context *context, rl_text *hosts) {
    char name[MPI_MAX_PROCESSOR_NAME] = "";
    char *names = NULL;
    int length;
    rl_status status = context->rank == 0 ? RL_ALLOC(names, context->size * MPI_MAX_PROCESSOR_NAME) : RL_OK;
    RL_TRY(rl_context_agree(context, status));
    RL_MPI(MPI_Get_processor_name(name, &length));
    RL_MPI(
        MPI_Gather(name, MPI_MAX_PROCESSOR_NAME, MPI_CHAR, names, MPI_MAX_PROCESSOR_NAME, MPI_CHAR, 0, context->comm));
    if (context->rank == 0) status = append_new_hosts(names, context->size, hosts);
    rl_free(names);
    return rl_context_agree(context, status);
}

static void (*on_abort)(rl_status status);

void rl_context_on_abort(void (*call)(rl_status status)) {
    on_abort = call;
}

void rl_context_end_all(const rl_context *context, int exit_status) {
    MPI_Abort(context->comm == MPI_COMM_NULL ? MPI_COMM_WORLD : context->comm, exit_status);
    abort(); /* MPI_Abort does not return */
}

void rl_context_abort(const rl_context *context, rl_status status) {
    char line[1200];
    snprintf(line, sizeof line, "ridgeless: rank %d: %s\n", context->rank, rl_error_message());
    rl_log_write(line);
    if (on_abort != NULL) on_abort(status);
    rl_context_end_all(context, rl_exit_status(status));
}
