/* study: the study file's language, each of its refusals with line and key, the settings, and the plan. */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ridgeless/arena.h"
#include "ridgeless/plan.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The least that a study needs, a line each. */
#define R "repeats: 2\n"
#define N "n_train: 5\n"
#define A "ablations: none\n"
#define D "datasets: student-teacher\n"

static rl_study parse(const char *text) {
    rl_study study;
    if (rl_study_parse("folder/a-study.yaml", text, &study) != RL_OK) fail_msg("%s", rl_error_message());
    return study;
}

static void assert_contains(const char *text, const char *part) {
    if (strstr(text, part) == NULL) fail_msg("`%s` does not contain `%s`", text, part);
}

/* The message begins with `beginning`, has `part`, and is one line; nothing is left to free. */
static void assert_refused(const char *text, const char *beginning, const char *part) {
    rl_study study;
    const rl_status status = rl_study_parse("bad.yaml", text, &study);
    if (status == RL_OK) fail_msg("accepted:\n%s", text);
    assert_int_equal(status, RL_ERR_INPUT);
    if (strncmp(rl_error_message(), beginning, strlen(beginning)) != 0)
        fail_msg("`%s` does not begin with `%s`", rl_error_message(), beginning);
    assert_contains(rl_error_message(), part);
    assert_null(strchr(rl_error_message(), '\n'));
    assert_null(study.datasets);
    assert_null(study.path);
}

typedef struct refusal {
    const char *text;
    int line;
    const char *key; /* NULL: the message is about the file as a whole */
    const char *part;
} refusal;

static void assert_all_refused(const refusal *cases, size_t n) {
    for (size_t i = 0; i < n; i++) {
        char beginning[200];
        if (cases[i].key == NULL)
            snprintf(beginning, sizeof beginning, "bad.yaml:%d: ", cases[i].line);
        else
            snprintf(beginning, sizeof beginning, "bad.yaml:%d: key `%s`: ", cases[i].line, cases[i].key);
        assert_refused(cases[i].text, beginning, cases[i].part);
    }
}

/* ---- what a study says ------------------------------------------------------------------------------------------ */

static const char whole_study[] =
    "# a comment\n"
    "title: The published study\n"
    "seed: 18446744073709551615\n"
    "random: philox\n"
    "repeats: 50\n"
    "keep: [cells, modes]\n"
    "n_train: {range: [1, 39]}\n"
    "ablations:\n"
    "  - none\n"
    "  - cutoff: [0.001, 0.01]\n"
    "datasets:\n"
    "  - diabetes\n"
    "  - source: student-teacher\n"
    "    name: my-pool_2.x\n"
    "    rows: 100\n"
    "    noise: 2.5e-1\n"
    "    draw: fresh\n"
    "    n_train: [7, 3]\n"
    "    ablations: [no_residuals, leading_modes: [5, 10]]\n";

static void a_whole_study_is_read(void **state) {
    rl_study study = parse(whole_study);
    assert_string_equal(study.path, "folder/a-study.yaml");
    assert_non_null(strstr(study.text, "# a comment\ntitle:"));
    assert_string_equal(study.title, "The published study");
    assert_true(study.seed == UINT64_MAX);
    assert_int_equal(study.random, RL_RANDOM_PHILOX);
    assert_int_equal(study.repeats, 50);
    assert_true(study.datasets[0].keep.cells && study.datasets[0].keep.modes);
    assert_int_equal(study.n_datasets, 2);

    const rl_study_dataset *first = &study.datasets[0], *second = &study.datasets[1];
    assert_string_equal(first->name, "diabetes");
    assert_ptr_equal(first->source, rl_source_find("diabetes"));
    assert_int_equal(first->line, 12);
    assert_int_equal(first->n_train.line, 7);
    assert_int_equal(first->n_train.n_values, 39);
    assert_int_equal(first->n_train.values[38], 39);
    assert_int_equal(first->n_variants, 3);
    assert_string_equal(first->variants[0].label, "none");
    assert_true(isnan(first->variants[0].parameter));
    assert_string_equal(first->variants[2].label, "cutoff=0.01");
    assert_true(first->variants[2].parameter == 0.01);
    assert_false(rl_options_flag(&first->variants[2].options, "relative"));

    assert_string_equal(second->name, "my-pool_2.x");
    assert_int_equal(second->line, 13);
    assert_int_equal(rl_options_integer(&second->options, "rows"), 100);
    assert_true(rl_options_get(&second->options, "rows")->given);
    assert_int_equal(rl_options_get(&second->options, "rows")->line, 15);
    assert_true(rl_options_real(&second->options, "noise") == 0.25);
    assert_string_equal(rl_options_text(&second->options, "draw"), "fresh");
    assert_true(rl_options_get(&second->options, "draw")->number == 1);
    assert_int_equal(rl_options_integer(&second->options, "features"), 20); /* the default */
    assert_false(rl_options_get(&second->options, "features")->given);
    assert_int_equal(second->n_train.line, 18);
    assert_int_equal(second->n_train.n_values, 2);
    assert_int_equal(second->n_variants, 3);
    assert_string_equal(second->variants[0].label, "no_residuals");
    assert_string_equal(second->variants[2].label, "leading_modes=10");
    rl_study_destroy(&study);
    assert_null(study.datasets);
}

static void what_is_not_said_has_defaults(void **state) {
    rl_study study = parse(R N A D);
    assert_string_equal(study.title, "a-study");
    assert_true(study.seed == 0);
    assert_int_equal(study.random, RL_RANDOM_PHILOX);
    assert_true(study.datasets[0].keep.cells);
    assert_false(study.datasets[0].keep.modes);
    assert_int_equal(study.datasets[0].n_train.around, -1);
    rl_study_destroy(&study);

    assert_int_equal(rl_study_parse(".hidden", R N A D, &study), RL_OK);
    assert_string_equal(study.title, ".hidden");
    rl_study_destroy(&study);
}

static void keep_chooses_what_the_results_hold(void **state) {
    static const struct {
        const char *line;
        bool cells, modes, directions, summary;
    } cases[] = {{"keep: cells\n", true, false, false, false},     {"keep: summary\n", false, false, false, true},
                 {"keep: [summary]\n", false, false, false, true}, {"keep: [modes, cells]\n", true, true, false, false},
                 {"keep: modes\n", false, true, false, false},     {"keep: directions\n", false, true, true, false}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[200];
        snprintf(text, sizeof text, "%s" R N A D, cases[i].line);
        rl_study study = parse(text);
        assert_int_equal(study.datasets[0].keep.cells, cases[i].cells);
        assert_int_equal(study.datasets[0].keep.modes, cases[i].modes);
        assert_int_equal(study.datasets[0].keep.directions, cases[i].directions);
        assert_int_equal(study.datasets[0].keep.summary, cases[i].summary);
        rl_study_destroy(&study);
    }
}

static void numpy_takes_no_seed_but_zero(void **state) {
    rl_study study = parse("random: numpy\nseed: 0\n" R N A D);
    assert_int_equal(study.random, RL_RANDOM_NUMPY);
    rl_study_destroy(&study);
}

static void editors_habits_are_forgiven(void **state) {
    rl_study study =
        parse("\xEF\xBB\xBF# byte order mark\r\nrepeats: 3\r\nn_train: \"5\"\r\nablations: 'none'\r\n" D "...\n");
    assert_int_equal(study.repeats, 3);
    assert_int_equal(study.datasets[0].n_train.values[0], 5);
    rl_study_destroy(&study);
}

static void n_train_is_a_union_sorted_and_distinct(void **state) {
    rl_study study = parse(R A D
                           "n_train:\n"
                           "  values: [9, 2, 9]\n"
                           "  range: [1, 8, 3]\n"
                           "  ratios: [2, 0.5, 2]\n"
                           "  around_threshold: 1\n");
    const rl_n_train_spec *spec = &study.datasets[0].n_train;
    static const int expected[] = {1, 2, 4, 7, 9};
    assert_int_equal(spec->n_values, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) assert_int_equal(spec->values[i], expected[i]);
    assert_int_equal(spec->n_ratios, 2);
    assert_true(spec->ratios[0] == 0.5 && spec->ratios[1] == 2);
    assert_int_equal(spec->around, 1);
    assert_int_equal(spec->line, 4);
    rl_study_destroy(&study);
}

/* numpy 1.24.2: [v.hex() for v in numpy.logspace(-3, 0, 7)], and of numpy.logspace(-2.5, 1.3, 6). */
static void logspace_gives_numpys_doubles(void **state) {
    static const double published[] = {0x1.0624dd2f1a9fcp-10, 0x1.9e7c6e43390b7p-9, 0x1.47ae147ae147bp-7,
                                       0x1.030dc4ea03a72p-5,  0x1.999999999999ap-4, 0x1.43d136248490fp-2,
                                       0x1.0000000000000p+0};
    static const double uneven[] = {0x1.9e7c6e43390b7p-9, 0x1.2a23c930ca03cp-6, 0x1.ace762edbd100p-4,
                                    0x1.3482b0a8294cfp-1, 0x1.bbd2bb2d0eeedp+1, 0x1.3f3df1c59536ep+4};
    rl_study study = parse(R N D
                           "ablations:\n - cutoff: {logspace: [-3, 0, 7]}\n - ridge: {logspace: [-2.5, 1.3, 6]}\n"
                           " - adversarial_test: {logspace: [2, 5, 1]}\n");
    const rl_variant *variants = study.datasets[0].variants;
    assert_int_equal(study.datasets[0].n_variants, 14);
    for (int i = 0; i < 7; i++) assert_true(variants[i].parameter == published[i]);
    for (int i = 0; i < 6; i++) assert_true(variants[7 + i].parameter == uneven[i]);
    assert_true(variants[13].parameter == 100); /* a count of one is the first exponent alone */
    assert_string_equal(variants[1].label, "cutoff=0.00316228");
    rl_study_destroy(&study);
}

