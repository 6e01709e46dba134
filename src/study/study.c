/* The study file: its keys, its datasets, and what they have in common. */
#include <assert.h>
#include <string.h>

#include "read.h"

enum {
    MAX_REPEATS = 100000000,
    MAX_DATASETS = 1000,
    MAX_NAME = 64,
    MAX_SOURCES = 64,
    MAX_SOURCE_FIELDS = 48,
    MAX_MAPS = 64,
    MAX_MAP_FIELDS = 32,
    DEFAULT_BLOCK = 64,
    MAX_GRID_SIDE = 1000,
};

/* The keys at the top of the file. */
enum {
    TITLE,
    SEED,
    RANDOM,
    REPEATS,
    KEEP,
    MEASURES,
    THEORY,
    N_FEATURES,
    N_TRAIN,
    ABLATIONS,
    DATASETS,
    PRODUCER,
    BLOCK,
    RANKS_PER_CASE,
    GRID,
    SINGULAR_VALUES,
    FULL_SPECTRA,
    AUTOENCODERS,
    N_KEYS
};

/* The study that is being read, and how much it asks for so far. */
typedef struct reader {
    rl_study *study;
    rl_field keys[N_KEYS];
    int64_t n_variants, n_numbers; /* of all datasets so far: variants, and numbers of features and training rows */
} reader;

/* ---- simple keys ------------------------------------------------------------------------------------------------ */

static rl_status default_title(const char *path, char **title) {
    size_t length;
    const char *name = rl_file_stem(path, &length);
    RL_TRY(rl_strdup(title, name));
    (*title)[length] = '\0';
    return RL_OK;
}

static rl_status read_title(rl_node node, rl_study *study) {
    const char *text;
    if (node.file == NULL) return default_title(study->path, &study->title);
    RL_TRY(rl_node_text(node, "a title", &text));
    if (strpbrk(text, "\n\r") != NULL) return rl_node_fail(node, "a title of one line");
    return rl_strdup(&study->title, text);
}

static rl_status read_random(rl_node random, rl_node seed, rl_study *study) {
    static const char *const words[] = {[RL_RANDOM_PHILOX] = "philox", [RL_RANDOM_NUMPY] = "numpy"};
    int index = RL_RANDOM_PHILOX;
    if (random.file != NULL) RL_TRY(rl_node_word(random, words, 2, &index));
    if (seed.file != NULL) RL_TRY(rl_node_unsigned(seed, &study->seed));
    study->random = (rl_random_kind)index;
    if (study->random == RL_RANDOM_NUMPY && study->seed != 0)
        return rl_node_fail(seed, "0 or no seed with `random: numpy`: the published program's seeds are fixed");
    return RL_OK;
}

static rl_status read_repeats(rl_node root, rl_node node, rl_study *study) {
    const rl_number_kind kind = {
        .integer = true, .minimum = 1, .maximum = MAX_REPEATS, .meaning = "random splits of each dataset"};
    char expected[200];
    double number;
    if (node.file == NULL)
        return rl_node_missing(root, "repeats", rl_number_kind_text(kind, expected, sizeof expected));
    RL_TRY(rl_node_number(node, kind, &number));
    study->repeats = (int)number;
    return RL_OK;
}

static rl_status read_keep(rl_node node, rl_keep *keep) {
    enum { N_WORDS = 5 };
    static const char *const words[N_WORDS] = {"cells", "modes", "directions", "predictions", "summary"};
    bool *const given[N_WORDS] = {&keep->cells, &keep->modes, &keep->directions, &keep->predictions, &keep->summary};
    *keep = (rl_keep){.cells = node.file == NULL};
    if (node.file == NULL) return RL_OK;
    if (rl_node_count(node) == 0) return rl_node_fail(node, "some of cells, modes, directions, predictions, summary");
    for (int i = 0; i < rl_node_count(node); i++) {
        rl_node item = rl_node_item(node, i);
        int index;
        RL_TRY(rl_node_word(item, words, N_WORDS, &index));
        if (*given[index]) return rl_node_refuse(item, "got `%s` twice; expected each word once", words[index]);
        *given[index] = true;
    }
    if (keep->summary && rl_node_count(node) > 1)
        return rl_node_refuse(node,
                              "got summary and other words; expected summary alone: of single repeats nothing is "
                              "left in it");
    keep->modes |= keep->directions; /* they belong to modes */
    return RL_OK;
}

