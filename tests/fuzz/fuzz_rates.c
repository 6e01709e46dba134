/* The file of rates that `plan` predicts with. */
#include <math.h>

#include "fuzz.h"
#include "ridgeless/rates.h"

/* What was read is written and read again as the same (5 digits are kept). */
static void check_round_trip(const rl_rates *rates) {
    char path[512];
    rl_rates again;
    rl_text text = RL_TEXT_EMPTY;
    FUZZ_REQUIRE(rl_rates_json(rates, &text) == RL_OK);
    fuzz_write(fuzz_path(path, "again.json"), text.bytes, text.length);
    if (rl_rates_read(path, &again) == RL_OK) {
        FUZZ_REQUIRE(again.cores == rates->cores && strcmp(again.host, rates->host) == 0);
        FUZZ_REQUIRE(fabs(again.normals / rates->normals - 1) < 1e-4);
    }
    rl_free(text.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[512];
    rl_rates rates;
    rl_text text = RL_TEXT_EMPTY;
    fuzz_write(fuzz_path(path, "rates.json"), data, size);
    const rl_status status = rl_rates_read(path, &rates);
    fuzz_check_answer(status);
    if (status != RL_OK) return 0;
    FUZZ_REQUIRE(rl_rates_text(&rates, &text) == RL_OK);
    FUZZ_REQUIRE(rl_rate_at(&rates.gemv, 1e6) > 0 && rl_rate_at(&rates.dense, 100) > 0);
    check_round_trip(&rates);
    rl_free(text.bytes);
    return 0;
}
