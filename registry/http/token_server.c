#include "registry/http/token_server.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "clock.h"
#include "registry/http/attempts.h"
#include "registry/http/basic.h"
#include "registry/http/url.h"
#include "registry/model/token_answer.h"
#include "secret.h"

#define FORM_MAX ((size_t)128 << 10)
#define CLIENT_ID "indexfs"

void token_response_clear(struct http_response *response)
{
	if (response->body.data)
		explicit_bzero(response->body.data, response->body.capacity);
	http_response_clear(response);
}

/* "NAME=VALUE", with "&" before it where something is there already. */
static int form_add(struct buf *form, const char *name, const char *value, struct error *err)
{
	char last = form->len ? form->data[form->len - 1] : '?';

	if ((last == '?' || buf_append(form, "&", 1) == 0) && buf_append_text(form, name) == 0 &&
		buf_append(form, "=", 1) == 0 && http_url_encode(form, value) == 0)
		return 0;
	return errno == EFBIG
		       ? error_set(err, ERROR_PROTOCOL, "too long a request to the token server")
		       : error_set_memory(err);
}

/* Each scope in a parameter of its own. */
static int form_add_scopes(struct buf *form, const char *scopes, struct error *err)
{
	cleanup_free char *copy = strdup(scopes);
	char *rest = copy, *scope;

	if (!copy)
		return error_set_memory(err);
	while ((scope = strsep(&rest, " "))) {
		if (*scope && form_add(form, "scope", scope, err))
			return -1;
	}
	return 0;
}

static int make_get_url(
	struct buf *out, const struct token_server *server, const char *account, struct error *err)
{
	const struct token_request *request = server->request;

	if (buf_append_text(out, server->url) ||
		(!strchr(server->url, '?') && buf_append(out, "?", 1)))
		return error_set_memory(err);
	if (request->service && form_add(out, "service", request->service, err))
		return -1;
	if (form_add_scopes(out, request->scope, err))
		return -1;
	return account && *account ? form_add(out, "account", account, err) : 0;
}

static int make_form(struct buf *out, const struct token_request *request, struct error *err)
{
	if (form_add(out, "grant_type", "refresh_token", err) ||
		(request->service && form_add(out, "service", request->service, err)) ||
		form_add(out, "client_id", CLIENT_ID, err) ||
		(*request->scope && form_add(out, "scope", request->scope, err)))
		return -1;
	return form_add(out, "refresh_token", request->credential->identity_token, err);
}

/* Sends it until it is answered. */
static int server_ask(const struct token_server *server, struct http_request *request,
	struct http_response *response, struct error *err)
{
	struct attempts attempts = {
		.limit = server->request->retries,
		.deadline_ms = server->request->deadline_ms,
	};

	request->reach = server->reach;
	request->repeatable = true;
	request->body_limit = TOKEN_ANSWER_MAX;
	for (;;) {
		int64_t left = attempts.deadline_ms - clock_ms();
		struct error error = ERROR_INIT;
		enum attempt_end end;
		int failed, again;

		request->timeout_ms = left > 1 ? (int)left : 1;
		request->stall_ms = attempts_stall_ms(&attempts, request->timeout_ms);
		failed = server->below->perform(
			server->below, request, response, server->cancel, &error);
		end = attempt_judge(failed ? &error : NULL, response);
		/* A refusal may be of a password: whether to show it again isn't known here. */
		again = end == ATTEMPT_BROKE
				? attempts_pause(&attempts, end, response, server->cancel, err)
				: 0;
		if (again < 0)
			return -1;
		if (!again && failed && error.kind == ERROR_TOO_LARGE)
			return error_set(err, ERROR_PROTOCOL, "%s", error.message);
		if (!again)
			return failed ? error_copy(err, &error) : 0;
		request->fresh = request->fresh || failed;
		token_response_clear(response);
	}
}

/* With user and password. Without a password an identity token is tried in its place, as a token
 * server without OAuth2 may take it. */
int token_server_get(
	const struct token_server *server, struct http_response *response, struct error *err)
{
	const struct credential *credential = server->request->credential;
	const char *password =
		credential->password ? credential->password : credential->identity_token;
	const char *account = password ? credential->username : NULL;
	cleanup_with(buf_free) struct buf url = BUF_INIT(HTTP_URL_MAX);
	cleanup_secret char *basic = NULL;

	if (make_get_url(&url, server, account, err) ||
		(account && basic_authorization(&basic, account, password, err)))
		return -1;

	struct http_header headers[] = {{"Accept", "application/json"}, {"Authorization", basic}};
	struct http_request request = {
		.method = "GET",
		.url = url.data,
		.headers = headers,
		.header_count = basic ? 2 : 1,
	};

	return server_ask(server, &request, response, err);
}

int token_server_post(
	const struct token_server *server, struct http_response *response, struct error *err)
{
	cleanup_with(secret_buf_free) struct buf form = BUF_INIT(FORM_MAX);
	struct http_header headers[] = {
		{"Accept", "application/json"},
		{"Content-Type", "application/x-www-form-urlencoded"},
	};
	struct http_request request = {
		.method = "POST",
		.url = server->url,
		.headers = headers,
		.header_count = 2,
	};

	/* Room for all of it at once: what is moved to grow leaves a copy behind. */
	if (buf_append(&form, (char[4096]){0}, 4096))
		return error_set_memory(err);
	buf_reset(&form);
	if (make_form(&form, server->request, err))
		return -1;
	request.body = (struct http_body){
		.kind = HTTP_BODY_MEMORY, .bytes = form.data, .length = form.len};
	return server_ask(server, &request, response, err);
}