static rl_status read_measures(rl_node node, unsigned *measures) {
    char list[100];
    *measures = 0;
    if (node.file == NULL) return RL_OK;
    rl_list_words(rl_measure_words, RL_N_MEASURES, list, sizeof list);
    if (rl_node_count(node) == 0) return rl_node_fail(node, "some of %s", list);
    for (int i = 0; i < rl_node_count(node); i++) {
        rl_node item = rl_node_item(node, i);
        int index;
        RL_TRY(rl_node_word(item, rl_measure_words, RL_N_MEASURES, &index));
        if ((*measures & 1u << index) != 0)
            return rl_node_refuse(item, "got `%s` twice; expected each word once", rl_measure_words[index]);
        *measures |= 1u << index;
    }
    return RL_OK;
}

static rl_status read_theory(rl_node node, rl_theory_kind *theory) {
    static const char *const words[] = {[RL_THEORY_NONE] = "none", [RL_THEORY_TABLE] = "table"};
    int index = RL_THEORY_NONE;
    if (node.file != NULL) RL_TRY(rl_node_word(node, words, sizeof words / sizeof *words, &index));
    *theory = (rl_theory_kind)index;
    return RL_OK;
}

/* ---- large cases ------------------------------------------------------------------------------------------------ */

static rl_status read_producer(rl_node node, int *producer) {
    enum { N_WORDS = RL_PRODUCER_LAPACK + 2 };
    const char *words[N_WORDS] = {"auto"};
    int index = 0;
    for (int i = 0; i < N_WORDS - 1; i++) words[i + 1] = rl_producer_name((rl_producer)i);
    if (node.file != NULL) RL_TRY(rl_node_word(node, words, N_WORDS, &index));
    *producer = index == 0 ? RL_PRODUCER_AUTO : index - 1;
    return RL_OK;
}

rl_status rl_read_ranks_per_case(rl_node node, const char *meaning, int *ranks) {
    const rl_number_kind kind = {.integer = true, .minimum = 1, .maximum = 1e6, .meaning = meaning};
    double number;
    const char *text = "";
    *ranks = RL_RANKS_AUTO;
    if (node.file == NULL) return RL_OK;
    if (rl_node_kind_of(node) == RL_NODE_SCALAR) RL_TRY(rl_node_text(node, "auto, all or an integer", &text));
    if (strcmp(text, "auto") == 0) return RL_OK;
    if (strcmp(text, "all") == 0) {
        *ranks = RL_RANKS_ALL;
        return RL_OK;
    }
    RL_TRY(rl_node_number(node, kind, &number));
    *ranks = (int)number;
    return RL_OK;
}

static rl_status read_grids(rl_node producer, rl_node ranks_per_case, rl_study_dataset *dataset) {
    RL_TRY(read_producer(producer, &dataset->producer));
    RL_TRY(
        rl_read_ranks_per_case(ranks_per_case, "ranks of a process grid, or auto, or all", &dataset->ranks_per_case));
    if (dataset->producer == RL_PRODUCER_LAPACK && dataset->ranks_per_case != RL_RANKS_AUTO)
        return rl_node_refuse(ranks_per_case, "`producer: lapack` uses one rank per case; expected auto");
    return RL_OK;
}

