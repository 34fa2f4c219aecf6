/*
 * layer_path.h - layers as paths in a platform folder.
 *
 * A title is hostile text: it becomes a name to show, never a path of the host. A layer whose
 * title is a safe relative path is that path. One without a title is sha256-<12 hex> with an
 * ending from its media type. Every other one still shows, inside its folder, under an escaped
 * name, and where that clashes with one before it, with "~" and 12 hex digits of its digest.
 */
#ifndef INDEXFS_LAYER_PATH_H
#define INDEXFS_LAYER_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "document.h"
#include "error.h"

#define ANNOTATIONS_NAME "annotations.json"
#define CONTROL_NAME ".oci"

/* Whether title is a safe relative path that a layer can have: no empty component, no "." or "..",
 * no component over 255 bytes, at most 4096 bytes in all, UTF-8 without control characters, and its
 * first component neither annotations.json nor .oci. */
bool layer_title_valid(const char *title);

/* The path of each layer of a manifest, unique among them and prefix-free (no path is both a file
 * and a folder), in the manifest's order. An array of document->count strings; free it with
 * layer_paths_free(). */
int layer_paths(char ***out, const struct document *manifest, struct error *err);
void layer_paths_free(char **paths, size_t count);

/* The folder name of each entry of an index, likewise unique: the platform's name, PLATFORM_ANY,
 * NAME~<12 hex> for a second one and for attestations, an index's ref.name or index~<12 hex>. */
int folder_names(char ***out, const struct document *index, struct error *err);

#endif
