#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "fake_server.h"
#include "patience.h"
#include "registry/http/client.h"
#include "registry/http/url.h"
#include "registry/http/wait.h"

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define REFUSED(status) "HTTP/1.1 " status " X\r\nContent-Length: 2\r\n\r\nno"

struct fixture {
	struct fake_server *server;
	struct http_client *client;
	struct log *log;
	struct http_response response;
	struct error error;
	char url[128];
};

static void fixture_open(
	struct fixture *fixture, struct fake_server *server, struct http_options options)
{
	static const struct http_response empty = HTTP_RESPONSE_INIT;

	memset(fixture, 0, sizeof(*fixture));
	fixture->server = server;
	fixture->response = empty;
	snprintf(fixture->url, sizeof(fixture->url), "http://127.0.0.1:%d/a?b=c",
		fake_server_port(server));
	fixture->log = log_new(LOG_LEVEL_INFO);
	ck_assert_int_eq(
		http_client_new(&fixture->client, &options, fixture->log, &fixture->error), 0);
}

static void fixture_play(struct fixture *fixture, const char *const *answers, int retries)
{
	fixture_open(fixture, fake_server_play(answers),
		(struct http_options){
			.tls_verify = true, .timeout = AMPLE_TIMEOUT, .retries = retries});
}

static void fixture_close(struct fixture *fixture)
{
	http_response_clear(&fixture->response);
	http_client_free(fixture->client);
	log_free(fixture->log);
	if (fixture->server)
		fake_server_stop(fixture->server);
}

static int fixture_get(struct fixture *fixture)
{
	struct http_request request = {
		.method = "GET",
		.url = fixture->url,
		.repeatable = true,
		.body_limit = 100,
	};

	http_response_clear(&fixture->response);
	error_clear(&fixture->error);
	return http_client_do(fixture->client, &request, &fixture->response, NULL, &fixture->error);
}

START_TEST(headers_are_found_and_bounded)
{
	struct http_headers headers = HTTP_HEADERS_INIT;
	struct error err = ERROR_INIT;
	const char *value;
	int added = 0;

	ck_assert_int_eq(http_headers_add(&headers, "Link: a \r\n", 10, &err), 0);
	ck_assert_int_eq(http_headers_add(&headers, "no header\r\n", 11, &err), 0);
	ck_assert_int_eq(http_headers_add(&headers, " : folded\r\n", 11, &err), 0);
	ck_assert_int_eq(http_headers_add(&headers, "A: b\0c\r\n", 8, &err), 0);
	ck_assert_int_eq(http_headers_add(&headers, "link:\tb\r\n", 9, &err), 0);
	ck_assert_int_eq(http_headers_add(&headers, "Content-Length: 12x\r\n", 21, &err), 0);
	ck_assert_uint_eq(headers.count, 3);
	value = http_headers_get(&headers, "LINK");
	ck_assert_str_eq(value, "a");
	value = http_headers_next(&headers, "Link", value);
	ck_assert_str_eq(value, "b");
	ck_assert_ptr_null(http_headers_next(&headers, "Link", value));
	ck_assert_ptr_null(http_headers_get(&headers, "A"));
	ck_assert_int_eq(http_headers_length(&headers), -1);
	while (added < 1000 && http_headers_add(&headers, "A: b\r\n", 6, &err) == 0)
		added++;
	ck_assert_int_eq(added, HTTP_HEADERS_MAX - 3);
	ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
	http_headers_clear(&headers);
}
END_TEST

