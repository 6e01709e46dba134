/* The results file as a whole: defined, filled group by group, and put in the place of the old one. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../checksum.h"
#include "../numbers.h"
#include "crew.h"

/* ---- groups ------------------------------------------------------------------------------------------------------ */

/* A row for each kind; which one it is, its name tells. */
#define WRITER_ROW(kind) {#kind, &rl_##kind##_writer},
static const struct {
    const char *kind;
    const rl_group_writer *writer;
} writers[] = {RL_KINDS(WRITER_ROW)};

static const rl_group_writer *writer_of(const rl_kind *kind) {
    size_t i = 0;
    while (strcmp(writers[i].kind, kind->name) != 0) i++;
    return writers[i].writer;
}

rl_status rl_measure_groups(writer *w) {
    const rl_plan *plan = w->plan;
    RL_TRY(RL_ALLOC(w->groups, plan->n_series));
    for (int first = 0, end; first < plan->n_series; first = end) {
        group *g = &w->groups[w->n_groups++];
        const rl_series *series = &plan->series[first];
        end = rl_plan_end_of_group(plan, first);
        *g = (group){.writer = writer_of(series->kind), .series = series, .n_series = end - first, .first = first};
        RL_TRY(g->writer->measure(w, g));
    }
    return RL_OK;
}

static void measure_slab(writer *w) {
    for (const group *g = w->groups; g < w->groups + w->n_groups; g++)
        w->slab_values = rl_larger(w->slab_values, g->n_slab);
}

/* The crew begins while groups are defined, which takes the library a while. */
static rl_status define_groups(writer *w) {
    RL_TRY(rl_measure_groups(w));
    measure_slab(w);
    RL_TRY(rl_crew_begin(w));
    rl_ask_for_first(w);
    for (int i = 0; i < w->n_groups; i++) RL_TRY(w->groups[i].writer->define(w, &w->groups[i]));
    return RL_OK;
}

/* What a group has in memory goes before the next one is read. */
static void forget_group(group *g) {
    if (g->state != NULL) g->writer->destroy(g->state);
    g->state = NULL;
}

void rl_forget_groups(writer *w) {
    while (w->n_groups > 0) forget_group(&w->groups[--w->n_groups]);
    rl_free(w->groups);
    w->groups = NULL;
}

static rl_status make_room(writer *w) {
    size_t n_values = rl_room_for_arrays(w) / sizeof(double) + 1;
    for (const group *g = w->groups; g < w->groups + w->n_groups; g++) n_values = rl_larger(n_values, g->n_values);
    w->stored_bytes = n_values * sizeof(double);
    RL_TRY(RL_ALLOC(w->values, n_values));
    RL_TRY(rl_alloc(&w->stored, w->stored_bytes, 1));
    return rl_crew_make_room(w);
}

static rl_status fill_groups(writer *w) {
    RL_TRY(make_room(w));
    for (int i = 0; i < w->n_groups; i++) {
        RL_TRY(w->groups[i].writer->fill(w, &w->groups[i]));
        forget_group(&w->groups[i]);
    }
    assert(w->n_filled == w->n_variables);
    rl_crew_end(w);
    return RL_OK;
}

static rl_status describe_study(const writer *w) {
    const rl_study *study = w->plan->study;
    rl_text settings = RL_TEXT_EMPTY;
    rl_status status = rl_study_settings(study, &settings);
    char hash[17];
    snprintf(hash, sizeof hash, "%016" PRIx64, (uint64_t)XXH3_64bits(study->text, strlen(study->text)));
    const char *const attributes[][2] = {
        {"Conventions", "CF-1.10 ACDD-1.3"},
        {"title", study->title},
        {"summary",
         "Test and training errors of least squares and its ablations from few training rows to many, through the "
         "interpolation threshold (as many rows as features), with the singular values of the training features. One "
         "group a data set or autoencoder."},
        {"program", "ridgeless " RL_VERSION},
        {"references",
         "Schaeffer et al. 2023, Double Descent Demystified, arXiv:2303.14151, "
         "https://doi.org/10.48550/arXiv.2303.14151"},
        {"study_text", study->text},
        {"study_hash", hash},
        {"settings", settings.bytes == NULL ? "" : settings.bytes},
    };
    for (size_t i = 0; status == RL_OK && i < sizeof attributes / sizeof *attributes; i++)
        status = rl_nc_put_text(&w->file, w->file.id, NC_GLOBAL, attributes[i][0], attributes[i][1]);
    rl_free(settings.bytes);
    return status;
}

/* ---- provenance ------------------------------------------------------------------------------------------------- */

/* How long the journal was. */
#define JOURNAL_BYTES "journal_bytes"

