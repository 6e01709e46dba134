/* `plan --scaling`: what a study would take on 1, 2, 4, ... ranks, as a table with bars or as JSON. */
#include <math.h>
#include <stdio.h>

#include "plan.h"
#include "ridgeless/scaling.h"

/* ---- for people -------------------------------------------------------------------------------------------------- */

enum { BAR = 30 };
static const char letters[RL_N_BOUNDS + 1] = "CRMBT0FS";

/* A bar of letters, each bound's as long as its share of the time; notes which of them are there. */
static void draw_bar(const rl_estimate *e, char bar[BAR + 1], bool *drawn) {
    double sum = 0;
    int end = 0;
    for (rl_bound b = 0; b < RL_N_BOUNDS; b++) {
        sum += e->bounds[b];
        for (; end < BAR && end < (int)lround(BAR * sum / e->seconds); end++) {
            bar[end] = letters[b];
            drawn[b] = true;
        }
    }
    bar[end] = '\0';
}

static void print_point(const rl_scaling_point *p, bool *drawn) {
    char memory[32], bar[BAR + 1];
    if (!p->holds) {
        printf("%8d %8s   cannot hold the study\n", p->ranks, "");
        return;
    }
    draw_bar(&p->estimate, bar, drawn);
    printf("%8d %8d %12.4g s %10.3g %% %16s   %-12s   %s\n", p->ranks, p->estimate.nodes, p->estimate.seconds,
           100 * p->efficiency, rl_bytes_text(p->estimate.bytes, memory), rl_bound_name(p->bound), bar);
}

static void print_legend(const bool *drawn) {
    const char *before = "bars: ";
    for (rl_bound b = 0; b < RL_N_BOUNDS; b++) {
        if (!drawn[b]) continue;
        printf("%s%c %s", before, letters[b], rl_bound_name(b));
        before = ", ";
    }
    printf("\n");
}

static void print_end(const rl_scaling *s) {
    const rl_scaling_point *last = &s->points[s->pays];
    if (s->fewest == RL_SCALING_POINTS)
        printf("\nNo such number of ranks holds the study.\n");
    else if (s->pays == s->fewest)
        printf("\nMore ranks than %d do not pay: twice as many would take less than three tenths off.\n", last->ranks);
    else if (last->ranks == RL_SCALING_MOST)
        printf("\nMore ranks pay up to %d, and perhaps beyond.\n", last->ranks);
    else
        printf("\nMore ranks pay up to %d; twice as many would take less than three tenths off.\n", last->ranks);
}

static void print_table(const rl_answer *a, const rl_scaling *s) {
    const rl_nodes *nodes = &a->outlook.nodes;
    bool drawn[RL_N_BOUNDS] = {false};
    char memory[32];
    printf("%s\npredicted, not measured\nrates            %s\n", a->prepared->study.title, a->rates_source);
    printf("nodes            of %d core%s", nodes->cores, rl_plural(nodes->cores));
    if (isfinite(nodes->bytes)) printf(" and %s", rl_bytes_text(nodes->bytes, memory));
    printf("\n\n%8s %8s %14s %12s %16s   %-12s   %s\n", "ranks", "nodes", "predicted time", "efficiency",
           "memory per rank", "bound by", "of the time");
    for (int i = 0; i < RL_SCALING_POINTS; i++) print_point(&s->points[i], drawn);
    print_legend(drawn);
    print_end(s);
}

/* ---- for programs ------------------------------------------------------------------------------------------------ */

static json_t *bounds_json(const rl_estimate *e) {
    json_t *object = json_object();
    for (rl_bound b = 0; b < RL_N_BOUNDS; b++) json_object_set_new(object, rl_bound_name(b), json_real(e->bounds[b]));
    return object;
}

static json_t *point_json(const rl_scaling_point *p) {
    if (!p->holds) return json_pack("{s:i, s:b}", "ranks", p->ranks, "holds", false);
    return json_pack("{s:i, s:b, s:i, s:f, s:f, s:f, s:s, s:o}", "ranks", p->ranks, "holds", true, "nodes",
                     p->estimate.nodes, "seconds", p->estimate.seconds, "efficiency", p->efficiency,
                     "memory_per_rank_bytes", p->estimate.bytes, "bound_by", rl_bound_name(p->bound),
                     "seconds_by_bound", bounds_json(&p->estimate));
}

static rl_status print_json(const rl_answer *a, const rl_scaling *s) {
    json_t *points = json_array();
    for (int i = 0; i < RL_SCALING_POINTS; i++) json_array_append_new(points, point_json(&s->points[i]));
    json_t *root = json_pack("{s:s, s:b, s:s, s:i, s:o}", "title", a->prepared->study.title, "predicted", true, "rates",
                             a->rates_source, "cores_per_node", a->outlook.nodes.cores, "scaling", points);
    if (root != NULL && s->fewest < RL_SCALING_POINTS)
        json_object_set_new(root, "pays_up_to_ranks", json_integer(s->points[s->pays].ranks));
    return rl_print_json(root);
}

rl_status rl_print_scaling(const rl_answer *answer) {
    rl_scaling scaling;
    RL_TRY(rl_scaling_find(&answer->outlook, &scaling));
    if (answer->settings->json) return print_json(answer, &scaling);
    print_table(answer, &scaling);
    return RL_OK;
}
