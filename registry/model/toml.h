/*
 * toml.h - reads the part of TOML 1.0 that configuration files of containers are written in.
 *
 * Comments, tables, arrays of tables, dotted and quoted keys, strings of all four kinds, booleans.
 * Numbers, dates, arrays and inline tables are passed over where they are well formed. That a key
 * stands twice isn't minded.
 */
#ifndef INDEXFS_MODEL_TOML_H
#define INDEXFS_MODEL_TOML_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

enum toml_type { TOML_STRING, TOML_BOOLEAN, TOML_OTHER };

struct toml_value {
	enum toml_type type;
	const char *text; /* of a string; "" else */
	bool truth; /* of a boolean */
};

/* Told what a text holds, in its order. Names are dotted, and all is borrowed. -1, with *err set,
 * ends the reading. */
struct toml_sink {
	/* [name], or with is_element [[name]]. */
	int (*table)(void *context, const char *name, bool is_element, struct error *err);
	int (*value)(
		void *context, const char *key, const struct toml_value *value, struct error *err);
	void *context;
};

/* ERROR_INVALID, beginning with "line N: ", for what isn't TOML, and before what the sink says. */
int toml_read(const char *text, size_t len, const struct toml_sink *sink, struct error *err);

#endif
