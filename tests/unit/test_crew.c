/* The crew that makes slabs while the results file is written: the same bytes, whatever of it works. Members are of
 * this process, which their memory does not know: they open what is shared as another one does. */
#include "hand_plan.h"

#include "../../src/results/crew.h"

/* A crew of this process, and what goes wrong with it. */
typedef enum trouble {
    NO_TROUBLE,
    CANNOT_MAP, /* what is shared is not there for members */
    HANGS,      /* somebody has taken a portion, and is never heard of again */
    TAKES_LONG, /* somebody is taking the memory of a half, and never has it */
    FAILS,      /* somebody could not read a record */
    IS_LATE,    /* a slab's job is done when another one is asked for */
    REFUSES,    /* every third job */
    SEALS_NOT,  /* its answers do not come */
    N_TROUBLES
} trouble;
typedef struct pretended {
    const rl_plan *plan;
    trouble trouble;
    rl_crew_member *members[3];
    int n_asked, n_made; /* n_made: slabs that members have made */
    shared seen;         /* what is shared */
    size_t slab_values;
    rl_text late[3]; /* the last job of each member */
    rl_text answers;
    size_t n_taken;
} pretended;

static void keep_answer(void *state, const void *bytes, size_t length) {
    assert_int_equal(rl_text_append_bytes(&((pretended *)state)->answers, bytes, length), RL_OK);
}

static bool give_nothing(void *state, const double *sets, size_t n, size_t width, bool moments, rl_reduced *reduced) {
    (void)state, (void)sets, (void)n, (void)width, (void)moments, (void)reduced;
    return false;
}

static void await_nothing(void *state) {
    (void)state;
}

static rl_common *seen_common(const pretended *p) {
    const rl_layout l = rl_crew_layout(p->plan, p->slab_values);
    return (void *)(p->seen.bytes + l.common);
}

/* A job as it arrives, or as it would if nothing went wrong. */
static void see_begin(pretended *p, rl_crew_begin_job *job) {
    rl_shared_close(&p->seen);
    p->slab_values = (size_t)job->slab_values;
    assert_true(rl_shared_open(&job->name, &p->seen));
    if (p->trouble == CANNOT_MAP) job->name.file.st_ino++;
}

static void see_slab(pretended *p, const rl_crew_slab *job) {
    rl_common *const common = seen_common(p);
    if (p->trouble == HANGS) atomic_fetch_add(&common->boards[job->half][RL_COLLECTS].next, 1);
    if (p->trouble == TAKES_LONG) atomic_store(&common->memory[job->half], RL_BEING_TAKEN);
    if (p->trouble == FAILS) atomic_store(&common->is_over, true);
}

static void do_late_job(pretended *p, int member) {
    if (p->late[member].length > 0) rl_crew_member_work(p->members[member], p->late[member].bytes, keep_answer, p);
    p->late[member].length = 0;
}

/* With this member everything of a slab is done before the next one is asked. */
static void do_job(pretended *p, int member, rl_text *job) {
    rl_crew_job head;
    memcpy(&head, job->bytes, sizeof head);
    if (head.kind == RL_CREW_BEGIN) see_begin(p, (void *)job->bytes);
    if (head.kind == RL_CREW_SLAB) see_slab(p, (const void *)job->bytes);
    do_late_job(p, member);
    if (head.kind == RL_CREW_SLAB && p->trouble == IS_LATE) {
        assert_int_equal(rl_text_append_bytes(&p->late[member], job->bytes, job->length), RL_OK);
    } else if (head.kind != RL_CREW_SLAB || (p->trouble != HANGS && p->trouble != TAKES_LONG)) {
        rl_crew_member_work(p->members[member], job->bytes, keep_answer, p);
    }
    if (head.kind != RL_CREW_SLAB) return;
    const rl_crew_slab *asked = (const void *)job->bytes;
    p->n_made += atomic_load(&seen_common(p)->boards[asked->half][RL_COLLECTS].n_done) > 0;
}

static bool ask_pretended(void *state, int member, const void *job, size_t length) {
    pretended *p = state;
    rl_text copy = RL_TEXT_EMPTY;
    if (p->trouble == REFUSES && ++p->n_asked % 3 == 0) return false;
    assert_int_equal(rl_text_append_bytes(&copy, job, length), RL_OK);
    do_job(p, member, &copy);
    rl_free(copy.bytes);
    return true;
}