static void parameters_come_in_all_forms(void **state) {
    rl_study study = parse(R N D
                           "ablations:\n"
                           "  - leading_modes: {range: [2, 9, 3]}\n"
                           "  - adversarial_test: {range: [-1, 1, 0.1]}\n"
                           "  - adversarial_train: 3.16\n"
                           "  - gradient_descent: {logspace: [0, 3, 7], values: [7]}\n");
    const rl_variant *variants = study.datasets[0].variants;
    assert_int_equal(study.datasets[0].n_variants, 3 + 21 + 1 + 8);
    assert_true(variants[0].parameter == 2 && variants[1].parameter == 5 && variants[2].parameter == 8);
    assert_true(variants[3].parameter == -1);
    assert_true(variants[13].parameter == -1 + 10 * 0.1);
    assert_true(variants[23].parameter == 1); /* 0.1 is not exact, the end is reached all the same */
    assert_true(variants[24].parameter == 3.16);
    static const double steps[] = {7, 1, 3, 10, 32, 100, 316, 1000}; /* whole numbers: rounded */
    for (size_t i = 0; i < COUNT(steps); i++) assert_true(variants[25 + i].parameter == steps[i]);
    rl_study_destroy(&study);
}

static void labels_tell_variants_apart(void **state) {
    static const char *const expected[] = {
        "cutoff=0.01 relative",
        "cutoff=0.01",
        "ridge=0.5",
        "ridge=0.50000001000000005", /* equal to 0.5 in six digits: both in seventeen */
        "gradient_descent=100",
        "gradient_descent=100 rate=0.5",
        "gradient_descent=100 rate=0.25 relative=false",
        "adversarial_test=0",
        "none",
    };
    rl_study study = parse(R N D
                           "ablations:\n"
                           "  - cutoff: {values: [0.01], relative: true}\n"
                           "  - cutoff: 0.01\n"
                           "  - ridge: [0.5, 0.50000001]\n"
                           "  - gradient_descent: [100]\n"
                           "  - gradient_descent: {values: 100, rate: 0.5}\n"
                           "  - gradient_descent: {values: 100, rate: 0.25, relative: false}\n"
                           "  - adversarial_test: -0.0\n"
                           "  - none\n");
    assert_int_equal(study.datasets[0].n_variants, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) assert_string_equal(study.datasets[0].variants[i].label, expected[i]);
    assert_true(rl_options_flag(&study.datasets[0].variants[4].options, "relative")); /* gradient descent's default */
    rl_study_destroy(&study);
}

static void a_sources_options_of_every_type_are_read(void **state) {
    rl_study study = parse(R N A
                           "datasets:\n"
                           "  - {source: csv, file: a.csv, target: 3}\n"
                           "  - {source: csv, name: b, file: b.csv, target: y, features: [x, 2], header: false,\n"
                           "     standardize: z-score}\n"
                           "  - {source: csv, name: c, file: c.csv, target: y, features: x}\n");
    const rl_options *a = &study.datasets[0].options, *b = &study.datasets[1].options, *c = &study.datasets[2].options;
    assert_string_equal(rl_options_text(a, "target"), "3");
    assert_true(rl_options_flag(a, "header"));
    assert_false(rl_options_get(a, "features")->given);
    assert_string_equal(rl_options_text(a, "standardize"), "none");
    assert_string_equal(rl_options_text(b, "file"), "b.csv");
    assert_int_equal(rl_options_get(b, "features")->n_list, 2);
    assert_string_equal(rl_options_get(b, "features")->list[1], "2");
    assert_false(rl_options_flag(b, "header"));
    assert_true(rl_options_get(b, "standardize")->number == RL_STANDARDIZE_Z_SCORE);
    assert_int_equal(rl_options_get(b, "standardize")->line, 7);
    assert_int_equal(rl_options_get(c, "features")->n_list, 1);
    rl_study_destroy(&study);
}

static void aliases_share_values(void **state) {
    rl_study study = parse(R
                           "n_train: &n [3, 4]\n"
                           "ablations: [none, cutoff: &c [0.1, 0.2], ridge: *c]\n"
                           "datasets:\n - source: student-teacher\n   n_train: *n\n");
    assert_int_equal(study.datasets[0].n_variants, 5);
    assert_true(study.datasets[0].variants[4].parameter == 0.2);
    assert_int_equal(study.datasets[0].n_train.n_values, 2);
    assert_int_equal(study.datasets[0].n_train.line, 6); /* where it is used, not where it is anchored */
    rl_study_destroy(&study);
}

/* ---- refusals --------------------------------------------------------------------------------------------------- */

static void faults_of_large_cases_are_refused(void **state) {
    static const refusal cases[] = {
        {"producer: pdgesv\n" R N A D, 1, "producer", "did you mean `pdgesvd`?"},
        {"ranks_per_case: 0\n" R N A D, 1, "ranks_per_case", "expected an integer from 1 to 1000000"},
        {"ranks_per_case: some\n" R N A D, 1, "ranks_per_case", "(ranks of a process grid, or auto, or all)"},
        {"ranks_per_case: 2\nproducer: lapack\n" R N A D, 1, "ranks_per_case", "uses one rank per case; expected auto"},
        {"grid: square\n" R N A D, 1, "grid",
         "got `square`; expected auto, or process rows x process columns, like 2x3"},
        {"grid: 2\n" R N A D, 1, "grid", "got `2`; expected auto, or process rows"},
        {"grid: 0x3\n" R N A D, 1, "grid", "got `0x3`"},
        {"grid: 1001x1\n" R N A D, 1, "grid", "got `1001x1`"},
        {"grid: [2, 3]\n" R N A D, 1, "grid", "expected auto, or process rows"},
        {"producer: lapack\ngrid: 2x1\n" R N A D, 2, "grid", "uses one rank per case; expected auto"},
        {"ranks_per_case: all\ngrid: 2x1\n" R N A D, 2, "grid", "got `2x1` and `ranks_per_case: all`"},
        {"ranks_per_case: 4\ngrid: 2x3\n" R N A D, 2, "grid",
         "got `2x3` and `ranks_per_case: 4`; expected rows x columns that make 4"},
        {"block: 0\n" R N A D, 1, "block", "expected an integer from 1 to 1024"},
    };
    assert_all_refused(cases, COUNT(cases));
}

static void faults_at_the_top_are_refused(void **state) {
    static const refusal cases[] = {
        {"- a\n", 1, NULL, "got a list; expected a study"},
        {"word\n", 1, NULL, "got `word`; expected a study"},
        {N A D, 1, "repeats", "missing; expected an integer from 1 to 100000000"},
        {R N A, 1, "datasets", "missing"},
        {R A D, 3, "n_train", "missing; expected it for the whole study, or in every dataset"},
        {R N D, 3, "ablations", "missing"},
        {"repeat: 3\n" N A D, 1, "repeat", "did you mean `repeats`? expected one of title, seed"},
        {R N A D "what is this: 3\n", 5, "what is this", "not a key here; expected one of title"},
        {R N A D "repeats: 3\n", 5, "repeats", "given twice (first in line 1)"},
        {R N A D "? [a]\n: b\n", 5, NULL, "got a list; expected a word as the key"},
        {R N A D "'<<': {repeats: 3}\n", 5, "<<", "not a key here"}, /* in quotes it is a key like any other */
        {R N A D "<<: 3\n", 5, "<<", "expected a mapping"},
        {R N A D "<<: [{seed: 1}, 3]\n", 5, "<<", "expected a mapping"},
        {R N A D "<<: {seed: 1}\n<<: {title: x}\n", 5, "<<", "expected it once"},
        {R N A D "<<: {sed: 1}\n", 5, "sed", "did you mean `seed`?"},
        {N A D "repeats: ~\n", 4, "repeats", "got nothing; expected an integer"},
        {R N A "datasets: null\n", 4, "datasets", "got nothing; expected a list of datasets"},
        {"singular_values: none\n" R N A D, 1, "singular_values", "got `none`"},
        {"full_spectra: {}\n" R N A D, 1, "full_spectra", "expected at least one of values, range"},
        {"random: numpy\nfull_spectra: [1]\n" R N A D, 2, "full_spectra", "computes full spectra at every N"},
        {"title: [a]\n" R N A D, 1, "title", "got a list; expected a title"},
        {"title:\n" R N A D, 1, "title", "got nothing; expected a title"},
        {"title: \"a\\nb\"\n" R N A D, 1, "title", "got `a?b`; expected a title of one line"},
        {"seed: -1\n" R N A D, 1, "seed", "got `-1`; expected an integer from 0 to 18446744073709551615"},
        {"seed: 18446744073709551616\n" R N A D, 1, "seed", "expected an integer from 0"},
        {"seed: 1.5\n" R N A D, 1, "seed", "got `1.5`"},
        {"seed: {a: b}\n" R N A D, 1, "seed", "got a mapping"},
        {R "seed: 7\nrandom: numpy\n" N A D, 2, "seed", "got `7`; expected 0 or no seed with `random: numpy`"},
        {"random: numpi\n" R N A D, 1, "random", "got `numpi`; did you mean `numpy`? expected one of philox, numpy"},
        {"random: [philox]\n" R N A D, 1, "random", "got a list"},
        {"repeats: 0\n" N A D, 1, "repeats", "got `0`; expected an integer from 1 to 100000000"},
        {"repeats: -3\n" N A D, 1, "repeats", "got `-3`"},
        {"repeats: 100000001\n" N A D, 1, "repeats", "got `100000001`"},
        {"repeats: many\n" N A D, 1, "repeats", "got `many`"},
        {"repeats: 1e3\n" N A D, 1, "repeats", "got `1e3`"},
        {"repeats: 2.0\n" N A D, 1, "repeats", "got `2.0`"},
        {"repeats: 99999999999999999999\n" N A D, 1, "repeats", "got `9999"},
        {"repeats: [2]\n" N A D, 1, "repeats", "got a list"},
        {"repeats:\n" N A D, 1, "repeats", "got nothing"},
        {"keep: cell\n" R N A D, 1, "keep",
         "got `cell`; did you mean `cells`? expected one of cells, modes, directions, predictions, summary"},
        {"keep: []\n" R N A D, 1, "keep", "got an empty list"},
        {"keep: [modes,\n modes]\n" R N A D, 2, "keep", "got `modes` twice"},
        {"keep: [cells, summary]\n" R N A D, 1, "keep", "got summary and other words; expected summary alone"},
        {"keep: [summary, modes]\n" R N A D, 1, "keep", "got summary and other words; expected summary alone"},
        {"theory: tables\n" R N A D, 1, "theory", "got `tables`; did you mean `table`? expected one of none, table"},
    };
    assert_all_refused(cases, COUNT(cases));
}

