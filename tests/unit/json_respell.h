/*
 * json_respell.h - the same JSON, written differently.
 */
#ifndef TESTS_JSON_RESPELL_H
#define TESTS_JSON_RESPELL_H

#include <stdint.h>

/* Members of objects change places, white space comes and goes, characters of strings become
 * escapes, all as the seed says. text must be JSON. The caller frees it. */
char *json_respell(const char *text, uint64_t seed);

#endif
