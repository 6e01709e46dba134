/* `ablations` and `maps`: what a study file can do to a fit, and to inputs, by the tables of the program. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

enum { INDENT = 23 };

static void print_field(const char *what, const char *text) {
    printf("%*s%s", INDENT, "", what);
    rl_print_wrapped(text, INDENT + (int)strlen(what), INDENT);
}

static void print_head(int indent, const char *name, const char *summary) {
    printf("%*s%-*s ", indent, "", INDENT - indent - 1, name);
    rl_print_wrapped(summary, INDENT, INDENT);
}

/* In one line, however long, as it is to be pasted. */
static void print_example(const char *example) {
    printf("%*s- %s\n", INDENT, "", example);
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

/* "default 1", "true or false, default false", "repeat|once, default repeat". */
static void write_values(const rl_option_spec *spec, char text[200]) {
    switch (spec->type) {
        case RL_OPTION_FLAG:
            snprintf(text, 200, "true or false, default %s", spec->default_number != 0 ? "true" : "false");
            break;
        case RL_OPTION_CHOICE:
            snprintf(text, 200, "%s, default %s", spec->choices, spec->default_text);
            break;
        default:
            snprintf(text, 200, "default %g", spec->default_number);
    }
}

static void print_options(const rl_option_spec *specs, int n) {
    char what[80], values[200], text[500];
    for (int i = 0; i < n; i++) {
        write_values(&specs[i], values);
        snprintf(what, sizeof what, "%s: ", specs[i].key);
        snprintf(text, sizeof text, "%s (%s)", specs[i].help, values);
        print_field(what, text);
    }
}

static json_t *options_json(const rl_option_spec *specs, int n) {
    json_t *list = json_array();
    for (int i = 0; i < n; i++) {
        char values[200];
        write_values(&specs[i], values);
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s}", "key", specs[i].key, "help", specs[i].help, "values", values));
    }
    return list;
}

/* ---- ablations --------------------------------------------------------------------------------------------------- */

static const char *const parameter_values[] = {[RL_PARAMETER_NONE] = NULL,
                                               [RL_PARAMETER_REAL] = "any number",
                                               [RL_PARAMETER_POSITIVE] = "at least 0",
                                               [RL_PARAMETER_COUNT] = "a whole number, at least 1"};

static void print_ablation(const rl_ablation *a) {
    char text[300];
    print_head(2, a->name, a->summary);
    if (a->parameter != RL_PARAMETER_NONE) {
        snprintf(text, sizeof text, "%s (%s)", a->parameter_meaning, parameter_values[a->parameter]);
        print_field("parameter: ", text);
    }
    print_options(a->options, a->n_options);
    print_example(a->example);
}

static json_t *ablation_json(const rl_ablation *a) {
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:n, s:o, s:s}", "name", a->name, "role", rl_role_words[a->role], "summary",
                  a->summary, "parameter", "options", options_json(a->options, a->n_options), "example", a->example);
    if (a->parameter != RL_PARAMETER_NONE)
        json_object_set_new(
            object, "parameter",
            json_pack("{s:s, s:s}", "meaning", a->parameter_meaning, "values", parameter_values[a->parameter]));
    return object;
}

static void print_role(rl_role role) {
    printf("%s%s\n", role > 0 ? "\n" : "", rl_role_texts[role]);
    for (const rl_ablation *const *a = rl_ablations; *a != NULL; a++)
        if ((*a)->role == role) print_ablation(*a);
}

static rl_status print_ablations_json(void) {
    json_t *list = json_array();
    for (const rl_ablation *const *a = rl_ablations; *a != NULL; a++) json_array_append_new(list, ablation_json(*a));
    return rl_print_json(json_pack("{s:o}", "ablations", list));
}

rl_status rl_command_ablations(rl_settings *settings, const rl_context *context) {
    (void)context;
    if (settings->json) return print_ablations_json();
    for (int role = 0; role < RL_N_ROLES; role++) print_role((rl_role)role);
    printf("\nLines that begin with `-` can be pasted under `ablations:` of a study.\n");
    return RL_OK;
}

/* ---- maps -------------------------------------------------------------------------------------------------------- */

static void print_map(const rl_feature_map *map) {
    print_head(0, map->name, map->summary);
    if (map->n_inputs == 1) print_field("inputs: ", map->bounded ? "one, from -1 to 1" : "one");
    print_options(map->options, map->n_options);
    print_example(map->example);
}

static json_t *map_json(const rl_feature_map *map) {
    return json_pack("{s:s, s:s, s:i, s:b, s:o, s:s}", "name", map->name, "summary", map->summary, "n_inputs",
                     map->n_inputs, "bounded", map->bounded, "options", options_json(map->options, map->n_options),
                     "example", map->example);
}

rl_status rl_command_maps(rl_settings *settings, const rl_context *context) {
    (void)context;
    json_t *list = json_array();
    for (const rl_feature_map *const *map = rl_feature_maps; *map != NULL; map++)
        if (settings->json)
            json_array_append_new(list, map_json(*map));
        else
            print_map(*map);
    if (settings->json) return rl_print_json(json_pack("{s:o}", "maps", list));
    json_decref(list);
    printf(
        "\nLines that begin with `-` can be pasted under `datasets:` of a study file. P is the number of features.\n");
    return RL_OK;
}
