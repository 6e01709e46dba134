/* `bench calibrate`: spectra and messages on the process grid of all ranks. */
#include <math.h>

#include "bench_case.h"
#include "calibrate.h"

enum { ORDER = 448, BLOCK = 64, FEW = 16, MANY = 384 };
static const double order_sq = (double)ORDER * ORDER;

/* The best of some trials with `rows` rows of Z on each rank. */
static rl_status time_producer(const rl_calibration *c, rl_producer producer, int rows, rl_timings *best) {
    rl_bench_case made;
    rl_spectrum_store store = {0};
    rl_spectrum spectrum;
    rl_status status = rl_bench_case_create(&made, c->grid, ORDER, ORDER, rows * c->context->size - 1);
    *best = (rl_timings){.reduce = INFINITY, .diagonalize = INFINITY};
    for (int i = 0; i < RL_TRIALS && status == RL_OK; i++) {
        rl_timings timings;
        status = rl_distributed_spectrum(c->grid, producer, BLOCK, &made.case_.c, &store, &spectrum, &timings);
        best->reduce = fmin(best->reduce, timings.reduce);
        best->diagonalize = fmin(best->diagonalize, timings.diagonalize);
    }
    rl_spectrum_store_destroy(&store);
    rl_bench_case_destroy(&made);
    return status;
}

/* Seconds divided by n^2, as a line over the rows of Z. */
typedef struct line {
    double slope, intercept;
} line;

static line line_through(double few_seconds, double many_seconds) {
    line l;
    l.slope = fmax(many_seconds - few_seconds, RL_LEAST_PART * many_seconds) / ((MANY - FEW) * order_sq);
    l.intercept = fmax(few_seconds / order_sq - (FEW + RL_N_TARGETS) * l.slope, RL_LEAST_PART * few_seconds / order_sq);
    return l;
}

static rl_status time_line(const rl_calibration *c, rl_producer producer, line *l, double *reduce) {
    rl_timings few, many;
    RL_TRY(time_producer(c, producer, FEW, &few));
    RL_TRY(time_producer(c, producer, MANY, &many));
    *l = line_through(few.diagonalize, many.diagonalize);
    *reduce = few.reduce;
    return RL_OK;
}

/* pdgesvd does all steps in one call. Its time less that of the reduction, of the serial part of bidiagonal QR and of
 * the multiplications by reflectors is the time of its rotations. */
static rl_status measure_pdgesvd(rl_calibration *c, double reduce) {
    rl_timings whole;
    rl_rates *r = &c->rates;
    RL_TRY(time_producer(c, RL_PRODUCER_PDGESVD, FEW, &whole));
    const double rest =
        whole.diagonalize - reduce - r->bidiagonal * order_sq - 4 * order_sq * ORDER / (r->gemm * c->ranks);
    const double rotated_rows = 2 * ceil(ORDER / c->ranks);
    r->pdgesvd_rotations = rotated_rows * order_sq / fmax(rest, RL_LEAST_PART * whole.diagonalize);
    return RL_OK;
}

rl_status rl_calibrate_producers(rl_calibration *c) {
    rl_rates *r = &c->rates;
    line bidiagonal, both;
    double reduce, ignored;
    RL_TRY(time_line(c, RL_PRODUCER_PROJECTED, &bidiagonal, &reduce));
    RL_TRY(time_line(c, RL_PRODUCER_TWO_STAGE, &both, &ignored));
    r->bidiagonal = bidiagonal.intercept;
    r->rotations = 1 / bidiagonal.slope;
    r->band = fmax(both.intercept - bidiagonal.intercept, RL_LEAST_PART * both.intercept) / BLOCK;
    r->band_rotations = 1 / fmax(both.slope - bidiagonal.slope, RL_LEAST_PART * both.slope);
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
