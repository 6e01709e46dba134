/* LAPACK's dgesdd in a process of its own: this program once more, which gets the matrix through a socket in the place
 * of its standard input, and answers there. */
#define _GNU_SOURCE /* CPU_COUNT */
#include "bench_peer.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lapack.h"
#include "../numbers.h"
#include "cli.h"

static const char word[] = "dgesdd-of-bench-spectrum";

/* Behind it comes the matrix, column by column. */
typedef struct question {
    int n_train, n_features, threads;
} question;

typedef struct answer {
    rl_peer_result result;
    int status;
    char message[1024];
} answer;

static bool send_all(int socket, const void *bytes, size_t n) {
    const char *next = bytes;
    while (n > 0) {
        const ssize_t sent = send(socket, next, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        next += sent;
        n -= (size_t)sent;
    }
    return true;
}

/* false: the other end has gone. */
static bool receive_all(int socket, void *bytes, size_t n) {
    char *next = bytes;
    while (n > 0) {
        const ssize_t came = recv(socket, next, n, 0);
        if (came < 0 && errno == EINTR) continue;
        if (came <= 0) return false;
        next += came;
        n -= (size_t)came;
    }
    return true;
}

/* ---- the peer ---------------------------------------------------------------------------------------------------- */

bool rl_is_peer(int argc, char **argv) {
    int type;
    socklen_t size = sizeof type;
    return argc == 2 && strcmp(argv[1], word) == 0 &&
           getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &size) == 0; /* nobody has typed it */
}

static rl_status decompose(const question *q, double *x, double *u, double *vt, double *sigma, rl_peer_result *result) {
    const int n = q->n_train, p = q->n_features, k = rl_smaller(n, p), query = -1;
    double asked, *work = NULL;
    int *iwork = NULL, info = 0;
    rl_status status = RL_ALLOC(iwork, 8 * (size_t)k);
    dgesdd_("S", &n, &p, x, &n, sigma, u, &n, vt, &k, &asked, &query, iwork, &info, 1);
    const int lwork = (int)asked;
    if (status == RL_OK) status = RL_ALLOC(work, lwork);
    if (status == RL_OK) status = rl_context_blas_threads(q->threads);
    if (status == RL_OK) {
        const double start = rl_seconds();
        dgesdd_("S", &n, &p, x, &n, sigma, u, &n, vt, &k, work, &lwork, iwork, &info, 1);
        result->seconds = rl_seconds() - start;
        result->sigma_max = sigma[0];
        result->sigma_min = sigma[k - 1];
    }
    rl_free(work);
    rl_free(iwork);
    return status == RL_OK && info != 0 ? rl_fail(RL_ERR_LIBRARY, "LAPACK dgesdd: info = %d", info) : status;
}

static rl_status receive_and_decompose(const question *q, rl_peer_result *result) {
    const size_t n = (size_t)q->n_train, p = (size_t)q->n_features, k = rl_smaller(n, p);
    double *x = NULL, *u = NULL, *vt = NULL, *sigma = NULL;
    rl_status status = RL_ALLOC(x, n * p);
    if (status == RL_OK) status = RL_ALLOC(u, n * k);
    if (status == RL_OK) status = RL_ALLOC(vt, k * p);
    if (status == RL_OK) status = RL_ALLOC(sigma, k);
    for (size_t j = 0; j < p && status == RL_OK; j++)
        if (!receive_all(STDIN_FILENO, x + j * n, n * sizeof *x)) status = rl_fail(RL_ERR_IO, "rank 0 has gone");
    if (status == RL_OK) status = decompose(q, x, u, vt, sigma, result);
    rl_free(x);
    rl_free(u);
    rl_free(vt);
    rl_free(sigma);
    return status;
}

int rl_peer_main(void) {
    question q;
    answer a = {0};
    cpu_set_t mine;
    if (!receive_all(STDIN_FILENO, &q, sizeof q)) return 1;
    a.result.threads = q.threads;
    if (sched_getaffinity(0, sizeof mine, &mine) == 0) a.result.processors = CPU_COUNT(&mine);
    a.status = (int)receive_and_decompose(&q, &a.result);
    if (a.status != RL_OK) strncpy(a.message, rl_error_message(), sizeof a.message - 1);
    a.result.memory = rl_peak_memory();
    return send_all(STDIN_FILENO, &a, sizeof a) ? 0 : 1;
}

/* ---- rank 0 ------------------------------------------------------------------------------------------------------ */

/* Between fork and exec: what a process of many threads may do there. The peer ends with rank 0. */
static _Noreturn void become_peer(int socket, const rl_node *node) {
    rl_stop_start_child();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    rl_context_take_processors(node);
    if (dup2(socket, STDIN_FILENO) == STDIN_FILENO) execl("/proc/self/exe", "ridgeless", word, (char *)NULL);
    _exit(127);
}

/* Where the peer has no memory for the matrix, it answers before it has got all. */
static bool talk(int socket, const rl_case *c, const question *q, double *column, answer *a) {
    bool takes = send_all(socket, q, sizeof *q);
    for (int j = 0; j < c->n_features && takes; j++) {
        for (int i = 0; i < c->n_train; i++) column[i] = c->x(c->state, i, j);
        takes = send_all(socket, column, (size_t)c->n_train * sizeof *column);
    }
    return receive_all(socket, a, sizeof *a);
}

static rl_status describe_end(pid_t peer) {
    int status = 0;
    pid_t ended;
    do ended = waitpid(peer, &status, 0);
    while (ended < 0 && errno == EINTR);
    if (ended == peer && WIFSIGNALED(status))
        return rl_fail(RL_ERR_LIBRARY, "the process of dgesdd died of signal %d (%s)", WTERMSIG(status),
                       strsignal(WTERMSIG(status)));
    if (ended == peer && WIFEXITED(status) && WEXITSTATUS(status) == 0) return RL_OK;
    return rl_fail(RL_ERR_LIBRARY, "the process of dgesdd ended with status %d", WEXITSTATUS(status));
}

/* With a column of the matrix as room. */
static rl_status ask_peer(const rl_case *c, const rl_node *node, const question *q, double *column, answer *a) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return rl_fail(RL_ERR_IO, "dgesdd: no socket to its process: %s", strerror(errno));
    const pid_t peer = fork();
    const int error = errno;
    if (peer == 0) become_peer(ends[1], node);
    close(ends[1]);
    const bool answered = peer > 0 && talk(ends[0], c, q, column, a);
    close(ends[0]);
    if (peer < 0) return rl_fail(RL_ERR_LIBRARY, "dgesdd: no process can be started: %s", strerror(error));
    RL_TRY(describe_end(peer));
    return answered ? RL_OK : rl_fail(RL_ERR_LIBRARY, "the process of dgesdd has not answered");
}

rl_status rl_peer_measure(const rl_case *c, const rl_node *node, rl_peer_result *result) {
    const int most = node->n_processors > 0 ? node->n_processors : node->threads;
    const question q = {c->n_train, c->n_features, rl_smaller(node->threads, most)};
    answer a = {0};
    double *column = NULL;
    RL_TRY(RL_ALLOC(column, c->n_train));
    const rl_status status = ask_peer(c, node, &q, column, &a);
    rl_free(column);
    RL_TRY(status);
    if (a.status != RL_OK) return rl_fail((rl_status)a.status, "dgesdd in a process of its own: %s", a.message);
    *result = a.result;
    return RL_OK;
}