static const struct {
	const char *base, *location, *url;
} locations[] = {
	{"http://h:5000/v2/a/", "/v2/b?x=%2F&y", "http://h:5000/v2/b?x=%2F&y"},
	{"http://h/v2/a/b", "c", "http://h/v2/a/c"},
	{"http://h/v2/a/b", "//other/c", "http://other/c"},
	{"http://h/a", "https://other:8443/c#frag", "https://other:8443/c"},
	{"http://h/a", "/sp ace", "http://h/sp%20ace"},
	{"https://h/a", "http://h/a", NULL},
	{"https://h/a", "HTTP://h/a", NULL},
	{"https://h/a", "//x:80/a", "https://x:80/a"},
	{"http://h/a", "ftp://h/a", NULL},
	{"http://h/a", "file:///etc/passwd", NULL},
	{"http://h/a", "http://user:pw@h/a", NULL},
	{"http://h/a", "http://", NULL},
};

START_TEST(locations_are_resolved_or_refused)
{
	struct error err = ERROR_INIT;
	cleanup_free char *url = NULL;

	http_url_resolve(&url, locations[_i].base, locations[_i].location, &err);
	if (locations[_i].url) {
		ck_assert_msg(url != NULL, "%s", err.message);
		ck_assert_str_eq(url, locations[_i].url);
	} else {
		ck_assert_msg(url == NULL, "%s", url);
		ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
	}
}
END_TEST

START_TEST(origins_compare_with_their_default_port)
{
	ck_assert(http_url_same_origin("https://h/a", "https://H:443/b?c"));
	ck_assert(http_url_same_origin("http://h:80/a", "http://h"));
	ck_assert(!http_url_same_origin("http://h/a", "https://h/a"));
	ck_assert(!http_url_same_origin("http://h/a", "http://h:81/a"));
	ck_assert(!http_url_same_origin("http://h/a", "http://h.evil/a"));
	ck_assert(!http_url_same_origin("http://h/a", "http://h@evil/a"));
}
END_TEST

START_TEST(request_is_what_was_meant)
{
	const char *const answers[] = {OK_HELLO, NULL};
	struct http_header headers[] = {{"Accept", "x/y"}, {"Content-Type", "a/b"}};
	struct fixture fixture;
	char want[512];

	fixture_play(&fixture, answers, 0);

	struct http_request request = {
		.method = "PUT",
		.url = fixture.url,
		.headers = headers,
		.header_count = 2,
		.body = {.kind = HTTP_BODY_MEMORY, .bytes = "12345", .length = 5},
		.body_limit = 5,
	};

	ck_assert_int_eq(
		http_client_do(fixture.client, &request, &fixture.response, NULL, &fixture.error),
		0);
	ck_assert_int_eq(fixture.response.status, 200);
	ck_assert_str_eq(fixture.response.body.data, "hello");
	snprintf(want, sizeof(want),
		"PUT /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
		"User-Agent: indexfs/" INDEXFS_VERSION "\r\n"
		"Accept: x/y\r\nContent-Type: a/b\r\nAccept-Encoding: identity\r\n"
		"Content-Length: 5\r\n\r\n",
		fake_server_port(fixture.server));
	ck_assert_str_eq(fake_server_head(fixture.server, 0), want);
	ck_assert_str_eq(fake_server_body(fixture.server, 0), "12345");
	fixture_close(&fixture);
}
END_TEST

START_TEST(header_values_begin_no_header)
{
	const char *const answers[] = {OK_EMPTY, NULL};
	struct http_header header = {"Accept", "x/y\r\nAuthorization: z"};
	struct fixture fixture;

	fixture_play(&fixture, answers, 0);

	struct http_request request = {
		.method = "GET", .url = fixture.url, .headers = &header, .header_count = 1};

	ck_assert_int_eq(
		http_client_do(fixture.client, &request, &fixture.response, NULL, &fixture.error),
		-1);
	ck_assert_int_eq(fixture.error.kind, ERROR_INVALID);
	ck_assert_int_eq(fake_server_count(fixture.server), 0);
	fixture_close(&fixture);
}
END_TEST