/* A list of numbers is an attribute, or, when it is too long for one, a variable. */
static rl_status write_numbers(const writer *w, int in, const char *name, int n, const double *numbers) {
    int along, id;
    char dimension_name[NC_MAX_NAME + 1];
    if ((size_t)n * sizeof *numbers <= RL_NC_ATTRIBUTE_LIMIT) {
        RL_NC(&w->file, nc_put_att_double(in, NC_GLOBAL, name, NC_DOUBLE, (size_t)n, numbers));
        return RL_OK;
    }
    snprintf(dimension_name, sizeof dimension_name, "%s_index", name);
    RL_NC(&w->file, nc_def_dim(in, dimension_name, (size_t)n, &along));
    RL_NC(&w->file, nc_def_var(in, name, NC_DOUBLE, 1, &along, &id));
    RL_NC(&w->file, nc_put_var_double(in, id, numbers));
    return RL_OK;
}

static rl_status append_digested(const rl_plan *plan, uint64_t content, rl_text *all) {
    const rl_study *study = plan->study;
    RL_TRY(rl_text_append(all, "%s\n%s\n%s\n%d\n%016" PRIx64, RL_VERSION, study->title, study->text, study->repeats,
                          content));
    for (const rl_series *s = plan->series; s < plan->series + plan->n_series; s++)
        RL_TRY(rl_text_append(all, "\n%016" PRIx64 " %s", s->checksum, s->name));
    return RL_OK;
}

rl_status rl_results_digest(const rl_plan *plan, const rl_journal *journal, char text[RL_DIGEST_TEXT]) {
    rl_text all = RL_TEXT_EMPTY;
    const rl_status status = append_digested(plan, rl_journal_content(journal), &all);
    if (status == RL_OK) snprintf(text, RL_DIGEST_TEXT, "%016" PRIx64, (uint64_t)XXH3_64bits(all.bytes, all.length));
    rl_free(all.bytes);
    return status;
}

static rl_status write_provenance(const writer *w, const rl_provenance *p) {
    int id;
    char digest[RL_DIGEST_TEXT];
    RL_NC(&w->file, nc_def_grp(w->file.id, "provenance", &id));
    RL_TRY(rl_results_digest(w->plan, w->journal, digest));
    RL_TRY(rl_nc_put_text(&w->file, id, NC_GLOBAL, RL_DIGEST_ATTRIBUTE, digest));
    const double length = (double)rl_journal_length(w->journal);
    RL_TRY(write_numbers(w, id, JOURNAL_BYTES, 1, &length));
    for (int i = 0; i < p->n; i++) {
        const rl_provenance_entry *e = &p->entries[i];
        if (e->text != NULL) RL_TRY(rl_nc_put_text(&w->file, id, NC_GLOBAL, e->name, e->text));
    }
    for (int i = 0; i < p->n; i++) {
        const rl_provenance_entry *e = &p->entries[i];
        if (e->text == NULL) RL_TRY(write_numbers(w, id, e->name, e->n, e->numbers));
    }
    return RL_OK;
}

/* ---- the whole file ---------------------------------------------------------------------------------------------- */

/* All is defined before anything is filled: the library writes definitions out each time it changes over. */
static rl_status write_content(writer *w, const rl_nc_draft *draft, const rl_provenance *provenance) {
    RL_TRY(describe_study(w));
    RL_TRY(define_groups(w));
    RL_NC(&w->file, nc_enddef(w->file.id));
    RL_TRY(rl_nc_reserve(draft, rl_plain_bytes(w)));
    rl_journal_settle(w->journal); /* not before, as room would be waited for */
    RL_TRY(fill_groups(w));
    return write_provenance(w, provenance);
}

/* The seal is made by others while the arrays are read again, or else behind that. */
static rl_status verify_and_seal(writer *w, const rl_nc_draft *draft, off_t length) {
    rl_crew_sealed sealed;
    bool there;
    RL_TRY(rl_crew_ask_seal(w, draft, length));
    RL_TRY(rl_verify_arrays(w, draft->temporary->path));
    rl_crew_get_seal(w, &sealed, &there);
    return rl_nc_seal(draft, length, there ? sealed.seal : NULL);
}

static rl_status write_temporary(writer *w, rl_temporary *temporary, const rl_provenance *provenance) {
    rl_nc_draft draft;
    off_t length;
    RL_TRY(rl_nc_create(temporary, &draft));
    w->file = draft.file;
    const rl_status status = write_content(w, &draft, provenance);
    if (status != RL_OK) return rl_nc_give_up(&draft, status);
    RL_TRY(rl_nc_close(&draft, &length));
    return verify_and_seal(w, &draft, length);
}

/* ---- in its place ------------------------------------------------------------------------------------------------ */

/* By the journal that a results file was made of; see rl_newness. Where that has been started over meanwhile, a file
 * that has come is of the new one. */
static int64_t newness_of(void *journal, const char *path) {
    rl_nc file;
    int provenance;
    double length = -1;
    if (rl_journal_had_output(journal, path) || rl_results_open_sealed(path, &file) != RL_OK) return -1;
    if (rl_journal_check_place(journal) != RL_OK)
        length = INFINITY;
    else if (nc_inq_grp_ncid(file.id, "provenance", &provenance) != NC_NOERR ||
             nc_get_att_double(provenance, NC_GLOBAL, JOURNAL_BYTES, &length) != NC_NOERR)
        length = -1;
    nc_close(file.id);
    return length < 1e18 ? (int64_t)length : INT64_MAX;
}

