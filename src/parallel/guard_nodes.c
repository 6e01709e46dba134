/* What the guards of several nodes say to each other, over TCP: a thread beside the one that waits in MPI may not call
 * it.
 *
 * Two ranks listen: rank 0, and for the case that rank 0 dies the *deputy*, the first rank that is not on its node.
 * Each rank knows how to reach both. The first rank of a node that is not silent is its *messenger*: it has a line to
 * rank 0, or, where it shares rank 0's node, to the deputy. Over a line both ends say some times a second that they
 * live, and a messenger says how the ranks of its node are. A line that ends without a word of leaving is the death of
 * a node. */
#define _GNU_SOURCE /* accept4 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <math.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "guard.h"

/* Seconds. */
static const double connecting_takes = 1, retry_after = 5, starting_takes = 3, lines_take = 30, telling_takes = 2;
/* A rank that dies is named by one of its node, if any is left; else by one who listens; and only then all leave. */
static const double explaining_takes = 2, naming_takes = 4;
/* A messenger that falls silent is first replaced by the next rank of its node. */
static const double patience = 1.5;
/* A node whose kernel gives no answer for so long is lost; that of a rank which hangs does answer. */
static const int lost_after = 60, probe_after = 20, probe_every = 10;
/* Where there are many ranks, their messengers speak less often: rank 0 has to listen to all. */
static const double beats_per_second = 5000, states_per_second = 1000;

enum { TOKEN = 16, MOST_ADDRESSES = 16, NONE = -1, MORE_LINES = 64 };

/* Ranks of a node. */
typedef struct members {
    int first, last, n;
} members;

typedef struct address {
    int family;
    unsigned char bytes[16];
} address;

/* A rank that listens, and where. */
typedef struct listener {
    members node; /* that it is on */
    int n;        /* addresses; 0: it cannot listen */
    uint16_t port;
    unsigned char token[TOKEN]; /* of the run; rank 0's counts */
    address addresses[MOST_ADDRESSES];
} listener;

/* All that is said. */
typedef enum word_kind { BEAT, STATE, LEAVING } word_kind;
typedef struct word {
    unsigned char token[TOKEN];
    int kind, node; /* node: the first rank of the sender's */
    int leaving;    /* 1 + exit status */
    rl_rank_state state;
    char doing[RL_DOING]; /* of the first rank of the node */
} word;

typedef struct line {
    int fd;           /* NONE: there is no line */
    bool is_known;    /* a word of this run has come over it */
    int node;         /* of the other end, once known */
    double since;     /* rl_seconds() */
    size_t got, left; /* bytes of a word that have come in, or are still to go out */
    char in[sizeof(word)], out[sizeof(word)];
} line;

/* Another node, as one sees it who has a line to it. */
typedef struct other {
    members ranks;
    int n_lines;
    bool was_heard, is_silent, is_dead;
    double quiet, gone; /* seconds since a word came, and since the last line ended */
    char doing[RL_DOING];
} other;

struct rl_nodes {
    const rl_context *context;
    double silence;
    members node; /* this one */
    const rl_post *posts;
    const rl_rank_state *states; /* [n_posts] of its ranks */
    rl_rank_state *said;         /* [n_posts] what the other end of `up` knows of them */
    int n_posts, me;             /* me: this rank's place among them */
    listener to;                 /* of `up`: rank 0, or the deputy */
    bool speaks;                 /* this rank listens, and names other nodes */
    int fd;                      /* where it listens */
    line *lines, up;             /* lines[n_lines]: that others have made; up: this rank's own */
    int n_lines, most_lines;
    int next_address;
    double retry_at, beat_at, states_at, ran;
    other *others; /* [n_others] */
    int n_others;
    int *other_of;            /* [size]: the index in `others` of a rank's node, or NONE */
    rl_rank_state *elsewhere; /* on rank 0: [n_elsewhere], of the ranks of other nodes */
    int *elsewhere_of;        /* [size]: index in it */
    int n_elsewhere;
    bool has_told; /* that there is no line to a node */
    int leaving;
};

/* ---- words ------------------------------------------------------------------------------------------------------- */

static word make_word(const rl_nodes *n, word_kind kind) {
    word w = {.kind = (int)kind, .node = n->node.first};
    memcpy(w.token, n->to.token, TOKEN);
    memcpy(w.doing, n->posts[0].doing, RL_DOING);
    w.doing[RL_DOING - 1] = '\0';
    return w;
}