START_TEST(redirect_keeps_range_and_drops_credentials)
{
	const char *const answers[] = {
		"HTTP/1.1 307 T\r\nLocation: /second\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 302 F\r\nLocation: http://localhost:@PORT@/third\r\n"
		"Content-Length: 0\r\n\r\n",
		"HTTP/1.1 308 P\r\nLocation: http://127.0.0.1:@PORT@/fourth\r\n"
		"Content-Length: 0\r\n\r\n",
		OK_HELLO, NULL};
	struct http_header headers[] = {{"Authorization", "secret"}, {"Range", "bytes=1-2"}};
	struct fixture fixture;

	fixture_play(&fixture, answers, 0);

	struct http_request request = {
		.method = "GET",
		.url = fixture.url,
		.headers = headers,
		.header_count = 2,
		.body_limit = 5,
	};

	ck_assert_msg(http_client_do(fixture.client, &request, &fixture.response, NULL,
			      &fixture.error) == 0,
		"%s", fixture.error.message);
	ck_assert_str_eq(fixture.response.body.data, "hello");
	ck_assert(fixture.response.elsewhere);
	ck_assert_int_eq(fake_server_count(fixture.server), 4);
	for (int i = 0; i < 4; i++) {
		const char *head = fake_server_head(fixture.server, i);

		ck_assert_ptr_nonnull(strstr(head, "\r\nRange: bytes=1-2\r\n"));
		ck_assert_msg(!strstr(head, "secret") == (i >= 2), "%s", head);
	}
	ck_assert_ptr_nonnull(strstr(fake_server_head(fixture.server, 3), "GET /fourth HTTP"));
	fixture_close(&fixture);
}
END_TEST

START_TEST(redirects_end)
{
	const char *const answers[] = {
		"HTTP/1.1 301 M\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n", NULL};
	struct fixture fixture;

	fixture_play(&fixture, answers, 0);
	ck_assert_int_eq(fixture_get(&fixture), -1);
	ck_assert_int_eq(fixture.error.kind, ERROR_PROTOCOL);
	ck_assert_ptr_nonnull(strstr(fixture.error.message, "too many redirects"));
	ck_assert_int_eq(fake_server_count(fixture.server), 6);
	fixture_close(&fixture);
}
END_TEST

