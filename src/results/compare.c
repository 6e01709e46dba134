/* Two results files are compared: their groups, the attributes that count, and every variable that both have. */
#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "dataset.h"

rl_status rl_add_mismatch(rl_comparison *comparison, rl_mismatch **mismatch) {
    RL_TRY(RL_GROW(comparison->mismatches, comparison->n_mismatches, comparison->n_mismatches + 1));
    *mismatch = &comparison->mismatches[comparison->n_mismatches++];
    return RL_OK;
}

static rl_status add_mismatch(rl_comparison *comparison, rl_mismatch_kind kind, int file, const char *in,
                              const char *name) {
    rl_mismatch *mismatch;
    RL_TRY(rl_add_mismatch(comparison, &mismatch));
    *mismatch = (rl_mismatch){.kind = kind, .file = file};
    snprintf(mismatch->group, sizeof mismatch->group, "%s", in);
    snprintf(mismatch->name, sizeof mismatch->name, "%s", name);
    rl_make_printable(mismatch->group);
    rl_make_printable(mismatch->name);
    return RL_OK;
}

/* ---- attributes -------------------------------------------------------------------------------------------------- */

/* Where an attribute stands in both files; variable NULL: it is the group's, and of no group the file's. */
typedef struct holder {
    const rl_nc *files;
    int groups[2], ids[2];
    const char *group, *variable;
    const rl_pair *pair; /* NULL: the files' own */
} holder;

/* Of what counts: everything that a group says of itself, but for what only repeats its coordinates or tells of a
 * paper; and what numbers of a variable mean. The rest is text for people, and the study's own. */
static bool is_counted(const holder *h, const char *name) {
    static const char *const of_variables[] = {"units", "_FillValue", "flag_values", "flag_meanings"};
    static const char *const repeated[] = {"threshold", "rank", "scales_apart", "references"};
    if (h->pair == NULL) return false;
    if (h->variable != NULL) {
        for (size_t i = 0; i < sizeof of_variables / sizeof *of_variables; i++)
            if (strcmp(name, of_variables[i]) == 0) return true;
        return false;
    }
    for (size_t i = 0; i < sizeof repeated / sizeof *repeated; i++)
        if (strcmp(name, repeated[i]) == 0) return false;
    return rl_pair_axis(h->pair, name) == NULL;
}

/* Names that follow each other in a text, each once. */
static rl_status list_text(rl_text *texts, const char *name) {
    const size_t length = strlen(name);
    for (const char *at = texts->bytes; at != NULL && (at = strstr(at, name)) != NULL; at += length)
        if ((at == texts->bytes || at[-1] == ' ') && (at[length] == '\0' || at[length] == ',')) return RL_OK;
    return rl_text_append(texts, "%s%s", texts->length > 0 ? ", " : "", name);
}

static rl_status note_attribute(const holder *h, const char *name, int file, rl_comparison *comparison) {
    char text[RL_NAME_BYTES];
    if (!is_counted(h, name))
        return h->pair == NULL || h->variable != NULL ? list_text(&comparison->texts, name) : RL_OK;
    snprintf(text, sizeof text, "%s%s%s", h->variable != NULL ? h->variable : "", h->variable != NULL ? ":" : "", name);
    return add_mismatch(comparison, RL_MISMATCH_ATTRIBUTE, file, h->group, text);
}

/* Its bytes; of texts one after the other, each with its zero. */
static rl_status read_attribute(const holder *h, int f, const char *name, nc_type type, size_t n, rl_text *bytes) {
    size_t size;
    char **texts;
    RL_NC(&h->files[f], nc_inq_type(h->groups[f], type, NULL, &size));
    RL_TRY(rl_alloc(&texts, n + 1, size > sizeof *texts ? size : sizeof *texts));
    const int code = nc_get_att(h->groups[f], h->ids[f], name, texts);
    rl_status status = code == NC_NOERR ? RL_OK : rl_nc_fail(&h->files[f], code, "nc_get_att");
    if (status == RL_OK && type != NC_STRING) status = rl_text_append_bytes(bytes, texts, n * size);
    for (size_t i = 0; type == NC_STRING && i < n && status == RL_OK; i++)
        status =
            rl_text_append_bytes(bytes, texts[i] == NULL ? "" : texts[i], texts[i] == NULL ? 1 : strlen(texts[i]) + 1);
    if (type == NC_STRING && code == NC_NOERR) nc_free_string(n, texts);
    rl_free(texts);
    return status;
}

static rl_status compare_attribute(const holder *h, const char *name, rl_comparison *comparison) {
    nc_type types[2];
    size_t n[2];
    rl_text bytes[2] = {RL_TEXT_EMPTY, RL_TEXT_EMPTY};
    rl_status status = RL_OK;
    for (int f = 0; f < 2; f++) RL_NC(&h->files[f], nc_inq_att(h->groups[f], h->ids[f], name, &types[f], &n[f]));
    bool same = types[0] == types[1] && n[0] == n[1];
    if (same && types[0] <= NC_STRING) {
        for (int f = 0; f < 2 && status == RL_OK; f++) status = read_attribute(h, f, name, types[f], n[f], &bytes[f]);
        same = status == RL_OK && bytes[0].length == bytes[1].length &&
               (bytes[0].length == 0 || memcmp(bytes[0].bytes, bytes[1].bytes, bytes[0].length) == 0);
    }
    for (int f = 0; f < 2; f++) rl_free(bytes[f].bytes);
    return status != RL_OK || same ? status : note_attribute(h, name, RL_BOTH_FILES, comparison);
}

