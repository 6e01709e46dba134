/* `bench layout SIZE`: which rank owns which block of a matrix on a process grid, drawn in characters; how much each
 * rank has, of all and of the last half of rows and columns, which reductions and factorizations come to last. Nothing
 * is computed, so the grid may be of any shape, whatever ranks there are. */
#include <stdio.h>

#include "cli.h"
#include "ridgeless/distributed.h"

/* Of blocks each way, and of ranks: more are not drawn or listed for people. Programs get all ranks up to MOST_RANKS.
 */
enum { DRAWN_BLOCKS = 24, LISTED_RANKS = 16, MOST_RANKS = 4096 };

typedef struct bench_layout {
    int rows, columns, block;
    rl_grid_shape grid;
    int drawn_rows, drawn_columns; /* blocks */
} bench_layout;

static int owned_rows(const bench_layout *b, int rank, rl_range rows) {
    return rl_owned_lines(b->grid.rows, b->block, rank / b->grid.columns, rows.first, rows.n);
}

static int owned_columns(const bench_layout *b, int rank, rl_range columns) {
    return rl_owned_lines(b->grid.columns, b->block, rank % b->grid.columns, columns.first, columns.n);
}

static int64_t owned_entries(const bench_layout *b, int rank, rl_range rows, rl_range columns) {
    return (int64_t)owned_rows(b, rank, rows) * owned_columns(b, rank, columns);
}

static rl_range all_of(int n) {
    return (rl_range){0, n};
}

static rl_range last_half(int n) {
    return (rl_range){n / 2, n - n / 2};
}

/* The most entries of a rank over their mean. */
static double imbalance(const bench_layout *b, rl_range rows, rl_range columns) {
    int64_t most = 0;
    const int ranks = b->grid.rows * b->grid.columns;
    for (int rank = 0; rank < ranks; rank++) {
        const int64_t entries = owned_entries(b, rank, rows, columns);
        most = entries > most ? entries : most;
    }
    return (double)most * ranks / ((double)rows.n * columns.n);
}

/* ---- for people -------------------------------------------------------------------------------------------------- */

static int digits_of(int n) {
    return snprintf(NULL, 0, "%d", n);
}

/* "8-15" of the lines of a block, or "7" where it is one line. */
static const char *lines_text(int first, int block, int n, char text[32]) {
    const int last = first + block < n ? first + block - 1 : n - 1;
    if (last > first)
        snprintf(text, 32, "%d-%d", first, last);
    else
        snprintf(text, 32, "%d", first);
    return text;
}

static void draw_blocks(const bench_layout *b) {
    char text[32];
    const int left = 2 * digits_of(b->rows) + 1, width = digits_of(b->grid.rows * b->grid.columns - 1) + 1;
    printf("%*s  rank that owns the block\n", left, "rows");
    for (int i = 0; i < b->drawn_rows; i++) {
        printf("%*s  ", left, lines_text(i * b->block, b->block, b->rows, text));
        for (int j = 0; j < b->drawn_columns; j++) printf("%*d", width, rl_block_owner(b->grid, i, j));
        printf("%s\n", b->drawn_columns < (b->columns - 1) / b->block + 1 ? " ..." : "");
    }
    if (b->drawn_rows < (b->rows - 1) / b->block + 1) printf("%*s\n", left, "...");
}

static void list_ranks(const bench_layout *b) {
    const int ranks = b->grid.rows * b->grid.columns, listed = ranks < LISTED_RANKS ? ranks : LISTED_RANKS;
    printf("\n%6s %9s %8s %9s %14s %14s\n", "rank", "in grid", "rows", "columns", "entries", "of last half");
    for (int rank = 0; rank < listed; rank++) {
        char at[32], entries[32], last[32];
        const int row = rank / b->grid.columns, column = rank % b->grid.columns;
        snprintf(at, sizeof at, "(%d, %d)", row, column);
        printf("%6d %9s %8d %9d %14s %14s\n", rank, at, owned_rows(b, rank, all_of(b->rows)),
               owned_columns(b, rank, all_of(b->columns)),
               rl_count_text(owned_entries(b, rank, all_of(b->rows), all_of(b->columns)), entries),
               rl_count_text(owned_entries(b, rank, last_half(b->rows), last_half(b->columns)), last));
    }
    if (listed < ranks) printf("%6s (%d more)\n", "...", ranks - listed);
}

