/* Helpers of rank 0, however many ranks this program is started with: what they make is what rank 0 makes, also of rows
 * that nobody takes, and where a helper hangs; and answers to larger jobs come as they were given. */
#include <assert.h>
#include <time.h>

#include "report.h"
#include "ridgeless/parallel.h"

enum { HANGS = 100 };

/* By the order of the numbers, so that no row can be taken for another one. */
static void fold(const double *row, int width, int option, double *room, void *result) {
    double value = option;
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (option == HANGS && rank == 1) nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
    for (int i = 0; i < 2 * width; i++) room[i] = row[i % width];
    for (int i = 0; i < 2 * width; i++) value = value / 2 + room[i];
    memcpy(result, &value, sizeof value);
}

/* Rows by so many at a time; how many of these were taken. */
static int give_all(rl_helpers *h, const double *rows, size_t n, size_t width, size_t some, int option,
                    double *results) {
    double *room = numbers(2 * width);
    int taken = 0;
    for (size_t i = 0; i < n; i += some) {
        const size_t here = n - i < some ? n - i : some;
        const bool gone = rl_helpers_give(h, rows + i * width, here, width, option, results + i);
        for (size_t k = i; !gone && k < i + here; k++) fold(rows + k * width, (int)width, option, room, &results[k]);
        taken += gone;
    }
    rl_helpers_await(h);
    rl_free(room);
    return taken;
}

static bool all_right(const double *rows, size_t n, size_t width, int option, const double *results) {
    double *room = numbers(2 * width), expected;
    bool right = true;
    for (size_t k = 0; k < n && right; k++) {
        fold(rows + k * width, (int)width, option, room, &expected);
        right = results[k] == expected || wrong("row %zu: %.17g, expected %.17g", k, results[k], expected);
    }
    rl_free(room);
    return right;
}

/* A job asks for so many numbers that follow from `seed`, after some seconds. */
typedef struct order {
    size_t n;
    uint64_t seed;
    double after;
} order;

static void fill_order(void *state, rl_helpers *h, const void *bytes, size_t length) {
    static size_t n;
    static double *all; /* answers stay until the next job */
    order o;
    (void)state;
    assert(length == sizeof o);
    memcpy(&o, bytes, sizeof o);
    nanosleep(&(struct timespec){.tv_nsec = (long)(1e9 * o.after)}, NULL);
    rl_free(all);
    all = numbers(o.n);
    n = o.n;
    for (size_t i = 0; i < n; i++) all[i] = (double)(mix(o.seed + i) >> 12);
    rl_helpers_answer(h, &n, sizeof n);
    rl_helpers_answer(h, all, n * sizeof *all);
}

/* Takes what was ordered; *taken: it has come. */
static bool is_delivered(rl_helpers *h, int helper, order o, bool *taken) {
    double *all = numbers(o.n);
    size_t n = 0;
    *taken = rl_helpers_take(h, helper, &n, sizeof n) && rl_helpers_take(h, helper, all, o.n * sizeof *all);
    bool right = !*taken || n == o.n;
    for (size_t i = 0; *taken && right && i < o.n; i++) right = all[i] == (double)(mix(o.seed + i) >> 12);
    rl_free(all);
    return right;
}

/* On rank 0. expected: whether some are taken. */
static bool is_helped(rl_helpers *h, size_t n, size_t width, size_t some, int option, bool expected) {
    double *rows = numbers(n * width), *results = numbers(n);
    for (size_t i = 0; i < n * width; i++) rows[i] = (double)(mix(i) >> 12);
    const int taken = give_all(h, rows, n, width, some, option, results);
    const bool right = all_right(rows, n, width, option, results);
    rl_free(rows);
    rl_free(results);
    return right && ((taken > 0) == expected || wrong("%d were taken", taken));
}

typedef bool (*check_of_helpers)(rl_helpers *h, bool helped);

static bool asked_nothing(rl_helpers *h, bool helped) {
    (void)helped;
    rl_helpers_await(h);
    return true;
}

static bool many_rows(rl_helpers *h, bool helped) {
    return is_helped(h, 1000, 100, 7, 3, helped) && is_helped(h, 1001, 40, 50, 4, helped) &&
           is_helped(h, 3, RL_HELPER_NUMBERS, 1, 5, helped) && is_helped(h, 1, RL_HELPER_WIDTH, 1, 6, helped);
}

