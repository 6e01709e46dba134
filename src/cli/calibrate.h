/* Private to `bench calibrate`: what its parts share. All are collective on the context. */
#ifndef RL_CLI_CALIBRATE_H
#define RL_CLI_CALIBRATE_H

#include "cli.h"

typedef struct rl_calibration {
    const rl_context *context;
    const rl_settings *settings;
    rl_process_grid *grid;
    rl_rates rates; /* as far as they are measured; the others are the default's */
    double ranks;
    double clock, processor; /* seconds of this rank's trials of kernels: by the clock, and that a processor worked */
    rl_progress progress;
} rl_calibration;

/* The best of several trials counts: other work on the machine only makes them slower. */
#define RL_TRIAL_SECONDS 0.05
enum { RL_TRIALS = 3 };

/* Noise can make a difference too small or negative: then this part of the whole is taken for it. */
#define RL_LEAST_PART 0.1

/* Kernels in memory and caches. RL_ERR_INPUT: the machine is busy with something else, and there is no --force. The
 * second measures as much as tells whether others have come since. */
rl_status rl_calibrate_kernels(rl_calibration *c);
rl_status rl_calibrate_again(rl_calibration *c);

/* Spectra on one rank: by LAPACK, row by row, side by side, and with many variants. */
rl_status rl_calibrate_dense(rl_calibration *c);
rl_status rl_calibrate_updates(rl_calibration *c);
rl_status rl_calibrate_lanes(rl_calibration *c);
rl_status rl_calibrate_cells(rl_calibration *c);

/* Rank 0's part of a study: journal and results file, in the folder for temporary files. */
rl_status rl_calibrate_files(rl_calibration *c);

/* On the process grid of all ranks: messages, and the steps of spectra. */
rl_status rl_calibrate_messages(rl_calibration *c);
rl_status rl_calibrate_producers(rl_calibration *c);

#endif
