/* What the strict reader passes, the tolerant one takes, as the same kind; and it says why not. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"
#include "document_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static bool passes(const char *text, size_t len, enum document_expected expected)
{
	struct error err = ERROR_INIT;

	if (document_check(text, len, expected, &err) == 0) {
		require(!error_is_set(&err));
		return true;
	}
	require(err.kind == ERROR_INVALID || err.kind == ERROR_TOO_LARGE);
	require(*err.message);
	return false;
}

static void check_document(const char *text, size_t len)
{
	bool index = passes(text, len, DOCUMENT_ONLY_INDEX);
	bool manifest = passes(text, len, DOCUMENT_ONLY_MANIFEST);
	struct document document;

	require(!index || !manifest);
	require(passes(text, len, DOCUMENT_EITHER) == (index || manifest));
	if (!index && !manifest)
		return;
	require(document_parse(&document, NULL, text, len, NULL) == 0);
	require(document.kind == (index ? DOCUMENT_INDEX : DOCUMENT_MANIFEST));
	for (size_t i = 0; i < document.count; i++)
		require(descriptor_check(
				document.items[i].json, document.items[i].json_len, NULL) == 0);
	document_clear(&document);
}

static void check_descriptor(const char *text, size_t len)
{
	struct descriptor descriptor;

	if (descriptor_check(text, len, NULL))
		return;
	require(descriptor_parse(&descriptor, text, len, NULL) == 0);
	descriptor_clear(&descriptor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_document((const char *)data, size);
	check_descriptor((const char *)data, size);
	return 0;
}
