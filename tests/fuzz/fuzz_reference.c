/* Whatever is taken as a reference has a canonical text that is taken as the same reference. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same(const struct reference *a, const struct reference *b)
{
	return a->transport == b->transport && same_text(a->host, b->host) &&
	       same_text(a->path, b->path) && same_text(a->tag, b->tag) &&
	       digest_equal(&a->digest, &b->digest);
}

/* What the rest of the program relies on. */
static void check_parts(const struct reference *reference)
{
	struct digest digest;

	require((reference->host != NULL) == (reference->transport == REFERENCE_REGISTRY));
	require(reference->host || reference->path);
	require(!reference->path || *reference->path);
	require(!reference->tag || (tag_valid(reference->tag) && reference->path));
	require(!reference->tag || !digest_is_set(&reference->digest));
	require(!digest_is_set(&reference->digest) ||
		digest_parse(&digest, reference->digest.text));
	if (!reference->host)
		return;
	require(!strpbrk(reference->host, "/@?# \t\r\n"));
	require(!reference->path ||
		(!strpbrk(reference->path, "%?#:@ \t\r\n") && !strstr(reference->path, "..")));
	host_is_loopback(reference->host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	struct reference first, second;
	char *text = strndup((const char *)data, size);

	if (reference_parse(&first, text, &err)) {
		require(err.kind == ERROR_INVALID && *err.message);
		require(!first.host && !first.path && !first.tag);
	} else {
		char *canonical = reference_text(&first);

		check_parts(&first);
		require(reference_parse(&second, canonical, NULL) == 0);
		require(same(&first, &second));
		char *again = reference_text(&second);
		require(strcmp(canonical, again) == 0);
		free(again);
		free(canonical);
		reference_clear(&second);
		reference_clear(&first);
	}
	host_is_loopback(text);
	free(text);
	return 0;
}
