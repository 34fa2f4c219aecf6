#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "auth_fixture.h"
#include "cleanup.h"
#include "clock.h"

/* The usual clock, and what a test has skipped of it while nothing is under way. */
static _Atomic int64_t skipped_ms;

int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + skipped_ms;
}

static const struct {
	const char *name;
	const char *challenge, *accepts;
	const char *tokens[ANSWERS_MAX];
	const char *username, *password, *identity_token;
	const char *lines[LINES_MAX];
	int status; /* 0: fails */
	enum error_kind kind;
	const char *says;
} dialogues[] = {
	{"anonymous", TO_TOKEN, "Bearer good", {GOOD}, NULL, NULL, NULL, {FIRST, ASK, LAST}, 200,
		ERROR_NONE, NULL},
	{"password", TO_TOKEN, "Bearer good", {GOOD}, "tester", "sesame", NULL,
		{FIRST, ASK "&account=tester " BASIC_SESAME, LAST}, 200, ERROR_NONE, NULL},
	{"access_token", TO_TOKEN, "Bearer good", {JSON("{\"access_token\":\"good\"}")}, NULL, NULL,
		NULL, {FIRST, ASK, LAST}, 200, ERROR_NONE, NULL},
	{"scope of the challenge is added",
		TO_TOKEN ",scope=\"repository:team/app:push repository:other:pull\"", "Bearer good",
		{GOOD}, NULL, NULL, NULL,
		{FIRST,
			"GET /token?service=s&scope=repository%3Ateam%2Fapp%3Apull%2Cpush"
			"&scope=repository%3Aother%3Apull",
			LAST},
		200, ERROR_NONE, NULL},
	{"realm with a query, no service", "Bearer realm=\"http://127.0.0.1:@PORT@/token?a=b\"",
		"Bearer good", {GOOD}, NULL, NULL, NULL,
		{FIRST, "GET /token?a=b&scope=repository%3Ateam%2Fapp%3Apull", LAST}, 200,
		ERROR_NONE, NULL},
	{"Bearer before Basic", "Basic realm=\"x, \\\"y\\\"\", " TO_TOKEN, "Bearer good", {GOOD},
		"tester", "sesame", NULL, {FIRST, ASK "&account=tester " BASIC_SESAME, LAST}, 200,
		ERROR_NONE, NULL},
	{"two headers", "Negotiate\r\nwww-authenticate: " TO_TOKEN, "Bearer good", {GOOD}, NULL,
		NULL, NULL, {FIRST, ASK, LAST}, 200, ERROR_NONE, NULL},
	{"Basic", "Basic realm=\"x\"", BASIC_SESAME, {NULL}, "tester", "sesame", NULL,
		{FIRST, FIRST " " BASIC_SESAME}, 200, ERROR_NONE, NULL},
	{"Basic, wrong password", "Basic realm=\"x\"", NULL, {NULL}, "tester", "sesame", NULL,
		{FIRST, FIRST " " BASIC_SESAME}, 401, ERROR_NONE, NULL},
	{"Basic, nobody", "Basic realm=\"x\"", NULL, {NULL}, NULL, NULL, NULL, {FIRST, FIRST}, 401,
		ERROR_NONE, NULL},
	{"unknown scheme", "Negotiate", NULL, {NULL}, "tester", "sesame", NULL, {FIRST, FIRST}, 401,
		ERROR_NONE, NULL},
	{"granted less", TO_TOKEN ",error=\"insufficient_scope\"", NULL, {GOOD, BETTER}, NULL, NULL,
		NULL, {FIRST, ASK, LAST, ASK, FIRST " Bearer better"}, 401, ERROR_NONE, NULL},
	{"granted less, then enough", TO_TOKEN ",error=\"insufficient_scope\"", "Bearer better",
		{GOOD, BETTER}, NULL, NULL, NULL, {FIRST, ASK, LAST, ASK, FIRST " Bearer better"},
		200, ERROR_NONE, NULL},
	{"no token is good", TO_TOKEN, NULL, {GOOD, BETTER, GOOD}, NULL, NULL, NULL,
		{FIRST, ASK, LAST, ASK, FIRST " Bearer better", ASK, LAST}, 401, ERROR_NONE, NULL},
	{"void before it's used", TO_TOKEN, "Bearer better", {GOOD, BETTER}, NULL, NULL, NULL,
		{FIRST, ASK, LAST, ASK, FIRST " Bearer better"}, 200, ERROR_NONE, NULL},
	{"identity token", TO_TOKEN, "Bearer good", {JSON("{\"access_token\":\"good\"}")}, NULL,
		NULL, "id-secret", {FIRST, "POST /token", LAST}, 200, ERROR_NONE, NULL},
	{"no POST: 404", TO_TOKEN, "Bearer good", {STATUS("404"), GOOD}, "tester", NULL,
		"id-secret", {FIRST, "POST /token", ASK "&account=tester " BASIC_IDENTITY, LAST},
		200, ERROR_NONE, NULL},
	{"no POST: 405", TO_TOKEN, "Bearer good", {STATUS("405"), GOOD}, "tester", "sesame",
		"id-secret", {FIRST, "POST /token", ASK "&account=tester " BASIC_SESAME, LAST}, 200,
		ERROR_NONE, NULL},
	{"token server busy", TO_TOKEN, "Bearer good", {STATUS("503"), GOOD}, NULL, NULL, NULL,
		{FIRST, ASK, ASK, LAST}, 200, ERROR_NONE, NULL},
	{"token server fails", TO_TOKEN, NULL, {STATUS("500")}, NULL, NULL, NULL, {FIRST, ASK, ASK},
		0, ERROR_SERVER, "registry.example: token server 127.0.0.1:"},
	{"token server throttles", TO_TOKEN, NULL, {STATUS("429")}, NULL, NULL, NULL,
		{FIRST, ASK, ASK}, 0, ERROR_THROTTLED, "HTTP 429"},
	{"token server refuses", TO_TOKEN, NULL,
		{"HTTP/1.1 401 U\r\n\r\n{\"details\":\"no tester with sesame\"}"}, "tester",
		"sesame", NULL, {FIRST, ASK "&account=tester " BASIC_SESAME}, 0, ERROR_DENIED,
		"no tester with ***"},
	{"identity token refused", TO_TOKEN, NULL,
		{"HTTP/1.1 400 B\r\n\r\n{\"error\":\"invalid_grant\"} id-secret"}, NULL, NULL,
		"id-secret", {FIRST, "POST /token"}, 0, ERROR_DENIED, "invalid_grant\"} ***"},
	{"garbage", TO_TOKEN, NULL, {JSON("<html>")}, NULL, NULL, NULL, {FIRST, ASK, FIRST, ASK}, 0,
		ERROR_PROTOCOL, "token server"},
	{"garbage, then a token", TO_TOKEN, "Bearer good", {JSON("<html>"), GOOD}, NULL, NULL, NULL,
		{FIRST, ASK, FIRST, ASK, LAST}, 200, ERROR_NONE, NULL},
	{"refused, then a token", TO_TOKEN, "Bearer good", {STATUS("403"), GOOD}, NULL, NULL, NULL,
		{FIRST, ASK, FIRST, ASK, LAST}, 200, ERROR_NONE, NULL},
	{"no token", TO_TOKEN, NULL, {JSON("{\"expires_in\":60}")}, NULL, NULL, NULL,
		{FIRST, ASK, FIRST, ASK}, 0, ERROR_PROTOCOL, "no token is in it"},
	{"5 GiB", TO_TOKEN, NULL,
		{"HTTP/1.1 200 OK\r\nContent-Length: 5368709120\r\n\r\n{" FAKE_STALL}, NULL, NULL,
		NULL, {FIRST, ASK, FIRST, ASK}, 0, ERROR_PROTOCOL, "larger than 65536"},
	{"endless headers", TO_TOKEN, NULL, {"HTTP/1.1 200 OK\r\n" FAKE_ENDLESS}, NULL, NULL, NULL,
		{FIRST, ASK, FIRST, ASK}, 0, ERROR_PROTOCOL, "too many headers"},
	{"redirect", TO_TOKEN, NULL,
		{"HTTP/1.1 307 T\r\nLocation: http://127.0.0.1:@PORT@/token2\r\n\r\n"}, "tester",
		"sesame", NULL,
		{FIRST, ASK "&account=tester " BASIC_SESAME, FIRST,
			ASK "&account=tester " BASIC_SESAME},
		0, ERROR_PROTOCOL, "redirects"},
	{"realm with a user", "Bearer realm=\"http://a:b@127.0.0.1:@PORT@/token\"", NULL, {GOOD},
		"tester", "sesame", NULL, {FIRST}, 0, ERROR_DENIED, "carries credentials"},
	{"realm of a cloud", "Bearer realm=\"http://169.254.169.254/latest/meta-data\"", NULL,
		{GOOD}, "tester", "sesame", NULL, {FIRST}, 0, ERROR_DENIED, "169.254.169.254"},
	{"realm of another scheme", "Bearer realm=\"file:///etc/passwd\"", NULL, {GOOD}, NULL, NULL,
		NULL, {FIRST, FIRST}, 0, ERROR_DENIED, "neither http nor https"},
	{"scope that is none", TO_TOKEN ",scope=\"a\\\"b\"", NULL, {GOOD}, NULL, NULL, NULL,
		{FIRST, FIRST}, 0, ERROR_PROTOCOL, "scope"},
};

