/* How far a run has come, for people who watch it. */
#include <math.h>
#include <stdio.h>

#include "cli.h"

enum { BAR_WIDTH = 24 };

void rl_progress_start(rl_progress *progress, const char *pieces, double errors_per_piece, bool silent) {
    const double now = rl_seconds();
    *progress = (rl_progress){.start = now,
                              .last = now,
                              .interval = 10,
                              .terminal = !silent && rl_context_on_terminal(),
                              .silent = silent,
                              .errors_per_piece = errors_per_piece};
    snprintf(progress->pieces, sizeof progress->pieces, "%s", pieces);
}

/* "so many things, rate" of the work so far, between percentage and time left. */
static void draw_bar(const rl_progress *progress, double part, const char *so_far, double elapsed) {
    char left[32] = "?";
    if (part > 0) rl_time_text(elapsed * (1 - part) / part, left);
    if (!progress->terminal) {
        rl_info("%3.0f %%  %s, %s left", 100 * part, so_far, left);
        return;
    }
    char bar[BAR_WIDTH + 1];
    for (int i = 0; i < BAR_WIDTH; i++) bar[i] = i < part * BAR_WIDTH ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    char line[320];
    snprintf(line, sizeof line, "\r[%s] %3.0f %%  %s, %s left\033[K", bar, 100 * part, so_far, left);
    rl_log_write(line);
    rl_log_open_line();
}

static bool is_due(const rl_progress *progress, double now) {
    return !progress->silent && now - progress->last >= (progress->terminal ? 0.1 : progress->interval);
}

void rl_progress_show(rl_progress *progress, int64_t done, int64_t total, double part) {
    const double now = rl_seconds(), elapsed = now - progress->start;
    char so_far[160], rate[64] = "", n[32], of[32];
    if (!is_due(progress, now)) return;
    if (progress->errors_per_piece > 0 && elapsed > 0)
        snprintf(rate, sizeof rate, ", %s errors per second",
                 rl_count_text((int64_t)((double)done * progress->errors_per_piece / elapsed), n));
    snprintf(so_far, sizeof so_far, "%s of %s %s%s", rl_count_text(done, n), rl_count_text(total, of), progress->pieces,
             rate);
    draw_bar(progress, part, so_far, elapsed);
    progress->last = now;
    if (!progress->terminal) progress->interval = fmin(300, 1.5 * progress->interval); /* long logs stay short */
}
