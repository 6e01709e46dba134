#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "cli.h"

enum { BAR_WIDTH = 24 };

void rl_progress_start(rl_progress *progress, double cells_per_curve, bool silent) {
    const double now = rl_seconds();
    *progress = (rl_progress){.start = now,
                              .last = now,
                              .interval = 10,
                              .terminal = isatty(STDERR_FILENO) != 0,
                              .silent = silent,
                              .cells_per_curve = cells_per_curve};
}

/* "so many things, rate" of the work so far, between percentage and time left. */
static void draw(const rl_progress *progress, double part, const char *so_far, double elapsed) {
    char left[32] = "?";
    if (part > 0) rl_time_text(elapsed * (1 - part) / part, left);
    if (!progress->terminal) {
        rl_info("%3.0f %%  %s, %s left", 100 * part, so_far, left);
        return;
    }
    char bar[BAR_WIDTH + 1];
    for (int i = 0; i < BAR_WIDTH; i++) bar[i] = i < part * BAR_WIDTH ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %3.0f %%  %s, %s left\033[K", bar, 100 * part, so_far, left);
    fflush(stderr);
}

static bool is_due(const rl_progress *progress, double now) {
    return !progress->silent && now - progress->last >= (progress->terminal ? 0.1 : progress->interval);
}

static void show(rl_progress *progress, double part, const char *so_far, double now) {
    draw(progress, part, so_far, now - progress->start);
    progress->drawn = true;
    progress->last = now;
    if (!progress->terminal) progress->interval = fmin(300, 1.5 * progress->interval); /* long logs stay short */
}

void rl_progress_show(rl_progress *progress, int64_t done, int64_t total) {
    const double now = rl_seconds(), elapsed = now - progress->start;
    char so_far[100];
    if (!is_due(progress, now)) return;
    snprintf(so_far, sizeof so_far, "%lld of %lld curves, %.3g cells/s", (long long)done, (long long)total,
             elapsed > 0 ? (double)done * progress->cells_per_curve / elapsed : 0);
    show(progress, total > 0 ? (double)done / (double)total : 1, so_far, now);
}

void rl_progress_show_part(rl_progress *progress, int64_t done, int64_t total, double part) {
    const double now = rl_seconds();
    char so_far[100];
    if (!is_due(progress, now)) return;
    snprintf(so_far, sizeof so_far, "%lld of %lld trainings", (long long)done, (long long)total);
    show(progress, part, so_far, now);
}

void rl_progress_end(rl_progress *progress) {
    if (progress->drawn && progress->terminal) fprintf(stderr, "\r\033[K");
    progress->drawn = false;
}
