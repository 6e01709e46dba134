/* A band matrix to bidiagonal form: bulges are chased from stretch to stretch, sweep after sweep. */
#include "band.h"

#include <math.h>
#include <string.h>

#include "../../numbers.h"
#include "reflectors.h"

/* Stretches of a rank, if there are columns enough: it idles less towards the end with many, and waits less for
 * messages with few. One step waits for messages from the right, and another one for that one. */
enum { STRETCHES = 6, FEWEST_STEPS = 4, LAST_STEPS = 2 };

/* Sweeps side by side, each LAG steps behind the one before: what they work on at a time fits the second cache. */
enum { TOGETHER = 4, LAG = 2 };

enum { TO_LEFT = 0, TO_RIGHT = 2 }; /* places of messages */

/* ---- layout ------------------------------------------------------------------------------------------------------ */

static int count_groups(const rl_band *band) {
    return rl_ceiling(band->n, RL_BAND_GROUP);
}

static int choose_steps(const rl_process_grid *grid, int n, int width) {
    const int all = rl_ceiling(n, width);
    return grid->size == 1 ? all : rl_larger(FEWEST_STEPS, all / grid->size / STRETCHES);
}

/* A stretch must be long enough that the first of them waits neither at its beginning nor at its end for a sweep of the
 * stretch beside it that waits for the last of them. */
static int choose_together(int steps) {
    enum { BOTH_ENDS = 1 + 2 * LAG };
    return rl_larger(1, rl_smaller(TOGETHER, (steps - BOTH_ENDS) / LAG));
}

rl_band rl_band_layout(const rl_process_grid *grid, int n, int width, int n_targets, bool rows_left, int steps) {
    rl_band band = {.grid = grid, .n = n, .width = width, .n_targets = n_targets, .rows_left = rows_left};
    if (steps == 0) steps = choose_steps(grid, n, width);
    band.steps = rl_larger(1, rl_smaller(steps, rl_ceiling(n, width)));
    band.n_stretches = rl_ceiling(n, band.steps * width);
    band.n_own = band.n_stretches / grid->size;
    if (rl_stretch_of(&band, grid->rank, band.n_own) < band.n_stretches) band.n_own++;
    band.together = choose_together(band.steps);
    band.room = rl_smaller(n, (band.steps + 1) * width + RL_ROWS_TOGETHER);
    return band;
}

int rl_band_steps(const rl_band *band, int sweep) {
    return sweep > band->n - 2 ? 0 : (band->n - 2 - sweep) / band->width + 1;
}

static int steps_from(const rl_band *band, int first, int sweep) {
    const int steps = rl_band_steps(band, sweep) - first;
    return steps < 0 ? 0 : rl_smaller(steps, band->steps);
}

int rl_stretch_steps(const rl_band *band, const rl_stretch *t, int sweep) {
    return steps_from(band, t->first, sweep);
}

size_t rl_stretch_slot(const rl_stretch *t, int sweep, int step) {
    return t->group[sweep / RL_BAND_GROUP] + (size_t)(step - t->first) * RL_BAND_GROUP + (size_t)sweep % RL_BAND_GROUP;
}

/* floor((b + k a) / m) summed over k = 0 ... n - 1, all at least 0. Whole multiples of m leave the sum as products; of
 * what is left, points below a line are counted by its other coordinate, as in Euclid's algorithm. */
static int64_t sum_of_floors(int64_t n, int64_t b, int64_t a, int64_t m) {
    int64_t sum = 0;
    while (n > 0) {
        sum += n * (n - 1) / 2 * (a / m) + n * (b / m);
        a %= m;
        b %= m;
        const int64_t top = b + n * a, divisor = a;
        n = top / m;
        b = top % m;
        a = m;
        m = divisor;
    }
    return sum;
}

/* Groups of sweeps that begin with at least `step` steps. */
static int64_t groups_with(const rl_band *band, int64_t step) {
    const int64_t left = band->n - 2 - (step - 1) * band->width;
    return left < 0 ? 0 : left / RL_BAND_GROUP + 1;
}

/* The steps [first, first + steps) of the first sweep of each group, as far as it has them, times the sweeps of a
 * group. */
