#include "registry/http/realm.h"

#include "cleanup.h"
#include "registry/http/reach.h"
#include "registry/http/url.h"

int realm_resolve(char **out, enum http_reach *reach, const char *registry, const char *realm,
	struct error *err)
{
	struct error error = ERROR_INIT;
	cleanup_free char *url = NULL;
	const char *host, *wrong;
	int len;

	*out = NULL;
	if (http_url_resolve(&url, registry, realm, &error)) {
		error_prefix(&error, "the registry's token server can't be used");
		return error.kind == ERROR_MEMORY
			       ? error_copy(err, &error)
			       : error_set(err, ERROR_DENIED, "%s", error.message);
	}
	wrong = reach_judge(reach, registry, url);
	host = http_url_host(url, &len);
	if (wrong)
		return error_set(err, ERROR_DENIED,
			"the registry sends to the token server %.*s, which %s",
			len < 200 ? len : 200, host, wrong);
	*out = steal_ptr(url);
	return 0;
}
