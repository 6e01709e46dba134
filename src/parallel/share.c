#include <string.h>

#include "run.h"

enum { PIECE = 1 << 30 }; /* MPI counts are ints */

rl_status rl_broadcast(const rl_context *context, void *bytes, size_t size) {
    for (size_t done = 0; done < size; done += PIECE) {
        const size_t left = size - done;
        RL_MPI(MPI_Bcast((char *)bytes + done, (int)(left < PIECE ? left : PIECE), MPI_BYTE, 0, context->comm));
    }
    return RL_OK;
}

/* Rank 0's *array of count x size bytes, allocated on the others. NULL stays NULL. `pointer` is the address of the
 * pointer. */
static rl_status broadcast_array(const rl_context *context, void *pointer, size_t count, size_t size) {
    void *array = NULL;
    memcpy(&array, pointer, sizeof array);
    int present = array != NULL;
    RL_TRY(rl_broadcast(context, &present, sizeof present));
    if (!present) array = NULL;
    const rl_status status = present && context->rank != 0 ? rl_alloc(&array, count, size) : RL_OK;
    if (context->rank != 0) memcpy(pointer, &array, sizeof array);
    RL_TRY(rl_context_agree(context, status));
    return present ? rl_broadcast(context, array, count * size) : RL_OK;
}

static rl_status broadcast_text(const rl_context *context, char **text) {
    size_t bytes = *text != NULL ? strlen(*text) + 1 : 0;
    RL_TRY(rl_broadcast(context, &bytes, sizeof bytes));
    return broadcast_array(context, text, bytes, 1);
}

static rl_status broadcast_dataset(const rl_context *context, rl_dataset *d) {
    char *name = d->name, *origin = d->origin;
    char *table = d->file.path, *variable = d->file.features;
    double *x = d->x, *y = d->y, *beta_star = d->beta_star, *teacher = d->teacher.beta, *scale = d->teacher.scale;
    double *drawn = d->function.drawn;
    double *deviations = d->deviations, *axes = d->axes;
    rl_dataset plain = *d;
    RL_TRY(rl_broadcast(context, &plain, sizeof plain));
    const size_t rows = (size_t)plain.n_rows, features = (size_t)plain.n_features;
    rl_status status;
    RL_TRY_GOTO(broadcast_text(context, &name), done);
    RL_TRY_GOTO(broadcast_text(context, &origin), done);
    RL_TRY_GOTO(broadcast_text(context, &table), done);
    RL_TRY_GOTO(broadcast_text(context, &variable), done);
    RL_TRY_GOTO(broadcast_array(context, &x, rows * features, sizeof *x), done);
    RL_TRY_GOTO(broadcast_array(context, &y, rows, sizeof *y), done);
    RL_TRY_GOTO(broadcast_array(context, &beta_star, features, sizeof *beta_star), done);
    RL_TRY_GOTO(broadcast_array(context, &teacher, (size_t)plain.teacher.n_hidden, sizeof *teacher), done);
    RL_TRY_GOTO(broadcast_array(context, &scale, (size_t)plain.teacher.n_hidden, sizeof *scale), done);
    RL_TRY_GOTO(broadcast_array(context, &drawn, (size_t)plain.function.n_drawn, sizeof *drawn), done);
    RL_TRY_GOTO(broadcast_array(context, &deviations, features, sizeof *deviations), done);
    RL_TRY_GOTO(broadcast_array(context, &axes, features * features, sizeof *axes), done);
done:
    *d = plain;
    d->name = name;
    d->origin = origin;
    d->file.path = table;
    d->file.features = variable;
    d->x = x;
    d->y = y;
    d->beta_star = beta_star;
    d->teacher.beta = teacher;
    d->teacher.scale = scale;
    d->function.drawn = drawn;
    d->deviations = deviations;
    d->axes = axes;
    return status;
}

/* On ranks other than 0: reads the study from rank 0's text and makes the plan of `n` data sets that rank 0 sends. */
static rl_status receive_plan(const rl_context *context, char *path, char *text, int n, rl_study *study,
                              rl_plan *plan) {
    const int repeats = study->repeats; /* rank 0's, which the command line may have changed */
    rl_dataset *datasets = NULL;
    rl_status status = RL_ALLOC(datasets, n);
    status = rl_context_agree(context, status);
    for (int i = 0; i < n && status == RL_OK; i++) status = broadcast_dataset(context, &datasets[i]);
    if (status == RL_OK) status = rl_study_parse(path, text, study);
    study->repeats = repeats;
    if (status == RL_OK)
        status = rl_plan_create_with(study, datasets, n, plan);
    else
        for (int i = 0; datasets != NULL && i < n; i++) rl_dataset_destroy(&datasets[i]);
    rl_free(datasets);
    rl_free(path);
    rl_free(text);
    return status;
}

static rl_status send_plan(const rl_context *context, rl_plan *plan) {
    RL_TRY(rl_context_agree(context, RL_OK));
    for (int i = 0; i < plan->n_datasets; i++) RL_TRY(broadcast_dataset(context, &plan->datasets[i]));
    return RL_OK;
}

/* The autoencoders of rank 0's plan. */
static rl_status share_trainings(const rl_context *context, const rl_study *study, rl_plan *plan) {
    bool *wanted = NULL;
    const size_t n = (size_t)study->n_autoencoders;
    RL_TRY(rl_context_agree(context, RL_ALLOC(wanted, n)));
    for (int i = 0; context->rank == 0 && i < plan->n_training_grids; i++)
        wanted[plan->training_grids[i].spec - study->autoencoders] = true;
    rl_status status = rl_broadcast(context, wanted, n * sizeof *wanted);
    if (status == RL_OK && context->rank != 0) status = rl_plan_trainings(plan, wanted);
    rl_free(wanted);
    return rl_context_agree(context, status);
}

rl_status rl_parallel_share_plan(const rl_context *context, rl_study *study, rl_plan *plan) {
    const bool root = context->rank == 0;
    char *path = root ? study->path : NULL, *text = root ? study->text : NULL;
    int n = root ? plan->n_datasets : 0;
    RL_TRY(broadcast_text(context, &path));
    RL_TRY(broadcast_text(context, &text));
    RL_TRY(rl_broadcast(context, &n, sizeof n));
    RL_TRY(rl_broadcast(context, &study->repeats, sizeof study->repeats));
    const rl_status status = root ? send_plan(context, plan) : receive_plan(context, path, text, n, study, plan);
    RL_TRY(rl_context_agree(context, status));
    return share_trainings(context, study, plan);
}

rl_status rl_parallel_complete_plan(const rl_context *context, rl_plan *plan) {
    for (int i = 0; i < plan->n_datasets; i++) {
        rl_dataset *data = &plan->datasets[i];
        rl_process_grid *grid = NULL;
        if (!rl_dataset_in_blocks(data)) continue;
        RL_TRY(rl_context_agree(context, rl_process_grid_create(context->comm, 0, 0, &grid)));
        const rl_status status = rl_distributed_least_squares(grid, plan->study->block, data, data->beta_star);
        rl_process_grid_destroy(grid);
        RL_TRY(status);
    }
    return RL_OK;
}
