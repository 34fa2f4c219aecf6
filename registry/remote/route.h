/*
 * route.h - a repository that registries.conf says something about, as a store.
 *
 * Its mirrors are asked first, in order, and after any failure the next, and at last the repository
 * itself, which may have another place than its name says. Mirrors may lag behind: they give
 * documents by their digests and blobs, which can't be wrong. What a tag names they tell only where
 * nothing will be written (store_options.only_reads): a commit upon a tag of yesterday would undo
 * what others have published since. All that is written, and lists, concern the repository itself.
 */
#ifndef INDEXFS_REMOTE_ROUTE_H
#define INDEXFS_REMOTE_ROUTE_H

#include "log.h"
#include "registry/model/registries_conf.h"
#include "store.h"

/* name is HOST[:PORT]/REPOSITORY, of which the first matched bytes are what the entry is about.
 * ERROR_INVALID where a place can't be a repository. */
int route_open(struct store **out, const char *name, const struct registries_entry *entry,
	size_t matched, const struct store_options *options, struct log *log, struct error *err);

#endif
