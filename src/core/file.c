/* Replacing a file as a whole: written beside it, then renamed, so that there is the old one or the new one. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ridgeless/core.h"

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
    if (*number == '\0') return false;
    while (isdigit((unsigned char)*number)) number++;
    return *number == '\0';
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
