/* Whatever a registry or a proxy says when it refuses becomes one line of bounded length. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/registry_error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *text, size_t max)
{
	if (strnlen(text, max + 1) > max)
		abort();
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct registry_error said;

	registry_error_parse(&said, (const char *)data, size);
	check_line(said.text, REGISTRY_ERROR_TEXT_MAX);
	check_line(said.code, sizeof said.code - 1);
	for (int status = 300; status < 600; status += 1)
		if (registry_error_kind(status, &said) == ERROR_NONE)
			abort();
	return 0;
}