/* A shape says how many ranks it is of; beside it another number of them is a contradiction. */
static rl_status read_shape(rl_node node, rl_study_dataset *dataset) {
    static const char *const expected = "auto, or process rows x process columns, like 2x3";
    int64_t sides[2];
    const char *text;
    if (node.file == NULL) return RL_OK;
    RL_TRY(rl_node_text(node, expected, &text));
    if (strcmp(text, "auto") == 0) return RL_OK;
    if (rl_parse_sizes(text, 2, MAX_GRID_SIDE, sides) != 2) return rl_node_fail(node, "%s", expected);
    const int ranks = (int)(sides[0] * sides[1]);
    if (dataset->producer == RL_PRODUCER_LAPACK)
        return rl_node_refuse(node, "`producer: lapack` uses one rank per case; expected auto");
    if (dataset->ranks_per_case == RL_RANKS_ALL)
        return rl_node_refuse(node, "got `%s` and `ranks_per_case: all`; expected one of the two", text);
    if (dataset->ranks_per_case != RL_RANKS_AUTO && dataset->ranks_per_case != ranks)
        return rl_node_refuse(node, "got `%s` and `ranks_per_case: %d`; expected rows x columns that make %d", text,
                              dataset->ranks_per_case, dataset->ranks_per_case);
    dataset->grid = (rl_grid_shape){(int)sides[0], (int)sides[1]};
    dataset->ranks_per_case = ranks;
    return RL_OK;
}

static rl_status read_large_cases(const rl_field *keys, rl_study *study) {
    const rl_number_kind kind = {
        .integer = true, .minimum = 1, .maximum = 1024, .meaning = "rows and columns of a block on a process grid"};
    double block = DEFAULT_BLOCK;
    if (keys[BLOCK].node.file != NULL) RL_TRY(rl_node_number(keys[BLOCK].node, kind, &block));
    study->block = (int)block;
    if (keys[SINGULAR_VALUES].node.file != NULL)
        RL_TRY(rl_read_n_train(keys[SINGULAR_VALUES].node, &study->singular_values));
    if (keys[FULL_SPECTRA].node.file == NULL) return RL_OK;
    if (study->random == RL_RANDOM_NUMPY)
        return rl_node_refuse(keys[FULL_SPECTRA].node,
                              "`random: numpy` computes full spectra at every N, as published; expected no such key");
    return rl_read_n_train(keys[FULL_SPECTRA].node, &study->full_spectra);
}

/* ---- datasets -------------------------------------------------------------------------------------------------- */

/* Names become groups of a NetCDF file, which restricts how a name may begin. */
static bool is_name(const char *text) {
    static const char *const inside = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    const size_t length = strlen(text);
    return length >= 1 && length <= MAX_NAME && text[strspn(text, inside)] == '\0' && strchr("-.", text[0]) == NULL;
}

/* Only those that have been read before have a name. */
static rl_status check_name_is_new(const rl_study *study, rl_node node, const char *name) {
    const char *what = study->n_autoencoders == 0 ? "the dataset of " : "";
    int line = 0;
    for (int i = 0; i < study->n_datasets; i++)
        if (study->datasets[i].name != NULL && strcmp(study->datasets[i].name, name) == 0)
            line = study->datasets[i].line;
    for (int i = 0; i < study->n_autoencoders; i++)
        if (study->autoencoders[i].name != NULL && strcmp(study->autoencoders[i].name, name) == 0)
            line = study->autoencoders[i].line;
    if (line == 0) return RL_OK;
    return rl_node_refuse(node,
                          "the name `%s` is taken by %sline %d; expected each name once (give one of them a `name:`)",
                          name, what, line);
}

rl_status rl_read_name(const rl_study *study, rl_node node, rl_node owner, const char *usual, char **name) {
    static const char *const expected = "letters, digits, `-`, `_` and `.` (at most 64, a letter, digit or `_` first)";
    const char *text = usual;
    if (node.file != NULL) {
        RL_TRY(rl_node_text(node, expected, &text));
        if (!is_name(text)) return rl_node_fail(node, "%s", expected);
        if (strcmp(text, "provenance") == 0)
            return rl_node_fail(node, "another name: results files keep `provenance` for themselves");
    }
    RL_TRY(check_name_is_new(study, node.file != NULL ? node : owner, text));
    return rl_strdup(name, text);
}

static rl_status find_source(rl_node node, const rl_source **source) {
    const char *words[MAX_SOURCES];
    int n = 0, index;
    for (; rl_sources[n] != NULL && n < MAX_SOURCES; n++) words[n] = rl_sources[n]->name;
    RL_TRY(rl_node_word(node, words, n, &index));
    *source = rl_sources[index];
    return RL_OK;
}

