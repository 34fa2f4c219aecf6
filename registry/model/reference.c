#include "reference.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "registry/model/reference_host.h"

#define DOCKER_HOST "docker.io"
#define DOCKER_PREFIX "library/"
#define NAME_LEN_MAX 255 /* of HOST/REPO: distribution-spec 1.1, "Pulling manifests" */
#define LOWER_DIGITS "abcdefghijklmnopqrstuvwxyz0123456789"

#define SHOWN "\"%.300s\""

void reference_clear(struct reference *reference)
{
	free(reference->host);
	free(reference->path);
	free(reference->tag);
	*reference = (struct reference){.host = NULL};
}

bool tag_valid(const char *tag)
{
	static const char word[] = LOWER_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZ_.-";
	size_t len = strnlen(tag, TAG_MAX + 1);

	return len > 0 && len <= TAG_MAX && strspn(tag, word) == len && *tag != '.' && *tag != '-';
}

static int put_text(char **out, const char *text, size_t len, struct error *err)
{
	*out = strndup(text, len);
	return *out ? 0 : error_set_memory(err);
}

static size_t separator_len(const char *p)
{
	if (*p == '-')
		return strspn(p, "-");
	if (*p == '_')
		return p[1] == '_' ? 2 : 1;
	return *p == '.' || *p == '/' ? 1 : 0;
}

/* Where the name breaks the grammar of repositories, or NULL:
 * [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* with "/" between the components. */
static const char *find_wrong(const char *name)
{
	for (;;) {
		size_t len = strspn(name, LOWER_DIGITS);

		if (len == 0 || !name[len])
			return len ? NULL : name;
		name += len;
		len = separator_len(name);
		if (len == 0)
			return name;
		name += len;
	}
}

static int check_repository(const struct reference *reference, const char *text, struct error *err)
{
	const char *wrong = find_wrong(reference->path);

	if (wrong && isupper((unsigned char)*wrong))
		return error_set(err, ERROR_INVALID,
			SHOWN ": a repository can't have upper-case letters, but has at " SHOWN,
			text, wrong);
	if (wrong && *wrong)
		return error_set(err, ERROR_INVALID,
			SHOWN ": the repository breaks the grammar of names at " SHOWN, text,
			wrong);
	if (wrong)
		return error_set(
			err, ERROR_INVALID, SHOWN ": the repository's name is not complete", text);
	if (strlen(reference->host) + 1 + strlen(reference->path) > NAME_LEN_MAX)
		return error_set(err, ERROR_INVALID,
			SHOWN ": host and repository are over %d bytes long", text, NAME_LEN_MAX);
	return 0;
}

static int check_tag(const char *tag, const char *text, struct error *err)
{
	if (tag_valid(tag))
		return 0;
	return error_set(err, ERROR_INVALID,
		SHOWN ": " SHOWN " is no tag, which is up to %d letters, digits, \"_\", \".\" and "
		      "\"-\", beginning with none of the last two",
		text, tag, TAG_MAX);
}

/* REPO[:TAG][@DIGEST]. As with docker, the digest outweighs a tag beside it. */
static int parse_repository(
	struct reference *out, const char *rest, const char *text, struct error *err)
{
	const char *prefix = "";
	size_t len = strcspn(rest, ":@");
	const char *at = strchr(rest, '@');

	if (at && !digest_parse(&out->digest, at + 1))
		return error_set(
			err, ERROR_INVALID, SHOWN ": " SHOWN " is no digest", text, at + 1);
	if (rest[len] == ':') {
		const char *tag = rest + len + 1;
		size_t tag_len = at ? (size_t)(at - tag) : strlen(tag);

		if (put_text(&out->tag, tag, tag_len, err) || check_tag(out->tag, text, err))
			return -1;
		if (at) {
			free(out->tag);
			out->tag = NULL;
		}
	}
	if (strcmp(out->host, DOCKER_HOST) == 0 && !memchr(rest, '/', len))
		prefix = DOCKER_PREFIX;
	if (asprintf(&out->path, "%s%.*s", prefix, (int)len, rest) < 0) {
		out->path = NULL;
		return error_set_memory(err);
	}
	return check_repository(out, text, err);
}

static int parse_registry(
	struct reference *out, const char *source, const char *text, struct error *err)
{
	size_t len = strcspn(source, "/");
	bool slash = source[len] == '/';
	bool has_host =
		slash ? host_before_slash(source, len) : *source && host_stands_alone(source);
	const char *rest = has_host ? source + len + slash : source;

