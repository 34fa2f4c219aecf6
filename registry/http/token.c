#include "registry/http/token.h"

#include <string.h>
#include <time.h>

#include <curl/curl.h>

#include "cleanup.h"
#include "clock.h"
#include "registry/http/basic.h"
#include "registry/http/realm.h"
#include "registry/http/token_server.h"
#include "registry/http/url.h"
#include "registry/model/registry_error.h"
#include "registry/model/token_answer.h"
#include "secret.h"

#define MARGIN_MAX_MS 10000

void token_clear(struct token *token)
{
	secret_free(token->text);
	token->text = NULL;
}

static enum error_kind refusal_kind(int status)
{
	switch (status) {
	case 400: /* what OAuth2 says of a token that it doesn't know (RFC 6749, section 5.2) */
	case 401:
	case 403:
		return ERROR_DENIED;
	case 429:
		return ERROR_THROTTLED;
	default:
		return status >= 500 ? ERROR_SERVER : ERROR_PROTOCOL;
	}
}

/* A refusal may quote what it was shown. */
static int hide_shown(
	struct http_response *response, const struct credential *credential, struct error *err)
{
	const char *secrets[] = {credential->password, credential->identity_token};

	if (!response->body.data)
		return 0;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++) {
		cleanup_secret char *basic = NULL;

		if (!secrets[i])
			continue;
		if (basic_authorization(&basic, credential->username, secrets[i], err))
			return -1;
		authorization_hide(response->body.data, basic);
	}
	response->body.len = strlen(response->body.data);
	return 0;
}

static int server_refused(
	const struct token_server *server, struct http_response *response, struct error *err)
{
	struct registry_error said;
	bool redirects = response->status >= 300 && response->status < 400;

	if (hide_shown(response, server->request->credential, err))
		return -1;
	registry_error_parse(&said, response->body.data, response->body.len);
	return error_set_http(err, refusal_kind(response->status), response->status,
		"token server %.*s: %s (HTTP %d)%s%s", server->host_len, server->host,
		redirects ? "it redirects, which isn't followed" : "refused", response->status,
		*said.text ? ": " : "", said.text);
}

/* How long the token has been on its way to us, by the token server's clock where it tells it. */
static int64_t token_age(const struct http_response *response, int64_t issued_at)
{
	const char *date = http_headers_get(&response->headers, "Date");
	int64_t now = date ? (int64_t)curl_getdate(date, NULL) : -1;

	if (issued_at < 0)
		return 0;
	if (now < 0)
		now = time(NULL);
	return now > issued_at ? now - issued_at : 0;
}

static int take_answer(struct token *out, const struct token_server *server,
	struct http_response *response, int64_t asked_ms, struct error *err)
{
	struct token_answer answer;
	int64_t life_ms;

	if (response->status < 200 || response->status > 299)
		return server_refused(server, response, err);
	if (token_answer_parse(&answer, response->body.data ? response->body.data : "",
		    response->body.len, err))
		return error_prefix(err, "token server %.*s", server->host_len, server->host);
	life_ms = (answer.expires_in - token_age(response, answer.issued_at)) * 1000;
	if (life_ms < 0)
		life_ms = 0;
	out->text = answer.token;
	out->renew_ms = asked_ms + life_ms;
	out->renew_ms -= life_ms / 4 < MARGIN_MAX_MS ? life_ms / 4 : MARGIN_MAX_MS;
	return 0;
}

static int server_talk(struct token *out, const struct token_server *server, struct error *err)
{
	cleanup_with(token_response_clear) struct http_response response = HTTP_RESPONSE_INIT;
	int64_t asked_ms = clock_ms();
	bool post = server->request->credential->identity_token != NULL;

	if (post) {
		if (token_server_post(server, &response, err))
			return -1;
		post = response.status != 404 && response.status != 405;
	}
	if (!post) {
		token_response_clear(&response);
		if (token_server_get(server, &response, err))
			return -1;
	}
	return take_answer(out, server, &response, asked_ms, err);
}

int token_fetch(struct token *out, struct http_layer *below, const struct token_request *request,
	struct log *log, struct cancel *cancel, struct error *err)
{
	struct token_server server = {.request = request, .below = below, .cancel = cancel};
	cleanup_free char *url = NULL;

	*out = (struct token){.text = NULL};
	if (realm_resolve(&url, &server.reach, request->registry, request->realm, err))
		return -1;
	server.url = url;
	server.host = http_url_host(url, &server.host_len);
	if (server_talk(out, &server, err))
		return -1;
	log_write(log, LOG_LEVEL_DEBUG, "token from %.*s for \"%s\"", server.host_len, server.host,
		request->scope);
	return 0;
}
