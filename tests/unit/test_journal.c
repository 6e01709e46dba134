/* journal: under tearing, damage and strangers, and between studies of other repeats and N. */
#include "hand_plan.h"

#include <signal.h>
#include <sys/resource.h>

#include <stddef.h>
#include <xxhash.h>

#include "../../src/journal/journal.h"
#include "../../src/task/pack.h"

/* Values in runs of every length around the words of flags; the same bits come back, in no more words than differ. */
static void packing_leaves_out_repetitions_alone(void **state) {
    (void)state;
    enum { MOST = 200 };
    double values[MOST], back[MOST];
    uint64_t packed[2 * MOST];
    for (size_t n = 1; n <= MOST; n++)
        for (size_t run = 1; run <= n; run = 2 * run + 1) {
            size_t stand = 0;
            for (size_t i = 0; i < n; i++) {
                const double kinds[] = {NAN, 0.0, -0.0, 1.5, -NAN, (double)i};
                values[i] = kinds[i / run % 6];
                stand += i == 0 || memcmp(&values[i], &values[i - 1], sizeof *values) != 0;
            }
            const size_t length = rl_pack(values, n, packed);
            assert_int_equal(length, rl_pack_flags(n) + stand);
            assert_true(rl_unpack(packed, length, n, back));
            assert_memory_equal(values, back, n * sizeof *values);
            assert_false(rl_unpack(packed, length - 1, n, back));
            assert_false(rl_unpack(packed, length + 1, n, back));
        }
}

static void journal_keeps_what_was_appended(void **state) {
    const fixture *f = *state;
    rl_journal *journal = open_journal(f, false);
    assert_int_equal(count_curves(f, journal), 0);
    assert_curve_is(f, journal, 0, NULL);
    append_curve(f, journal, 3);
    append_curve(f, journal, 7); /* of the second data set, with another length */
    assert_int_equal(count_curves(f, journal), 2);
    assert_has_curve(f, journal, 3);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    for (int again = 0; again < 2; again++) {
        journal = open_journal(f, again == 0);
        assert_int_equal(count_curves(f, journal), 2);
        assert_has_curve(f, journal, 3);
        assert_has_curve(f, journal, 7);
        assert_curve_is(f, journal, 4, NULL);
        assert_int_equal(rl_journal_close(journal), RL_OK);
    }
}

static void journal_last_duplicate_wins(void **state) {
    const fixture *f = *state;
    rl_journal *journal = open_journal(f, false);
    double *curve = make_curve(f, 2);
    curve[0] = -17;
    append_numbers(f, journal, 2, curve);
    append_curve(f, journal, 2);
    assert_int_equal(count_curves(f, journal), 1);
    assert_has_curve(f, journal, 2);
    append_numbers(f, journal, 2, curve);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    journal = open_journal(f, true);
    assert_int_equal(count_curves(f, journal), 1);
    assert_curve_is(f, journal, 2, curve);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    rl_free(curve);
}

/* Killed after any number of bytes of the last record: all others are there, and work goes on. */
static void journal_torn_at_every_byte(void **state) {
    const fixture *f = *state;
    write_journal(f, 3);
    const size_t before = size_of(f->journal_file);
    write_journal(f, 0); /* opening and closing adds nothing */
    assert_int_equal(size_of(f->journal_file), before);
    rl_journal *journal = open_journal(f, false);
    append_curve(f, journal, 5);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    rl_text whole = content_of(f->journal_file);
    for (size_t length = before; length < whole.length; length++) {
        write_file(f->journal_file, whole.bytes, length);
        journal = open_journal(f, true);
        assert_int_equal(count_curves(f, journal), 3);
        assert_int_equal(rl_journal_close(journal), RL_OK);
        assert_int_equal(size_of(f->journal_file), length); /* reading changes nothing */
        journal = open_journal(f, false);
        assert_int_equal(count_curves(f, journal), 3);
        assert_curve_is(f, journal, 5, NULL);
        assert_int_equal(size_of(f->journal_file), before);
        append_curve(f, journal, 5);
        assert_int_equal(rl_journal_close(journal), RL_OK);
        assert_file_is(f->journal_file, &whole);
    }
    rl_free(whole.bytes);
}

/* Killed in the middle of creating the file: at every byte up to the first curve. */
static void journal_torn_while_created(void **state) {
    const fixture *f = *state;
    write_journal(f, 0);
    rl_text whole = content_of(f->journal_file);
    for (size_t length = 0; length < whole.length; length++) {
        write_file(f->journal_file, whole.bytes, length);
        write_journal(f, 0);
        assert_file_is(f->journal_file, &whole);
    }
    write_file(f->journal_file, whole.bytes, 10);
    assert_null(open_journal(f, true)); /* to a reader there is none yet */
    assert_int_equal(size_of(f->journal_file), 10);
    rl_free(whole.bytes);
}