static void end_line(rl_nodes *n, line *l) {
    if (l->fd != NONE) close(l->fd);
    if (l->is_known && n->other_of[l->node] != NONE) n->others[n->other_of[l->node]].n_lines--;
    *l = (line){.fd = NONE};
}

/* Whether a word may follow. */
static bool flush_line(line *l) {
    while (l->left > 0) {
        const ssize_t sent = send(l->fd, l->out + sizeof l->out - l->left, l->left, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0) return false;
        l->left -= (size_t)sent;
    }
    return true;
}

static bool send_word(line *l, const word *w) {
    if (l->fd == NONE || !flush_line(l)) return false;
    memcpy(l->out, w, sizeof *w);
    l->left = sizeof *w;
    flush_line(l);
    return true;
}

/* Whether a whole word has come; the line is ended where it has been at the other end. */
static bool receive_word(rl_nodes *n, line *l, word *w) {
    if (l->fd == NONE) return false;
    const ssize_t got = recv(l->fd, l->in + l->got, sizeof l->in - l->got, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (got <= 0) {
        end_line(n, l);
        return false;
    }
    l->got += (size_t)got;
    if (l->got < sizeof *w) return receive_word(n, l, w);
    memcpy(w, l->in, sizeof *w);
    w->doing[RL_DOING - 1] = '\0';
    l->got = 0;
    return true;
}

/* A word that this run has sent; anybody may connect. */
static bool is_ours(const rl_nodes *n, const word *w) {
    return memcmp(w->token, n->to.token, TOKEN) == 0 && w->node >= 0 && w->node < n->context->size &&
           w->state.rank >= 0 && w->state.rank < n->context->size;
}

static void take_state(rl_nodes *n, const rl_rank_state *state) {
    const int size = n->context->size;
    if (n->elsewhere == NULL || n->elsewhere_of[state->rank] == NONE) return;
    if (state->n < 0 || state->first < 0 || state->n > size || state->first > size - state->n) return;
    n->elsewhere[n->elsewhere_of[state->rank]] = *state;
}

static void take_word(rl_nodes *n, line *l, const word *w) {
    const int i = n->other_of[w->node];
    if (!l->is_known) {
        const word answer = make_word(n, BEAT);
        l->is_known = true;
        l->node = w->node;
        if (i != NONE) n->others[i].n_lines++;
        if (l != &n->up) send_word(l, &answer);
    }
    if (i != NONE) {
        n->others[i].was_heard = true;
        n->others[i].quiet = 0;
        memcpy(n->others[i].doing, w->doing, RL_DOING);
    }
    if (w->kind == STATE) take_state(n, &w->state);
    if (w->kind == LEAVING && n->leaving == 0) n->leaving = w->leaving;
}

/* Strangers are shown out, and so are those who say nothing, or give no answer. */
static void read_line(rl_nodes *n, line *l) {
    word w;
    while (receive_word(n, l, &w)) {
        if (is_ours(n, &w))
            take_word(n, l, &w);
        else
            end_line(n, l);
    }
    if (l->fd != NONE && !l->is_known && rl_seconds() - l->since > connecting_takes) end_line(n, l);
    if (l->fd != NONE) flush_line(l);
}

/* ---- connections ------------------------------------------------------------------------------------------------- */

/* By itself the kernel would ask after a node that gives no answer for hours. */
static void set_options(int fd) {
    const int on = 1, after = lost_after * 1000;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &probe_after, sizeof probe_after);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &probe_every, sizeof probe_every);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &after, sizeof after);
}

static socklen_t fill_address(const address *from, uint16_t port, struct sockaddr_storage *to) {
    *to = (struct sockaddr_storage){.ss_family = (sa_family_t)from->family};
    if (from->family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)to;
        in->sin_port = htons(port);
        memcpy(&in->sin_addr, from->bytes, sizeof in->sin_addr);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;
    in6->sin6_port = htons(port);
    memcpy(&in6->sin6_addr, from->bytes, sizeof in6->sin6_addr);
    return sizeof *in6;
}

/* Begins to make the line; it stands once an answer comes. */
static void begin_line(const rl_nodes *n, int i, line *l) {
    struct sockaddr_storage to;
    const address *a = &n->to.addresses[i];
    const socklen_t length = fill_address(a, n->to.port, &to);
    *l = (line){.fd = socket(a->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), .since = rl_seconds()};
    if (l->fd == NONE) return;
    set_options(l->fd);
    if (connect(l->fd, (struct sockaddr *)&to, length) == 0 || errno == EINPROGRESS) return;
    close(l->fd);
    l->fd = NONE;
}