static int64_t count_steps(const rl_band *band, int first, int64_t steps) {
    const int64_t all = groups_with(band, first + steps), some = groups_with(band, (int64_t)first + 1);
    const int64_t fewest = band->n - 2 - (some - 1) * RL_BAND_GROUP; /* sweeps after the last group's first one */
    const int64_t left = sum_of_floors(some - all, fewest, RL_BAND_GROUP, band->width) + (some - all) * (1 - first);
    return (all * steps + left) * RL_BAND_GROUP;
}

static int64_t count_slots(const rl_band *band, int stretch) {
    return count_steps(band, stretch * band->steps, band->steps);
}

/* Of the rank that has the most of them. */
static int64_t most_slots(const rl_band *band) {
    const int ranks = rl_smaller(band->grid->size, band->n_stretches);
    int64_t most = 0;
    for (int rank = 0; rank < ranks; rank++) {
        int64_t slots = 0;
        for (int own = 0; rl_stretch_of(band, rank, own) < band->n_stretches; own++)
            slots += count_slots(band, rl_stretch_of(band, rank, own));
        most = rl_larger(most, slots);
    }
    return most;
}

size_t rl_band_most_own(const rl_band *band) {
    return (size_t)rl_ceiling(band->n_stretches, band->grid->size);
}

/* From one element of a row to the next: an odd number of lines of the cache, so that a row is spread over all its sets
 * and all columns of a block begin in the same place of a line. */
static int row_stride(const rl_band *band) {
    enum { LINE = RL_ROWS_TOGETHER };
    return ((3 * band->width - 2 + LINE - 1) / LINE | 1) * LINE;
}

static size_t column_length(const rl_band *band) {
    return (size_t)row_stride(band) + 1;
}

/* With lines around them that blocks reach into. */
static size_t stretch_length(const rl_band *band) {
    return (column_length(band) * (size_t)band->room / RL_ROWS_TOGETHER + 4) * RL_ROWS_TOGETHER;
}

/* A reflector and its tau. */
static size_t reflector_length(const rl_band *band) {
    return (size_t)band->width + 1;
}

/* A column from the diagonal up, and its row of the targets; or a reflector and its tau. */
static int message_length(const rl_band *band) {
    return band->width + 1 + band->n_targets;
}

static void list_band(rl_arena *arena, void *object) {
    rl_band *band = object;
    const size_t own = rl_band_most_own(band), width = (size_t)band->width, columns = own * (size_t)band->room;
    RL_TAKE(arena, band->own, own);
    RL_TAKE(arena, band->a, own * stretch_length(band));
    RL_TAKE(arena, band->targets, columns * (size_t)band->n_targets);
    RL_TAKE(arena, band->messages, 4 * own * (size_t)message_length(band));
    RL_TAKE(arena, band->block, rl_larger(width * width, (size_t)message_length(band)));
    RL_TAKE(arena, band->other, width);
    RL_TAKE(arena, band->pending, own * (size_t)band->together * reflector_length(band));
    RL_TAKE(arena, band->next, own * (size_t)band->together);
    RL_TAKE(arena, band->blocks, rl_block_room(band->width));
    RL_TAKE(arena, band->groups, own * ((size_t)count_groups(band) + 1));
    RL_TAKE(arena, band->sent, 4 * own);
}

static void list_reflectors(rl_arena *arena, void *object) {
    rl_band *band = object;
    const size_t slots = (size_t)most_slots(band);
    RL_TAKE(arena, band->tau, rl_larger(slots, (size_t)1)); /* no array would be counted as one */
    RL_TAKE(arena, band->reflectors, slots * (size_t)band->width);
}

static void place_stretch(const rl_band *band, int own) {
    rl_stretch *t = &band->own[own];
    const size_t i = (size_t)own, columns = i * (size_t)band->room;
    t->index = rl_stretch_of(band, band->grid->rank, own);
    t->first = t->index * band->steps;
    t->base = t->first * band->width;
    /* an element's place in its line is that of its row, whatever the stretch */
    t->a = band->a + i * stretch_length(band) + RL_ROWS_TOGETHER + (t->base + 1 + 6 * band->width) % RL_ROWS_TOGETHER;
    t->next = band->next + i * (size_t)band->together;
    t->pending = band->pending + i * (size_t)band->together * reflector_length(band);
    t->targets = band->targets + columns * (size_t)band->n_targets;
    t->group = band->groups + i * ((size_t)count_groups(band) + 1);
    for (int g = 0; g < count_groups(band); g++)
        t->group[g + 1] = t->group[g] + (size_t)rl_stretch_steps(band, t, g * RL_BAND_GROUP) * RL_BAND_GROUP;
    for (size_t m = 0; m < 4; m++) {
        t->messages[m] = band->messages + (4 * i + m) * (size_t)message_length(band);
        t->sent[m] = &band->sent[4 * i + m];
        *t->sent[m] = MPI_REQUEST_NULL;
    }
}

