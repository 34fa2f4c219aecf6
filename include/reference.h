/*
 * reference.h - what a SOURCE on the command line names.
 *
 *     [docker://]HOST[:PORT][/REPO[:TAG|@DIGEST]]     a registry, by docker's rules
 *     oci:PATH[:TAG|@DIGEST]                          an OCI image layout folder
 *
 * Docker's rules: the first component is a host if it has a "." or a ":" or is "localhost" or
 * stands in brackets (IPv6); else the host is docker.io, and a repository of one component is
 * "library/" before it. A name without a slash is a host only by those rules without the bare
 * ":PORT" (so "localhost:5000" and "registry.example:5000" are hosts, "ubuntu:22.04" is a tag).
 * Grammar of names and tags: distribution-spec 1.1, "Pull".
 */
#ifndef INDEXFS_REFERENCE_H
#define INDEXFS_REFERENCE_H

#include <stdbool.h>

#include "digest.h"
#include "error.h"

#define TAG_MAX 128

enum reference_transport { REFERENCE_REGISTRY, REFERENCE_LAYOUT };

struct reference {
	enum reference_transport transport;
	char *host; /* registry: HOST[:PORT] as the user knows it, "docker.io" for short names;
		       NULL for a layout */
	char *path; /* registry: the repository, NULL for a whole registry; layout: the folder */
	char *tag; /* NULL where none was given; no tag is assumed */
	struct digest digest; /* not set where none was given */
};

/* ERROR_INVALID says what is wrong with the text and where. *out is empty on failure. */
int reference_parse(struct reference *out, const char *text, struct error *err);
void reference_clear(struct reference *reference);

/* The canonical text, for messages and for naming state on disk; the caller frees it. */
char *reference_text(const struct reference *reference);

/* Whether the name can be a tag (distribution-spec: [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}). */
bool tag_valid(const char *tag);

/* Whether the host is this machine by name or address: localhost, 127.0.0.0/8, [::1]. Plain HTTP
 * is implied for those, as docker does. The port, if any, is ignored. */
bool host_is_loopback(const char *host);

#endif
