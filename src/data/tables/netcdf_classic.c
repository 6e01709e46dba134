/* Checks of classic NetCDF files before the library sees them: that the header makes sense, and that the file is as
 * long as its header says. The format: NetCDF Users' Guide, appendix B, "The NetCDF Classic Format Specification"; with
 * 64-bit counts, "The CDF-5 File Format". */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "netcdf_variable.h"

enum { N_TYPES = 12 }; /* they count from 1 */

/* The header of a file, which is read from its beginning. */
typedef struct header {
    FILE *file;
    uint64_t remaining;              /* bytes to the end of the file */
    int version;                     /* 1; 2: 64-bit offsets; 5: 64-bit counts too */
    bool ended;                      /* the file ends too early, or the header makes no sense */
    uint64_t *lengths, n_dimensions; /* of the dimensions, 0 for the unlimited one; NULL: not to be checked */
} header;

/* Reads a big-endian integer. */
static uint64_t take_integer(header *h, int n_bytes) {
    uint64_t value = 0;
    for (int i = 0; i < n_bytes && !h->ended; i++) {
        const int byte = fgetc(h->file);
        h->ended = byte == EOF;
        h->remaining -= !h->ended;
        value = value << 8 | (unsigned char)byte;
    }
    return value;
}

static uint64_t take_count(header *h) {
    return take_integer(h, h->version == 5 ? 8 : 4);
}

static uint64_t padded(uint64_t n_bytes) {
    return (n_bytes + 3) & ~UINT64_C(3);
}

/* Skips n items of item_bytes each, and the bytes that fill them up to whole words. */
static void skip_items(header *h, uint64_t n, uint64_t item_bytes) {
    const bool fits = n <= h->remaining && padded(n * item_bytes) <= h->remaining;
    const uint64_t n_bytes = fits ? padded(n * item_bytes) : 0;
    if (!fits || fseeko(h->file, (off_t)n_bytes, SEEK_CUR) != 0) h->ended = true;
    h->remaining -= n_bytes;
}

/* The library copies a name of any length into a buffer of NC_MAX_NAME. */
static void skip_name(header *h) {
    const uint64_t length = take_count(h);
    if (length > NC_MAX_NAME) h->ended = true;
    skip_items(h, length, 1);
}

/* Reads the head of a list: its tag, then the number of its entries, which is returned. */
static uint64_t take_list(header *h) {
    take_integer(h, 4);
    return take_count(h);
}

static void skip_attributes(header *h) {
    static const uint64_t size_of_type[N_TYPES] = {0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8};
    for (uint64_t n = take_list(h); n > 0 && !h->ended; n--) {
        skip_name(h);
        const uint64_t type = take_integer(h, 4), length = take_count(h);
        if (type >= N_TYPES)
            h->ended = true;
        else
            skip_items(h, length, size_of_type[type]);
    }
}

/* Reads the list of dimensions. */
static rl_status take_dimensions(header *h, bool keep) {
    enum { MOST = 65536 };
    h->n_dimensions = take_list(h);
    if (h->n_dimensions > MOST) h->ended = true;
    if (keep && !h->ended) RL_TRY(RL_ALLOC(h->lengths, h->n_dimensions));
    for (uint64_t i = 0; i < h->n_dimensions && !h->ended; i++) {
        skip_name(h);
        const uint64_t length = take_count(h);
        if (h->lengths != NULL) h->lengths[i] = length;
    }
    return RL_OK;
}

/* Reads up to the first variable, and sets *n_variables. */
static rl_status skip_to_variables(header *h, bool keep_dimensions, uint64_t *n_variables) {
    take_integer(h, 4); /* what kind of file it is */
    take_count(h);      /* the number of records */
    RL_TRY(take_dimensions(h, keep_dimensions));
    skip_attributes(h);
    *n_variables = take_list(h);
    return RL_OK;
}

/* Reads the dimensions of a variable and returns how many numbers it has, or one record of it. The library divides by
 * such products before it checks their factors. So where lengths are known, each dimension must be in the list, and the
 * unlimited one may only come first. */
static uint64_t take_shape(header *h) {
    uint64_t count = 1;
    const uint64_t n = take_count(h);
    if (n > NC_MAX_VAR_DIMS) h->ended = true; /* as with names */
    for (uint64_t i = 0; i < n && !h->ended; i++) {
        const uint64_t id = take_count(h);
        if (h->lengths == NULL || h->ended) continue;
        const bool known = id < h->n_dimensions, unlimited = known && h->lengths[id] == 0;
        if (!known || (unlimited && i > 0)) h->ended = true;
        if (known && !unlimited && __builtin_mul_overflow(count, h->lengths[id], &count)) h->ended = true;
    }
    return count;
}