START_TEST(dialogue)
{
	struct play play = {.challenge = dialogues[_i].challenge, .accepts = dialogues[_i].accepts};
	struct fixture fixture;
	int failed;

	memcpy(play.tokens, dialogues[_i].tokens, sizeof(play.tokens));
	fixture_open(&fixture, &play);
	fixture.credentials.username = dialogues[_i].username;
	fixture.credentials.password = dialogues[_i].password;
	fixture.credentials.identity_token = dialogues[_i].identity_token;
	failed = fixture_get(&fixture);
	ck_assert_msg(failed == (dialogues[_i].status ? 0 : -1), "%s: %s", dialogues[_i].name,
		fixture.error.message);
	ck_assert_int_eq(fixture.error.kind, dialogues[_i].kind);
	ck_assert_int_eq(failed ? 0 : fixture.response.status, dialogues[_i].status);
	if (failed)
		ck_assert_msg(strstr(fixture.error.message, dialogues[_i].says) != NULL, "%s: %s",
			dialogues[_i].name, fixture.error.message);
	if (dialogues[_i].status == 401)
		ck_assert_ptr_nonnull(strstr(fixture.response.body.data, "who are you"));
	assert_lines(&fixture, dialogues[_i].lines);
	fixture_close(&fixture);
}
END_TEST

