/* Private to `journal`: the file, from its bytes to what there is of the tasks of a plan. README.md has the format.
 * Raise RL_JOURNAL_VERSION with any change of it. */
#ifndef RL_JOURNAL_PRIVATE_H
#define RL_JOURNAL_PRIVATE_H

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "ridgeless/journal.h"

enum { RL_JOURNAL_VERSION = 7, RL_JOURNAL_WORD = 8, RL_RECORD_MAGIC = 0x37524c52 };

/* length, rounded up to whole words. */
static inline size_t rl_journal_padded(size_t length) {
    return (length + RL_JOURNAL_WORD - 1) / RL_JOURNAL_WORD * RL_JOURNAL_WORD;
}

/* ---- reading by large blocks (scan.c) ---------------------------------------------------------------------------- */

typedef struct rl_reader {
    const char *path;
    int fd;
    uint64_t size; /* of the file */
    size_t block;  /* bytes to read at least */
    char *bytes;   /* what stands in the file from `start` on; owned */
    size_t capacity, length;
    uint64_t start;
} rl_reader;

/* Of a file that is open, which stays the caller's. */
rl_status rl_reader_create(const char *path, int fd, rl_reader *reader);
void rl_reader_destroy(rl_reader *reader);

/* *bytes: `length` bytes of the file at `offset`, all of which it has; valid until the next call. Aligned to whole
 * words if all offsets asked for are. */
rl_status rl_reader_get(rl_reader *reader, uint64_t offset, size_t length, const char **bytes);

/* What every record begins with, of whatever kind. */
typedef struct rl_record_head {
    uint32_t magic, kind;   /* rl_kind.number, and in the upper half of the word the number of its settings */
    uint64_t length;        /* of the whole record in bytes, both checksums included */
    uint64_t data_checksum; /* rl_series.checksum */
    int32_t n_features, first_repeat, n_repeats, n;
    uint32_t name_length; /* of the group's name, in bytes */
    int32_t step;         /* as in rl_record */
    uint64_t checksum;    /* of the head before it */
} rl_record_head;
static_assert(sizeof(rl_record_head) == 56, "no byte of a head is left to chance");

/* Studies that share a journal have settings of their own, numbered from 0, those of the header. Others stand in a
 * record of the kind RL_SETTINGS_RECORD, before the first record of such a study: a text with its zero byte. Programs
 * that do not know this take such records for those of unknown kinds, and pass over them. A number may also stand for
 * the arithmetic of the records: behind the settings is a second text then, which older programs do not look at. */
enum { RL_SETTINGS_RECORD = 0, RL_MOST_SETTINGS = 0xffff };
static inline uint32_t rl_head_kind(const rl_record_head *head) {
    return head->kind & 0xffff;
}
static inline int rl_head_settings(const rl_record_head *head) {
    return (int)(head->kind >> 16);
}

/* Bytes of a record beside its content. */
uint64_t rl_record_frame(const rl_record_head *head);

/* What a file turned out to hold behind its header. */
typedef struct rl_scanned {
    uint64_t end;      /* behind the last whole record */
    uint64_t damaged;  /* bytes before it that belong to no whole record */
    int64_t n_damaged; /* in so many places */
} rl_scanned;

/* Goes through the records from `offset` on: `take` is called for each whose checksums hold, and what lies between them
 * is passed over. Memory is needed for a block, and for what `take` gets from the reader. */
typedef rl_status (*rl_record_take)(void *state, rl_reader *reader, uint64_t offset, const rl_record_head *head);
rl_status rl_journal_scan(rl_reader *reader, uint64_t offset, rl_record_take take, void *state, rl_scanned *scanned);

/* One record whole again. Its checksums held, or this process wrote it: whether they still do is seen to, because a
 * file can change. RL_ERR_IO when it is not what it was. */
rl_status rl_journal_get_again(rl_reader *reader, uint64_t offset, rl_record_head *head, const char **bytes);

/* ---- header (header.c) ------------------------------------------------------------------------------------------- */

/* Appends bytes, and zeros up to whole words; and the checksum of what the text holds from `begin` on. */
rl_status rl_journal_append_padded(rl_text *text, const void *bytes, size_t length);
rl_status rl_journal_append_checksum(rl_text *text, size_t begin);