/* One bit flipped, in every byte in turn: a header is refused and left alone; of two records the other one stays. */
static void journal_flipped_bit(void **state) {
    const fixture *f = *state;
    write_journal(f, 0);
    const size_t empty = size_of(f->journal_file);
    write_journal(f, 1);
    const size_t one = size_of(f->journal_file);
    rl_journal *journal = open_journal(f, false);
    append_curve(f, journal, 1);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    rl_text whole = content_of(f->journal_file);
    int refused = 0;
    for (size_t at = 0; at < whole.length; at++) {
        whole.bytes[at] ^= (char)(1 << at % 8);
        write_file(f->journal_file, whole.bytes, whole.length);
        const rl_status status = rl_journal_open(f->output, &f->plan, false, &journal);
        if (status != RL_OK) {
            assert_int_equal(status, RL_ERR_INPUT);
            assert_true(at < empty);
            assert_file_is(f->journal_file, &whole);
            refused++;
        } else {
            assert_int_equal(count_curves(f, journal), 1);
            assert_has_curve(f, journal, at < one ? 1 : 0);
            assert_int_equal(rl_journal_close(journal), RL_OK);
            assert_int_equal(size_of(f->journal_file), at < one ? whole.length : one);
        }
        whole.bytes[at] ^= (char)(1 << at % 8);
    }
    assert_int_equal(refused, empty);
    rl_free(whole.bytes);
}

/* What opening and closing the journal says on standard error. */
static rl_text warnings_of_opening(const fixture *f) {
    char log[PATH_LENGTH];
    snprintf(log, sizeof log, "%.200s/log", f->folder);
    fflush(stderr);
    const int saved = dup(2), file = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(saved >= 0 && file >= 0 && dup2(file, 2) == 2);
    rl_log_configure(RL_LOG_WARNING, true);
    write_journal(f, 0);
    rl_log_configure(RL_LOG_QUIET, true);
    fflush(stderr);
    assert_int_equal(dup2(saved, 2), 2);
    close(saved);
    close(file);
    return content_of(log);
}

/* A head of the file is given other values, and the checksums that these would have. */
static void change_head(rl_text *file, size_t at, const rl_record_head *head) {
    rl_record_head h = *head;
    h.checksum = XXH3_64bits(&h, offsetof(rl_record_head, checksum));
    memcpy(file->bytes + at, &h, sizeof h);
}

static rl_record_head head_at(const rl_text *file, size_t at) {
    rl_record_head head;
    memcpy(&head, file->bytes + at, sizeof head);
    return head;
}

/* A record's checksum made that of what it holds now. */
static void renew_checksum(rl_text *file, size_t at) {
    const size_t length = (size_t)head_at(file, at).length - sizeof(uint64_t);
    const uint64_t checksum = XXH3_64bits(file->bytes + at, length);
    memcpy(file->bytes + at + length, &checksum, sizeof checksum);
}

/* Lengths in a record's head that would run past the file or overflow must not be believed, nor hide what stands behind
 * them: also when the head's own checksum holds. */
static void journal_absurd_lengths(void **state) {
    const fixture *f = *state;
    static const uint64_t absurd[] = {0, 1, 47, UINT64_MAX, UINT64_MAX - 7, (uint64_t)1 << 63, (uint64_t)1 << 40, 800};
    write_journal(f, 0);
    const size_t start = size_of(f->journal_file);
    write_journal(f, 2);
    const rl_text whole = content_of(f->journal_file);
    for (int how = 0; how < 8; how++)
        for (size_t i = 0; i < sizeof absurd / sizeof *absurd; i++) {
            rl_text damaged = RL_TEXT_EMPTY;
            assert_int_equal(rl_text_append_bytes(&damaged, whole.bytes, whole.length), RL_OK);
            rl_record_head head = head_at(&whole, start);
            if (how % 4 == 0) head.length = absurd[i];
            if (how % 4 == 1) head.n = (int32_t)absurd[i];
            if (how % 4 == 2) head.name_length = (uint32_t)absurd[i];
            if (how % 4 == 3) head.n_repeats = (int32_t)(absurd[i] >> 32); /* 0 and negative ones */
            if (how < 4)
                change_head(&damaged, start, &head);
            else
                memcpy(damaged.bytes + start, &head, sizeof head);
            write_file(f->journal_file, damaged.bytes, damaged.length);
            rl_journal *journal = open_journal(f, false);
            assert_int_equal(count_curves(f, journal), 1);
            assert_has_curve(f, journal, 1);
            assert_int_equal(rl_journal_close(journal), RL_OK);
            write_file(f->journal_file, damaged.bytes, start + head_at(&whole, start).length);
            write_journal(f, 0); /* at the end it is cut off */
            assert_int_equal(size_of(f->journal_file), start);
            rl_free(damaged.bytes);
        }
    rl_free(whole.bytes);
}

/* A record of a kind that another program knows: whole, it is stepped over without a word and stays in the file; of
 * what it is made of, nothing is looked at. Damaged, it is passed over like any other. */
static void journal_steps_over_unknown_kinds(void **state) {
    const fixture *f = *state;
    write_journal(f, 0);
    const size_t start = size_of(f->journal_file);
    write_journal(f, 2);
    rl_text whole = content_of(f->journal_file);
    rl_record_head head = head_at(&whole, start);
    head.kind = 4711;
    head.data_checksum = 1;
    head.step = 17;
    change_head(&whole, start, &head);
    memset(whole.bytes + start + 100, 0x55, 100);
    renew_checksum(&whole, start);
    write_file(f->journal_file, whole.bytes, whole.length);
    rl_text said = warnings_of_opening(f);
    assert_int_equal(said.length, 0);
    rl_journal *journal = open_journal(f, false);
    assert_int_equal(count_curves(f, journal), 1);
    assert_curve_is(f, journal, 0, NULL);
    assert_has_curve(f, journal, 1);
    append_curve(f, journal, 0);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    assert_int_equal(size_of(f->journal_file), whole.length + head.length);
    whole.bytes[start + 150] ^= 1;
    write_file(f->journal_file, whole.bytes, whole.length);
    rl_free(said.bytes);
    said = warnings_of_opening(f);
    assert_non_null(strstr(said.bytes, "damaged bytes in 1 place"));
    rl_free(said.bytes);
    rl_free(whole.bytes);
}