START_TEST(token_requests_are_what_was_meant)
{
	struct play play = {
		.challenge = TO_TOKEN, .accepts = "Bearer good", .tokens = {STATUS("404"), GOOD}};
	struct fixture fixture;
	char want[1024];

	fixture_open(&fixture, &play);
	fixture.credentials.username = "tester";
	fixture.credentials.identity_token = "id/secret+1";
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_str_eq(fake_server_body(fixture.server, 1),
		"grant_type=refresh_token&service=s&client_id=indexfs"
		"&scope=repository%3Ateam%2Fapp%3Apull&refresh_token=id%2Fsecret%2B1");
	snprintf(want, sizeof(want),
		"POST /token HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
		"User-Agent: indexfs/" INDEXFS_VERSION "\r\nAccept: application/json\r\n"
		"Content-Type: application/x-www-form-urlencoded\r\nAccept-Encoding: identity\r\n"
		"Content-Length: 119\r\n\r\n",
		fake_server_port(fixture.server));
	ck_assert_str_eq(fake_server_head(fixture.server, 1), want);
	snprintf(want, sizeof(want),
		"GET /token?%s&account=tester HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
		"User-Agent: indexfs/" INDEXFS_VERSION "\r\nAccept: application/json\r\n"
		"Authorization: Basic dGVzdGVyOmlkL3NlY3JldCsx\r\nAccept-Encoding: "
		"identity\r\n\r\n",
		PULL, fake_server_port(fixture.server));
	ck_assert_str_eq(fake_server_head(fixture.server, 2), want);
	fixture_close(&fixture);
}
END_TEST

START_TEST(tokens_are_kept_for_reads_and_changes_apart)
{
	static const char *const lines[] = {FIRST, ASK, LAST, LAST, "GET /token?" PULL "%2Cpush",
		"PUT /v2/team/app/x Bearer good", "PUT /v2/team/app/x Bearer good", NULL};
	struct play play = {.challenge = TO_TOKEN, .accepts = "Bearer good", .tokens = {GOOD}};
	struct http_request put = {.method = "PUT"};
	struct fixture fixture;

	fixture_open(&fixture, &play);
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(fixture_send(&fixture, put), 0);
	ck_assert_int_eq(fixture_send(&fixture, put), 0);
	ck_assert_int_eq(fixture.response.status, 200);
	assert_lines(&fixture, lines);
	fixture_close(&fixture);
}
END_TEST

