/* Whatever a registry sends as a list of tags, what comes of it are tags. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"
#include "registry/model/tag_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *context, const char *tag, struct error *err)
{
	size_t *left = context;

	if (!tag_valid(tag))
		abort();
	if (!(*left)--)
		return error_set(err, ERROR_TOO_LARGE, "enough");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t left = size ? data[0] : 0;
	struct error err = ERROR_INIT;
	char *text = malloc(size + 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (tag_list_read(text, size, take, &left, &err) && err.kind != ERROR_CORRUPT &&
		err.kind != ERROR_TOO_LARGE)
		abort();
	free(text);
	return 0;
}
