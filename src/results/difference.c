#include <stdio.h>
#include <string.h>

#include "internal.h"

enum { SHOWN = 120, BEFORE = 40 }; /* bytes of a long line that a message shows, and how many before the difference */

static size_t line_length(const char *line) {
    return strcspn(line, "\n");
}

/* Writes the line into quoted[SHOWN + 16]; of a long one the part around byte `at`. */
static void quote_line(const char *line, size_t at, char *quoted) {
    size_t length = line_length(line);
    const char *begin = "`", *end = "`";
    if (length == 0) {
        strcpy(quoted, "nothing there");
        return;
    }
    if (length > SHOWN) {
        const size_t skip = at > BEFORE ? at - BEFORE : 0;
        if (skip > 0) begin = "`...";
        line += skip;
        length -= skip;
        if (length > SHOWN) {
            end = "...`";
            length = SHOWN;
        }
    }
    sprintf(quoted, "%s%.*s%s", begin, (int)length, line, end);
}

rl_status rl_settings_compare(const char *path, const char *what, const char *have, const char *want) {
    size_t line = 0, at = 0; /* where the differing line begins, and the first byte that differs */
    while (have[at] == want[at]) {
        if (have[at] == '\0') return RL_OK;
        if (have[at++] == '\n') line = at;
    }
    char had[SHOWN + 16], wanted[SHOWN + 16];
    quote_line(have + line, at - line, had);
    quote_line(want + line, at - line, wanted);
    return rl_fail(RL_ERR_INPUT,
                   "%s: belongs to another study: the %s has %s, the study has %s; choose another -o, or remove the "
                   "file to start anew",
                   path, what, had, wanted);
}
