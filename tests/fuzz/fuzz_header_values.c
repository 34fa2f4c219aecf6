/* Link and Warning headers: what is found lies within the text, and the search ends. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/link_header.h"
#include "registry/model/warning.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[WARNING_TEXT_MAX + 1];
	char *value = malloc(size + 1);
	const char *target, *at, *next;
	size_t len;

	if (!value)
		abort();
	memcpy(value, data, size);
	value[size] = '\0';
	if (link_header_next(&target, &len, value) &&
		(target < value || !len || target + len > value + strlen(value)))
		abort();
	for (at = value; (next = warning_next(text, at)); at = next) {
		if (next <= at || next > value + size || strlen(text) > WARNING_TEXT_MAX)
			abort();
	}
	free(value);
	return 0;
}
