#include "registry/http/auth.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "clock.h"
#include "registry/http/basic.h"
#include "registry/http/credentials.h"
#include "registry/http/demand.h"
#include "registry/http/reach.h"
#include "registry/http/token_cache.h"
#include "registry/http/url.h"
#include "secret.h"

/* Accounts are locked after a few wrong passwords: until one was taken, it is shown once for each
 * request, and not again because it was refused. */
enum password { PASSWORD_UNTRIED, PASSWORD_SHOWN, PASSWORD_TAKEN };

struct auth_layer {
	struct http_layer layer;
	struct http_layer *below;
	struct log *log;
	struct credentials *credentials; /* borrowed; NULL: anonymous */
	char *registry, *host, *repository;
	int timeout_ms, retries;
	struct demand demand;
	struct token_cache *values; /* of Authorization: with a token, or Basic */
	atomic_int password;
};

/* What a request shows. */
struct permit {
	char *value; /* NULL: nothing; a secret */
	char *key; /* what it is for */
	bool fresh; /* made for this request */
};

static void permit_clear(struct permit *permit)
{
	secret_free(permit->value);
	free(permit->key);
	*permit = (struct permit){.value = NULL};
}

static bool is_basic(const struct permit *permit)
{
	return permit->value && strncmp(permit->value, "Basic ", 6) == 0;
}

/* One request on its way through this layer. */
struct passage {
	struct auth_layer *auth;
	const struct http_request *request;
	struct cancel *cancel;
	int64_t begun_ms;
};

/* Something to show for it that is being made. */
struct making {
	const struct passage *passage;
	const struct challenge *demand;
};

/* A body takes as long as it takes, so its limit begins anew. */
static int64_t passage_deadline(const struct passage *passage)
{
	bool small = passage->request->lane == HTTP_SMALL;
	int limit = passage->request->timeout_ms;

	return (small ? passage->begun_ms : clock_ms()) +
	       (limit ? limit : passage->auth->timeout_ms);
}

static void password_shown(struct auth_layer *auth)
{
	int untried = PASSWORD_UNTRIED;

	atomic_compare_exchange_strong(&auth->password, &untried, PASSWORD_SHOWN);
}

static void password_taken(struct auth_layer *auth)
{
	atomic_store(&auth->password, PASSWORD_TAKEN);
}

static int make_basic(struct token *out, struct auth_layer *auth,
	const struct credential *credential, struct error *err)
{
	out->renew_ms = INT64_MAX;
	if (credential->username && credential->password) {
		password_shown(auth);
		return basic_authorization(
			&out->text, credential->username, credential->password, err);
	}
	out->text = strdup("");
	return out->text ? 0 : error_set_memory(err);
}

static int set_bearer(struct token *out, const char *token, struct error *err)
{
	if (asprintf(&out->text, "Bearer %s", token) >= 0)
		return 0;
	out->text = NULL;
	return error_set_memory(err);
}

/* A token that the user has for the registry is shown as it is, as docker does. */
static int make_bearer(struct token *out, const struct making *making,
	const struct credential *credential, struct cancel *cancel, struct error *err)
{
	struct auth_layer *auth = making->passage->auth;
	bool secret = credential->password || credential->identity_token;
	const struct token_request request = {
		.registry = auth->registry,
		.realm = making->demand->realm,
		.service = making->demand->service,
		.scope = making->demand->scope,
		.credential = credential,
		.deadline_ms = passage_deadline(making->passage),
		.retries = auth->retries,
	};
	cleanup_with(token_clear) struct token token = {.text = NULL};

	if (credential->registry_token) {
		out->renew_ms = INT64_MAX;
		return set_bearer(out, credential->registry_token, err);
	}
	if (secret)
		password_shown(auth);
	if (token_fetch(&token, auth->below, &request, auth->log, cancel, err))
		return -1;
	if (secret)
		password_taken(auth);
	out->renew_ms = token.renew_ms;
	return set_bearer(out, token.text, err);
}

static int make_value(void *context, struct token *out, struct cancel *cancel, struct error *err)
{
	const struct making *making = context;
	struct auth_layer *auth = making->passage->auth;
	cleanup_with(credential_clear) struct credential credential = CREDENTIAL_INIT;
	int failed = 0;

	if (auth->credentials)
		failed = credentials_find(
			auth->credentials, &credential, auth->host, auth->repository, cancel, err);
	if (!failed)
		failed = making->demand->scheme == CHALLENGE_BASIC
				 ? make_basic(out, auth, &credential, err)
				 : make_bearer(out, making, &credential, cancel, err);
	return failed ? error_prefix(err, "%s", auth->host) : 0;
}

