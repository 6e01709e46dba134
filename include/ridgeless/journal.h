/* journal: finished work on disk, as it comes. It is the truth: results files are made from it. Used by one process
 * (rank 0). Local.
 *
 * An append-only file beside the results file (its name + ".journal"; where that is a link, beside what it leads to, so
 * that a results file has one journal): a header with the study's settings
 * (rl_study_settings), then records with checksums, each written by one write(2); src/journal/README.md has the format.
 * A record says by itself what it holds: the group's name and the checksum of its rows, P (or m), repeats, the list of
 * N, and what the kind of work has put into it. So what one study began another one that asks for more repeats or other
 * N, or has other data sets, autoencoders or ablations, goes on with: of each record it takes what it asks for, and the
 * rest stays in the file. A record of several repeats is taken as a whole or not at all: one that reaches beyond the
 * study's repeats is left alone, with a warning. Records of kinds that this program does not know are passed over. Byte
 * order and sizes are the machine's and are checked on opening. */
#ifndef RIDGELESS_JOURNAL_H
#define RIDGELESS_JOURNAL_H

#include "ridgeless/plan.h"

typedef struct rl_journal rl_journal;

/* ---- opening and writing ----------------------------------------------------------------------------------------- */

/* Opens or creates the journal of `plan` for the results file `output`; records of previous runs are read, a later one
 * of one repeat in the place of an earlier one. A torn tail (killed in the middle of a write) is cut off with a
 * warning; damage before the last whole record is passed over with a warning and stays as it is. RL_ERR_INPUT: the
 * journal has numbers that this study would have other ones of (the settings that differ are in the message) or other
 * rows, is not a journal, or cannot be written. `read_only` never creates or changes it; *journal is NULL then when
 * there is none. Only one process at a time may have it open for writing (an advisory lock). The plan must outlive the
 * journal. */
rl_status rl_journal_open(const char *output, const rl_plan *plan, bool read_only, rl_journal **journal);

/* Appends a record of a task, if it holds anything. A state takes the place of earlier ones. When it returns, a killed
 * process no longer loses it; a lost node loses at most the last two seconds (rl_journal_sync). After a failure the
 * journal is only to be closed. */
rl_status rl_journal_append(rl_journal *journal, int64_t task, const rl_record *record);

/* The same in two steps, for many records at a time: what was added waits for rl_journal_write, or for as much as is
 * written in one go, and until then a killed process loses it, and nobody may ask for it. */
rl_status rl_journal_add(rl_journal *journal, int64_t task, const rl_record *record);
rl_status rl_journal_write(rl_journal *journal);

/* Makes durable what has waited for two seconds, or with `now` all there is. May be called in another thread, also
 * while this one appends, which then need not wait for the disk. A failure is that of the next append, or of closing.
 *
 * Then also looks whether the file is still where it was. A journal that was removed is written anew, with a warning;
 * where that cannot be, or it was moved or replaced, or somebody else has made it longer or shorter, that is a failure,
 * and nothing more is written. */
void rl_journal_sync(rl_journal *journal, bool now);

/* What was written and not synced begins to go to the disk, so that the next sync waits for less of it. */
void rl_journal_settle(const rl_journal *journal);

/* RL_OK, or the failure of a sync; soon told, so that nobody computes what cannot be kept. */
rl_status rl_journal_trouble(const rl_journal *journal);

/* Syncs and closes. */
rl_status rl_journal_close(rl_journal *journal);

/* Looks at the header alone of the journal beside `output`. *exists: there is one, of whatever study. RL_ERR_INPUT as
 * rl_journal_open, but for what its records are. */
rl_status rl_journal_check(const char *output, const rl_plan *plan, bool *exists);

/* Empties the journal beside `output`, whatever study it belongs to, damaged or not, and tells with rl_info what that
 * was. RL_ERR_INPUT, and nothing is touched, when there is anything there that is not ours, or another process is
 * writing. */
rl_status rl_journal_discard(const char *output);

/* ---- what there is ----------------------------------------------------------------------------------------------- */

/* In all of these `journal` may be NULL: then there is nothing. */

/* Of N i (an index of the task's): the first run of its repeats from `from` on that are not finished; false: none. */
bool rl_journal_missing(const rl_journal *journal, const rl_plan *plan, int64_t task, int i, int from,
                        rl_range *missing);

