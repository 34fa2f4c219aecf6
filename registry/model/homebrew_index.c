#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry/model/homebrew_parts.h"

static int name_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* brew finds its bottle by ref.name. */
static int names_check(const struct descriptor *entries, size_t count, struct error *err)
{
	cleanup_free const char **names = calloc(count + 1, sizeof(*names));
	size_t found = 0;

	if (!names)
		return error_set_memory(err);
	for (size_t i = 0; i < count; i++) {
		names[found] = annotations_get(&entries[i].annotations, ANNOTATION_REF_NAME);
		found += names[found] != NULL;
	}
	qsort(names, found, sizeof(*names), name_compare);
	for (size_t i = 1; i < found; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			return error_set(err, ERROR_INVALID, "two folders have a bottle \"%.128s\"",
				names[i]);
	return 0;
}

static int index_begin(struct document *out, const struct document *base, struct error *err)
{
	static const char empty[] = "{\n  \"schemaVersion\": 2,\n  \"manifests\": []\n}";

	return base ? document_copy(out, base, err)
		    : document_parse(out, NULL, empty, strlen(empty), err);
}

int homebrew_index_make(struct document *out, const struct document *base,
	const struct homebrew_formula *formula, const struct descriptor *entries, size_t count,
	struct error *err)
{
	*out = (struct document)DOCUMENT_INIT;
	if (names_check(entries, count, err) || index_begin(out, base, err))
		return -1;
	if (document_set_items(out, entries, count, err) == 0 &&
		document_set_annotations(out, &formula->annotations, err) == 0) {
		if (out->json_len < DOCUMENT_SIZE_MAX)
			return 0;
		error_set(err, ERROR_TOO_LARGE,
			"GitHub's registry takes an index of less than 4 MiB");
	}
	document_clear(out);
	return -1;
}
