/* Instead of computing ranks sleep for as long as a task is predicted to take: how a farm shares its work is then to be
 * seen with more ranks than processors, as ranks that sleep, or wait, leave these alone. */
#include <math.h>
#include <time.h>

#include "dispatch.h"

static void nap(double seconds) {
    const double whole = floor(seconds);
    const struct timespec time = {.tv_sec = (time_t)whole, .tv_nsec = (long)(1e9 * (seconds - whole))};
    nanosleep(&time, NULL);
}

rl_status rl_sleep_through(const rl_run *r, const rl_todo_item *items, int n, int ranks, rl_tick tick) {
    const double longest = rl_is_root(r) ? 0.001 : 0.02; /* rank 0 serves the others in between */
    double end = rl_seconds();
    for (int i = 0; i < n; i++) end += rl_predict_item(r, &items[i], ranks);
    for (double left; (left = end - rl_seconds()) > 0; nap(fmin(left, longest)))
        if (!rl_may_go_on(tick)) return rl_fail(RL_STOPPED, "stopped in the middle");
    return RL_OK;
}

rl_record rl_record_of_sleep(void) {
    static const rl_outcome none[1];
    return (rl_record){.outcomes = none, .step = RL_FINISHED, .content = ""};
}

void rl_await_asleep(const rl_run *r, int tag) {
    const double start = rl_seconds(), longest = 0.001, share = 0.05; /* of the time waited until now */
    for (int there = 0;;) {
        RL_MPI(MPI_Iprobe(0, tag, r->context->comm, &there, MPI_STATUS_IGNORE));
        if (there) return;
        nap(fmin(longest, share * (rl_seconds() - start)));
    }
}
