/* A member of the crew, which does what it is asked for and keeps to itself what goes wrong: then others do it. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crew.h"

struct rl_crew_member {
    writer w;            /* of no file */
    rl_journal *journal; /* NULL: nothing is shared */
    rl_crew_answer answer;
    void *state;
    int64_t status; /* of a seal: answers are read until the next job */
    rl_crew_sealed sealed;
};

rl_status rl_crew_member_create(const rl_plan *plan, rl_crew_member **member) {
    *member = NULL;
    RL_TRY(RL_ALLOC(*member, 1));
    (*member)->w = (writer){.plan = plan, .slab_bytes = RL_RESULTS_SLAB};
    return RL_OK;
}

static void forget_shared(rl_crew_member *m) {
    rl_shared_close(&m->w.shared);
    memset(m->w.is_filled, 0, sizeof m->w.is_filled);
    rl_forget_groups(&m->w);
    rl_journal_close(m->journal);
    m->journal = NULL;
}

void rl_crew_member_destroy(rl_crew_member *m) {
    if (m == NULL) return;
    forget_shared(m);
    rl_free(m);
}

/* ---- slabs ------------------------------------------------------------------------------------------------------- */

static rl_status open_shared(rl_crew_member *m, const rl_crew_begin_job *job) {
    const rl_layout l = rl_crew_layout(m->w.plan, m->w.slab_values);
    if (!rl_shared_open(&job->name, &m->w.shared)) return RL_ERR_IO;
    RL_TRY(rl_measure_groups(&m->w));
    return rl_journal_open_described(m->w.plan, m->w.shared.bytes + l.description, &m->journal);
}

/* Comes first: a rank that is asked for nothing need not know the groups. Where it fails, others make the slabs. */
static void begin(rl_crew_member *m, const char *bytes) {
    rl_crew_begin_job job;
    memcpy(&job, bytes, sizeof job);
    forget_shared(m);
    m->w.slab_values = (size_t)job.slab_values;
    if (open_shared(m, &job) != RL_OK) forget_shared(m);
    m->w.journal = m->journal;
}

static void note_offsets(const rl_crew_member *m, const group *g, rl_range repeats) {
    const uint64_t *const offsets = rl_crew_offsets(&m->w);
    for (int s = g->first; s < g->first + g->n_series; s++) {
        int64_t first, end;
        rl_tasks_at(m->w.plan, s, repeats, &first, &end);
        rl_journal_set_whole(m->journal, first, end, offsets + first);
    }
}

static slab slab_of(const rl_crew_slab *job) {
    slab s = {.n = 0};
    for (const struct rl_crew_part *p = job->parts; p < job->parts + job->n_parts; p++)
        s.parts[s.n++] = (part){(int)p->array, (size_t)p->first, (size_t)p->n, (size_t)p->width, NULL, job->repeats};
    return s;
}

/* All phases, until nothing more is to be taken. */
static void work_on(const rl_slab_work *k) {
    for (int phase = 0; phase < RL_N_PHASES; phase++) {
        if (rl_work_in(k, (rl_phase)phase) != RL_OK) return;
        for (const double since = rl_seconds(); !rl_work_is_done(k, (rl_phase)phase); rl_work_wait(since))
            if (rl_work_is_over(k, (rl_phase)phase)) return;
    }
}

static void do_slab(rl_crew_member *m, const char *bytes) {
    rl_crew_slab job;
    memcpy(&job, bytes, sizeof job);
    if (m->journal == NULL) return;
    group *const g = &m->w.groups[job.group];
    curves *const c = g->state;
    const slab s = slab_of(&job);
    if (c->scratch == NULL && RL_ALLOC(c->scratch, 2 * c->n_repeats) != RL_OK) return;
    if (!rl_crew_fill(&m->w, (int)job.half, INFINITY)) return;
    note_offsets(m, g, job.repeats);
    c->is_whole = job.is_whole != 0;
    const rl_slab_work k = rl_slab_work_on(&m->w, g, &s, (int)job.half, (uint32_t)job.number);
    work_on(&k);
}

/* ---- the seal ---------------------------------------------------------------------------------------------------- */

static rl_status seal_file(const rl_crew_seal *job, const char *path, int fd, rl_crew_sealed *sealed) {
    struct stat file;
    const rl_nc blamed = {.path = path, .blame = RL_ERR_IO};
    if (fd < 0 || fstat(fd, &file) != 0 || !rl_same_file(&file, &job->file)) return RL_ERR_IO;
    return rl_nc_make_seal(&blamed, fd, (off_t)job->length, sealed->seal);
}

static void answer_status(rl_crew_member *m, rl_status status) {
    m->status = status;
    m->answer(m->state, &m->status, sizeof m->status);
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

void rl_crew_member_work(rl_crew_member *m, const void *bytes, rl_crew_answer answer, void *state) {
    rl_crew_job job;
    memcpy(&job, bytes, sizeof job);
    m->answer = answer;
    m->state = state;
    if (job.kind == RL_CREW_BEGIN) begin(m, bytes);
    if (job.kind == RL_CREW_SLAB) do_slab(m, bytes);
    if (job.kind == RL_CREW_END) forget_shared(m);
    if (job.kind == RL_CREW_SEAL) do_seal(m, bytes);
}