static void journal_warns_of_the_torn_end(void **state) {
    const fixture *f = *state;
    write_journal(f, 2);
    const size_t whole = size_of(f->journal_file);
    assert_int_equal(truncate(f->journal_file, (off_t)whole - 9), 0);
    rl_text said = warnings_of_opening(f);
    char expected[80];
    snprintf(expected, sizeof expected, "cut off the last %zu bytes", whole - 9 - size_of(f->journal_file));
    assert_non_null(strstr(said.bytes, expected));
    assert_non_null(strstr(said.bytes, f->journal_file));
    rl_free(said.bytes);
}

static void journal_of_another_study_is_refused(void **state) {
    fixture *f = *state;
    write_journal(f, 2);
    rl_text before = content_of(f->journal_file);
    f->study.seed = 43;
    assert_refused(f, false,
                   ": belongs to another study: seed: 42 there, 43 here; choose another -o, or --fresh to start over");
    assert_refused(f, true, "seed: 42 there, 43 here");
    f->study.seed = 42;
    const rl_source *const saved = f->specs[0].source;
    f->specs[0].source = rl_source_find("diabetes");
    assert_refused(f, false,
                   "alpha/source: table there, diabetes here; give what differs another name, choose another -o");
    f->specs[0].source = saved;
    assert_file_is(f->journal_file, &before);
    write_journal(f, 0);
    rl_free(before.bytes);
}

/* Fewer ablations, or others in their place: what the study asks for is taken out of records that hold more. */
static void journal_is_gone_on_with_by_other_ablations(void **state) {
    fixture *f = *state;
    double *const whole = make_curve(f, 0);
    const rl_curve_layout had = layout_of(f, 0);
    const rl_variant first = f->variants[0][0];
    write_journal(f, 1);
    rl_text before = content_of(f->journal_file);
    f->variants[0][0] = f->variants[0][2]; /* cutoff 0.25, 0.5, none */
    f->variants[0][2] = first;
    for (int n = 3; n >= 1; n--) {
        double *curve;
        f->specs[0].n_variants = n;
        const rl_curve_layout l = layout_of(f, 0);
        assert_int_equal(RL_ALLOC(curve, l.length), RL_OK);
        rl_curve_clear(&l, 0, curve);
        for (int i = 0; i < l.n_n_train; i++) rl_curve_copy(&had, whole, i, (int[]){2, 1, 0}, &l, curve, i);
        for (int i = 0; i < l.n_n_train; i++)
            for (int v = 0; v < n; v++)
                assert_true(curve[l.test_mse + (size_t)(i * n + v)] == whole[had.test_mse + (size_t)(i * 3 + 2 - v)]);
        rl_journal *journal = open_journal(f, true);
        assert_curve_is(f, journal, 0, curve);
        assert_int_equal(rl_journal_close(journal), RL_OK);
        rl_free(curve);
    }
    f->specs[0].n_variants = 3;
    f->variants[0][1].parameter = 0.75;
    rl_journal *journal = open_journal(f, false);
    assert_int_equal(count_curves(f, journal), 0); /* none has a cutoff of 0.75 */
    append_curve(f, journal, 1);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    f->variants[0][1].parameter = 0.5;
    f->variants[0][2] = f->variants[0][0];
    f->variants[0][0] = first;
    journal = open_journal(f, false);
    assert_int_equal(count_curves(f, journal), 1); /* as at first: the other record lacks a cutoff of 0.5 */
    assert_curve_is(f, journal, 0, whole);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    const rl_text after = content_of(f->journal_file);
    assert_true(after.length > before.length);
    assert_memory_equal(after.bytes, before.bytes, before.length);
    rl_free(before.bytes);
    rl_free(after.bytes);
    rl_free(whole);
}

/* A long line is shown around the place where it differs, and the advice still fits. */
static void journal_shows_long_lines_in_part(void **state) {
    fixture *f = *state;
    int many[2000];
    for (int i = 0; i < 2000; i++) many[i] = i + 1;
    f->study.full_spectra = (rl_n_train_spec){.line = 1, .values = many, .n_values = 2000, .around = -1};
    write_journal(f, 1);
    many[1500] = 77777;
    assert_refused(f, false, "full_spectra/values: ...");
    assert_message_has("1500 1501 1502");
    assert_message_has("1500 77777 1502");
    assert_message_has("or --fresh to start over");
}