static char *make_key(const struct challenge *demand, struct error *err)
{
	char *key;

	if (asprintf(&key, "%d\n%s\n%s\n%s", (int)demand->scheme,
		    demand->realm && demand->scheme == CHALLENGE_BEARER ? demand->realm : "",
		    demand->service ? demand->service : "",
		    demand->scope ? demand->scope : "") >= 0)
		return key;
	error_set_memory(err);
	return NULL;
}

/* Whether what would be made under this key is what was refused, over again: a password that was
 * looked up for this request, or a token that was made for it and isn't enough. One that was made
 * for it may be void already, by what voided those before it. */
static bool is_useless(const struct permit *before, const char *key, const struct challenge *told)
{
	return before->fresh && strcmp(before->key, key) == 0 &&
	       (is_basic(before) || (told && told->insufficient));
}

/* What to show now. `before` (may be NULL) was refused just now, and `told` (may be NULL) said why:
 * *out is left empty where nothing better can be had. */
static int permit_get(struct permit *out, const struct passage *passage,
	const struct permit *before, const struct challenge *told, struct error *err)
{
	struct auth_layer *auth = passage->auth;
	cleanup_with(challenge_clear) struct challenge demand = CHALLENGE_INIT;
	struct making making = {.passage = passage, .demand = &demand};
	struct token_want want = {
		.refused = !before	   ? NULL
			   : before->value ? before->value
					   : "",
		.deadline_ms = passage_deadline(passage),
		.fetch = make_value,
		.context = &making,
	};

	if (demand_for(&auth->demand, &demand, passage->request, told ? told->scope : NULL, err))
		return -1;
	if (demand.scheme == CHALLENGE_NONE)
		return 0;
	out->key = make_key(&demand, err);
	if (!out->key)
		return -1;
	if (before && is_useless(before, out->key, told))
		return 0;
	want.key = out->key;
	if (token_cache_get(auth->values, &out->value, &out->fresh, &want, passage->cancel, err))
		return -1;
	if (!*out->value || (want.refused && strcmp(out->value, want.refused) == 0)) {
		secret_free(out->value);
		out->value = NULL;
	}
	return 0;
}

static int passage_send(const struct passage *passage, const struct permit *permit,
	struct http_response *response, struct error *err)
{
	struct http_request attempt = *passage->request;
	int64_t left = passage_deadline(passage) - clock_ms();
	cleanup_free struct http_header *headers =
		calloc(attempt.header_count + 1, sizeof(*headers));

	if (!headers)
		return error_set_memory(err);
	if (attempt.header_count)
		memcpy(headers, attempt.headers, attempt.header_count * sizeof(*headers));
	attempt.headers = headers;
	if (permit->value)
		headers[attempt.header_count++] =
			(struct http_header){"Authorization", permit->value};
	if (attempt.timeout_ms && attempt.lane == HTTP_SMALL)
		attempt.timeout_ms = left > 1 ? (int)left : 1;
	return passage->auth->below->perform(
		passage->auth->below, &attempt, response, passage->cancel, err);
}

/* After a 401, or a 403 (which is what Amazon says of a password whose time is up): what to show
 * instead, or nothing. */
static int permit_renew(struct permit *out, const struct passage *passage,
	const struct permit *before, const struct http_response *response, struct error *err)
{
	cleanup_with(challenge_clear) struct challenge told = CHALLENGE_INIT;

	if (response->status == 403)
		return is_basic(before) ? permit_get(out, passage, before, NULL, err) : 0;
	if (demand_learn(&passage->auth->demand, &told, passage->request, response, err))
		return -1;
	if (told.scheme == CHALLENGE_NONE)
		return 0;
	return permit_get(out, passage, before, &told, err);
}

/* A refusal may quote what it was shown. */
static void hide_shown(struct http_response *response, const struct permit *permit)
{
	if (!permit->value || !response->body.data || response->status < 300)
		return;
	authorization_hide(response->body.data, permit->value);
	response->body.len = strlen(response->body.data);
}

/* The permit to begin with. What can't be asked for at all is no reason to fail for ever. */
static int permit_first(struct permit *out, const struct passage *passage, struct error *err)
{
	struct error why = ERROR_INIT;

	if (permit_get(out, passage, NULL, NULL, &why) == 0)
		return 0;
	if (why.kind == ERROR_PROTOCOL)
		demand_forget(&passage->auth->demand);
	return error_copy(err, &why);
}

static bool is_refusal(const struct http_response *response)
{
	return response->status == 401 || response->status == 403;
}

/* With something else to show, where there is; *permit is what was shown last. */
static int passage_replay(const struct passage *passage, struct permit *permit,
	struct http_response *response, struct error *err)
{
	cleanup_with(permit_clear) struct permit renewed = {.value = NULL};

