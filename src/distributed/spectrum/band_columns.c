/* Z's columns, reflected group of sweeps by group of sweeps, as they pass through the stretches of the band. */
#include <string.h>

#include "../../numbers.h"
#include "../matrix/lanes.h"
#include "band.h"
#include "reflectors.h"

/* Rows that a step of all sweeps of a group is applied to at a time: its columns stay in the cache. And by how many
 * groups a stretch's columns move on in their place before they are moved back to its beginning. */
enum { STRIP = 32, MOVES = 4 };

/* A stretch's frame of columns moves on by a group's number of columns from group to group: as many come from the
 * right, reflected there by this group, and as many leave to the left. From the first stretch they leave for good, to
 * lie where `final` says. */
typedef struct frames {
    const rl_band *band;
    int n_rows, ld, room;
    int n_groups;
    double *columns; /* [ld, room] of each stretch */
    int *base;       /* the first of these columns */
    double *leaving; /* [ld, a group], two of each stretch, on their way to the left */
    double *packed;  /* the reflectors of a step and a group */
    MPI_Request *sent;
    MPI_Request *arriving; /* of this rank's final columns, group by group */
    int n_arriving;
    rl_block_matrix final;
} frames;

/* ---- layout ------------------------------------------------------------------------------------------------------ */

rl_block_matrix rl_band_columns(const rl_band *band, int n_rows) {
    return rl_block_matrix_wide(band->grid, n_rows, band->n, band->steps * band->width);
}

rl_block_matrix rl_band_columns_after(const rl_band *band, int n_rows) {
    return rl_block_matrix_wide(band->grid, n_rows, band->n, RL_BAND_GROUP);
}

static frames lay_out_frames(const rl_band *band, int n_rows) {
    const rl_block_matrix final = rl_band_columns_after(band, n_rows);
    const int64_t room = (int64_t)band->steps * band->width + (1 + MOVES) * RL_BAND_GROUP;
    return (frames){.band = band,
                    .n_rows = n_rows,
                    .ld = final.ld,
                    .room = (int)rl_smaller(room, (int64_t)band->n),
                    .n_groups = (band->n - 1) / RL_BAND_GROUP + 1,
                    .final = final};
}

/* Where all stays in its place, no group leaves. */
static size_t group_length(const frames *f) {
    const bool stays = f->band->n_stretches == 1 && f->band->grid->size == 1;
    return stays ? 0 : (size_t)f->ld * (size_t)rl_smaller(f->band->n, RL_BAND_GROUP);
}

static void list_frames(rl_arena *arena, void *object) {
    frames *f = object;
    const size_t own = rl_band_most_own(f->band);
    RL_TAKE(arena, f->base, own);
    RL_TAKE(arena, f->columns, own * (size_t)f->room * (size_t)f->ld);
    RL_TAKE(arena, f->leaving, 2 * own * group_length(f));
    RL_TAKE(arena, f->packed, RL_BAND_GROUP / RL_REFLECTORS * rl_reflectors_length(f->band->width + RL_REFLECTORS - 1));
    RL_TAKE(arena, f->sent, 2 * own);
    RL_TAKE(arena, f->arriving, f->n_groups / f->band->grid->size + 1);
}

size_t rl_band_frames_bytes(const rl_band *band, int n_rows) {
    frames f = lay_out_frames(band, n_rows);
    return rl_arrays_bytes(&f, list_frames);
}

static double *frame_column(const frames *f, int own, int column) {
    return f->columns + ((size_t)own * (size_t)f->room + (size_t)(column - f->base[own])) * (size_t)f->ld;
}

/* The first column that a stretch has in a group, which is that column of the group's first sweep less one. */
static int first_column(const frames *f, int stretch, int group) {
    return group * RL_BAND_GROUP + stretch * f->band->steps * f->band->width;
}

/* As many columns of a group as there are, from `column` on. */
static int count_columns(const frames *f, int column) {
    const int left = f->band->n - column;
    return left < 0 ? 0 : rl_smaller(left, RL_BAND_GROUP);
}

/* Columns of a stretch, if there is one. */
static int stretch_columns(const rl_band *band, int stretch) {
    const int64_t length = (int64_t)band->steps * band->width, left = band->n - stretch * length;
    return left < 0 ? 0 : (int)rl_smaller(length, left);
}

