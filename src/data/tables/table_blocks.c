/* Tables in NetCDF files that are read in blocks of rows. */
#include "table_blocks.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../numbers.h"

/* An open part of a table. */
typedef struct part {
    rl_nc_variable v;
    int without;     /* the column that is left out; -1: none */
    size_t first, n; /* its features among those of the table */
    size_t height;   /* rows to read at a time */
} part;

struct rl_table_blocks {
    rl_nc file;
    size_t n_rows, n_features; /* rows: of the file */
    rl_missing marks;
    part *parts;
    int n_parts, height;
    double *room; /* [n_room]: for parts that do not lie in the file as in the table; NULL: there is none */
    size_t n_room;
    bool intercept; /* rows that are given out begin with a 1, which is not among the n_features */
};

static rl_status fail_changed(rl_status blame, const char *path) {
    return rl_fail(blame, "%s: has changed since the table was loaded", path);
}

/* ---- the layout as a text ---------------------------------------------------------------------------------------- */

/* First the number of missing values, -1 where the study names none, and these; then the number of parts. Of each part:
 * the dimension of the rows, the column that is left out, the length of the variable's path, and the path. */

rl_status rl_table_layout_write(const rl_table_part *parts, int n, const rl_missing *marks, rl_dataset *dataset) {
    rl_text text = RL_TEXT_EMPTY;
    rl_status status = rl_text_append(&text, "%d", marks != NULL ? marks->n_numbers : -1);
    for (int i = 0; marks != NULL && i < marks->n_numbers && status == RL_OK; i++)
        status = rl_text_append(&text, " %.17g", marks->numbers[i]);
    if (status == RL_OK) status = rl_text_append(&text, " %d", n);
    for (int i = 0; i < n && status == RL_OK; i++) {
        const rl_nc_variable *v = parts[i].variable;
        status = rl_text_append(&text, " %d %d %zu %s", v->rows, parts[i].without, strlen(v->path), v->path);
    }
    dataset->file.layout = text.bytes;
    return status;
}

/* The text is our own: all numbers are there. It may be long, and sscanf would look for its end each time. */
static long long take_integer(const char **text) {
    char *end;
    const long long value = strtoll(*text, &end, 10);
    assert(end != *text);
    *text = end;
    return value;
}

static double take_real(const char **text) {
    char *end;
    const double value = strtod(*text, &end);
    assert(end != *text);
    *text = end;
    return value;
}

static rl_status read_marks(const char **text, bool *given, rl_missing *marks) {
    const int n = (int)take_integer(text);
    *given = n >= 0;
    if (n > 0) RL_TRY(RL_ALLOC(marks->numbers, n));
    for (; marks->n_numbers < n; marks->n_numbers++) marks->numbers[marks->n_numbers] = take_real(text);
    return RL_OK;
}

/* Finds a variable again by its path. */
static rl_status find_variable(const rl_nc *file, const char *path, rl_nc_variable *v) {
    const char *slash = strrchr(path, '/');
    int group = file->id, id;
    rl_text folder = RL_TEXT_EMPTY;
    if (slash != NULL) {
        RL_TRY(rl_text_append(&folder, "/%.*s", (int)(slash - path), path));
        const int code = nc_inq_grp_full_ncid(file->id, folder.bytes, &group);
        rl_free(folder.bytes);
        if (code != NC_NOERR) return fail_changed(file->blame, file->path);
    }
    if (nc_inq_varid(group, slash != NULL ? slash + 1 : path, &id) != NC_NOERR)
        return fail_changed(file->blame, file->path);
    return rl_nc_variable_inquire(file, group, id, path, v);
}

static rl_status open_part(rl_table_blocks *b, const char **text, const rl_missing *marks, part *p) {
    const int rows = (int)take_integer(text);
    p->without = (int)take_integer(text);
    const size_t n = (size_t)take_integer(text);
    char *path;
    RL_TRY(RL_ALLOC(path, n + 1));
    memcpy(path, *text + 1, n); /* behind a blank */
    *text += n + 1;
    p->v.path = path; /* owned, whatever follows */
    RL_TRY(find_variable(&b->file, path, &p->v));
    p->v.rows = rows;
    p->first = b->n_features;
    p->n = rl_nc_variable_width(&p->v) - (p->without >= 0 ? 1 : 0);
    b->n_features += p->n;
    if (p->v.n_dimensions < 1 || p->v.n_dimensions > 2 || p->v.length[rows] != b->n_rows)
        return fail_changed(b->file.blame, b->file.path);
    return rl_nc_variable_decode(&b->file, marks, &p->v);
}