/* The run that has the journal has the newest, too. What was only read may have become old meanwhile. */
static rl_status put_in_place(rl_temporary *temporary, rl_journal *journal) {
    const rl_newness newness = {.of = newness_of, .state = journal, .mine = rl_journal_length(journal)};
    bool put;
    RL_TRY(rl_journal_check_place(journal));
    if (rl_journal_is_mine(journal)) return rl_temporary_put_in_place(temporary);
    RL_TRY(rl_temporary_put_unless_newer(temporary, &newness, &put));
    return put ? RL_OK
               : rl_fail(RL_STOPPED,
                         "%s: another process has put a newer file there meanwhile, which stays; nothing is written",
                         temporary->output);
}

/* Nothing that is still to come may find its place gone. */
static void release_writer(writer *w) {
    if (w->crew != NULL) w->crew->await(w->crew->state);
    rl_forget_groups(w);
    rl_free(w->variables);
    rl_free(w->values);
    rl_free(w->stored);
    rl_crew_end(w);
    XXH3_freeState(w->sum);
}

/* The time that is not counted elsewhere is that of writing. */
static rl_results_seconds seconds_since(double start, const writer *w) {
    rl_results_seconds s = w->seconds;
    s.writing = fmax(0, rl_seconds() - start - s.collecting - s.reducing - s.verifying);
    return s;
}

rl_status rl_results_write_by(const char *output, const rl_plan *plan, rl_journal *journal,
                              const rl_provenance *provenance, size_t slab_bytes, const rl_crew *crew,
                              rl_results_seconds *seconds) {
    writer w = {.plan = plan, .journal = journal, .slab_bytes = slab_bytes, .crew = crew};
    const double start = rl_seconds();
    char overflow[RL_OVERFLOW_TEXT];
    rl_temporary temporary;
    rl_remove_stale_temporaries(output);
    RL_TRY(rl_temporary_open(output, &temporary));
    rl_status status = write_temporary(&w, &temporary, provenance);
    if (status == RL_OK) status = put_in_place(&temporary, journal);
    rl_temporary_discard(&temporary);
    if (status == RL_OK && w.overflow.n > 0) rl_warn("%s: %s", output, rl_overflow_text(&w.overflow, overflow));
    release_writer(&w);
    if (seconds != NULL) *seconds = seconds_since(start, &w);
    return status;
}

/* What is known of every task, by the plan and by the journal's index, is taken off the largest slab: so that a study
 * of ten times the repeats, which has more slabs anyway, takes no more memory. */
static size_t slab_beside(const rl_plan *plan) {
    const double least = 8 << 20, known = rl_journal_bytes(NULL, plan) + (double)plan->n_tasks * sizeof *plan->tasks;
    return (size_t)fmax((double)RL_RESULTS_SLAB - known, least);
}

rl_status rl_results_write(const char *output, const rl_plan *plan, rl_journal *journal,
                           const rl_provenance *provenance, const rl_crew *crew, rl_results_seconds *seconds) {
    return rl_results_write_by(output, plan, journal, provenance, slab_beside(plan), crew, seconds);
}

/* ---- what it takes ----------------------------------------------------------------------------------------------- */

/* HDF5 and NetCDF: two chunks, what they know of each group's arrays, and what they keep of what they have given back;
 * and a block of the journal. */
static double library_bytes(const writer *w) {
    const double once = 8e6, a_group = 5e5;
    return once + a_group * w->n_groups;
}

/* Room for values, twice, is that of the arrays that are put as a whole, the largest of them quantiles, and of parts of
 * others. */
static double sum_bytes(const writer *w) {
    double state = 0, stays = 0, of_slab = 0, room = 0;
    const bool summaries_stay = rl_summaries_stay(w);
    for (const group *g = w->groups; g < w->groups + w->n_groups; g++) {
        const double values = (double)sizeof(double), some = fmin((double)RL_ARRAY_PART, values * (double)g->n_slab);
        if (g->writer == &rl_summary_writer && summaries_stay)
            stays += (double)g->bytes;
        else
            state = fmax(state, (double)g->bytes);
        of_slab = fmax(of_slab, values * (double)g->n_slab);
        room = fmax(room, fmax(some, values * (double)g->n_values));
    }
    return stays + state + of_slab + 2 * room + library_bytes(w);
}

rl_status rl_results_bytes(const rl_plan *plan, double *bytes, double *sharing) {
    writer w = {.plan = plan, .slab_bytes = slab_beside(plan)};
    const rl_status status = rl_measure_groups(&w);
    *bytes = status == RL_OK ? sum_bytes(&w) : 0;
    if (status == RL_OK) measure_slab(&w);
    *sharing = status == RL_OK ? rl_crew_bytes(&w) : 0;
    rl_forget_groups(&w);
    return status;
}
