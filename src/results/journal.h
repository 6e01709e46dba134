/* Private to `results`: the journal's file, from its bytes to the curves of a plan.
 *
 * The file: a header {fixed part, settings with their zero byte, checksum}, then records {head, dataset name, list of
 * N, values, checksum}. Texts and lists are padded with zeros to whole words, so that every record begins at a whole
 * word. The values are those of rl_record_layout_make for the record's own N, each of them done or failed, packed
 * (journal_pack.c): a record says by itself what it holds, whatever the study asks for when it is read. Raise
 * RL_JOURNAL_VERSION with any change of these. Records of summaries (journal_span.c) and of
 * trainings (journal_training.c) stand between them. */
#ifndef RL_RESULTS_JOURNAL_H
#define RL_RESULTS_JOURNAL_H

#include <stdatomic.h>

#include "internal.h"

enum {
    RL_JOURNAL_VERSION = 5,
    RL_JOURNAL_WORD = 8,
    RL_RECORD_MAGIC = 0x35524c52,
    RL_SPAN_MAGIC = 0x35534c52,
    RL_TRAINING_MAGIC = 0x35544c52
};

/* Where a size of a curve stands in the file. */
typedef struct rl_place {
    uint64_t record; /* where its record begins */
    int32_t index;   /* among the record's sizes */
    int32_t status;  /* rl_cell_status; RL_CELL_MISSING: nowhere */
} rl_place;

/* Where some repeats of a size of a span stand. */
typedef struct rl_span_place {
    uint64_t record; /* where its record begins */
    rl_repeats repeats;
    int32_t index;    /* among the record's sizes */
    int32_t n_failed; /* spectra */
} rl_span_place;

/* All places of a size: by their repeats, none of which is there twice. */
typedef struct rl_span_places {
    rl_span_place *list;
    int n, capacity;
} rl_span_places;

/* Where the last record or state of a training stands. */
typedef struct rl_training_place {
    uint64_t record;           /* 0: nowhere */
    rl_training_status status; /* RL_TRAINING_MISSING: a state, or nothing */
    int step;                  /* of a state */
} rl_training_place;

/* Values are read again when they are asked for: to go on with a study, where they stand is enough. */
struct rl_journal {
    char *path;
    int fd;
    bool read_only;
    const rl_plan *plan;          /* borrowed */
    rl_record_layout *layouts;    /* [n_grids] */
    rl_place **places;            /* [n_curves][n_sizes], NULL where nothing is */
    double **records;             /* [n_curves], NULL where it was not asked for */
    rl_span_places **spans;       /* [n_curves][n_sizes], NULL where nothing is; of summaries */
    bool reaches_beyond;          /* some record of a summary is of repeats beyond the study's too */
    rl_training_place *trainings; /* [n_trainings] */
    uint64_t end;                 /* of the file */
    uint64_t content;             /* a digest of all records taken, in their order */
    rl_text buffer;               /* one record on its way out */
    double *values;               /* [n_values]: those of one on its way in */
    size_t n_values;
    atomic_bool unsynced;
    atomic_int sync_error; /* errno of a sync that failed; 0: none */
    double last_sync;
};

typedef struct rl_record_head {
    uint32_t magic, n_sizes;
    uint64_t length;        /* of the whole record in bytes, checksum included */
    uint64_t data_checksum; /* of the data set's rows */
    int32_t n_features, repeat, n_variants;
    int32_t n_modes; /* kept of each size; 0: none */
    uint32_t name_length;
    uint32_t parts;    /* of rl_record_part, or-ed */
    uint32_t n_points; /* predictions kept of each size and variant; 0: none */
    int32_t n_repeats; /* from `repeat` on; 1 but for summaries */
} rl_record_head;

/* What a record has beside what all have. */
typedef enum rl_record_part {
    RL_PART_POPULATION = 1,
    RL_PART_DISTANCE = 2,
    RL_PART_DIRECTIONS = 4,
    RL_ALL_PARTS = 7
} rl_record_part;

rl_record_shape rl_record_head_shape(const rl_record_head *head);
uint32_t rl_record_parts(const rl_record_layout *layout);

/* length, rounded up to whole words. */
size_t rl_journal_padded(size_t length);
rl_status rl_journal_append_padded(rl_text *text, const void *bytes, size_t length);
rl_status rl_journal_append_checksum(rl_text *text);

/* The journal's name beside `output`, the caller's. */
rl_status rl_journal_path(const char *output, char **path);

/* A file that is not a regular one must not even be opened: a pipe would wait for ever. */
rl_status rl_journal_check_regular(const char *path, bool *exists);

/* RL_ERR_INPUT when another process has the file open for writing; a warning where files cannot be locked. */
rl_status rl_journal_lock(const char *path, int fd);

/* ---- reading by large blocks (journal_scan.c) -------------------------------------------------------------------- */

typedef struct rl_reader {
    const char *path;
    int fd;
    uint64_t size; /* of the file */
    size_t block;  /* bytes to read at least */
    char *bytes;   /* what stands in the file from `start` on; owned */
    size_t capacity, length;
    uint64_t start;
} rl_reader;

/* *bytes: `length` bytes of the file at `offset`, all of which it has; valid until the next call. */
rl_status rl_reader_get(rl_reader *reader, uint64_t offset, size_t length, const char **bytes);
void rl_reader_destroy(rl_reader *reader);