static rl_status find_map(rl_node node, const rl_feature_map **map) {
    const char *words[MAX_MAPS];
    int n = 0, index;
    for (; rl_feature_maps[n] != NULL && n < MAX_MAPS; n++) words[n] = rl_feature_maps[n]->name;
    RL_TRY(rl_node_word(node, words, n, &index));
    *map = rl_feature_maps[index];
    return RL_OK;
}

/* Reads a map from `name` or `{name: ..., its options}`. An absent node is the identity. */
static rl_status read_map(rl_node node, const rl_feature_map **map, rl_options *options) {
    rl_field fields[MAX_MAP_FIELDS] = {{.key = "name"}};
    *map = rl_feature_maps[0];
    if (node.file == NULL) return RL_OK;
    const rl_node name = rl_node_kind_of(node) == RL_NODE_MAPPING ? rl_node_find(node, "name") : node;
    if (name.file == NULL) return rl_node_missing(node, "name", "`name:` and the name of a feature map");
    RL_TRY(find_map(name, map));
    assert(1 + (*map)->n_options <= MAX_MAP_FIELDS);
    RL_TRY(rl_read_fields(node, fields, 1, (*map)->options, (*map)->n_options));
    return rl_read_options(node, fields + 1, (*map)->options, (*map)->n_options, options);
}

static rl_status check_total(rl_node node, int64_t total, const char *what) {
    if (total <= RL_STUDY_LIST_LIMIT) return RL_OK;
    return rl_node_refuse(node, "more than %d %s in all datasets together; expected at most that many",
                          RL_STUDY_LIST_LIMIT, what);
}

/* The keys that a dataset may have for itself in place of the study's, in the order of its fields. */
enum {
    OWN_N_FEATURES,
    OWN_N_TRAIN,
    OWN_ABLATIONS,
    OWN_PRODUCER,
    OWN_RANKS_PER_CASE,
    OWN_GRID,
    OWN_KEEP,
    OWN_MEASURES,
    OWN_THEORY,
    N_OWN
};
static const int common_keys[N_OWN] = {N_FEATURES, N_TRAIN, ABLATIONS, PRODUCER, RANKS_PER_CASE,
                                       GRID,       KEEP,    MEASURES,  THEORY};

/* Gives the dataset the study's value of each key that it has not itself. */
static void take_common(const reader *r, rl_field own[N_OWN]) {
    for (int i = 0; i < N_OWN; i++)
        if (own[i].node.file == NULL) own[i].node = r->keys[common_keys[i]].node;
}

/* Reads those of the keys that there are. */
static rl_status read_own(const rl_field own[N_OWN], rl_study_dataset *dataset) {
    const rl_node n_features = own[OWN_N_FEATURES].node, n_train = own[OWN_N_TRAIN].node;
    const rl_node ablations = own[OWN_ABLATIONS].node;
    if (n_features.file != NULL) RL_TRY(rl_read_n_features(n_features, &dataset->n_features));
    if (n_train.file != NULL) RL_TRY(rl_read_n_train(n_train, &dataset->n_train));
    if (ablations.file != NULL) RL_TRY(rl_read_variants(ablations, &dataset->variants, &dataset->n_variants));
    RL_TRY(read_keep(own[OWN_KEEP].node, &dataset->keep));
    RL_TRY(read_measures(own[OWN_MEASURES].node, &dataset->measures));
    RL_TRY(read_theory(own[OWN_THEORY].node, &dataset->theory));
    RL_TRY(read_grids(own[OWN_PRODUCER].node, own[OWN_RANKS_PER_CASE].node, dataset));
    return read_shape(own[OWN_GRID].node, dataset);
}

/* All maps but the identity, which is the first, make as many features as they are asked for: so somebody must ask. */
static rl_status check_given(rl_node entry, const rl_field own[N_OWN], const rl_study_dataset *dataset) {
    static const char *const expected = "it for the whole study, or in every dataset";
    if (own[OWN_N_FEATURES].node.file == NULL && dataset->map != rl_feature_maps[0])
        return rl_node_missing(entry, "n_features", "how many features the `map` is to make, as a list or a range");
    if (own[OWN_N_TRAIN].node.file == NULL) return rl_node_missing(entry, "n_train", expected);
    return own[OWN_ABLATIONS].node.file == NULL ? rl_node_missing(entry, "ablations", expected) : RL_OK;
}

