/* `diff FILE FILE`: what differs between two results files. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* ---- for people -------------------------------------------------------------------------------------------------- */

/* What a person calls a dimension, before its coordinate; NULL: by its name. T: N of an autoencoder. */
static const char *name_in_text(const rl_location *place, const char *dimension) {
    bool training = false;
    for (int i = 0; i < place->n; i++) training = training || strcmp(place->at[i].dimension, "n_hidden") == 0;
    if (strcmp(dimension, "n_features") == 0) return "P =";
    if (strcmp(dimension, "n_hidden") == 0) return "m =";
    if (strcmp(dimension, "n_train") == 0) return training ? "T =" : "N =";
    return dimension;
}

static void print_place(const rl_location *place) {
    for (int i = 0; i < place->n; i++)
        printf("%s%s %s", i > 0 ? ", " : " at ", name_in_text(place, place->at[i].dimension), place->at[i].value);
}

static bool is_same_place(const rl_location *a, const rl_location *b) {
    for (int i = 0; i < a->n; i++)
        if (strcmp(a->at[i].value, b->at[i].value) != 0) return false;
    return true;
}

static void print_extreme(const rl_extreme *extreme) {
    print_place(&extreme->place);
    printf(": %.17g and %.17g\n", extreme->values[0], extreme->values[1]);
}

static void print_difference(const rl_difference *d) {
    char differ[32], n[32], lone[32];
    printf("%s: %s: ", d->group, d->variable);
    if (!d->alike) {
        printf("has another type or other dimensions\n");
        return;
    }
    printf("%s of %s values differ", rl_count_text(d->n_differ, differ), rl_count_text(d->n, n));
    if (d->n_lone > 0) printf("; %s of them are in one file alone", rl_count_text(d->n_lone, lone));
    printf("\n");
    if (isnan(d->relative.size)) return;
    printf("  largest relative difference %.3g", d->relative.size);
    print_extreme(&d->relative);
    if (isnan(d->in_units.size)) return;
    printf("  at most %.3g %s", d->in_units.size,
           d->unit == RL_UNIT_CONDITION ? "eps x condition" : "units in the last place");
    if (is_same_place(&d->relative.place, &d->in_units.place))
        printf("\n");
    else
        print_extreme(&d->in_units);
}

/* What follows from others, by the group. */
static void print_followers(const rl_comparison *c, int first, int end) {
    int n = 0;
    for (int i = first; i < end; i++) n += c->differences[i].follows;
    if (n > 0)
        printf("%s: and %d variable%s made of these, like medians over the repeats\n", c->differences[first].group, n,
               rl_plural(n));
}

static void print_differences(const rl_comparison *c) {
    for (int first = 0, end; first < c->n_differences; first = end) {
        for (end = first; end < c->n_differences; end++) {
            const rl_difference *d = &c->differences[end];
            if (strcmp(d->group, c->differences[first].group) != 0) break;
            if (!d->follows) print_difference(d);
        }
        print_followers(c, first, end);
    }
}

static void print_mismatch(const char *const paths[2], const rl_mismatch *mismatch) {
    char n[32];
    if (mismatch->group[0] != '\0' && mismatch->kind != RL_MISMATCH_GROUP) printf("%s: ", mismatch->group);
    if (mismatch->file == RL_BOTH_FILES) {
        printf("the attribute `%s` differs\n", mismatch->name);
        return;
    }
    printf("only %s has ", paths[mismatch->file]);
    switch (mismatch->kind) {
        case RL_MISMATCH_GROUP:
            printf("the group `%s`\n", mismatch->group);
            break;
        case RL_MISMATCH_COORDINATE:
            printf("%s %s", mismatch->name, mismatch->values);
            printf(mismatch->n > 1 ? " (%s values)\n" : "\n", rl_count_text((int64_t)mismatch->n, n));
            break;
        default:
            printf("the %s `%s`\n", mismatch->kind == RL_MISMATCH_VARIABLE ? "variable" : "attribute", mismatch->name);
    }
}

static void print_verdict(const rl_comparison *c) {
    if (c->n_groups == 0) {
        printf("they have no group in common\n");
        return;
    }
    if (c->n_differences > 0)
        printf("the other %d of %d variables of %d group%s have the same bits", c->n_variables - c->n_differences,
               c->n_variables, c->n_groups, rl_plural(c->n_groups));
    else
        printf("%sthe same bits in all %d variables of %d group%s", c->n_mismatches > 0 ? "what both have: " : "",
               c->n_variables, c->n_groups, rl_plural(c->n_groups));
    printf(" (provenance left out)\n");
}

