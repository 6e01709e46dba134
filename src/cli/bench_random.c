/* `bench random`: pi from random points in a square, drawn by all ranks in three ways. Two are bad on purpose: what
 * they draw depends on the number of ranks. Studies draw by the third. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "ridgeless/random.h"

enum { USUAL_COUNT = 1000000, MOST = 1000000000 };

typedef struct random_bench {
    const rl_context *context;
    rl_key key;          /* of the counters */
    int count, first, n; /* points of all ranks; those of this one */
} random_bench;

typedef struct point {
    double x, y;
} point;

/* ---- ways to draw ------------------------------------------------------------------------------------------------ */

typedef struct drawer {
    rl_mt19937 stream;
    rl_key key;
} drawer;

static void start_with_one_seed(const random_bench *b, drawer *d) {
    (void)b;
    rl_mt19937_seed(&d->stream, 0);
}

static void start_with_rank_as_seed(const random_bench *b, drawer *d) {
    rl_mt19937_seed(&d->stream, (uint32_t)b->context->rank);
}

static void start_counting(const random_bench *b, drawer *d) {
    d->key = b->key;
}

static point draw_next(drawer *d, int i) {
    (void)i;
    const double x = rl_mt19937_uniform(&d->stream);
    return (point){x, rl_mt19937_uniform(&d->stream)};
}

static point draw_point(drawer *d, int i) {
    return (point){rl_philox_uniform(d->key, RL_STREAM_INPUTS, 0, (uint32_t)i, 0),
                   rl_philox_uniform(d->key, RL_STREAM_INPUTS, 0, (uint32_t)i, 1)};
}

typedef struct way {
    const char *name, *elsewhere; /* elsewhere: what becomes of the numbers on another number of ranks */
    bool repeats;                 /* every rank draws the same points */
    void (*start)(const random_bench *b, drawer *d);
    point (*draw)(drawer *d, int i); /* point i of all */
} way;

static const way ways[] = {
    {"one seed for all", "change: bad on purpose", true, start_with_one_seed, draw_next},
    {"a stream per rank", "change: bad on purpose", false, start_with_rank_as_seed, draw_next},
    {"counters", "stay", false, start_counting, draw_point},
};
enum { N_WAYS = sizeof ways / sizeof *ways };

/* ---- counting ---------------------------------------------------------------------------------------------------- */

typedef struct counted {
    int64_t hits, different;
    uint64_t fingerprint;
    double pi, off; /* off: in standard errors of so many independent points */
} counted;

/* Steele, Lea and Flood 2014: every bit of the result depends on every bit of x. */
static uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

/* Of the points that were drawn, in whatever order and by whomever. */
static uint64_t fingerprint_of(point p) {
    uint64_t x, y;
    memcpy(&x, &p.x, sizeof x);
    memcpy(&y, &p.y, sizeof y);
    return mix(x + mix(y));
}

static void describe(const random_bench *b, const way *w, counted *c) {
    const double pi = acos(-1), inside = pi / 4, standard_error = 4 * sqrt(inside * (1 - inside) / b->count);
    const int largest = (b->count + b->context->size - 1) / b->context->size;
    c->different = w->repeats ? largest : b->count;
    c->pi = 4 * (double)c->hits / b->count;
    c->off = (c->pi - pi) / standard_error;
}

static rl_status count(const random_bench *b, const way *w, counted *c) {
    drawer d;
    uint64_t hits_and_fingerprint[2] = {0};
    w->start(b, &d);
    for (int i = b->first; i < b->first + b->n; i++) {
        const point p = w->draw(&d, i);
        hits_and_fingerprint[0] += p.x * p.x + p.y * p.y < 1;
        hits_and_fingerprint[1] += fingerprint_of(p);
    }
    RL_TRY(rl_context_sum_integers(b->context, hits_and_fingerprint, 2));
    c->hits = (int64_t)hits_and_fingerprint[0];
    c->fingerprint = hits_and_fingerprint[1];
    describe(b, w, c);
    return RL_OK;
}

/* ---- answer ------------------------------------------------------------------------------------------------------ */

static void print_table(const random_bench *b, const counted *c) {
    char text[32];
    printf("pi by %s random points in a square, on %d rank%s\n", rl_count_text(b->count, text), b->context->size,
           rl_plural(b->context->size));
    printf("%-18s %-10s %7s %14s   %-16s   %s\n", "drawn by", "pi", "off by", "different", "fingerprint",
           "numbers on other ranks");
    for (int i = 0; i < N_WAYS; i++)
        printf("%-18s %-10.7f %7.2f %14s   %016llx   %s\n", ways[i].name, c[i].pi, c[i].off,
               rl_count_text(c[i].different, text), (unsigned long long)c[i].fingerprint, ways[i].elsewhere);
    printf(
        "off by: in standard errors of as many independent points, which 2 of 3 times is below 1\n"
        "different: points, of which one that several ranks draw counts once; fingerprint: of all, in any order\n"
        "Run it on 1, 2, 3 and 4 ranks, and see which numbers change. Studies draw by counters alone.\n");
}

static rl_status print_json(const random_bench *b, const counted *c) {
    json_t *list = json_array();
    for (int i = 0; i < N_WAYS; i++) {
        char fingerprint[32];
        snprintf(fingerprint, sizeof fingerprint, "%016llx", (unsigned long long)c[i].fingerprint);
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:f, s:f, s:I, s:s}", "way", ways[i].name, "hits", (json_int_t)c[i].hits, "pi",
                            c[i].pi, "standard_errors_off", c[i].off, "different_points", (json_int_t)c[i].different,
                            "fingerprint", fingerprint));
    }
    return rl_print_json(json_pack("{s:i, s:o, s:i, s:o}", "count", b->count, "key", rl_key_json(b->key), "ranks",
                                   b->context->size, "ways", list));
}

rl_status rl_bench_random(const rl_settings *settings, const rl_context *context) {
    random_bench b = {.context = context, .key = rl_key_make(0, "bench random")};
    counted results[N_WAYS] = {{0}};
    RL_TRY(rl_bench_count(settings, USUAL_COUNT, MOST, &b.count));
    b.first = (int)((int64_t)b.count * context->rank / context->size);
    b.n = (int)((int64_t)b.count * (context->rank + 1) / context->size) - b.first;
    for (int i = 0; i < N_WAYS; i++) RL_TRY(count(&b, &ways[i], &results[i]));
    if (context->rank != 0) return RL_OK;
    if (settings->json) return print_json(&b, results);
    print_table(&b, results);
    return RL_OK;
}
