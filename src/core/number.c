#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ridgeless/core.h"

/* Digits, sign, point and exponent alone: strtod would also take hexadecimal, nan and inf. */
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
    if (*text == '\0' || strpbrk(text, ".eExX") != NULL) return false;
    char *end;
    errno = 0;
    const long long parsed = strtoll(text, &end, 10);
    if (end == text || end[strspn(end, " \t\r")] != '\0' || errno == ERANGE) return false;
    if (parsed < minimum || parsed > maximum) return false;
    *value = parsed;
    return true;
}
