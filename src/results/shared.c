/* Memory that processes of a node share. */
#define _GNU_SOURCE /* memfd_create, fallocate */
#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../numbers.h"
#include "ridgeless/core.h"

enum { LARGE_PAGE = 1 << 21, WORTH_LARGE_PAGES = 1 << 23 };

/* Where a large page may begin; what is set aside beside it goes back. */
static char *set_aside(size_t length) {
    const size_t all = length + LARGE_PAGE;
    char *const begin = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (begin == MAP_FAILED) return NULL;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), before = (size_t)(-(uintptr_t)begin % LARGE_PAGE);
    const size_t used = before + rl_ceiling(length, page) * page;
    if (before > 0) munmap(begin, before);
    if (used < all) munmap(begin + used, all - used);
    return begin + before;
}

static void let_go(shared *s) {
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
}

static bool map(shared *s) {
    char *const place = s->fd < 0 ? NULL : set_aside(s->length);
    if (place != NULL && mmap(place, s->length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, s->fd, 0) == place)
        s->bytes = place;
    else if (place != NULL)
        munmap(place, s->length);
    if (s->bytes == NULL) let_go(s);
    return s->bytes != NULL;
}

bool rl_shared_create(size_t length, shared *s) {
    *s = (shared){.length = length, .fd = memfd_create("ridgeless", MFD_CLOEXEC)};
    if (s->fd >= 0 && ftruncate(s->fd, (off_t)length) != 0) let_go(s);
    return map(s);
}

bool rl_shared_name(const shared *s, shared_name *name) {
    *name = (shared_name){.pid = getpid(), .fd = s->fd, .length = (int64_t)s->length};
    return fstat(s->fd, &name->file) == 0;
}

/* In a container of its own the process of that number is another one. */
bool rl_shared_open(const shared_name *name, shared *s) {
    char path[64];
    struct stat file;
    snprintf(path, sizeof path, "/proc/%lld/fd/%lld", (long long)name->pid, (long long)name->fd);
    *s = (shared){.length = (size_t)name->length, .fd = open(path, O_RDWR | O_CLOEXEC)};
    if (s->fd < 0 || fstat(s->fd, &file) != 0 || !rl_same_file(&file, &name->file)) let_go(s);
    return map(s);
}

void rl_shared_close(shared *s) {
    if (s->bytes == NULL) return;
    munmap(s->bytes, s->length);
    close(s->fd);
    *s = (shared){.fd = -1};
}

/* Pages of 4 KiB take ten times as long to be had, and to be met. Of a large page of which a small one is there the
 * system makes the whole, unless it is before version 6.1, or has none; and where it has to look for one long, small
 * ones are quicker. */
static void ask_for_large_pages(const shared *s, size_t first, size_t length) {
#ifndef MADV_COLLAPSE
    enum { MADV_COLLAPSE = 25 };
#endif
    const double long_while = 1e-3;
    double start = rl_seconds(), now = start;
    if (length < WORTH_LARGE_PAGES || first % LARGE_PAGE != 0) return;
    for (size_t at = first; at + LARGE_PAGE <= first + length && now - start < long_while; at += LARGE_PAGE) {
        start = now;
        if (fallocate(s->fd, 0, (off_t)at, 1) != 0 || madvise(s->bytes + at, LARGE_PAGE, MADV_COLLAPSE) != 0) return;
        now = rl_seconds();
    }
}

/* That memory is there is one thing, that it is zero and known to this process the other: of all pages together that
 * takes less time than of one after the other, as they are touched. A kernel before 5.14 does not know it. */
bool rl_shared_fill(const shared *s, size_t first, size_t length) {
    int code;
    ask_for_large_pages(s, first, length);
    do code = fallocate(s->fd, 0, (off_t)first, (off_t)length);
    while (code != 0 && errno == EINTR);
#ifdef MADV_POPULATE_WRITE
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), begin = first / page * page;
    if (code == 0) madvise(s->bytes + begin, first + length - begin, MADV_POPULATE_WRITE);
#endif
    return code == 0;
}

/* With a page that is read come those around it, also to be written to: of pages that are written to first, each comes
 * alone. */
void rl_shared_meet(const shared *s, size_t first, size_t length) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t at = first; at < first + length; at += page) (void)*(const volatile char *)(s->bytes + at);
}

size_t rl_shared_rounded(size_t length) {
    const size_t page = length < WORTH_LARGE_PAGES ? (size_t)sysconf(_SC_PAGESIZE) : LARGE_PAGE;
    return rl_ceiling(length, page) * page;
}