/* Of many differences a few are shown, and the rest is counted. */
static void journal_shows_some_of_many_differences(void **state) {
    fixture *f = *state;
    enum { MANY = 50 };
    rl_variant many[MANY], *const saved = f->specs[0].variants;
    for (int i = 0; i < MANY; i++) many[i] = (rl_variant){.ablation = &cutoff, .parameter = i + 1};
    rl_text have = RL_TEXT_EMPTY, want = RL_TEXT_EMPTY;
    assert_int_equal(rl_study_settings(&f->study, &have), RL_OK);
    f->specs[0].variants = many;
    f->specs[0].n_variants = MANY;
    assert_int_equal(rl_study_settings(&f->study, &want), RL_OK);
    assert_int_equal(rl_settings_compare("out.nc", &f->study, RL_SETTINGS_ALL, have.bytes, want.bytes), RL_ERR_INPUT);
    assert_message_has("alpha/variant: none there, cutoff 1 here; alpha/variant: cutoff 0.5 there, cutoff 2 here");
    assert_message_has("alpha/variant: nothing there, cutoff 4 here; and 46 more; choose another -o, or --fresh");
    f->specs[0].variants = saved;
    f->specs[0].n_variants = 3;
    rl_free(have.bytes);
    rl_free(want.bytes);
}

static void journal_of_changed_rows_is_refused(void **state) {
    fixture *f = *state;
    write_journal(f, REPEATS); /* of alpha alone: beta's rows may be any yet */
    f->series[1].checksum ^= 1;
    write_journal(f, 0);
    f->series[1].checksum ^= 1;
    write_journal(f, REPEATS + 1);
    f->series[1].checksum ^= 1;
    assert_refused(f, false, "the rows of `beta` have changed");
    assert_message_has("their checksum was 0123456789abcdf0, now it is 0123456789abcdf1");
    assert_refused(f, true, "the rows of `beta` have changed");
}

/* A data set whose file was not there at first comes in later, and its rows are checked from then on. */
static void journal_takes_a_dataset_later(void **state) {
    fixture *f = *state;
    f->plan.n_series = 1;
    lay_out_tasks(f);
    write_journal(f, REPEATS);
    f->plan.n_series = 2;
    lay_out_tasks(f);
    rl_journal *journal = open_journal(f, false);
    assert_int_equal(count_curves(f, journal), REPEATS);
    append_curve(f, journal, REPEATS + 1);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    f->plan.n_series = 1;
    lay_out_tasks(f);
    journal = open_journal(f, false);
    assert_int_equal(count_curves(f, journal), REPEATS);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    f->plan.n_series = 2;
    lay_out_tasks(f);
    journal = open_journal(f, false);
    assert_int_equal(count_curves(f, journal), REPEATS + 1);
    assert_has_curve(f, journal, REPEATS + 1);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    f->series[1].checksum++;
    assert_refused(f, false, "the rows of `beta` have changed");
}

static void journal_more_and_fewer_repeats(void **state) {
    fixture *f = *state;
    write_journal(f, f->plan.n_tasks);
    const size_t size = size_of(f->journal_file);
    f->study.repeats = REPEATS + 4;
    lay_out_tasks(f);
    rl_journal *journal = open_journal(f, false);
    assert_int_equal(count_curves(f, journal), 2 * REPEATS);
    for (int64_t i = 0; i < f->plan.n_tasks; i++) {
        if (f->tasks[i].repeats.first < REPEATS)
            assert_has_curve(f, journal, i);
        else
            assert_curve_is(f, journal, i, NULL);
    }
    assert_int_equal(rl_journal_close(journal), RL_OK);
    f->study.repeats = 2;
    lay_out_tasks(f);
    journal = open_journal(f, false);
    assert_int_equal(count_curves(f, journal), 4);
    for (int64_t i = 0; i < 4; i++) assert_has_curve(f, journal, i);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    assert_int_equal(size_of(f->journal_file), size); /* nothing is thrown away */
}

static void journal_never_overwrites_a_stranger(void **state) {
    const fixture *f = *state;
    static const char *const strangers[] = {"x", "my notes, which are longer than the head of a journal", "RIDGELES",
                                            "RIDGELES is how it begins, but it goes on in another way altogether."};
    static const char *const messages[] = {"is not a journal of ridgeless", "is not a journal of ridgeless", NULL,
                                           "machine with other numbers"};
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        write_file(f->journal_file, strangers[i], strlen(strangers[i]));
        if (messages[i] == NULL) { /* the first bytes of a journal: a killed run's */
            write_journal(f, 0);
            continue;
        }
        rl_text before = content_of(f->journal_file);
        assert_refused(f, false, messages[i]);
        assert_refused(f, true, messages[i]);
        assert_file_is(f->journal_file, &before);
        rl_free(before.bytes);
    }
    assert_int_equal(unlink(f->journal_file), 0);
    assert_int_equal(mkdir(f->journal_file, 0700), 0);
    assert_refused(f, false, "is not a regular file");
    assert_refused(f, true, "is not a regular file");
    assert_int_equal(rmdir(f->journal_file), 0);
    assert_int_equal(mkfifo(f->journal_file, 0600), 0); /* must not wait for a writer */
    assert_refused(f, true, "is not a regular file");
}

/* The version stands behind the magic; the mark of the byte order behind it. */
static void journal_of_another_machine_or_format(void **state) {
    const fixture *f = *state;
    write_journal(f, 1);
    rl_text whole = content_of(f->journal_file);
    whole.bytes[8]++;
    write_file(f->journal_file, whole.bytes, whole.length);
    assert_refused(f, false, "has format 8, this program writes format 7");
    whole.bytes[8]--;
    whole.bytes[12] ^= 5;
    write_file(f->journal_file, whole.bytes, whole.length);
    assert_refused(f, false, "machine with other numbers");
    rl_free(whole.bytes);
}

