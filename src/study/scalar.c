/* Scalars of a study file: numbers, flags and words, and the word that a mistyped one may have meant. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../numbers.h"
#include "yaml_node.h"

static const double LARGEST_EXACT_INTEGER = 9007199254740992.0; /* 2^53 */

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

/* An integer kind without bounds is bounded by what a double holds exactly. */
static rl_number_kind bounded(rl_number_kind kind) {
    if (!kind.integer) return kind;
    kind.minimum = fmax(ceil(kind.minimum), -LARGEST_EXACT_INTEGER);
    kind.maximum = fmin(floor(kind.maximum), LARGEST_EXACT_INTEGER);
    return kind;
}

/* Leaves out bounds that are so wide that nobody would type past them, but not one that keeps zero out. */
static void range_text(rl_number_kind kind, char *buffer, size_t size) {
    const bool low = fabs(kind.minimum) < 1e15, high = fabs(kind.maximum) < 1e15;
    const bool positive = !kind.integer && kind.minimum > 0 && kind.minimum < 1e-290;
    buffer[0] = '\0';
    if (positive && high)
        snprintf(buffer, size, " > 0 and <= %.15g", kind.maximum);
    else if (positive)
        snprintf(buffer, size, " > 0");
    else if (low && high)
        snprintf(buffer, size, " from %.15g to %.15g", kind.minimum, kind.maximum);
    else if (low)
        snprintf(buffer, size, " >= %.15g", kind.minimum);
    else if (high)
        snprintf(buffer, size, " <= %.15g", kind.maximum);
}

const char *rl_number_kind_text(rl_number_kind kind, char *buffer, size_t size) {
    const bool meaning = kind.meaning != NULL;
    char range[80];
    kind = bounded(kind);
    range_text(kind, range, sizeof range);
    snprintf(buffer, size, "%s%s%s%s%s%s", kind.integer ? "an integer" : "a number", range,
             kind.or_infinite ? " or inf" : "", meaning ? " (" : "", meaning ? kind.meaning : "", meaning ? ")" : "");
    return buffer;
}

static bool is_infinite(const char *text) {
    return strcmp(text, "inf") == 0 || strcmp(text, ".inf") == 0; /* the second is YAML's own */
}

static bool parse_number(const char *text, rl_number_kind kind, double *value) {
    if (kind.or_infinite && is_infinite(text)) {
        *value = INFINITY;
        return true;
    }
    if (!kind.integer) return rl_parse_real(text, value) && *value >= kind.minimum && *value <= kind.maximum;
    int64_t integer;
    if (!rl_parse_integer(text, (int64_t)kind.minimum, (int64_t)kind.maximum, &integer)) return false;
    *value = (double)integer;
    return true;
}

rl_status rl_node_number(rl_node node, rl_number_kind kind, double *value) {
    char expected[300];
    const char *text;
    kind = bounded(kind);
    rl_number_kind_text(kind, expected, sizeof expected);
    RL_TRY(rl_node_text(node, expected, &text));
    if (!parse_number(text, kind, value)) return rl_node_fail(node, "%s", expected);
    *value += 0.0; /* -0 is 0 */
    return RL_OK;
}

rl_status rl_node_unsigned(rl_node node, uint64_t *value) {
    static const char *const expected = "an integer from 0 to 18446744073709551615";
    const char *text;
    RL_TRY(rl_node_text(node, expected, &text));
    errno = 0;
    const unsigned long long parsed = strtoull(text, NULL, 10);
    if (text[strspn(text, "0123456789")] != '\0' || errno == ERANGE) return rl_node_fail(node, "%s", expected);
    *value = parsed;
    return RL_OK;
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

rl_status rl_node_flag(rl_node node, bool *value) {
    const char *text;
    RL_TRY(rl_node_text(node, "true or false", &text));
    *value = strcmp(text, "true") == 0;
    if (!*value && strcmp(text, "false") != 0) return rl_node_fail(node, "true or false");
    return RL_OK;
}

rl_status rl_node_word(rl_node node, const char *const *words, int n, int *index) {
    char list[500], expected[540], hint[RL_WORD_HINT];
    const char *text;
    rl_list_words(words, n, list, sizeof list);
    snprintf(expected, sizeof expected, "%s%s", n == 1 ? "" : "one of ", list);
    RL_TRY(rl_node_text(node, expected, &text));
    for (*index = 0; *index < n; (*index)++)
        if (strcmp(text, words[*index]) == 0) return RL_OK;
    return rl_node_refuse(node, "got `%.60s`%s expected %s", text, rl_word_hint(text, words, n, hint), expected);
}