static rl_status compare_attributes(const holder *h, rl_comparison *comparison) {
    for (int f = 0; f < 2; f++) {
        int n;
        RL_NC(&h->files[f], nc_inq_varnatts(h->groups[f], h->ids[f], &n));
        for (int i = 0; i < n; i++) {
            char name[NC_MAX_NAME + 1];
            int id;
            RL_NC(&h->files[f], nc_inq_attname(h->groups[f], h->ids[f], i, name));
            if (nc_inq_attid(h->groups[1 - f], h->ids[1 - f], name, &id) != NC_NOERR)
                RL_TRY(note_attribute(h, name, f, comparison));
            else if (f == 0)
                RL_TRY(compare_attribute(h, name, comparison));
        }
    }
    return RL_OK;
}

/* ---- variables --------------------------------------------------------------------------------------------------- */

/* The field that a variable is a statistic of, over the repeats; NULL: of none. */
static const rl_field *field_of_statistic(const char *name) {
    for (const rl_field *f = rl_fields; f < rl_fields + RL_N_FIELDS; f++) {
        const size_t begin = strlen(f->name);
        if (strncmp(name, f->name, begin) != 0 || name[begin] != '_') continue;
        for (const rl_statistic *s = rl_statistics; s < rl_statistics + RL_N_STATISTICS; s++)
            if (strcmp(name + begin + 1, s->name) == 0) return f;
    }
    return NULL;
}

/* Whether a variable tells of all repeats together: a statistic, or counts of repeats. */
static bool is_over_repeats(const rl_pair *pair, const char *name) {
    static const char *const counted_by[] = {"bucket", "status"};
    int id, n, dimensions[RL_LOCATION_DIMENSIONS];
    char along[NC_MAX_NAME + 1];
    if (field_of_statistic(name) != NULL) return true;
    if (nc_inq_varid(pair->ids[0], name, &id) != NC_NOERR || nc_inq_varndims(pair->ids[0], id, &n) != NC_NOERR ||
        n > RL_LOCATION_DIMENSIONS || nc_inq_vardimid(pair->ids[0], id, dimensions) != NC_NOERR)
        return false;
    for (int d = 0; d < n; d++)
        for (size_t i = 0; i < sizeof counted_by / sizeof *counted_by; i++)
            if (nc_inq_dimname(pair->ids[0], dimensions[d], along) == NC_NOERR && strcmp(along, counted_by[i]) == 0)
                return true;
    return false;
}

/* Whether a variable is made of more than both files have. */
static bool is_of_more(const rl_pair *pair, const char *name) {
    if (rl_is_of_spike(name)) return pair->other_repeats || pair->other_n;
    return pair->other_repeats && is_over_repeats(pair, name);
}

/* In a group the values of repeats come before their statistics. */
static bool follows_another(const rl_comparison *comparison, const rl_difference *d) {
    const rl_field *field = field_of_statistic(d->variable);
    for (int i = 0; i < comparison->n_differences && field != NULL; i++) {
        const rl_difference *other = &comparison->differences[i];
        if (strcmp(other->group, d->group) == 0 && strcmp(other->variable, field->name) == 0) return true;
    }
    return false;
}

static rl_status compare_variable(const rl_pair *pair, const char *name, const int ids[2], rl_comparison *comparison) {
    const holder h = {.files = pair->files,
                      .groups = {pair->ids[0], pair->ids[1]},
                      .ids = {ids[0], ids[1]},
                      .group = pair->name,
                      .variable = name,
                      .pair = pair};
    rl_difference d;
    RL_TRY(compare_attributes(&h, comparison));
    if (is_of_more(pair, name)) {
        comparison->n_statistics++;
        return RL_OK;
    }
    comparison->n_variables++;
    RL_TRY(rl_compare_values(pair, name, &d));
    if (d.alike && d.n_differ == 0) return RL_OK;
    d.follows = follows_another(comparison, &d);
    RL_TRY(RL_GROW(comparison->differences, comparison->n_differences, comparison->n_differences + 1));
    comparison->differences[comparison->n_differences++] = d;
    return RL_OK;
}