static void journal_of_another_layout(void **state) {
    fixture *f = *state;
    write_journal(f, 1);
    f->series[0].data.fresh = true; /* as if another program laid the records out */
    assert_refused(f, false, "`alpha`, repeat 0, has another layout");
}

static void journal_has_one_writer(void **state) {
    const fixture *f = *state;
    rl_journal *first = open_journal(f, false);
    append_curve(f, first, 0);
    assert_refused(f, false, "another run is writing it");
    rl_journal *reader = open_journal(f, true);
    assert_int_equal(count_curves(f, reader), 1);
    assert_int_equal(rl_journal_close(reader), RL_OK);
    assert_int_equal(rl_journal_close(first), RL_OK);
    write_journal(f, 0);
}

static void journal_read_only_never_creates(void **state) {
    const fixture *f = *state;
    assert_null(open_journal(f, true));
    assert_int_equal(access(f->journal_file, F_OK), -1);
    assert_int_equal(rl_journal_close(NULL), RL_OK);
}

static void journal_folder_must_be_there(void **state) {
    const fixture *f = *state;
    char output[PATH_LENGTH + 16];
    rl_journal *journal;
    snprintf(output, sizeof output, "%s/none/out.nc", f->folder);
    assert_int_equal(rl_journal_open(output, &f->plan, false, &journal), RL_ERR_INPUT);
    assert_message_has("none/out.nc.journal: cannot be written: No such file or directory");
    assert_null(journal);
    write_file(f->output, "x", 1); /* a file where a folder is wanted */
    snprintf(output, sizeof output, "%s/out.nc", f->output);
    assert_int_equal(rl_journal_open(output, &f->plan, true, &journal), RL_ERR_INPUT);
    assert_message_has("Not a directory");
}

/* A full disk, imitated by the limit on file sizes: the write that does not fit leaves nothing behind. */
static void journal_survives_a_full_disk(void **state) {
    const fixture *f = *state;
    write_journal(f, 2);
    const size_t size = size_of(f->journal_file);
    struct rlimit saved, limit;
    double *curve = make_curve(f, 2);
    rl_journal *journal = open_journal(f, false);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &saved), 0);
    limit = saved;
    for (size_t room = 0; room < 100; room += 33) {
        limit.rlim_cur = size + room;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        const rl_status status = try_to_append(f, journal, 2, curve);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &saved), 0);
        assert_int_equal(status, RL_ERR_IO);
        assert_message_has(room == 0 ? "File too large" : "only a part could be written");
        assert_int_equal(size_of(f->journal_file), size);
        assert_curve_is(f, journal, 2, NULL);
    }
    append_curve(f, journal, 2);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    journal = open_journal(f, true);
    assert_int_equal(count_curves(f, journal), 3);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    rl_free(curve);
}

/* ---- parts of curves --------------------------------------------------------------------------------------------- */

static int status_of(const rl_journal *journal, int64_t task, int i) {
    bool there;
    const int outcome = rl_journal_outcome(journal, task, i, &there);
    return there ? outcome : RL_CELL_MISSING;
}

/* N 0 and 2 of curve 3, then 1 and 3: together the whole. What was there before a part came stays. */
static void journal_puts_parts_together(void **state) {
    const fixture *f = *state;
    for (int first = 0; first < 2; first++) {
        rl_journal *journal = open_journal(f, false);
        double *curve = make_curve(f, 3);
        for (int i = first; i < 4; i += 2) set_status(f, 3, curve, i, RL_CELL_MISSING);
        append_numbers(f, journal, 3, curve);
        rl_free(curve);
        for (int again = 0; again < 2; again++) {
            for (int i = 0; i < 4; i++)
                assert_int_equal(status_of(journal, 3, i) == RL_CELL_MISSING, first == 0 && i % 2 == 0);
            assert_int_equal(rl_journal_has(journal, &f->plan, 3), first == 1);
            assert_int_equal(count_curves(f, journal), first);
            if (first == 1) assert_has_curve(f, journal, 3);
            assert_int_equal(rl_journal_close(journal), RL_OK);
            journal = open_journal(f, true);
        }
        assert_int_equal(rl_journal_close(journal), RL_OK);
    }
}

static void journal_of_nothing_done_does_not_grow(void **state) {
    const fixture *f = *state;
    write_journal(f, 0);
    const size_t size = size_of(f->journal_file);
    rl_journal *journal = open_journal(f, false);
    double *curve = make_curve(f, 3);
    for (int i = 0; i < 4; i++) set_status(f, 3, curve, i, RL_CELL_MISSING);
    append_numbers(f, journal, 3, curve);
    assert_curve_is(f, journal, 3, NULL);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    assert_int_equal(size_of(f->journal_file), size);
    rl_free(curve);
}