static rl_status count_dataset(reader *r, const rl_field own[N_OWN], const rl_study_dataset *dataset) {
    r->n_numbers += dataset->n_features.n_values + dataset->n_train.n_values + dataset->n_train.n_ratios;
    r->n_variants += dataset->n_variants;
    RL_TRY(check_total(own[OWN_N_TRAIN].node, r->n_numbers, "numbers of features and training rows"));
    return check_total(own[OWN_ABLATIONS].node, r->n_variants, "variants");
}

/* Reads `- source: ...` with its other keys, or `- diabetes`: a source with its defaults. */
static rl_status read_dataset(reader *r, rl_node entry, rl_study_dataset *dataset) {
    enum { SOURCE, NAME, MAP, INTERCEPT, OWN, OPTIONS = OWN + N_OWN };
    rl_field fields[MAX_SOURCE_FIELDS] = {{.key = "source"}, {.key = "name"}, {.key = "map"}, {.key = "intercept"}};
    const rl_node source = rl_node_kind_of(entry) == RL_NODE_MAPPING ? rl_node_find(entry, "source") : entry;
    if (source.file == NULL) return rl_node_missing(entry, "source", "`source:` and the name of a data source");
    RL_TRY(find_source(source, &dataset->source));
    const rl_source *row = dataset->source;
    assert(OPTIONS + row->n_options <= MAX_SOURCE_FIELDS);
    for (int i = 0; i < N_OWN; i++) fields[OWN + i].key = r->keys[common_keys[i]].key;
    RL_TRY(rl_read_fields(entry, fields, OPTIONS, row->options, row->n_options));
    RL_TRY(rl_read_name(r->study, fields[NAME].node, source, row->name, &dataset->name));
    RL_TRY(rl_read_options(entry, fields + OPTIONS, row->options, row->n_options, &dataset->options));
    RL_TRY(read_map(fields[MAP].node, &dataset->map, &dataset->map_options));
    if (fields[INTERCEPT].node.file != NULL) RL_TRY(rl_node_flag(fields[INTERCEPT].node, &dataset->intercept));
    take_common(r, fields + OWN);
    RL_TRY(check_given(entry, fields + OWN, dataset));
    RL_TRY(read_own(fields + OWN, dataset));
    return count_dataset(r, fields + OWN, dataset);
}

static rl_status read_datasets(reader *r, rl_node root, rl_node node) {
    static const char *const expected = "a list of datasets, e.g. diabetes";
    rl_study *study = r->study;
    if (node.file == NULL) return rl_node_missing(root, "datasets", expected);
    const int n = rl_node_count(node);
    if (n == 0 || rl_node_is_empty(node)) return rl_node_fail(node, "%s", expected);
    if (n > MAX_DATASETS) return rl_node_refuse(node, "got %d datasets; expected at most %d", n, MAX_DATASETS);
    RL_TRY(RL_ALLOC(study->datasets, n));
    for (int i = 0; i < n; i++) {
        const rl_node entry = rl_node_item(node, i);
        rl_study_dataset *dataset = &study->datasets[i];
        study->n_datasets = i + 1;
        dataset->line = entry.line;
        RL_TRY(read_dataset(r, entry, dataset));
    }
    return RL_OK;
}

static void destroy_dataset(rl_study_dataset *dataset) {
    rl_free(dataset->name);
    rl_options_destroy(&dataset->options);
    rl_options_destroy(&dataset->map_options);
    rl_free(dataset->n_features.values);
    rl_n_train_destroy(&dataset->n_train);
    rl_variants_destroy(dataset->variants, dataset->n_variants);
}

/* What the study says for all datasets is checked even where every dataset replaces it. */
static rl_status check_common(const reader *r) {
    rl_field fields[N_OWN] = {{.key = NULL}};
    rl_study_dataset common = {.line = 0};
    take_common(r, fields);
    const rl_status status = read_own(fields, &common);
    destroy_dataset(&common);
    return status;
}

