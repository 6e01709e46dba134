/* Numbers, counts, sizes of memory and spans of time as people write them, and the order of numbers. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ridgeless/core.h"

/* Whether the text is made of digits, signs, points and exponents: strtod would also take hexadecimal, nan and inf. */
static bool is_decimal(const char *text) {
    bool digits = false;
    for (const char *c = text; *c != '\0'; c++) {
        if (isdigit((unsigned char)*c))
            digits = true;
        else if (strchr("+-.eE", *c) == NULL)
            return isspace((unsigned char)*c) && digits && c[strspn(c, " \t\r")] == '\0';
    }
    return digits;
}

bool rl_parse_real(const char *text, double *value) {
    text += strspn(text, " \t");
    if (!is_decimal(text)) return false;
    char *end;
    errno = 0;
    const double parsed = strtod(text, &end);
    if (end == text || end[strspn(end, " \t\r")] != '\0' || !isfinite(parsed)) return false;
    *value = parsed;
    return true;
}

bool rl_parse_integer(const char *text, int64_t minimum, int64_t maximum, int64_t *value) {
    text += strspn(text, " \t");
    if (*text == '\0' || isspace((unsigned char)*text) || strpbrk(text, ".eExX") != NULL) return false;
    char *end;
    errno = 0;
    const long long parsed = strtoll(text, &end, 10);
    if (end == text || end[strspn(end, " \t\r")] != '\0' || errno == ERANGE) return false;
    if (parsed < minimum || parsed > maximum) return false;
    *value = parsed;
    return true;
}

int rl_parse_sizes(const char *text, int most, int64_t maximum, int64_t *sizes) {
    char copy[64], *rest = copy;
    int n = 0;
    if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy) return 0;
    for (char *size; n < most && (size = strsep(&rest, "x")) != NULL; n++)
        if (!rl_parse_integer(size, 1, maximum, &sizes[n])) return 0;
    return rest == NULL ? n : 0;
}

/* Bytes of a unit of memory: 1 where the text is empty, 0 where it is not a unit. */
static double unit_of(const char *text) {
    const size_t length = strcspn(text, " \t\r");
    const char *const prefixes = "KMGT";
    if (text[length + strspn(text + length, " \t\r")] != '\0') return 0;
    if (length == 0 || (length == 1 && *text == 'B')) return 1;
    const char *prefix = strchr(prefixes, toupper((unsigned char)*text));
    if (prefix == NULL) return 0;
    const int power = (int)(prefix - prefixes) + 1;
    if (length == 1 || (length == 3 && strncmp(text + 1, "iB", 2) == 0)) return pow(1024, power);
    return length == 2 && text[1] == 'B' ? pow(1000, power) : 0;
}

/* Reads the number that the text begins with, made of these characters; *unit: what follows it. */
static bool parse_before_unit(const char *text, const char *characters, double *value, const char **unit) {
    char number[64];
    const size_t length = strspn(text, characters);
    if (length >= sizeof number) return false;
    memcpy(number, text, length);
    number[length] = '\0';
    *unit = text + length;
    return rl_parse_real(number, value);
}

bool rl_parse_bytes(const char *text, int64_t *bytes) {
    const char *unit;
    double value;
    if (!parse_before_unit(text, " \t+-.0123456789eE", &value, &unit)) return false;
    value *= unit_of(unit);
    if (!(value >= 1 && value < 0x1p62)) return false;
    *bytes = (int64_t)value;
    return true;
}

const char *rl_count_text(int64_t count, char text[32]) {
    char digits[24];
    const int n = snprintf(digits, sizeof digits, "%lld", (long long)count), sign = count < 0;
    char *next = text;
    for (int i = 0; i < n; i++) {
        if (i > sign && (n - i) % 3 == 0) *next++ = ',';
        *next++ = digits[i];
    }
    *next = '\0';
    return text;
}

const char *rl_rows_text(int64_t n_rows, int64_t n_dropped, char text[RL_ROWS_TEXT]) {
    char n[32], dropped[32];
    const int length = snprintf(text, RL_ROWS_TEXT, "%s row%s", rl_count_text(n_rows, n), rl_plural(n_rows));
    if (n_dropped > 0)
        snprintf(text + length, RL_ROWS_TEXT - (size_t)length, " (%s with missing values left out)",
                 rl_count_text(n_dropped, dropped));
    return text;
}

int rl_compare_reals(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int rl_compare_ints(const void *a, const void *b) {
    const int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/* 0: the text is not a unit of time. */
static double seconds_of_unit(const char *text) {
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(text, units[i].name) == 0) return units[i].seconds;
    return 0;
}

/* [days-][hours:]minutes:seconds */
static bool parse_clock(const char *text, double *seconds) {
    int days = 0, fields[3], n = 0, used = 0;
    if (sscanf(text, "%6d-%n", &days, &used) != 1 || used == 0) days = 0;
    text += used;
    while (n < 3 && isdigit((unsigned char)*text) && sscanf(text, "%6d%n", &fields[n], &used) == 1) {
        n++;
        text += used;
        if (*text != ':') break;
        text++;
    }
    if (*text != '\0' || n < 2 || text[-1] == ':' || (days > 0 && n < 3)) return false;
    *seconds = 86400.0 * days;
    for (int i = n - 1, unit = 1; i >= 0; i--, unit *= 60) *seconds += (double)fields[i] * unit;
    return true;
}

bool rl_parse_seconds(const char *text, double *seconds) {
    static const char *const unlimited[] = {"UNLIMITED", "NOT_SET", "INVALID"};
    const char *unit;
    for (size_t i = 0; i < sizeof unlimited / sizeof *unlimited; i++)
        if (strcmp(text, unlimited[i]) == 0) {
            *seconds = INFINITY;
            return true;
        }
    if (strchr(text, ':') != NULL) return isdigit((unsigned char)*text) && parse_clock(text, seconds);
    if (!parse_before_unit(text, ".0123456789", seconds, &unit)) return false;
    *seconds *= seconds_of_unit(unit);
    return seconds_of_unit(unit) > 0;
}
