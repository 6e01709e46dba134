/* What Slurm says of a partition, a set of nodes with limits, by its own program sinfo. */
#define _GNU_SOURCE /* pipe2 */
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

/* ---- asking ------------------------------------------------------------------------------------------------------ */

/* One line for nodes that are alike: partition, `*` behind the default one; time limit; nodes of a job; nodes; sockets,
 * cores of a socket; MiB of a node. */
#define QUESTION "%P|%l|%s|%D|%X|%Y|%m"
static const double patience = 3; /* seconds: a Slurm that is down lets its programs wait for minutes */

static _Noreturn void become_sinfo(int out) {
    rl_stop_start_child();
    const int nowhere = open("/dev/null", O_RDWR);
    if (nowhere < 0 || dup2(nowhere, STDIN_FILENO) < 0 || dup2(nowhere, STDERR_FILENO) < 0) _exit(1);
    if (dup2(out, STDOUT_FILENO) < 0) _exit(1);
    execlp("sinfo", "sinfo", "--noheader", "--exact", "--format=" QUESTION, (char *)NULL);
    _exit(1);
}

/* Appends what comes; false: not all of it came in time, or it is no list of partitions. */
static bool read_in_time(int in, rl_text *answer) {
    enum { MOST = 1 << 20 };
    const double until = rl_seconds() + patience;
    char part[4096];
    for (ssize_t n = 1; n > 0 && answer->length < MOST;) {
        struct pollfd ready = {.fd = in, .events = POLLIN};
        const double left = until - rl_seconds();
        if (left <= 0 || poll(&ready, 1, (int)(1000 * left) + 1) <= 0) return false;
        n = read(in, part, sizeof part);
        if (n < 0 || (n > 0 && rl_text_append_bytes(answer, part, (size_t)n) != RL_OK)) return false;
        if (n == 0) return true;
    }
    return false;
}

/* What sinfo prints; nothing where there is no Slurm, or none that answers. */
static bool ask_sinfo(rl_text *answer) {
    int ends[2], status = 1;
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    const pid_t child = fork();
    if (child == 0) become_sinfo(ends[1]);
    close(ends[1]);
    const bool came = child > 0 && read_in_time(ends[0], answer);
    close(ends[0]);
    if (child <= 0) return false;
    if (!came) kill(child, SIGKILL);
    const bool ended = waitpid(child, &status, 0) == child;
    return came && ended && WIFEXITED(status) && WEXITSTATUS(status) == 0 && answer->length > 0;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

enum { FIELDS = 7 };
typedef struct line {
    char *field[FIELDS];
} line;

/* Cuts a line at its bars; false: it is not of the form asked for. */
static bool cut_line(char *text, line *l) {
    int n = 0;
    for (char *rest = text, *field; (field = strsep(&rest, "|")) != NULL; n++)
        if (n < FIELDS) l->field[n] = field;
    return n == FIELDS && *l->field[0] != '\0';
}

/* Takes the star off the name of the default partition; whether there was one. */
static bool take_star(char *name) {
    char *end = name + strlen(name) - 1;
    const bool star = end > name && *end == '*';
    if (star) *end = '\0';
    return star;
}

/* Of "8", "8+" or "1-8" the last number; `none` of "infinite" and what else is no number. */
static double last_number(const char *text, double none) {
    const char *dash = strrchr(text, '-');
    char *end;
    const double value = strtod(dash != NULL ? dash + 1 : text, &end);
    return end != text && isfinite(value) && value >= 1 ? value : none;
}

static double time_limit(const char *text) {
    double seconds;
    if (strcmp(text, "infinite") == 0 || !rl_parse_seconds(text, &seconds)) return INFINITY;
    return seconds;
}

/* Nodes of another sort: a job may have the best of each. */
static void add_nodes(const line *l, rl_partition *p) {
    static const double most = 1e6, mebi = 1 << 20;
    const double cores = last_number(l->field[4], 0) * last_number(l->field[5], 0);
    const double bytes = mebi * last_number(l->field[6], INFINITY);
    const double a_job = last_number(l->field[2], INFINITY);
    snprintf(p->name, sizeof p->name, "%s", l->field[0]);
    p->seconds = time_limit(l->field[1]);
    p->nodes = (int)fmin(fmin(p->nodes + last_number(l->field[3], 0), a_job), most);
    p->cores = (int)fmin(fmax(p->cores, cores), most);
    p->node_bytes = fmax(p->node_bytes, bytes);
}

static rl_status fail_unknown(const char *name, const char *const *names, int n) {
    char list[500], hint[RL_WORD_HINT];
    rl_list_words(names, n, list, sizeof list);
    return rl_fail(RL_ERR_INPUT, "plan: --partition: Slurm has no `%.80s`; expected one of %s%s", name, list,
                   rl_word_hint(name, names, n, hint));
}

/* The lines of one partition, added up. */
static rl_status read_partition(char *answer, const char *name, rl_partition *p) {
    enum { MOST_NAMES = 100 }; /* for a message */
    const char *names[MOST_NAMES];
    int n = 0;
    line l;
    for (char *text; (text = strsep(&answer, "\n")) != NULL;) {
        if (!cut_line(text, &l)) continue;
        const bool is_default = take_star(l.field[0]), is_new = n == 0 || strcmp(names[n - 1], l.field[0]) != 0;
        if (name == NULL ? is_default : strcmp(name, l.field[0]) == 0) add_nodes(&l, p);
        if (is_new && n < MOST_NAMES) names[n++] = l.field[0];
    }
    if (name != NULL && n > 0 && p->name[0] == '\0') return fail_unknown(name, names, n);
    if (p->nodes == 0 || p->cores == 0) *p = (rl_partition){0}; /* it says too little */
    return RL_OK;
}

rl_status rl_slurm_partition(const char *name, rl_partition *partition) {
    rl_text answer = RL_TEXT_EMPTY;
    *partition = (rl_partition){0};
    const rl_status status = ask_sinfo(&answer) ? read_partition(answer.bytes, name, partition) : RL_OK;
    rl_free(answer.bytes);
    return status;
}