rl_status rl_journal_build_header(const char *settings, rl_text *header);

/* *settings: those of the file's header, the caller's, and its *length in bytes. *begun: the file is empty or ends
 * within `expected`, the study's own header, as a process killed in the middle of creating it leaves it; then *settings
 * is NULL. RL_ERR_INPUT says why it is no journal that this program can go on with. */
rl_status rl_journal_read_header(rl_reader *reader, const rl_text *expected, bool *begun, char **settings,
                                 uint64_t *length);

/* Whether this is, or may once have become, a journal: by its first bytes alone. *settings: those of the header, the
 * caller's; NULL when it is damaged or has another format. */
rl_status rl_journal_identify(rl_reader *reader, bool *is_journal, char **settings);

/* ---- settings (settings.c) --------------------------------------------------------------------------------------- */

/* Why records of a series are of no use to the study, though their numbers are those of the same data. */
typedef enum rl_unused {
    RL_UNUSED_NOT,
    RL_UNUSED_SILENTLY, /* the settings do not have it at all */
    RL_UNUSED_ABLATION, /* one that the study asks for is not in them */
    RL_UNUSED_KEPT,     /* less is kept of them, or it is of another kind */
    RL_UNUSED_METHOD    /* numbers of another method, whose bits are others */
} rl_unused;

/* What records of a series are to the study that were left under some settings. */
typedef struct rl_verdict {
    bool known;                 /* what follows is */
    bool other_data, other_way; /* its numbers are others: the journal belongs to another study */
    rl_unused unused;
    int missing;   /* index of the variant that is not in them */
    int *variants; /* as in rl_record; owned */
    int n_variants;
} rl_verdict;

typedef struct rl_declared {
    int number;
    char *text;           /* owned */
    char *arithmetic;     /* of the records; NULL: it decides nothing, or is not known; owned */
    bool own;             /* the study's */
    rl_verdict *verdicts; /* [n_series]; NULL: none is known yet; owned */
} rl_declared;

typedef struct rl_settings_list {
    rl_declared *list; /* [n]; owned */
    int n;
    char *own; /* of the study; owned */
    int next;  /* the first number that no record of the file has */
} rl_settings_list;

/* Copies the texts; arithmetic NULL or empty: none. */
rl_status rl_settings_declare(rl_settings_list *settings, int number, const char *text, const char *arithmetic);

/* The number of the study's own settings with that arithmetic; -1: they are not in the file yet. */
int rl_settings_find_own(const rl_settings_list *settings, const char *arithmetic);

/* NULL: settings of that number were lost. */
const rl_declared *rl_settings_declared(const rl_settings_list *settings, int number);
void rl_settings_destroy(rl_settings_list *settings, int n_series);

/* *verdict NULL: settings of that number were lost. */
rl_status rl_settings_judge(const rl_settings_list *settings, const rl_plan *plan, int number, int series,
                            const rl_verdict **verdict);

/* Such a record says where the study's variants are in it. */
void rl_verdict_apply(const rl_verdict *verdict, rl_record *record);

/* RL_ERR_INPUT: why the journal belongs to another study, as of the verdict on the records of this number. */
rl_status rl_settings_refuse(const rl_settings_list *settings, const char *path, const rl_plan *plan, int number);

/* ---- what stands where (index.c) --------------------------------------------------------------------------------- */

/* Where some repeats of one N of a task stand. */
typedef struct rl_place {
    uint64_t record; /* where their record begins */
    int32_t i;       /* index of the N, of the task's */
    int32_t outcome; /* see rl_outcome */
    rl_range repeats;
} rl_place;

/* What there is of a task. Nearly always that is one record of all its N and repeats, all of which are well, and takes
 * no list. */
typedef struct rl_places {
    uint64_t whole; /* where that record begins; 0: there is none */
    rl_place *list; /* or else [n], by N and repeats, none of which is there twice; owned */
    int n;
    int step;       /* of the state */
    uint64_t state; /* where the record of the last state begins; 0: there is none */
} rl_places;

