/* Answers for people and programs: numbers of bytes, spans of time, JSON. */
#include <math.h>
#include <stdio.h>

#include "cli.h"

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

void rl_print_number(const char *format, double value, int width) {
    char text[40] = "-";
    if (isfinite(value)) snprintf(text, sizeof text, format, value);
    printf(" %*s", width, text);
}

rl_status rl_print_json(json_t *root) {
    if (root == NULL) return rl_fail(RL_ERR_MEMORY, "out of memory: could not build the JSON answer");
    json_dumpf(root, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(root);
    return RL_OK;
}
