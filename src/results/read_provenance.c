/* What a run has said of itself, read back from its results file. */
#include <string.h>

#include "internal.h"

static rl_status read_numbers(const rl_nc *file, int group, const char *name, size_t n, rl_provenance *p) {
    double *numbers;
    RL_TRY(RL_ALLOC(numbers, n));
    const int code = nc_get_att_double(group, NC_GLOBAL, name, numbers);
    const rl_status status = code == NC_NOERR ? rl_provenance_numbers(p, name, numbers, (int)n)
                                              : rl_nc_fail(file, code, "nc_get_att_double");
    rl_free(numbers);
    return status;
}

static rl_status read_attribute(const rl_nc *file, int group, int index, rl_provenance *p) {
    char name[NC_MAX_NAME + 1], *text = NULL;
    nc_type type;
    size_t n;
    RL_NC(file, nc_inq_attname(group, NC_GLOBAL, index, name));
    RL_NC(file, nc_inq_att(group, NC_GLOBAL, name, &type, &n));
    if (type == NC_DOUBLE) return read_numbers(file, group, name, n, p);
    rl_status status = rl_nc_get_text(file, group, name, &text);
    if (status == RL_OK) status = rl_provenance_text(p, name, text);
    rl_free(text);
    return status;
}

/* A list too long for an attribute: a variable of one dimension. */
static rl_status read_list(const rl_nc *file, int group, int id, size_t most_bytes, rl_provenance *p) {
    char name[NC_MAX_NAME + 1];
    int n_dimensions, dimension;
    nc_type type;
    size_t n;
    double *numbers;
    RL_NC(file, nc_inq_var(group, id, name, &type, &n_dimensions, NULL, NULL));
    if (type != NC_DOUBLE || n_dimensions != 1) return RL_OK;
    RL_NC(file, nc_inq_vardimid(group, id, &dimension));
    RL_NC(file, nc_inq_dimlen(group, dimension, &n));
    if (n > most_bytes / sizeof *numbers) return RL_OK;
    RL_TRY(RL_ALLOC(numbers, n));
    const int code = nc_get_var_double(group, id, numbers);
    const rl_status status = code == NC_NOERR ? rl_provenance_numbers(p, name, numbers, (int)n)
                                              : rl_nc_fail(file, code, "nc_get_var_double");
    rl_free(numbers);
    return status;
}

static rl_status read_group(const rl_nc *file, rl_provenance *p) {
    enum { MOST_LISTS = 1024 };
    static const size_t most_bytes = (size_t)1 << 30;
    int group, n_attributes, n_lists, lists[MOST_LISTS];
    RL_NC(file, nc_inq_grp_ncid(file->id, "provenance", &group));
    RL_NC(file, nc_inq(group, NULL, NULL, &n_attributes, NULL));
    for (int i = 0; i < n_attributes; i++) RL_TRY(read_attribute(file, group, i, p));
    RL_NC(file, nc_inq_varids(group, &n_lists, NULL));
    if (n_lists > MOST_LISTS)
        return rl_fail(RL_ERR_INPUT, "%s: has too many lists of a run, expected a results file of ridgeless",
                       file->path);
    RL_NC(file, nc_inq_varids(group, &n_lists, lists));
    for (int i = 0; i < n_lists; i++) RL_TRY(read_list(file, group, lists[i], most_bytes, p));
    return RL_OK;
}

rl_status rl_results_read_provenance(const char *path, const rl_plan *plan, rl_provenance *provenance) {
    rl_nc file;
    *provenance = (rl_provenance){0};
    RL_TRY(rl_results_open(path, plan, &file));
    const rl_status status = read_group(&file, provenance);
    nc_close(file.id);
    if (status != RL_OK) rl_provenance_destroy(provenance);
    return status;
}

const rl_provenance_entry *rl_provenance_find(const rl_provenance *provenance, const char *name) {
    for (int i = 0; i < provenance->n; i++)
        if (strcmp(provenance->entries[i].name, name) == 0) return &provenance->entries[i];
    return NULL;
}