/* ---- how much at a time ------------------------------------------------------------------------------------------ */

/* Whether its features lie in the file as in the table. */
static bool is_direct(const rl_table_blocks *b, const part *p) {
    return p->n == b->n_features && p->without < 0 && (p->v.rows == 0 || p->n == 1);
}

static size_t rows_in(const rl_table_blocks *b, size_t bytes, size_t width) {
    return rl_smaller(rl_larger(bytes / (width * sizeof(double)), (size_t)1), b->n_rows);
}

/* The rows and columns of a chunk; *chunked is false where there are none. */
static rl_status inquire_chunk(const rl_table_blocks *b, const part *p, bool *chunked, size_t *rows, size_t *columns) {
    size_t chunk[2] = {1, 1};
    int storage;
    RL_NC(&b->file, nc_inq_var_chunking(p->v.group, p->v.id, &storage, chunk));
    *chunked = storage == NC_CHUNKED;
    *rows = chunk[p->v.rows];
    *columns = chunk[1 - p->v.rows];
    return RL_OK;
}

/* The library reads a chunk of a compressed variable as a whole. So slabs are made of whole chunks. Where chunks are
 * higher than a slab, they stay in the library's cache for the next slab, unless that takes too much memory: then they
 * are read again. */
static rl_status fit_to_chunks(const rl_table_blocks *b, part *p, size_t slab_bytes, size_t *height) {
    enum { SLABS_OF_CACHE = 8, SLOTS_PER_CHUNK = 10 };
    const float preemption = 0; /* least recently used first; HDF5 1.10 exceeds the cache's size at 1 */
    size_t rows = 1, columns = 1, value_bytes = 0;
    bool chunked = false;
    RL_TRY(inquire_chunk(b, p, &chunked, &rows, &columns));
    if (!chunked) return RL_OK;
    if (rows <= *height) {
        *height -= *height % rows;
        return RL_OK;
    }
    RL_NC(&b->file, nc_inq_type(p->v.group, p->v.type, NULL, &value_bytes));
    const size_t kept = (rl_nc_variable_width(&p->v) - 1) / columns + 2; /* chunks of a slab, and one more */
    const double bytes = (double)kept * (double)rows * (double)columns * (double)value_bytes;
    if (bytes * b->n_parts > SLABS_OF_CACHE * (double)slab_bytes) return RL_OK;
    RL_NC(&b->file, nc_set_var_chunk_cache(p->v.group, p->v.id, (size_t)bytes, kept * SLOTS_PER_CHUNK, preemption));
    return RL_OK;
}

/* The first part says how high a block is. Parts that are copied into the table are read as far as there is room for:
 * as many bytes as a block has. */