/* Blocks of columns are dealt out in turn, stretches to and fro: on the way back, ranks change places. */
static void change_places(frames *f, const rl_block_matrix *columns, int own, MPI_Datatype column) {
    const rl_band *band = f->band;
    const int size = band->grid->size, rank = band->grid->rank, other = size - 1 - rank;
    const int leave = stretch_columns(band, own * size + rank);
    const int come = stretch_columns(band, rl_stretch_of(band, rank, own));
    const double *from = leave > 0 ? rl_at(columns, 0, own * band->steps * band->width) : f->columns;
    double *const to = come > 0 ? frame_column(f, own, f->base[own]) : f->columns;
    RL_MPI(MPI_Sendrecv(from, leave, column, other, RL_DEALT_COLUMNS, to, come, column, other, RL_DEALT_COLUMNS,
                        band->grid->comm, MPI_STATUS_IGNORE));
}

static void fill_frames(frames *f, const rl_block_matrix *columns) {
    const rl_band *band = f->band;
    MPI_Datatype column;
    RL_MPI(MPI_Type_contiguous(f->ld, MPI_DOUBLE, &column));
    RL_MPI(MPI_Type_commit(&column));
    for (int i = 0; i < band->n_own; i++) {
        f->base[i] = band->own[i].first * band->width;
        for (int k = 0; k < 2; k++) f->sent[2 * i + k] = MPI_REQUEST_NULL;
    }
    for (int i = 0; i * band->grid->size < band->n_stretches; i++)
        if (i % 2 != 0)
            change_places(f, columns, i, column);
        else if (i < band->n_own)
            memcpy(frame_column(f, i, f->base[i]), rl_at(columns, 0, i * band->steps * band->width),
                   (size_t)stretch_columns(band, band->own[i].index) * (size_t)f->ld * sizeof(double));
    RL_MPI(MPI_Type_free(&column));
}

/* ---- columns that come and go ------------------------------------------------------------------------------------ */

/* All final columns that other ranks will send to this one, each straight to its place. */
static void await_final_columns(frames *f) {
    const rl_process_grid *grid = f->band->grid;
    for (int g = grid->rank; g < f->n_groups && grid->rank > 0; g += grid->size)
        RL_MPI(MPI_Irecv(rl_at(&f->final, 0, g / grid->size * RL_BAND_GROUP),
                         count_columns(f, g * RL_BAND_GROUP) * f->ld, MPI_DOUBLE, 0, RL_LAST_COLUMNS, grid->comm,
                         &f->arriving[f->n_arriving++]));
}

static void make_room(frames *f, int own, int first, int end) {
    if (end - f->base[own] <= f->room) return;
    const int kept = f->base[own] + f->room - first;
    memmove(frame_column(f, own, f->base[own]), frame_column(f, own, first),
            (size_t)kept * (size_t)f->ld * sizeof(double));
    f->base[own] = first;
}

static double *leaving_columns(const frames *f, int own, int group) {
    return f->leaving + (size_t)(2 * own + group % 2) * group_length(f);
}

/* From the stretch on the right. */
static void take_columns(frames *f, int own, int group) {
    const rl_band *band = f->band;
    const rl_stretch *t = &band->own[own];
    const int next = first_column(f, t->index + 1, group), count = count_columns(f, next);
    if (count == 0) return;
    make_room(f, own, first_column(f, t->index, group), next + count);
    double *const to = frame_column(f, own, next);
    const int right = rl_stretch_own(band, t->index + 1);
    if (right >= 0)
        memcpy(to, leaving_columns(f, right, group), (size_t)count * (size_t)f->ld * sizeof *to);
    else
        RL_MPI(MPI_Recv(to, count * f->ld, MPI_DOUBLE, rl_stretch_rank(band, t->index + 1),
                        rl_stretch_tag(band, t->index, RL_Z_COLUMNS), band->grid->comm, MPI_STATUS_IGNORE));
}

/* To the stretch on the left, which looks there if it is of this rank, or to their last place. What the same buffer
 * sent two groups ago has been received. */