START_TEST(extra_scope_is_asked_for_once)
{
	static const char *const lines[] = {"POST /v2/team/app/x",
		"GET /token?" PULL "%2Cpush&scope=repository%3Afrom%3Apull",
		"POST /v2/team/app/x Bearer good", "GET /token?" PULL "%2Cpush",
		"POST /v2/team/app/x Bearer good", NULL};
	struct play play = {.challenge = TO_TOKEN ",scope=\"repository:from:pull\"",
		.accepts = "Bearer good",
		.tokens = {GOOD}};
	struct http_request post = {.method = "POST", .extra_scope = "repository:from:pull"};
	struct fixture fixture;

	fixture_open(&fixture, &play);
	ck_assert_int_eq(fixture_send(&fixture, post), 0);
	post.extra_scope = NULL;
	ck_assert_int_eq(fixture_send(&fixture, post), 0);
	assert_lines(&fixture, lines);
	fixture_close(&fixture);
}
END_TEST

START_TEST(token_that_ends_at_once_serves_once)
{
	static const char *const lines[] = {FIRST, ASK, LAST, ASK, LAST, NULL};
	struct play play = {.challenge = TO_TOKEN,
		.accepts = "Bearer good",
		.tokens = {JSON("{\"token\":\"good\",\"expires_in\":0}")}};
	struct fixture fixture;

	fixture_open(&fixture, &play);
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(fixture.response.status, 200);
	assert_lines(&fixture, lines);
	fixture_close(&fixture);
}
END_TEST

/* Issued 200 of its 600 seconds ago, by the token server's own, wrong, clock. */
START_TEST(token_is_renewed_before_its_time)
{
	static const char *const lines[] = {FIRST, ASK, LAST, LAST, ASK, LAST, NULL};
	struct play play = {.challenge = TO_TOKEN,
		.accepts = "Bearer good",
		.tokens = {"HTTP/1.1 200 OK\r\nDate: Tue, 14 Nov 2023 22:16:40 GMT\r\n\r\n"
			   "{\"token\":\"good\",\"expires_in\":600,"
			   "\"issued_at\":\"2023-11-14T22:13:20Z\"}"}};
	struct fixture fixture;

	fixture_open(&fixture, &play);
	ck_assert_int_eq(fixture_get(&fixture), 0);
	skipped_ms += 300000;
	ck_assert_int_eq(fixture_get(&fixture), 0);
	skipped_ms += 91000;
	ck_assert_int_eq(fixture_get(&fixture), 0);
	assert_lines(&fixture, lines);
	fixture_close(&fixture);
}
END_TEST

START_TEST(request_is_replayed_whole_with_a_new_token)
{
	static const char *const lines[] = {"PUT /v2/team/app/x", "GET /token?" PULL "%2Cpush",
		"PUT /v2/team/app/x Bearer one", "PUT /v2/team/app/x Bearer one",
		"GET /token?" PULL "%2Cpush", "PUT /v2/team/app/x Bearer two", NULL};
	struct play play = {.challenge = TO_TOKEN,
		.accepts = "Bearer one",
		.tokens = {JSON("{\"token\":\"one\"}"), JSON("{\"token\":\"two\"}")}};
	struct fixture fixture;
	int fd = memfd_create("body", MFD_CLOEXEC);
	struct http_request put = {.method = "PUT",
		.lane = HTTP_UPLOAD,
		.body = {.kind = HTTP_BODY_FILE, .fd = fd, .offset = 2, .length = 7}};

	ck_assert_int_eq(write(fd, "0123456789", 10), 10);
	fixture_open(&fixture, &play);
	ck_assert_int_eq(fixture_send(&fixture, put), 0);
	ck_assert_int_eq(fixture.response.status, 200);
	play.accepts = "Bearer two";
	put.body = (struct http_body){.kind = HTTP_BODY_MEMORY, .bytes = "abc", .length = 3};
	ck_assert_int_eq(fixture_send(&fixture, put), 0);
	ck_assert_int_eq(fixture.response.status, 200);
	assert_lines(&fixture, lines);
	ck_assert_str_eq(fake_server_body(fixture.server, 0), "2345678");
	ck_assert_str_eq(fake_server_body(fixture.server, 2), "2345678");
	ck_assert_str_eq(fake_server_body(fixture.server, 3), "abc");
	ck_assert_str_eq(fake_server_body(fixture.server, 5), "abc");
	fixture_close(&fixture);
	close(fd);
}
END_TEST

