/* Files: their names, reading them, following links, making folders durable. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ridgeless/core.h"

const char *rl_file_stem(const char *path, size_t *length) {
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(name, '.');
    *length = dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name);
    return name;
}

bool rl_path_beside_program(const char *name, char path[RL_PATH_ROOM]) {
    char program[RL_PATH_ROOM];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0) return false;
    program[length] = '\0';
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(program, '/');
        if (slash == NULL) return false;
        *slash = '\0';
    }
    return snprintf(path, RL_PATH_ROOM, "%s/%s", program, name) < RL_PATH_ROOM;
}

static rl_status read_stream(FILE *file, const char *path, size_t limit, rl_text *content) {
    char buffer[16384];
    size_t got;
    while ((got = fread(buffer, 1, sizeof buffer, file)) > 0) {
        if (content->length + got > limit) return rl_fail(RL_ERR_INPUT, "%s: larger than %zu bytes", path, limit);
        RL_TRY(rl_text_append_bytes(content, buffer, got));
    }
    if (ferror(file)) return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    return rl_text_append_bytes(content, "", 0); /* the zero byte of an empty file too */
}

static rl_status open_file(const char *path, rl_status blame, const char *expected, bool regular, FILE **file) {
    struct stat status;
    const bool exists = stat(path, &status) == 0;
    if (exists && (S_ISDIR(status.st_mode) || (regular && !S_ISREG(status.st_mode))))
        return rl_fail(blame, "%s: is %s, expected %s", path,
                       S_ISDIR(status.st_mode) ? "a directory" : "not a regular file", expected);
    *file = exists ? fopen(path, "rb") : NULL;
    return *file != NULL ? RL_OK : rl_fail(blame, "%s: cannot be read: %s", path, strerror(errno));
}

rl_status rl_read_beginning(const char *path, rl_status blame, const char *expected, size_t size, char *begin,
                            size_t *got) {
    FILE *file;
    RL_TRY(open_file(path, blame, expected, true, &file));
    *got = fread(begin, 1, size, file);
    fclose(file);
    return RL_OK;
}

rl_status rl_read_file(const char *path, size_t limit, rl_text *content) {
    FILE *file;
    RL_TRY(open_file(path, RL_ERR_INPUT, "a file", false, &file));
    const rl_status result = read_stream(file, path, limit, content);
    fclose(file);
    return result;
}

rl_status rl_read_standard_input(size_t limit, rl_text *content) {
    return read_stream(stdin, "standard input", limit, content);
}

/* ---- links ------------------------------------------------------------------------------------------------------- */

/* Replaces *path, which is a link to `to`, by what it leads to: seen from its folder unless that begins with a slash.
 */
static rl_status follow_link(char **path, const char *to) {
    const char *slash = *to == '/' ? NULL : strrchr(*path, '/');
    rl_text next = RL_TEXT_EMPTY;
    if (slash != NULL) RL_TRY(rl_text_append_bytes(&next, *path, (size_t)(slash + 1 - *path)));
    RL_TRY(rl_text_append(&next, "%s", to));
    rl_free(*path);
    *path = next.bytes;
    return RL_OK;
}

bool rl_same_file(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

rl_status rl_follow_links(const char *path, char **target) {
    enum { MOST = 40 }; /* as many as Linux follows */
    char to[RL_PATH_ROOM];
    RL_TRY(rl_strdup(target, path));
    rl_status status = RL_OK;
    for (int i = 0; status == RL_OK; i++) {
        const ssize_t length = readlink(*target, to, sizeof to - 1);
        if (length < 0) return RL_OK; /* no link, or none that can be read: whoever opens it will tell */
        to[length] = '\0';
        status = i < MOST ? follow_link(target, to)
                          : rl_fail(RL_ERR_INPUT, "%s: cannot be written: its links lead nowhere", path);
    }
    rl_free(*target);
    *target = NULL;
    return status;
}

/* ---- folders ----------------------------------------------------------------------------------------------------- */

rl_status rl_folder_of(const char *path, char **folder) {
    const char *slash = strrchr(path, '/');
    rl_text text = RL_TEXT_EMPTY;
    if (slash == NULL)
        RL_TRY(rl_text_append(&text, "."));
    else
        RL_TRY(rl_text_append(&text, "%.*s", slash == path ? 1 : (int)(slash - path), path));
    *folder = text.bytes;
    return RL_OK;
}

rl_status rl_sync_folder(const char *path) {
    char *folder;
    RL_TRY(rl_folder_of(path, &folder));
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rl_status status = RL_OK;
    /* EINVAL: a file system that cannot sync folders, and so need not be asked to. */
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
        status = rl_fail(RL_ERR_IO, "%s: could not be made durable: %s", folder, strerror(errno));
    if (fd >= 0) close(fd);
    rl_free(folder);
    return status;
}