#define F "{source: function, "
static void maps_and_features_are_read(void **state) {
    rl_study study = parse("n_features: [7, 3, 7]\n" R N A
                           "datasets:\n"
                           "  - student-teacher\n"
                           "  - " F
                           "map: legendre, n_features: {values: 9, range: [1, 5, 2], logspace: [1, 2, 2]}}\n"
                           "  - {source: sphere, map: {name: random-relu, bias: 0.5}}\n");
    const rl_study_dataset *plain = &study.datasets[0], *poly = &study.datasets[1], *relu = &study.datasets[2];
    static const int expected[] = {1, 3, 5, 9, 10, 100};
    assert_string_equal(plain->map->name, "identity");
    assert_int_equal(plain->n_features.n_values, 2);
    assert_true(plain->n_features.values[0] == 3 && plain->n_features.values[1] == 7);
    assert_string_equal(poly->map->name, "legendre");
    assert_int_equal(poly->n_features.n_values, 6);
    for (int i = 0; i < 6; i++) assert_int_equal(poly->n_features.values[i], expected[i]);
    assert_string_equal(relu->map->name, "random-relu");
    assert_true(rl_options_real(&relu->map_options, "bias") == 0.5);
    assert_string_equal(rl_options_text(&relu->map_options, "weights"), "sphere");
    assert_int_equal(relu->n_features.n_values, 2); /* the study's */
    rl_study_destroy(&study);
    study = parse(R N A D);
    assert_int_equal(study.datasets[0].n_features.n_values, 0);
    rl_study_destroy(&study);
}

static void faults_of_maps_and_features_are_refused(void **state) {
    static const refusal cases[] = {
        {R N A D "n_features: 0\n", 5, "n_features", "got `0`; expected an integer from 1 to 1000000 (features)"},
        {R N A D "n_features: {}\n", 5, "n_features", "expected at least one of values, range, logspace"},
        {R N A D "n_features: {ratios: 1}\n", 5, "ratios", "not a key here; expected one of values, range, logspace"},
        {R N A D "n_features: {range: [1, 10001]}\n", 5, "n_features", "more than 10000 numbers"},
        {R N A "datasets:\n - source: diabetes\n   n_features: x\n", 6, "n_features", "got `x`"},
        {R N A "datasets:\n - source: function\n   map: legendre\n", 5, "n_features",
         "missing; expected how many features the `map` is to make"},
        {R N A "datasets:\n - source: function\n   map: legendr\n", 6, "map", "did you mean `legendre`?"},
        {R N A "datasets:\n - source: function\n   map: {bias: 1}\n", 6, "name", "missing; expected `name:`"},
        {R N A "datasets:\n - source: function\n   map: {name: legendre, bias: 1}\n", 6, "bias", "not a key here"},
        {R N A "datasets:\n - source: function\n   map: {name: random-relu, bias: -1}\n", 6, "bias", "got `-1`"},
        {R N A "datasets:\n - source: function\n   map: [legendre]\n", 6, "map", "got a list"},
        {R N A "datasets:\n - source: function\n   map:\n", 6, "map", "got nothing"},
        {R N A "datasets:\n - source: function\n   function: cosine\n", 6, "function", "expected one of linear-cosine"},
        {R N "ablations: [gradient_descent_run]\n" D, 3, "gradient_descent_run", "got no parameter"},
        {R N "ablations: [gradient_descent_run: {values: 1, start: -1}]\n" D, 3, "start", "got `-1`"},
    };
    assert_all_refused(cases, COUNT(cases));
}

static void faults_of_n_train_are_refused(void **state) {
    static const refusal cases[] = {
        {R A D "n_train: 0\n", 4, "n_train", "got `0`; expected an integer from 1"},
        {R A D "n_train:\n  - 3\n  - -1\n", 6, "n_train", "got `-1`"},
        {R A D "n_train: [1, x]\n", 4, "n_train", "got `x`; expected an integer from 1 to 2147483647 (training rows)"},
        {R A D "n_train: [1, [2]]\n", 4, "n_train", "got a list"},
        {R A D "n_train: 2147483648\n", 4, "n_train", "got `2147483648`"},
        {R A D "n_train: []\n", 4, "n_train", "got an empty list"},
        {R A D "n_train: {}\n", 4, "n_train", "expected at least one of values, range"},
        {R A D "n_train:\n", 4, "n_train", "got nothing"},
        {R A D "n_train: {rnage: [1, 2]}\n", 4, "rnage", "did you mean `range`?"},
        {R A D "n_train: {values: {a: 1}}\n", 4, "values", "got a mapping"},
        {R A D "n_train:\n  range: 3\n", 5, "range", "got `3`; expected [first, last] or [first, last, step]"},
        {R A D "n_train: {range: [1]}\n", 4, "range", "got a list; expected [first, last]"},
        {R A D "n_train: {range: [1, 2, 3, 4]}\n", 4, "range", "expected [first, last]"},
        {R A D "n_train: {range: [5, 4]}\n", 4, "range", "got 5 before 4; expected first <= last"},
        {R A D "n_train: {range: [1, 4, 0]}\n", 4, "range", "got `0`; expected an integer >= 1 (step)"},
        {R A D "n_train: {range: [0, 4]}\n", 4, "range", "got `0`"},
        {R A D "n_train: {range: [1, 4.5]}\n", 4, "range", "got `4.5`"},
        {R A D "n_train: {range: [1, 1000000000]}\n", 4, "range", "a range of more than 1000000 numbers"},
        {R A D "n_train: {range: [1, 1000000], values: [1]}\n", 4, "range", "more than 1000000 numbers"},
        {R A D "n_train: {ratios: [0.5, 0]}\n", 4, "ratios", "got `0`; expected a number > 0 and <= 1000000000"},
        {R A D "n_train: {ratios: nan}\n", 4, "ratios", "got `nan`"},
        {R A D "n_train: {ratios: 1e400}\n", 4, "ratios", "got `1e400`"},
        {R A D "n_train: {around_threshold: -1}\n", 4, "around_threshold", "got `-1`; expected an integer from 0 to"},
        {R A D "n_train: {around_threshold: 500000}\n", 4, "around_threshold", "got `500000`"},
    };
    assert_all_refused(cases, COUNT(cases));
}

static void faults_of_ablations_are_refused(void **state) {
    static const refusal cases[] = {
        {R N D "ablations:\n", 4, "ablations", "got nothing"},
        {R N D "ablations: []\n", 4, "ablations", "got an empty list"},
        {R N D "ablations: [[none]]\n", 4, "ablations", "got a list; expected the name of an ablation"},
        {R N D "ablations: [{}]\n", 4, "ablations", "expected the name of an ablation"},
        {R N D "ablations:\n - none\n - cutof: 0.1\n", 6, "cutof",
         "got `cutof`; did you mean `cutoff`? expected an ablation: none, cutoff, leading_modes"},
        {R N D "ablations: cutof\n", 4, "ablations", "; did you mean `cutoff`?"},
        {R N D "ablations:\n - magic\n", 5, "ablations", "got `magic`; expected an ablation: none, cutoff"},
        {R N D "ablations: [none: 3]\n", 4, "none", "got `3`; expected `- none` alone: it takes no parameter"},
        {R N D "ablations: [none: {values: 3}]\n", 4, "none", "it takes no parameter"},
        {R N D "ablations:\n - none:\n", 5, "none", "got nothing; expected `- none` alone"},
        {R N D "ablations:\n - none\n - cutoff\n", 6, "cutoff",
         "got no parameter; expected `cutoff: ` and a number >= 0 (smallest singular value kept, in units of the "
         "features)"},
        {R N D "ablations:\n - cutoff:\n", 5, "cutoff", "got no parameter"},
        {R N D "ablations: [cutoff: {relative: true}]\n", 4, "cutoff", "got no parameter"},
        {R N D "ablations: [cutoff: []]\n", 4, "cutoff", "got an empty list"},
        {R N D "ablations: [cutoff: -0.1]\n", 4, "cutoff", "got `-0.1`; expected a number >= 0"},
        {R N D "ablations: [cutoff: [0.1, big]]\n", 4, "cutoff", "got `big`"},
        {R N D "ablations: [cutoff: inf]\n", 4, "cutoff", "got `inf`"},
        {R N D "ablations: [cutoff: 0x10]\n", 4, "cutoff", "got `0x10`"},
        {R N D "ablations: [leading_modes: 2.5]\n", 4, "leading_modes", "got `2.5`; expected an integer >= 1"},
        {R N D "ablations: [leading_modes: 0]\n", 4, "leading_modes", "got `0`"},
        {R N D "ablations: [adversarial_test: 1e400]\n", 4, "adversarial_test", "got `1e400`; expected a number"},
        {R N D "ablations:\n - cutoff: {values: 1,\n     relativ: true}\n", 6, "relativ", "did you mean `relative`?"},
        {R N D "ablations: [cutoff: {values: 1, relative: yes}]\n", 4, "relative", "got `yes`; expected true or false"},
        {R N D "ablations: [cutoff: {values: 1, relative: [true]}]\n", 4, "relative", "got a list"},
        {R N D "ablations: [cutoff: {values: 1, values: 2}]\n", 4, "values", "given twice"},
        {R N D "ablations: [cutoff: {values: 1, rate: 2}]\n", 4, "rate", "not a key here"},
        {R N D "ablations: [gradient_descent: {values: 1, rate: 0}]\n", 4, "rate", "got `0`; expected a number > 0"},
        {R N D "ablations: [gradient_descent: {values: 1, rate: x}]\n", 4, "rate", "got `x`"},
        {R N D "ablations: [gradient_descent: {logspace: [-1, 1, 3]}]\n", 4, "logspace",
         "gives 0; expected an integer"},
        {R N D "ablations: [cutoff: {logspace: [-3, 0]}]\n", 4, "logspace", "expected [first exponent, last"},
        {R N D "ablations: [cutoff: {logspace: [-3, 0, 0]}]\n", 4, "logspace", "got `0`; expected an integer from 1"},
        {R N D "ablations: [cutoff: {logspace: [-3, 0, 1.5]}]\n", 4, "logspace", "got `1.5`"},
        {R N D "ablations: [cutoff: {logspace: [-301, 0, 3]}]\n", 4, "logspace", "got `-301`; expected a number from"},
        {R N D "ablations: [cutoff: {logspace: 3}]\n", 4, "logspace", "got `3`"},
        {R N D "ablations: [adversarial_test: {range: [0, 1, 0]}]\n", 4, "range",
         "got `0`; expected a number > 0 (step)"},
        {R N D "ablations: [adversarial_test: {range: [0, 1e300, 1]}]\n", 4, "range", "a range of more than 1000000"},
        {R N D "ablations:\n - cutoff: 1\n   relative: true\n", 6, "relative",
         "a second key in the entry of `cutoff`; expected one ablation per entry"},
        {R N D "ablations:\n - none\n - cutoff: 1\n - none\n", 7, "ablations", "got the variant `none` twice"},
        {R N D "ablations:\n - cutoff: [0.1, 1]\n - none\n - cutoff: [2, 1.0]\n", 7, "cutoff",
         "got the variant `cutoff` with the parameter 1 twice; expected each once"},
        {R N D "ablations: [gradient_descent: {values: [5], rate: 1}, gradient_descent: 5]\n", 4, "gradient_descent",
         "twice"}, /* 1 is the default rate */
    };
    assert_all_refused(cases, COUNT(cases));
}