/* Contents are read again when they are asked for: to go on with a study, where they stand is enough. */
struct rl_journal {
    char *path;
    int fd;
    bool read_only;
    const rl_plan *plan; /* borrowed */
    rl_places *places;   /* [n_tasks] */
    rl_settings_list settings;
    bool reaches_beyond; /* some record of several repeats is of some beyond the study's too */
    int most_repeats;    /* that some series of the plan has */
    rl_verdict *unused;  /* [n_series]: the last verdict for which records of it were of no use; borrows */
    rl_text others;      /* names of groups that the study does not have, each behind a zero byte */
    uint64_t end;        /* of the file */
    uint64_t content;    /* a digest of the finished records taken, in their order */
    rl_text buffer;      /* records on their way out, which are to stand at `end` */
    atomic_bool unsynced;
    atomic_int sync_error; /* errno of a sync that failed; 0: none */
    double last_sync;
    bool is_named;           /* its name led to it when it was opened */
    pthread_mutex_t writing; /* what follows, `end`, and what is written */
    atomic_bool in_trouble;  /* nothing more is written to it */
    char trouble[RL_PATH_ROOM];
    uint64_t whole;             /* the end of the last whole record when it was opened */
    char tail[RL_JOURNAL_WORD]; /* the last bytes before it */
    struct stat output;         /* of the results file when it was opened; zero: there was none */
};

/* A record of a task stands at `offset`: those of its N that the task has are there from now on, in the place of
 * earlier ones of the same repeat. Where of several repeats some are there already, that N is not taken: it would be
 * counted twice. *noted: something of it counts. */
rl_status rl_places_note(rl_journal *journal, int64_t task, const rl_record *record, uint64_t offset, bool *noted);

/* Adds what there is of a task, as rl_journal_tally. */
void rl_places_add_to_tally(const rl_journal *journal, const rl_plan *plan, int64_t task, rl_tally *tally);

/* ---- records (record.c) ------------------------------------------------------------------------------------------ */

/* The record of a series as bytes, in the place of what is in `bytes`; and one that declares settings. */
rl_status rl_journal_build_record(const rl_series *series, int settings, const rl_record *record, rl_text *bytes);
rl_status rl_journal_build_settings(const char *text, const char *arithmetic, int number, rl_text *bytes);

/* The parts of a whole record, which are borrowed from its bytes. */
rl_record rl_journal_take_apart(const rl_record_head *head, const char *bytes);

/* A record of the file whose checksums hold; `state` is the journal. What is not in the plan is none of its business;
 * RL_ERR_INPUT when what is does not fit the study or the data. */
rl_status rl_journal_take_record(void *state, rl_reader *reader, uint64_t offset, const rl_record_head *head);

/* Takes a record's checksum, its last bytes, into journal->content. */
void rl_journal_note_content(rl_journal *journal, const char *record, size_t length);

/* ---- words (tell.c) ---------------------------------------------------------------------------------------------- */

/* Tells of what the file has that is of no use to the study. */
void rl_journal_tell(const rl_journal *journal);

/* ---- its place (place.c) ----------------------------------------------------------------------------------------- */

/* Whether the file of this name is the open one. */
bool rl_journal_has_name(const char *path, int fd);

/* Looks whether the journal is still where it was, and as long: see rl_journal_sync. Whoever calls it holds
 * journal->writing. */
void rl_journal_watch(rl_journal *journal);

/* Notes the last bytes of what is whole, journal->whole; and what is at `output`, before anything is read. */
rl_status rl_journal_note_tail(rl_journal *journal);
void rl_journal_note_output(rl_journal *journal, const char *output);

/* ---- files (journal.c) ------------------------------------------------------------------------------------------- */

/* The journal's name beside what `output` leads to, the caller's; *exists: a file of that name is there. So a results
 * file has one journal, whatever links lead to it; RL_ERR_INPUT where one lies beside the link alone. */
rl_status rl_journal_path(const char *output, char **path, bool *exists);

/* Opens it so that nothing waits, as a pipe might; *fd is the caller's where it is not -1. RL_ERR_INPUT also for what
 * is not a regular file. */
rl_status rl_journal_open_file(const char *path, int flags, int *fd);

/* RL_ERR_INPUT when another process has the file open for writing; a warning where files cannot be locked. */
rl_status rl_journal_lock(const char *path, int fd);

void rl_journal_destroy(rl_journal *journal);

#endif
