/*
 * auth_fixture.h - a registry that asks who is there, its token server, and a client of it.
 */
#ifndef INDEXFS_TEST_AUTH_FIXTURE_H
#define INDEXFS_TEST_AUTH_FIXTURE_H

#include <check.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake_server.h"
#include "patience.h"
#include "registry/http/client.h"
#include "registry/http/credentials.h"
#include "secret.h"

#define ANSWERS_MAX 4
#define LINES_MAX 12
#define LINE_SIZE 1024

#define BASIC_SESAME "Basic dGVzdGVyOnNlc2FtZQ=="
#define BASIC_IDENTITY "Basic dGVzdGVyOmlkLXNlY3JldA=="
#define TO_TOKEN "Bearer realm=\"http://127.0.0.1:@PORT@/token\",service=\"s\""
#define PULL "service=s&scope=repository%3Ateam%2Fapp%3Apull"
#define JSON(text) "HTTP/1.1 200 OK\r\n\r\n" text
#define GOOD JSON("{\"token\":\"good\"}")
#define BETTER JSON("{\"token\":\"better\"}")
#define STATUS(status) "HTTP/1.1 " status " X\r\nContent-Length: 0\r\n\r\n"

/* Credentials that are what the test says, and count how often they are asked for. */
struct credentials {
	const char *username, *password, *identity_token, *registry_token;
	atomic_int asked;
};

void credential_clear(struct credential *credential)
{
	secret_free(credential->username);
	secret_free(credential->password);
	secret_free(credential->identity_token);
	secret_free(credential->registry_token);
	*credential = (struct credential)CREDENTIAL_INIT;
}

int credentials_find(struct credentials *credentials, struct credential *out, const char *host,
	const char *repository, struct cancel *cancel, struct error *err)
{
	(void)cancel;
	(void)err;
	atomic_fetch_add(&credentials->asked, 1);
	ck_assert_str_eq(host, "registry.example");
	ck_assert_str_eq(repository, "team/app");
	out->username = credentials->username ? strdup(credentials->username) : NULL;
	out->password = credentials->password ? strdup(credentials->password) : NULL;
	out->identity_token =
		credentials->identity_token ? strdup(credentials->identity_token) : NULL;
	out->registry_token =
		credentials->registry_token ? strdup(credentials->registry_token) : NULL;
	return 0;
}

/* A registry and its token server, on one port. */
struct play {
	const char *challenge; /* lines of WWW-Authenticate, without the name of the first */
	const char *accepts; /* the Authorization that is let in; NULL: none */
	const char *tokens[ANSWERS_MAX]; /* the token server's answers; the last one repeats */
	const char *refusal; /* NULL: the 401 */
	unsigned token_pause_us;
	atomic_int asked;
	char refused[LINE_SIZE];
};

struct fixture {
	struct play *play;
	struct fake_server *server;
	struct credentials credentials;
	struct http_client *client;
	struct http_response response;
	struct error error;
	struct log *log;
	char registry[64];
};

static inline const char *answer_token(struct play *play)
{
	int index = atomic_fetch_add(&play->asked, 1);

	if (play->token_pause_us)
		usleep(play->token_pause_us);
	for (int i = 0; i < index && i < ANSWERS_MAX - 1; i++) {
		if (!play->tokens[i + 1])
			return play->tokens[i];
	}
	return play->tokens[index < ANSWERS_MAX ? index : ANSWERS_MAX - 1];
}

/* By its path: "GET /token?...", or with an origin before it, as a proxy gets it. */
static bool is_for_token(const char *head)
{
	const char *path = strchr(head, ' ') + 1;

	if (strncmp(path, "http://", 7) == 0)
		path = strchr(path + 7, '/');
	return strncmp(path, "/token", 6) == 0;
}

static inline const char *play_answer(void *context, const char *head, int index)
{
	struct play *play = context;
	const char *shown = strstr(head, "\r\nAuthorization: ");

	(void)index;
	if (is_for_token(head))
		return answer_token(play);
	if (shown && play->accepts) {
		shown += strlen("\r\nAuthorization: ");
		if (strncmp(shown, play->accepts, strlen(play->accepts)) == 0)
			return JSON("{}");
	}
	return shown && play->refusal ? play->refusal : play->refused;
}

static inline void fixture_open_for(struct fixture *fixture, struct play *play, int timeout)
{
	struct auth_options auth = {.host = "registry.example", .repository = "team/app"};
	struct http_options options = {.timeout = timeout, .retries = 1, .jobs = 8, .auth = &auth};

	memset(fixture, 0, sizeof(*fixture));
	fixture->response = (struct http_response)HTTP_RESPONSE_INIT;
	fixture->play = play;
	snprintf(play->refused, sizeof(play->refused),
		"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: %s\r\n\r\n"
		"{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"who are you\"}]}",
		play->challenge);
	fixture->server = fake_server_start(play_answer, play);
	snprintf(fixture->registry, sizeof(fixture->registry), "http://127.0.0.1:%d",
		fake_server_port(fixture->server));
	fixture->log = log_new(LOG_LEVEL_DEBUG);
	auth.registry = fixture->registry;
	auth.credentials = &fixture->credentials;
	ck_assert_int_eq(
		http_client_new(&fixture->client, &options, fixture->log, &fixture->error), 0);
}

static inline void fixture_open(struct fixture *fixture, struct play *play)
{
	fixture_open_for(fixture, play, AMPLE_TIMEOUT);
}

static inline void fixture_close(struct fixture *fixture)
{
	http_response_clear(&fixture->response);
	http_client_free(fixture->client);
	fake_server_stop(fixture->server);
	log_free(fixture->log);
}

static inline int fixture_send(struct fixture *fixture, struct http_request request)
{
	char url[256];

	snprintf(url, sizeof(url), "%s/v2/team/app/x", fixture->registry);
	if (!request.url)
		request.url = url;
	request.body_limit = 1000;
	http_response_clear(&fixture->response);
	error_clear(&fixture->error);
	return http_client_do(fixture->client, &request, &fixture->response, NULL, &fixture->error);
}

static inline int fixture_get(struct fixture *fixture)
{
	return fixture_send(fixture, (struct http_request){.method = "GET", .repeatable = true});
}

/* "METHOD TARGET" and, after a space, what was shown. */
static inline void request_line(char out[static LINE_SIZE], struct fake_server *server, int index)
{
	const char *head = fake_server_head(server, index);
	const char *shown = strstr(head, "\r\nAuthorization: ");
	int len = snprintf(out, LINE_SIZE, "%.*s", (int)strcspn(head, "\r"), head);

	len -= (int)strlen(" HTTP/1.1");
	ck_assert_int_gt(len, 0);
	out[len] = '\0';
	if (shown) {
		shown += strlen("\r\nAuthorization:");
		snprintf(out + len, (size_t)(LINE_SIZE - len), "%.*s", (int)strcspn(shown, "\r"),
			shown);
	}
}

static inline void assert_lines(const struct fixture *fixture, const char *const *lines)
{
	char got[LINE_SIZE];
	int count = 0;

	for (; count < LINES_MAX && lines[count]; count++) {
		request_line(got, fixture->server, count);
		ck_assert_str_eq(got, lines[count]);
	}
	ck_assert_int_eq(fake_server_count(fixture->server), count);
}

#define FIRST "GET /v2/team/app/x"
#define ASK "GET /token?" PULL
#define LAST "GET /v2/team/app/x Bearer good"

#endif
