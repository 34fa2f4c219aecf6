/*
 * merge_text.h - tags as one line of text, both ways, for tests of merges.
 *
 *     linux-amd64{ app=1 @k=v :2 $config=3 $type=a/b $subject=4 $x=5 $m@k=v $c@k=v $dx=6 $d@k=v
 * } any{ } nested=7 $type=a/b $x=8 @k=v
 *
 * is an index: an entry with its layers (one with a title "app" and the content "1", an annotation
 * of it, one without a title), config, artifactType, subject, an unknown member, annotations of
 * manifest and config, an unknown member and annotations of the descriptor; an entry without a
 * platform; a nested index; artifactType, an unknown member and annotations of the index. An entry
 * without a name and nothing else is a tag that is a single manifest, of which $image says that its
 * config is an image's. "-" is no tag. A title that
 * begins with "$" has "'" before it. Text is made in this order.
 */
#ifndef TESTS_MERGE_TEXT_H
#define TESTS_MERGE_TEXT_H

#include <stdbool.h>

#include "merge.h"

/* Every manifest that a test's tags name. */
struct merge_store {
	struct document *items;
	size_t count;
	size_t calls; /* of merge_store_get() */
	char **contents; /* of layers that don't say it themselves */
	size_t content_count;
};

/* Knows a layer of this content from now on. */
void merge_store_know(struct merge_store *store, const char *content);
/* The content that has this digest, "?" where it isn't known. */
const char *merge_store_content(const struct merge_store *store, const struct digest *digest);

void merge_store_clear(struct merge_store *store);

/* merge_input.manifest, for which a store is the context. */
int merge_store_get(
	void *store, struct document *out, const struct descriptor *entry, struct error *err);

struct merge_text_tag {
	bool exists;
	struct document root;
};

/* Fails the test where the text is wrong. */
void merge_text_parse(struct merge_text_tag *out, struct merge_store *store, const char *text);
void merge_text_clear(struct merge_text_tag *tag);

/* NULL for no tag. */
const struct document *merge_text_root(const struct merge_text_tag *tag);

/* The text of a document, the caller's to free. Manifests are found in the store or in more. Fails
 * the test where one is in neither. */
char *merge_text_format(const struct document *root, struct merge_store *store,
	const struct document *more, size_t more_count);

#endif
