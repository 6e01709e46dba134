/* Spills. Sets of very many repeats are too many for a slab (writer.h), and a slab of a few of them would take a pass
 * over the records for each few. So blocks of all sets at some repeats, which one pass makes, wait in a file without a
 * name beside the output, which goes with the process; then all repeats of some sets are read from it at a time. */
#ifndef RL_RESULTS_SPILL_H
#define RL_RESULTS_SPILL_H

#include "ridgeless/core.h"

typedef struct spill {
    const char *output; /* which failures (RL_ERR_IO) name; borrowed */
    int fd;
    size_t length; /* values that were put */
    uint64_t sum;  /* of the checksums of rows that were put, less that of those that were read */
} spill;

/* Takes room on the disk for so many values, where the file system can. It is to be destroyed, on failure too. */
rl_status rl_spill_create(const char *output, size_t n_values, spill *s);
void rl_spill_destroy(spill *s);

/* Puts rows[n, width] behind what is there. Reads such rows again, from value `at` of the file on, `stride` apart. */
rl_status rl_spill_put(spill *s, size_t n, size_t width, const double *rows);
rl_status rl_spill_get(spill *s, size_t at, size_t n, size_t width, size_t stride, double *rows);

/* When every row that was put has been read once: whether all are what was put. */
rl_status rl_spill_check(const spill *s);

#endif