static const struct {
	const char *answers[4];
	int retries;
	int result; /* a status, or 0 for the error */
	enum error_kind kind;
	int requests;
} answers_table[] = {
	{{OK_HELLO}, 0, 200, ERROR_NONE, 1},
	{{REFUSED("404")}, 4, 404, ERROR_NONE, 2},
	{{REFUSED("404")}, 0, 404, ERROR_NONE, 1},
	{{REFUSED("404"), OK_HELLO}, 1, 200, ERROR_NONE, 2},
	{{REFUSED("401"), OK_HELLO}, 1, 200, ERROR_NONE, 2},
	{{REFUSED("403"), OK_HELLO}, 1, 200, ERROR_NONE, 2},
	{{REFUSED("413"), OK_HELLO}, 1, 200, ERROR_NONE, 2},
	{{REFUSED("416"), OK_HELLO}, 1, 200, ERROR_NONE, 2},
	{{REFUSED("507"), OK_HELLO}, 1, 200, ERROR_NONE, 2},
	{{REFUSED("404"), REFUSED("403"), OK_HELLO}, 4, 403, ERROR_NONE, 2},
	{{REFUSED("503"), REFUSED("403"), OK_HELLO}, 1, 200, ERROR_NONE, 3},
	{{REFUSED("403"), REFUSED("503"), OK_HELLO}, 1, 200, ERROR_NONE, 3},
	{{REFUSED("400"), OK_HELLO}, 4, 400, ERROR_NONE, 1},
	{{REFUSED("405"), OK_HELLO}, 4, 405, ERROR_NONE, 1},
	{{REFUSED("409"), OK_HELLO}, 4, 409, ERROR_NONE, 1},
	{{REFUSED("412"), OK_HELLO}, 4, 412, ERROR_NONE, 1},
	{{"HTTP/1.1 100 C\r\n\r\n" OK_HELLO}, 0, 200, ERROR_NONE, 1},
	{{"HTTP/1.1 503 S\r\nContent-Length: 0\r\n\r\n", OK_HELLO}, 1, 200, ERROR_NONE, 2},
	{{"HTTP/1.1 503 S\r\nContent-Length: 0\r\n\r\n"}, 1, 503, ERROR_NONE, 2},
	{{"HTTP/1.1 503 S\r\nContent-Length: 0\r\n\r\n"}, 0, 503, ERROR_NONE, 1},
	{{"HTTP/1.1 429 S\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n", OK_HELLO}, 1, 200,
		ERROR_NONE, 2},
	{{"HTTP/1.1 429 S\r\nRetry-After: 300\r\nContent-Length: 0\r\n\r\n", OK_HELLO}, 1, 429,
		ERROR_NONE, 1},
	{{"HTTP/1.1 429 S\r\nRetry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n"
	  "Content-Length: 0\r\n\r\n",
		 OK_HELLO},
		1, 200, ERROR_NONE, 2},
	{{"", OK_HELLO}, 1, 200, ERROR_NONE, 2},
	{{""}, 0, 0, ERROR_PROTOCOL, 1},
	{{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", OK_HELLO}, 1, 200, ERROR_NONE, 2},
	{{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"}, 0, 0, ERROR_CORRUPT, 1},
	{{"nonsense\r\n\r\n"}, 0, 0, ERROR_PROTOCOL, 1},
	{{"HTTP/1.1 200 OK\r\nContent-Length: 5368709120\r\n\r\n" FAKE_STALL}, 4, 0,
		ERROR_TOO_LARGE, 2},
	{{"HTTP/1.1 200 OK\r\nContent-Length: 5368709120\r\n\r\n" FAKE_STALL, OK_HELLO}, 1, 200,
		ERROR_NONE, 2},
	{{"HTTP/1.1 200 OK\r\n" FAKE_ENDLESS}, 4, 0, ERROR_PROTOCOL, 2},
	{{"HTTP/1.1 200 OK\r\n" FAKE_ENDLESS, OK_HELLO}, 1, 200, ERROR_NONE, 2},
	{{FAKE_STALL}, 0, 0, ERROR_TIMEOUT, 1},
	{{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe" FAKE_STALL}, 0, 0, ERROR_TIMEOUT, 1},
	{{"HTTP/1.1 302 OK\r\nLocation: ftp://x/\r\nContent-Length: 0\r\n\r\n"}, 4, 0,
		ERROR_PROTOCOL, 2},
	{{"HTTP/1.1 302 OK\r\nLocation: ftp://x/\r\nContent-Length: 0\r\n\r\n", OK_HELLO}, 1, 200,
		ERROR_NONE, 2},
};

START_TEST(answers_and_faults)
{
	struct http_options options = {
		.tls_verify = true,
		.timeout =
			answers_table[_i].kind == ERROR_TIMEOUT ? brief_timeout() : AMPLE_TIMEOUT,
		.retries = answers_table[_i].retries,
	};
	struct fixture fixture;
	int failed;

	fixture_open(&fixture, fake_server_play(answers_table[_i].answers), options);
	failed = fixture_get(&fixture);
	ck_assert_msg(failed == (answers_table[_i].result ? 0 : -1), "%s", fixture.error.message);
	ck_assert_int_eq(fixture.error.kind, answers_table[_i].kind);
	if (!failed)
		ck_assert_int_eq(fixture.response.status, answers_table[_i].result);
	ck_assert_int_eq(fake_server_count(fixture.server), answers_table[_i].requests);
	fixture_close(&fixture);
}
END_TEST

static bool not_found_settles(const struct http_response *response)
{
	return response->status == 404;
}

/* What a request is to find out isn't asked for twice, and what isn't to be repeated neither. */
START_TEST(refusal_that_is_an_answer_stands)
{
	static const struct {
		const char *answer;
		bool repeatable, settles, refusals_stand;
		int requests;
	} cases[] = {
		{REFUSED("404"), true, false, false, 2},
		{REFUSED("404"), true, true, false, 1},
		{REFUSED("403"), true, true, false, 2},
		{REFUSED("403"), true, false, true, 1},
		{REFUSED("404"), false, false, false, 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *const answers[] = {cases[i].answer, NULL};
		struct fixture fixture;
		struct http_request request = {
			.method = "GET",
			.url = fixture.url,
			.repeatable = cases[i].repeatable,
			.settles = cases[i].settles ? not_found_settles : NULL,
		};

		fixture_open(&fixture, fake_server_play(answers),
			(struct http_options){.timeout = AMPLE_TIMEOUT,
				.retries = 4,
				.refusals_stand = cases[i].refusals_stand});
		ck_assert_int_eq(http_client_do(fixture.client, &request, &fixture.response, NULL,
					 &fixture.error),
			0);
		ck_assert_int_eq(fake_server_count(fixture.server), cases[i].requests);
		fixture_close(&fixture);
	}
}
END_TEST

START_TEST(body_is_capped_without_a_length)
{
	char answer[256] = "HTTP/1.1 200 OK\r\n\r\n";
	const char *const answers[] = {answer, NULL};
	struct fixture fixture;

	memset(answer + strlen(answer), 'x', 101);
	fixture_play(&fixture, answers, 0);
	ck_assert_int_eq(fixture_get(&fixture), -1);
	ck_assert_int_eq(fixture.error.kind, ERROR_TOO_LARGE);
	fixture_close(&fixture);
}
END_TEST

START_TEST(refusal_is_cut)
{
	static char answer[HTTP_ERROR_BODY_MAX * 4];
	const char *const answers[] = {answer, NULL};
	struct fixture fixture;

	strcpy(answer, "HTTP/1.1 403 F\r\n\r\n");
	memset(answer + strlen(answer), 'x', sizeof(answer) - 100);
	fixture_play(&fixture, answers, 0);
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(fixture.response.status, 403);
	ck_assert_uint_eq(fixture.response.body.len, HTTP_ERROR_BODY_MAX);
	fixture_close(&fixture);
}
END_TEST

static int tries_told(const struct fixture *fixture)
{
	cleanup_with(buf_free) struct buf lines = BUF_INIT((size_t)1 << 20);
	int count = 0;

	ck_assert_int_eq(log_read(fixture->log, &lines), 0);
	for (const char *at = lines.data; at && (at = strstr(at, "GET again: ")); at++)
		count++;
	return count;
}

START_TEST(nobody_listens)
{
	const char *const answers[] = {OK_HELLO, NULL};
	struct fixture fixture;

	fixture_play(&fixture, answers, 4);
	fake_server_stop(fixture.server);
	fixture.server = NULL;
	ck_assert_int_eq(fixture_get(&fixture), -1);
	ck_assert_int_eq(fixture.error.kind, ERROR_REFUSED);
	ck_assert_ptr_nonnull(strstr(fixture.error.message, ": connection refused"));
	ck_assert_int_eq(tries_told(&fixture), 1);
	fixture_close(&fixture);
}
END_TEST

/* A label too long for any resolver to be asked. */
#define LONG_LABEL "0123456789012345678901234567890123456789012345678901234567890123"

START_TEST(no_such_host)
{
	const char *const answers[] = {OK_HELLO, NULL};
	struct fixture fixture;

	fixture_play(&fixture, answers, 0);
	snprintf(fixture.url, sizeof(fixture.url), "http://" LONG_LABEL ".invalid/");
	ck_assert_int_eq(fixture_get(&fixture), -1);
	ck_assert_int_eq(fixture.error.kind, ERROR_UNREACHABLE);
	fixture_close(&fixture);
}
END_TEST

static const char *stall_downloads(void *context, const char *head, int index)
{
	(void)context;
	(void)index;
	return strstr(head, "GET /slow") ? FAKE_STALL : OK_HELLO;
}

struct slow {
	struct fixture *fixture;
	struct cancel *cancel;
	struct error error;
};

static void *slow_run(void *context)
{
	struct slow *slow = context;
	struct http_response response = HTTP_RESPONSE_INIT;
	char url[128];
	struct http_request request = {
		.method = "GET", .url = url, .lane = HTTP_DOWNLOAD, .repeatable = true};

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/slow",
		fake_server_port(slow->fixture->server));
	http_client_do(slow->fixture->client, &request, &response, slow->cancel, &slow->error);
	http_response_clear(&response);
	return NULL;
}

#define SLOW 6

static void slow_start(struct slow *slow, pthread_t *threads, struct fixture *fixture,
	struct cancel *cancel, int timeout)
{
	fixture_open(fixture, fake_server_start(stall_downloads, NULL),
		(struct http_options){.tls_verify = true, .timeout = timeout, .jobs = 2});
	for (int i = 0; i < SLOW; i++) {
		slow[i] = (struct slow){.fixture = fixture, .cancel = cancel};
		pthread_create(&threads[i], NULL, slow_run, &slow[i]);
	}
	await(fake_server_count(fixture->server) >= 2);
}

START_TEST(small_requests_pass_bodies_that_hang)
{
	struct slow slow[SLOW];
	pthread_t threads[SLOW];
	struct fixture fixture;
	struct cancel cancel;

	cancel_init(&cancel);
	slow_start(slow, threads, &fixture, &cancel, AMPLE_TIMEOUT);
	ck_assert_int_eq(fixture_get(&fixture), 0);
	ck_assert_int_eq(fake_server_count(fixture.server), 3);
	cancel_fire(&cancel);
	for (int i = 0; i < SLOW; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_int_eq(slow[i].error.kind, ERROR_INTERRUPTED);
	}
	fixture_close(&fixture);
	cancel_destroy(&cancel);
}
END_TEST

START_TEST(waiting_for_a_turn_ends_in_time_too)
{
	struct slow slow[SLOW];
	pthread_t threads[SLOW];
	struct fixture fixture;

	slow_start(slow, threads, &fixture, NULL, brief_timeout());
	for (int i = 0; i < SLOW; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_int_eq(slow[i].error.kind, ERROR_TIMEOUT);
	}
	fixture_close(&fixture);
}
END_TEST

/* Answers once the gate is open. */
static const char *answer_late(void *gate, const char *head, int index)
{
	(void)head;
	(void)index;
	pthread_mutex_lock(gate);
	pthread_mutex_unlock(gate);
	return OK_HELLO;
}

struct late {
	struct engine_call call;
	struct http_response response;
	struct waiter done;
};

static void late_done(struct engine_call *call)
{
	waiter_wake(call->context);
}

static void late_submit(
	struct late *late, struct engine *engine, const struct http_request *request)
{
	static const struct http_response empty = HTTP_RESPONSE_INIT;

	late->response = empty;
	waiter_init(&late->done);
	late->call = (struct engine_call){
		.request = request,
		.response = &late->response,
		.error = ERROR_INIT,
		.done = late_done,
		.context = &late->done,
	};
	engine_submit(engine, &late->call);
}

static enum error_kind late_end(struct late *late)
{
	waiter_wait(&late->done);
	waiter_destroy(&late->done);
	http_response_clear(&late->response);
	return late->call.error.kind;
}

/* Not even when there is room for it again. */
START_TEST(cancelled_before_its_turn_sends_nothing)
{
	struct http_options options = {.tls_verify = true, .timeout = AMPLE_TIMEOUT, .jobs = 2};
	struct http_request request = {.method = "GET", .lane = HTTP_DOWNLOAD, .body_limit = 100};
	struct late late[SLOW], last;
	struct fake_server *server;
	struct engine *engine;
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	char url[64];

	pthread_mutex_lock(&gate);
	server = fake_server_start(answer_late, &gate);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", fake_server_port(server));
	request.url = url;
	ck_assert_int_eq(engine_new(&engine, &options, NULL), 0);
	for (int i = 0; i < SLOW; i++)
		late_submit(&late[i], engine, &request);
	await(fake_server_count(server) == 2);
	for (int i = 2; i < SLOW; i++)
		engine_cancel(&late[i].call);
	for (int i = 2; i < SLOW; i++)
		ck_assert_int_eq(late_end(&late[i]), ERROR_INTERRUPTED);
	ck_assert_int_eq(fake_server_count(server), 2);
	pthread_mutex_unlock(&gate);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(late_end(&late[i]), ERROR_NONE);
	late_submit(&last, engine, &request);
	ck_assert_int_eq(late_end(&last), ERROR_NONE);
	ck_assert_int_eq(fake_server_count(server), 3);
	engine_free(engine);
	fake_server_stop(server);
}
END_TEST

START_TEST(cancelled_before_another_try_sends_nothing_more)
{
	const char *const answers[] = {"HTTP/1.1 503 S\r\nRetry-After: 30\r\n\r\n", NULL};
	struct fixture fixture;
	struct cancel cancel;
	struct slow slow;
	pthread_t thread;

	cancel_init(&cancel);
	fixture_play(&fixture, answers, 4);
	slow = (struct slow){.fixture = &fixture, .cancel = &cancel};
	pthread_create(&thread, NULL, slow_run, &slow);
	await(fake_server_count(fixture.server) == 1);
	cancel_fire(&cancel);
	pthread_join(thread, NULL);
	ck_assert_int_eq(slow.error.kind, ERROR_INTERRUPTED);
	ck_assert_int_eq(fake_server_count(fixture.server), 1);
	fixture_close(&fixture);
	cancel_destroy(&cancel);
}
END_TEST

START_TEST(fired_token_sends_nothing)
{
	const char *const answers[] = {OK_HELLO, NULL};
	struct fixture fixture;
	struct cancel cancel;

	cancel_init(&cancel);
	cancel_fire(&cancel);
	fixture_play(&fixture, answers, 4);

	struct http_request request = {.method = "GET", .url = fixture.url, .repeatable = true};

	ck_assert_int_eq(http_client_do(fixture.client, &request, &fixture.response, &cancel,
				 &fixture.error),
		-1);
	ck_assert_int_eq(fixture.error.kind, ERROR_INTERRUPTED);
	ck_assert_int_eq(fake_server_count(fixture.server), 0);
	fixture_close(&fixture);
	cancel_destroy(&cancel);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http");
	TCase *tcase = tcase_create("http");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, headers_are_found_and_bounded);
	tcase_add_loop_test(tcase, locations_are_resolved_or_refused, 0,
		(int)(sizeof(locations) / sizeof(*locations)));
	tcase_add_test(tcase, origins_compare_with_their_default_port);
	tcase_add_test(tcase, request_is_what_was_meant);
	tcase_add_test(tcase, header_values_begin_no_header);
	tcase_add_test(tcase, redirect_keeps_range_and_drops_credentials);
	tcase_add_test(tcase, redirects_end);
	tcase_add_loop_test(tcase, answers_and_faults, 0,
		(int)(sizeof(answers_table) / sizeof(*answers_table)));
	tcase_add_test(tcase, refusal_that_is_an_answer_stands);
	tcase_add_test(tcase, body_is_capped_without_a_length);
	tcase_add_test(tcase, refusal_is_cut);
	tcase_add_test(tcase, nobody_listens);
	tcase_add_test(tcase, no_such_host);
	tcase_add_test(tcase, small_requests_pass_bodies_that_hang);
	tcase_add_test(tcase, waiting_for_a_turn_ends_in_time_too);
	tcase_add_test(tcase, cancelled_before_its_turn_sends_nothing);
	tcase_add_test(tcase, cancelled_before_another_try_sends_nothing_more);
	tcase_add_test(tcase, fired_token_sends_nothing);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
