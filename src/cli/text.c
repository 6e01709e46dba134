/* Answers for people and programs: numbers of bytes, spans of time, JSON. */
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
    if (seconds < 0.1)
        snprintf(text, 32, "%.0f ms", 1e3 * seconds);
    else if (seconds < 10)
        snprintf(text, 32, "%.1f s", seconds);
    else if (seconds < 120)
        snprintf(text, 32, "%.0f s", seconds);
    else if (seconds < 7200)
        snprintf(text, 32, "%.0f min", seconds / 60);
    else if (seconds < 172800)
        snprintf(text, 32, "%.1f h", seconds / 3600);
    else
        snprintf(text, 32, "%.1f days", seconds / 86400);
    return text;
}

rl_status rl_print_json(json_t *root) {
    if (root == NULL) return rl_fail(RL_ERR_MEMORY, "out of memory: could not build the JSON answer");
    json_dumpf(root, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(root);
    return RL_OK;
}
