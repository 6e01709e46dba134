/* The line at the end of a results file that its bytes are checked by. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "internal.h"

#define SEAL_FORMAT "ridgeless seal %016" PRIx64 "\n"

void rl_seal_make(const void *bytes, size_t length, char seal[RL_SEAL_BYTES + 1]) {
    snprintf(seal, RL_SEAL_BYTES + 1, SEAL_FORMAT, (uint64_t)XXH3_64bits(bytes, length));
}

/* What the seal of the first `length` bytes would be. */
static rl_status seal_of_file(const char *path, int fd, off_t length, char seal[RL_SEAL_BYTES + 1]) {
    char block[1 << 16];
    XXH3_state_t *state = XXH3_createState();
    rl_status status = RL_OK;
    if (state == NULL) return rl_fail(RL_ERR_MEMORY, "out of memory: a checksum's state");
    XXH3_64bits_reset(state);
    for (off_t done = 0; done < length && status == RL_OK;) {
        const off_t left = length - done;
        const ssize_t got = pread(fd, block, left < (off_t)sizeof block ? (size_t)left : sizeof block, done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0)
            status = rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", path,
                             got < 0 ? strerror(errno) : "became shorter while it was read");
        else
            XXH3_64bits_update(state, block, (size_t)got);
        done += got;
    }
    snprintf(seal, RL_SEAL_BYTES + 1, SEAL_FORMAT, (uint64_t)XXH3_64bits_digest(state));
    XXH3_freeState(state);
    return status;
}

static rl_status check(const char *path, int fd, bool *sealed) {
    char found[RL_SEAL_BYTES], expected[RL_SEAL_BYTES + 1];
    const size_t mark = strlen("ridgeless seal ");
    struct stat file;
    if (fstat(fd, &file) != 0) return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    const off_t length = file.st_size - RL_SEAL_BYTES;
    *sealed = length >= 0 && pread(fd, found, sizeof found, length) == RL_SEAL_BYTES &&
              memcmp(found, "ridgeless seal ", mark) == 0;
    if (!*sealed) return RL_OK;
    RL_TRY(seal_of_file(path, fd, length, expected));
    if (memcmp(found, expected, sizeof found) == 0) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "%s: is damaged: its bytes are not those that were written (by their checksum)", path);
}

rl_status rl_seal_check(const char *path, bool *sealed) {
    *sealed = false;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    const rl_status status = check(path, fd, sealed);
    close(fd);
    return status;
}