static bool rows_that_nobody_takes(rl_helpers *h, bool helped) {
    (void)helped;
    return is_helped(h, 10, RL_HELPER_WIDTH - 1, 5, 1, false) && is_helped(h, 2, RL_HELPER_NUMBERS + 1, 1, 2, false);
}

/* It gets nothing more: from then on others alone help. */
static bool helper_that_hangs(rl_helpers *h, bool helped) {
    int ranks;
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    const bool others = ranks > 2;
    return is_helped(h, 50, 64, 2, HANGS, helped) && is_helped(h, 50, 64, 2, 1, others);
}

/* Two orders at a time, and rows while their answers wait. */
static bool large_jobs(rl_helpers *h, bool helped) {
    const order orders[] = {{10000, 1, 0}, {1, 2, 0}, {RL_HELPER_NUMBERS, 3, 0}};
    const int n = rl_helpers_count(h);
    bool right = (n > 0) == helped, taken;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 3; k++) right = right && rl_helpers_ask(h, i, &orders[k], sizeof orders[k]);
    right = right && is_helped(h, 1000, 100, 7, 3, helped);
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < n; i++) right = right && is_delivered(h, i, orders[k], &taken) && taken;
    return right;
}

/* Whose answers nobody takes, it is released all the same. */
static bool answers_that_nobody_takes(rl_helpers *h, bool helped) {
    const order o = {RL_HELPER_NUMBERS, 1, 0};
    (void)helped;
    for (int i = 0; i < rl_helpers_count(h); i++)
        if (!rl_helpers_ask(h, i, &o, sizeof o) || !rl_helpers_ask(h, i, &o, sizeof o)) return false;
    return true;
}

static bool answers_too_late(rl_helpers *h, bool helped) {
    const order late = {RL_HELPER_NUMBERS, 5, 0.4}, next = {10, 6, 0};
    bool taken;
    if (!helped) return true;
    return rl_helpers_ask(h, 0, &late, sizeof late) && is_delivered(h, 0, late, &taken) && !taken &&
           !rl_helpers_ask(h, 0, &next, sizeof next) && is_delivered(h, 0, next, &taken) && !taken;
}

static bool too_long_jobs(rl_helpers *h, bool helped) {
    double *all = numbers(RL_HELPER_NUMBERS + 1);
    const bool refused = !helped || !rl_helpers_ask(h, 0, all, (RL_HELPER_NUMBERS + 1) * sizeof *all);
    rl_free(all);
    return refused;
}

static void check_helpers(report *r, const rl_context *context, check_of_helpers checked, const char *name) {
    const rl_helper_work work = {fold, sizeof(double), 0.1, fill_order, NULL};
    rl_helpers *helpers;
    bool ok = rl_helpers_create(context, &work, &helpers) == RL_OK;
    if (ok && r->rank == 0) {
        ok = checked(helpers, r->size > 1);
        rl_helpers_release(helpers);
    } else if (ok) {
        rl_help(helpers);
    }
    rl_helpers_destroy(helpers);
    check(r, ok, "%s", name);
}

int main(int argc, char **argv) {
    rl_context context;
    if (rl_context_create(&argc, &argv, &context) != RL_OK) return 1;
    report r = {.rank = context.rank, .size = context.size};
    check_helpers(&r, &context, asked_nothing, "helpers that are asked nothing are released");
    check_helpers(&r, &context, many_rows, "rows that are given away come back as they are made here");
    check_helpers(&r, &context, rows_that_nobody_takes, "narrow rows, and too many numbers, nobody takes");
    check_helpers(&r, &context, helper_that_hangs, "what a helper that hangs has not brought back is made here");
    check_helpers(&r, &context, large_jobs, "larger jobs are answered in their order, and rows go on meanwhile");
    check_helpers(&r, &context, answers_that_nobody_takes, "a helper whose answers nobody takes is released");
    check_helpers(&r, &context, answers_too_late, "a helper that answers too late is asked nothing any more");
    check_helpers(&r, &context, too_long_jobs, "a job that is too long is refused");
    if (r.rank == 0) printf("1..%d\n", r.done);
    rl_context_destroy(&context);
    return r.failed > 0;
}