static void journal_counts_what_is_there(void **state) {
    const fixture *f = *state;
    rl_journal *journal = open_journal(f, false);
    double *curve = make_curve(f, 0);
    set_status(f, 0, curve, 1, RL_CELL_MISSING);
    set_status(f, 0, curve, 2, RL_CELL_NO_CONVERGENCE);
    append_numbers(f, journal, 0, curve);
    append_curve(f, journal, REPEATS);
    const rl_tally all = rl_journal_tally(journal, &f->plan, 0, 2), alpha = rl_journal_tally(journal, &f->plan, 0, 1);
    const rl_tally expected = {2 * REPEATS, 1, 1, 7 * REPEATS, 5, 7 * REPEATS - 6, 1};
    const rl_tally of_alpha = {REPEATS, 0, 1, 4 * REPEATS, 2, 4 * REPEATS - 3, 1};
    assert_memory_equal(&all, &expected, sizeof all);
    assert_memory_equal(&alpha, &of_alpha, sizeof alpha);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    const rl_tally none_there = rl_journal_tally(NULL, &f->plan, 1, 2);
    assert_memory_equal(&none_there, (&(rl_tally){REPEATS, 0, 0, 3 * REPEATS, 0, 3 * REPEATS, 0}), sizeof none_there);
    rl_free(curve);
}

/* A failed N that is done again takes the place of what was; one that fails later does too. */
static void journal_takes_another_try(void **state) {
    const fixture *f = *state;
    rl_journal *journal = open_journal(f, false);
    double *failed = make_curve(f, 2), *again = make_curve(f, 2);
    set_status(f, 2, failed, 1, RL_CELL_NO_CONVERGENCE);
    append_numbers(f, journal, 2, failed);
    assert_int_equal(status_of(journal, 2, 1), RL_CELL_NO_CONVERGENCE);
    for (int i = 0; i < 4; i++)
        if (i != 1) set_status(f, 2, again, i, RL_CELL_MISSING);
    append_numbers(f, journal, 2, again);
    assert_has_curve(f, journal, 2);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    journal = open_journal(f, true);
    assert_has_curve(f, journal, 2);
    assert_int_equal(rl_journal_tally(journal, &f->plan, 0, 1).points_failed, 0);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    rl_free(failed);
    rl_free(again);
}

/* ---- other plans ------------------------------------------------------------------------------------------------- */

/* N i of `task` in the plan as it is now has the values of N j of `curve`, laid out by `from`. */
static void assert_has_n(const fixture *f, const rl_journal *journal, int64_t task, int i, const rl_curve_layout *from,
                         const double *curve, int j) {
    const rl_curve_layout l = layout_of(f, task);
    double *there, *expected;
    assert_int_equal(read_curve(f, journal, task, &there), RL_OK);
    assert_non_null(there);
    assert_int_equal(RL_ALLOC(expected, l.length), RL_OK);
    memcpy(expected, there, l.length * sizeof *expected);
    rl_curve_copy(from, curve, j, NULL, &l, expected, i);
    assert_memory_equal(there, expected, l.length * sizeof *expected);
    assert_true(rl_curve_status(&l, expected, i) == RL_CELL_DONE);
    rl_free(there);
    rl_free(expected);
}

/* A plan may cut a (P, repeat) into tasks in any way. */
static void journal_of_curves_cut_otherwise(void **state) {
    fixture *f = *state;
    write_journal(f, f->plan.n_tasks);
    const rl_curve_layout whole = layout_of(f, 0);
    double *curve = make_curve(f, 2);
    cut_tasks(f, true);
    rl_journal *journal = open_journal(f, false);
    assert_int_equal(count_curves(f, journal), 7 * REPEATS);
    for (int i = 0; i < 4; i++) {
        const int64_t task = rl_plan_task(&f->plan, 0, 2, i);
        assert_has_n(f, journal, task, 0, &whole, curve, i);
        double *part = make_curve(f, task);
        append_numbers(f, journal, task, part); /* and back */
        rl_free(part);
    }
    assert_int_equal(rl_journal_close(journal), RL_OK);
    const rl_curve_layout single = layout_of(f, 0);
    double *part = make_curve(f, rl_plan_task(&f->plan, 0, 2, 0)); /* the same for each N */
    cut_tasks(f, false);
    journal = open_journal(f, true);
    assert_int_equal(count_curves(f, journal), 2 * REPEATS);
    for (int i = 0; i < 4; i++) assert_has_n(f, journal, 2, i, &single, part, 0);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    rl_free(part);
    rl_free(curve);
}

static void ask_for_n(fixture *f, int n, const int *n_train) {
    memcpy(f->n[0], n_train, (size_t)n * sizeof *n_train);
    f->series[0].n_n_train = n;
    f->series[0].max_modes = n_train[n - 1] < 3 ? n_train[n - 1] : 3;
    f->specs[0].n_train.n_values = n;
    lay_out_tasks(f);
}

/* Other N than before: those that both ask for are there, the others stay in the file. */
static void journal_of_other_n(void **state) {
    fixture *f = *state;
    const rl_curve_layout before = layout_of(f, 0);
    double *curve = make_curve(f, 1);
    write_journal(f, 2);
    const size_t size = size_of(f->journal_file);
    ask_for_n(f, 4, (int[]){2, 4, 5, 7});
    rl_journal *journal = open_journal(f, false);
    assert_has_n(f, journal, 1, 0, &before, curve, 1);
    assert_has_n(f, journal, 1, 2, &before, curve, 3);
    assert_int_equal(status_of(journal, 1, 1), RL_CELL_MISSING);
    assert_int_equal(status_of(journal, 1, 3), RL_CELL_MISSING);
    assert_int_equal(rl_journal_tally(journal, &f->plan, 0, 1).begun, 2);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    assert_int_equal(size_of(f->journal_file), size);
    ask_for_n(f, 4, (int[]){1, 2, 3, 5});
    journal = open_journal(f, false);
    assert_int_equal(count_curves(f, journal), 2);
    assert_has_curve(f, journal, 1);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    rl_free(curve);
}