/* The first token only reads, which shows when it is used. */
START_TEST(token_for_less_still_reads)
{
	static const char *const lines[] = {"PUT /v2/team/app/x", "GET /token?" PULL "%2Cpush",
		"PUT /v2/team/app/x Bearer less", FIRST " Bearer good", NULL};
	struct play play = {.challenge = TO_TOKEN ",error=\"insufficient_scope\"",
		.accepts = "Bearer good",
		.tokens = {JSON("{\"token\":\"less\"}"), GOOD}};
	struct fixture fixture;
	char got[LINE_SIZE];

	fixture_open(&fixture, &play);
	ck_assert_int_eq(fixture_send(&fixture, (struct http_request){.method = "PUT"}), 0);
	ck_assert_int_eq(fixture.response.status, 401);
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(fixture.response.status, 200);
	ck_assert_int_eq(fake_server_count(fixture.server), 5);
	request_line(got, fixture.server, 2);
	ck_assert_str_eq(got, lines[2]);
	request_line(got, fixture.server, 3);
	ck_assert_str_eq(got, ASK);
	request_line(got, fixture.server, 4);
	ck_assert_str_eq(got, lines[3]);
	fixture_close(&fixture);
}
END_TEST

/* It is asked of nobody, and outweighs a password; one that isn't good is looked for again. */
START_TEST(registry_token_is_shown_as_it_is)
{
	static const char *const lines[] = {FIRST, LAST, "PUT /v2/team/app/x Bearer good", LAST,
		(FIRST " Bearer better"), NULL};
	struct play play = {
		.challenge = TO_TOKEN, .accepts = "Bearer good", .tokens = {STATUS("500")}};
	struct fixture fixture;

	fixture_open(&fixture, &play);
	fixture.credentials.username = "tester";
	fixture.credentials.password = "sesame";
	fixture.credentials.registry_token = "good";
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(fixture.response.status, 200);
	ck_assert_int_eq(fixture_send(&fixture, (struct http_request){.method = "PUT"}), 0);
	ck_assert_int_eq(fixture.response.status, 200);
	play.accepts = "Bearer better";
	fixture.credentials.registry_token = "better";
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(fixture.response.status, 200);
	assert_lines(&fixture, lines);
	fixture_close(&fixture);
}
END_TEST

/* As with Amazon, whose passwords are good for some hours, and which says 403 of an old one. */
START_TEST(password_is_looked_for_again_when_refused)
{
	static const char *const lines[] = {FIRST, FIRST " " BASIC_SESAME, FIRST " " BASIC_SESAME,
		FIRST " " BASIC_SESAME, FIRST " Basic dGVzdGVyOm5ldw==", NULL};
	struct play play = {.challenge = "Basic realm=\"x\"",
		.accepts = BASIC_SESAME,
		.refusal = STATUS("403")};
	struct fixture fixture;

	fixture_open(&fixture, &play);
	fixture.credentials.username = "tester";
	fixture.credentials.password = "sesame";
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(atomic_load(&fixture.credentials.asked), 1);
	fixture.credentials.password = "new";
	play.accepts = "Basic dGVzdGVyOm5ldw==";
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(fixture.response.status, 200);
	assert_lines(&fixture, lines);
	fixture_close(&fixture);
}
END_TEST

START_TEST(login_is_noticed_while_mounted)
{
	static const char *const lines[] = {FIRST, FIRST, FIRST, (FIRST " " BASIC_SESAME), NULL};
	struct play play = {.challenge = "Basic realm=\"x\"", .accepts = BASIC_SESAME};
	struct fixture fixture;

	fixture_open(&fixture, &play);
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(fixture.response.status, 401);
	fixture.credentials.username = "tester";
	fixture.credentials.password = "sesame";
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(fixture.response.status, 200);
	assert_lines(&fixture, lines);
	fixture_close(&fixture);
}
END_TEST

#define WRITERS 8

struct writer {
	pthread_t thread;
	struct fixture *fixture;
	struct cancel *cancel;
	struct error error;
	int status;
};