rl_status rl_band_create(rl_band *band) {
    RL_TRY(rl_arrays_create(band, list_band));
    for (int i = 0; i < band->n_own; i++) place_stretch(band, i);
    return RL_OK;
}

/* Most of the memory, which is there no sooner than it is needed. */
static rl_status allocate_reflectors(rl_band *band) {
    size_t slots = 0;
    RL_TRY(rl_arrays_create(band, list_reflectors));
    for (int i = 0; i < band->n_own; i++) {
        band->own[i].reflectors = band->reflectors + slots * (size_t)band->width;
        band->own[i].tau = band->tau + slots;
        slots += (size_t)count_slots(band, band->own[i].index);
    }
    return RL_OK;
}

size_t rl_band_bytes(const rl_band *band) {
    rl_band copy = *band;
    return rl_arrays_bytes(&copy, list_band);
}

size_t rl_band_reflectors_bytes(const rl_band *band) {
    rl_band copy = *band;
    return rl_arrays_bytes(&copy, list_reflectors);
}

void rl_band_destroy(rl_band *band) {
    rl_free(band->own);
    rl_free(band->tau);
    band->own = NULL;
    band->tau = NULL;
}

/* ---- places and messages ----------------------------------------------------------------------------------------- */

/* Element (row, column), -width < column - row < 2 width. */
static double *element(const rl_band *band, const rl_stretch *t, int row, int column) {
    return t->a + (size_t)(column - t->base) * column_length(band) + (2 * band->width - 1 + row - column);
}

static double *target(const rl_stretch *t, int row) {
    return t->targets + (row - t->base);
}

int rl_stretch_rank(const rl_band *band, int stretch) {
    const int size = band->grid->size, place = stretch % size;
    return stretch / size % 2 == 0 ? place : size - 1 - place;
}

int rl_stretch_of(const rl_band *band, int rank, int own) {
    const int size = band->grid->size;
    return own * size + (own % 2 == 0 ? rank : size - 1 - rank);
}

int rl_stretch_tag(const rl_band *band, int stretch, rl_band_message kind) {
    return stretch / band->grid->size * RL_N_BAND_MESSAGES + (int)kind;
}

int rl_stretch_own(const rl_band *band, int stretch) {
    return rl_stretch_rank(band, stretch) == band->grid->rank ? stretch / band->grid->size : -1;
}

/* What the stretch on that side handed over in a sweep. */
static void receive(const rl_band *band, const rl_stretch *t, int from, int sweep, double *values, int n) {
    const bool is_column = from > t->index;
    const int own = rl_stretch_own(band, from), m = (is_column ? TO_LEFT : TO_RIGHT) + (sweep & 1);
    if (own >= 0)
        memcpy(values, band->own[own].messages[m], (size_t)n * sizeof *values);
    else
        RL_MPI(MPI_Recv(values, n, MPI_DOUBLE, rl_stretch_rank(band, from),
                        rl_stretch_tag(band, t->index, is_column ? RL_COLUMN : RL_REFLECTOR), band->grid->comm,
                        MPI_STATUS_IGNORE));
}

/* The message that was sent two sweeps ago from the same place has been received by now, or will be without us. */
static double *place_of_message(const rl_stretch *t, int side, int sweep) {
    const int m = side + (sweep & 1);
    RL_MPI(MPI_Wait(t->sent[m], MPI_STATUS_IGNORE));
    return t->messages[m];
}

