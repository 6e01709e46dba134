/* Spills: numbers that are too many for a slab wait in a file, block by block, until all of a set are there. */
#define _GNU_SOURCE /* fallocate, preadv */
#include "spill.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../checksum.h"
#include "../numbers.h"

static rl_status fail_to(const spill *s, const char *what) {
    return rl_fail(RL_ERR_IO, "%s: numbers on their way to it cannot be %s: %s", s->output, what, strerror(errno));
}

/* A disk that is too full is found here. */
rl_status rl_spill_create(const char *output, size_t n_values, spill *s) {
    *s = (spill){.output = output, .fd = -1};
    RL_TRY(rl_nameless_file(output, &s->fd));
    int code;
    do code = fallocate(s->fd, 0, 0, (off_t)(n_values * sizeof(double)));
    while (code != 0 && errno == EINTR);
    return code != 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) ? fail_to(s, "kept") : RL_OK;
}

void rl_spill_destroy(spill *s) {
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
}

/* Of a row that begins at value `at` of the file. */
static uint64_t sum_of(const double *row, size_t width, size_t at) {
    return XXH3_64bits_withSeed(row, width * sizeof *row, at);
}

rl_status rl_spill_put(spill *s, size_t n, size_t width, const double *rows) {
    const char *bytes = (const char *)rows;
    for (size_t i = 0; i < n; i++) s->sum += sum_of(rows + i * width, width, s->length + i * width);
    for (size_t left = n * width * sizeof *rows; left > 0;) {
        const ssize_t written = write(s->fd, bytes, left);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail_to(s, "kept");
        bytes += written;
        left -= (size_t)written;
    }
    s->length += n * width;
    return RL_OK;
}

enum { TOGETHER = 256 }; /* rows of one call, no more than any system takes */

/* What of n pieces of `size` bytes is not there yet; how many pieces that is. */
static int list_pieces(char *first, size_t stride, size_t size, size_t n, size_t done, struct iovec *pieces) {
    int listed = 0;
    for (size_t i = done / size; i < n; i++, listed++) {
        const size_t skipped = listed == 0 ? done % size : 0;
        pieces[listed] = (struct iovec){first + i * stride + skipped, size - skipped};
    }
    return listed;
}

static rl_status read_rows(const spill *s, size_t at, size_t n, size_t width, size_t stride, double *rows) {
    const size_t size = width * sizeof *rows, all = n * size;
    struct iovec pieces[TOGETHER];
    for (size_t done = 0; done < all;) {
        const int listed = list_pieces((char *)rows, stride * sizeof *rows, size, n, done, pieces);
        const ssize_t got = preadv(s->fd, pieces, listed, (off_t)(at * sizeof *rows + done));
        if (got < 0 && errno == EINTR) continue;
        if (got == 0) errno = EIO;
        if (got <= 0) return fail_to(s, "read again");
        done += (size_t)got;
    }
    return RL_OK;
}

rl_status rl_spill_get(spill *s, size_t at, size_t n, size_t width, size_t stride, double *rows) {
    for (size_t i = 0, some; i < n; i += some) {
        some = rl_smaller(n - i, TOGETHER);
        RL_TRY(read_rows(s, at + i * width, some, width, stride, rows + i * stride));
    }
    for (size_t i = 0; i < n; i++) s->sum -= sum_of(rows + i * stride, width, at + i * width);
    return RL_OK;
}

rl_status rl_spill_check(const spill *s) {
    if (s->sum == 0) return RL_OK;
    return rl_fail(RL_ERR_IO, "%s: numbers on their way to it do not read back as they were kept", s->output);
}
