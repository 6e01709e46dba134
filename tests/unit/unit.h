/* cmocka with what it needs before it, in the order it needs. */
#ifndef RL_TEST_UNIT_H
#define RL_TEST_UNIT_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#endif