	if (permit_renew(&renewed, passage, permit, response, err)) {
		/* A realm that can't be used stands for this answer only. */
		demand_forget(&passage->auth->demand);
		return -1;
	}
	if (!renewed.value)
		return 0;
	permit_clear(permit);
	*permit = renewed;
	renewed = (struct permit){.value = NULL};
	http_response_clear(response);
	return passage_send(passage, permit, response, err);
}

/* What was refused isn't shown again by the next request. */
static void permit_judge(const struct passage *passage, const struct permit *permit,
	const struct http_response *response)
{
	if (!permit->value)
		return;
	if (is_refusal(response))
		token_cache_drop(passage->auth->values, permit->key, permit->value);
	if (is_basic(permit) && response->status != 401 && response->status < 500)
		password_taken(passage->auth);
}

static int passage_perform(
	const struct passage *passage, struct http_response *response, struct error *err)
{
	cleanup_with(permit_clear) struct permit permit = {.value = NULL};

	if (permit_first(&permit, passage, err) || passage_send(passage, &permit, response, err))
		return -1;
	if (is_refusal(response) && passage_replay(passage, &permit, response, err))
		return -1;
	permit_judge(passage, &permit, response);
	hide_shown(response, &permit);
	return 0;
}

/* A request that has left the registry's origin, by a redirect or with an upload's Location, is
 * nobody's, and goes only where the registry may send it. */
static int stranger_perform(const struct auth_layer *auth, const struct http_request *request,
	struct http_response *response, struct cancel *cancel, struct error *err)
{
	struct http_request stranger = *request;
	enum http_reach reach = HTTP_ANYWHERE;
	const char *wrong = NULL, *host;
	int len;

	if (!http_url_same_origin(auth->registry, request->url))
		wrong = reach_judge(&reach, auth->registry, request->url);
	if (stranger.reach < reach)
		stranger.reach = reach;
	stranger.anonymous = true;
	host = http_url_host(request->url, &len);
	if (wrong)
		return error_set(err, ERROR_PROTOCOL, "the registry sends to %.*s, which %s",
			len < 200 ? len : 200, host, wrong);
	return auth->below->perform(auth->below, &stranger, response, cancel, err);
}

static int auth_perform(struct http_layer *layer, const struct http_request *request,
	struct http_response *response, struct cancel *cancel, struct error *err)
{
	struct auth_layer *auth = (struct auth_layer *)layer;
	struct error error = ERROR_INIT;
	const struct passage passage = {
		.auth = auth,
		.request = request,
		.cancel = cancel,
		.begun_ms = clock_ms(),
	};
	int failed;

	if (request->anonymous || !http_url_same_origin(auth->registry, request->url))
		return stranger_perform(auth, request, response, cancel, err);
	failed = passage_perform(&passage, response, &error);
	if (atomic_load(&auth->password) == PASSWORD_SHOWN &&
		(failed ? error.kind == ERROR_DENIED : response->status == 401))
		response->final = true;
	return failed ? error_copy(err, &error) : 0;
}

static void auth_free(struct http_layer *layer)
{
	struct auth_layer *auth = (struct auth_layer *)layer;

	auth->below->free(auth->below);
	token_cache_free(auth->values);
	demand_destroy(&auth->demand);
	free(auth->registry);
	free(auth->host);
	free(auth->repository);
	free(auth);
}

static int copy_options(
	struct auth_layer *auth, const struct auth_options *options, struct error *err)
{
	auth->registry = strdup(options->registry);
	auth->host = strdup(options->host);
	auth->repository = options->repository ? strdup(options->repository) : NULL;
	if (!auth->registry || !auth->host || (options->repository && !auth->repository))
		return error_set_memory(err);
	auth->credentials = options->credentials;
	return 0;
}

int auth_layer_new(struct http_layer **out, struct http_layer *below,
	const struct http_options *options, struct log *log, struct error *err)
{
	struct auth_layer *auth = calloc(1, sizeof(*auth));
	int failed;

	*out = NULL;
	if (!auth) {
		below->free(below);
		return error_set_memory(err);
	}
	auth->layer.perform = auth_perform;
	auth->layer.free = auth_free;
	auth->below = below;
	auth->log = log;
	auth->timeout_ms = (options->timeout > 0 ? options->timeout : 1) * 1000;
	auth->retries = options->retries;
	failed = copy_options(auth, options->auth, err);
	demand_init(&auth->demand, auth->repository);
	auth->values = token_cache_new();
	if (!auth->values)
		error_set_memory(err);
	if (failed || !auth->values) {
		auth_free(&auth->layer);
		return -1;
	}
	*out = &auth->layer;
	return 0;
}
