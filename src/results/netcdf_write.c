/* NetCDF files on their way to the disk: begun, given room, ended with their seal. */
#define _GNU_SOURCE /* RTLD_DEFAULT, fallocate, memfd_create, dup3 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

static rl_status fail_to_write(const rl_nc_draft *d) {
    return rl_fail(RL_ERR_IO, "%s: cannot be written: %s", d->file.path, strerror(errno));
}

/* ---- the library ------------------------------------------------------------------------------------------------- */

/* At exit HDF5 closes what is open, and crashes where a failure has left that in pieces. It has to be told before it is
 * first used, for whatever; NetCDF brings it, as we are not linked with it. */
__attribute__((constructor)) static void leave_library_at_exit(void) {
    void *const found = dlsym(RTLD_DEFAULT, "H5dont_atexit");
    int (*dont_atexit)(void);
    if (found == NULL) return;
    memcpy(&dont_atexit, &found, sizeof dont_atexit);
    dont_atexit();
}

/* By the temporary's descriptor, so that it is this file, whatever has its name meanwhile. */
rl_status rl_nc_create(const rl_temporary *temporary, rl_nc_draft *draft) {
    char path[64];
    *draft = (rl_nc_draft){{.path = temporary->output, .blame = RL_ERR_LIBRARY}, temporary};
    snprintf(path, sizeof path, "/proc/self/fd/%d", temporary->fd);
    const char *const name = access(path, F_OK) == 0 ? path : temporary->path;
    const int code = nc_create(name, NC_NETCDF4 | NC_CLOBBER, &draft->file.id);
    if (code == NC_NOERR) return RL_OK;
    return rl_nc_give_up(draft, rl_nc_fail(&draft->file, code, "nc_create"));
}

rl_status rl_nc_reserve(const rl_nc_draft *draft, size_t bytes) {
    const off_t end = lseek(draft->temporary->fd, 0, SEEK_END);
    int code;
    if (bytes == 0 || end < 0) return RL_OK;
    do code = fallocate(draft->temporary->fd, FALLOC_FL_KEEP_SIZE, end, (off_t)bytes);
    while (code != 0 && errno == EINTR);
    if (code == 0 || (errno != ENOSPC && errno != EDQUOT && errno != EFBIG)) return RL_OK;
    return fail_to_write(draft);
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static bool is_file(const struct stat *a, int fd) {
    struct stat b;
    return fstat(fd, &b) == 0 && rl_same_file(a, &b);
}

/* The descriptor by which the library writes; -1: not found. */
static int library_descriptor(const rl_nc_draft *d) {
    enum { MOST = 65536 };
    const long limit = sysconf(_SC_OPEN_MAX);
    struct stat file;
    if (fstat(d->temporary->fd, &file) != 0) return -1;
    for (int fd = 0; fd < MOST && fd < limit; fd++)
        if (fd != d->temporary->fd && is_file(&file, fd)) return fd;
    return -1;
}

static bool write_all(int fd, const char *bytes, size_t length, off_t at) {
    while (length > 0) {
        const ssize_t written = pwrite(fd, bytes, length, at);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        bytes += written;
        length -= (size_t)written;
        at += written;
    }
    return true;
}

/* The superblock, how every file begins, names its version and the bytes of an address. From version 2 on it says
 * whether the file is open for writing. */
static bool copy_superblock(int from, int to) {
    enum { VERSION = 8, ADDRESS_BYTES = 9, SIZE = 48 };
    char block[SIZE];
    const ssize_t got = pread(from, block, SIZE, 0);
    if (got == SIZE && block[VERSION] >= 2 && block[ADDRESS_BYTES] == 8) return write_all(to, block, SIZE, 0);
    return got >= 0;
}

/* A file that has been synced is whole, but for the mark that it is open for writing. What the library writes as it
 * closes it must not fail, as NetCDF 4.9 crashes then: memory takes that, and the mark is taken from there. */
static rl_status close_file(const rl_nc_draft *d) {
    RL_NC(&d->file, nc_sync(d->file.id));
    const int library = library_descriptor(d), memory = library < 0 ? -1 : memfd_create("closing", MFD_CLOEXEC);
    const bool caught = memory >= 0 && dup3(memory, library, O_CLOEXEC) >= 0;
    const int code = nc_close(d->file.id);
    const rl_status status = caught && !copy_superblock(memory, d->temporary->fd) ? fail_to_write(d) : RL_OK;
    if (memory >= 0) close(memory);
    RL_NC(&d->file, code);
    return status;
}

rl_status rl_nc_close(const rl_nc_draft *draft, off_t *length) {
    rl_status status = close_file(draft);
    *length = lseek(draft->temporary->fd, 0, SEEK_END);
    if (status == RL_OK && *length < 0) status = fail_to_write(draft);
    return status == RL_OK ? RL_OK : rl_nc_give_up(draft, status);
}

rl_status rl_nc_seal(const rl_nc_draft *draft, off_t length, const char *seal) {
    char made[RL_NC_SEAL + 1];
    const int fd = draft->temporary->fd;
    rl_status status = seal == NULL ? rl_nc_make_seal(&draft->file, fd, length, made) : RL_OK;
    if (status == RL_OK && !write_all(fd, seal == NULL ? made : seal, RL_NC_SEAL, length))
        status = fail_to_write(draft);
    return status == RL_OK ? RL_OK : rl_nc_give_up(draft, status);
}

/* The library does not say why it could not write. Whether we can says it; the file is of no use any more. */
rl_status rl_nc_give_up(const rl_nc_draft *draft, rl_status status) {
    static const char some[1 << 12];
    const off_t end = lseek(draft->temporary->fd, 0, SEEK_END);
    if (end >= 0 && !write_all(draft->temporary->fd, some, sizeof some, end)) status = fail_to_write(draft);
    return status;
}