static bool is_messenger(const rl_nodes *n) {
    for (int i = 0; i < n->me; i++)
        if (!n->states[i].silent) return false;
    return n->context->rank != 0;
}

/* Tries one address after the other, with a rest after the last one. A line that stood is not made anew. */
static void keep_line(rl_nodes *n) {
    const double now = rl_seconds();
    const bool is_lost = n->n_others > 0 && n->others[0].was_heard && n->others[0].n_lines == 0;
    if (n->up.fd != NONE || !is_messenger(n) || n->to.n == 0 || is_lost || now < n->retry_at) return;
    const word hello = make_word(n, BEAT);
    begin_line(n, n->next_address, &n->up);
    n->next_address = (n->next_address + 1) % n->to.n;
    if (n->next_address == 0) n->retry_at = now + retry_after;
    for (int i = 0; i < n->n_posts; i++) n->said[i] = (rl_rank_state){.rank = NONE};
    send_word(&n->up, &hello);
}

static void accept_lines(rl_nodes *n) {
    while (n->n_lines < n->most_lines) {
        const int fd = accept4(n->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        set_options(fd);
        n->lines[n->n_lines++] = (line){.fd = fd, .since = rl_seconds()};
    }
}

static void read_lines(rl_nodes *n) {
    if (n->fd != NONE) accept_lines(n);
    for (int i = n->n_lines - 1; i >= 0; i--) {
        read_line(n, &n->lines[i]);
        if (n->lines[i].fd == NONE) n->lines[i] = n->lines[--n->n_lines];
    }
    read_line(n, &n->up);
}

/* ---- some times a second
 * ----------------------------------------------------------------------------------------------- */

static bool is_same_state(const rl_rank_state *a, const rl_rank_state *b) {
    return a->rank == b->rank && a->stop == b->stop && a->first == b->first && a->n == b->n && a->silent == b->silent;
}

static void send_states(rl_nodes *n) {
    word w = make_word(n, STATE);
    for (int i = 0; i < n->n_posts; i++) {
        if (is_same_state(&n->states[i], &n->said[i])) continue;
        w.state = n->states[i];
        if (!send_word(&n->up, &w)) return;
        n->said[i] = n->states[i];
    }
}

static void send_beats(rl_nodes *n) {
    const double now = rl_seconds();
    if (now < n->beat_at) return;
    const word w = make_word(n, BEAT);
    n->beat_at = now + n->context->size / beats_per_second;
    for (int i = 0; i < n->n_lines; i++)
        if (n->lines[i].is_known) send_word(&n->lines[i], &w);
    if (n->up.is_known) send_word(&n->up, &w);
    if (!n->up.is_known || now < n->states_at) return;
    n->states_at = now + fmax(1, n->context->size / states_per_second);
    send_states(n);
}

/* ---- nodes that die or fall silent ------------------------------------------------------------------------------- */

static const char *name_ranks(const members *m, char text[64]) {
    if (m->n == 1)
        snprintf(text, 64, "rank %d", m->first);
    else if (m->last - m->first == m->n - 1)
        snprintf(text, 64, "ranks %d to %d", m->first, m->last);
    else
        snprintf(text, 64, "rank %d and %d more of its node", m->first, m->n - 1);
    return text;
}

static void name_dead(other *o) {
    char text[64];
    o->is_dead = true;
    rl_guard_say("%s died%s while %s; " RL_RUN_AGAIN, name_ranks(&o->ranks, text), o->ranks.n > 1 ? ", the first" : "",
                 o->doing);
}

static void name_silent(other *o, bool is_silent) {
    char text[64];
    const bool one = o->ranks.n == 1;
    const char *const it = one ? "it" : "them";
    if (is_silent == o->is_silent) return;
    o->is_silent = is_silent;
    name_ranks(&o->ranks, text);
    if (!is_silent)
        rl_guard_say("%s %s heard of again", text, one ? "is" : "are");
    else if (o->ranks.first == 0)
        rl_guard_say("%s %s not been heard of for %.0f s%s while %s; the run waits for %s, and only SIGTERM ends it",
                     text, one ? "has" : "have", o->quiet, one ? "" : ", the first", o->doing, it);
    else
        rl_guard_say(
            "%s %s not been heard of for %.0f s%s while %s; the run waits for %s, and SIGUSR1 ends the run "
            "without %s",
            text, one ? "has" : "have", o->quiet, one ? "" : ", the first", o->doing, it, it);
}

/* Where the last line was that of the node's only rank, nobody else can name it. */
static double leaves_after(const rl_nodes *n, const other *o) {
    if (!n->speaks) return naming_takes;
    return o->ranks.n > 1 ? explaining_takes : 0;
}

static void check_others(rl_nodes *n, double ran) {
    for (int i = 0; i < n->n_others; i++) {
        other *o = &n->others[i];
        if (!o->was_heard || n->leaving != 0) continue;
        o->quiet += ran;
        o->gone = o->n_lines == 0 ? o->gone + ran : 0;
        if (o->n_lines == 0 && o->gone >= leaves_after(n, o)) {
            if (n->speaks) name_dead(o);
            n->leaving = 2;
        } else if (n->speaks && o->n_lines > 0) {
            name_silent(o, o->quiet >= patience * n->silence);
        }
    }
}

static void tell_of_lines(rl_nodes *n) {
    if (n->ran < lines_take || n->has_told) return;
    n->has_told = true;
    for (int i = 0; i < n->n_others && n->context->rank == 0; i++)
        if (!n->others[i].was_heard)
            rl_debug(
                "no connection comes from the node of rank %d (a firewall?): should it die, that is not noticed here",
                n->others[i].ranks.first);
}

int rl_nodes_look(rl_nodes *n, double ran) {
    if (n == NULL) return 0;
    n->ran += ran;
    keep_line(n);
    read_lines(n);
    send_beats(n);
    check_others(n, ran);
    tell_of_lines(n);
    return n->leaving;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

void rl_nodes_tell_at_once(rl_nodes *n, int leaving) {
    if (n == NULL) return;
    word w = make_word(n, LEAVING);
    w.leaving = leaving;
    for (int i = 0; i < n->n_lines; i++)
        if (n->lines[i].is_known && n->lines[i].left == 0) send_word(&n->lines[i], &w);
    if (n->up.is_known && n->up.left == 0) send_word(&n->up, &w);
}

static void wait_to_send(line *l, double until) {
    while (l->fd != NONE && !flush_line(l)) {
        struct pollfd poller = {.fd = l->fd, .events = POLLOUT};
        const double left = until - rl_seconds();
        if (left <= 0 || poll(&poller, 1, (int)(1000 * left)) <= 0 || (poller.revents & (POLLERR | POLLHUP)) != 0)
            return;
    }
}

/* By a line for this alone. An end that is closed with an answer unread would take the word with it. */
static void tell_by_new_line(rl_nodes *n, const word *w) {
    const double until = rl_seconds() + telling_takes;
    for (int i = 0; i < n->to.n && rl_seconds() < until; i++) {
        line l;
        begin_line(n, i, &l);
        if (l.fd == NONE) continue;
        send_word(&l, w);
        wait_to_send(&l, fmin(until, rl_seconds() + telling_takes / 2));
        struct pollfd answer = {.fd = l.fd, .events = POLLIN};
        const bool is_told = l.left == 0 && poll(&answer, 1, (int)(1000 * fmax(0, until - rl_seconds()))) > 0;
        close(l.fd);
        if (is_told) return;
    }
}

void rl_nodes_tell(rl_nodes *n, int leaving, bool surely) {
    if (n == NULL) return;
    const double until = rl_seconds() + telling_takes;
    word w = make_word(n, LEAVING);
    w.leaving = leaving;
    for (int i = 0; i < n->n_lines; i++) {
        if (!n->lines[i].is_known) continue;
        wait_to_send(&n->lines[i], until);
        send_word(&n->lines[i], &w);
    }
    wait_to_send(&n->up, until);
    if (n->up.is_known)
        send_word(&n->up, &w);
    else if (surely && n->context->rank != 0)
        tell_by_new_line(n, &w);
}

/* ---- use --------------------------------------------------------------------------------------------------------- */

int rl_nodes_n_ranks(const rl_nodes *n) {
    return n == NULL ? 0 : n->n_elsewhere;
}

rl_rank_state rl_nodes_rank(const rl_nodes *n, int i) {
    rl_rank_state state = n->elsewhere[i];
    state.silent = state.silent || n->others[n->other_of[state.rank]].is_silent;
    return state;
}

bool rl_nodes_need_launcher(const rl_nodes *n) {
    for (int i = 0; n != NULL && i < n->n_others; i++)
        if (n->others[i].is_silent || n->others[i].is_dead) return true;
    return false;
}

/* Any address of this machine; where there is no IPv6, those of IPv4. */
static int open_port(int family, uint16_t *port) {
    const int no = 0, fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_storage at = {.ss_family = (sa_family_t)family};
    socklen_t length = sizeof at;
    if (fd < 0) return NONE;
    if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    const socklen_t own = family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (bind(fd, (struct sockaddr *)&at, own) != 0 || listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &length) != 0) {
        close(fd);
        return NONE;
    }
    *port = ntohs(family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port : ((struct sockaddr_in *)&at)->sin_port);
    return fd;
}

static void add_address(const struct ifaddrs *i, bool loopback, bool six, listener *l) {
    if (l->n == MOST_ADDRESSES || i->ifa_addr == NULL || (i->ifa_flags & IFF_UP) == 0) return;
    if (((i->ifa_flags & IFF_LOOPBACK) != 0) != loopback) return;
    address a = {.family = i->ifa_addr->sa_family};
    if (a.family == AF_INET) {
        memcpy(a.bytes, &((struct sockaddr_in *)i->ifa_addr)->sin_addr, 4);
    } else if (a.family == AF_INET6 && six) {
        const struct in6_addr *in6 = &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr;
        if (IN6_IS_ADDR_LINKLOCAL(in6)) return; /* means something on one link alone */
        memcpy(a.bytes, in6, 16);
    } else {
        return;
    }
    l->addresses[l->n++] = a;
}

/* Where a rank that listens can be reached: the loopback last, for nodes that are one machine in truth. */
static void begin_listening(rl_nodes *n, listener *l) {
    struct ifaddrs *all;
    n->fd = open_port(AF_INET6, &l->port);
    const bool six = n->fd != NONE;
    if (!six) n->fd = open_port(AF_INET, &l->port);
    if (n->fd == NONE || getifaddrs(&all) != 0) return;
    for (int loopback = 0; loopback < 2; loopback++)
        for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) add_address(i, loopback != 0, six, l);
    freeifaddrs(all);
}