static void *writer_run(void *context)
{
	struct writer *writer = context;
	struct http_response response = HTTP_RESPONSE_INIT;
	char url[256];
	struct http_request request = {.method = "PUT",
		.url = url,
		.lane = HTTP_UPLOAD,
		.body = {.kind = HTTP_BODY_MEMORY, .bytes = "abc", .length = 3},
		.body_limit = 100};

	snprintf(url, sizeof(url), "%s/v2/team/app/x", writer->fixture->registry);
	http_client_do(
		writer->fixture->client, &request, &response, writer->cancel, &writer->error);
	writer->status = response.status;
	http_response_clear(&response);
	return NULL;
}

static void writers_start(
	struct writer writers[static WRITERS], struct fixture *fixture, struct cancel *cancel)
{
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.fixture = fixture, .cancel = cancel};
		pthread_create(&writers[i].thread, NULL, writer_run, &writers[i]);
	}
}

START_TEST(many_writers_cause_one_token_request)
{
	struct play play = {.challenge = TO_TOKEN,
		.accepts = "Bearer good",
		.tokens = {GOOD},
		.token_pause_us = 300000};
	struct writer writers[WRITERS];
	struct fixture fixture;

	fixture_open(&fixture, &play);
	writers_start(writers, &fixture, NULL);
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(writers[i].thread, NULL);
		ck_assert_msg(writers[i].status == 200, "%d %s", writers[i].status,
			writers[i].error.message);
	}
	ck_assert_int_eq(atomic_load(&play.asked), 1);
	ck_assert_int_eq(atomic_load(&fixture.credentials.asked), 1);
	fixture_close(&fixture);
}
END_TEST

START_TEST(tokens_that_end_at_once_serve_all_who_waited)
{
	struct play play = {.challenge = TO_TOKEN,
		.accepts = "Bearer good",
		.tokens = {JSON("{\"token\":\"good\",\"expires_in\":0}")},
		.token_pause_us = 200000};
	struct writer writers[WRITERS];
	struct fixture fixture;

	fixture_open(&fixture, &play);
	writers_start(writers, &fixture, NULL);
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(writers[i].thread, NULL);
		ck_assert_msg(writers[i].status == 200, "%d %s", writers[i].status,
			writers[i].error.message);
	}
	ck_assert_int_le(atomic_load(&play.asked), WRITERS);
	fixture_close(&fixture);
}
END_TEST

START_TEST(waiting_for_a_token_ends_when_cancelled)
{
	struct play play = {.challenge = TO_TOKEN, .tokens = {FAKE_STALL}};
	struct writer writers[WRITERS];
	struct fixture fixture;
	struct cancel cancel;

	cancel_init(&cancel);
	fixture_open(&fixture, &play);
	writers_start(writers, &fixture, &cancel);
	await(atomic_load(&play.asked) == 1);
	usleep(100000); /* the others come to wait for it meanwhile */
	cancel_fire(&cancel);
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(writers[i].thread, NULL);
		ck_assert_int_eq(writers[i].error.kind, ERROR_INTERRUPTED);
	}
	ck_assert_int_eq(atomic_load(&play.asked), 1);
	fixture_close(&fixture);
	cancel_destroy(&cancel);
}
END_TEST

START_TEST(token_server_that_hangs_ends_in_time)
{
	struct play play = {.challenge = TO_TOKEN, .tokens = {FAKE_STALL}};
	struct fixture fixture;

	fixture_open_for(&fixture, &play, brief_timeout());
	ck_assert_int_eq(fixture_get(&fixture), -1);
	ck_assert_int_eq(fixture.error.kind, ERROR_TIMEOUT);
	fixture_close(&fixture);
}
END_TEST

/* What is sent elsewhere by a Location, or by a redirect, is told nothing, and neither is what it
 * sends back to. */
