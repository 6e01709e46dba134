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

static void draw(const rl_progress *progress, int64_t done, int64_t total, double now) {
    const double part = total > 0 ? (double)done / (double)total : 1, elapsed = now - progress->start;
    const double rate = elapsed > 0 ? (double)done * progress->cells_per_curve / elapsed : 0;
    char left[32] = "?";
    if (done > 0) rl_time_text(elapsed * (1 - part) / part, left);
    if (!progress->terminal) {
        rl_info("%3.0f %%  %lld of %lld curves, %.3g cells/s, %s left", 100 * part, (long long)done, (long long)total,
                rate, left);
        return;
    }
    char bar[BAR_WIDTH + 1];
    for (int i = 0; i < BAR_WIDTH; i++) bar[i] = i < part * BAR_WIDTH ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %3.0f %%  %lld/%lld curves  %.3g cells/s  %s left\033[K", bar, 100 * part, (long long)done,
            (long long)total, rate, left);
    fflush(stderr);
}

void rl_progress_show(rl_progress *progress, int64_t done, int64_t total) {
    if (progress->silent) return;
    const double now = rl_seconds();
    if (now - progress->last < (progress->terminal ? 0.1 : progress->interval)) return;
    draw(progress, done, total, now);
    progress->drawn = true;
    progress->last = now;
    if (!progress->terminal) progress->interval = fmin(300, 1.5 * progress->interval); /* long logs stay short */
}

void rl_progress_end(rl_progress *progress) {
    if (progress->drawn && progress->terminal) fprintf(stderr, "\r\033[K");
    progress->drawn = false;
}
