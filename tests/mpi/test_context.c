/* The context on ranks that a launcher has started: what MPI says to that waits for no acknowledgement. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "report.h"
#include "ridgeless/context.h"

/* Of every connection that this process has; 0: it sends at once, 1: it does not, -1: there is none. */
static int waits(int fd) {
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer, size = sizeof(int);
    int at_once = 0;
    if (getpeername(fd, (struct sockaddr *)&peer, &length) != 0) return -1;
    if (getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, &size) != 0) return -1;
    return at_once == 0;
}

int main(int argc, char **argv) {
    enum { MOST = 256 };
    rl_context context;
    int n = 0, n_waiting = 0;
    if (rl_context_create(&argc, &argv, &context) != RL_OK) return 1;
    report r = {.rank = context.rank, .size = context.size};
    for (int fd = 3; fd < MOST; fd++) {
        n += waits(fd) >= 0;
        n_waiting += waits(fd) > 0;
    }
    check(&r, n_waiting == 0, "connections of TCP send at once, %d of them", n);
    if (r.rank == 0) printf("1..%d\n", r.done);
    rl_context_destroy(&context);
    return r.failed > 0;
}
