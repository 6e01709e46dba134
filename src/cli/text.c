/* Answers for people and programs: names of files, lines of text, numbers of bytes, spans of time, JSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static bool ends_with(const char *text, const char *ending) {
    const size_t length = strlen(text), most = strlen(ending);
    return length > most && strcmp(text + length - most, ending) == 0;
}

bool rl_is_study_name(const char *path) {
    return ends_with(path, ".yaml") || ends_with(path, ".yml");
}

bool rl_is_results_name(const char *path) {
    return ends_with(path, ".nc");
}

rl_status rl_check_name(const char *path, const char *ending) {
    char whole[RL_PATH_ROOM];
    const bool fits = snprintf(whole, sizeof whole, "%s%s", path, ending) < (int)sizeof whole;
    if (!fits || access(path, F_OK) == 0 || access(whole, F_OK) != 0) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "%s: is not there; did you mean `%s`?", path, whole);
}

/* As bash takes it: '...', or $'...' where there is something that is not printed. */
const char *rl_shell_word(const char *word, char text[RL_SHELL_WORD]) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./+,:@";
    const bool printable = rl_is_printable(word);
    const char *quote = *word != '\0' && word[strspn(word, plain)] == '\0' ? "" : "'";
    char *next = text + sprintf(text, "%s%s", printable ? "" : "$", quote);
    for (const char *c = word; *c != '\0' && next - text < RL_SHELL_WORD - 6;) {
        const int length = rl_printable_character(c);
        if (*c == '\'')
            next += sprintf(next, printable ? "'\\''" : "\\'");
        else if (length == 0 || (*c == '\\' && !printable))
            next += sprintf(next, "\\%03o", (unsigned char)*c);
        else
            next += sprintf(next, "%.*s", length, c);
        c += length > 0 ? length : 1;
    }
    sprintf(next, "%s", quote);
    return text;
}

const char *rl_rank_text(int n_features, int threshold, char text[RL_RANK_TEXT]) {
    text[0] = '\0';
    if (threshold < n_features) snprintf(text, RL_RANK_TEXT, ", but the features have rank %d", threshold);
    return text;
}

const char *rl_series_rank_text(const rl_series *series, int n, char text[RL_RANK_TEXT]) {
    const rl_series *first = series, *const end = series + n, *const last = end - 1;
    while (first < end && rl_dataset_threshold(&first->data) == first->n_features) first++;
    text[0] = '\0';
    if (first == end) return text;
    const int p = last->n_features, threshold = rl_dataset_threshold(&last->data);
    if (n == 1)
        snprintf(text, RL_RANK_TEXT, "P = %d, but the features have rank %d: the threshold is at N = %d", p, threshold,
                 threshold);
    else
        snprintf(text, RL_RANK_TEXT,
                 "from P = %d on the features have a lower rank, where the threshold is: %d at P = %d",
                 first->n_features, threshold, p);
    return text;
}

void rl_print_wrapped(const char *text, int at, int indent) {
    enum { COLUMNS = 100 };
    const char *before = "";
    for (const char *word = text; *word != '\0'; word += strspn(word, " ")) {
        const int length = (int)strcspn(word, " ");
        if (*before != '\0' && at + 1 + length > COLUMNS) {
            printf("\n%*s", indent, "");
            at = indent;
            before = "";
        }
        at += printf("%s%.*s", before, length, word);
        word += length;
        before = " ";
    }
    printf("\n");
}

const char *rl_features_text(int first, int last, int n, bool intercept, char text[RL_FEATURES_TEXT]) {
    const size_t size = RL_FEATURES_TEXT;
    if (n > 1)
        snprintf(text, size, "P = %d ... %d (%d values)%s", first, last, n, intercept ? ", the intercept counted" : "");
    else if (intercept)
        snprintf(text, size, "P = %d (%d feature%s and the intercept)", first, first - 1, rl_plural(first - 1));
    else
        snprintf(text, size, "P = %d", first);
    return text;
}

const char *rl_bytes_text(double bytes, char text[32]) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    int unit = 0;
    while (bytes >= 1024 && unit < 5) {
        bytes /= 1024;
        unit++;
    }
    snprintf(text, 32, unit == 0 || bytes >= 100 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
    return text;
}

const char *rl_time_text(double seconds, char text[32]) {
    static const struct {
        double below, unit;
        const char *format;
    } spans[] = {{0.1, 1e-3, "%.0f ms"}, {10, 1, "%.1f s"},        {120, 1, "%.0f s"},
                 {7200, 60, "%.0f min"}, {172800, 3600, "%.1f h"}, {INFINITY, 86400, "%.1f days"}};
    int i = 0;
    while (isfinite(spans[i].below) && !(seconds < spans[i].below)) i++;
    snprintf(text, 32, spans[i].format, seconds / spans[i].unit);
    return text;
}

/* e+05 becomes e5. */
static void shorten_exponent(char *text, size_t size) {
    char *e = strchr(text, 'e');
    if (e != NULL) snprintf(e, size - (size_t)(e - text), "e%ld", strtol(e + 1, NULL, 10));
}

const char *rl_number_text(double value, int digits, char text[32]) {
    snprintf(text, 32, "%.*g", digits, value);
    if (isnan(value)) return "-";
    if (isfinite(value)) shorten_exponent(text, 32);
    return text;
}

const char *rl_ratio_text(double value, char text[32]) {
    const bool plain = value == 0 || (value >= 1e-3 && value < 99999.5);
    if (plain && value < 99.5) return rl_number_text(value, 2, text);
    snprintf(text, 32, plain ? "%.0f" : "%.1e", value);
    if (isnan(value)) return "-";
    if (isfinite(value)) shorten_exponent(text, 32);
    return text;
}

const char *rl_spike_text(rl_spike spike, char text[96]) {
    char height[32], low[32], high[32];
    const char *alone = rl_ratio_text(spike.height, height);
    if (isnan(spike.low) || isnan(spike.high) || spike.high == 0)
        snprintf(text, 96, "%s", alone);
    else
        snprintf(text, 96, "%s (%s to %s)", alone, rl_ratio_text(spike.low, low), rl_ratio_text(spike.high, high));
    return text;
}

void rl_print_number(const char *format, double value, int width) {
    char text[40] = "-";
    if (isfinite(value)) snprintf(text, sizeof text, format, value);
    printf(" %*s", width, text);
}

json_t *rl_number_json(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static bool is_printable_on_lines(const char *text) {
    for (int length; *text != '\0'; text += length)
        if ((length = *text == '\n' ? 1 : rl_printable_character(text)) == 0) return false;
    return true;
}

rl_status rl_print_json(json_t *root) {
    if (root == NULL) return rl_fail(RL_ERR_MEMORY, "out of memory: could not build the JSON answer");
    char *text = json_dumps(root, JSON_INDENT(2));
    if (text != NULL && !is_printable_on_lines(text)) { /* escapes of JSON stand for what is not printed */
        free(text);
        text = json_dumps(root, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    }
    json_decref(root);
    if (text == NULL) return rl_fail(RL_ERR_MEMORY, "out of memory: could not write the JSON answer");
    printf("%s\n", text);
    free(text);
    return RL_OK;
}