/* ---- the study -------------------------------------------------------------------------------------------------- */

static rl_status read_study(rl_node root, rl_study *study) {
    reader r = {.study = study,
                .keys = {[TITLE] = {.key = "title"},
                         [SEED] = {.key = "seed"},
                         [RANDOM] = {.key = "random"},
                         [REPEATS] = {.key = "repeats"},
                         [KEEP] = {.key = "keep"},
                         [MEASURES] = {.key = "measures"},
                         [THEORY] = {.key = "theory"},
                         [N_FEATURES] = {.key = "n_features"},
                         [N_TRAIN] = {.key = "n_train"},
                         [ABLATIONS] = {.key = "ablations"},
                         [DATASETS] = {.key = "datasets"},
                         [PRODUCER] = {.key = "producer"},
                         [BLOCK] = {.key = "block"},
                         [RANKS_PER_CASE] = {.key = "ranks_per_case"},
                         [GRID] = {.key = "grid"},
                         [SINGULAR_VALUES] = {.key = "singular_values"},
                         [FULL_SPECTRA] = {.key = "full_spectra"},
                         [AUTOENCODERS] = {.key = "autoencoders"}}};
    const rl_node *const autoencoders = &r.keys[AUTOENCODERS].node;
    if (rl_node_kind_of(root) != RL_NODE_MAPPING)
        return rl_node_fail(root, "a study: lines of `key: value`, as datasets, repeats, n_train, ablations");
    RL_TRY(rl_node_fields(root, r.keys, N_KEYS));
    RL_TRY(read_title(r.keys[TITLE].node, study));
    RL_TRY(read_random(r.keys[RANDOM].node, r.keys[SEED].node, study));
    RL_TRY(read_repeats(root, r.keys[REPEATS].node, study));
    RL_TRY(read_large_cases(r.keys, study));
    RL_TRY(check_common(&r));
    if (r.keys[DATASETS].node.file != NULL || autoencoders->file == NULL)
        RL_TRY(read_datasets(&r, root, r.keys[DATASETS].node));
    return autoencoders->file != NULL ? rl_read_autoencoders(*autoencoders, study) : RL_OK;
}

static rl_study empty_study(void) {
    return (rl_study){.random = RL_RANDOM_PHILOX, .singular_values = {.around = -1}, .full_spectra = {.around = -1}};
}

static rl_status parse_study(const char *path, const char *text, rl_study *study) {
    RL_TRY(rl_strdup(&study->path, path));
    if (strnlen(text, RL_STUDY_FILE_LIMIT + 1) > RL_STUDY_FILE_LIMIT)
        return rl_fail(RL_ERR_INPUT, "%s: larger than %zu bytes; expected a study file", path, RL_STUDY_FILE_LIMIT);
    RL_TRY(rl_strdup(&study->text, text));
    rl_yaml *file;
    RL_TRY(rl_yaml_create(path, text, &file));
    const rl_status status = read_study(rl_yaml_root(file), study);
    rl_yaml_destroy(file);
    return status;
}

rl_status rl_study_parse(const char *path, const char *text, rl_study *study) {
    *study = empty_study();
    const rl_status status = parse_study(path, text, study);
    if (status != RL_OK) rl_study_destroy(study);
    return status;
}

void rl_study_destroy(rl_study *study) {
    for (int i = 0; i < study->n_datasets; i++) destroy_dataset(&study->datasets[i]);
    rl_free(study->datasets);
    rl_autoencoders_destroy(study);
    rl_free(study->path);
    rl_free(study->text);
    rl_free(study->title);
    rl_n_train_destroy(&study->singular_values);
    rl_n_train_destroy(&study->full_spectra);
    *study = empty_study();
}

const rl_study_dataset *rl_find_dataset(const rl_study *study, const char *name) {
    for (int i = 0; i < study->n_datasets; i++)
        if (strcmp(study->datasets[i].name, name) == 0) return &study->datasets[i];
    return NULL;
}
