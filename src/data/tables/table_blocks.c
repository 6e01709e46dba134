/* Tables in NetCDF files that are read in blocks of rows. */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../../numbers.h"
#include "../dataset.h"
#include "netcdf_variable.h"

struct rl_table_blocks {
    rl_nc file;
    rl_nc_variable features;
    int height;
    bool intercept;
};

static rl_status fail_changed(rl_status blame, const char *path) {
    return rl_fail(blame, "%s: has changed since the table was loaded", path);
}

static int rows_of_slab(const rl_table_blocks *b, size_t slab_bytes) {
    const size_t rows = slab_bytes / (b->features.length[1] * sizeof(double));
    return (int)rl_smaller(rl_larger(rows, (size_t)1), b->features.length[0]);
}

/* The library reads a chunk of a compressed variable as a whole. So slabs are made of whole chunks. Where chunks are
 * higher than a slab, they stay in the library's cache for the next slab, unless that takes too much memory: then they
 * are read again. */
static rl_status fit_to_chunks(rl_table_blocks *b, size_t slab_bytes) {
    enum { SLABS_OF_CACHE = 8, SLOTS_PER_CHUNK = 10 };
    const float preemption = 0; /* least recently used first; HDF5 1.10 exceeds the cache's size at 1 */
    size_t chunk[2], value_bytes;
    int storage;
    RL_NC(&b->file, nc_inq_var_chunking(b->file.id, b->features.id, &storage, chunk));
    if (storage != NC_CHUNKED) return RL_OK;
    if (chunk[0] <= (size_t)b->height) {
        b->height -= b->height % (int)chunk[0];
        return RL_OK;
    }
    RL_NC(&b->file, nc_inq_type(b->file.id, b->features.type, NULL, &value_bytes));
    const size_t kept = (b->features.length[1] - 1) / chunk[1] + 2; /* chunks of a slab, and one more */
    const double bytes = (double)kept * (double)chunk[0] * (double)chunk[1] * (double)value_bytes;
    if (bytes > SLABS_OF_CACHE * (double)slab_bytes) return RL_OK;
    RL_NC(&b->file,
          nc_set_var_chunk_cache(b->file.id, b->features.id, (size_t)bytes, kept * SLOTS_PER_CHUNK, preemption));
    return RL_OK;
}

static rl_status prepare_blocks(rl_table_blocks *b, const rl_dataset *dataset) {
    const rl_nc_variable *x = &b->features;
    int id;
    RL_NC(&b->file, nc_inq_varid(b->file.id, dataset->file.features, &id));
    RL_TRY(rl_nc_variable_inquire(&b->file, id, &b->features));
    if (x->n_dimensions != 2 || x->length[0] != (size_t)dataset->n_rows ||
        x->length[1] != (size_t)(dataset->n_features - dataset->intercept))
        return fail_changed(b->file.blame, b->file.path);
    RL_TRY(rl_nc_variable_decode(&b->file, &b->features));
    b->intercept = dataset->intercept;
    b->height = rows_of_slab(b, dataset->file.slab_bytes);
    return fit_to_chunks(b, dataset->file.slab_bytes);
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
    status = prepare_blocks(b, dataset);
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

void rl_table_blocks_close(rl_table_blocks *blocks) {
    if (blocks == NULL) return;
    rl_nc_variable_destroy(&blocks->features);
    nc_close(blocks->file.id);
    rl_free(blocks);
}

int rl_table_blocks_height(const rl_table_blocks *blocks) {
    return blocks->height;
}

rl_status rl_table_blocks_read(rl_table_blocks *blocks, int first, int count, double *rows) {
    RL_TRY(rl_nc_variable_read(&blocks->file, &blocks->features, (size_t)first, (size_t)count, rows));
    if (blocks->intercept) rl_put_ones(count, (int)blocks->features.length[1], rows);
    return RL_OK;
}
