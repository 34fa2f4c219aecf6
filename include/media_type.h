/*
 * media_type.h - the media types that this program knows by name.
 */
#ifndef INDEXFS_MEDIA_TYPE_H
#define INDEXFS_MEDIA_TYPE_H

#include <stdbool.h>

#define MEDIA_TYPE_INDEX "application/vnd.oci.image.index.v1+json"
#define MEDIA_TYPE_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_TYPE_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_TYPE_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_TYPE_IMAGE_CONFIG "application/vnd.oci.image.config.v1+json"
#define MEDIA_TYPE_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define MEDIA_TYPE_EMPTY "application/vnd.oci.empty.v1+json"
#define MEDIA_TYPE_OCTETS "application/octet-stream"
#define ARTIFACT_TYPE_UNKNOWN "application/vnd.unknown.artifact.v1"

/* The empty config (image-spec 1.1, manifest.md "Guidance for an Empty Descriptor"). */
#define EMPTY_JSON "{}"
#define EMPTY_JSON_DIGEST "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

/* RFC 6838 type/subtype, without parameters. */
bool media_type_valid(const char *media_type);

/* The type of a new layer by its file name: .tar .tar.gz .tgz .tar.zst .json, else fallback. */
const char *media_type_for_name(const char *name, const char *fallback);

/* The ending of a file name for a layer without a title: ".tar.gz", ".tar.zst", ".tar", ".json"
 * or "". */
const char *media_type_suffix(const char *media_type);

/* Whether layers of this type are kept elsewhere, and no registry has to have them (image-spec 1.1,
 * layer.md, "Non-Distributable Layers"). */
bool media_type_is_elsewhere(const char *media_type);

#endif
