/* A file that is to take the place of another: it is made beside that one, and put there as a whole, so that there is
 * the old one or the new one. */
#define _GNU_SOURCE /* locks of open files, renameat2 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "ridgeless/core.h"

/* ---- names ------------------------------------------------------------------------------------------------------- */

/* Nobody can guess the characters behind the mark, and no word is made of them. */
static const char mark[] = ".tmp.", characters[] = "0123456789bcdfghjklmnpqrstvwxyz_";
enum { N_CHARACTERS = 10, BITS = 5, TRIES = 100 };

static void draw_name(char name[N_CHARACTERS + 1]) {
    uint64_t bits;
    if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != sizeof bits)
        bits = (uint64_t)(1e9 * rl_seconds()) * 0x9e3779b97f4a7c15 ^ (uint64_t)getpid() << 20;
    for (int i = 0; i < N_CHARACTERS; i++, bits >>= BITS) name[i] = characters[bits % (1 << BITS)];
    name[N_CHARACTERS] = '\0';
}

/* Of the file `name`; versions before this one wrote the number of the process behind the mark. */
static bool is_temporary_of(const char *entry, const char *name) {
    const size_t length = strlen(name), marked = length + strlen(mark);
    if (strncmp(entry, name, length) != 0 || strncmp(entry + length, mark, strlen(mark)) != 0) return false;
    const char *const drawn = entry + marked;
    const size_t n = strlen(drawn);
    return (n == N_CHARACTERS && strspn(drawn, characters) == n) || (n > 0 && strspn(drawn, "0123456789") == n);
}

/* ---- for a signal handler ---------------------------------------------------------------------------------------- */

static char under_way[RL_PATH_ROOM];
static volatile sig_atomic_t is_under_way;

static void note_under_way(const char *path) {
    const int length = snprintf(under_way, sizeof under_way, "%s", path);
    atomic_signal_fence(memory_order_seq_cst);
    is_under_way = length < (int)sizeof under_way;
}

void rl_abandon_temporary(void) {
    if (is_under_way) unlink(under_way);
}

/* ---- whether somebody writes it ---------------------------------------------------------------------------------- */

/* Whoever writes a temporary holds a lock on it, which goes with the process. It is one of an open file, on a byte:
 * those are nothing to the locks of whole files (flock) that HDF5 takes, but on network file systems, which have one
 * sort for both. There the lock is given back, and only age tells. */