static members find_members(const rl_context *context, MPI_Comm node) {
    members m = {.first = context->rank, .last = context->rank};
    RL_MPI(MPI_Comm_size(node, &m.n));
    RL_MPI(MPI_Bcast(&m.first, 1, MPI_INT, 0, node));
    RL_MPI(MPI_Bcast(&m.last, 1, MPI_INT, m.n - 1, node));
    return m;
}

/* The first rank that is not on rank 0's node; NONE where there is none. */
static int find_deputy(const rl_context *context, members node) {
    int first = node.first > 0 ? node.first : INT_MAX;
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, context->comm));
    return first == INT_MAX ? NONE : first;
}

static rl_status make_room(rl_nodes *n, int n_others) {
    const int size = n->context->size;
    n->most_lines = n_others + MORE_LINES;
    RL_TRY(RL_ALLOC(n->said, n->n_posts));
    RL_TRY(RL_ALLOC(n->others, n_others));
    RL_TRY(RL_ALLOC(n->other_of, size));
    if (n->speaks) RL_TRY(RL_ALLOC(n->lines, n->most_lines));
    for (int rank = 0; rank < size; rank++) n->other_of[rank] = NONE;
    if (n->context->rank != 0) return RL_OK;
    RL_TRY(RL_ALLOC(n->elsewhere, size));
    return RL_ALLOC(n->elsewhere_of, size);
}