static void hand_over_columns(const frames *f, int own, int group) {
    const rl_band *band = f->band;
    const rl_process_grid *grid = band->grid;
    const rl_stretch *t = &band->own[own];
    const int first = first_column(f, t->index, group), count = count_columns(f, first) * f->ld;
    const int to = t->index > 0 ? rl_stretch_rank(band, t->index - 1) : group % grid->size;
    const int tag = t->index > 0 ? rl_stretch_tag(band, t->index - 1, RL_Z_COLUMNS) : RL_LAST_COLUMNS;
    double *const leaving = leaving_columns(f, own, group);
    MPI_Request *const sent = &f->sent[2 * own + group % 2];
    const bool is_own = to == grid->rank;
    double *const place = t->index == 0 && is_own ? rl_at(&f->final, 0, group / grid->size * RL_BAND_GROUP) : leaving;
    RL_MPI(MPI_Wait(sent, MPI_STATUS_IGNORE));
    memcpy(place, frame_column(f, own, first), (size_t)count * sizeof(double));
    if (!is_own) RL_MPI(MPI_Isend(leaving, count, MPI_DOUBLE, to, tag, grid->comm, sent));
}

/* ---- reflectors -------------------------------------------------------------------------------------------------- */

/* Columns that RL_REFLECTORS sweeps from `sweep` on reflect in a step; none when they do not have it. */
static int count_reflected(const rl_band *band, int sweep, int step) {
    const int left = band->n - (sweep + 1 + step * band->width);
    return left < 2 ? 0 : rl_smaller(left, band->width + RL_REFLECTORS - 1);
}

static double *packed_place(const frames *f, int j) {
    return f->packed + (size_t)(j / RL_REFLECTORS) * rl_reflectors_length(f->band->width + RL_REFLECTORS - 1);
}

/* One step of the sweeps [sweep, + RL_BAND_GROUP), as far as they have it. */
static void reflect_step(const frames *f, int own, int sweep, int step) {
    const rl_band *band = f->band;
    const rl_stretch *t = &band->own[own];
    const int rows = rl_whole_lanes(f->n_rows);
    for (int j = 0; j < RL_BAND_GROUP; j += RL_REFLECTORS) {
        const size_t slot = rl_stretch_slot(t, sweep + j, step);
        rl_reflectors_pack(count_reflected(band, sweep + j, step), band->width,
                           t->reflectors + slot * (size_t)band->width, t->tau + slot, packed_place(f, j));
    }
    for (int row = 0; row < rows; row += STRIP)
        for (int j = 0; j < RL_BAND_GROUP; j += RL_REFLECTORS)
            rl_reflectors_apply(rl_smaller(STRIP, rows - row), count_reflected(band, sweep + j, step),
                                frame_column(f, own, sweep + j + 1 + step * band->width) + row, f->ld,
                                packed_place(f, j), 0);
}

/* Steps further down come first: the next sweep's step k overlaps step k + 1, never the other way round. */
static void reflect_group(const frames *f, int own, int group) {
    const rl_stretch *t = &f->band->own[own];
    const int sweep = group * RL_BAND_GROUP;
    for (int k = rl_stretch_steps(f->band, t, sweep) - 1; k >= 0; k--) reflect_step(f, own, sweep, t->first + k);
}

/* In a round, each stretch is one group behind the one on its right: what is waited for was sent the round before. */
static void run_rounds(frames *f) {
    const rl_band *band = f->band;
    for (int round = 0; round < f->n_groups + band->n_stretches - 1; round++)
        for (int i = band->n_own - 1; i >= 0; i--) {
            const int index = band->own[i].index, group = round - (band->n_stretches - 1 - index);
            if (group < 0 || count_columns(f, first_column(f, index, group)) == 0) continue;
            take_columns(f, i, group);
            reflect_group(f, i, group);
            hand_over_columns(f, i, group);
        }
    RL_MPI(MPI_Waitall(2 * band->n_own, f->sent, MPI_STATUSES_IGNORE));
    RL_MPI(MPI_Waitall(f->n_arriving, f->arriving, MPI_STATUSES_IGNORE));
}

rl_status rl_band_reflect_columns(const rl_band *band, rl_block_matrix *columns) {
    frames f = lay_out_frames(band, columns->rows);
    RL_TRY(rl_process_grid_agree(band->grid, rl_arrays_create(&f, list_frames)));
    fill_frames(&f, columns);
    rl_block_matrix_destroy(columns);
    rl_status status = rl_process_grid_agree(band->grid, rl_block_matrix_allocate(&f.final));
    if (status == RL_OK) {
        await_final_columns(&f);
        run_rounds(&f);
        *columns = f.final;
    } else {
        rl_block_matrix_destroy(&f.final);
    }
    rl_free(f.base);
    return status;
}
