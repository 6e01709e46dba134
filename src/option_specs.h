/* Specs of options, one per line of the tables of sources, maps and autoencoders. Private: nothing in include/ shows
 * them. */
#ifndef RL_OPTION_SPECS_H
#define RL_OPTION_SPECS_H

#include "ridgeless/core.h"

#define RL_NUMBER_SPEC(of_type, word, least, most, usual, text) \
    { .key = word, .type = of_type, .minimum = least, .maximum = most, .default_number = usual, .help = text }

/* The key, the least and the most that it may be, the default, and the help. */
#define RL_INTEGER_SPEC(...) RL_NUMBER_SPEC(RL_OPTION_INTEGER, __VA_ARGS__)
#define RL_REAL_SPEC(...)    RL_NUMBER_SPEC(RL_OPTION_REAL, __VA_ARGS__)

#define RL_REQUIRED_INTEGER_SPEC(word, least, most, text) \
    { .key = word, .type = RL_OPTION_INTEGER, .required = true, .minimum = least, .maximum = most, .help = text }

#define RL_FLAG_SPEC(word, usual, text) \
    { .key = word, .type = RL_OPTION_FLAG, .default_number = usual, .help = text }

#define RL_CHOICE_SPEC(word, usual, words, text) \
    { .key = word, .type = RL_OPTION_CHOICE, .default_text = usual, .choices = words, .help = text }

#define RL_REQUIRED_TEXT_SPEC(word, text) \
    { .key = word, .type = RL_OPTION_TEXT, .required = true, .help = text }

#endif
