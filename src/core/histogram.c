/* Histograms with logarithmic buckets: counting, lists of buckets, and lists as bits. */
#include "ridgeless/histogram.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

enum { N_DOUBLINGS = 0x7ff + 1, SHIFT = DBL_MANT_DIG - 1 - RL_BUCKET_BITS };

/* ---- buckets ----------------------------------------------------------------------------------------------------- */

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double number_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

int rl_bucket_of(double value) {
    assert(value >= 0);
    return value < DBL_MIN ? 0 : (int)(bits_of(value) >> SHIFT);
}

double rl_bucket_lower(int bucket) {
    return number_of((uint64_t)bucket << SHIFT);
}

double rl_bucket_upper(int bucket) {
    if (bucket == 0) return DBL_MIN;
    return bucket == RL_N_BUCKETS - 1 ? INFINITY : rl_bucket_lower(bucket + 1);
}

double rl_bucket_middle(int bucket) {
    const double lower = rl_bucket_lower(bucket),
                 width = 1.0 / (RL_BUCKETS_PER_DOUBLING + bucket % RL_BUCKETS_PER_DOUBLING);
    return lower * sqrt(1 + width);
}

/* ---- counting ---------------------------------------------------------------------------------------------------- */

void rl_histogram_destroy(rl_histogram *h) {
    rl_free(h->page_of);
    rl_free(h->pages);
    *h = (rl_histogram){0};
}

void rl_histogram_clear(rl_histogram *h) {
    h->n = 0;
    if (h->n_pages > 0) memset(h->pages, 0, (size_t)h->n_pages * RL_BUCKETS_PER_DOUBLING * sizeof *h->pages);
}

static rl_status add_pages(rl_histogram *h) {
    const int capacity = h->capacity > 0 ? 2 * h->capacity : 8;
    const size_t page_bytes = RL_BUCKETS_PER_DOUBLING * sizeof *h->pages;
    uint32_t *pages;
    if (h->page_of == NULL) RL_TRY(RL_ALLOC(h->page_of, N_DOUBLINGS));
    RL_TRY(rl_alloc(&pages, (size_t)capacity, page_bytes));
    if (h->n_pages > 0) memcpy(pages, h->pages, (size_t)h->n_pages * page_bytes);
    rl_free(h->pages);
    h->pages = pages;
    h->capacity = capacity;
    return RL_OK;
}

/* *count: the place where the bucket is counted. */
static inline rl_status find_count(rl_histogram *h, int bucket, uint32_t **count) {
    const int doubling = bucket / RL_BUCKETS_PER_DOUBLING;
    if (h->page_of == NULL || h->page_of[doubling] == 0) {
        if (h->n_pages == h->capacity) RL_TRY(add_pages(h));
        h->page_of[doubling] = (uint16_t)++h->n_pages;
    }
    *count = h->pages + (size_t)(h->page_of[doubling] - 1) * RL_BUCKETS_PER_DOUBLING + bucket % RL_BUCKETS_PER_DOUBLING;
    return RL_OK;
}

/* Notes that n more numbers, between low and high, have been counted. */
static void note_numbers(rl_histogram *h, int64_t n, double low, double high) {
    if (n == 0) return;
    h->minimum = h->n == 0 || low < h->minimum ? low : h->minimum;
    h->maximum = h->n == 0 || high > h->maximum ? high : h->maximum;
    h->n += n;
    assert(h->n <= RL_HISTOGRAM_LIMIT);
}

