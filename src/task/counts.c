/* Many curves counted: histograms of the numbers at each place, packed and taken apart. */
#include "ridgeless/summary.h"

#include <assert.h>
#include <string.h>

#include "content.h"

/* ---- places ------------------------------------------------------------------------------------------------------ */

/* A record has its arrays of cells first, n_n_train x n_variants each, then those of spectra, of which the statuses are
 * the last. */
static int cell_arrays(const rl_curve_layout *l) {
    int measures = 0;
    for (int k = 0; k < RL_N_MEASURES; k++) measures += (l->measures >> k & 1) != 0;
    return 2 + l->has_population + l->has_distance + l->has_modes_kept + measures;
}

int rl_summary_places(const rl_curve_layout *l) {
    const int spectrum_arrays = (int)(l->status - l->sigma_min) / l->n_n_train;
    return cell_arrays(l) * l->n_variants + spectrum_arrays;
}

size_t rl_summary_index(const rl_curve_layout *l, int i, int place) {
    const size_t sizes = (size_t)l->n_n_train, variants = (size_t)l->n_variants;
    const int cells = cell_arrays(l) * l->n_variants;
    if (place >= cells) return l->sigma_min + (size_t)(place - cells) * sizes + (size_t)i;
    const size_t array = (size_t)(place / l->n_variants), variant = (size_t)(place % l->n_variants);
    return array * sizes * variants + (size_t)i * variants + variant;
}

/* ---- counting ---------------------------------------------------------------------------------------------------- */

rl_status rl_summary_create(rl_summary *s, const rl_curve_layout *layout) {
    *s = (rl_summary){.layout = *layout};
    assert(!layout->has_modes && layout->n_points == 0 && layout->test_mse == 0);
    rl_status status = RL_ALLOC(s->histograms, layout->status);
    if (status == RL_OK) status = RL_ALLOC(s->statuses, layout->n_n_train);
    if (status != RL_OK) rl_summary_destroy(s);
    return status;
}

void rl_summary_destroy(rl_summary *s) {
    for (size_t k = 0; s->histograms != NULL && k < s->layout.status; k++) rl_histogram_destroy(&s->histograms[k]);
    rl_free(s->histograms);
    rl_free(s->statuses);
    *s = (rl_summary){0};
}

void rl_summary_clear(rl_summary *s) {
    for (size_t k = 0; k < s->layout.status; k++) rl_histogram_clear(&s->histograms[k]);
    memset(s->statuses, 0, (size_t)s->layout.n_n_train * sizeof *s->statuses);
}

/* Histogram by histogram, so that each is in the cache while it counts. */
static rl_status add_numbers(rl_summary *s, int i, const double *records, int n) {
    const int places = rl_summary_places(&s->layout);
    for (int place = 0; place < places; place++) {
        const size_t k = rl_summary_index(&s->layout, i, place);
        RL_TRY(rl_histogram_add(&s->histograms[k], records + k, (size_t)n, s->layout.length));
    }
    return RL_OK;
}

rl_status rl_summary_add(rl_summary *s, const double *records, int n) {
    for (int i = 0; i < s->layout.n_n_train; i++)
        for (int r = 0, end; r < n; r = end) { /* as many as are done one after the other */
            const double *record = records + (size_t)r * s->layout.length;
            const rl_cell_status status = rl_curve_status(&s->layout, record, i);
            for (end = r + 1; end < n; end++)
                if (rl_curve_status(&s->layout, records + (size_t)end * s->layout.length, i) != status) break;
            if (status != RL_CELL_MISSING) s->statuses[i][status] += end - r;
            if (status == RL_CELL_DONE) RL_TRY(add_numbers(s, i, record, end - r));
        }
    return RL_OK;
}

/* ---- out --------------------------------------------------------------------------------------------------------- */

typedef struct packer {
    rl_bits_out bits;
    rl_buckets buckets[2]; /* the histogram before, and this one, in turns */
    int now;
} packer;

static rl_status pack_histogram(packer *p, const rl_histogram *h) {
    rl_buckets *now = &p->buckets[p->now];
    RL_TRY(rl_buckets_list(now, h));
    const bool same = rl_buckets_equal(now, &p->buckets[1 - p->now]);
    p->now = 1 - p->now;
    RL_TRY(rl_bits_put(&p->bits, same, 1));
    return same ? RL_OK : rl_buckets_put(now, &p->bits);
}

static rl_status pack_size(const rl_summary *s, int i, packer *p) {
    const int places = rl_summary_places(&s->layout);
    for (int status = 0; status < RL_N_STATUSES; status++)
        RL_TRY(rl_bits_put_gamma(&p->bits, (uint64_t)s->statuses[i][status] + 1));
    for (int place = 0; place < places; place++)
        RL_TRY(pack_histogram(p, &s->histograms[rl_summary_index(&s->layout, i, place)]));
    return RL_OK;
}