/* The outcome of N i of a task of one repeat (rl_outcome). *there false: it is missing. */
int rl_journal_outcome(const rl_journal *journal, int64_t task, int i, bool *there);

/* Whether nothing of a task is missing. */
bool rl_journal_has(const rl_journal *journal, const rl_plan *plan, int64_t task);

/* How far the last state has come of a task that is not finished; RL_FINISHED: there is none. */
int rl_journal_step(const rl_journal *journal, int64_t task);

/* What there is of series [first, end) of the plan; pieces and points: see rl_count. */
typedef struct rl_tally {
    int64_t pieces, done, begun; /* nothing missing; something missing and something there, or a state */
    int64_t points, points_done, points_missing, points_failed;
} rl_tally;
rl_tally rl_journal_tally(const rl_journal *journal, const rl_plan *plan, int first, int end);

/* Calls visit for every record of which something of the task counts, or else for its state, if there is one, in the
 * order of the file, until it fails. target[record->n]: the index, of the task's N, of each N of the record; -1: it
 * does not count. What the visitor gets is borrowed until it returns. RL_ERR_IO when a record does not read back as it
 * was written. */
typedef rl_status (*rl_record_visitor)(void *state, const rl_record *record, const int *target);
rl_status rl_journal_visit(const rl_journal *journal, int64_t task, rl_record_visitor visit, void *state);

/* The same of tasks [first, end), one after the other, reading ahead. */
typedef rl_status (*rl_task_visitor)(void *state, int64_t task, const rl_record *record, const int *target);
rl_status rl_journal_visit_tasks(const rl_journal *journal, int64_t first, int64_t end, rl_task_visitor visit,
                                 void *state);

/* Another process of the same node reads records, too. Appends to `bytes` what it opens the journal by, and opens it by
 * that to read what it is then told of: nothing else is there. RL_ERR_IO when the file is not there for it.
 * rl_journal_close closes it. */
rl_status rl_journal_describe(const rl_journal *journal, rl_text *bytes);
rl_status rl_journal_open_described(const rl_plan *plan, const char *bytes, rl_journal **journal);

/* Where the records of tasks [first, end) begin, of which each has one that holds all of it, and all is well (false:
 * not all have); and tells that to the other process's journal. */
bool rl_journal_find_whole(const rl_journal *journal, int64_t first, int64_t end, uint64_t *offsets);
void rl_journal_set_whole(rl_journal *journal, int64_t first, int64_t end, const uint64_t *offsets);

/* By what arithmetic the spectra were computed that count, and whose numbers are decided by it (rl_record): each once,
 * in the order of the plan, those of which it is not known as RL_ARITHMETIC_UNKNOWN. The list is the caller's
 * (rl_journal_uses_destroy). */
#define RL_ARITHMETIC_UNKNOWN "not known"
typedef struct rl_arithmetic_use {
    char *arithmetic; /* owned */
    int64_t points;
} rl_arithmetic_use;
typedef struct rl_arithmetic_uses {
    rl_arithmetic_use *list; /* [n]; owned */
    int n;
} rl_arithmetic_uses;
rl_status rl_journal_uses(const rl_journal *journal, rl_arithmetic_uses *uses);
void rl_journal_uses_destroy(rl_arithmetic_uses *uses);

/* What it takes in memory, in bytes: the index of a journal that has all of the plan, or of this one if that is more;
 * and a block that is read. */
double rl_journal_bytes(const rl_journal *journal, const rl_plan *plan);

/* A digest of all finished records taken, in their order; and whether the journal is open for writing, which one
 * process alone has. */
uint64_t rl_journal_content(const rl_journal *journal);
bool rl_journal_is_mine(const rl_journal *journal);

/* ---- before a results file is put in place ----------------------------------------------------------------------- */

/* RL_ERR_IO: the journal is no longer that of the output, as rl_journal_sync would find it; or, of one that is read
 * only, another file is in its place, or it was started over. */
rl_status rl_journal_check_place(rl_journal *journal);

/* Whether the file at `path` is the one, unchanged, that was at `output` before the journal was read: what is made of
 * the journal is newer then. Of other files, the one is newer that was made of a longer journal. */
bool rl_journal_had_output(const rl_journal *journal, const char *path);

/* Bytes of whole records, header included. */
int64_t rl_journal_length(const rl_journal *journal);

#endif