/* The longest N says how many modes there is room for: fewer, and more again. */
static void journal_of_other_numbers_of_modes(void **state) {
    fixture *f = *state;
    const rl_curve_layout three = layout_of(f, 0);
    double *curve = make_curve(f, 0);
    write_journal(f, 1);
    ask_for_n(f, 2, (int[]){1, 2});
    rl_journal *journal = open_journal(f, false);
    for (int i = 0; i < 2; i++) assert_has_n(f, journal, 0, i, &three, curve, i);
    append_curve(f, journal, 1);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    const rl_curve_layout two = layout_of(f, 0);
    rl_free(curve);
    curve = make_curve(f, 1);
    ask_for_n(f, 4, (int[]){1, 2, 3, 5});
    journal = open_journal(f, false);
    assert_has_curve(f, journal, 0);
    for (int i = 0; i < 2; i++) assert_has_n(f, journal, 1, i, &two, curve, i);
    double *there;
    assert_int_equal(read_curve(f, journal, 1, &there), RL_OK);
    assert_true(isnan(there[three.sigma + 2])); /* the third of the first N */
    rl_free(there);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    rl_free(curve);
}

/* ---- damage ------------------------------------------------------------------------------------------------------ */

/* Four records; of the second and third some bytes are lost, from within one to within the other. The others are
 * there, the file is left as it is, and work goes on behind it. */
static void journal_damaged_in_the_middle(void **state) {
    const fixture *f = *state;
    size_t ends[5];
    for (int64_t n = 0; n < 5; n++) {
        rl_journal *journal = open_journal(f, false);
        if (n > 0) append_curve(f, journal, n - 1);
        assert_int_equal(rl_journal_close(journal), RL_OK);
        ends[n] = size_of(f->journal_file);
    }
    rl_text damaged = content_of(f->journal_file);
    memset(damaged.bytes + ends[1] + 100, 0xff, ends[3] - ends[1] - 200);
    write_file(f->journal_file, damaged.bytes, damaged.length);
    rl_text said = warnings_of_opening(f);
    char expected[80];
    snprintf(expected, sizeof expected, "passed over %zu damaged bytes in 1 place", ends[3] - ends[1]);
    assert_non_null(strstr(said.bytes, expected));
    assert_file_is(f->journal_file, &damaged);
    for (int64_t there = 2; there <= 4; there++) {
        rl_journal *journal = open_journal(f, false);
        assert_int_equal(count_curves(f, journal), there);
        assert_has_curve(f, journal, 0);
        assert_has_curve(f, journal, 3);
        if (there < 4) append_curve(f, journal, there - 1);
        assert_int_equal(rl_journal_close(journal), RL_OK);
    }
    rl_text whole = content_of(f->journal_file);
    assert_memory_equal(whole.bytes, damaged.bytes, damaged.length);
    rl_free(whole.bytes);
    rl_free(said.bytes);
    rl_free(damaged.bytes);
}

/* A whole block lost at any word of a file of many records: at most the records that it touches are gone. */
static void journal_with_any_block_lost(void **state) {
    fixture *f = *state;
    enum { BYTES = 512 };
    write_journal(f, 0);
    const size_t start = size_of(f->journal_file);
    write_journal(f, REPEATS); /* of one length */
    rl_text whole = content_of(f->journal_file);
    const size_t length = (whole.length - start) / REPEATS;
    for (size_t at = start; at + BYTES <= whole.length; at += 8) {
        rl_text damaged = RL_TEXT_EMPTY;
        assert_int_equal(rl_text_append_bytes(&damaged, whole.bytes, whole.length), RL_OK);
        memset(damaged.bytes + at, 0, BYTES);
        write_file(f->journal_file, damaged.bytes, damaged.length);
        rl_journal *journal = open_journal(f, true);
        const size_t first = (at - start) / length, last = (at + BYTES - 1 - start) / length;
        assert_int_equal(count_curves(f, journal), REPEATS - (last - first + 1));
        for (size_t i = 0; i < REPEATS; i++)
            if (i < first || i > last) assert_has_curve(f, journal, (int64_t)i);
        assert_int_equal(rl_journal_close(journal), RL_OK);
        rl_free(damaged.bytes);
    }
    rl_free(whole.bytes);
}

/* A checksum that holds keeps no nonsense out: what this program would never write is refused. */
static void journal_of_unsound_records_is_refused(void **state) {
    fixture *f = *state;
    const rl_curve_layout l = layout_of(f, 0);
    for (int how = 0; how < 3; how++) {
        double *curve = make_curve(f, 0);
        rl_journal *journal = open_journal(f, false);
        if (how == 0) curve[l.status + 1] = 7;
        if (how == 1) curve[l.rank + 1] = 1e300;
        if (how == 2) f->n[0][1] = 1; /* twice the same N */
        append_numbers(f, journal, 0, curve);
        assert_int_equal(rl_journal_close(journal), RL_OK);
        f->n[0][1] = 2;
        assert_refused(f, false, "`alpha`, repeat 0, has another layout");
        ask_for_n(f, 2, (int[]){4, 7}); /* nothing of it is asked for: it stays in the file */
        write_journal(f, 0);
        ask_for_n(f, 4, (int[]){1, 2, 3, 5});
        assert_refused(f, false, "`alpha`, repeat 0, has another layout");
        assert_int_equal(unlink(f->journal_file), 0);
        rl_free(curve);
    }
}