/* On rank 0: a line for each node. */
static void allow_lines(int n) {
    struct rlimit files;
    const rlim_t wanted = (rlim_t)n + 256;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= wanted) return;
    files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
    setrlimit(RLIMIT_NOFILE, &files);
}

static int add_other(rl_nodes *n, members ranks) {
    n->others[n->n_others] = (other){.ranks = ranks, .doing = "preparing"};
    n->other_of[ranks.first] = n->n_others;
    return n->n_others++;
}

/* nodes[size]: of each rank, those that share its node. */
static void list_others(rl_nodes *n, const members *nodes) {
    for (int rank = 0; rank < n->context->size; rank++) {
        n->elsewhere_of[rank] = NONE;
        if (nodes[rank].first == n->node.first) continue;
        if (nodes[rank].first == rank) add_other(n, nodes[rank]);
        n->other_of[rank] = n->other_of[nodes[rank].first];
        n->elsewhere_of[rank] = n->n_elsewhere;
        n->elsewhere[n->n_elsewhere++] = (rl_rank_state){.rank = rank};
    }
    allow_lines(n->n_others);
}

/* Rank 0 looks after all other nodes, their ranks after its own. */
static rl_status find_others(rl_nodes *n, members of_rank_0) {
    const rl_context *context = n->context;
    members *nodes = NULL;
    int n_others = 1;
    RL_TRY(rl_context_agree(context, context->rank == 0 ? RL_ALLOC(nodes, context->size) : RL_OK));
    RL_MPI(MPI_Gather(&n->node, sizeof n->node, MPI_BYTE, nodes, sizeof n->node, MPI_BYTE, 0, context->comm));
    for (int rank = 0; context->rank == 0 && rank < context->size; rank++) n_others += nodes[rank].first == rank;
    const rl_status status = make_room(n, n_others);
    if (status == RL_OK && context->rank == 0)
        list_others(n, nodes);
    else if (status == RL_OK && n->node.first != 0)
        add_other(n, of_rank_0);
    rl_free(nodes);
    return status;
}

