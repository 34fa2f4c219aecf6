/*
 * homebrew.h - Homebrew's conventions for bottles on a registry, as docs/homebrew.md tells them.
 *
 * What a mount gives, and what it says:
 *
 *     the tag's name                  VERSION, or VERSION-REBUILD
 *     its annotations.json            the formula: title is its full name; created, description,
 *                                     licenses, revision, source, url, vendor, version
 *     a folder's name                 the platform of the entry; "any" for an "all" bottle
 *     the folder's one file           the bottle: NAME--VERSION.TAG.bottle[.REBUILD].tar.gz
 *     $descriptor in the folder       sh.brew.tab, as `brew bottle --json` has it, and what
 *                                     else is known: sh.brew.bottle.installed_size,
 * sh.brew.license, sh.brew.path_exec_files, sh.brew.sbom.supplement $manifest in the folder
 * created, where this bottle's is not the formula's
 *
 * All else is derived: every ref.name, sh.brew.bottle.digest and .size, the title of a manifest,
 * its other annotations (the union of the formula's and the descriptor's), documentation of a core
 * formula, the config. What is derived replaces what was given. Annotations that aren't Homebrew's
 * are kept, after Homebrew's own; blank ones are dropped.
 *
 * Nothing here is said twice without being compared: a file name that isn't of this formula,
 * version and rebuild, and a folder that isn't what the tab and the file's name say, are
 * ERROR_INVALID.
 */
#ifndef INDEXFS_HOMEBREW_H
#define INDEXFS_HOMEBREW_H

#include <stddef.h>

#include "annotations.h"
#include "descriptor.h"
#include "digest.h"
#include "document.h"
#include "error.h"
#include "platform.h"

/* What an index is for. */
struct homebrew_formula {
	struct annotations annotations; /* of the index, in Homebrew's order */
	char *version; /* without the rebuild */
	char *rebuild; /* its digits; NULL: 0 */
	char *license; /* in full, where annotations may have it cut; NULL: not known */
};

#define HOMEBREW_FORMULA_INIT                                                                      \
	{                                                                                          \
		.version = NULL                                                                    \
	}

/* given: the annotations of the index, as the user has them. */
int homebrew_formula_read(struct homebrew_formula *out, const struct annotations *given,
	const char *tag, struct error *err);
void homebrew_formula_clear(struct homebrew_formula *formula);

/* What a folder gives; all of it borrowed. */
struct homebrew_bottle {
	const struct platform *platform; /* NULL: the folder "any" */
	const struct descriptor *layers; /* its files, each with its title */
	size_t layer_count;
	const struct digest *diff_id; /* of the first of them */
	const struct annotations *descriptor, *manifest;
	/* What the entry's present config says, NULL where there is none: an "all" bottle that has
	 * been published has a tab that no longer says where it was built. */
	const struct platform *config_platform;
};

/* What is made of it, each new, as Homebrew makes it. */
struct homebrew_entry {
	char *config; /* an image config */
	size_t config_len;
	struct digest config_digest;
	struct document manifest;
	struct descriptor descriptor;
};

#define HOMEBREW_ENTRY_INIT                                                                        \
	{                                                                                          \
		.config = NULL                                                                     \
	}

int homebrew_entry_make(struct homebrew_entry *out, const struct homebrew_formula *formula,
	const struct homebrew_bottle *bottle, struct error *err);
void homebrew_entry_clear(struct homebrew_entry *entry);

/* A bottle's manifest from its parts. */
int homebrew_manifest_make(struct document *out, const struct descriptor *config,
	const struct descriptor *layer, const struct annotations *annotations, struct error *err);

/* The index with these entries. base: the index that is there now, of which all else is kept; or
 * NULL. ERROR_INVALID where two entries have one ref.name, ERROR_TOO_LARGE from 4 MiB on. */
int homebrew_index_make(struct document *out, const struct document *base,
	const struct homebrew_formula *formula, const struct descriptor *entries, size_t count,
	struct error *err);

#endif
