/* Values of the command line: numbers and sizes of memory. */
#include <math.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { LEAST = -3, MOST = 1000000 };
    char text[256];
    double real;
    int64_t integer, bytes;
    if (size >= sizeof text) return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    const bool is_real = rl_parse_real(text, &real);
    if (is_real) FUZZ_REQUIRE(isfinite(real) && strpbrk(text, "0123456789") != NULL);
    if (rl_parse_integer(text, LEAST, MOST, &integer)) {
        FUZZ_REQUIRE(integer >= LEAST && integer <= MOST);
        FUZZ_REQUIRE(is_real && real == (double)integer);
    }
    if (rl_parse_bytes(text, &bytes)) FUZZ_REQUIRE(bytes >= 1);
    return 0;
}
