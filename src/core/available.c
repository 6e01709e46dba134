/* How much memory is left: the kernel's own estimate, and the limits of control groups (versions 1 and 2), which batch
 * systems and containers set. */
#include "available.h"

#include <stdio.h>
#include <string.h>

#include "../numbers.h"
#include "ridgeless/core.h"

/* NULL: the file is missing or cannot be opened, and so says nothing about memory. */
static FILE *open_in(const char *root, const char *folder, const char *name) {
    rl_text path = RL_TEXT_EMPTY;
    FILE *file = NULL;
    if (rl_text_append(&path, "%s%s/%s", root, folder, name) == RL_OK) file = fopen(path.bytes, "r");
    rl_free(path.bytes);
    return file;
}

/* The number on the first line that begins with `word`, which is "" for a file that is one number. -1: there is none,
 * as in a file that says "max". Closes the file. */
static int64_t number_in(FILE *file, const char *word) {
    char line[256];
    unsigned long long value;
    int64_t found = -1;
    if (file == NULL) return -1;
    while (found < 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, word, strlen(word)) == 0 && sscanf(line + strlen(word), " %llu", &value) == 1)
            found = value < INT64_MAX ? (int64_t)value : INT64_MAX;
    fclose(file);
    return found;
}

/* Where one version of control groups keeps its files, and what it calls them. */
typedef struct group_files {
    const char *controller;                     /* in /proc/self/cgroup, with commas around; version 2 names none */
    const char *mount, *limit, *use, *files[2]; /* of memory.stat: files that are in memory, which can be let go */
} group_files;

static const group_files versions[] = {
    {",,", "/sys/fs/cgroup", "memory.max", "memory.current", {"inactive_file", "active_file"}},
    {",memory,",
     "/sys/fs/cgroup/memory",
     "memory.limit_in_bytes",
     "memory.usage_in_bytes",
     {"total_inactive_file", "total_active_file"}},
};

static int64_t left_in_group(const char *root, const char *folder, const group_files *files) {
    const int64_t limit = number_in(open_in(root, folder, files->limit), "");
    const int64_t use = number_in(open_in(root, folder, files->use), "");
    int64_t cache = 0;
    for (int i = 0; i < 2; i++) {
        const int64_t some = number_in(open_in(root, folder, "memory.stat"), files->files[i]);
        cache += some > 0 ? some : 0;
    }
    if (limit < 0 || use < 0) return INT64_MAX;
    const int64_t held = use - rl_smaller(cache, use);
    return limit > held ? limit - held : 0;
}

/* The least that a group and those above it leave. A group may be missing here: a container sees its own group at the
 * mount, and still the name that it has outside. */
static int64_t left_in_groups(const char *root, const char *group, const group_files *files) {
    rl_text folder = RL_TEXT_EMPTY;
    int64_t left = INT64_MAX;
    char *last = NULL;
    if (rl_text_append(&folder, "%s%s", files->mount, group) != RL_OK) return left;
    do {
        left = rl_smaller(left, left_in_group(root, folder.bytes, files));
        last = strrchr(folder.bytes + strlen(files->mount), '/');
        if (last != NULL) *last = '\0';
    } while (last != NULL);
    rl_free(folder.bytes);
    return left;
}

enum { MAX_LINE = 4096 };

/* By a line of /proc/self/cgroup: "4:cpu,memory:/job/step" or, in version 2, "0::/job/step". */
static int64_t left_by_line(const char *root, char *line) {
    int64_t left = INT64_MAX;
    char listed[MAX_LINE + 2]; /* ",cpu,memory," */
    char *controllers = strchr(line, ':');
    char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (group == NULL) return left;
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    snprintf(listed, sizeof listed, ",%s,", controllers + 1);
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        if (strstr(listed, versions[i].controller) != NULL)
            left = rl_smaller(left, left_in_groups(root, group, &versions[i]));
    return left;
}

static int64_t left_by_groups(const char *root) {
    char line[MAX_LINE];
    int64_t left = INT64_MAX;
    FILE *file = open_in(root, "/proc/self", "cgroup");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) left = rl_smaller(left, left_by_line(root, line));
    if (file != NULL) fclose(file);
    return left;
}

int64_t rl_memory_available_in(const char *root) {
    enum { KIB = 1024 };
    const int64_t kib = number_in(open_in(root, "/proc", "meminfo"), "MemAvailable:");
    const int64_t left = rl_smaller(kib >= 0 ? kib * KIB : INT64_MAX, left_by_groups(root));
    if (left == INT64_MAX) return 0;
    return left > 0 ? left : 1;
}

int64_t rl_memory_available(void) {
    return rl_memory_available_in("");
}
