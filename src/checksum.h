/* XXH3-64, the checksum of files and settings. It is the same by registers of any width, and the library's own choice
 * is the narrowest: where it has functions that look what the processor has, these stand in their place. Private. */
#ifndef RL_CHECKSUM_H
#define RL_CHECKSUM_H

#ifdef RL_XXHASH_DISPATCH
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

#endif
