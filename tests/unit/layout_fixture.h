/*
 * layout_fixture.h - a layout in a temporary folder, and small images to put in it.
 */
#ifndef INDEXFS_TESTS_UNIT_LAYOUT_FIXTURE_H
#define INDEXFS_TESTS_UNIT_LAYOUT_FIXTURE_H

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "media_type.h"
#include "publish.h"
#include "store.h"

struct fixture {
	char root[128]; /* the temporary folder */
	char path[160]; /* of the layout in it */
	struct store *store;
};

static inline int open_at(struct store **out, const char *path, struct error *err)
{
	const struct store_options options = STORE_OPTIONS_DEFAULT;
	char name[PATH_MAX];
	struct reference reference = {.transport = REFERENCE_LAYOUT, .path = name};

	snprintf(name, sizeof(name), "%s", path);
	return store_open(out, &reference, &options, NULL, err);
}

static inline void fixture_open(struct fixture *fixture)
{
	struct error err = ERROR_INIT;

	ck_assert_msg(open_at(&fixture->store, fixture->path, &err) == 0, "%s", err.message);
}

/* A new temporary folder, and in it a new layout. */
static inline void fixture_start(struct fixture *fixture)
{
	const char *base = getenv("TMPDIR");

	snprintf(fixture->root, sizeof(fixture->root), "%s/indexfs-layout-XXXXXX",
		base ? base : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(fixture->root));
	snprintf(fixture->path, sizeof(fixture->path), "%s/layout", fixture->root);
	fixture_open(fixture);
}

__attribute__((format(printf, 1, 2))) static inline int run(const char *format, ...)
{
	char command[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command); /* NOLINT(cert-env33-c): tests run tools */
}

static inline void fixture_stop(struct fixture *fixture)
{
	if (fixture->store)
		store_close(fixture->store);
	run("rm -rf '%s'", fixture->root);
}

/* The path of something in the layout; the text is good until the next call but one. */
__attribute__((format(printf, 2, 3))) static inline const char *in_layout(
	const struct fixture *fixture, const char *format, ...)
{
	static char paths[2][PATH_MAX];
	static int turn;
	char *path = paths[turn ^= 1];
	int len = snprintf(path, PATH_MAX, "%s/", fixture->path);
	va_list args;

	va_start(args, format);
	vsnprintf(path + len, PATH_MAX - (size_t)len, format, args);
	va_end(args);
	return path;
}

static inline void file_put(const char *path, const void *bytes, size_t len)
{
	cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
}

static inline void text_put(const char *path, const char *text)
{
	file_put(path, text, strlen(text));
}

/* The file's text; the caller frees it. */
static inline char *text_get(const char *path)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;

	ck_assert_msg(fd >= 0, "%s can't be opened", path);
	ck_assert_int_eq(fstat(fd, &st), 0);
	text = calloc(1, (size_t)st.st_size + 1);
	ck_assert_int_eq(read(fd, text, (size_t)st.st_size), st.st_size);
	return text;
}

/* How many names the folder has, but for "." and ".."; -1 where it isn't there. */
static inline int names_count(const char *path)
{
	DIR *list = opendir(path);
	int count = -2;

	if (!list)
		return -1;
	while (readdir(list))
		count++;
	closedir(list);
	return count;
}

static inline int bytes_fd(const void *bytes, size_t len)
{
	int fd = memfd_create("source", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
	return fd;
}

static inline int blob_put(struct store *store, const struct digest *digest, const void *bytes,
	size_t len, struct error *err)
{
	cleanup_close int fd = bytes_fd(bytes, len);
	const struct store_source source = {.fd = fd, .size = (int64_t)len};

	return store->ops->blob_put(store, digest, &source, NULL, err);
}

static inline void blob_must_put(struct store *store, const char *text, struct digest *digest)
{
	struct error err = ERROR_INIT;

	digest_of_bytes(digest, text, strlen(text));
	ck_assert_msg(blob_put(store, digest, text, strlen(text), &err) == 0, "%s", err.message);
}

/* A manifest of one layer, whose content is seed, and its blobs in the store. */
static inline void image_make(struct store *store, struct document *out, const char *seed)
{
	static const char config_text[] = "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":"
					  "{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}";
	struct digest layer;
	struct digest config;
	struct error err = ERROR_INIT;
	char config_json[512];
	char json[2048];

	blob_must_put(store, seed, &layer);
	snprintf(config_json, sizeof(config_json), config_text, layer.text);
	blob_must_put(store, config_json, &config);
	snprintf(json, sizeof(json),
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_MANIFEST
		"\",\"config\":{\"mediaType\":\"" MEDIA_TYPE_IMAGE_CONFIG
		"\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
		"\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\",\"size\":%zu}]}",
		config.text, strlen(config_json), layer.text, strlen(seed));
	ck_assert_msg(document_parse(out, NULL, json, strlen(json), &err) == 0, "%s", err.message);
}

static inline int document_put(
	struct store *store, const struct document *document, const char *tag, struct error *err)
{
	return store->ops->document_put(store, document, tag, NULL, NULL, err);
}

/* Puts an image of this seed, under the tag. */
static inline void image_put(struct store *store, const char *seed, const char *tag)
{
	struct document image = DOCUMENT_INIT;
	struct error err = ERROR_INIT;

	image_make(store, &image, seed);
	ck_assert_msg(document_put(store, &image, tag, &err) == 0, "%s", err.message);
	document_clear(&image);
}

/* The tag's document and all that it names are there and right. */
static inline void image_check(struct store *store, const char *tag, const char *seed)
{
	struct document image = DOCUMENT_INIT;
	struct buf layer = BUF_INIT(4096);
	struct error err = ERROR_INIT;
	struct reference reference = {.tag = (char *)tag};

	ck_assert_msg(resolve_root(store, &image, &reference, NULL, &err) == 0, "%s", err.message);
	ck_assert_uint_eq(image.count, 1);
	ck_assert_msg(store_blob_read(store, &layer, &image.items[0], NULL, &err) == 0, "%s",
		err.message);
	ck_assert_str_eq(layer.data, seed);
	ck_assert_msg(
		store_blob_read(store, &layer, &image.config, NULL, &err) == 0, "%s", err.message);
	buf_free(&layer);
	document_clear(&image);
}

#endif
