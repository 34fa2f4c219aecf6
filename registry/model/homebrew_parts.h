/*
 * homebrew_parts.h - what the makers of Homebrew's documents share.
 */
#ifndef INDEXFS_MODEL_HOMEBREW_PARTS_H
#define INDEXFS_MODEL_HOMEBREW_PARTS_H

#include <stdbool.h>

#include "homebrew.h"

#define OCI_KEY(name) "org.opencontainers.image." name
#define BREW_KEY(name) "sh.brew." name

#define KEY_PACKAGE_TYPE "com.github.package.type"
#define KEY_TAB BREW_KEY("tab")

/* Whether Homebrew's readers take a value for none: nothing but white space. */
bool homebrew_blank(const char *text);

/* Sets key to value; a blank value, or NULL, leaves it out. */
int homebrew_set(struct annotations *out, const char *key, const char *value, struct error *err);

/* Appends the pairs of given whose keys the filter doesn't know. */
int homebrew_set_others(struct annotations *out, const struct annotations *given,
	bool (*known)(const char *key), struct error *err);

/* The license as an index takes it: 255 bytes. The caller's to free; NULL when out of memory. */
char *homebrew_license_cut(const char *license);

/* What a bottle is built for, by its tag: "arm64_sequoia", "sonoma" (Intel), "x86_64_linux". */
struct bottle_tag {
	char text[64]; /* in Homebrew's spelling */
	const char *architecture; /* Go's; NULL: not known, or "all" */
	bool all, on_linux;
	const char *macos; /* its version; NULL: not macOS, or not known */
};

/* Finds the tag in the name of a bottle's file, which must be of this formula. */
int bottle_tag_find(struct bottle_tag *out, const char *file,
	const struct homebrew_formula *formula, struct error *err);

/* What of a tab concerns its registry. Blank is NULL. */
struct bottle_tab {
	char *text; /* compact; that of an "all" bottle doesn't say where it was built */
	char *arch, *os, *os_version, *glibc_version, *cpu_family;
};

int bottle_tab_read(struct bottle_tab *out, const char *json, bool all, struct error *err);
void bottle_tab_clear(struct bottle_tab *tab);

/* The platform that a bottle was built on. fallback: where the tab of an "all" bottle doesn't say.
 */
int bottle_platform(struct platform *out, const struct bottle_tag *tag,
	const struct bottle_tab *tab, const struct platform *fallback, struct error *err);

#endif