static void share_listeners(rl_nodes *n, int deputy, listener listeners[2]) {
    const int ranks[] = {0, deputy};
    for (int i = 0; i < 2; i++) {
        if (n->context->rank == ranks[i]) {
            n->speaks = true;
            listeners[i].node = n->node;
            if (getrandom(listeners[i].token, TOKEN, 0) == TOKEN) begin_listening(n, &listeners[i]);
        }
        RL_MPI(MPI_Bcast(&listeners[i], sizeof listeners[i], MPI_BYTE, ranks[i], n->context->comm));
    }
    n->to = listeners[n->node.first == 0 ? 1 : 0];
    memcpy(n->to.token, listeners[0].token, TOKEN);
}

static bool has_all_lines(const rl_nodes *n) {
    for (int i = 0; n->context->rank == 0 && i < n->n_others; i++)
        if (!n->others[i].was_heard) return false;
    return n->up.is_known || !is_messenger(n) || n->to.n == 0;
}

/* Before the work begins all lines should stand: until then nobody would be missed. */
static void begin_lines(rl_nodes *n) {
    const struct timespec nap = {.tv_nsec = 5000000};
    const double start = rl_seconds();
    for (;;) {
        keep_line(n);
        read_lines(n);
        if (has_all_lines(n) || rl_seconds() - start > starting_takes) return;
        nanosleep(&nap, NULL);
    }
}

rl_status rl_nodes_create(const rl_context *context, MPI_Comm node, double silence, const rl_post *posts,
                          const rl_rank_state *states, int n_posts, rl_nodes **nodes) {
    const members here = find_members(context, node);
    const int deputy = find_deputy(context, here);
    listener listeners[2] = {{.n = 0}, {.n = 0}};
    rl_nodes *n;
    *nodes = NULL;
    if (deputy == NONE) return RL_OK;
    RL_TRY(rl_context_agree(context, RL_ALLOC(n, 1)));
    *n = (rl_nodes){.context = context,
                    .silence = silence,
                    .node = here,
                    .posts = posts,
                    .states = states,
                    .n_posts = n_posts,
                    .fd = NONE,
                    .up = {.fd = NONE}};
    RL_MPI(MPI_Comm_rank(node, &n->me));
    share_listeners(n, deputy, listeners);
    *nodes = n;
    RL_TRY(rl_context_agree(context, find_others(n, listeners[0].node)));
    begin_lines(n);
    return RL_OK;
}

void rl_nodes_destroy(rl_nodes *n) {
    if (n == NULL) return;
    for (int i = 0; i < n->n_others; i++) name_silent(&n->others[i], false);
    for (int i = 0; i < n->n_lines; i++) end_line(n, &n->lines[i]);
    end_line(n, &n->up);
    if (n->fd != NONE) close(n->fd);
    rl_free(n->said);
    rl_free(n->others);
    rl_free(n->other_of);
    rl_free(n->lines);
    rl_free(n->elsewhere);
    rl_free(n->elsewhere_of);
    rl_free(n);
}
