/* Rank 0's study, data sets and plan, to all ranks. */
#include <string.h>

#include "dispatch.h"

enum { PIECE = 1 << 30 }; /* MPI counts are ints */

void rl_broadcast(const rl_context *context, void *bytes, size_t size) {
    for (size_t done = 0; done < size; done += PIECE) {
        const size_t left = size - done;
        RL_MPI(MPI_Bcast((char *)bytes + done, (int)(left < PIECE ? left : PIECE), MPI_BYTE, 0, context->comm));
    }
}

/* Rank 0's array, allocated on the others. NULL stays NULL. */
static rl_status broadcast_array(const rl_context *context, const rl_dataset_array *a) {
    void *array;
    memcpy(&array, a->pointer, sizeof array); /* the pointer may have any type */
    size_t sent[] = {array != NULL, a->count * a->size};
    rl_broadcast(context, sent, sizeof sent);
    if (sent[0] == 0) return RL_OK;
    rl_status status = RL_OK;
    if (context->rank != 0) {
        status = rl_alloc(&array, sent[1], 1);
        memcpy(a->pointer, &array, sizeof array);
    }
    RL_TRY(rl_context_agree(context, status));
    rl_broadcast(context, array, sent[1]);
    return RL_OK;
}

/* On the other ranks *text is NULL before. */
static rl_status broadcast_text(const rl_context *context, char **text) {
    return broadcast_array(context, &(rl_dataset_array){text, *text != NULL ? strlen(*text) + 1 : 0, 1});
}

/* Rank 0's dataset into an empty one of the others, which may be destroyed whatever happens. */
static rl_status broadcast_dataset(const rl_context *context, rl_dataset *dataset) {
    rl_dataset_array arrays[RL_DATASET_ARRAYS];
    rl_dataset plain = *dataset;
    rl_dataset_arrays(&plain, arrays);
    for (int i = 0; i < RL_DATASET_ARRAYS; i++) memset(arrays[i].pointer, 0, sizeof(void *));
    RL_BROADCAST(context, &plain, 1);
    if (context->rank != 0) *dataset = plain;
    rl_dataset_arrays(dataset, arrays);
    for (int i = 0; i < RL_DATASET_ARRAYS; i++) RL_TRY(broadcast_array(context, &arrays[i]));
    return RL_OK;
}

/* What rank 0 sends beside the data sets. */
typedef struct plan_parts {
    char *path, *text; /* of the study; on other ranks owned */
    int n_datasets, n_autoencoders;
    bool *wanted; /* [n_autoencoders]: those of rank 0's plan; owned */
} plan_parts;

static rl_status share_parts(const rl_context *context, const rl_study *study, const rl_plan *plan, plan_parts *p) {
    const bool root = context->rank == 0;
    if (root) *p = (plan_parts){study->path, study->text, plan->n_datasets, study->n_autoencoders, NULL};
    RL_TRY(broadcast_text(context, &p->path));
    RL_TRY(broadcast_text(context, &p->text));
    RL_BROADCAST(context, &p->n_datasets, 1);
    RL_BROADCAST(context, &p->n_autoencoders, 1);
    RL_TRY(rl_context_agree(context, RL_ALLOC(p->wanted, p->n_autoencoders)));
    for (int i = 0; root && i < plan->n_series; i++)
        if (plan->series[i].autoencoder != NULL) p->wanted[plan->series[i].autoencoder - study->autoencoders] = true;
    RL_BROADCAST(context, p->wanted, p->n_autoencoders);
    return RL_OK;
}

/* On ranks other than 0: reads the study from rank 0's text and makes the plan of the data sets that rank 0 sends. */
static rl_status receive_plan(const rl_context *context, const plan_parts *p, rl_study *study, rl_plan *plan) {
    const int repeats = study->repeats, n = p->n_datasets; /* rank 0's, which the command line may have changed */
    rl_dataset *datasets = NULL;
    rl_status status = rl_context_agree(context, RL_ALLOC(datasets, n));
    for (int i = 0; i < n && status == RL_OK; i++) status = broadcast_dataset(context, &datasets[i]);
    if (status == RL_OK) status = rl_study_parse(p->path, p->text, study);
    study->repeats = repeats;
    if (status == RL_OK) status = rl_plan_create_with(study, datasets, n, p->wanted, plan);
    for (int i = 0; datasets != NULL && i < n; i++) rl_dataset_destroy(&datasets[i]); /* what the plan did not take */
    rl_free(datasets);
    return status;
}

static rl_status send_plan(const rl_context *context, rl_plan *plan) {
    RL_TRY(rl_context_agree(context, RL_OK));
    for (int i = 0; i < plan->n_datasets; i++) RL_TRY(broadcast_dataset(context, &plan->datasets[i]));
    return RL_OK;
}

rl_status rl_parallel_share_plan(const rl_context *context, rl_study *study, rl_plan *plan) {
    const bool root = context->rank == 0;
    plan_parts parts = {0};
    RL_BROADCAST(context, &study->repeats, 1);
    rl_status status = share_parts(context, study, plan, &parts);
    if (status == RL_OK) status = root ? send_plan(context, plan) : receive_plan(context, &parts, study, plan);
    if (!root) rl_free(parts.path);
    if (!root) rl_free(parts.text);
    rl_free(parts.wanted);
    return rl_context_agree(context, status);
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