/* A stretch of this rank looks there. */
static void send(const rl_band *band, const rl_stretch *t, int side, int sweep, int n) {
    const int m = side + (sweep & 1), to = side == TO_LEFT ? t->index - 1 : t->index + 1;
    if (rl_stretch_own(band, to) >= 0) return;
    RL_MPI(MPI_Isend(t->messages[m], n, MPI_DOUBLE, rl_stretch_rank(band, to),
                     rl_stretch_tag(band, to, side == TO_LEFT ? RL_COLUMN : RL_REFLECTOR), band->grid->comm,
                     t->sent[m]));
}

/* ---- the band from a matrix -------------------------------------------------------------------------------------- */

static void pack_block(const rl_block_matrix *m, int row, int column, int rows, int columns, double *block) {
    const rl_share share = rl_share_of(m, row, column, rows, columns);
    for (int j = 0; j < columns; j++)
        memcpy(block + (size_t)j * (size_t)rows, rl_at(m, share.row, share.column + j), (size_t)rows * sizeof *block);
}

static void place_block(const rl_band *band, int row, int column, int rows, int columns, const double *block) {
    const rl_stretch *t = &band->own[rl_stretch_own(band, column / band->width / band->steps)];
    for (int j = 0; j < columns; j++)
        for (int i = 0; i < rows; i++)
            if (row == column ? i <= j : i >= j)
                *element(band, t, row + i, column + j) = block[(size_t)j * (size_t)rows + (size_t)i];
}

/* Block (i, j) from its rank to that of its stretch. All ranks go through all blocks in the same order. */
static void move_block(const rl_band *band, const rl_block_matrix *m, int i, int j) {
    const rl_process_grid *grid = band->grid;
    const int row = i * band->width, column = j * band->width;
    const int rows = rl_smaller(band->width, band->n - row), columns = rl_smaller(band->width, band->n - column);
    const int from = i % grid->n_rows * grid->n_columns + j % grid->n_columns;
    const int to = rl_stretch_rank(band, j / band->steps);
    if (grid->rank == from) pack_block(m, row, column, rows, columns, band->block);
    if (from != to && grid->rank == from)
        RL_MPI(MPI_Send(band->block, rows * columns, MPI_DOUBLE, to, RL_BAND_BLOCK, grid->comm));
    if (from != to && grid->rank == to)
        RL_MPI(MPI_Recv(band->block, rows * columns, MPI_DOUBLE, from, RL_BAND_BLOCK, grid->comm, MPI_STATUS_IGNORE));
    if (grid->rank == to) place_block(band, row, column, rows, columns, band->block);
}