	out->transport = REFERENCE_REGISTRY;
	if (strlen(source) > NAME_LEN_MAX + 1 + TAG_MAX + 1 + DIGEST_TEXT_SIZE)
		return error_set(err, ERROR_INVALID, SHOWN "...: too long", text);
	if (!*source)
		return error_set(err, ERROR_INVALID, SHOWN ": no registry is named", text);
	if (has_host ? put_text(&out->host, source, len, err)
		     : put_text(&out->host, DOCKER_HOST, strlen(DOCKER_HOST), err))
		return -1;
	const char *wrong = host_wrong(out->host);
	if (wrong)
		return error_set(err, ERROR_INVALID, SHOWN ": %s", text, wrong);
	if (!strcasecmp(out->host, DOCKER_HOST) || !strcasecmp(out->host, "index." DOCKER_HOST))
		strcpy(out->host, DOCKER_HOST);
	if (has_host && !*rest)
		return 0;
	return parse_repository(out, rest, text, err);
}

/* "@" and a digest at the end, of an algorithm that a path is not likely to name. */
static int take_layout_digest(
	struct reference *out, size_t *len, const char *path, const char *text, struct error *err)
{
	const char *at = strrchr(path, '@');

	if (!at || (strncmp(at, "@sha256:", 8) != 0 && strncmp(at, "@sha512:", 8) != 0))
		return 0;
	if (!digest_parse(&out->digest, at + 1))
		return error_set(
			err, ERROR_INVALID, SHOWN ": " SHOWN " is no digest", text, at + 1);
	*len = (size_t)(at - path);
	return 0;
}

/* A tag after the last ":" of the first *len bytes. Where no tag can be, the ":" is the path's. */
static int take_layout_tag(
	struct reference *out, size_t *len, const char *path, const char *text, struct error *err)
{
	char tag[TAG_MAX + 1];
	const char *colon = memrchr(path, ':', *len);

	if (!colon)
		return 0;
	size_t tag_len = *len - (size_t)(colon + 1 - path);
	if (tag_len == 0)
		return error_set(err, ERROR_INVALID, SHOWN ": no tag comes after the \":\"", text);
	if (tag_len > TAG_MAX)
		return 0;
	memcpy(tag, colon + 1, tag_len);
	tag[tag_len] = '\0';
	if (!tag_valid(tag))
		return 0;
	if (digest_is_set(&out->digest))
		return error_set(err, ERROR_INVALID,
			SHOWN ": a layout takes a tag or a digest, not both", text);
	*len = (size_t)(colon - path);
	return put_text(&out->tag, tag, tag_len, err);
}

static int parse_layout(
	struct reference *out, const char *path, const char *text, struct error *err)
{
	size_t len = strlen(path);

	out->transport = REFERENCE_LAYOUT;
	if (strncmp(path, "//", 2) == 0)
		return error_set(err, ERROR_INVALID,
			SHOWN ": oci: takes a local folder (a registry is docker://HOST/REPO)",
			text);
	if (take_layout_digest(out, &len, path, text, err) ||
		take_layout_tag(out, &len, path, text, err))
		return -1;
	if (len == 0)
		return error_set(err, ERROR_INVALID, SHOWN ": no folder is named", text);
	return put_text(&out->path, path, len, err);
}

static int parse(struct reference *out, const char *text, struct error *err)
{
	static const char docker[] = "docker://";
	const char *source = text;

	if (strncmp(text, "oci:", 4) == 0)
		return parse_layout(out, text + 4, text, err);
	if (strncmp(text, docker, strlen(docker)) == 0)
		source += strlen(docker);
	if (strstr(source, "://"))
		return error_set(err, ERROR_INVALID,
			SHOWN ": a source is HOST/REPO:TAG or oci:FOLDER:TAG, not a URL", text);
	return parse_registry(out, source, text, err);
}

int reference_parse(struct reference *out, const char *text, struct error *err)
{
	*out = (struct reference){.host = NULL};
	if (parse(out, text, err)) {
		reference_clear(out);
		return -1;
	}
	return 0;
}

char *reference_text(const struct reference *reference)
{
	bool layout = reference->transport == REFERENCE_LAYOUT;
	bool pinned = digest_is_set(&reference->digest);
	const char *start = layout ? "oci:" : reference->host;
	const char *path = reference->path ? reference->path : "";
	/* Without its slash, "host:5000/" would be a repository with a tag. */
	const char *slash =
		layout || (!reference->path && host_stands_alone(reference->host)) ? "" : "/";
	const char *mark = pinned ? "@" : reference->tag ? ":" : "";
	const char *version = pinned	       ? reference->digest.text
			      : reference->tag ? reference->tag
					       : "";
	char *text;

	return asprintf(&text, "%s%s%s%s%s", start, slash, path, mark, version) < 0 ? NULL : text;
}