static bool lock_byte(int fd, short type) {
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

static bool is_taken(int error) {
    return error == EAGAIN || error == EACCES;
}

/* Whether the file of this name can be locked as a whole, too. */
static bool can_flock(int folder, const char *name, int flags) {
    const int other = openat(folder, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    const bool locked = other >= 0 && flock(other, LOCK_EX | LOCK_NB) == 0;
    const int error = errno;
    if (other >= 0) close(other);
    errno = error;
    return locked;
}

static bool is_old(const struct stat *file) {
    const time_t day = 24 * 60 * 60;
    return time(NULL) - file->st_mtime > day;
}

/* The lock is kept until the file is removed: whoever has just made it, and has no lock yet, then finds it gone. */
static bool is_stale(int folder, const char *name, int fd, const struct stat *file) {
    if (!lock_byte(fd, F_RDLCK)) return !is_taken(errno) && is_old(file);
    return can_flock(folder, name, O_RDONLY) || is_old(file);
}

static void remove_if_stale(int folder, const char *name) {
    struct stat file;
    if (fstatat(folder, name, &file, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(file.st_mode)) return;
    const int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return;
    if (is_stale(folder, name, fd, &file)) unlinkat(folder, name, 0);
    close(fd);
}

static void remove_stale(const char *target) {
    const char *slash = strrchr(target, '/');
    const char *name = slash == NULL ? target : slash + 1;
    char *folder;
    if (rl_folder_of(target, &folder) != RL_OK) return;
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;)
        if (is_temporary_of(entry->d_name, name)) remove_if_stale(dirfd(entries), entry->d_name);
    if (entries != NULL) closedir(entries);
    rl_free(folder);
}

void rl_remove_stale_temporaries(const char *output) {
    char *target;
    if (rl_follow_links(output, &target) != RL_OK) return;
    remove_stale(target);
    rl_free(target);
}

/* ---- making one -------------------------------------------------------------------------------------------------- */

/* false: it was taken for what a killed process has left, and is gone. */
static bool hold(const rl_temporary *t) {
    struct stat file;
    if (!lock_byte(t->fd, F_WRLCK)) return !is_taken(errno);
    if (fstat(t->fd, &file) != 0 || file.st_nlink == 0) return false;
    if (!can_flock(AT_FDCWD, t->path, O_RDWR) && errno == EWOULDBLOCK) lock_byte(t->fd, F_UNLCK);
    return true;
}

static void let_go(rl_temporary *t) {
    if (t->fd >= 0) close(t->fd);
    t->fd = -1;
    rl_free(t->path);
    t->path = NULL;
    is_under_way = 0;
}

/* Whether the temporary's name is still its own. */
static bool has_its_name(const rl_temporary *t) {
    struct stat mine, named;
    return t->fd >= 0 && fstat(t->fd, &mine) == 0 && lstat(t->path, &named) == 0 && rl_same_file(&mine, &named);
}

static void remove_file(rl_temporary *t) {
    if (t->path != NULL && has_its_name(t)) unlink(t->path);
    let_go(t);
}

/* Of this name; *again: another one is to be tried. What replaces a file is seen by nobody before it has that one's
 * mode. */
static rl_status make_file(rl_temporary *t, bool *again) {
    char name[N_CHARACTERS + 1];
    rl_text path = RL_TEXT_EMPTY;
    draw_name(name);
    const rl_status status = rl_text_append(&path, "%s%s%s", t->target, mark, name);
    t->path = path.bytes;
    RL_TRY(status);
    t->fd = open(t->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, t->replaces ? 0600 : 0666);
    *again = t->fd < 0 && errno == EEXIST;
    if (t->fd < 0 && !*again) return rl_fail(RL_ERR_IO, "%s: cannot be written: %s", t->output, strerror(errno));
    if (t->fd >= 0) note_under_way(t->path);
    if (t->fd >= 0 && !hold(t)) *again = true;
    if (*again) remove_file(t);
    return RL_OK;
}

static rl_status make_some_file(rl_temporary *t) {
    bool again = true;
    for (int i = 0; i < TRIES && again; i++) RL_TRY(make_file(t, &again));
    return again ? rl_fail(RL_ERR_IO, "%s: no temporary file can be made beside it", t->output) : RL_OK;
}

/* Where the file system makes none without a name, one that loses its name at once. */
static int make_nameless(const char *folder, const char *target) {
    char name[N_CHARACTERS + 1], path[RL_PATH_ROOM];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    for (int i = 0; i < TRIES && fd < 0 && errno != ENOSPC; i++) {
        draw_name(name);
        snprintf(path, sizeof path, "%s%s%s", target, mark, name);
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0) unlink(path);
    }
    return fd;
}

rl_status rl_nameless_file(const char *output, int *fd) {
    char *target = NULL, *folder = NULL;
    *fd = -1;
    rl_status status = rl_follow_links(output, &target);
    if (status == RL_OK) status = rl_folder_of(target, &folder);
    if (status == RL_OK) *fd = make_nameless(folder, target);
    if (status == RL_OK && *fd < 0)
        status = rl_fail(RL_ERR_IO, "%s: no file can be made beside it: %s", output, strerror(errno));
    rl_free(folder);
    rl_free(target);
    return status;
}

/* What it replaces must be a file: a pipe or a device is no place for one. */
static rl_status look_at_target(rl_temporary *t) {
    struct stat old;
    t->replaces = stat(t->output, &old) == 0;
    if (!t->replaces) return RL_OK;
    if (!S_ISREG(old.st_mode))
        return rl_fail(RL_ERR_INPUT, "%s: is %s, expected the name of a file", t->output,
                       S_ISDIR(old.st_mode) ? "a directory" : "not a regular file");
    t->mode = old.st_mode & 0777;
    t->owner = old.st_uid;
    t->group = old.st_gid;
    return RL_OK;
}

rl_status rl_temporary_open(const char *output, rl_temporary *t) {
    *t = (rl_temporary){.output = output, .fd = -1};
    rl_status status = rl_follow_links(output, &t->target);
    if (status == RL_OK) status = look_at_target(t);
    if (status == RL_OK) status = make_some_file(t);
    if (status != RL_OK) rl_temporary_discard(t);
    return status;
}

rl_status rl_temporary_write(rl_temporary *t, const void *bytes, size_t length) {
    for (const char *next = bytes; length > 0;) {
        const ssize_t written = write(t->fd, next, length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return rl_fail(RL_ERR_IO, "%s: cannot be written: %s", t->output, strerror(errno));
        next += written;
        length -= (size_t)written;
    }
    return RL_OK;
}

void rl_temporary_discard(rl_temporary *t) {
    remove_file(t);
    rl_free(t->target);
    t->target = NULL;
}

/* ---- whose it is ------------------------------------------------------------------------------------------------- */

/* Lists of who may do what, and what users have noted; where the file system does not take one, it is left out. */
static void copy_attribute(const char *from, int to, const char *name) {
    static const char *const kept[] = {"system.posix_acl_access", "user."};
    char value[4096];
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (strncmp(name, kept[i], strlen(kept[i])) != 0) continue;
        const ssize_t length = getxattr(from, name, value, sizeof value);
        if (length >= 0 && fsetxattr(to, name, value, (size_t)length, 0) != 0) errno = 0;
    }
}

static void copy_attributes(const char *from, int to) {
    char names[4096];
    const ssize_t length = listxattr(from, names, sizeof names);
    for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) copy_attribute(from, to, names + at);
}