rl_status rl_band_take(rl_band *band, const rl_block_matrix *m) {
    for (int j = 0; j * band->width < band->n; j++) {
        move_block(band, m, j, j);
        if (j > 0) move_block(band, m, j - 1, j);
    }
    return RL_OK;
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static void copy_strided(int length, const double *x, int stride, double *to) {
    for (int i = 0; i < length; i++) to[i] = x[(size_t)i * (size_t)stride];
}

static void set_reflected(int length, double *x, int stride, double first) {
    for (int i = 0; i < length; i++) x[(size_t)i * (size_t)stride] = i == 0 ? first : 0;
}

/* The end of the columns that a stretch has in a sweep. */
static int end_of_columns(const rl_band *band, const rl_stretch *t, int sweep) {
    return rl_smaller(band->n, sweep + 1 + (t->first + band->steps) * band->width);
}

/* The last step's reflector from the left is for columns of the next stretch too, if there are any. */
static void hand_over_reflector(const rl_band *band, const rl_stretch *t, int sweep, const double *v, double tau) {
    if (end_of_columns(band, t, sweep) == band->n) return;
    double *message = place_of_message(t, TO_RIGHT, sweep);
    memcpy(message, v, (size_t)band->width * sizeof *v);
    message[band->width] = tau;
    send(band, t, TO_RIGHT, sweep, band->width + 1);
}

/* The first step of a sweep: from the right the row's elements beyond its second one are made zero. */
static double reflect_row(const rl_band *band, const rl_stretch *t, int sweep, int length, double *right) {
    double first, *const x = element(band, t, sweep, sweep + 1);
    copy_strided(length, x, row_stride(band), right);
    const double tau = rl_reflector_make(length, right, &first);
    set_reflected(length, x, row_stride(band), first);
    return tau;
}

static double *pending_reflector(const rl_band *band, const rl_stretch *t, int sweep) {
    return t->pending + (size_t)(sweep % band->together) * reflector_length(band);
}

static void reflect_targets(const rl_band *band, const rl_stretch *t, int begin, int length, const double *v,
                            double tau) {
    rl_reflect_left(length, band->n_targets, target(t, begin), band->room, v, tau);
}

/* From the right what the step before has spilled beyond the band is made zero in its first row, from the left what is
 * then below the diagonal in the first column. The reflector from the left is applied to what is right of these columns
 * by the next step, with that one's from the right. */
static void chase_step(const rl_band *band, rl_stretch *t, int sweep, int step) {
    const int width = band->width, begin = sweep + 1 + step * width, length = rl_smaller(width, band->n - begin);
    const size_t slot = rl_stretch_slot(t, sweep, step);
    double *const waiting = t->reflectors + slot * (size_t)width, *const pending = pending_reflector(band, t, sweep);
    double *const right = band->rows_left ? band->other : waiting;
    const rl_block above = {width, length, element(band, t, begin - width, begin), row_stride(band), 0};
    const rl_block diagonal = {length, length, element(band, t, begin, begin), row_stride(band), 0};
    const double tau_right = step == 0 ? reflect_row(band, t, sweep, length, right)
                                       : rl_block_reflect_above(&above, pending, pending[width], right, band->blocks);
    const double tau_left = rl_block_reflect_diagonal(&diagonal, right, tau_right, pending, band->blocks);
    pending[width] = tau_left;
    t->tau[slot] = band->rows_left ? tau_left : tau_right;
    if (band->rows_left) {
        memcpy(waiting, pending, (size_t)length * sizeof *pending);
        reflect_targets(band, t, begin, length, right, tau_right);
    } else {
        reflect_targets(band, t, begin, length, pending, tau_left);
    }
    if (step == t->first + band->steps - 1) hand_over_reflector(band, t, sweep, pending, tau_left);
}

/* The next steps of the sweep, as far as it has them, before step `end` of the stretch. */
static void chase_to(const rl_band *band, rl_stretch *t, int sweep, int end) {
    int *const next = &t->next[sweep % band->together];
    const int last = rl_smaller(end, rl_stretch_steps(band, t, sweep));
    for (; *next < last; ++*next) chase_step(band, t, sweep, t->first + *next);
}

/* Sweeps first ... last, side by side, until the first one is before step `end` of the stretch. */
static void chase_together(const rl_band *band, rl_stretch *t, int first, int last, int end) {
    for (int step = t->next[first % band->together]; step < end; step++)
        for (int sweep = first; sweep <= last; sweep++) chase_to(band, t, sweep, step + 1 - LAG * (sweep - first));
}

/* ---- a sweep at a stretch ---------------------------------------------------------------------------------------- */

/* What is made of the band; used on the rank of the first stretch alone. */
typedef struct outcome {
    double *d, *e, *targets;
} outcome;

static void store_column(const rl_band *band, const rl_stretch *t, int column, const outcome *to) {
    to->d[column] = *element(band, t, column, column);
    if (column > 0) to->e[column - 1] = *element(band, t, column - 1, column);
    for (int k = 0; k < band->n_targets; k++)
        to->targets[(size_t)k * (size_t)band->n + (size_t)column] = target(t, column)[(size_t)k * (size_t)band->room];
}

/* The first column of a stretch has its last values of a sweep, or before the first sweep (-1) its first ones: it goes
 * to the left. Its elements are those from `width` above the diagonal to the diagonal. */
static void hand_over_column(const rl_band *band, const rl_stretch *t, int sweep, const outcome *to) {
    const int width = band->width, column = sweep + 1 + t->first * width;
    if (t->index == 0) {
        store_column(band, t, column, to);
        return;
    }
    double *message = place_of_message(t, TO_LEFT, sweep);
    memcpy(message, element(band, t, column - width, column), ((size_t)width + 1) * sizeof *message);
    copy_strided(band->n_targets, target(t, column), band->room, message + width + 1);
    send(band, t, TO_LEFT, sweep, message_length(band));
}

/* Columns before `base` are gone: those from there on move to the front, and keep their places in lines. */
static void move_on(const rl_band *band, rl_stretch *t, int base) {
    const size_t by = (size_t)(base - t->base) / RL_ROWS_TOGETHER * RL_ROWS_TOGETHER, kept = (size_t)band->room - by,
                 length = column_length(band);
    memmove(t->a, t->a + by * length, kept * length * sizeof *t->a);
    for (size_t k = 0; k < (size_t)band->n_targets; k++)
        memmove(t->targets + k * (size_t)band->room, t->targets + k * (size_t)band->room + by, kept * sizeof *t->a);
    t->base += (int)by;
}

/* The column that the stretch on the right handed over in the sweep before becomes the last one here. */
static void take_column(const rl_band *band, rl_stretch *t, int sweep) {
    const int width = band->width, column = end_of_columns(band, t, sweep) - 1;
    if (column != sweep + (t->first + band->steps) * width) return; /* the matrix ends here */
    if (column - t->base >= band->room) move_on(band, t, sweep + 1 + t->first * width);
    receive(band, t, t->index + 1, sweep - 1, band->block, message_length(band));
    memset(element(band, t, column - 2 * width + 1, column), 0, column_length(band) * sizeof *t->a);
    memcpy(element(band, t, column - width, column), band->block, ((size_t)width + 1) * sizeof *t->a);
    for (int k = 0; k < band->n_targets; k++)
        target(t, column)[(size_t)k * (size_t)band->room] = band->block[width + 1 + k];
}

/* The last step of the stretch on the left has changed the rows above the first step's. */
static void take_reflector(const rl_band *band, const rl_stretch *t, int sweep) {
    if (t->index > 0) receive(band, t, t->index - 1, sweep, pending_reflector(band, t, sweep), band->width + 1);
}

/* Steps that the columns on the right of this stretch have no part in. */
static int count_free_steps(const rl_band *band) {
    return band->n_stretches == 1 ? band->steps : band->steps - LAST_STEPS;
}

/* The first step, and as much of the sweeps side by side as the next one waits for. */
static void begin_sweep(const rl_band *band, rl_stretch *t, int sweep, const outcome *to) {
    const int before = sweep % band->together;
    t->next[before] = 0;
    take_reflector(band, t, sweep);
    chase_to(band, t, sweep, 1);
    hand_over_column(band, t, sweep, to);
    chase_together(band, t, sweep - before, sweep, rl_smaller(LAG * (before + 1) + 1, count_free_steps(band)));
}

/* What is left, side by side with the sweeps after it. */
static void end_sweep(const rl_band *band, rl_stretch *t, int sweep) {
    const int last = sweep + band->together - 1 - sweep % band->together;
    chase_together(band, t, sweep, last, count_free_steps(band));
    take_column(band, t, sweep);
    chase_to(band, t, sweep, band->steps);
}

/* In a round, a stretch begins a sweep and ends the one that was begun `together` - 1 rounds before, which the stretch
 * on its right begins in the next round. A message of the first half is for the second half, one of the second half for
 * the next round: whatever a rank waits for has been sent before the wait, in this order, and nobody waits in a
 * circle. */
static void run_rounds(const rl_band *band, const outcome *to) {
    const int rounds = band->n - 1 + band->n_stretches * band->together;
    for (int i = 0; i < band->n_own; i++) hand_over_column(band, &band->own[i], -1, to);
    for (int round = 0; round < rounds; round++)
        for (int half = 0; half < 2; half++)
            for (int i = 0; i < band->n_own; i++) {
                rl_stretch *t = &band->own[i];
                const int sweep = round - t->index * band->together - (half == 0 ? 0 : band->together - 1);
                if (sweep < 0 || rl_stretch_steps(band, t, sweep) == 0) continue;
                if (half == 0)
                    begin_sweep(band, t, sweep, to);
                else
                    end_sweep(band, t, sweep);
            }
    RL_MPI(MPI_Waitall(4 * band->n_own, band->sent, MPI_STATUSES_IGNORE));
}

static void take_targets(const rl_band *band, const double *targets) {
    for (int i = 0; i < band->n_own; i++) {
        const rl_stretch *t = &band->own[i];
        const int count = rl_smaller(band->steps * band->width, band->n - t->base);
        for (size_t k = 0; k < (size_t)band->n_targets; k++)
            memcpy(t->targets + k * (size_t)band->room, targets + k * (size_t)band->n + (size_t)t->base,
                   (size_t)count * sizeof *targets);
    }
}

rl_status rl_band_to_bidiagonal(rl_band *band, double *d, double *e, double *targets) {
    const outcome to = {d, e, targets};
    const MPI_Comm comm = band->grid->comm;
    RL_TRY(rl_process_grid_agree(band->grid, allocate_reflectors(band)));
    take_targets(band, targets);
    run_rounds(band, &to);
    RL_MPI(MPI_Bcast(d, band->n, MPI_DOUBLE, 0, comm));
    RL_MPI(MPI_Bcast(e, band->n - 1, MPI_DOUBLE, 0, comm));
    for (int k = 0; k < band->n_targets; k++)
        RL_MPI(MPI_Bcast(targets + (size_t)k * (size_t)band->n, band->n, MPI_DOUBLE, 0, comm));
    return RL_OK;
}

/* ---- needs ------------------------------------------------------------------------------------------------------- */

/* The steps of all sweeps, on the rank that has the most and on all ranks. */
static void count_all_steps(const rl_band *band, double *own, double *all) {
    *own = (double)most_slots(band);
    *all = (double)count_steps(band, 0, (int64_t)band->n_stretches * band->steps);
}

/* A sweep's two messages are on their way together with those of the rank's other stretches: as long as one of them
 * takes, the rank waits for the first of all, and is busy for half as long with each. Columns of Z are waited for once
 * in a group, and before the first of them reach the first stretch a group goes through all others. */
static void tell_messages(const rl_band *band, int n_rows, double steps, rl_needs *needs) {
    const rl_part part = RL_PART_DIAGONALIZE;
    const double n = band->n, width = band->width, rows = n_rows, word = sizeof(double), sweeps = steps / band->steps;
    const double numbers = 2 * width + 3 + band->n_targets + rows;
    const int back = band->n_stretches / band->grid->size / 2; /* stretches whose columns change places */
    if (needs->ranks == 1) return;
    rl_needs_work(needs, RL_PART_PROJECT, RL_WORK_MESSAGES, 2 * n / width);
    rl_needs_work(needs, RL_PART_PROJECT, RL_WORK_MESSAGE_BYTES, 2 * n * width * word);
    rl_needs_work(needs, part, RL_WORK_BAND_ROTATIONS, 2 * n * RL_BAND_GROUP * rows);
    rl_needs_work(needs, part, RL_WORK_MESSAGES, back);
    rl_needs_work(needs, part, RL_WORK_MESSAGE_BYTES, 2 * back * band->steps * width * rows * word);
    rl_needs_work(needs, part, RL_WORK_MESSAGES, fmin(n, sweeps) + sweeps * (1 + 1.0 / RL_BAND_GROUP));
    rl_needs_work(needs, part, RL_WORK_MESSAGE_BYTES, 2 * sweeps * numbers * word);
    rl_needs_work(needs, part, RL_WORK_MESSAGE_BYTES, rl_hops(needs) * n * (2 + band->n_targets) * word);
}

/* All steps together are n^2 / (2 width), each 16 width^2 flops and 4 width for each row. */
void rl_band_work_needs(const rl_band *band, int n_rows, rl_needs *needs) {
    const double n_sq = (double)band->n * band->n, width = band->width, reflected = n_rows + band->n_targets;
    double own, all;
    count_all_steps(band, &own, &all);
    if (all == 0) return;
    rl_needs_flops(needs, RL_PART_DIAGONALIZE, n_sq * 8 * width, INFINITY);
    /* RL_BAND_GROUP sweeps at a time, four flops each, for a number that is read and written */
    rl_needs_flops(needs, RL_PART_DIAGONALIZE, n_sq * 2 * reflected, 4.0 * RL_BAND_GROUP / (2 * sizeof(double)));
    rl_needs_work(needs, RL_PART_DIAGONALIZE, RL_WORK_BAND, n_sq * width * own / all);
    rl_needs_work(needs, RL_PART_DIAGONALIZE, RL_WORK_BAND_ROTATIONS, n_sq * reflected * own / all);
    tell_messages(band, n_rows, own, needs);
}