#define RNA R N A
static void faults_of_datasets_are_refused(void **state) {
    static const refusal cases[] = {
        {RNA "datasets:\n", 4, "datasets", "got nothing"},
        {RNA "datasets: []\n", 4, "datasets", "got an empty list"},
        {RNA "datasets: diabetis\n", 4, "datasets",
         "got `diabetis`; did you mean `diabetes`? expected one of student-teacher, gaussian"},
        {RNA "datasets: diabetis\n", 4, "datasets", "did you mean `diabetes`?"},
        {RNA "datasets: [[diabetes]]\n", 4, "datasets", "got a list"},
        {RNA "datasets:\n - diabetes\n - {name: x}\n", 6, "source", "missing; expected `source:` and the name"},
        {RNA "datasets: [source: iris]\n", 4, "source", "got `iris`"},
        {RNA "datasets: [source: [who]]\n", 4, "source", "got a list"},
        {RNA "datasets: [{source: diabetes, source: who}]\n", 4, "source", "given twice"},
        {RNA "datasets:\n - diabetes\n - diabetes\n", 6, "datasets", "`diabetes` is taken by the dataset of line 5"},
        {RNA "datasets:\n - diabetes\n - source: who\n   name: diabetes\n", 7, "name", "is taken"},
        {RNA "datasets: [{source: diabetes, name: a/b}]\n", 4, "name", "got `a/b`; expected letters, digits"},
        {RNA "datasets: [{source: diabetes, name: ..}]\n", 4, "name", "got `..`"},
        {RNA "datasets: [{source: diabetes, name: -x}]\n", 4, "name", "got `-x`"},
        {RNA "datasets: [{source: diabetes, name: provenance}]\n", 4, "name", "for themselves"},
        {RNA "datasets: [{source: diabetes, name: \"\"}]\n", 4, "name", "got nothing"},
        {RNA "datasets: [{source: diabetes, name: "
             "a2345678901234567890123456789012345678901234567890123456789012345}]\n",
         4, "name", "got `a234"}, /* 65 characters; 64 may be */
        {RNA "datasets:\n - source: diabetes\n   rows: 10\n", 6, "rows",
         "expected one of source, name, map, intercept, n_features, n_tr"},
        {RNA "datasets:\n - source: diabetes\n   intercept: 1\n", 6, "intercept", "got `1`; expected true or false"},
        {RNA "datasets:\n - source: student-teacher\n   row: 10\n", 6, "row", "did you mean `rows`?"},
        {RNA "datasets: [{source: student-teacher, rows: 1}]\n", 4, "rows", "got `1`; expected an integer from 2 to"},
        {RNA "datasets: [{source: student-teacher, rows: 10.5}]\n", 4, "rows", "got `10.5`"},
        {RNA "datasets: [{source: student-teacher, noise: -1}]\n", 4, "noise", "got `-1`; expected a number >= 0"},
        {RNA "datasets: [{source: student-teacher, draw: frish}]\n", 4, "draw",
         "did you mean `fresh`? expected one of pool, fresh"},
        {RNA "datasets:\n - source: csv\n   target: y\n", 5, "file", "missing; expected a text ("},
        {RNA "datasets: [{source: csv, file: a, target: [y]}]\n", 4, "target", "got a list; expected a text ("},
        {RNA "datasets: [{source: csv, file: a, target: y, features: []}]\n", 4, "features",
         "got an empty list; expected a text or a list of texts ("},
        {RNA "datasets: [{source: csv, file: a, target: y, features: [x, [z]]}]\n", 4, "features", "got a list"},
        {RNA "datasets: [{source: csv, file: a, target: y, header: 1}]\n", 4, "header", "expected true or false"},
        {RNA "datasets:\n - source: diabetes\n   n_train: [0]\n", 6, "n_train", "got `0`"},
        {RNA "datasets:\n - source: diabetes\n   ablations: [nona]\n", 6, "ablations", "did you mean `none`?"},
        /* What every dataset replaces is checked all the same. */
        {R "n_train: 0\n" A "datasets: [{source: diabetes, n_train: 3}]\n", 2, "n_train", "got `0`"},
        {R N "ablations: [nona]\ndatasets: [{source: diabetes, ablations: none}]\n", 3, "ablations", "got `nona`"},
    };
    assert_all_refused(cases, COUNT(cases));
}

