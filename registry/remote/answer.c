#include "registry/remote/remote_store.h"

#include <string.h>

#include "registry/model/registry_error.h"

static const char *kind_text(enum error_kind kind)
{
	switch (kind) {
	case ERROR_DENIED:
		return "access denied";
	case ERROR_NOT_FOUND:
		return "not found";
	case ERROR_IMMUTABLE:
		return "the registry refuses to change it";
	case ERROR_READ_ONLY:
		return "the registry takes no changes";
	case ERROR_CORRUPT:
		return "refused as corrupt";
	case ERROR_TOO_LARGE:
		return "too large for the registry";
	case ERROR_QUOTA:
		return "the registry's quota is used up";
	case ERROR_CONFLICT:
		return "it isn't what it was";
	case ERROR_THROTTLED:
		return "too many requests";
	case ERROR_SERVER:
		return "the registry failed";
	default:
		return "unexpected answer";
	}
}

int answer_refused(const struct remote *remote, const struct http_response *response,
	const char *what, struct error *err)
{
	struct registry_error said;
	enum error_kind kind;

	registry_error_parse(&said, response->body.data, response->body.len);
	kind = registry_error_kind(response->status, &said);
	return error_set_http(err, kind, response->status, "%s: %s: %s (HTTP %d)%s%s", remote->name,
		what, kind_text(kind), response->status, *said.text ? ": " : "", said.text);
}

int answer_wrong(const struct remote *remote, enum error_kind kind, const char *what,
	const char *why, struct error *err)
{
	return error_set(err, kind, "%s: %s: %s", remote->name, what, why);
}

bool answer_absent(const struct http_response *response)
{
	return response->status == HTTP_NOT_FOUND;
}

int answer_check_digest(const struct remote *remote, const struct http_response *response,
	const struct digest *digest, const char *what, struct error *err)
{
	const char *text = http_headers_get(&response->headers, "Docker-Content-Digest");
	struct digest told;
	size_t algorithm = digest_algorithm_len(digest);

	if (!text)
		return 0;
	if (!digest_parse(&told, text))
		return answer_wrong(remote, ERROR_CORRUPT, what,
			"the registry's Docker-Content-Digest is not a digest", err);
	if (digest_equal(&told, digest) || digest_algorithm_len(&told) != algorithm ||
		strncmp(told.text, digest->text, algorithm) != 0)
		return 0;
	return error_set(err, ERROR_CORRUPT, "%s: %s: the registry says that it is %s",
		remote->name, what, told.text);
}