static void print_layout(const bench_layout *b) {
    const int ranks = b->grid.rows * b->grid.columns;
    printf("%d x %d in blocks of %d on a process grid of %d x %d, %d rank%s\n\n", b->rows, b->columns, b->block,
           b->grid.rows, b->grid.columns, ranks, rl_plural(ranks));
    draw_blocks(b);
    list_ranks(b);
    printf(
        "\nload imbalance: %.2f of all entries, %.2f of the last half of rows and columns, to which reductions come "
        "last\n"
        "(the most that a rank has over the mean; 1 is perfect)\n",
        imbalance(b, all_of(b->rows), all_of(b->columns)), imbalance(b, last_half(b->rows), last_half(b->columns)));
}

/* ---- for programs ------------------------------------------------------------------------------------------------ */

static json_t *owners_json(const bench_layout *b) {
    json_t *list = json_array();
    for (int i = 0; i < b->drawn_rows; i++) {
        json_t *row = json_array();
        for (int j = 0; j < b->drawn_columns; j++)
            json_array_append_new(row, json_integer(rl_block_owner(b->grid, i, j)));
        json_array_append_new(list, row);
    }
    return list;
}

static json_t *rank_json(const bench_layout *b, int rank) {
    const int row = rank / b->grid.columns, column = rank % b->grid.columns;
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:I, s:I}", "rank", rank, "grid_row", row, "grid_column", column,
                     "rows", owned_rows(b, rank, all_of(b->rows)), "columns",
                     owned_columns(b, rank, all_of(b->columns)), "entries",
                     owned_entries(b, rank, all_of(b->rows), all_of(b->columns)), "entries_of_last_half",
                     owned_entries(b, rank, last_half(b->rows), last_half(b->columns)));
}

static rl_status print_json(const bench_layout *b) {
    const int n_ranks = b->grid.rows * b->grid.columns;
    json_t *ranks = json_array();
    for (int rank = 0; rank < n_ranks; rank++) json_array_append_new(ranks, rank_json(b, rank));
    return rl_print_json(json_pack(
        "{s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f, s:o, s:o}", "rows", b->rows, "columns", b->columns, "block", b->block,
        "ranks", n_ranks, "grid_rows", b->grid.rows, "grid_columns", b->grid.columns, "load_imbalance",
        imbalance(b, all_of(b->rows), all_of(b->columns)), "load_imbalance_of_last_half",
        imbalance(b, last_half(b->rows), last_half(b->columns)), "owners", owners_json(b), "of_ranks", ranks));
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static int fewer(int a, int b) {
    return a < b ? a : b;
}

rl_status rl_bench_layout(const rl_settings *settings, const rl_context *context) {
    bench_layout b = {.block = settings->block, .grid = settings->grid};
    RL_TRY(rl_bench_size(settings, &b.rows, &b.columns));
    if (b.grid.rows == 0) rl_process_grid_shape(context->size, &b.grid.rows, &b.grid.columns);
    if ((int64_t)b.grid.rows * b.grid.columns > MOST_RANKS)
        return rl_fail(RL_ERR_INPUT, "--grid: got %dx%d; expected at most %d ranks", b.grid.rows, b.grid.columns,
                       MOST_RANKS);
    b.drawn_rows = fewer((b.rows - 1) / b.block + 1, DRAWN_BLOCKS);
    b.drawn_columns = fewer((b.columns - 1) / b.block + 1, DRAWN_BLOCKS);
    if (context->rank != 0) return RL_OK;
    if (settings->json) return print_json(&b);
    print_layout(&b);
    return RL_OK;
}