rl_status rl_summary_pack(const rl_summary *s, int n_n_train, const int *sizes, rl_text *words) {
    packer p = {.bits = {.bytes = words}};
    rl_status status = RL_OK;
    for (int k = 0; status == RL_OK && k < n_n_train; k++) status = pack_size(s, sizes[k], &p);
    if (status == RL_OK) status = rl_bits_end(&p.bits);
    for (int b = 0; b < 2; b++) rl_buckets_destroy(&p.buckets[b]);
    return status;
}

/* ---- in ---------------------------------------------------------------------------------------------------------- */

int64_t rl_summary_failed(const int64_t statuses[RL_N_STATUSES]) {
    int64_t n = 0;
    for (int status = 0; status < RL_N_STATUSES; status++)
        if (status != RL_CELL_DONE) n += statuses[status];
    return n;
}

/* Every repeat has one status, and none is missing. */
static bool get_statuses(rl_bits_in *bits, int n_repeats, int64_t counts[RL_N_STATUSES]) {
    int64_t sum = 0;
    for (int status = 0; status < RL_N_STATUSES; status++) {
        uint64_t n;
        if (!rl_bits_get_gamma(bits, &n) || n - 1 > (uint64_t)(n_repeats - sum)) return false;
        counts[status] = (int64_t)n - 1;
        sum += counts[status];
    }
    return sum == n_repeats && counts[RL_CELL_MISSING] == 0 && counts[RL_CELL_NOT_ASKED] == 0;
}

static rl_status get_histogram(rl_bits_in *bits, int64_t most, rl_buckets *buckets, bool *sound) {
    uint64_t same;
    *sound = rl_bits_get(bits, 1, &same);
    if (!*sound) return RL_OK;
    if (!same) return rl_buckets_get(buckets, bits, most, sound);
    *sound = buckets->total <= most;
    return RL_OK;
}

typedef struct unpacker {
    const rl_record *record;
    int places;
    int *into_place; /* [places]: place of the summary; -1: the series does not ask for it; owned */
    rl_bits_in bits;
    rl_buckets buckets; /* the last ones */
    rl_summary *into;
} unpacker;

/* The k-th N of the record into N i; -1: it is read alone. */
static rl_status unpack_size(unpacker *u, int k, int i, bool *sound) {
    int64_t counts[RL_N_STATUSES];
    *sound = get_statuses(&u->bits, u->record->repeats.n, counts) &&
             rl_summary_failed(counts) == u->record->outcomes[k].outcome;
    for (int status = 0; *sound && i >= 0 && status < RL_N_STATUSES; status++)
        u->into->statuses[i][status] += counts[status];
    for (int place = 0; *sound && place < u->places; place++) {
        RL_TRY(get_histogram(&u->bits, counts[RL_CELL_DONE], &u->buckets, sound));
        if (!*sound || i < 0 || u->into_place[place] < 0) continue;
        const size_t index = rl_summary_index(&u->into->layout, i, u->into_place[place]);
        RL_TRY(rl_histogram_merge(&u->into->histograms[index], &u->buckets));
    }
    return RL_OK;
}

/* A curve of one N that holds its own places shows which of them the series' curve takes. */
static rl_status find_places(unpacker *u, const rl_series *series, const rl_curve_layout *held) {
    const rl_curve_layout own = rl_content_own(series, held);
    double *values;
    RL_TRY(RL_ALLOC(u->into_place, u->places));
    RL_TRY(RL_ALLOC(values, held->length + own.length));
    double *const chosen = values + held->length;
    for (int place = 0; place < u->places; place++) {
        u->into_place[place] = -1;
        values[rl_summary_index(held, 0, place)] = place;
    }
    rl_curve_copy(held, values, 0, u->record->variants, &own, chosen, 0);
    for (int place = 0; place < rl_summary_places(&own); place++)
        u->into_place[(int)chosen[rl_summary_index(&own, 0, place)]] = place;
    rl_free(values);
    return RL_OK;
}

rl_status rl_summary_add_record(rl_summary *summary, const rl_series *series, const rl_record *record,
                                const int *target, bool *sound) {
    const rl_curve_layout l = rl_content_head_read(series, record, sound);
    const size_t head = sizeof(rl_content_head);
    *sound = *sound && l.max_modes == 0 && record->n > 0 && record->repeats.n > 0;
    if (!*sound) return RL_OK;
    unpacker u = {
        .record = record,
        .places = rl_summary_places(&l),
        .bits = {.words = (const char *)record->content + head, .n = (record->length - head) / sizeof(uint64_t)},
        .into = summary};
    rl_status status = find_places(&u, series, &l);
    for (int k = 0; status == RL_OK && *sound && k < record->n; k++)
        status = unpack_size(&u, k, summary != NULL ? target[k] : -1, sound);
    *sound = *sound && rl_bits_are_at_end(&u.bits);
    rl_buckets_destroy(&u.buckets);
    rl_free(u.into_place);
    return status;
}
