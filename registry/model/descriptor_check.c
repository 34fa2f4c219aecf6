/*
 * descriptor_check.c - the MUSTs of descriptor.md, and of a platform (image-index.md).
 */
#include <ctype.h>
#include <string.h>

#include "cleanup.h"
#include "descriptor.h"
#include "document_check.h"
#include "registry/model/base64.h"
#include "registry/model/check.h"

static int check_digest(struct check *check, struct json_span span)
{
	cleanup_free char *text = NULL;
	struct digest digest;

	if (check_string_read(&text, check, span))
		return -1;
	if (!digest_parse(&digest, text))
		return check_error(check, span.start, "\"%.128s\" is not a digest", text);
	return 0;
}

static int check_size(struct check *check, struct json_span span)
{
	int64_t size;

	return json_integer_read(&size, &check->text, span, DESCRIPTOR_SIZE_MAX, "it", check->err);
}

/* What may stand in a URI (RFC 3986, appendix A), but for the percent sign. */
static bool uri_character(char c)
{
	return isascii((unsigned char)c) &&
	       (isalnum((unsigned char)c) || (c && strchr("-._~:/?#[]@!$&'()*+,;=", c)));
}

static bool uri_valid(const char *text)
{
	const char *c = text;

	if (!isascii((unsigned char)*c) || !isalpha((unsigned char)*c))
		return false;
	while (isascii((unsigned char)*c) &&
		(isalnum((unsigned char)*c) || (*c && strchr("+-.", *c))))
		c++;
	if (*c++ != ':')
		return false;
	for (; *c; c++) {
		if (*c == '%' && isxdigit((unsigned char)c[1]) && isxdigit((unsigned char)c[2]))
			c += 2;
		else if (!uri_character(*c))
			return false;
	}
	return true;
}

static int check_uri(struct check *check, struct json_span span)
{
	cleanup_free char *uri = NULL;

	if (check_string_read(&uri, check, span))
		return -1;
	if (!uri_valid(uri))
		return check_error(check, span.start, "\"%.128s\" is not a URI", uri);
	return 0;
}

static int check_uris(struct check *check, struct json_span span)
{
	return check_items(check, span, check_uri);
}

static int check_filled(struct check *check, struct json_span span)
{
	cleanup_free char *text = NULL;

	if (check_string_read(&text, check, span))
		return -1;
	return *text ? 0 : check_error(check, span.start, "it is empty");
}

/* "features" is reserved; what writes it writes an array of strings. */
static int check_platform(struct check *check, struct json_span span)
{
	static const struct check_rule rules[] = {
		{"architecture", true, check_filled},
		{"os", true, check_filled},
		{"os.version", false, check_string},
		{"os.features", false, check_strings},
		{"variant", false, check_string},
		{"features", false, check_strings},
	};
	cleanup_with(json_object_clear) struct json_object object = JSON_OBJECT_INIT;

	if (json_object_read(&object, &check->text, span, "it", check->err))
		return -1;
	return check_members(check, &object, rules, sizeof(rules) / sizeof(*rules));
}

/* RFC 4648 section 4, with its padding. */
static int data_decode(char **out, size_t *len, struct check *check, struct json_span span)
{
	cleanup_free char *text = NULL;

	if (check_string_read(&text, check, span))
		return -1;
	if (strlen(text) % 4 != 0 || base64_decode(out, len, text, NULL))
		return check_error(check, span.start, "it is not base64");
	return 0;
}

static int check_data(struct check *check, struct json_span span)
{
	cleanup_free char *bytes = NULL;
	size_t len = 0;

	return data_decode(&bytes, &len, check, span);
}

/* Embedded content is the content: of this size and, where its algorithm is known, this digest. */
static int data_agrees(struct check *check, const struct json_object *object)
{
	const struct json_member *data = json_object_find(object, "data");
	const char *start = check->text.bytes + object->span.start;
	cleanup_with(descriptor_clear) struct descriptor descriptor = DESCRIPTOR_INIT;
	cleanup_free char *bytes = NULL;
	struct error wrong = ERROR_INIT;
	size_t len = 0;

	if (!data)
		return 0;
	if (descriptor_parse(
		    &descriptor, start, object->span.end - object->span.start, check->err) ||
		data_decode(&bytes, &len, check, data->value))
		return -1;
	if ((int64_t)len != descriptor.size)
		return check_error(check, data->value.start,
			"its data has %zu bytes, its size is %lld", len,
			(long long)descriptor.size);
	if (digest_verifiable(&descriptor.digest) &&
		digest_check(&descriptor.digest, bytes, len, &wrong))
		return check_error(check, data->value.start, "its data: %s", wrong.message);
	return 0;
}

int check_descriptor(struct check *check, struct json_span span)
{
	static const struct check_rule rules[] = {
		{"mediaType", true, check_media_type},
		{"digest", true, check_digest},
		{"size", true, check_size},
		{"urls", false, check_uris},
		{"annotations", false, check_annotations},
		{"data", false, check_data},
		{"artifactType", false, check_media_type},
		{"platform", false, check_platform},
	};
	cleanup_with(json_object_clear) struct json_object object = JSON_OBJECT_INIT;

	if (json_object_read(&object, &check->text, span, "it", check->err) ||
		check_members(check, &object, rules, sizeof(rules) / sizeof(*rules)))
		return -1;
	return data_agrees(check, &object);
}

int descriptor_check(const char *json, size_t len, struct error *err)
{
	return check_run(json, len, check_descriptor, err);
}
