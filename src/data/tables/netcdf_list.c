/* What is in a NetCDF file: its variables, in all groups, and the dimensions that they share. */
#include <string.h>

#include "../../numbers.h"
#include "netcdf_variable.h"

rl_status rl_nc_variable_inquire(const rl_nc *file, int group, int id, const char *path, rl_nc_variable *v) {
    int dimensions[NC_MAX_VAR_DIMS];
    *v = (rl_nc_variable){.group = group, .id = id, .path = path, .length = {1, 1}};
    RL_NC(file, nc_inq_var(group, id, NULL, &v->type, &v->n_dimensions, dimensions, NULL));
    for (int i = 0; i < v->n_dimensions && i < 2; i++) {
        v->dimension[i] = dimensions[i];
        RL_NC(file, nc_inq_dimlen(group, dimensions[i], &v->length[i]));
    }
    return RL_OK;
}

bool rl_nc_variable_is_numeric(const rl_nc_variable *v) {
    return v->type >= NC_BYTE && v->type <= NC_UINT64 && v->type != NC_CHAR;
}

rl_status rl_nc_variable_is_coordinate(const rl_nc *file, const rl_nc_variable *v, bool *coordinate) {
    char name[NC_MAX_NAME + 1], dimension[NC_MAX_NAME + 1];
    *coordinate = false;
    if (v->n_dimensions != 1) return RL_OK;
    RL_NC(file, nc_inq_varname(v->group, v->id, name));
    RL_NC(file, nc_inq_dimname(v->group, v->dimension[0], dimension));
    *coordinate = strcmp(name, dimension) == 0;
    return RL_OK;
}

rl_status rl_nc_dimension_is_nameless(const rl_nc *file, const rl_nc_variable *v, int i, bool *nameless) {
    char name[NC_MAX_NAME + 1];
    RL_NC(file, nc_inq_dimname(v->group, v->dimension[i], name));
    *nameless = strncmp(name, "phony_dim_", strlen("phony_dim_")) == 0;
    return RL_OK;
}

/* ---- all variables ----------------------------------------------------------------------------------------------- */

/* A list that is being made: paths and names stand in the text one after the other, as it may move while it grows. */
typedef struct listing {
    const rl_nc *file;
    rl_nc_list *list;
    int capacity;
} listing;

static rl_status list_variable(listing *l, int group, int id, const char *prefix) {
    rl_nc_list *list = l->list;
    char name[NC_MAX_NAME + 1];
    if (list->n == l->capacity) {
        l->capacity = 2 * l->capacity + 64;
        RL_TRY(RL_GROW(list->variables, list->n, l->capacity));
    }
    RL_TRY(rl_nc_variable_inquire(l->file, group, id, NULL, &list->variables[list->n]));
    list->n++;
    RL_NC(l->file, nc_inq_varname(group, id, name));
    RL_TRY(rl_text_append(&list->texts, "%s%s", prefix, name));
    return rl_text_append_bytes(&list->texts, "", 1);
}

static rl_status list_group(listing *l, int group, const char *prefix);

static rl_status list_subgroup(listing *l, int group, const char *prefix) {
    char name[NC_MAX_NAME + 1];
    rl_text path = RL_TEXT_EMPTY;
    RL_NC(l->file, nc_inq_grpname(group, name));
    rl_status status = rl_text_append(&path, "%s%s/", prefix, name);
    if (status == RL_OK) status = list_group(l, group, path.bytes);
    rl_free(path.bytes);
    return status;
}

static rl_status list_group(listing *l, int group, const char *prefix) {
    int n, n_groups = 0, *groups;
    RL_NC(l->file, nc_inq_nvars(group, &n));
    for (int id = 0; id < n; id++) RL_TRY(list_variable(l, group, id, prefix));
    RL_NC(l->file, nc_inq_grps(group, &n_groups, NULL));
    RL_TRY(RL_ALLOC(groups, n_groups));
    const int code = n_groups > 0 ? nc_inq_grps(group, &n_groups, groups) : NC_NOERR;
    rl_status status = code == NC_NOERR ? RL_OK : rl_nc_fail(l->file, code, "nc_inq_grps");
    for (int i = 0; i < n_groups && status == RL_OK; i++) status = list_subgroup(l, groups[i], prefix);
    rl_free(groups);
    return status;
}

/* Behind all paths come as many names: the paths with their blanks folded. */
static rl_status name_variables(rl_nc_list *list) {
    const size_t length = list->texts.length;
    RL_TRY(RL_ALLOC(list->names, list->n));
    if (list->n == 0) return RL_OK;
    RL_TRY(RL_GROW(list->texts.bytes, length, 2 * length));
    char *path = list->texts.bytes, *name = path + length;
    for (int i = 0; i < list->n; i++, path += strlen(path) + 1) {
        list->variables[i].path = path;
        list->names[i] = strcpy(name, path);
        rl_fold_blanks(name);
        name += strlen(name) + 1;
    }
    return rl_columns_sort(list->names, list->n, &list->sorted);
}

rl_status rl_nc_list_create(const rl_nc *file, rl_nc_list *list) {
    *list = (rl_nc_list){0};
    RL_TRY(list_group(&(listing){.file = file, .list = list}, file->id, ""));
    return name_variables(list);
}

void rl_nc_list_destroy(rl_nc_list *list) {
    rl_free(list->variables);
    rl_free(list->names);
    rl_free(list->sorted);
    rl_free(list->texts.bytes);
    *list = (rl_nc_list){0};
}

/* ---- for messages ------------------------------------------------------------------------------------------------ */

rl_status rl_nc_variable_shape(const rl_nc *file, const rl_nc_variable *v, rl_text *text) {
    char type_name[NC_MAX_NAME + 1];
    int dimensions[NC_MAX_VAR_DIMS];
    size_t length;
    RL_NC(file, nc_inq_type(v->group, v->type, type_name, NULL));
    RL_NC(file, nc_inq_vardimid(v->group, v->id, dimensions));
    RL_TRY(rl_text_append(text, "%s(", type_name));
    for (int i = 0; i < v->n_dimensions; i++) {
        RL_NC(file, nc_inq_dimlen(v->group, dimensions[i], &length));
        RL_TRY(rl_text_append(text, "%s%zu", i == 0 ? "" : ", ", length));
    }
    return rl_text_append(text, ")");
}

rl_status rl_nc_list_text(const rl_nc *file, const rl_nc_list *list, rl_text *text) {
    enum { MOST = 30, LONGEST = 60 };
    const int n = rl_smaller(list->n, (int)MOST);
    if (n == 0) return rl_text_append(text, "none");
    for (int i = 0; i < n; i++) {
        RL_TRY(rl_text_append(text, i > 0 ? ", `" : "`"));
        RL_TRY(rl_text_append_printable(text, list->names[i], LONGEST));
        RL_TRY(rl_text_append(text, "` "));
        RL_TRY(rl_nc_variable_shape(file, &list->variables[i], text));
    }
    return list->n == n ? RL_OK : rl_text_append(text, ", ... (%d variables)", list->n);
}
