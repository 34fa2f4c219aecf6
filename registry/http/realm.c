#include "registry/http/realm.h"

#include <string.h>
#include <strings.h>

#include "cleanup.h"
#include "reference.h"
#include "registry/http/guard.h"
#include "registry/http/url.h"

#define HOST_SIZE 512

/* The host of a URL that has been judged, without its port. */
static bool host_name(char out[static HOST_SIZE], const char *url)
{
	int len;
	const char *host = http_url_host(url, &len);
	const char *port = memrchr(host, ':', (size_t)len);

	if (port && !memchr(port, ']', (size_t)(host + len - port)))
		len = (int)(port - host);
	if (len >= HOST_SIZE)
		return false;
	memcpy(out, host, (size_t)len);
	out[len] = '\0';
	return true;
}

static int realm_refuse(const char *host, const char *why, struct error *err)
{
	return error_set(err, ERROR_DENIED,
		"the registry sends to the token server %.200s, which %s", host, why);
}

int realm_resolve(char **out, enum http_reach *reach, const char *registry, const char *realm,
	struct error *err)
{
	struct error error = ERROR_INIT;
	char of_registry[HOST_SIZE], host[HOST_SIZE];
	cleanup_free char *url = NULL;

	*out = NULL;
	if (http_url_resolve(&url, registry, realm, &error)) {
		error_prefix(&error, "the registry's token server can't be used");
		return error.kind == ERROR_MEMORY
			       ? error_copy(err, &error)
			       : error_set(err, ERROR_DENIED, "%s", error.message);
	}
	if (!host_name(of_registry, registry) || !host_name(host, url))
		return realm_refuse("that it names", "has too long a name", err);
	*reach = HTTP_NOT_LOCAL;
	if (host_is_loopback(of_registry) || strcasecmp(host, of_registry) == 0)
		*reach = HTTP_NOT_LINK_LOCAL;
	if (*reach == HTTP_NOT_LOCAL && host_is_loopback(host))
		return realm_refuse(host, "is this machine", err);
	if (!guard_allows_host(*reach, host))
		return realm_refuse(host, "has an address that a token server can't have", err);
	*out = steal_ptr(url);
	return 0;
}
