#include "registry/model/warning.h"
#include "registry/remote/remote_store.h"

/* distribution-spec 1.1, "Warnings": told to the user, and never acted upon. */
static void hear_warnings(const struct remote *remote, const struct http_response *response)
{
	char text[WARNING_TEXT_MAX + 1];
	const char *value = NULL;

	while ((value = http_headers_next(&response->headers, "Warning", value))) {
		const char *at = value;

		while ((at = warning_next(text, at))) {
			if (hosts_warning_is_new(remote->hosts, remote->host, text))
				log_write(remote->log, LOG_LEVEL_WARNING,
					"%s: the registry warns: %s", remote->name, text);
		}
	}
}

int remote_ask(const struct remote *remote, const struct http_request *request,
	struct http_response *response, struct cancel *cancel, struct error *err)
{
	if (http_client_do(remote->http, request, response, cancel, err))
		return -1;
	if (!response->elsewhere)
		hear_warnings(remote, response);
	return 0;
}

bool remote_is_worth_another(const struct remote *remote, const struct error *why)
{
	if (why->kind != ERROR_CORRUPT)
		return false;
	log_write(remote->log, LOG_LEVEL_INFO, "again: %s", why->message);
	return true;
}