START_TEST(other_origins_are_told_nothing)
{
	struct play play = {.challenge = TO_TOKEN, .tokens = {GOOD}, .accepts = "Bearer good"};
	char away[256], back[256], url[256];
	const char *const elsewhere[] = {
		"HTTP/1.1 401 U\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n", back, NULL};
	struct fake_server *other = fake_server_play(elsewhere);
	struct fixture fixture;
	char got[LINE_SIZE];

	fixture_open(&fixture, &play);
	fixture.credentials.username = "tester";
	fixture.credentials.password = "sesame";
	ck_assert_int_eq(fixture_get(&fixture), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/upload", fake_server_port(other));
	ck_assert_int_eq(
		fixture_send(&fixture, (struct http_request){.method = "PUT", .url = url}), 0);
	ck_assert_int_eq(fixture.response.status, 401);
	request_line(got, other, 0);
	ck_assert_str_eq(got, "PUT /upload");
	ck_assert_int_eq(fake_server_count(other), 1);

	snprintf(away, sizeof(away), "HTTP/1.1 307 T\r\nLocation: http://127.0.0.1:%d/blob\r\n\r\n",
		fake_server_port(other));
	snprintf(back, sizeof(back), "HTTP/1.1 307 T\r\nLocation: %s/v2/team/app/y\r\n\r\n",
		fixture.registry);
	play.accepts = NULL;
	play.refusal = away;
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(fixture.response.status, 401);
	request_line(got, other, 1);
	ck_assert_str_eq(got, "GET /blob");
	request_line(got, fixture.server, fake_server_count(fixture.server) - 2);
	ck_assert_str_eq(got, FIRST " Bearer good");
	request_line(got, fixture.server, fake_server_count(fixture.server) - 1);
	ck_assert_str_eq(got, "GET /v2/team/app/y");
	fixture_close(&fixture);
	fake_server_stop(other);
}
END_TEST

static void assert_hidden(const struct fixture *fixture, const char *secret)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(BUF_UNBOUNDED);

	ck_assert_int_eq(log_read(fixture->log, &text), 0);
	ck_assert_ptr_null(strstr(text.data, secret));
	ck_assert_ptr_null(strstr(fixture->error.message, secret));
	if (fixture->response.body.data)
		ck_assert_ptr_null(strstr(fixture->response.body.data, secret));
}

START_TEST(secrets_are_told_to_nobody)
{
	static const char *const echoes[] = {"HTTP/1.1 401 U\r\n\r\nno: tok-secret, " BASIC_SESAME
					     ", sesame",
		"HTTP/1.1 403 U\r\n\r\nno: tok-secret, " BASIC_SESAME ", sesame"};
	static const char *const challenges[] = {TO_TOKEN, "Basic realm=\"x\""};

	for (int i = 0; i < 4; i++) {
		struct play play = {.challenge = challenges[i / 2],
			.refusal = echoes[i % 2],
			.tokens = {JSON("{\"token\":\"tok-secret\"}")}};
		struct fixture fixture;

		fixture_open(&fixture, &play);
		fixture.credentials.username = "tester";
		fixture.credentials.password = "sesame";
		ck_assert_int_eq(fixture_get(&fixture), 0);
		ck_assert_int_eq(fixture.response.status, 401 + i % 2 * 2);
		ck_assert_ptr_nonnull(strstr(fixture.response.body.data, "no: "));
		if (i / 2 == 0) {
			assert_hidden(&fixture, "tok-secret");
		} else {
			assert_hidden(&fixture, "sesame");
			assert_hidden(&fixture, strchr(BASIC_SESAME, ' ') + 1);
		}
		fixture_close(&fixture);
	}
}
END_TEST

START_TEST(registry_token_is_told_to_nobody)
{
	struct play play = {
		.challenge = TO_TOKEN, .refusal = "HTTP/1.1 403 F\r\n\r\nno: reg-secret"};
	struct fixture fixture;

	fixture_open(&fixture, &play);
	fixture.credentials.registry_token = "reg-secret";
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(fixture.response.status, 403);
	ck_assert_str_eq(fixture.response.body.data, "no: ***");
	assert_hidden(&fixture, "reg-secret");
	fixture_close(&fixture);
}
END_TEST

/* It may only read: another for the same would be no better. */
START_TEST(token_that_is_not_enough_is_not_fetched_again)
{
	static const char *const lines[] = {FIRST, ASK, LAST, "GET /token?" PULL "%2Cpush",
		"PUT /v2/team/app/x Bearer less", NULL};
	struct play play = {.challenge = TO_TOKEN ",error=\"insufficient_scope\"",
		.accepts = "Bearer good",
		.tokens = {GOOD, JSON("{\"token\":\"less\"}")}};
	struct fixture fixture;

	fixture_open(&fixture, &play);
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(fixture_send(&fixture, (struct http_request){.method = "PUT"}), 0);
	ck_assert_int_eq(fixture.response.status, 401);
	assert_lines(&fixture, lines);
	fixture_close(&fixture);
}
END_TEST

/* The token that a change was given is void when it comes to it, and so is the first that takes its
 * place before that is used, too: a body of its own isn't repeated by the layers above. */
