/* What -o require= takes are platforms, each of which an index can have or lack. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char empty[] = "{\"schemaVersion\":2,\"manifests\":[]}";
	struct error err = ERROR_INIT;
	struct document index;
	struct require wanted;
	char *text = strndup((const char *)data, size);

	require(text != NULL);
	if (require_parse(&wanted, text, &err)) {
		require(err.kind == ERROR_INVALID && *err.message && !wanted.count);
	} else {
		require(document_parse(&index, NULL, empty, strlen(empty), NULL) == 0);
		require((require_check(&wanted, &index, NULL, &err) == 0) == (wanted.count == 0));
		document_clear(&index);
	}
	require_clear(&wanted);
	free(text);
	return 0;
}
