/* `bench calibrate`: spectra on process grids of one rank, and messages on that of all ranks. */
#include <math.h>

#include "bench_case.h"
#include "calibrate.h"

enum { ORDER = 448, BLOCK = 64, FEW = 16, MANY = 384 };
static const double order_sq = (double)ORDER * ORDER;

/* The best of some trials on a grid of this rank alone, of its own share of the work: all ranks are busy with it. */
static rl_status time_alone(const rl_process_grid *alone, rl_producer producer, int rows, rl_timings *best) {
    rl_bench_case made;
    rl_spectrum_store store = {0};
    rl_spectrum spectrum;
    rl_status status = rl_bench_case_create(&made, alone, ORDER, ORDER, rows - 1);
    *best = (rl_timings){.reduce = INFINITY, .diagonalize = INFINITY};
    for (int i = 0; i < RL_TRIALS && status == RL_OK; i++) {
        rl_timings timings;
        status = rl_distributed_spectrum(alone, producer, BLOCK, &made.case_.c, &store, &spectrum, &timings);
        best->reduce = fmin(best->reduce, timings.reduce);
        best->diagonalize = fmin(best->diagonalize, timings.diagonalize);
    }
    rl_spectrum_store_destroy(&store);
    rl_bench_case_destroy(&made);
    return status;
}

static rl_status time_producer(const rl_calibration *c, rl_producer producer, int rows, rl_timings *best) {
    rl_process_grid *alone = NULL;
    rl_status status = rl_process_grid_create_alone(&alone);
    if (status == RL_OK) status = time_alone(alone, producer, rows, best);
    rl_process_grid_destroy(alone);
    return rl_process_grid_agree(c->grid, status);
}

/* Seconds for few rows of Z and for many. */
typedef struct seconds {
    double few, many;
} seconds;

/* Seconds per row and n^2, and what remains without rows; `turned` are turned where rows are few. */
typedef struct line {
    double slope, intercept;
} line;

static line line_through(seconds s, int turned) {
    line l;
    l.slope = fmax(s.many - s.few, RL_LEAST_PART * s.many) / ((MANY - FEW) * order_sq);
    l.intercept = fmax(s.few - turned * l.slope * order_sq, RL_LEAST_PART * s.few);
    return l;
}

static rl_status time_diagonalizing(const rl_calibration *c, rl_producer producer, seconds *s, double *reduce) {
    rl_timings few, many;
    RL_TRY(time_producer(c, producer, FEW, &few));
    RL_TRY(time_producer(c, producer, MANY, &many));
    *s = (seconds){few.diagonalize, many.diagonalize};
    *reduce = few.reduce;
    return RL_OK;
}

/* What more the second one takes; measured times scatter, and it takes something. */
static seconds difference(seconds a, seconds b) {
    return (seconds){fmax(b.few - a.few, RL_LEAST_PART * b.few), fmax(b.many - a.many, RL_LEAST_PART * b.many)};
}

/* pdgesvd does all steps in one call. Its time less that of the reduction and of the multiplications by reflectors is
 * the time of its rotations, and of making them. */
static rl_status measure_pdgesvd(rl_calibration *c, double reduce) {
    rl_timings whole;
    rl_rates *r = &c->rates;
    RL_TRY(time_producer(c, RL_PRODUCER_PDGESVD, FEW, &whole));
    const double rest = whole.diagonalize - reduce - 4 * order_sq * ORDER / r->gemm;
    r->pdgesvd_rotations = 2 * ORDER * order_sq / fmax(rest, RL_LEAST_PART * whole.diagonalize);
    return RL_OK;
}

rl_status rl_calibrate_producers(rl_calibration *c) {
    rl_rates *r = &c->rates;
    seconds alone, both;
    double reduce, ignored;
    RL_TRY(time_diagonalizing(c, RL_PRODUCER_PROJECTED, &alone, &reduce));
    RL_TRY(time_diagonalizing(c, RL_PRODUCER_TWO_STAGE, &both, &ignored));
    const line bidiagonal = line_through(alone, FEW + RL_TURNED_TOGETHER);
    const line band = line_through(difference(alone, both), FEW + RL_N_TARGETS);
    r->bidiagonal = bidiagonal.intercept / (ORDER * ((double)ORDER + RL_MODE_STEPS));
    r->rotations = 1 / bidiagonal.slope;
    r->band = band.intercept / (order_sq * BLOCK);
    r->band_rotations = 1 / band.slope;
    return measure_pdgesvd(c, reduce);
}

/* A single rank sends no messages: the default rates of messages stay. */
rl_status rl_calibrate_messages(rl_calibration *c) {
    rl_message_costs costs;
    RL_TRY(rl_measure_messages(c->grid, &costs));
    c->rates.column = costs.column;
    if (costs.latency > 0) c->rates.message = costs.latency;
    if (costs.bandwidth > 0) c->rates.message_bandwidth = costs.bandwidth;
    return RL_OK;
}
