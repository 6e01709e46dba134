/* The journal's place: whether it is still there while a process works with it, and what is done if it is not. */
#define _GNU_SOURCE /* dup3 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal.h"

typedef enum place { IN_PLACE, ABSENT, ANOTHER } place;

/* What the journal's name leads to; where that cannot be seen at the moment, it is taken to be in place. */
static place place_of(const char *path, const struct stat *mine) {
    struct stat named;
    if (stat(path, &named) != 0) return errno == ENOENT || errno == ENOTDIR ? ABSENT : IN_PLACE;
    return rl_same_file(&named, mine) ? IN_PLACE : ANOTHER;
}

bool rl_journal_has_name(const char *path, int fd) {
    struct stat mine;
    return fstat(fd, &mine) == 0 && place_of(path, &mine) == IN_PLACE;
}

/* ---- trouble ----------------------------------------------------------------------------------------------------- */

/* Found in any thread, and told by the one that next asks. */
static void complain(rl_journal *j, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(j->trouble, sizeof j->trouble, format, arguments);
    va_end(arguments);
    atomic_store(&j->in_trouble, true);
}

rl_status rl_journal_trouble(const rl_journal *j) {
    const int error = atomic_load(&j->sync_error);
    if (atomic_load(&j->in_trouble)) return rl_fail(RL_ERR_IO, "%s: %s", j->path, j->trouble);
    if (error == 0) return RL_OK;
    return rl_fail(RL_ERR_IO, "%s: could not be made durable: %s", j->path, strerror(error));
}

/* ---- saving ------------------------------------------------------------------------------------------------------ */

/* Where the open file is now. */
static const char *name_of(int fd, char name[RL_PATH_ROOM]) {
    char entry[32];
    snprintf(entry, sizeof entry, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(entry, name, RL_PATH_ROOM - 1);
    name[length > 0 ? length : 0] = '\0';
    return length > 0 ? name : "another place";
}

/* No name is left. NFS gives an open file that is removed another one until it is closed. */
static bool is_removed(int fd, const struct stat *mine) {
    char name[RL_PATH_ROOM];
    const char *const slash = strrchr(name_of(fd, name), '/');
    return mine->st_nlink == 0 || (slash != NULL && strncmp(slash, "/.nfs", strlen("/.nfs")) == 0);
}

static bool copy_bytes(int from, int to, uint64_t length) {
    char block[1 << 16];
    for (uint64_t done = 0; done < length;) {
        const uint64_t left = length - done;
        const ssize_t got = pread(from, block, left < sizeof block ? (size_t)left : sizeof block, (off_t)done);
        if (got <= 0 || write(to, block, (size_t)got) != got) return false;
        done += (uint64_t)got;
    }
    return true;
}

/* Writes all of it to a new file of this name, and goes on with that. What is there of it when the process dies in the
 * middle is a journal, too. */
static bool write_anew(rl_journal *j, const char *path, const struct stat *mine) {
    const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, mine->st_mode & 0777);
    if (fd < 0) return false;
    const bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
    const bool done = locked && fchmod(fd, mine->st_mode & 0777) == 0 && copy_bytes(j->fd, fd, j->end) &&
                      fdatasync(fd) == 0 && dup3(fd, j->fd, O_CLOEXEC) >= 0;
    const int error = errno;
    if (!done && locked) unlink(path);
    close(fd);
    errno = error;
    return done && rl_sync_folder(path) == RL_OK;
}

static void save_in_place(rl_journal *j, const struct stat *mine) {
    char *path = NULL;
    if (rl_follow_links(j->path, &path) == RL_OK && write_anew(j, path, mine))
        rl_warn("%s: was removed while the run works; it is written anew, with all that is done", j->path);
    else
        complain(j, "was removed while the run works, and cannot be written anew: %s", strerror(errno));
    rl_free(path);
}