/* In the order of the first file, and then what the second one alone has. */
static rl_status compare_variables(const rl_pair *pair, rl_comparison *comparison) {
    for (int f = 0; f < 2; f++) {
        int n;
        RL_NC(&pair->files[f], nc_inq_nvars(pair->ids[f], &n));
        for (int i = 0; i < n; i++) { /* as NetCDF-4 numbers them */
            char name[NC_MAX_NAME + 1];
            int ids[2] = {i, 0};
            RL_NC(&pair->files[f], nc_inq_varname(pair->ids[f], i, name));
            if (nc_inq_varid(pair->ids[1 - f], name, &ids[1]) != NC_NOERR)
                RL_TRY(add_mismatch(comparison, RL_MISMATCH_VARIABLE, f, pair->name, name));
            else if (f == 0)
                RL_TRY(compare_variable(pair, name, ids, comparison));
        }
    }
    return RL_OK;
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

static rl_status compare_pair(rl_pair *pair, rl_comparison *comparison) {
    const holder h = {.files = pair->files,
                      .groups = {pair->ids[0], pair->ids[1]},
                      .ids = {NC_GLOBAL, NC_GLOBAL},
                      .group = pair->name,
                      .pair = pair};
    rl_status status = rl_pair_match(pair, comparison);
    if (status == RL_OK) status = compare_attributes(&h, comparison);
    if (status == RL_OK) status = compare_variables(pair, comparison);
    rl_pair_release(pair);
    comparison->n_groups++;
    return status;
}

/* Of file f, and in the other one if both have it; those of the first file are compared. */
static rl_status compare_group(const rl_nc files[2], int f, int id, rl_comparison *comparison) {
    char name[NC_MAX_NAME + 1];
    rl_pair pair = {.files = files, .name = name, .ids = {id, 0}};
    RL_NC(&files[f], nc_inq_grpname(id, name));
    if (strcmp(name, "provenance") == 0) return RL_OK;
    if (nc_inq_grp_ncid(files[1 - f].id, name, &pair.ids[1]) != NC_NOERR)
        return add_mismatch(comparison, RL_MISMATCH_GROUP, f, name, "");
    return f == 0 ? compare_pair(&pair, comparison) : RL_OK;
}

static rl_status compare_groups(const rl_nc files[2], int f, rl_comparison *comparison) {
    int n, *ids;
    RL_NC(&files[f], nc_inq_grps(files[f].id, &n, NULL));
    RL_TRY(RL_ALLOC(ids, n));
    const int code = nc_inq_grps(files[f].id, NULL, ids);
    rl_status status = code == NC_NOERR ? RL_OK : rl_nc_fail(&files[f], code, "nc_inq_grps");
    for (int i = 0; i < n && status == RL_OK; i++) status = compare_group(files, f, ids[i], comparison);
    rl_free(ids);
    return status;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* What only provenance says; not every file has it. */
static rl_status read_arithmetic(const rl_nc *file, char **arithmetic) {
    static const char name[] = "arithmetic";
    int id;
    nc_type type;
    if (nc_inq_grp_ncid(file->id, "provenance", &id) != NC_NOERR) return RL_OK;
    if (nc_inq_att(id, NC_GLOBAL, name, &type, NULL) != NC_NOERR) return RL_OK;
    if (type != NC_CHAR && type != NC_STRING) return RL_OK;
    RL_TRY(rl_nc_get_text(file, id, name, arithmetic));
    if (*arithmetic != NULL) rl_make_printable(*arithmetic);
    return RL_OK;
}

static rl_status compare_files(const rl_nc files[2], rl_comparison *comparison) {
    const holder h = {.files = files, .groups = {files[0].id, files[1].id}, .ids = {NC_GLOBAL, NC_GLOBAL}, .group = ""};
    RL_TRY(compare_attributes(&h, comparison));
    for (int f = 0; f < 2; f++) RL_TRY(compare_groups(files, f, comparison));
    for (int f = 0; f < 2; f++) RL_TRY(read_arithmetic(&files[f], &comparison->arithmetics[f]));
    return RL_OK;
}

static rl_status compare_paths(const char *const paths[2], rl_comparison *comparison) {
    rl_nc files[2];
    RL_TRY(rl_nc_open_ours(paths[0], &files[0]));
    rl_status status = rl_nc_open_ours(paths[1], &files[1]);
    if (status == RL_OK) {
        status = compare_files(files, comparison);
        nc_close(files[1].id);
    }
    nc_close(files[0].id);
    return status;
}

static rl_status compare_with_itself(const char *path) {
    const char *const paths[] = {path, path};
    rl_comparison comparison = {0};
    const rl_status status = compare_paths(paths, &comparison);
    rl_comparison_destroy(&comparison);
    return status;
}

rl_status rl_results_compare(const char *const paths[2], rl_comparison *comparison) {
    *comparison = (rl_comparison){0};
    for (int f = 0; f < 2; f++) {
        bool sealed;
        RL_TRY(rl_nc_check_seal(paths[f], &sealed));
        if (!sealed) RL_TRY(rl_trial(paths[f], compare_with_itself));
    }
    return compare_paths(paths, comparison);
}

void rl_comparison_destroy(rl_comparison *comparison) {
    rl_free(comparison->differences);
    rl_free(comparison->mismatches);
    rl_free(comparison->texts.bytes);
    for (int f = 0; f < 2; f++) rl_free(comparison->arithmetics[f]);
    *comparison = (rl_comparison){0};
}
