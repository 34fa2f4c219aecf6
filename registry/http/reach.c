#include "registry/http/reach.h"

#include <string.h>
#include <strings.h>

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

const char *reach_judge(enum http_reach *reach, const char *registry, const char *url)
{
	char of_registry[HOST_SIZE], host[HOST_SIZE];

	*reach = HTTP_NOT_LOCAL;
	if (!host_name(of_registry, registry) || !host_name(host, url))
		return "has too long a name";
	if (host_is_loopback(of_registry) || strcasecmp(host, of_registry) == 0)
		*reach = HTTP_NOT_LINK_LOCAL;
	if (*reach == HTTP_NOT_LOCAL && host_is_loopback(host))
		return "is this machine";
	return guard_allows_host(*reach, host) ? NULL : "has an address that it can't have";
}
