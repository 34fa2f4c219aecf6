#include "registry/model/auth_key.h"

#include <string.h>
#include <strings.h>

#define HUB "docker.io"

static const char *scheme_skip(const char *text)
{
	static const char *const schemes[] = {"https://", "http://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0)
			return text + strlen(schemes[i]);
	return text;
}

static bool host_is(const struct auth_key *key, const char *host)
{
	return key->host_len == strlen(host) && strncasecmp(key->host, host, key->host_len) == 0;
}

struct auth_key auth_key_parse(const char *text)
{
	const char *host = scheme_skip(text);
	struct auth_key key = {.host = host, .host_len = strcspn(host, "/")};

	key.path = host + key.host_len;
	key.path += *key.path == '/';
	key.path_len = host == text ? strlen(key.path) : 0;
	if (key.path_len == 3 && (strcmp(key.path, "v1/") == 0 || strcmp(key.path, "v2/") == 0))
		key.path_len = 0;
	while (key.path_len > 0 && key.path[key.path_len - 1] == '/')
		key.path_len--;
	if (host_is(&key, "index.docker.io") || host_is(&key, "registry-1.docker.io")) {
		key.host = HUB;
		key.host_len = strlen(HUB);
	}
	return key;
}

const char *auth_key_text(const char *host)
{
	return strcmp(host, HUB) == 0 ? AUTH_KEY_HUB : host;
}

static bool host_equal(const struct auth_key *a, const struct auth_key *b)
{
	return a->host_len == b->host_len && strncasecmp(a->host, b->host, a->host_len) == 0;
}

/* Whether the path is a whole number of components at the start of repository. */
static bool path_begins(const struct auth_key *key, const char *repository)
{
	if (key->path_len == 0)
		return true;
	return repository && strncmp(repository, key->path, key->path_len) == 0 &&
	       (repository[key->path_len] == '\0' || repository[key->path_len] == '/');
}

const struct json_member *auth_key_find(
	const struct json_object *object, const char *host, const char *repository)
{
	struct auth_key wanted = auth_key_parse(host), best = {0};
	const struct json_member *found = NULL;

	for (size_t i = 0; i < object->count; i++) {
		const struct json_member *member = &object->members[i];
		struct auth_key key = auth_key_parse(member->name);

		if (!host_equal(&key, &wanted) || !path_begins(&key, repository))
			continue;
		if (found &&
			(key.path_len < best.path_len ||
				(key.path_len == best.path_len && strcmp(member->name, host) != 0)))
			continue;
		found = member;
		best = key;
	}
	return found;
}