/* Under another name, where the own one is taken. */
static void save_beside(rl_journal *j, const struct stat *mine) {
    enum { MOST = 100 };
    char path[RL_PATH_ROOM];
    bool saved = false;
    errno = EEXIST;
    for (int i = 1; i <= MOST && !saved && errno == EEXIST; i++) {
        snprintf(path, sizeof path, "%s.saved%d", j->path, i);
        saved = write_anew(j, path, mine);
    }
    if (saved)
        complain(j,
                 "was removed while the run works, and another file is in its place; all that this run has is in %s: "
                 "move that back to go on",
                 path);
    else
        complain(j, "was removed while the run works, and cannot be written anew: %s", strerror(errno));
}

/* ---- watching ---------------------------------------------------------------------------------------------------- */

void rl_journal_watch(rl_journal *j) {
    struct stat mine;
    char where[RL_PATH_ROOM];
    if (j->read_only || atomic_load(&j->in_trouble)) return;
    if (fstat(j->fd, &mine) != 0) {
        complain(j, "cannot be written: %s", strerror(errno));
        return;
    }
    const place at = j->is_named ? place_of(j->path, &mine) : IN_PLACE;
    const bool removed = at != IN_PLACE && is_removed(j->fd, &mine);
    if ((uint64_t)mine.st_size != j->end)
        complain(j, "another process has changed it: it has %lld bytes, expected %llu; run again",
                 (long long)mine.st_size, (unsigned long long)j->end);
    else if (removed && at == ABSENT)
        save_in_place(j, &mine);
    else if (removed)
        save_beside(j, &mine);
    else if (at != IN_PLACE)
        complain(j, "was moved while the run works%s; all that this run has is in %s: move that back to go on",
                 at == ANOTHER ? ", and another file is in its place" : "", name_of(j->fd, where));
}

/* ---- before results are put in place ------------------------------------------------------------------------------
 */

/* Of a journal that this process only reads: another run goes on with it, or has started over. */
static rl_status check_read(const rl_journal *j) {
    struct stat mine;
    char tail[RL_JOURNAL_WORD];
    const bool whole = pread(j->fd, tail, sizeof tail, (off_t)(j->whole - sizeof tail)) == (ssize_t)sizeof tail &&
                       memcmp(tail, j->tail, sizeof tail) == 0;
    if (whole && fstat(j->fd, &mine) == 0 && place_of(j->path, &mine) != ANOTHER) return RL_OK;
    return rl_fail(RL_ERR_IO, "%s: was replaced or started over while it was read; nothing is written, try again",
                   j->path);
}

rl_status rl_journal_check_place(rl_journal *j) {
    if (j->read_only) return check_read(j);
    pthread_mutex_lock(&j->writing);
    rl_journal_watch(j);
    pthread_mutex_unlock(&j->writing);
    return rl_journal_trouble(j);
}

rl_status rl_journal_note_tail(rl_journal *j) {
    if (pread(j->fd, j->tail, sizeof j->tail, (off_t)(j->whole - sizeof j->tail)) == (ssize_t)sizeof j->tail)
        return RL_OK;
    return rl_fail(RL_ERR_IO, "%s: cannot be read: %s", j->path, strerror(errno));
}

/* ---- the results file beside it ---------------------------------------------------------------------------------- */

void rl_journal_note_output(rl_journal *j, const char *output) {
    if (stat(output, &j->output) != 0) j->output = (struct stat){0};
}

bool rl_journal_had_output(const rl_journal *j, const char *path) {
    struct stat there;
    return stat(path, &there) == 0 && rl_same_file(&there, &j->output) && there.st_size == j->output.st_size &&
           there.st_mtim.tv_sec == j->output.st_mtim.tv_sec && there.st_mtim.tv_nsec == j->output.st_mtim.tv_nsec;
}

int64_t rl_journal_length(const rl_journal *j) {
    return (int64_t)(j->read_only ? j->whole : j->end);
}
