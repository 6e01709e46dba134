/* A member of the crew, which does what it is asked for and keeps to itself what goes wrong: then the one that asks
 * does it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../numbers.h"
#include "crew.h"

struct rl_crew_member {
    writer w;            /* of no file */
    rl_journal *journal; /* NULL: it is not known yet */
    double *values;      /* [n_values], of a share; owned */
    size_t n_values;
    rl_reduced *reduced; /* [n_reduced used], of all its parts; owned */
    size_t n_reduced;
    rl_crew_answer answer;
    void *state;
    int64_t status; /* of the job: answers are read until the next one */
    rl_crew_sealed sealed;
};

rl_status rl_crew_member_create(const rl_plan *plan, rl_crew_member **member) {
    *member = NULL;
    RL_TRY(RL_ALLOC(*member, 1));
    (*member)->w = (writer){.plan = plan, .slab_bytes = RL_RESULTS_SLAB};
    return RL_OK;
}

void rl_crew_member_destroy(rl_crew_member *m) {
    if (m == NULL) return;
    rl_forget_groups(&m->w);
    rl_journal_close(m->journal);
    rl_free(m->values);
    rl_free(m->reduced);
    rl_free(m);
}

static void answer_status(rl_crew_member *m, rl_status status) {
    m->status = status;
    m->answer(m->state, &m->status, sizeof m->status);
}

/* ---- slabs ------------------------------------------------------------------------------------------------------- */

/* Comes first: a rank that is asked for nothing need not know the groups. */
static rl_status open_journal(rl_crew_member *m, const char *bytes) {
    rl_journal_close(m->journal);
    m->journal = NULL;
    rl_forget_groups(&m->w);
    RL_TRY(rl_measure_groups(&m->w));
    RL_TRY(rl_journal_open_described(m->w.plan, bytes, &m->journal));
    m->w.journal = m->journal;
    return RL_OK;
}

static void note_offsets(const rl_crew_member *m, const group *g, rl_range repeats, const char *bytes) {
    const uint64_t *offsets = (const void *)bytes;
    for (int s = g->first; s < g->first + g->n_series; s++) {
        int64_t first, end;
        rl_tasks_at(m->w.plan, s, repeats, &first, &end);
        rl_journal_set_whole(m->journal, first, end, offsets);
        offsets += end - first;
    }
}

/* What filling the group takes besides. */
static rl_status prepare_curves(curves *c) {
    if (c->scratch != NULL) return RL_OK;
    RL_TRY(RL_ALLOC(c->repeated, c->d.n_variants * c->d.n_p * c->d.n_n));
    RL_TRY(RL_ALLOC(c->d.reduced, c->d.n_variants * c->d.n_p * c->d.n_n));
    return RL_ALLOC(c->scratch, 2 * c->n_repeats);
}

static rl_status make_room(rl_crew_member *m, size_t n_values, size_t n_rows) {
    if (n_values > m->n_values) {
        rl_free(m->values);
        m->values = NULL;
        m->n_values = 0;
        RL_TRY(rl_alloc_unset(&m->values, n_values, sizeof *m->values));
        m->n_values = n_values;
    }
    rl_free(m->reduced);
    m->reduced = NULL;
    m->n_reduced = 0;
    return RL_ALLOC(m->reduced, n_rows);
}

/* The slab that is asked for, in memory of its own. */
static rl_status lay_out(rl_crew_member *m, const rl_crew_slab *job, slab *s) {
    size_t n_values = 0, n_rows = 0;
    for (int64_t i = 0; i < job->n_parts; i++) {
        const size_t n = (size_t)job->parts[i].n;
        n_values += n * (size_t)job->parts[i].width;
        n_rows += rl_is_reduced(&rl_fields[job->parts[i].array]) ? n : 0;
    }
    RL_TRY(make_room(m, n_values, n_rows));
    double *values = m->values;
    for (int64_t i = 0; i < job->n_parts; i++) {
        const struct rl_crew_part *p = &job->parts[i];
        s->parts[s->n++] =
            (part){(int)p->array, (size_t)p->first, (size_t)p->n, (size_t)p->width, values, job->repeats};
        values += p->n * p->width;
    }
    return RL_OK;
}

static rl_status collect(rl_crew_member *m, const rl_crew_slab *job, const char *offsets, slab *s) {
    if (m->journal == NULL) return RL_ERR_IO;
    const group *g = &m->w.groups[job->group];
    curves *c = g->state;
    note_offsets(m, g, job->repeats, offsets);
    RL_TRY(prepare_curves(c));
    RL_TRY(lay_out(m, job, s));
    c->is_whole = job->is_whole != 0;
    return s->n > 0 ? rl_make_slab(&m->w, g, c, s) : RL_OK;
}

static void answer_part(rl_crew_member *m, const group *g, const part *q) {
    const curves *c = g->state;
    const rl_field *field = &rl_fields[q->array];
    some_rows r = rl_first_rows(q);
    if (rl_is_reduced(field)) {
        rl_reduce_part(c, q);
        rl_reduced *const reduced = memcpy(m->reduced + m->n_reduced, c->d.reduced + q->first, q->n * sizeof *reduced);
        m->n_reduced += q->n;
        m->answer(m->state, reduced, q->n * sizeof *reduced);
    }
    for (bool any = rl_field_kept(field, rl_group_keep(g)); any; any = rl_next_rows(&r))
        m->answer(m->state, q->values + r.first * q->width, r.n * q->width * sizeof *q->values);
}

static void do_slab(rl_crew_member *m, const char *bytes) {
    rl_crew_slab job;
    slab s = {.n = 0};
    memcpy(&job, bytes, sizeof job);
    const rl_status status = collect(m, &job, bytes + sizeof job, &s);
    answer_status(m, status);
    for (int i = 0; status == RL_OK && i < s.n; i++) answer_part(m, &m->w.groups[job.group], &s.parts[i]);
}

/* ---- the seal ---------------------------------------------------------------------------------------------------- */

static rl_status seal_file(const rl_crew_seal *job, const char *path, int fd, rl_crew_sealed *sealed) {
    struct stat file;
    const rl_nc blamed = {.path = path, .blame = RL_ERR_IO};
    if (fd < 0 || fstat(fd, &file) != 0 || !rl_same_file(&file, &job->file)) return RL_ERR_IO;
    return rl_nc_make_seal(&blamed, fd, (off_t)job->length, sealed->seal);
}

static void do_seal(rl_crew_member *m, const char *bytes) {
    rl_crew_seal job;
    const char *path = bytes + sizeof job;
    memcpy(&job, bytes, sizeof job);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const rl_status status = seal_file(&job, path, fd, &m->sealed);
    if (fd >= 0) close(fd);
    answer_status(m, status);
    if (status == RL_OK) m->answer(m->state, &m->sealed, sizeof m->sealed);
}

/* A journal that cannot be opened, slabs will tell. */
void rl_crew_member_work(rl_crew_member *m, const void *bytes, rl_crew_answer answer, void *state) {
    rl_crew_job job;
    memcpy(&job, bytes, sizeof job);
    m->answer = answer;
    m->state = state;
    if (job.kind == RL_CREW_JOURNAL) open_journal(m, (const char *)bytes + sizeof job);
    if (job.kind == RL_CREW_SLAB) do_slab(m, bytes);
    if (job.kind == RL_CREW_SEAL) do_seal(m, bytes);
}