/* A file that changes while it is open is found out. */
static void journal_that_changes_is_found_out(void **state) {
    const fixture *f = *state;
    double *curve;
    write_journal(f, 2);
    rl_journal *journal = open_journal(f, false);
    const int fd = open(f->journal_file, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "x", 1, (off_t)size_of(f->journal_file) - 100), 1);
    close(fd);
    assert_has_curve(f, journal, 0);
    assert_int_equal(read_curve(f, journal, 1, &curve), RL_ERR_IO);
    assert_message_has("does not read back as it was written");
    assert_null(curve);
    assert_int_equal(rl_journal_close(journal), RL_OK);
}

/* ---- starting over ----------------------------------------------------------------------------------------------- */

static void discard_takes_any_journal_of_ours(void **state) {
    fixture *f = *state;
    for (int how = 0; how < 4; how++) {
        unlink(f->journal_file);
        f->study.seed = how == 1 ? 1 : 42;
        write_journal(f, 3);
        f->study.seed = 42;
        rl_text whole = content_of(f->journal_file);
        if (how == 2) whole.bytes[20] ^= 1;
        write_file(f->journal_file, whole.bytes, how == 3 ? 6 : whole.length); /* killed while it was created */
        rl_free(whole.bytes);
        if (rl_results_discard(f->output) != RL_OK) fail_msg("%s", rl_error_message());
        assert_int_equal(size_of(f->journal_file), 0);
        rl_journal *journal = open_journal(f, false);
        assert_int_equal(count_curves(f, journal), 0);
        assert_int_equal(rl_journal_close(journal), RL_OK);
    }
    assert_int_equal(unlink(f->journal_file), 0);
    assert_int_equal(rl_results_discard(f->output), RL_OK); /* nothing there */
    assert_int_equal(access(f->journal_file, F_OK), -1);
}

static void assert_not_discarded(const fixture *f, const char *message) {
    assert_int_equal(rl_results_discard(f->output), RL_ERR_INPUT);
    assert_message_has(message);
}

static void discard_leaves_strangers_alone(void **state) {
    const fixture *f = *state;
    static const char notes[] = "RIDGES and valleys of the moon, 12 June 1871";
    write_file(f->journal_file, notes, sizeof notes);
    rl_text before = content_of(f->journal_file);
    assert_not_discarded(f, "is not a journal of ridgeless; it is left alone");
    assert_file_is(f->journal_file, &before);
    rl_free(before.bytes);
    assert_int_equal(unlink(f->journal_file), 0);
    write_journal(f, 1);
    before = content_of(f->journal_file);
    write_file(f->output, "dear diary", 10);
    assert_not_discarded(f, "is not NetCDF-4, expected a results file of ridgeless; it is left alone");
    assert_int_equal(size_of(f->output), 10);
    assert_int_equal(unlink(f->output), 0);
    rl_journal *journal = open_journal(f, false);
    assert_not_discarded(f, "another run is writing it");
    assert_int_equal(rl_journal_close(journal), RL_OK);
    assert_file_is(f->journal_file, &before);
    rl_free(before.bytes);
}

/* ---- main -------------------------------------------------------------------------------------------------------- */

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        TEST(packing_leaves_out_repetitions_alone),
        TEST(journal_keeps_what_was_appended),
        TEST(journal_last_duplicate_wins),
        TEST(journal_torn_at_every_byte),
        TEST(journal_torn_while_created),
        TEST(journal_flipped_bit),
        TEST(journal_absurd_lengths),
        TEST(journal_steps_over_unknown_kinds),
        TEST(journal_warns_of_the_torn_end),
        TEST(journal_of_another_study_is_refused),
        TEST(journal_is_gone_on_with_by_other_ablations),
        TEST(journal_shows_long_lines_in_part),
        TEST(journal_shows_some_of_many_differences),
        TEST(journal_of_changed_rows_is_refused),
        TEST(journal_takes_a_dataset_later),
        TEST(journal_more_and_fewer_repeats),
        TEST(journal_never_overwrites_a_stranger),
        TEST(journal_of_another_machine_or_format),
        TEST(journal_of_another_layout),
        TEST(journal_has_one_writer),
        TEST(journal_read_only_never_creates),
        TEST(journal_folder_must_be_there),
        TEST(journal_survives_a_full_disk),
        TEST(journal_puts_parts_together),
        TEST(journal_of_nothing_done_does_not_grow),
        TEST(journal_counts_what_is_there),
        TEST(journal_takes_another_try),
        TEST(journal_of_curves_cut_otherwise),
        TEST(journal_of_other_n),
        TEST(journal_of_other_numbers_of_modes),
        TEST(journal_damaged_in_the_middle),
        TEST(journal_with_any_block_lost),
        TEST(journal_of_unsound_records_is_refused),
        TEST(journal_that_changes_is_found_out),
        TEST(discard_takes_any_journal_of_ours),
        TEST(discard_leaves_strangers_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