static void what_is_not_yaml_is_refused_with_line_and_column(void **state) {
    static const struct {
        const char *text, *beginning, *part;
    } cases[] = {
        {R N "\tablations: none\n", "bad.yaml:3:1: not YAML: got a tab; expected spaces", ""},
        {R "n_train: [1, 2\nablations: none\n", "bad.yaml:3:",
         "not YAML: did not find expected ',' or ']' (while "
         "parsing a flow sequence that began in line 2)"},
        {R "  n_train: 3\n", "bad.yaml:2:10: not YAML: ", "mapping values are not allowed"},
        {"repeats: *what\n", "bad.yaml:1:10: not YAML: ", "undefined alias"},
        {"title: \"no end\n", "bad.yaml:2:1: not YAML: ", "quoted scalar that began in line 1"},
        {"title: @home\n", "bad.yaml:1:8: not YAML: ", "cannot start any token"},
        {R "title: \xff\n", "bad.yaml:2:8: not text: ", "invalid leading UTF-8 octet; expected a study file in UTF-8"},
        {R "title: \xc3(\n", "bad.yaml:2:9: not text: ", "UTF-8"},
        {"\x7f"
         "ELF\x02\x01\x01",
         "bad.yaml:1:1: not text: ", "control characters are not allowed"},
        {R "title: \x01\n", "bad.yaml:2:8: not text: ", "control characters"},
        {"", "bad.yaml:1: the file is empty", ""},
        {"# nothing but a comment\n", "bad.yaml:1: the file is empty", ""},
        {R N A D "---\n" R N A D, "bad.yaml:5: got a second document", "expected one study per file"},
        {R N A D "...\nrepeats: [\n", "bad.yaml:6:", "not YAML"},
        {R "title: \"a\\0b\"\n" N A D, "bad.yaml:2: got a text with a zero byte", ""},
        {"repeats: !!int 3\n" N A D, "bad.yaml:1: got the tag `tag:yaml.org,2002:int`; expected values without", ""},
        {"--- !study\n" R N A D, "bad.yaml:1: got the tag `!study`", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) assert_refused(cases[i].text, cases[i].beginning, cases[i].part);
}

/* A document that contains itself is a node of the wrong type somewhere; one that multiplies itself is not expanded. */
static void aliases_neither_loop_nor_explode(void **state) {
    static const refusal cases[] = {
        {"&a [*a]\n", 1, NULL, "got a list; expected a study"},
        {"&a {*a : 1}\n", 1, NULL, "expected a word as the key"},
        {R N A "datasets: &a [*a]\n", 4, "datasets", "got a list"},
        {"&a {<<: *a}\n", 1, "<<", "expected a mapping that does not contain this one"},
        {R N A "x-1: &a {<<: {<<: *a}}\n", 4, "<<", "expected a mapping that does not contain this one"},
        {R N D "ablations: &a [none, *a]\n", 4, "ablations", "got a list"},
        {R N D "ablations: [&a {cutoff: *a}]\n", 4, "cutoff", "not a key here"},
        {R A D "n_train: &a {values: *a}\n", 4, "values", "got a mapping"},
        {R A D "n_train: &a [1, *a]\n", 4, "n_train", "got a list"},
        {"title: &a [x, x, x, x, x, x, x, x, x]\nseed: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
         "keep: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nrandom: &d [*c, *c, *c, *c, *c, *c, *c, *c]\n",
         1, "title", "got a list"},
    };
    assert_all_refused(cases, COUNT(cases));
}

/* A list of merges of ever more keys, each of them twice that of the line before without a limit. */
static void merge_keys_do_not_explode(void **state) {
    rl_text text = RL_TEXT_EMPTY;
    assert_int_equal(rl_text_append(&text, R N A D "x-0: &a0 {k: 1}\n"), RL_OK);
    for (int i = 1; i < 900; i++)
        assert_int_equal(rl_text_append(&text, "x-%d: &a%d {<<: [*a%d, *a%d], k%d: 1}\n", i, i, i - 1, i - 1, i),
                         RL_OK);
    assert_refused(text.bytes, "bad.yaml:", "expected mappings of at most 128 keys together");
    rl_free(text.bytes);
    text = RL_TEXT_EMPTY;
    assert_int_equal(rl_text_append(&text, R N A D "x-0: &a {k: 1}\nx-1: ["), RL_OK);
    for (int i = 0; i <= 10000; i++) assert_int_equal(rl_text_append(&text, "{<<: *a}, "), RL_OK);
    assert_int_equal(rl_text_append(&text, "]\n"), RL_OK);
    assert_refused(text.bytes, "bad.yaml:6", "expected no more than 10000 mappings merged in a study");
    rl_free(text.bytes);
}

static void append(rl_text *text, const char *more) {
    assert_int_equal(rl_text_append(text, "%s", more), RL_OK);
}

static void sizes_are_limited(void **state) {
    rl_text text = RL_TEXT_EMPTY;
    append(&text, RNA "datasets:\n");
    for (int i = 0; i < 1001; i++)
        assert_int_equal(rl_text_append(&text, " - {source: diabetes, name: d%d}\n", i), RL_OK);
    assert_refused(text.bytes, "bad.yaml:4: key `datasets`: got 1001 datasets; expected at most 1000", "");

    assert_refused(R N A
                   "datasets:\n"
                   " - {source: who, ablations: [adversarial_test: {range: &r [1, 500000]}]}\n"
                   " - {source: diabetes, ablations: [adversarial_test: {range: *r}, none]}\n",
                   "bad.yaml:6: key `ablations`: more than 1000000 variants in all datasets together", "");
    text.length = 0;
    append(&text, R A "n_train: {range: [1, 400000]}\ndatasets:\n");
    for (int i = 0; i < 3; i++) assert_int_equal(rl_text_append(&text, " - {source: diabetes, name: d%d}\n", i), RL_OK);
    assert_refused(text.bytes,
                   "bad.yaml:3: key `n_train`: more than 1000000 numbers of features and training rows in all", "");
    assert_refused(
        R N D "ablations:\n - adversarial_test: {range: [1, 900000]}\n - adversarial_train: {range: [1, 900000]}\n",
        "bad.yaml:6: key `adversarial_train`: more than 1000000 variants", "");

    text.length = 0;
    append(&text, R "title: ");
    for (int i = 0; i < 501; i++) append(&text, "[");
    assert_refused(text.bytes, "bad.yaml:2: brackets nested deeper than 500", "");

    text.length = 0;
    append(&text, RNA D "# ");
    while (text.length <= RL_STUDY_FILE_LIMIT) append(&text, "and so on, ");
    assert_refused(text.bytes, "bad.yaml: larger than 1048576 bytes", "");
    rl_free(text.bytes);
}

/* Quoted text in a message is short, cut between characters, and cannot drive a terminal. */
static void messages_quote_with_care(void **state) {
    assert_refused("repeats: \"\\e[31m\"\n" N A D, "bad.yaml:1: key `repeats`: got `?[31m`; ", "");
    rl_text text = RL_TEXT_EMPTY;
    append(&text, "repeats: x");
    for (int i = 0; i < 100; i++) append(&text, "\xc3\xa9"); /* e with an accent, two bytes each */
    assert_refused(text.bytes, "bad.yaml:1: key `repeats`: got `x\xc3\xa9", "\xc3\xa9...`; expected");
    text.length = 0;
    append(&text, RNA D);
    for (int i = 0; i < 200; i++) append(&text, "k");
    append(&text, ": 1\n");
    assert_refused(text.bytes, "bad.yaml:5: key `kkkk", "kkk...`: not a key here; expected one of title");
    rl_free(text.bytes);
}

/* ---- settings --------------------------------------------------------------------------------------------------- */

static char *settings_of(const char *text) {
    rl_study study = parse(text);
    rl_text settings = RL_TEXT_EMPTY;
    assert_int_equal(rl_study_settings(&study, &settings), RL_OK);
    rl_study_destroy(&study);
    return settings.bytes;
}

static void settings_spell_everything_out(void **state) {
    char *settings = settings_of(
        "seed: 3\nkeep: [cells, modes]\n" R
        "n_train: {values: [3, 1], ratios: [0.1], around_threshold: 2}\n"
        "ablations: [none, cutoff: 0.1]\n"
        "datasets:\n"
        "  - diabetes\n"
        "  - {source: csv, name: t, file: \"a \\\"b\\\"\\n\\\\.csv\", target: y, features: [p, q], n_train: 7,\n"
        "     keep: directions, ablations: [gradient_descent: 5]}\n");
    assert_string_equal(settings,
                        "seed: 3\n"
                        "random: philox\n"
                        "block: 64\n"
                        "singular_values: all\n"
                        "full_spectra: all\n"
                        "diabetes/source: diabetes\n"
                        "diabetes/producer: auto\n"
                        "diabetes/process grids: auto\n"
                        "diabetes/modes: true\n"
                        "diabetes/directions: false\n"
                        "diabetes/variant: none\n"
                        "diabetes/variant: cutoff 0.10000000000000001 relative=false\n"
                        "t/source: csv\n"
                        "t/file: \"a \\\"b\\\"\\x0a\\\\.csv\"\n"
                        "t/target: \"y\"\n"
                        "t/features: [\"p\", \"q\"]\n"
                        "t/delimiter: \"comma\"\n"
                        "t/header: true\n"
                        "t/standardize: \"none\"\n"
                        "t/producer: auto\n"
                        "t/process grids: auto\n"
                        "t/modes: true\n"
                        "t/directions: true\n"
                        "t/variant: gradient_descent 5 rate=1 relative=true\n");
    rl_free(settings);
}

/* The same study in other words, or of other N, has the same settings; one that gives other numbers has others. */
static void settings_are_about_numbers_alone(void **state) {
    char *one = settings_of(R A "n_train: [3, 1, 2]\ndatasets: student-teacher\n");
    static const char *const same[] = {
        "title: Other\nrepeats: 77\nkeep: cells\nn_train: {range: [1, 3]}\nablations:\n- none\ndatasets: "
        "[student-teacher]\n",
        R A
        "n_train: {values: [1, 2], range: [2, 3]}\ndatasets:\n- {source: student-teacher, rows: 1000, draw: pool}\n",
        "seed: 0\nrandom: philox\n" R A "datasets:\n- source: student-teacher\n  n_train: [1, 2, 3]\n",
        R A "n_train: [5, 9]\n" D,
        R A "n_features: [2, 3]\nn_train: 2\n" D,
        R A "n_train: 2\ndatasets: [{source: student-teacher, map: identity}]\n",
        R A "n_train: 2\ndatasets: [{source: student-teacher, intercept: false}]\n",
        R A "n_train: {ratios: 1, around_threshold: 0}\n" D,
    };
    static const char *const other[] = {
        "seed: 1\n" R A "n_train: [3, 1, 2]\n" D,
        "random: numpy\n" R A "n_train: [3, 1, 2]\n" D,
        "keep: [cells, modes]\n" R A "n_train: [3, 1, 2]\n" D,
        "keep: summary\n" R A "n_train: [3, 1, 2]\n" D,
        "keep: [cells, predictions]\n" R A "n_train: [3, 1, 2]\n" D,
        "n_features: 3\n" R A "n_train: 2\ndatasets: [{source: student-teacher, map: random-relu}]\n",
        "producer: lapack\n" R A "n_train: [3, 1, 2]\n" D,
        "producer: two-stage\n" R A "n_train: [3, 1, 2]\n" D,
        "ranks_per_case: 2\n" R A "n_train: [3, 1, 2]\n" D,
        "grid: 2x1\n" R A "n_train: [3, 1, 2]\n" D,
        "block: 32\n" R A "n_train: [3, 1, 2]\n" D,
        "full_spectra: [1, 2]\n" R A "n_train: [3, 1, 2]\n" D,
        "singular_values: [1, 2]\n" R A "n_train: [3, 1, 2]\n" D,
        "singular_values: {ratios: 1}\n" R A "n_train: [3, 1, 2]\n" D,
        "singular_values: {around_threshold: 0}\n" R A "n_train: [3, 1, 2]\n" D,
        R "ablations: no_residuals\nn_train: [3, 1, 2]\n" D,
        R "ablations: [none, no_residuals]\nn_train: [3, 1, 2]\n" D,
        R A "n_train: [3, 1, 2]\ndatasets: [{source: student-teacher, noise: 1e-17}]\n",
        R A "n_train: [3, 1, 2]\ndatasets: [{source: student-teacher, intercept: true}]\n",
        R A "n_train: [3, 1, 2]\ndatasets: [{source: student-teacher, name: other}]\n",
    };
    for (size_t i = 0; i < COUNT(same); i++) {
        char *settings = settings_of(same[i]);
        assert_string_equal(settings, one);
        rl_free(settings);
    }
    for (size_t i = 0; i < COUNT(other); i++) {
        char *settings = settings_of(other[i]);
        assert_string_not_equal(settings, one);
        rl_free(settings);
    }
    rl_free(one);
}

/* Published draws depend on the list of P and on the repeats, and others do not. */
static void settings_of_draws_in_a_row_have_all_that_they_depend_on(void **state) {
    static const char *const texts[] = {
        "repeats: 2\n" N A "datasets: [" F "map: legendre, n_features: [1, 2]}]\n",
        "repeats: 3\n" N A "datasets: [" F "map: legendre, n_features: [1, 2]}]\n",
        "repeats: 2\n" N A "datasets: [" F "map: legendre, n_features: [1, 3]}]\n",
    };
    for (int numpy = 0; numpy < 2; numpy++) {
        char *settings[3], text[300];
        for (int i = 0; i < 3; i++) {
            snprintf(text, sizeof text, "%s%s", numpy ? "random: numpy\n" : "", texts[i]);
            settings[i] = settings_of(text);
        }
        for (int i = 1; i < 3; i++) assert_true((strcmp(settings[0], settings[i]) != 0) == numpy);
        if (numpy) assert_contains(settings[2], "function/repeats: 2\nfunction/n_features: 1 3\n");
        assert_contains(settings[0], "function/map: legendre\n");
        for (int i = 0; i < 3; i++) rl_free(settings[i]);
    }
}

/* What a results file keeps verbatim gives the study back. */
static void the_text_gives_the_study_back(void **state) {
    static const char *const text =
        "\xEF\xBB\xBFseed: 4 # why not\n" R N D "ablations: [ridge: {logspace: [-3, 2, 9]}]\n";
    rl_study study = parse(text);
    assert_string_equal(study.text, text);
    char *first = settings_of(text), *second = settings_of(study.text);
    assert_string_equal(first, second);
    rl_free(first);
    rl_free(second);
    rl_study_destroy(&study);
}

/* ---- plan ------------------------------------------------------------------------------------------------------- */

/* Numbers of the methods (results files have them). */
enum { SPECTRA, NESTED, GRID_SPECTRA, GRID_NESTED, BULK };

/* A folder of its own with a table of 12 rows and 3 features, and a study file's path in it. */
typedef struct place {
    char folder[64], table[96], study[96];
    rl_data_path path;
} place;

static int make_place(void **state) {
    place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    strcpy(p->folder, "/tmp/ridgeless-study-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->table, sizeof p->table, "%s/table.csv", p->folder);
    snprintf(p->study, sizeof p->study, "%s/study.yaml", p->folder);
    FILE *file = fopen(p->table, "w");
    assert_non_null(file);
    fprintf(file, "a,b,c,y\n");
    for (int i = 0; i < 12; i++) fprintf(file, "%d,%d,%d,%d\n", i, i * i % 7, 3 * i % 5, i * i);
    fclose(file);
    p->path = (rl_data_path){.folders = {p->folder}, .n_folders = 1};
    *state = p;
    return 0;
}

static int remove_place(void **state) {
    place *p = *state;
    unlink(p->table);
    rmdir(p->folder);
    free(p);
    return 0;
}

#define TABLE "{source: csv, name: table, file: table.csv, target: y}"

static rl_study parse_at(const place *p, const char *text) {
    rl_study study;
    if (rl_study_parse(p->study, text, &study) != RL_OK) fail_msg("%s", rl_error_message());
    return study;
}

static void a_plan_lays_out_the_grid(void **state) {
    const place *p = *state;
    rl_study study =
        parse_at(p,
                 "repeats: 3\n"
                 "n_train: {values: [4, 2], ratios: [0.1, 1.5], around_threshold: 1}\n"
                 "ablations: [none, cutoff: [0.1, 0.2]]\n"
                 "datasets:\n"
                 "  - " TABLE
                 "\n"
                 "  - {source: student-teacher, rows: 50, features: 2, n_train: [1, 40], ablations: none}\n");
    rl_plan plan;
    const rl_plan_options options = {.path = &p->path};
    if (rl_plan_create(&study, &options, &plan) != RL_OK) fail_msg("%s", rl_error_message());
    assert_ptr_equal(plan.study, &study);
    assert_int_equal(plan.n_series, 2);
    const rl_series *table = &plan.series[0], *teacher = &plan.series[1];
    assert_ptr_equal(table->spec, &study.datasets[0]);
    assert_int_equal(table->data.n_rows, 12);
    assert_int_equal(table->data.n_features, 3);
    /* values 2 4; ratios 0.1 -> at least 1, 1.5 x 3 = 4.5 -> 5; around 2 3 4 */
    static const int expected[] = {1, 2, 3, 4, 5};
    assert_int_equal(table->n_n_train, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) assert_int_equal(table->n_train[i], expected[i]);
    assert_int_equal(table->max_modes, 3);
    assert_int_equal(teacher->n_n_train, 2);
    assert_int_equal(teacher->max_modes, 2);

    assert_int_equal(plan.n_tasks, 6);
    const rl_count of_table = rl_series_count(table), of_teacher = rl_series_count(teacher);
    assert_int_equal(of_table.points + of_teacher.points, 3 * 5 + 3 * 2);
    assert_int_equal(of_table.cells + of_teacher.cells, 3 * 5 * 3 + 3 * 2 * 1);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(plan.tasks[i].series, i / 3);
        assert_int_equal(plan.tasks[i].repeats.first, i % 3);
        assert_true(plan.tasks[i].flops == plan.tasks[i / 3 * 3].flops);
    }
    /* what the data sets and the tasks take, and the larger of two workers */
    const size_t data = (12 * 4 + 50 * 3) * sizeof(double), tasks = 6 * sizeof(rl_task);
    const size_t workers[] = {rl_worker_bytes(table), rl_worker_bytes(teacher)};
    const size_t largest = workers[0] > workers[1] ? workers[0] : workers[1];
    assert_true(workers[0] > 5 * (3 * 3 + 6) * sizeof(double));
    assert_true(plan.memory_per_rank >= data + tasks + largest);
    assert_true(plan.memory_per_rank < data + tasks + largest + 10000); /* the teacher, and beta* */
    rl_plan_destroy(&plan);
    rl_study_destroy(&study);
}

static void make_plan(const place *p, const rl_study *study, rl_plan *plan) {
    if (rl_plan_create(study, &(rl_plan_options){.path = &p->path}, plan) != RL_OK) fail_msg("%s", rl_error_message());
}

/* A series for each P of a data set, with an N list of its own. */
static void each_p_is_a_series(void **state) {
    const place *p = *state;
    rl_study study = parse_at(p,
                              "repeats: 2\nn_train: {values: 4, ratios: 2}\nablations: [none, cutoff: 1]\ndatasets:\n"
                              "  - {source: csv, name: table, file: table.csv, target: y, n_features: [1, 3]}\n"
                              "  - {source: sphere, rows: 30, inputs: 4, map: random-relu, n_features: [2, 5, 9]}\n"
                              "  - {source: function, test_points: 5, n_train: [1, 15]}\n");
    rl_plan plan;
    make_plan(p, &study, &plan);
    static const int features[] = {1, 3, 2, 5, 9, 1}, sizes[][2] = {{2, 4}, {4, 6}, {4, 4}, {4, 10}, {4, 18}, {1, 15}};
    assert_int_equal(plan.n_datasets, 3);
    assert_int_equal(plan.n_series, 6);
    for (int g = 0; g < 6; g++) {
        const rl_series *series = &plan.series[g];
        assert_int_equal(series->data.n_features, features[g]);
        assert_int_equal(series->n_n_train, 1 + (g != 2));
        assert_int_equal(series->n_train[0], sizes[g][0]);
        assert_int_equal(series->n_train[series->n_n_train - 1], sizes[g][1]);
        assert_int_equal(series->first_task, 2 * g);
        assert_int_equal(rl_plan_task(&plan, g, 1, 0), 2 * g + 1);
        assert_int_equal(rl_plan_end_of_group(&plan, g), g < 2 ? 2 : g < 5 ? 5 : 6);
        assert_int_equal(series->max_modes, sizes[g][1] < features[g] ? sizes[g][1] : features[g]);
    }
    int64_t n_spectra = 0;
    for (int g = 0; g < 6; g++) n_spectra += rl_series_count(&plan.series[g]).points;
    assert_int_equal(n_spectra, 2 * (2 + 2 + 1 + 2 + 2 + 2));
    assert_true(plan.tasks[8].flops > plan.tasks[4].flops);
    rl_plan_destroy(&plan);
    rl_study_destroy(&study);
}

static void refuse_plan(const place *p, const char *text, const char *part) {
    rl_study study = parse_at(p, text);
    rl_plan plan;
    assert_int_equal(rl_plan_create(&study, &(rl_plan_options){.path = &p->path}, &plan), RL_ERR_INPUT);
    assert_contains(rl_error_message(), part);
    assert_null(plan.series);
    rl_study_destroy(&study);
}

static void plans_that_views_make_impossible_are_refused(void **state) {
    const place *p = *state;
    refuse_plan(p, R N A "n_features: [3, 4]\ndatasets: [" TABLE "]\n",
                "study.yaml:5: dataset `table`: key `n_features`: got 4; expected at most the features that there are");
    refuse_plan(p, R N A "datasets: [" F "map: legendre, n_features: 2, high: 3}]\n", "expected inputs in [-1, 1]");
    refuse_plan(
        p, R "n_train: 16\n" A "datasets: [" F "map: legendre, n_features: 2}]\n",
        "study.yaml:2: key `n_train`: N = 16 is more than the 15 rows of the dataset `function` that may train");
    refuse_plan(p, "keep: predictions\n" R N A D, "key `keep`: got predictions, and no dataset has test points");
    refuse_plan(p, "keep: predictions\nranks_per_case: 2\n" R N A "datasets: [function]\n",
                "`keep: predictions` needs the training rows on one rank");
    refuse_plan(p, "producer: two-stage\n" R N "ablations: [none, gradient_descent_run: 3]\n" D,
                "the ablation `gradient_descent_run` needs the training rows on one rank");
}

/* The models of src/task/spectra.c and bulk.c by hand, 10 rows of 2 features, one variant:
 * rows into the triangle 2 x 9 x 16 = 288;
 * N = 1: SVD 6 2 1 + 20 1 = 32, Z 2 4 2 1 = 16, fit (2 4 + 4) 1 = 12;
 * N = 3: QR 2 3 4 - 16/3 + 2 x 4 3 2 = 24 - 16/3 + 48, SVD 6 2 4 + 20 8 = 208, Z 2 4 2 2 = 32, fit 12 x 2 = 24. */
#define DENSE "producer: lapack\n"
/* What an array takes in an arena: whole pieces of 64 bytes, and in builds with sanitizers the gap behind it. */
static size_t arena_bytes(size_t bytes) {
    rl_arena arena = {0};
    rl_arena_take(&arena, bytes, 1);
    return arena.bytes;
}

static void the_cost_model_is_the_documented_one(void **state) {
    const place *p = *state;
    rl_study study =
        parse_at(p, R A DENSE "n_train: [1, 3]\ndatasets: [{source: student-teacher, rows: 10, features: 2}]\n");
    rl_plan plan;
    const rl_plan_options options = {.path = &p->path};
    assert_int_equal(rl_plan_create(&study, &options, &plan), RL_OK);
    const double expected = 288 + (32 + 16 + 12) + (24 - 16.0 / 3 + 48 + 208 + 32 + 24);
    assert_true(fabs(plan.tasks[0].flops - expected) < 1e-9);
    const size_t memory = plan.memory_per_rank;
    rl_plan_destroy(&plan);
    rl_study_destroy(&study);

    /* fresh rows: drawn (50 flops per number, 30 hidden features and the noise), but never all in memory */
    study = parse_at(
        p, R A DENSE "n_train: [1, 3]\ndatasets: [{source: student-teacher, rows: 10, features: 2, draw: fresh}]\n");
    assert_int_equal(rl_plan_create(&study, &options, &plan), RL_OK);
    assert_true(fabs(plan.tasks[0].flops - expected - 50 * 10 * 31) < 1e-9);
    /* x of 160 bytes and y of 80, in whole pieces of 64, and the order; but population errors of two N come in, in the
     * curve and in its record */
    assert_int_equal(memory - plan.memory_per_rank, 192 + 128 + arena_bytes(40) - 128);
    rl_plan_destroy(&plan);
    rl_study_destroy(&study);

    /* repeats side by side: 3 rows into triangles of order 4, twice 3 x 16 each; 1 row, 4 sweeps of half a pair of 19;
     * 1 + 2 rows, 4 sweeps of 9 / 2 pairs; 16 per mode */
    study = parse_at(p, R A "n_train: [1, 3]\ndatasets: [{source: student-teacher, rows: 10, features: 2}]\n");
    assert_int_equal(rl_plan_create(&study, &options, &plan), RL_OK);
    assert_int_equal(rl_method_number(plan.series[0].method), BULK);
    assert_true(fabs(plan.tasks[0].flops - (288 + 38 + 16 + 342 + 32) / 12.0) < 1e-9);
    rl_plan_destroy(&plan);
    rl_study_destroy(&study);
}

static rl_plan plan_of(const place *p, rl_study *study, const char *text) {
    const rl_plan_options options = {.path = &p->path};
    rl_plan plan;
    *study = parse_at(p, text);
    if (rl_plan_create(study, &options, &plan) != RL_OK) fail_msg("%s", rl_error_message());
    return plan;
}

/* Nobody computes these: a plan needs no rows. */
#define MADE(features) \
    "{source: student-teacher, draw: fresh, rows: 9000, features: " features ", hidden_features: " features "}"
#define MADE_BY(producer) "{source: student-teacher, draw: fresh, rows: 90, features: 30, producer: " producer "}"

/* The method depends on the study alone. */
static void methods_and_producers_are_chosen_as_documented(void **state) {
    static const struct {
        const char *text;
        int method;
        rl_producer producer;
        int n_parts;
    } cases[] = {
        {R A "n_train: [10, 20]\ndatasets: [" MADE("40") "]\n", SPECTRA, RL_PRODUCER_LAPACK, 1},
        {R A "n_train: {range: [1, 2000]}\ndatasets: [" MADE("1000") "]\n", NESTED, RL_PRODUCER_LAPACK, 1},
        {R A "n_train: [10, 20, 8000]\ndatasets: [" MADE("8000") "]\n", GRID_NESTED, RL_PRODUCER_TWO_STAGE, 1},
        {R "ablations: [cutoff: 1]\nn_train: [10, 20, 8000]\ndatasets: [" MADE("8000") "]\n", GRID_SPECTRA,
         RL_PRODUCER_TWO_STAGE, 3},
        {R A "keep: [cells, modes]\nn_train: [10, 8000]\ndatasets: [" MADE("8000") "]\n", GRID_SPECTRA,
         RL_PRODUCER_TWO_STAGE, 2},
        {R A "producer: lapack\nn_train: [10, 8000]\ndatasets: [" MADE("8000") "]\n", SPECTRA, RL_PRODUCER_LAPACK, 1},
        {R A "producer: lapack\nn_train: [10, 20]\ndatasets: [" MADE_BY("projected") "]\n", GRID_SPECTRA,
         RL_PRODUCER_PROJECTED, 2},
        {R A "producer: pdgesvd\nn_train: [10, 20]\ndatasets: [" MADE_BY("auto") "]\n", BULK, RL_PRODUCER_LAPACK, 1},
        {R A "ranks_per_case: 3\nn_train: [10, 20]\ndatasets: [" MADE("40") "]\n", GRID_NESTED, RL_PRODUCER_TWO_STAGE,
         1},
        {R "ablations: [none, cutoff: 1]\nfull_spectra: [20]\nn_train: [10, 20]\ndatasets: [" MADE("40") "]\n", NESTED,
         RL_PRODUCER_LAPACK, 1},
        {R "ablations: [none, cutoff: 1]\nfull_spectra: [20]\nranks_per_case: all\nn_train: [10, 20]\ndatasets: "
           "[" MADE_BY("projected") "]\n",
         GRID_NESTED, RL_PRODUCER_PROJECTED, 1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        rl_study study;
        rl_plan plan = plan_of(*state, &study, cases[i].text);
        const rl_series *g = &plan.series[0];
        if (rl_method_number(g->method) != cases[i].method || g->producer != cases[i].producer ||
            g->n_parts != cases[i].n_parts)
            fail_msg("case %zu: %s by %s in %d part(s)", i, rl_method_text(g->method), rl_producer_name(g->producer),
                     g->n_parts);
        assert_int_equal(plan.n_tasks, 2 * g->n_parts);
        assert_int_equal(rl_series_count(g).points, 2 * g->n_n_train);
        rl_plan_destroy(&plan);
        rl_study_destroy(&study);
    }
}

static void large_spectra_are_tasks_of_their_own(void **state) {
    rl_study study;
    rl_plan plan =
        plan_of(*state, &study,
                R A "n_train: [2, 3, 80]\ndatasets:\n- " MADE_BY(
                    "two-stage") "\n- {source: csv, name: table, file: table.csv, target: y, n_train: [2, 3]}\n");
    assert_int_equal(plan.n_tasks, 2 * 3 + 2);
    for (int repeat = 0; repeat < 2; repeat++) {
        for (int i = 0; i < 3; i++) {
            const int64_t index = rl_plan_task(&plan, 0, repeat, i);
            assert_int_equal(index, 3 * repeat + i);
            const rl_task *task = &plan.tasks[index];
            assert_int_equal(task->series, 0);
            assert_int_equal(task->repeats.first, repeat);
            assert_int_equal(task->n_train.first, i);
            assert_int_equal(task->n_train.n, 1);
        }
        assert_int_equal(rl_plan_task(&plan, 1, repeat, 0), 6 + repeat);
        assert_int_equal(rl_plan_task(&plan, 1, repeat, 1), 6 + repeat);
        assert_int_equal(plan.tasks[6 + repeat].n_train.n, 2);
    }
    const rl_task *t = plan.tasks;
    assert_true(t[0].flops < t[1].flops && t[1].flops < t[2].flops);
    for (int i = 0; i < 3; i++) assert_true(t[3 + i].flops == t[i].flops);
    rl_plan_destroy(&plan);
    rl_study_destroy(&study);
}

static void chosen_sizes_are_marked(void **state) {
    rl_study study;
    rl_plan plan =
        plan_of(*state, &study,
                R
                "ablations: [none, cutoff: 1]\nn_train: {range: [1, 60]}\n"
                "singular_values: {range: [5, 95, 10], around_threshold: 1}\nfull_spectra: {ratios: [0.5, 1]}\n"
                "datasets: [" MADE("30") "]\n");
    const rl_series *g = &plan.series[0];
    for (int i = 0; i < 60; i++) {
        const int n = i + 1;
        assert_int_equal(g->sigma_wanted[i], n % 10 == 5 || abs(n - 30) <= 1);
        assert_int_equal(g->full[i], n == 15 || n == 30);
    }
    rl_plan_destroy(&plan);
    rl_study_destroy(&study);
}

static void assert_plan_refused(const place *p, const char *text, const char *part) {
    rl_study study = parse_at(p, text);
    rl_plan plan;
    const rl_plan_options options = {.path = &p->path};
    assert_int_equal(rl_plan_create(&study, &options, &plan), RL_ERR_INPUT);
    assert_contains(rl_error_message(), part);
    assert_int_equal(strncmp(rl_error_message(), p->study, strlen(p->study)), 0);
    assert_null(plan.series);
    rl_study_destroy(&study);
}

static void an_n_that_leaves_no_test_row_is_refused(void **state) {
    const place *p = *state;
    static const char *const part =
        "study.yaml:2: key `n_train`: N = 12 leaves no test row of the dataset `table`, which has 12 rows and 3 "
        "features; expected N from 1 to 11";
    assert_plan_refused(p, R "n_train: [1, 12]\n" A "datasets: [" TABLE "]\n", part);
    assert_plan_refused(p, R "n_train: {ratios: [1, 4]}\n" A "datasets: [" TABLE "]\n", part);
    assert_plan_refused(p, R "n_train: {around_threshold: 9}\n" A "datasets: [" TABLE "]\n", part);
    assert_plan_refused(p, R "n_train: {ratios: 1e9}\n" A "datasets: [" TABLE "]\n",
                        "N = 3000000000 leaves no test row");
    assert_plan_refused(p, R A "datasets:\n  - source: student-teacher\n    rows: 10\n    n_train: {range: [1, 10]}\n",
                        "study.yaml:6: key `n_train`: N = 10 leaves no test row of the dataset `student-teacher`");

    rl_study study = parse_at(p, R "n_train: {values: 11, around_threshold: 8}\n" A "datasets: [" TABLE "]\n");
    rl_plan plan;
    const rl_plan_options options = {.path = &p->path};
    assert_int_equal(rl_plan_create(&study, &options, &plan), RL_OK);
    assert_int_equal(plan.series[0].n_n_train, 11); /* 3 - 8 ... 3 + 8, from 1 on: a neighbourhood is cut at nothing */
    assert_int_equal(plan.series[0].n_train[0], 1);
    rl_plan_destroy(&plan);
    rl_study_destroy(&study);
}

static void chosen_sizes_that_no_dataset_has_are_refused(void **state) {
    assert_plan_refused(*state, R A "n_train: [1, 3]\nsingular_values: [2]\ndatasets: [" TABLE "]\n",
                        "study.yaml:4: key `singular_values`: none of them is an N of the dataset `table`");
    assert_plan_refused(*state, R A "n_train: [1, 3]\nfull_spectra: [2]\ndatasets: [" TABLE "]\n",
                        "study.yaml:4: key `full_spectra`: none of them is an N of the dataset `table`");
}

static void a_dataset_that_does_not_load_is_named_with_its_line(void **state) {
    const place *p = *state;
    assert_plan_refused(p, R N A "datasets:\n  - student-teacher\n  - {source: csv, file: table.csv, target: z}\n",
                        "study.yaml:6: dataset `csv`: key `target`");
    assert_plan_refused(p, R N A "datasets:\n  - {source: csv, file: absent.csv, target: z}\n", "absent.csv");
}

#define TWO_ABSENT                      \
    R N A                               \
        "datasets:\n"                   \
        "  - california\n"              \
        "  - student-teacher\n"         \
        "  - {source: who, name: w1}\n" \
        "  - {source: who, name: w2}\n"

static void all_missing_files_are_named_together(void **state) {
    const place *p = *state;
    assert_plan_refused(p, TWO_ABSENT,
                        "study.yaml: data files are missing; --skip-missing runs the other datasets; looked in "
                        "/tmp/ridgeless-");
    assert_contains(rl_error_message(), "\n  `cal_housing.data` of the dataset `california` (line 5): ");
    assert_contains(rl_error_message(), "\n  `life_expectancy_who_rajarshi.csv` of the dataset `w1` (line 7): ");
    assert_contains(rl_error_message(), "\n  `life_expectancy_who_rajarshi.csv` of the dataset `w2` (line 8)");
    const char *advice = strstr(rl_error_message(), rl_source_find("who")->how_to_get);
    assert_non_null(advice);
    assert_null(strstr(advice + 1, rl_source_find("who")->how_to_get)); /* once a source */
    assert_contains(rl_error_message(), rl_source_find("california")->how_to_get);
}

static void missing_datasets_can_be_left_out(void **state) {
    const place *p = *state;
    rl_study study = parse_at(p, TWO_ABSENT);
    rl_plan plan;
    const rl_plan_options options = {.path = &p->path, .skip_missing = true};
    rl_log_configure(RL_LOG_QUIET, false);
    assert_int_equal(rl_plan_create(&study, &options, &plan), RL_OK);
    assert_int_equal(plan.n_series, 1);
    assert_string_equal(plan.series[0].data.name, "student-teacher");
    assert_ptr_equal(plan.series[0].spec, &study.datasets[1]);
    rl_plan_destroy(&plan);
    rl_study_destroy(&study);

    study = parse_at(p, R N A "datasets: [california, who]\n");
    assert_int_equal(rl_plan_create(&study, &options, &plan), RL_ERR_INPUT);
    assert_contains(rl_error_message(), "data files are missing; looked in");
    assert_null(strstr(rl_error_message(), "--skip-missing")); /* it would leave nothing */
    rl_log_configure(RL_LOG_INFO, true);
    rl_study_destroy(&study);
}

static void a_plan_too_large_to_write_down_is_refused(void **state) {
    const place *p = *state;
    assert_plan_refused(
        p,
        "repeats: 100000000\n" N A
        "datasets:\n  - student-teacher\n  - {source: student-teacher, name: b}\n"
        "  - {source: student-teacher, name: c}\n",
        "key `repeats`: 100000000 repeats of 3 datasets are too many; expected at most 10000000 curves");
}

/* ---- plans of datasets that are in memory ----------------------------------------------------------------------- */

static rl_dataset make_dataset(const char *name, int n_rows, int n_features) {
    rl_dataset dataset = {.n_rows = n_rows, .n_features = n_features};
    assert_int_equal(rl_strdup(&dataset.name, name), RL_OK);
    assert_int_equal(RL_ALLOC(dataset.x, n_rows * n_features), RL_OK);
    return dataset;
}

#define THREE R N A "datasets: [diabetes, california, who]\n"

static void other_ranks_plan_with_what_they_are_given(void **state) {
    rl_study study = parse(THREE);
    rl_plan plan;
    rl_dataset datasets[] = {make_dataset("who", 30, 17), make_dataset("diabetes", 40, 10)};
    const double *x = datasets[1].x;
    assert_int_equal(rl_plan_create_with(&study, datasets, 2, NULL, &plan), RL_OK);
    assert_int_equal(plan.n_series, 2);
    assert_ptr_equal(plan.series[0].spec, &study.datasets[0]); /* in the study's order; california was left out */
    assert_ptr_equal(plan.series[1].spec, &study.datasets[2]);
    assert_ptr_equal(plan.series[0].data.x, x); /* taken over, not copied */
    assert_null(datasets[0].x);
    assert_int_equal(plan.n_tasks, 4);
    assert_int_equal(plan.series[1].max_modes, 5);
    rl_plan_destroy(&plan);
    rl_study_destroy(&study);
}

static void datasets_of_another_study_are_refused(void **state) {
    rl_study study = parse(THREE);
    rl_plan plan;
    rl_dataset datasets[] = {make_dataset("diabetes", 40, 10), make_dataset("iris", 30, 4)};
    assert_int_equal(rl_plan_create_with(&study, datasets, 2, NULL, &plan), RL_ERR_INPUT);
    assert_contains(rl_error_message(), "has no dataset `iris`");
    assert_null(datasets[0].x); /* taken over all the same */
    assert_int_equal(rl_plan_create_with(&study, datasets, 0, NULL, &plan), RL_ERR_INPUT);
    assert_contains(rl_error_message(), "no dataset is there");
    rl_dataset small[] = {make_dataset("diabetes", 5, 10)};
    assert_int_equal(rl_plan_create_with(&study, small, 1, NULL, &plan), RL_ERR_INPUT);
    assert_contains(rl_error_message(), "folder/a-study.yaml:2: key `n_train`: N = 5 leaves no test row");
    assert_null(small[0].x);
    rl_study_destroy(&study);
}

/* ---- the study files that ship ---------------------------------------------------------------------------------- */

static void parse_job(const char *root, const char *name, rl_study *study) {
    char path[4096];
    snprintf(path, sizeof path, "%s/jobs/%s", root, name);
    rl_text text = RL_TEXT_EMPTY;
    if (rl_read_file(path, RL_STUDY_FILE_LIMIT, &text) != RL_OK) fail_msg("%s", rl_error_message());
    if (rl_study_parse(path, text.bytes, study) != RL_OK) fail_msg("%s", rl_error_message());
    rl_free(text.bytes);
}

static const char *source_root(void) {
    const char *root = getenv("RIDGELESS_SOURCE_ROOT");
    if (root != NULL) return root;
    print_message("jobs/*.yaml: RIDGELESS_SOURCE_ROOT is not set\n");
    skip();
    return NULL;
}

/* The procedure that the published tables were made with: 50 repeats, N = 1 ... 39, and these ablations. */
static void paper_is_the_published_study(void **state) {
    static const char *const names[] = {"student-teacher", "california", "diabetes", "who"};
    static const int n_variants[] = {1 + 7 + 5 + 1 + 13 + 13 + 20, 65, 65, 65}; /* the steps both ways; 20 cures */
    rl_study study;
    parse_job(source_root(), "paper.yaml", &study);
    assert_int_equal(study.random, RL_RANDOM_NUMPY);
    assert_int_equal(study.repeats, 50);
    assert_true(study.datasets[0].keep.cells);
    assert_int_equal(study.n_datasets, 5); /* the last one: the points of Fig. 6 */
    for (int i = 0; i < 4; i++) {
        assert_string_equal(study.datasets[i].name, names[i]);
        assert_string_equal(study.datasets[i].source->name, names[i]);
        assert_int_equal(study.datasets[i].n_train.n_values, 39);
        assert_int_equal(study.datasets[i].n_train.values[38], 39);
        assert_int_equal(study.datasets[i].n_variants, n_variants[i]);
    }
    assert_int_equal(rl_options_integer(&study.datasets[0].options, "rows"), 1000);
    assert_int_equal(rl_options_integer(&study.datasets[0].options, "features"), 20);
    assert_int_equal(rl_options_integer(&study.datasets[0].options, "hidden_features"), 30);
    assert_true(rl_options_real(&study.datasets[0].options, "noise") == 0);
    assert_string_equal(study.datasets[0].variants[12].label, "leading_modes=25");
    assert_string_equal(study.datasets[2].variants[17].label, "leading_modes=10");
    assert_string_equal(study.datasets[2].variants[44].label, "adversarial_train=31.6");
    rl_study_destroy(&study);
}

/* Study files that need no download: they parse and can be planned from what ships. */
static void the_other_studies_run_on_what_ships(void **state) {
    static const char *const files[] = {"quickstart.yaml", "first-study.yaml", "theory.yaml", "scaling.yaml"};
    const char *root = source_root();
    char folder[4096];
    snprintf(folder, sizeof folder, "%s/jobs/data", root);
    rl_data_path path = {.folders = {folder}, .n_folders = 1};
    const rl_plan_options options = {.path = &path};
    for (size_t i = 0; i < COUNT(files); i++) {
        rl_study study;
        rl_plan plan;
        parse_job(root, files[i], &study);
        if (rl_plan_create(&study, &options, &plan) != RL_OK) fail_msg("%s", rl_error_message());
        assert_int_equal(plan.n_series, study.n_datasets);
        for (int g = 0; g < plan.n_series; g++) assert_true(rl_series_count(&plan.series[g]).cells > 0);
        rl_plan_destroy(&plan);
        rl_study_destroy(&study);
    }
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_study_is_read),
        cmocka_unit_test(what_is_not_said_has_defaults),
        cmocka_unit_test(keep_chooses_what_the_results_hold),
        cmocka_unit_test(numpy_takes_no_seed_but_zero),
        cmocka_unit_test(editors_habits_are_forgiven),
        cmocka_unit_test(n_train_is_a_union_sorted_and_distinct),
        cmocka_unit_test(logspace_gives_numpys_doubles),
        cmocka_unit_test(parameters_come_in_all_forms),
        cmocka_unit_test(labels_tell_variants_apart),
        cmocka_unit_test(a_sources_options_of_every_type_are_read),
        cmocka_unit_test(aliases_share_values),
        cmocka_unit_test(faults_of_large_cases_are_refused),
        cmocka_unit_test(faults_at_the_top_are_refused),
        cmocka_unit_test(maps_and_features_are_read),
        cmocka_unit_test(faults_of_maps_and_features_are_refused),
        cmocka_unit_test(faults_of_n_train_are_refused),
        cmocka_unit_test(faults_of_ablations_are_refused),
        cmocka_unit_test(faults_of_datasets_are_refused),
        cmocka_unit_test(what_is_not_yaml_is_refused_with_line_and_column),
        cmocka_unit_test(aliases_neither_loop_nor_explode),
        cmocka_unit_test(merge_keys_do_not_explode),
        cmocka_unit_test(sizes_are_limited),
        cmocka_unit_test(messages_quote_with_care),
        cmocka_unit_test(settings_spell_everything_out),
        cmocka_unit_test(settings_are_about_numbers_alone),
        cmocka_unit_test(settings_of_draws_in_a_row_have_all_that_they_depend_on),
        cmocka_unit_test(the_text_gives_the_study_back),
        cmocka_unit_test_setup_teardown(a_plan_lays_out_the_grid, make_place, remove_place),
        cmocka_unit_test_setup_teardown(each_p_is_a_series, make_place, remove_place),
        cmocka_unit_test_setup_teardown(plans_that_views_make_impossible_are_refused, make_place, remove_place),
        cmocka_unit_test_setup_teardown(the_cost_model_is_the_documented_one, make_place, remove_place),
        cmocka_unit_test_setup_teardown(methods_and_producers_are_chosen_as_documented, make_place, remove_place),
        cmocka_unit_test_setup_teardown(large_spectra_are_tasks_of_their_own, make_place, remove_place),
        cmocka_unit_test_setup_teardown(chosen_sizes_are_marked, make_place, remove_place),
        cmocka_unit_test_setup_teardown(an_n_that_leaves_no_test_row_is_refused, make_place, remove_place),
        cmocka_unit_test_setup_teardown(chosen_sizes_that_no_dataset_has_are_refused, make_place, remove_place),
        cmocka_unit_test_setup_teardown(a_dataset_that_does_not_load_is_named_with_its_line, make_place, remove_place),
        cmocka_unit_test_setup_teardown(all_missing_files_are_named_together, make_place, remove_place),
        cmocka_unit_test_setup_teardown(missing_datasets_can_be_left_out, make_place, remove_place),
        cmocka_unit_test_setup_teardown(a_plan_too_large_to_write_down_is_refused, make_place, remove_place),
        cmocka_unit_test(other_ranks_plan_with_what_they_are_given),
        cmocka_unit_test(datasets_of_another_study_are_refused),
        cmocka_unit_test(paper_is_the_published_study),
        cmocka_unit_test(the_other_studies_run_on_what_ships),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