static rl_status choose_heights(rl_table_blocks *b, size_t slab_bytes) {
    size_t height = rows_in(b, slab_bytes, b->n_features);
    RL_TRY(fit_to_chunks(b, &b->parts[0], slab_bytes, &height));
    b->height = (int)height;
    for (int i = 0; i < b->n_parts; i++) {
        part *p = &b->parts[i];
        const size_t width = rl_nc_variable_width(&p->v);
        p->height = is_direct(b, p) ? height : rows_in(b, slab_bytes, width);
        if (is_direct(b, p)) continue;
        RL_TRY(fit_to_chunks(b, p, slab_bytes, &p->height));
        b->n_room = rl_larger(b->n_room, p->height * width);
    }
    return b->n_room > 0 ? RL_ALLOC(b->room, b->n_room) : RL_OK;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static rl_status open_parts(rl_table_blocks *b, const rl_dataset *dataset) {
    const char *text = dataset->file.layout;
    bool marked;
    RL_TRY(read_marks(&text, &marked, &b->marks));
    const int n = (int)take_integer(&text);
    RL_TRY(RL_ALLOC(b->parts, n));
    while (b->n_parts < n) RL_TRY(open_part(b, &text, marked ? &b->marks : NULL, &b->parts[b->n_parts++]));
    b->intercept = dataset->intercept;
    if (b->n_features != (size_t)(dataset->n_features - dataset->intercept))
        return fail_changed(b->file.blame, b->file.path);
    return choose_heights(b, dataset->file.slab_bytes);
}

rl_status rl_table_blocks_open_as(const rl_dataset *dataset, rl_status blame, rl_table_blocks **blocks) {
    rl_table_blocks *b;
    *blocks = NULL;
    RL_TRY(RL_ALLOC(b, 1));
    rl_status status = rl_nc_open_table(dataset->file.path, blame, &b->file);
    if (status != RL_OK) {
        rl_free(b);
        return status;
    }
    b->n_rows = (size_t)dataset->n_rows + (size_t)dataset->n_dropped;
    status = open_parts(b, dataset);
    if (status == RL_OK)
        *blocks = b;
    else
        rl_table_blocks_close(b);
    return status;
}

static rl_status check_unchanged(const rl_table_file *file) {
    struct stat now;
    if (stat(file->path, &now) != 0)
        return rl_fail(RL_ERR_IO, "%s: cannot be read any more: %s", file->path, strerror(errno));
    if (now.st_size == file->bytes && now.st_mtime == file->modified) return RL_OK;
    return fail_changed(RL_ERR_IO, file->path);
}

rl_status rl_table_blocks_open(const rl_dataset *dataset, rl_table_blocks **blocks) {
    assert(rl_dataset_in_blocks(dataset));
    *blocks = NULL;
    RL_TRY(check_unchanged(&dataset->file));
    return rl_table_blocks_open_as(dataset, RL_ERR_IO, blocks);
}

void rl_table_blocks_close(rl_table_blocks *b) {
    if (b == NULL) return;
    for (int i = 0; i < b->n_parts; i++) {
        rl_free((void *)(uintptr_t)b->parts[i].v.path);
        rl_nc_variable_destroy(&b->parts[i].v);
    }
    rl_free(b->parts);
    rl_missing_destroy(&b->marks);
    rl_free(b->room);
    nc_close(b->file.id);
    rl_free(b);
}

int rl_table_blocks_height(const rl_table_blocks *blocks) {
    return blocks->height;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* Puts what was read of a part into rows of the table. */
static void place_values(const rl_table_blocks *b, const part *p, size_t count, double *rows) {
    const size_t width = rl_nc_variable_width(&p->v);
    const size_t by_row = p->v.rows == 0 ? width : 1, by_column = p->v.rows == 0 ? 1 : count;
    for (size_t i = 0; i < count; i++) {
        double *to = rows + i * b->n_features + p->first;
        for (size_t j = 0; j < width; j++)
            if ((int)j != p->without) *to++ = b->room[i * by_row + j * by_column];
    }
}

static rl_status read_part(const rl_table_blocks *b, const part *p, size_t first, size_t count, double *rows) {
    for (size_t done = 0; done < count; done += p->height) {
        const size_t n = rl_smaller(p->height, count - done);
        double *to = rows + done * b->n_features;
        double *values = is_direct(b, p) ? to : b->room;
        RL_TRY(rl_nc_variable_read(&b->file, &p->v, first + done, n, 0, rl_nc_variable_width(&p->v), values));
        if (!is_direct(b, p)) place_values(b, p, n, to);
    }
    return RL_OK;
}

rl_status rl_table_blocks_read(rl_table_blocks *b, int first, int count, double *rows) {
    for (int i = 0; i < b->n_parts; i++) RL_TRY(read_part(b, &b->parts[i], (size_t)first, (size_t)count, rows));
    if (b->intercept) rl_put_ones(count, (int)b->n_features, rows);
    return RL_OK;
}

static rl_status refuse_value(const rl_table_blocks *b, size_t row, size_t feature) {
    const part *p = b->parts;
    while (feature >= p->first + p->n) p++;
    const size_t column = feature - p->first;
    return rl_nc_variable_refuse(&b->file, &p->v, row, column + (p->without >= 0 && (int)column >= p->without));
}

rl_status rl_table_blocks_sift(const rl_table_blocks *b, int first, int count, const double *rows, bool *missing) {
    rows += b->intercept;
    for (int i = 0; i < count; i++, rows += b->n_features + b->intercept) {
        size_t bad = b->n_features;
        for (size_t j = 0; j < b->n_features && !missing[i]; j++) {
            missing[i] = isnan(rows[j]);
            if (isinf(rows[j])) bad = rl_smaller(bad, j);
        }
        if (!missing[i] && bad < b->n_features) return refuse_value(b, (size_t)(first + i), bad);
    }
    return RL_OK;
}