static bool take_pretended(void *state, int member, void *bytes, size_t length) {
    pretended *p = state;
    (void)member;
    if (p->trouble == SEALS_NOT) return false;
    assert_true(p->n_taken + length <= p->answers.length);
    memcpy(bytes, p->answers.bytes + p->n_taken, length);
    p->n_taken += length;
    return true;
}

/* How many slabs the crew has made. */
static int write_with_crew(const fixture *f, rl_journal *journal, int n, trouble what, size_t slab_bytes) {
    const rl_provenance empty = {0};
    pretended p = {.plan = &f->plan, .trouble = what};
    const rl_crew crew = {give_nothing, await_nothing, n, 0.02, ask_pretended, take_pretended, &p};
    for (int m = 0; m < n; m++) assert_int_equal(rl_crew_member_create(&f->plan, &p.members[m]), RL_OK);
    if (rl_results_write_by(f->output, &f->plan, journal, &empty, slab_bytes, &crew, NULL) != RL_OK)
        fail_msg("%s", rl_error_message());
    for (int m = 0; m < n; m++) {
        do_late_job(&p, m);
        rl_crew_member_destroy(p.members[m]);
        rl_free(p.late[m].bytes);
    }
    rl_shared_close(&p.seen);
    rl_free(p.answers.bytes);
    return p.n_made;
}

/* Whatever of it a crew does, and whatever goes wrong with that. */
static void results_are_the_same_bytes_with_a_crew(void **state) {
    fixture *f = *state;
    const rl_provenance empty = {0};
    const int many[] = {60, 40}; /* statistics of wide sets are shared, those of narrow ones are not */
    for (int i = 0; i < 4; i++) {
        const int lacking = i % 2;
        f->study.repeats = many[i / 2];
        lay_out_tasks(f);
        unlink(f->journal_file);
        write_journal(f, f->plan.n_tasks - lacking);
        rl_journal *journal = open_journal(f, true);
        assert_int_equal(rl_results_write(f->output, &f->plan, journal, &empty, NULL, NULL), RL_OK);
        rl_text whole = content_of(f->output);
        for (int run = 0; run < 3 * N_TROUBLES; run++) {
            const size_t slab_bytes = run % 3 == 0 ? RL_RESULTS_SLAB : 50000;
            const trouble what = run / 3;
            const int n_made = write_with_crew(f, journal, 1 + run % 3, what, slab_bytes);
            assert_file_is(f->output, &whole);
            if (what == NO_TROUBLE && !lacking) assert_true(n_made > 0);
            if (what == CANNOT_MAP || what == HANGS || what == TAKES_LONG || what == FAILS) assert_int_equal(n_made, 0);
        }
        rl_free(whole.bytes);
        assert_int_equal(rl_journal_close(journal), RL_OK);
    }
}

/* Of no other file, and no other process's. */
static void shared_memory_is_opened_by_its_maker_alone(void **state) {
    enum { LENGTH = 9 << 20 }; /* with large pages, where the system has them */
    shared mine, theirs;
    shared_name name;
    (void)state;
    assert_true(rl_shared_create(LENGTH, &mine));
    assert_true(rl_shared_name(&mine, &name));
    assert_true(rl_shared_fill(&mine, 0, LENGTH));
    mine.bytes[LENGTH - 1] = 'x';
    assert_true(rl_shared_open(&name, &theirs));
    rl_shared_meet(&theirs, 0, LENGTH);
    assert_int_equal(theirs.bytes[LENGTH - 1], 'x');
    assert_int_equal(theirs.bytes[0], 0);
    rl_shared_close(&theirs);
    const shared_name wrong[] = {{name.pid, name.fd, name.length, {.st_ino = 1}},
                                 {name.pid, name.fd + 500, name.length, name.file},
                                 {1 << 30, name.fd, name.length, name.file}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(rl_shared_open(&wrong[i], &theirs));
        assert_null(theirs.bytes);
        rl_shared_close(&theirs);
    }
    rl_shared_close(&mine);
    rl_shared_close(&mine);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        TEST(results_are_the_same_bytes_with_a_crew),
        TEST(shared_memory_is_opened_by_its_maker_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
