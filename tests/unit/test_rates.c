/* rates and case_cost: files of rates and each of their refusals, where they are looked for, and the model's sense. */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ridgeless/case_cost.h"
#include "ridgeless/rates.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static char folder[64];

static int make_folder(void **state) {
    strcpy(folder, "/tmp/ridgeless-rates-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static const char *in_folder(const char *name) {
    static char path[4][256];
    static int next;
    char *here = path[next = (next + 1) % 4];
    snprintf(here, sizeof path[0], "%s/%s", folder, name);
    return here;
}

static void assert_ok(rl_status status) {
    if (status != RL_OK) fail_msg("%s", rl_error_message());
}

static void assert_refused(rl_status status, const char *const parts[], size_t n) {
    assert_int_equal(status, RL_ERR_INPUT);
    for (size_t i = 0; i < n; i++)
        if (strstr(rl_error_message(), parts[i]) == NULL)
            fail_msg("`%s` does not contain `%s`", rl_error_message(), parts[i]);
    assert_null(strchr(rl_error_message(), '\n'));
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void assert_same_tables(const rl_rate_table *a, const rl_rate_table *b) {
    assert_int_equal(a->n, b->n);
    for (int i = 0; i < a->n; i++) assert_true(a->size[i] == b->size[i] && a->rate[i] == b->rate[i]);
}

static void assert_same(const rl_rates *a, const rl_rates *b) {
    assert_string_equal(a->host, b->host);
    assert_string_equal(a->blas, b->blas);
    assert_string_equal(a->date, b->date);
    assert_int_equal(a->cores, b->cores);
    assert_same_tables(&a->gemv, &b->gemv);
    assert_same_tables(&a->dense, &b->dense);
    assert_same_tables(&a->updates, &b->updates);
    assert_same_tables(&a->lanes, &b->lanes);
    const double left[] = {
        a->normals, a->gemm,           a->gemv_alone, a->bidiagonal, a->rotations,         a->pdgesvd_rotations,
        a->band,    a->band_rotations, a->column,     a->message,    a->message_bandwidth, a->cell,
        a->start,   a->launch,         a->process,    a->journal,    a->results,           a->group,
        a->record,  a->panels,         a->outputs,    a->narrow,     a->triangles,         a->tridiagonal,
        a->words,   a->packing};
    const double right[] = {
        b->normals, b->gemm,           b->gemv_alone, b->bidiagonal, b->rotations,         b->pdgesvd_rotations,
        b->band,    b->band_rotations, b->column,     b->message,    b->message_bandwidth, b->cell,
        b->start,   b->launch,         b->process,    b->journal,    b->results,           b->group,
        b->record,  b->panels,         b->outputs,    b->narrow,     b->triangles,         b->tridiagonal,
        b->words,   b->packing};
    for (size_t i = 0; i < COUNT(left); i++) assert_true(left[i] == right[i]);
}

/* A different number everywhere, of no more than the digits that are kept. */
static rl_rates distinct(void) {
    return (rl_rates){.host = "node \"7\" of 9",
                      .blas = "a BLAS",
                      .date = "2026-01-02T03:04:05Z",
                      .cores = 48,
                      .normals = 1.25e7,
                      .words = 6.25e7,
                      .gemm = 2.5e10,
                      .narrow = 1.75e10,
                      .packing = 7.5e9,
                      .triangles = 5.5e9,
                      .tridiagonal = 1.5e-8,
                      .panels = 2.75e10,
                      .outputs = 3.25e10,
                      .gemv = {3, {1e6, 2.5e6, 1e9}, {3e10, 2e10, 1.0625e10}},
                      .gemv_alone = 1.5e10,
                      .dense = {1, {32}, {4e9}},
                      .updates = {2, {40, 100}, {7e9, 1.25e10}},
                      .lanes = {2, {8, 20}, {5e9, 6e9}},
                      .cell = 2.5e-7,
                      .bidiagonal = 3.5e-8,
                      .rotations = 2e9,
                      .pdgesvd_rotations = 1e9,
                      .band = 9e-10,
                      .band_rotations = 3e9,
                      .column = 8e-6,
                      .message = 1.25e-6,
                      .message_bandwidth = 9.5e9,
                      .start = 0.125,
                      .launch = 0.75,
                      .process = 3e7,
                      .journal = 1.5e9,
                      .results = 4.5e7,
                      .group = 0.0625,
                      .record = 2.5e-6};
}

static void what_is_written_is_read(void **state) {
    const rl_rates written = distinct();
    rl_rates read;
    assert_ok(rl_rates_write(in_folder("made/on/the/way/rates.json"), &written));
    assert_ok(rl_rates_read(in_folder("made/on/the/way/rates.json"), &read));
    assert_same(&written, &read);
    assert_ok(rl_rates_write(in_folder("made/on/the/way/rates.json"), &rl_rates_default)); /* replaces */
    assert_ok(rl_rates_read(in_folder("made/on/the/way/rates.json"), &read));
    assert_same(&rl_rates_default, &read);
}

static void what_cannot_be_written_is_said(void **state) {
    write_file(in_folder("file"), "");
    const char *below_a_file[] = {"file/rates.json", "Not a directory"}, *a_folder[] = {"as-folder", "directory"};
    assert_refused(rl_rates_write(in_folder("file/rates.json"), &rl_rates_default), below_a_file, 2);
    assert_int_equal(mkdir(in_folder("as-folder"), 0777), 0);
    assert_refused(rl_rates_write(in_folder("as-folder"), &rl_rates_default), a_folder, 2);
}

/* The JSON of distinct rates with one place changed. */
static void write_changed(const char *path, const char *old, const char *new) {
    const rl_rates rates = distinct();
    rl_text json = RL_TEXT_EMPTY, changed = RL_TEXT_EMPTY;
    assert_ok(rl_rates_json(&rates, &json));
    const char *at = strstr(json.bytes, old);
    if (at == NULL) fail_msg("no `%s` in %s", old, json.bytes);
    assert_ok(rl_text_append(&changed, "%.*s%s%s", (int)(at - json.bytes), json.bytes, new, at + strlen(old)));
    write_file(path, changed.bytes);
    rl_free(json.bytes);
    rl_free(changed.bytes);
}

static void faults_are_named(void **state) {
    static const struct {
        const char *old, *new, *parts[3];
    } cases[] = {
        {"\"cores\": 48,", "\"cores\": 0,", {"`cores`", "integer from 1"}},
        {"\"cores\": 48,", "\"cores\": 1.5,", {"`cores`", "integer from 1"}},
        {"\"cores\": 48,", "", {"`cores`", "missing", "bench calibrate"}},
        {"\"cores\": 48,", "\"cores\": 48, \"cors\": 3,", {"`cors`", "unknown", "bench calibrate"}},
        {"\"cores\": 48,", "\"cores\": 48, \"cores\": 3,", {":5: no JSON", "duplicate"}},
        {"\"cores\": 48,", "\"cores\" 48,", {":5: no JSON"}},
        {"1.25e-6", "0", {"`message_seconds`", "a number above 0"}},
        {"1.25e-6", "-1.25e-6", {"`message_seconds`", "a number above 0"}},
        {"1.25e-6", "\"1.25e-6\"", {"`message_seconds`", "a number above 0"}},
        {"1.25e-6", "null", {"`message_seconds`", "a number above 0"}},
        {"1.25e-6", "1e999", {"no JSON", "overflow"}},
        {"1.25e-6", "NaN", {"no JSON"}},
        {"\"a BLAS\"", "7", {"`blas`", "a text"}},
        {"[[32.0, 4e9]]", "[]", {"`dense_flops_per_second`", "pairs [size, rate]"}},
        {"[[32.0, 4e9]]", "{}", {"`dense_flops_per_second`", "pairs [size, rate]"}},
        {"[[32.0, 4e9]]", "4e9", {"`dense_flops_per_second`", "pairs [size, rate]"}},
        {"[[32.0, 4e9]]", "[[32]]", {"`dense_flops_per_second`", "pairs [size, rate]"}},
        {"[[32.0, 4e9]]", "[[32, 4e9, 1]]", {"`dense_flops_per_second`", "pairs [size, rate]"}},
        {"[[32.0, 4e9]]", "[[32, -4e9]]", {"`dense_flops_per_second`", "pairs [size, rate]"}},
        {"[[32.0, 4e9]]", "[[32, 4e9], [32, 5e9]]", {"`dense_flops_per_second`", "ascending"}},
        {"[[32.0, 4e9]]",
         "[[1,1],[2,1],[3,1],[4,1],[5,1],[6,1],[7,1],[8,1],[9,1],[10,1],[11,1],[12,1],[13,1]]",
         {"`dense_flops_per_second`", "1 to 12"}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        rl_rates rates;
        size_t n = 0;
        while (n < COUNT(cases[i].parts) && cases[i].parts[n] != NULL) n++;
        write_changed(in_folder("faulty.json"), cases[i].old, cases[i].new);
        const rl_status status = rl_rates_read(in_folder("faulty.json"), &rates);
        if (status == RL_OK) fail_msg("taken: %s instead of %s", cases[i].new, cases[i].old);
        assert_refused(status, cases[i].parts, n);
        assert_non_null(strstr(rl_error_message(), "faulty.json:"));
    }
}

static void a_text_that_is_too_long_is_refused(void **state) {
    const char *parts[] = {"`blas`", "less than 200 bytes"};
    char text[300] = "\"";
    rl_rates rates;
    memset(text + 1, 'x', RL_RATE_TEXT);
    strcpy(text + 1 + RL_RATE_TEXT, "\"");
    write_changed(in_folder("long.json"), "\"a BLAS\"", text);
    assert_refused(rl_rates_read(in_folder("long.json"), &rates), parts, 2);
    text[RL_RATE_TEXT] = '"'; /* one less */
    text[RL_RATE_TEXT + 1] = '\0';
    write_changed(in_folder("long.json"), "\"a BLAS\"", text);
    assert_ok(rl_rates_read(in_folder("long.json"), &rates));
    assert_int_equal(strlen(rates.blas), RL_RATE_TEXT - 1);
}

static void what_is_no_file_of_rates_is_refused(void **state) {
    rl_rates rates;
    const char *missing[] = {"missing.json", "No such file"}, *list[] = {"list.json", "JSON object", "bench calibrate"};
    assert_refused(rl_rates_read(in_folder("missing.json"), &rates), missing, 2);
    write_file(in_folder("list.json"), "[1, 2]");
    assert_refused(rl_rates_read(in_folder("list.json"), &rates), list, 3);
    write_file(in_folder("list.json"), "");
    assert_refused(rl_rates_read(in_folder("list.json"), &rates), list, 1);
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

static void assert_found(const char *file, const char *source, int cores) {
    rl_rates rates;
    char *found;
    assert_ok(rl_rates_find(file, &rates, &found));
    assert_string_equal(found, source);
    assert_int_equal(rates.cores, cores);
    rl_free(found);
}

static void write_cores(const char *path, int cores) {
    rl_rates rates = distinct();
    rates.cores = cores;
    assert_ok(rl_rates_write(path, &rates));
}

static void rates_are_looked_for_in_order(void **state) {
    char *place, xdg_place[256], home_place[256], option[256], environment[256];
    snprintf(option, sizeof option, "%s", in_folder("option.json"));
    snprintf(environment, sizeof environment, "%s", in_folder("environment.json"));
    snprintf(xdg_place, sizeof xdg_place, "%s", in_folder("xdg/ridgeless/rates.json"));
    snprintf(home_place, sizeof home_place, "%s", in_folder("home/.config/ridgeless/rates.json"));
    unsetenv("RIDGELESS_RATES");
    unsetenv("XDG_CONFIG_HOME");
    setenv("HOME", in_folder("home"), 1);
    assert_found(NULL, "shipped default", rl_rates_default.cores);
    write_cores(home_place, 101);
    assert_found(NULL, home_place, 101);
    setenv("XDG_CONFIG_HOME", "relative", 1); /* to be ignored */
    assert_found(NULL, home_place, 101);
    setenv("XDG_CONFIG_HOME", in_folder("xdg"), 1);
    assert_found(NULL, "shipped default", rl_rates_default.cores);
    assert_ok(rl_rates_place(&place));
    assert_string_equal(place, xdg_place);
    write_cores(place, 102);
    rl_free(place);
    assert_found(NULL, xdg_place, 102);
    setenv("RIDGELESS_RATES", "", 1); /* as if it were not set */
    assert_found(NULL, xdg_place, 102);
    write_cores(environment, 103);
    setenv("RIDGELESS_RATES", environment, 1);
    assert_found(NULL, environment, 103);
    write_cores(option, 104);
    assert_found(option, option, 104);
}

static void a_named_file_that_is_missing_is_an_error(void **state) {
    rl_rates rates;
    char *source;
    const char *parts[] = {"nowhere.json", "No such file"};
    assert_refused(rl_rates_find(in_folder("nowhere.json"), &rates, &source), parts, 2);
    assert_null(source);
    setenv("RIDGELESS_RATES", in_folder("nowhere.json"), 1);
    assert_refused(rl_rates_find(NULL, &rates, &source), parts, 2);
    unsetenv("RIDGELESS_RATES");
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("HOME");
    assert_found(NULL, "shipped default", rl_rates_default.cores);
    char *place;
    const char *no_place[] = {"$XDG_CONFIG_HOME", "$HOME"};
    assert_refused(rl_rates_place(&place), no_place, 2);
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

static void tables_are_interpolated(void **state) {
    const rl_rate_table table = {3, {10, 1000, 4000}, {1, 100, 50}};
    assert_true(rl_rate_at(&table, 1) == 1);
    assert_true(rl_rate_at(&table, 10) == 1);
    assert_float_equal(rl_rate_at(&table, 100), 10, 1e-12); /* a straight line of slope 1 in logarithms */
    assert_float_equal(rl_rate_at(&table, 1000), 100, 1e-12);
    assert_float_equal(rl_rate_at(&table, 2000), 100 / sqrt(2), 1e-12);
    assert_true(rl_rate_at(&table, 4000) == 50);
    assert_true(rl_rate_at(&table, 1e9) == 50);
}

static void the_text_has_every_rate(void **state) {
    const rl_rates rates = distinct();
    rl_text text = RL_TEXT_EMPTY;
    assert_ok(rl_rates_text(&rates, &text));
    static const char *const parts[] = {
        "node \"7\" of 9",          "48",    "12.5 million/s", "25 GFlop/s", "10.62 GB/s at 1000 MB",
        "4 GFlop/s at 32 features", "35 ns", "1.25 us",        "9.5 GB/s"};
    for (size_t i = 0; i < COUNT(parts); i++)
        if (strstr(text.bytes, parts[i]) == NULL) fail_msg("`%s` is not in\n%s", parts[i], text.bytes);
    rl_free(text.bytes);
}

/* ---- the model --------------------------------------------------------------------------------------------------- */

static const rl_case_method every_method[] = {RL_CASE_PDGESVD, RL_CASE_PROJECTED, RL_CASE_TWO_STAGE, RL_CASE_CURVE};

static rl_case_sizes square_case(rl_case_method method, int64_t n, int ranks) {
    return (rl_case_sizes){.method = method,
                           .n_train = n,
                           .n_features = n,
                           .n_test = 500,
                           .normals = 2.0 * (double)n * (double)n,
                           .n_sigma = 10,
                           .block = 64,
                           .ranks = ranks};
}

static void assert_larger(const rl_case_sizes *small, const rl_case_sizes *large, const char *what) {
    const rl_case_cost a = rl_case_predict(small, &rl_rates_default), b = rl_case_predict(large, &rl_rates_default);
    if (!(b.flops > a.flops && b.bytes > a.bytes && b.seconds > a.seconds))
        fail_msg("%s, method %d on %d ranks: flops %g -> %g, bytes %g -> %g, seconds %g -> %g", what,
                 (int)small->method, small->ranks, a.flops, b.flops, a.bytes, b.bytes, a.seconds, b.seconds);
}

/* All flops are of some part. Half of a one-stage reduction reads what is left of the matrix twice per column: 16/3 n^3
 * bytes, and some of its panel; a pair of panels of 64 reads each number twice and writes it once for 512 flops. */
static void traffic_is_that_of_the_algorithms(void **state) {
    const double n = 4000, cube = n * n * n;
    for (int ranks = 1; ranks <= 16; ranks *= 4)
        for (size_t w = 0; w < COUNT(every_method); w++) {
            const rl_case_sizes c = square_case(every_method[w], 4000, ranks);
            const rl_case_needs needs = rl_find_case_needs(&c, ranks);
            const rl_traffic reduce = needs.traffic[RL_PART_REDUCE];
            double flops = 0;
            for (int part = 0; part < RL_N_PARTS; part++) flops += needs.traffic[part].flops;
            assert_true(fabs(flops - needs.flops) <= 1e-12 * flops);
            if (every_method[w] == RL_CASE_PROJECTED) {
                assert_true(fabs(reduce.flops - 8.0 / 3 * cube) <= 1e-12 * cube);
                assert_true(reduce.bytes > 16.0 / 3 * cube && reduce.bytes < 2 * 16.0 / 3 * cube);
            }
            if (every_method[w] == RL_CASE_TWO_STAGE)
                assert_true(fabs(reduce.bytes - reduce.flops * 3 / 64) <= 1e-12 * reduce.bytes);
        }
}

static void predictions_grow_with_sizes(void **state) {
    static const int ranks[] = {1, 2, 6, 64};
    for (size_t w = 0; w < COUNT(every_method); w++)
        for (size_t r = 0; r < COUNT(ranks); r++)
            for (int64_t n = 500; n <= 64000; n *= 2) {
                const rl_case_sizes base = square_case(every_method[w], n, ranks[r]);
                rl_case_sizes larger = square_case(every_method[w], 2 * n, ranks[r]);
                assert_larger(&base, &larger, "n");
                larger = base;
                larger.n_train *= 2;
                assert_larger(&base, &larger, "n_train");
                larger = base;
                larger.n_features *= 2;
                assert_larger(&base, &larger, "n_features");
                larger = base;
                larger.n_test *= 4;
                assert_larger(&base, &larger, "n_test");
                larger = base;
                larger.n_population = n;
                assert_larger(&base, &larger, "n_population");
            }
}

static void parts_add_up(void **state) {
    for (size_t w = 0; w < COUNT(every_method); w++) {
        const rl_case_sizes c = square_case(every_method[w], 3000, 4);
        const rl_case_cost cost = rl_case_predict(&c, &rl_rates_default);
        assert_float_equal(cost.seconds, cost.generate + cost.reduce + cost.project + cost.diagonalize + cost.fit,
                           1e-9);
        assert_true(cost.generate > 0 && cost.diagonalize > 0);
        double sum = 0;
        for (int b = 0; b < RL_N_CASE_BOUNDS; b++) sum += cost.bounds[b];
        assert_float_equal(cost.seconds, sum, 1e-9);
    }
}

/* A factor of a million in a rate makes its part dominate or vanish. */
static void every_rate_counts(void **state) {
    enum { N_RATES = 16, FASTER = 1000000 };
    static const bool is_seconds[N_RATES] = {[6] = true, [7] = true, [8] = true, [9] = true, [15] = true};
    bool counts[N_RATES] = {false};
    for (size_t w = 0; w < COUNT(every_method); w++) {
        const rl_case_sizes c = square_case(every_method[w], 4000, 4);
        const double before = rl_case_predict(&c, &rl_rates_default).seconds;
        for (int i = 0; i < N_RATES; i++) {
            rl_rates r = rl_rates_default;
            double *const members[N_RATES] = {&r.normals,
                                              &r.gemm,
                                              &r.gemv.rate[r.gemv.n - 1],
                                              &r.rotations,
                                              &r.pdgesvd_rotations,
                                              &r.band_rotations,
                                              &r.bidiagonal,
                                              &r.band,
                                              &r.column,
                                              &r.message,
                                              &r.message_bandwidth,
                                              &r.panels,
                                              &r.narrow,
                                              &r.packing,
                                              &r.triangles,
                                              &r.tridiagonal};
            *members[i] *= is_seconds[i] ? FASTER : 1.0 / FASTER;
            const double after = rl_case_predict(&c, &r).seconds;
            assert_true(after >= before);
            counts[i] |= after > 2 * before;
        }
    }
    for (int i = 0; i < N_RATES; i++)
        if (!counts[i]) fail_msg("rate %d does not count", i);
}

/* What is slow takes most of the time, by its name. */
static void what_is_slow_bounds(void **state) {
    enum { SLOWER = 100000 };
    const rl_case_sizes c = square_case(RL_CASE_TWO_STAGE, 4000, 64);
    rl_rates compute = rl_rates_default, memory = compute, messages = compute, more = compute, band = compute;
    compute.gemm /= SLOWER;
    memory.gemv_alone /= SLOWER;
    for (int i = 0; i < memory.gemv.n; i++) memory.gemv.rate[i] /= SLOWER;
    messages.message *= SLOWER;
    more.message_bandwidth /= SLOWER;
    band.bidiagonal *= SLOWER;
    const struct {
        const rl_rates *rates;
        rl_bound bound;
    } slow[] = {{&compute, RL_BOUND_COMPUTE},
                {&memory, RL_BOUND_MEMORY},
                {&messages, RL_BOUND_MESSAGES},
                {&more, RL_BOUND_MESSAGES},
                {&band, RL_BOUND_BAND}};
    for (size_t i = 0; i < COUNT(slow); i++) {
        const rl_case_cost cost = rl_case_predict(&c, slow[i].rates);
        assert_true(cost.bounds[slow[i].bound] > cost.seconds / 2);
    }
}

static void the_word_for_a_typical_cluster_is_no_file(void **state) {
    rl_rates rates;
    char *source = NULL;
    assert_ok(rl_rates_find(RL_RATES_CLUSTER, &rates, &source));
    assert_string_equal(source, RL_RATES_CLUSTER_SOURCE);
    assert_int_equal(rates.cores, rl_rates_cluster.cores);
    rl_free(source);
}

/* Golub and Van Loan, 4th ed., 5.4.8: 4 m n^2 - 4/3 n^3 for a bidiagonal reduction, and 5.2.1: 2 m n^2 - 2/3 n^3 for
 * QR. */
static void flops_are_those_of_the_textbook(void **state) {
    const double n = 20000, m = 2 * n, cube = n * n * n;
    rl_case_sizes c = square_case(RL_CASE_PROJECTED, (int64_t)n, 1);
    c.n_test = 1;
    assert_float_equal(rl_case_predict(&c, &rl_rates_default).flops / (8 * cube / 3), 1, 0.002);
    c.n_train = (int64_t)m;
    const double both = 2 * m * n * n - 2 * cube / 3 + 8 * cube / 3;
    assert_float_equal(rl_case_predict(&c, &rl_rates_default).flops / both, 1, 0.002);
    c.method = RL_CASE_CURVE;
    c.n_train = (int64_t)n;
    c.n_sigma = 0;
    assert_float_equal(rl_case_predict(&c, &rl_rates_default).flops / (4 * cube / 3), 1, 0.002);
}

static void memory_is_that_of_the_matrix_and_some_more(void **state) {
    static const int ranks[] = {1, 4, 25, 400};
    const double n = 20000, rows = 500, matrix = 8 * (n + rows) * n;
    for (size_t i = 0; i < COUNT(ranks); i++) {
        rl_case_sizes c = square_case(RL_CASE_PROJECTED, (int64_t)n, ranks[i]);
        const double share = matrix / ranks[i], bytes = rl_case_predict(&c, &rl_rates_default).bytes;
        assert_true(bytes > share && bytes < 1.2 * share + (ranks[i] + 40) * 0x1p20);
        c.method = RL_CASE_PDGESVD; /* U and V^T, a work array of twice that, and a copy of both */
        const double formed = rl_case_predict(&c, &rl_rates_default).bytes;
        assert_true(formed > bytes + 4 * share * n / (n + rows));
    }
}

static void ranks_make_it_faster_and_smaller(void **state) {
    for (size_t w = 0; w < COUNT(every_method); w++)
        for (int ranks = 1; ranks < 64; ranks *= 4) {
            const rl_case_sizes few = square_case(every_method[w], 16000, ranks),
                                many = square_case(every_method[w], 16000, 4 * ranks);
            const rl_case_cost a = rl_case_predict(&few, &rl_rates_default),
                               b = rl_case_predict(&many, &rl_rates_default);
            assert_true(b.seconds < a.seconds && b.bytes < a.bytes / 2);
        }
}

/* Down to what each rank has of its own: no array grows with the ranks. */
static void memory_never_rises_with_ranks(void **state) {
    enum { MOST = 4096, FLOOR = 200 << 20 };
    for (size_t w = 0; w < COUNT(every_method); w++)
        for (int64_t n = 1000; n <= 50000; n *= 50) {
            double before = INFINITY;
            for (int ranks = 1; ranks <= MOST; ranks *= 2) {
                const rl_case_sizes c = square_case(every_method[w], n, ranks);
                const double bytes = rl_case_bytes(&c, ranks);
                if (!(bytes <= before))
                    fail_msg("method %d, n = %d: %.0f bytes on %d ranks, %.0f on half as many", (int)every_method[w],
                             (int)n, bytes, ranks, before);
                before = bytes;
            }
            assert_true(before < FLOOR);
        }
}

static void busy_neighbours_make_it_slower(void **state) {
    rl_rates rates = rl_rates_default;
    rates.cores = 64;
    rates.gemv_alone = 16 * rates.gemv.rate[rates.gemv.n - 1]; /* memory serves no more than a few at full speed */
    rl_case_sizes c = square_case(RL_CASE_PROJECTED, 8000, 4);
    c.busy = 4;
    const double quiet = rl_case_predict(&c, &rates).reduce;
    c.busy = 64;
    assert_true(rl_case_predict(&c, &rates).reduce > 2 * quiet);
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

/* The message names the limit, and a number of ranks with which it holds, and with no fewer. */
static void assert_limited(rl_case_sizes c, const char *limit, int expected_ranks) {
    char advice[64];
    const char *parts[] = {limit, advice};
    snprintf(advice, sizeof advice, "use at least %d ranks", expected_ranks);
    assert_refused(rl_case_limits(&c, 1 << 20), parts, 2);
    c.ranks = expected_ranks;
    assert_ok(rl_case_limits(&c, 1));
    for (c.ranks = 1; c.ranks < expected_ranks; c.ranks++) assert_int_equal(rl_case_limits(&c, 1), RL_ERR_INPUT);
}

static void limits_are_named(void **state) {
    const rl_case_sizes small = square_case(RL_CASE_PDGESVD, 12000, 1);
    assert_ok(rl_case_limits(&small, 1));
    /* (60000 + 501) x 60003 elements in parts of less than 2^28: at least 13.5 of them. */
    assert_limited(square_case(RL_CASE_PROJECTED, 60000, 1), "pdgemr2d", 14);
    assert_limited(square_case(RL_CASE_CURVE, 60000, 1), "pdgemr2d", 14);
    /* 10^12 elements: at least 3725.3. */
    rl_case_sizes c = square_case(RL_CASE_TWO_STAGE, 1000000, 1);
    const char *large[] = {"N = 1000000, P = 1000000", "pdgemr2d", "use at least 37"};
    assert_refused(rl_case_limits(&c, 1 << 20), large, 3);
    const char *too_few[] = {"pdgemr2d", "no number of ranks up to 3725 will do"};
    assert_refused(rl_case_limits(&c, 3725), too_few, 2);
}

static void work_arrays_have_limits(void **state) {
    /* A block as large as the matrix is on one rank, whatever their number. */
    rl_case_sizes c = square_case(RL_CASE_PROJECTED, 10000, 1);
    c.block = 100000;
    const char *one_block[] = {"LWORK of pdgebrd", "no number of ranks up to 1000"};
    assert_refused(rl_case_limits(&c, 1000), one_block, 2);
    /* 4 block (2 n + block) of it do not depend on the ranks. */
    c = square_case(RL_CASE_PDGESVD, 40000, 64);
    c.block = 8192;
    const char *parts[] = {"LWORK of pdgesvd", "no number of ranks up to 1000"};
    assert_refused(rl_case_limits(&c, 1000), parts, 2);
}

static void sizes_beyond_32_bits_are_no_overflow(void **state) {
    const char *parts[] = {"32-bit indices", "no number of ranks up to 1048576"};
    static const int64_t sizes[] = {INT32_MAX - 100, INT32_MAX, (int64_t)1 << 40, INT64_MAX};
    for (size_t w = 0; w < COUNT(every_method); w++)
        for (size_t i = 0; i < COUNT(sizes); i++) {
            rl_case_sizes c = square_case(every_method[w], 1000, 1);
            c.n_train = sizes[i];
            assert_refused(rl_case_limits(&c, 1 << 20), parts, 2);
            assert_int_equal(rl_smallest_group(&c, INFINITY, 1 << 20), 0);
            c.n_features = sizes[i];
            assert_refused(rl_case_limits(&c, 1 << 20), parts, 2);
        }
}

static void the_smallest_group_fits(void **state) {
    const double limits[] = {4e9, 1e9, 2e8};
    for (size_t w = 0; w < COUNT(every_method); w++)
        for (size_t i = 0; i < COUNT(limits); i++) {
            rl_case_sizes c = square_case(every_method[w], 20000, 1);
            const int ranks = rl_smallest_group(&c, limits[i], 10000);
            assert_true(ranks >= 1);
            c.ranks = ranks;
            assert_true(rl_case_predict(&c, &rl_rates_default).bytes <= limits[i]);
            if (--c.ranks >= 1)
                assert_true(rl_case_predict(&c, &rl_rates_default).bytes > limits[i] || rl_case_limits(&c, 1) != RL_OK);
            assert_int_equal(rl_smallest_group(&c, limits[i], ranks - 1), 0);
        }
    const rl_case_sizes c = square_case(RL_CASE_PROJECTED, 20000, 1);
    assert_int_equal(rl_smallest_group(&c, 1000, 10000), 0);
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_cannot_be_written_is_said),
        cmocka_unit_test(faults_are_named),
        cmocka_unit_test(a_text_that_is_too_long_is_refused),
        cmocka_unit_test(what_is_no_file_of_rates_is_refused),
        cmocka_unit_test(rates_are_looked_for_in_order),
        cmocka_unit_test(a_named_file_that_is_missing_is_an_error),
        cmocka_unit_test(tables_are_interpolated),
        cmocka_unit_test(the_text_has_every_rate),
        cmocka_unit_test(traffic_is_that_of_the_algorithms),
        cmocka_unit_test(predictions_grow_with_sizes),
        cmocka_unit_test(parts_add_up),
        cmocka_unit_test(every_rate_counts),
        cmocka_unit_test(what_is_slow_bounds),
        cmocka_unit_test(the_word_for_a_typical_cluster_is_no_file),
        cmocka_unit_test(flops_are_those_of_the_textbook),
        cmocka_unit_test(memory_is_that_of_the_matrix_and_some_more),
        cmocka_unit_test(ranks_make_it_faster_and_smaller),
        cmocka_unit_test(memory_never_rises_with_ranks),
        cmocka_unit_test(busy_neighbours_make_it_slower),
        cmocka_unit_test(limits_are_named),
        cmocka_unit_test(work_arrays_have_limits),
        cmocka_unit_test(sizes_beyond_32_bits_are_no_overflow),
        cmocka_unit_test(the_smallest_group_fits),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