/* Gives it the owner, group and mode of what it replaces. In a group that this process may not give it to, it is for
 * nobody more than for all. */
static rl_status take_over_mode(rl_temporary *t) {
    struct stat mine;
    if (look_at_target(t) != RL_OK) return rl_fail(RL_ERR_IO, "%s", rl_error_message());
    if (!t->replaces && t->mode == 0) return RL_OK;
    if (fstat(t->fd, &mine) != 0) return rl_fail(RL_ERR_IO, "%s: cannot be written: %s", t->output, strerror(errno));
    unsigned mode = t->mode;
    if (mine.st_gid != t->group && fchown(t->fd, (uid_t)-1, t->group) != 0) mode = (mode & ~070u) | (mode & 7u) << 3;
    if (mine.st_uid != t->owner && fchown(t->fd, t->owner, (gid_t)-1) != 0) errno = 0;
    copy_attributes(t->target, t->fd);
    if (fchmod(t->fd, mode) == 0) return RL_OK;
    return rl_fail(RL_ERR_IO, "%s: the new file cannot be given the mode of the old one: %s", t->output,
                   strerror(errno));
}

/* ---- putting it in place ----------------------------------------------------------------------------------------- */

static rl_status fail_to_put(const rl_temporary *t, int error) {
    return rl_fail(RL_ERR_IO, "%s: could not be put in place: %s", t->output, strerror(error));
}

static rl_status finish(rl_temporary *t) {
    RL_TRY(take_over_mode(t));
    if (fsync(t->fd) != 0) return rl_fail(RL_ERR_IO, "%s: cannot be written: %s", t->output, strerror(errno));
    if (has_its_name(t)) return RL_OK;
    return rl_fail(RL_ERR_IO, "%s: could not be put in place: another process has removed or replaced %s", t->output,
                   t->path);
}

rl_status rl_temporary_put_in_place(rl_temporary *t) {
    RL_TRY(finish(t));
    if (rename(t->path, t->target) != 0) return fail_to_put(t, errno);
    let_go(t);
    return rl_sync_folder(t->target);
}

/* Changes places with what is there, until that is the newest; only then is the other one removed, so that of several
 * processes that do this at the same time none removes the newest. false, *error: the file system cannot. */
static bool exchange(rl_temporary *t, const rl_newness *newness, int64_t put, int *error) {
    for (int64_t other = -1;; put = other) {
        *error = renameat2(AT_FDCWD, t->path, AT_FDCWD, t->target, RENAME_EXCHANGE) == 0 ? 0 : errno;
        if (*error != 0) return false;
        other = newness->of(newness->state, t->path);
        if (other <= put) return true;
    }
}

/* 0, or why not. */
static int put_unless_newer(rl_temporary *t, const rl_newness *newness) {
    int error = EEXIST;
    for (int i = 0; i < TRIES && (error == EEXIST || error == ENOENT); i++) {
        if (renameat2(AT_FDCWD, t->path, AT_FDCWD, t->target, RENAME_NOREPLACE) == 0) return 0;
        if (errno != EEXIST && errno != EINVAL && errno != ENOSYS) return errno;
        if (newness->of(newness->state, t->target) > newness->mine) return unlink(t->path) == 0 ? 0 : errno;
        if (exchange(t, newness, newness->mine, &error)) return unlink(t->path) == 0 ? 0 : errno;
    }
    if (error != EINVAL && error != ENOSYS) return error;
    return rename(t->path, t->target) == 0 ? 0 : errno;
}

rl_status rl_temporary_put_unless_newer(rl_temporary *t, const rl_newness *newness, bool *put) {
    struct stat mine, there;
    RL_TRY(finish(t));
    if (fstat(t->fd, &mine) != 0) return fail_to_put(t, errno);
    is_under_way = 0; /* from now on another file may have the name */
    const int error = put_unless_newer(t, newness);
    if (error != 0) return fail_to_put(t, error);
    *put = stat(t->target, &there) == 0 && rl_same_file(&mine, &there);
    let_go(t);
    return rl_sync_folder(t->target);
}