rl_status rl_histogram_add(rl_histogram *h, const double *values, size_t n, size_t stride) {
    double low = INFINITY, high = 0;
    int64_t counted = 0;
    for (size_t i = 0; i < n; i++) {
        const double value = values[i * stride];
        uint32_t *count;
        assert(!(value < 0));
        if (!(value >= 0)) continue;
        RL_TRY(find_count(h, rl_bucket_of(value), &count));
        ++*count;
        counted++;
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    note_numbers(h, counted, low, high);
    return RL_OK;
}

rl_status rl_histogram_merge(rl_histogram *h, const rl_buckets *b) {
    for (int i = 0; i < b->n; i++) {
        uint32_t *count;
        RL_TRY(find_count(h, b->bucket[i], &count));
        *count += b->count[i];
    }
    note_numbers(h, b->total, b->minimum, b->maximum);
    return RL_OK;
}

/* ---- lists ------------------------------------------------------------------------------------------------------- */

void rl_buckets_destroy(rl_buckets *b) {
    rl_free(b->bucket);
    rl_free(b->count);
    *b = (rl_buckets){0};
}

/* Empties the list, which then has room for n buckets. */
static rl_status clear_list(rl_buckets *b, int n) {
    if (n > b->capacity) {
        rl_buckets_destroy(b);
        RL_TRY(RL_ALLOC(b->bucket, n));
        RL_TRY(RL_ALLOC(b->count, n));
        b->capacity = n;
    }
    b->n = 0;
    b->total = 0;
    b->minimum = b->maximum = NAN;
    return RL_OK;
}

static void append_bucket(rl_buckets *b, int bucket, uint32_t count) {
    b->bucket[b->n] = bucket;
    b->count[b->n++] = count;
    b->total += count;
}

static int most_buckets(const rl_histogram *h) {
    const int64_t room = (int64_t)h->n_pages * RL_BUCKETS_PER_DOUBLING;
    return (int)(h->n < room ? h->n : room);
}

rl_status rl_buckets_list(rl_buckets *b, const rl_histogram *h) {
    RL_TRY(clear_list(b, most_buckets(h)));
    if (h->n == 0) return RL_OK;
    b->minimum = h->minimum;
    b->maximum = h->maximum;
    const int first = rl_bucket_of(h->minimum) / RL_BUCKETS_PER_DOUBLING;
    const int last = rl_bucket_of(h->maximum) / RL_BUCKETS_PER_DOUBLING;
    for (int d = first; d <= last; d++) {
        if (h->page_of[d] == 0) continue;
        const uint32_t *page = h->pages + (size_t)(h->page_of[d] - 1) * RL_BUCKETS_PER_DOUBLING;
        for (int i = 0; i < RL_BUCKETS_PER_DOUBLING; i++)
            if (page[i] > 0) append_bucket(b, d * RL_BUCKETS_PER_DOUBLING + i, page[i]);
    }
    assert(b->total == h->n);
    return RL_OK;
}

bool rl_buckets_equal(const rl_buckets *a, const rl_buckets *b) {
    const size_t n = (size_t)a->n;
    if (a->n != b->n || a->total != b->total) return false;
    return n == 0 || (a->minimum == b->minimum && a->maximum == b->maximum &&
                      memcmp(a->bucket, b->bucket, n * sizeof *a->bucket) == 0 &&
                      memcmp(a->count, b->count, n * sizeof *a->count) == 0);
}

/* ---- lists as bits ----------------------------------------------------------------------------------------------- */

rl_status rl_buckets_put(const rl_buckets *b, rl_bits_out *bits) {
    RL_TRY(rl_bits_put_gamma(bits, (uint64_t)b->n + 1));
    if (b->n == 0) return RL_OK;
    RL_TRY(rl_bits_put(bits, bits_of(b->minimum), 64));
    RL_TRY(rl_bits_put(bits, bits_of(b->maximum), 64));
    for (int i = 0, before = -1; i < b->n; before = b->bucket[i++]) {
        RL_TRY(rl_bits_put_gamma(bits, (uint64_t)(b->bucket[i] - before)));
        RL_TRY(rl_bits_put_gamma(bits, b->count[i]));
    }
    return RL_OK;
}

/* Reads n buckets into a list that has room for them. */
static bool get_list(rl_buckets *b, rl_bits_in *bits, int n, int64_t most) {
    uint64_t minimum, maximum;
    if (!rl_bits_get(bits, 64, &minimum) || !rl_bits_get(bits, 64, &maximum)) return false;
    b->minimum = number_of(minimum);
    b->maximum = number_of(maximum);
    for (int64_t i = 0, bucket = -1; i < n; i++) {
        uint64_t gap, count;
        if (!rl_bits_get_gamma(bits, &gap) || !rl_bits_get_gamma(bits, &count)) return false;
        if (gap >= RL_N_BUCKETS - (uint64_t)bucket || count > (uint64_t)(most - b->total)) return false;
        bucket += (int64_t)gap;
        if (bucket > 0 && bucket < RL_BUCKETS_PER_DOUBLING) return false; /* no number falls into these */
        append_bucket(b, (int)bucket, (uint32_t)count);
    }
    return b->minimum >= 0 && b->minimum <= b->maximum && rl_bucket_of(b->minimum) == b->bucket[0] &&
           rl_bucket_of(b->maximum) == b->bucket[n - 1];
}

rl_status rl_buckets_get(rl_buckets *b, rl_bits_in *bits, int64_t most, bool *sound) {
    uint64_t n;
    assert(most <= RL_HISTOGRAM_LIMIT);
    *sound = rl_bits_get_gamma(bits, &n) && n - 1 <= (uint64_t)most && n - 1 <= RL_N_BUCKETS;
    RL_TRY(clear_list(b, *sound ? (int)n - 1 : 0));
    if (*sound && n > 1) *sound = get_list(b, bits, (int)n - 1, most);
    return RL_OK;
}
