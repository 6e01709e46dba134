/* `datasets`: the sources of data, what each has, and where its files are or were looked for. */
#include <stdio.h>

#include "cli.h"

/* One source as `datasets` lists it. */
typedef struct listed {
    const rl_source *source;
    rl_dataset data; /* empty unless loaded */
    bool loaded;
    const char *missing; /* a file that is not there; NULL: none */
    char why[512];       /* why it cannot be loaded though its files are there; "": it can */
} listed;

/* Loads the source with its default options. One that must be told something, like the name of a user's own file, has
 * no rows to list. */
static void load_source(const rl_data_path *path, listed *entry) {
    rl_options options = {0};
    const rl_source *source = entry->source;
    if (!rl_source_available(source, path, &entry->missing)) return;
    for (int i = 0; i < source->n_options; i++)
        if (source->options[i].required) return;
    if (rl_options_create(&options, source->options, source->n_options) == RL_OK) {
        const rl_source_request request = {.name = source->name, .options = &options, .path = path};
        entry->loaded = rl_dataset_load(source, &request, &entry->data) == RL_OK;
        if (!entry->loaded) snprintf(entry->why, sizeof entry->why, "%s", rl_error_message());
    }
    rl_options_destroy(&options);
}

static void print_entry(const listed *entry, const rl_data_path *path) {
    const rl_source *source = entry->source;
    char rows[RL_ROWS_TEXT];
    printf("%-16s %s\n", source->name, source->summary);
    if (entry->loaded) {
        const int p = entry->data.n_features, threshold = rl_dataset_threshold(&entry->data);
        char rank[RL_RANK_TEXT];
        printf("%16s %s, %d feature%s%s: threshold at N = %d", "",
               rl_rows_text(entry->data.n_rows, entry->data.n_dropped, rows), p, rl_plural(p),
               rl_rank_text(p, threshold, rank), threshold);
        printf("\n%16s %s\n", "", entry->data.origin);
    } else if (entry->missing != NULL) {
        printf("%16s missing: %s, looked for in:", "", entry->missing);
        for (int i = 0; i < path->n_folders; i++) printf(" %s", path->folders[i]);
        printf("\n%16s %s\n", "", source->how_to_get);
    } else if (entry->why[0] != '\0')
        printf("%16s cannot be read: %s\n", "", entry->why);
}

static json_t *entry_json(const listed *entry) {
    json_t *object = json_pack("{s:s, s:s, s:b}", "name", entry->source->name, "summary", entry->source->summary,
                               "available", entry->missing == NULL && entry->why[0] == '\0');
    if (entry->missing != NULL) json_object_set_new(object, "missing_file", json_string(entry->missing));
    if (!entry->loaded) return object;
    json_object_set_new(object, "rows", json_integer(entry->data.n_rows));
    json_object_set_new(object, "rows_dropped", json_integer(entry->data.n_dropped));
    json_object_set_new(object, "n_features", json_integer(entry->data.n_features));
    json_object_set_new(object, "rank", json_integer(entry->data.rank));
    json_object_set_new(object, "threshold", json_integer(rl_dataset_threshold(&entry->data)));
    json_object_set_new(object, "origin", json_string(entry->data.origin));
    return object;
}

static json_t *path_json(const rl_data_path *path) {
    json_t *folders = json_array();
    for (int i = 0; i < path->n_folders; i++) json_array_append_new(folders, json_string(path->folders[i]));
    return folders;
}

rl_status rl_command_datasets(rl_settings *settings, const rl_context *context) {
    (void)context;
    rl_data_path path = {0};
    json_t *list = json_array();
    rl_status status = rl_data_path_create(&path, settings->data);
    for (int i = 0; status == RL_OK && rl_sources[i] != NULL; i++) {
        listed entry = {.source = rl_sources[i]};
        load_source(&path, &entry);
        if (settings->json)
            json_array_append_new(list, entry_json(&entry));
        else
            print_entry(&entry, &path);
        rl_dataset_destroy(&entry.data);
    }
    if (status == RL_OK && settings->json)
        status = rl_print_json(json_pack("{s:o, s:O}", "folders", path_json(&path), "datasets", list));
    else if (status == RL_OK)
        printf("\n`ridgeless maps` lists what makes other features of their inputs.\n");
    json_decref(list);
    rl_data_path_destroy(&path);
    return status;
}