/* Reads the head of a variable and returns where its data begin. */
static uint64_t take_begin(header *h) {
    const uint64_t most_bytes = INT64_MAX, largest_value = 8;
    skip_name(h);
    const uint64_t count = take_shape(h);
    skip_attributes(h);
    const uint64_t type = take_integer(h, 4);
    take_count(h); /* its size, where 32 bits can hold it */
    if (type < 1 || type >= N_TYPES || count > most_bytes / largest_value) h->ended = true;
    return take_integer(h, h->version == 1 ? 4 : 8);
}

/* Sets *n_bytes to those of a variable, or of one record of it. */
static rl_status variable_bytes(const rl_nc *file, int id, int unlimited, uint64_t *n_bytes, bool *has_records) {
    int dimensions[NC_MAX_VAR_DIMS], n;
    nc_type type;
    size_t size, length;
    RL_NC(file, nc_inq_var(file->id, id, NULL, &type, &n, dimensions, NULL));
    RL_NC(file, nc_inq_type(file->id, type, NULL, &size));
    *n_bytes = size;
    *has_records = n > 0 && dimensions[0] == unlimited;
    for (int i = *has_records ? 1 : 0; i < n; i++) {
        RL_NC(file, nc_inq_dimlen(file->id, dimensions[i], &length));
        *n_bytes *= length;
    }
    return RL_OK;
}

/* Sets *stride to the bytes from one record to the next. Where one variable alone has records, they are not padded. */
static rl_status record_stride(const rl_nc *file, int n, int unlimited, uint64_t *stride) {
    uint64_t n_bytes = 0, single = 0;
    int n_with_records = 0;
    *stride = 0;
    for (int id = 0; id < n; id++) {
        bool has_records;
        RL_TRY(variable_bytes(file, id, unlimited, &n_bytes, &has_records));
        if (!has_records) continue;
        n_with_records++;
        single = n_bytes;
        *stride += padded(n_bytes);
    }
    if (n_with_records == 1) *stride = single;
    return RL_OK;
}

static rl_status find_end(const rl_nc *file, header *h, uint64_t *end) {
    int n, unlimited;
    size_t n_records = 0;
    uint64_t stride, n_listed;
    RL_NC(file, nc_inq_nvars(file->id, &n));
    RL_NC(file, nc_inq_unlimdim(file->id, &unlimited));
    if (unlimited >= 0) RL_NC(file, nc_inq_dimlen(file->id, unlimited, &n_records));
    RL_TRY(record_stride(file, n, unlimited, &stride));
    *end = 0;
    RL_TRY(skip_to_variables(h, false, &n_listed));
    for (int id = 0; id < n && !h->ended; id++) {
        uint64_t n_bytes, last = take_begin(h);
        bool has_records;
        RL_TRY(variable_bytes(file, id, unlimited, &n_bytes, &has_records));
        if (has_records && n_records == 0) continue;
        if (has_records) last += (n_records - 1) * stride;
        if (last + n_bytes > *end) *end = last + n_bytes;
    }
    return RL_OK;
}

static rl_status open_header(const char *path, rl_status blame, header *h) {
    struct stat status;
    *h = (header){.file = fopen(path, "rb")};
    if (h->file == NULL || fstat(fileno(h->file), &status) != 0) {
        const int error = errno;
        if (h->file != NULL) fclose(h->file);
        return rl_fail(blame, "%s: cannot be read: %s", path, strerror(error));
    }
    h->remaining = (uint64_t)status.st_size;
    take_integer(h, 3);
    h->version = (int)take_integer(h, 1);
    h->remaining = (uint64_t)status.st_size;
    rewind(h->file);
    return RL_OK;
}

rl_status rl_nc_check_classic_header(const char *path, rl_status blame) {
    header h;
    uint64_t n = 0;
    RL_TRY(open_header(path, blame, &h));
    const rl_status status = skip_to_variables(&h, true, &n);
    for (; status == RL_OK && n > 0 && !h.ended; n--) take_begin(&h);
    fclose(h.file);
    rl_free(h.lengths);
    RL_TRY(status);
    return h.ended ? rl_fail(blame, "%s: is damaged or cut short: its header makes no sense", path) : RL_OK;
}

rl_status rl_nc_check_classic_size(const rl_nc *file) {
    header h;
    uint64_t end = 0;
    RL_TRY(open_header(file->path, file->blame, &h));
    const uint64_t size = h.remaining;
    const rl_status found = find_end(file, &h, &end);
    fclose(h.file);
    RL_TRY(found);
    if (!h.ended && size >= end) return RL_OK;
    return rl_fail(file->blame, "%s: is cut short: %llu bytes, expected %llu", file->path, (unsigned long long)size,
                   (unsigned long long)end);
}