static void print_text(const char *const paths[2], const rl_comparison *c) {
    bool conditions = false;
    for (int i = 0; i < c->n_mismatches; i++) print_mismatch(paths, &c->mismatches[i]);
    if (c->n_statistics > 0)
        printf("the files have other repeats or N: %d variables that tell of all of them together are left out\n",
               c->n_statistics);
    print_differences(c);
    for (int i = 0; i < c->n_differences; i++) conditions = conditions || c->differences[i].unit == RL_UNIT_CONDITION;
    if (conditions)
        printf(
            "eps x condition is what rounding may do: eps = 2.2e-16, and condition = sigma_max / sigma_min of the "
            "training rows\n");
    rl_print_arithmetics(paths, c);
    if (c->texts.length > 0) printf("texts that differ, which do not count: %s\n", c->texts.bytes);
    print_verdict(c);
}

/* ---- for programs ------------------------------------------------------------------------------------------------ */

/* Coordinates by the names of their dimensions. */
static json_t *place_json(const rl_location *place) {
    json_t *object = json_object();
    for (int i = 0; i < place->n; i++) {
        const rl_coordinate *c = &place->at[i];
        int64_t integer;
        double number;
        if (c->is_number && rl_parse_integer(c->value, INT64_MIN, INT64_MAX, &integer))
            json_object_set_new(object, c->dimension, json_integer(integer));
        else if (c->is_number && rl_parse_real(c->value, &number))
            json_object_set_new(object, c->dimension, json_real(number));
        else
            json_object_set_new(object, c->dimension, json_string(c->value));
    }
    return object;
}

static json_t *extreme_json(const rl_extreme *extreme) {
    if (isnan(extreme->size)) return json_null();
    return json_pack("{s:o, s:[o, o], s:o}", "size", rl_number_json(extreme->size), "values",
                     rl_number_json(extreme->values[0]), rl_number_json(extreme->values[1]), "at",
                     place_json(&extreme->place));
}

static json_t *difference_json(const rl_difference *d) {
    static const char *const units[] = {
        [RL_UNIT_NONE] = "none", [RL_UNIT_CONDITION] = "eps x condition", [RL_UNIT_LAST_PLACE] = "last place"};
    return json_pack("{s:s, s:s, s:b, s:b, s:I, s:I, s:I, s:o, s:s, s:o}", "group", d->group, "variable", d->variable,
                     "alike", d->alike, "follows", d->follows, "values", (json_int_t)d->n, "values_that_differ",
                     (json_int_t)d->n_differ, "values_of_one_file", (json_int_t)d->n_lone, "largest_relative",
                     extreme_json(&d->relative), "unit", units[d->unit], "largest_in_units",
                     extreme_json(&d->in_units));
}

static json_t *mismatch_json(const char *const paths[2], const rl_mismatch *mismatch) {
    static const char *const kinds[] = {[RL_MISMATCH_GROUP] = "group",
                                        [RL_MISMATCH_VARIABLE] = "variable",
                                        [RL_MISMATCH_COORDINATE] = "coordinate",
                                        [RL_MISMATCH_ATTRIBUTE] = "attribute"};
    return json_pack("{s:s, s:s, s:s, s:s?, s:I, s:s}", "kind", kinds[mismatch->kind], "group", mismatch->group, "name",
                     mismatch->name, "only_in", mismatch->file == RL_BOTH_FILES ? NULL : paths[mismatch->file], "n",
                     (json_int_t)mismatch->n, "values", mismatch->values);
}

static rl_status print_json(const char *const paths[2], const rl_comparison *c) {
    json_t *differences = json_array(), *mismatches = json_array();
    for (int i = 0; i < c->n_differences; i++) json_array_append_new(differences, difference_json(&c->differences[i]));
    for (int i = 0; i < c->n_mismatches; i++)
        json_array_append_new(mismatches, mismatch_json(paths, &c->mismatches[i]));
    return rl_print_json(json_pack("{s:[s, s], s:b, s:b, s:i, s:i, s:i, s:o, s:o, s:s, s:[s?, s?]}", "files", paths[0],
                                   paths[1], "same", c->n_differences + c->n_mismatches == 0, "common_part_same",
                                   c->n_differences == 0, "groups", c->n_groups, "variables", c->n_variables,
                                   "statistics_left_out", c->n_statistics, "differences", differences, "mismatches",
                                   mismatches, "texts_that_differ", c->texts.length > 0 ? c->texts.bytes : "",
                                   "arithmetic", c->arithmetics[0], c->arithmetics[1]));
}

rl_status rl_command_diff(rl_settings *settings, const rl_context *context) {
    (void)context;
    rl_comparison c = {0};
    const char *const *paths = settings->arguments;
    rl_status status = rl_results_compare(paths, &c);
    if (status == RL_OK && settings->json)
        status = print_json(paths, &c);
    else if (status == RL_OK)
        print_text(paths, &c);
    if (status == RL_OK && c.n_differences + c.n_mismatches > 0)
        status = rl_fail(RL_DIFFERENT, "%s and %s differ", paths[0], paths[1]);
    rl_comparison_destroy(&c);
    return status;
}