START_TEST(tokens_that_are_void_at_once_are_replaced)
{
	static const char *const lines[] = {FIRST, ASK, LAST, "GET /token?" PULL "%2Cpush",
		"PUT /v2/team/app/x Bearer void", "GET /token?" PULL "%2Cpush",
		"PUT /v2/team/app/x Bearer good", NULL};
	struct play play = {.challenge = TO_TOKEN ",error=\"invalid_token\"",
		.accepts = "Bearer good",
		.tokens = {GOOD, JSON("{\"token\":\"void\"}"), GOOD}};
	struct fixture fixture;

	fixture_open(&fixture, &play);
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(fixture_send(&fixture, (struct http_request){.method = "PUT"}), 0);
	ck_assert_int_eq(fixture.response.status, 200);
	assert_lines(&fixture, lines);
	fixture_close(&fixture);
}
END_TEST

/* All of them show the first token before one of them has another. */
START_TEST(many_writers_lose_their_token_at_once)
{
	struct play play = {.challenge = TO_TOKEN,
		.accepts = "Bearer one",
		.tokens = {JSON("{\"token\":\"one\"}"), JSON("{\"token\":\"two\"}")},
		.token_pause_us = 200000};
	struct writer writers[WRITERS];
	struct fixture fixture;

	fixture_open(&fixture, &play);
	ck_assert_int_eq(fixture_send(&fixture, (struct http_request){.method = "PUT"}), 0);
	ck_assert_int_eq(fixture.response.status, 200);
	play.accepts = "Bearer two";
	writers_start(writers, &fixture, NULL);
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(writers[i].thread, NULL);
		ck_assert_msg(writers[i].status == 200, "%d %s", writers[i].status,
			writers[i].error.message);
	}
	ck_assert_int_eq(atomic_load(&play.asked), 2);
	fixture_close(&fixture);
}
END_TEST

/* Once it was taken, a refusal of it may be one of the moment. */
START_TEST(password_that_was_taken_is_shown_again)
{
	static const char *const lines[] = {FIRST, FIRST " " BASIC_SESAME, FIRST " " BASIC_SESAME,
		FIRST " " BASIC_SESAME, NULL};
	struct play play = {.challenge = "Basic realm=\"x\"", .accepts = BASIC_SESAME};
	struct fixture fixture;

	fixture_open(&fixture, &play);
	fixture.credentials.username = "tester";
	fixture.credentials.password = "sesame";
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(fixture.response.status, 200);
	play.accepts = NULL;
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(fixture.response.status, 401);
	assert_lines(&fixture, lines);
	fixture_close(&fixture);
}
END_TEST

#define LOOP(test, table)                                                                          \
	tcase_add_loop_test(tcase, test, 0, (int)(sizeof(table) / sizeof(*(table))))

int main(void)
{
	Suite *suite = suite_create("auth");
	TCase *tcase = tcase_create("auth");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 30);
	LOOP(dialogue, dialogues);
	tcase_add_test(tcase, token_requests_are_what_was_meant);
	tcase_add_test(tcase, tokens_are_kept_for_reads_and_changes_apart);
	tcase_add_test(tcase, extra_scope_is_asked_for_once);
	tcase_add_test(tcase, token_that_ends_at_once_serves_once);
	tcase_add_test(tcase, token_is_renewed_before_its_time);
	tcase_add_test(tcase, request_is_replayed_whole_with_a_new_token);
	tcase_add_test(tcase, token_for_less_still_reads);
	tcase_add_test(tcase, registry_token_is_shown_as_it_is);
	tcase_add_test(tcase, password_is_looked_for_again_when_refused);
	tcase_add_test(tcase, login_is_noticed_while_mounted);
	tcase_add_test(tcase, many_writers_cause_one_token_request);
	tcase_add_test(tcase, tokens_that_end_at_once_serve_all_who_waited);
	tcase_add_test(tcase, waiting_for_a_token_ends_when_cancelled);
	tcase_add_test(tcase, token_server_that_hangs_ends_in_time);
	tcase_add_test(tcase, other_origins_are_told_nothing);
	tcase_add_test(tcase, secrets_are_told_to_nobody);
	tcase_add_test(tcase, registry_token_is_told_to_nobody);
	tcase_add_test(tcase, token_that_is_not_enough_is_not_fetched_again);
	tcase_add_test(tcase, tokens_that_are_void_at_once_are_replaced);
	tcase_add_test(tcase, many_writers_lose_their_token_at_once);
	tcase_add_test(tcase, password_that_was_taken_is_shown_again);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
