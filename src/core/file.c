/* Files: their names, reading them, and replacing one as a whole. */
#include <dirent.h>
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

/* ---- replacing a file -------------------------------------------------------------------------------------------- */

/* It is written beside it, then renamed, so that there is the old one or the new one. */
static const char temporary_mark[] = ".tmp.";

rl_status rl_temporary_path(const char *output, char **path) {
    rl_text text = RL_TEXT_EMPTY;
    RL_TRY(rl_text_append(&text, "%s%s%ld", output, temporary_mark, (long)getpid()));
    *path = text.bytes;
    return RL_OK;
}

/* The folder part of a path: the caller's. */
static rl_status folder_of(const char *path, char **folder) {
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
    RL_TRY(folder_of(path, &folder));
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rl_status status = RL_OK;
    /* EINVAL: a file system that cannot sync folders, and so need not be asked to. */
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
        status = rl_fail(RL_ERR_IO, "%s: could not be made durable: %s", folder, strerror(errno));
    if (fd >= 0) close(fd);
    rl_free(folder);
    return status;
}

static bool is_temporary_of(const char *entry, const char *name) {
    const size_t length = strlen(name), mark = strlen(temporary_mark);
    if (strncmp(entry, name, length) != 0 || strncmp(entry + length, temporary_mark, mark) != 0) return false;
    const char *number = entry + length + mark;
    return *number != '\0' && number[strspn(number, "0123456789")] == '\0';
}

void rl_remove_stale_temporaries(const char *output) {
    const char *slash = strrchr(output, '/');
    const char *name = slash == NULL ? output : slash + 1;
    char *folder;
    if (folder_of(output, &folder) != RL_OK) return;
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;)
        if (is_temporary_of(entry->d_name, name)) unlinkat(dirfd(entries), entry->d_name, 0);
    if (entries != NULL) closedir(entries);
    rl_free(folder);
}

rl_status rl_replace_file(const char *temporary, const char *output) {
    if (rename(temporary, output) != 0)
        return rl_fail(RL_ERR_IO, "%s: could not be put in place: %s", output, strerror(errno));
    return rl_sync_folder(output);
}
