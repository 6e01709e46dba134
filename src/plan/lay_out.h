/* Private to `plan`: the steps from a study to its tasks. */
#ifndef RL_PLAN_LAY_OUT_H
#define RL_PLAN_LAY_OUT_H

#include "ridgeless/plan.h"

/* The view of a data set at the index-th of its numbers of features, or the only one. */
rl_view_request rl_view_request_of(const rl_study_dataset *spec, int index);

/* Fill plan->datasets, for which there is room: from files, or from datasets[n], see rl_plan_create_with. */
rl_status rl_load_datasets(const rl_study *study, const rl_plan_options *options, rl_plan *plan);
rl_status rl_take_datasets(const rl_study *study, rl_dataset *datasets, int n, rl_plan *plan);

/* Makes n_train, max_modes, sigma_wanted and full of a series of a data set. */
rl_status rl_series_n_train(rl_series *series);

#endif
