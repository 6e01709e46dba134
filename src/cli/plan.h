/* Private to the command line: what `plan` answers, and who prints it. */
#ifndef RL_CLI_PLAN_H
#define RL_CLI_PLAN_H

#include "cli.h"

typedef struct rl_answer {
    const rl_settings *settings;
    const rl_prepared *prepared;
    rl_rates rates;
    char *rates_source; /* owned */
    rl_outlook outlook;
    rl_advice advice;
    rl_estimate asked;           /* on the ranks that --ranks asks for; empty without it */
    const rl_estimate *estimate; /* what is answered: those, or what is advised */
    rl_tally curves, trainings;
    double flops;
} rl_answer;

/* `plan --scaling`: what the study would take on 1, 2, 4, ... ranks, and what bounds it there. */
rl_status rl_print_scaling(const rl_answer *answer);

void rl_print_plan_text(const rl_answer *answer);
rl_status rl_print_plan_json(const rl_answer *answer);

/* "full spectra, updated row by row", or the kind of work where there are no methods. */
const char *rl_how_computed(const rl_series *series);

/* The shape of a process grid of so many ranks, on which cases of the series are. */
rl_grid_shape rl_planned_shape(const rl_series *series, int ranks);

int64_t rl_count_cells(const rl_answer *answer);

/* Appends one sentence: how many ranks to use, and why no more. */
rl_status rl_advise_in_words(const rl_advice *advice, rl_text *text);

/* Prints the seconds and the memory that are predicted beside those that the results file settings->compare says the
 * run took which wrote it: one line for each data set, and for all. */
rl_status rl_compare_plan(const rl_settings *settings, const rl_prepared *prepared);

#endif
