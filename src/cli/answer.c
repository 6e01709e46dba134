/* Standard output, through which nothing goes that is not printed: names and texts of users, files and systems may hold
 * anything, and a terminal obeys what it gets. */
#define _GNU_SOURCE /* fopencookie */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

enum { LONGEST_CHARACTER = 4 };

/* The beginning of a character whose end has not been printed yet. */
static char held[LONGEST_CHARACTER];
static size_t n_held;

static bool write_all(const char *bytes, size_t length) {
    while (length > 0) {
        const ssize_t written = write(STDOUT_FILENO, bytes, length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        bytes += written;
        length -= (size_t)written;
    }
    return true;
}

/* How many bytes at the end of a text may be the beginning of a character. */
static size_t unfinished(const char *bytes, size_t length) {
    for (size_t n = 1; n < LONGEST_CHARACTER && n <= length; n++) {
        const unsigned char c = (unsigned char)bytes[length - n];
        if ((c & 0xc0) == 0x80) continue;
        const size_t whole = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
        return whole > n ? n : 0;
    }
    return 0;
}

/* Of a text with a zero byte behind it, in its own place: `?` for what is not printed, as one byte is not longer. */
static size_t make_printable(char *bytes, size_t length) {
    size_t to = 0;
    for (size_t from = 0; from < length;) {
        uint32_t code;
        const char c = bytes[from];
        const int of_any = rl_character(bytes + from, &code);
        const int whole = c == '\n' || c == '\t' ? 1 : rl_printable_character(bytes + from);
        if (whole > 0)
            memmove(bytes + to, bytes + from, (size_t)whole);
        else
            bytes[to] = '?';
        to += whole > 0 ? (size_t)whole : 1;
        from += of_any > 0 ? (size_t)of_any : 1;
    }
    return to;
}

static ssize_t print_part(const char *bytes, size_t length) {
    char part[4096 + 2 * LONGEST_CHARACTER];
    memcpy(part, held, n_held);
    memcpy(part + n_held, bytes, length);
    const size_t all = n_held + length, later = unfinished(part, all);
    memcpy(held, part + all - later, later);
    n_held = later;
    part[all - later] = '\0';
    return write_all(part, make_printable(part, all - later)) ? (ssize_t)length : 0;
}

static ssize_t print(void *cookie, const char *bytes, size_t length) {
    enum { PART = 4096 };
    (void)cookie;
    for (size_t done = 0; done < length;) {
        const size_t left = length - done, part = left < PART ? left : PART;
        if (print_part(bytes + done, part) == 0) return 0;
        done += part;
    }
    return (ssize_t)length;
}

rl_status rl_answer_begin(void) {
    FILE *answer = fopencookie(NULL, "w", (cookie_io_functions_t){.write = print});
    if (answer == NULL) return rl_fail(RL_ERR_MEMORY, "out of memory: no buffer for standard output");
    if (isatty(STDOUT_FILENO) == 1) setvbuf(answer, NULL, _IOLBF, BUFSIZ);
    stdout = answer;
    return RL_OK;
}

bool rl_answer_end(void) {
    const bool flushed = fflush(stdout) == 0, written = n_held == 0 || write_all("?", 1);
    return close(STDOUT_FILENO) == 0 && flushed && written;
}