/* What a file turned out to hold behind its header. */
typedef struct rl_scanned {
    uint64_t end;        /* behind the last whole record */
    uint64_t damaged;    /* bytes before it that belong to no whole record */
    int64_t n_damaged;   /* in so many places */
    int64_t n_records;   /* of curves */
    int64_t n_trainings; /* finished */
} rl_scanned;

/* Goes through the records from `offset` on: `take` is called for each whose checksum holds, and what lies between them
 * is passed over. NULL: they are counted alone. Memory is needed for a block, and for what `take` gets from the reader.
 */
typedef rl_status (*rl_record_take)(void *state, rl_reader *reader, uint64_t offset, const rl_record_head *head);
rl_status rl_journal_scan(rl_reader *reader, uint64_t offset, rl_record_take take, void *state, rl_scanned *scanned);

/* ---- packing (journal_pack.c) ------------------------------------------------------------------------------------ */

/* Words of flags for n values. */
size_t rl_pack_flags(size_t n);

/* Packs values[n] into packed[rl_pack_flags(n) + n + 1]; returns how many words that has become. */
size_t rl_pack(const double *values, size_t n, uint64_t *packed);

/* The inverse. false when packed[length >= rl_pack_flags(n)] is of another number of values. */
bool rl_unpack(const uint64_t *packed, size_t length, size_t n, double *values);

/* One record whole again. Its checksum held, or it was written by this process: whether it still does is seen to,
 * because a file can change. RL_ERR_IO, as from rl_journal_fail_to_read, when it is not what it was. */
rl_status rl_journal_get_again(rl_reader *reader, uint64_t offset, uint32_t magic, rl_record_head *head,
                               const char **bytes);
rl_status rl_journal_fail_to_read(const rl_reader *reader, uint64_t offset);

/* Appends journal->buffer, one record, to the file. */
rl_status rl_journal_write(rl_journal *journal);

/* ---- trainings (journal_training.c) ------------------------------------------------------------------------------ */

/* Of a head with RL_TRAINING_MAGIC: whether such a record can stand in `left` bytes, and whether it is of a finished
 * training. */
bool rl_journal_training_is_plausible(const rl_record_head *head, uint64_t left);
bool rl_journal_training_is_finished(const rl_record_head *head);

/* As rl_journal_take_record, which calls it. */
rl_status rl_journal_take_training(rl_journal *journal, rl_reader *reader, uint64_t offset, const rl_record_head *head);

/* ---- header (journal_header.c) ----------------------------------------------------------------------------------- */

rl_status rl_journal_build_header(const rl_plan *plan, rl_text *header);

/* Compares the file's header with the one expected. *begun: the file is empty or ends within the header, as a process
 * killed in the middle of creating it leaves it. RL_ERR_INPUT says why it is not the study's. */
rl_status rl_journal_check_header(rl_reader *reader, const rl_text *expected, bool *begun);

/* Whether this is, or may once have become, a journal: by its first bytes alone. *settings: those of the header, the
 * caller's; NULL when it is damaged or has another format. */
rl_status rl_journal_identify(rl_reader *reader, bool *is_journal, char **settings);

/* ---- records (journal_record.c) ---------------------------------------------------------------------------------- */

/* The record of the sizes of a curve that are not missing; *n of them. */
rl_status rl_journal_build_record(const rl_journal *journal, int64_t curve, const double *record, rl_text *bytes,
                                  int *n);

/* The sizes of a curve's record that are not missing stand in the file's record at `offset`, in their order. */
rl_status rl_journal_note(rl_journal *journal, int64_t curve, const double *record, uint64_t offset);

/* Reads the values of a curve of which something is there into record, from wherever its sizes stand. */
rl_status rl_journal_read(rl_journal *journal, int64_t curve, double *record);

/* A record of the file whose checksum holds; `state` is the journal. Cells that are not in the plan are none of its
 * business; RL_ERR_INPUT when one that is does not fit the study or the data. */
rl_status rl_journal_take_record(void *state, rl_reader *reader, uint64_t offset, const rl_record_head *head);

/* RL_ERR_INPUT: a record of grid g is not what this study writes. */
rl_status rl_journal_refuse_layout(const rl_journal *journal, int g, const rl_record_head *head);

/* ---- summaries (journal_span.c) ---------------------------------------------------------------------------------- */

/* As rl_journal_append and rl_journal_tally, of one span. */
rl_status rl_journal_append_span(rl_journal *journal, int64_t curve, const double *record, size_t length);
void rl_journal_tally_span(const rl_journal *journal, const rl_plan *plan, int64_t curve, rl_tally *tally);

/* Of a head with RL_SPAN_MAGIC: whether such a record can stand in `left` bytes; bytes of it but for its summary. */
bool rl_journal_span_is_plausible(const rl_record_head *head, uint64_t left);
size_t rl_journal_span_frame(const rl_record_head *head);

/* The whole record of grid g that stands at `offset`, its head checked, of repeats that begin within the study's. */
rl_status rl_journal_note_span(rl_journal *journal, int g, const rl_record_head *head, const char *bytes,
                               uint64_t offset);
void rl_journal_destroy_spans(rl_journal *journal);

/* Takes a record's checksum, its last 8 bytes, into journal->content. */
void rl_journal_note_content(rl_journal *journal, const char *record, size_t length);

#endif
