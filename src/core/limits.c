/* What the limits of a process (ulimit -v, ulimit -d) and the system's promises leave of memory. Libraries that get
 * none may wait for ever, or end in pages of text: what they will want is asked for before. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../numbers.h"
#include "ridgeless/core.h"

static const size_t mebi = 1 << 20;

/* What ulimit sets, and how much of it is used. */
typedef struct limit {
    const char *option; /* of ulimit; NULL: there is no such limit */
    size_t bytes, used;
} limit;

static size_t limit_of(int resource) {
    struct rlimit found;
    if (getrlimit((__rlimit_resource_t)resource, &found) != 0 || found.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
    return (size_t)found.rlim_cur;
}

/* Pages of address space, and those of data among them. */
static void count_pages(size_t *all, size_t *data) {
    FILE *file = fopen("/proc/self/statm", "r");
    *all = *data = 0;
    if (file == NULL) return;
    if (fscanf(file, "%zu %*u %*u %*u %*u %zu", all, data) != 2) *all = *data = 0;
    fclose(file);
}

/* The limit that leaves less. */
static limit find_limit(void) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    limit space = {"-v", limit_of(RLIMIT_AS), 0}, data = {"-d", limit_of(RLIMIT_DATA), 0};
    if (space.bytes == SIZE_MAX && data.bytes == SIZE_MAX) return (limit){0};
    count_pages(&space.used, &data.used);
    space.used *= page;
    data.used *= page;
    const size_t of_space = space.bytes - rl_smaller(space.used, space.bytes);
    const size_t of_data = data.bytes - rl_smaller(data.used, data.bytes);
    return of_space <= of_data ? space : data;
}

/* Whether the kernel promises no more than it has. */
static bool is_strict(void) {
    FILE *file = fopen("/proc/sys/vm/overcommit_memory", "r");
    const bool strict = file != NULL && fgetc(file) == '2';
    if (file != NULL) fclose(file);
    return strict;
}

bool rl_memory_is_limited(void) {
    return limit_of(RLIMIT_AS) != SIZE_MAX || limit_of(RLIMIT_DATA) != SIZE_MAX || is_strict();
}

bool rl_memory_is_there(size_t bytes) {
    void *const begin = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (begin != MAP_FAILED) munmap(begin, bytes);
    return begin != MAP_FAILED;
}

/* The most that is there in one piece, in MiB, of less than `most`. */
static size_t count_left(size_t most) {
    size_t low = 0, high = most;
    while (low + 1 < high) {
        const size_t middle = low + (high - low) / 2;
        if (rl_memory_is_there(middle * mebi))
            low = middle;
        else
            high = middle;
    }
    return low;
}

const char *rl_memory_limit_text(char text[RL_LIMIT_TEXT]) {
    const limit l = find_limit();
    text[0] = '\0';
    if (l.option != NULL)
        snprintf(text, RL_LIMIT_TEXT, "; `ulimit %s` allows %zu MiB: raise it", l.option, l.bytes / mebi);
    return text;
}

rl_status rl_memory_fail(size_t bytes, const char *what) {
    const limit l = find_limit();
    const size_t wanted = (bytes + mebi - 1) / mebi, left = count_left(wanted);
    if (l.option == NULL)
        return rl_fail(RL_ERR_MEMORY, "out of memory: %s: %zu MiB more are wanted, and %zu MiB are there", what, wanted,
                       left);
    const size_t least = l.bytes / mebi + 1 + (wanted - left);
    return rl_fail(RL_ERR_MEMORY,
                   "out of memory: %s: %zu MiB more are wanted, and of the %zu MiB that `ulimit %s` allows %zu MiB are "
                   "there; expected at least `ulimit %s %zu`",
                   what, wanted, l.bytes / mebi, l.option, left, l.option, least * 1024);
}

rl_status rl_memory_ask(size_t bytes, const char *what) {
    return rl_memory_is_there(bytes) ? RL_OK : rl_memory_fail(bytes, what);
}
