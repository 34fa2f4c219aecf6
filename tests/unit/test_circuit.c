#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "registry/http/circuit.h"
#include "registry/http/client.h"
#include "registry/http/wait.h"

#define DEAR_MS (CIRCUIT_CHEAP_MS + 100)

/* What the layer below does with a try. */
enum outcome { ANSWER, MISS, MISS_AT_ONCE, BREAK, GIVE_UP, CONNECT_AND_LAST };

struct below {
	struct http_layer layer;
	_Atomic enum outcome outcome;
	atomic_int tries, connect_ms;
};

static int below_fail(
	struct http_response *response, bool unreached, enum error_kind kind, struct error *err)
{
	response->unreached = unreached;
	response->transient = true;
	return error_set(err, kind, "h: no answer in time");
}

static int below_perform(struct http_layer *layer, const struct http_request *request,
	struct http_response *response, struct cancel *cancel, struct error *err)
{
	struct below *below = (struct below *)layer;

	(void)cancel;
	atomic_fetch_add(&below->tries, 1);
	atomic_store(&below->connect_ms, request->connect_ms);
	switch (atomic_load(&below->outcome)) {
	case MISS:
		usleep(DEAR_MS * 1000);
		return below_fail(response, true, ERROR_TIMEOUT, err);
	case MISS_AT_ONCE:
		return below_fail(response, true, ERROR_REFUSED, err);
	case BREAK:
		request->connected(request->connected_context);
		usleep(DEAR_MS * 1000);
		return below_fail(response, false, ERROR_TIMEOUT, err);
	case GIVE_UP:
		return below_fail(response, false, ERROR_INTERRUPTED, err);
	case CONNECT_AND_LAST:
		usleep(200 * 1000);
		request->connected(request->connected_context);
		usleep(900 * 1000);
		break;
	case ANSWER:
		break;
	}
	response->status = 200;
	return 0;
}

static void below_free(struct http_layer *layer)
{
	(void)layer;
}

struct fixture {
	struct below below;
	struct http_layer *circuit;
	struct http_response response;
	struct error err;
	int64_t took_ms;
};

static void fixture_open(struct fixture *fixture)
{
	static const struct http_response empty = HTTP_RESPONSE_INIT;

	memset(fixture, 0, sizeof(*fixture));
	fixture->response = empty;
	fixture->below.layer.perform = below_perform;
	fixture->below.layer.free = below_free;
	ck_assert_int_eq(
		circuit_layer_new(&fixture->circuit, &fixture->below.layer, &fixture->err), 0);
}

static void fixture_close(struct fixture *fixture)
{
	fixture->circuit->free(fixture->circuit);
}

static int fixture_ask(struct fixture *fixture, const char *url, struct cancel *cancel)
{
	const struct http_request request = {.method = "GET", .url = url};
	int64_t begun = clock_ms();
	int failed;

	http_response_clear(&fixture->response);
	error_clear(&fixture->err);
	failed = fixture->circuit->perform(
		fixture->circuit, &request, &fixture->response, cancel, &fixture->err);
	fixture->took_ms = clock_ms() - begun;
	return failed;
}

#define URL "https://h:5000/v2/a?b"

static void fixture_break(struct fixture *fixture)
{
	atomic_store(&fixture->below.outcome, MISS);
	for (int i = 0; i < CIRCUIT_FAILURES; i++)
		ck_assert_int_eq(fixture_ask(fixture, URL, NULL), -1);
	ck_assert_int_eq(atomic_load(&fixture->below.tries), CIRCUIT_FAILURES);
}

START_TEST(a_dead_host_fails_at_once_and_the_same)
{
	struct fixture fixture;

	fixture_open(&fixture);
	fixture_break(&fixture);
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(fixture_ask(&fixture, URL "other", NULL), -1);
		ck_assert_int_lt(fixture.took_ms, DEAR_MS / 2);
		ck_assert_int_eq(fixture.err.kind, ERROR_TIMEOUT);
		ck_assert_str_eq(fixture.err.message, "h: no answer in time");
		ck_assert(!fixture.response.transient);
	}
	ck_assert_int_eq(atomic_load(&fixture.below.tries), CIRCUIT_FAILURES);
	fixture_close(&fixture);
}
END_TEST

START_TEST(another_host_is_another_matter)
{
	static const char *const urls[] = {"https://h:5001/", "http://h:5000/", "https://h/",
		"https://h:50000/", "https://hh:5000/"};
	struct fixture fixture;

	fixture_open(&fixture);
	fixture_break(&fixture);
	atomic_store(&fixture.below.outcome, ANSWER);
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++)
		ck_assert_int_eq(fixture_ask(&fixture, urls[i], NULL), 0);
	ck_assert_int_eq(fixture_ask(&fixture, URL, NULL), -1);
	fixture_close(&fixture);
}
END_TEST

START_TEST(after_the_pause_the_first_request_finds_it_back)
{
	struct fixture fixture;

	fixture_open(&fixture);
	fixture_break(&fixture);
	atomic_store(&fixture.below.outcome, ANSWER);
	usleep((DEAR_MS + 50) * 1000);
	ck_assert_int_eq(fixture_ask(&fixture, URL, NULL), 0);
	ck_assert_int_lt(fixture.took_ms, DEAR_MS / 2);
	ck_assert_int_eq(atomic_load(&fixture.below.connect_ms), CIRCUIT_CONNECT_MS);
	ck_assert_int_eq(fixture_ask(&fixture, URL, NULL), 0);
	ck_assert_int_eq(atomic_load(&fixture.below.connect_ms), 0);
	fixture_close(&fixture);
}
END_TEST

START_TEST(a_host_that_is_still_dead_pauses_again)
{
	struct fixture fixture;

	fixture_open(&fixture);
	fixture_break(&fixture);
	usleep((DEAR_MS + 50) * 1000);
	ck_assert_int_eq(fixture_ask(&fixture, URL, NULL), -1);
	ck_assert_int_eq(atomic_load(&fixture.below.tries), CIRCUIT_FAILURES + 1);
	ck_assert_int_eq(fixture_ask(&fixture, URL, NULL), -1);
	ck_assert_int_eq(atomic_load(&fixture.below.tries), CIRCUIT_FAILURES + 1);
	fixture_close(&fixture);
}
END_TEST

static void *ask_beside(void *context)
{
	struct fixture *fixture = context;
	const struct http_request request = {.method = "GET", .url = URL};
	struct http_response response = HTTP_RESPONSE_INIT;
	struct error err = ERROR_INIT;
	int failed = fixture->circuit->perform(fixture->circuit, &request, &response, NULL, &err);

	http_response_clear(&response);
	return failed ? fixture : NULL;
}

START_TEST(others_wait_until_somebody_is_connected_and_no_longer)
{
	struct fixture fixture;
	pthread_t thread;
	void *failed;

	fixture_open(&fixture);
	fixture_break(&fixture);
	atomic_store(&fixture.below.outcome, CONNECT_AND_LAST);
	usleep((DEAR_MS + 50) * 1000);
	pthread_create(&thread, NULL, ask_beside, &fixture);
	usleep(50 * 1000);
	atomic_store(&fixture.below.outcome, ANSWER);
	ck_assert_int_eq(fixture_ask(&fixture, URL, NULL), 0);
	ck_assert_int_ge(fixture.took_ms, 100);
	ck_assert_int_lt(fixture.took_ms, 1000);
	pthread_join(thread, &failed);
	ck_assert_ptr_null(failed);
	fixture_close(&fixture);
}
END_TEST

START_TEST(who_waits_can_be_interrupted)
{
	struct cancel cancel;
	struct fixture fixture;
	pthread_t thread;

	cancel_init(&cancel);
	cancel_fire(&cancel);
	fixture_open(&fixture);
	fixture_break(&fixture);
	usleep((DEAR_MS + 50) * 1000);
	pthread_create(&thread, NULL, ask_beside, &fixture);
	usleep(50 * 1000);
	ck_assert_int_eq(fixture_ask(&fixture, URL, &cancel), -1);
	ck_assert_int_eq(fixture.err.kind, ERROR_INTERRUPTED);
	pthread_join(thread, NULL);
	fixture_close(&fixture);
	cancel_destroy(&cancel);
}
END_TEST

START_TEST(a_try_that_was_given_up_leaves_room_for_the_next)
{
	struct fixture fixture;

	fixture_open(&fixture);
	fixture_break(&fixture);
	usleep((DEAR_MS + 50) * 1000);
	atomic_store(&fixture.below.outcome, GIVE_UP);
	ck_assert_int_eq(fixture_ask(&fixture, URL, NULL), -1);
	ck_assert_int_eq(fixture.err.kind, ERROR_INTERRUPTED);
	atomic_store(&fixture.below.outcome, ANSWER);
	ck_assert_int_eq(fixture_ask(&fixture, URL, NULL), 0);
	fixture_close(&fixture);
}
END_TEST

START_TEST(what_costs_nothing_or_is_reached_is_always_tried)
{
	static const enum outcome outcomes[] = {MISS_AT_ONCE, BREAK};
	struct fixture fixture;

	fixture_open(&fixture);
	atomic_store(&fixture.below.outcome, outcomes[_i]);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(fixture_ask(&fixture, URL, NULL), -1);
		ck_assert(fixture.response.transient);
	}
	ck_assert_int_eq(atomic_load(&fixture.below.tries), 4);
	fixture_close(&fixture);
}
END_TEST

/* A port that takes no connection any more, as if there were nothing: its queue is full. */
struct hole {
	int listener, waiting[4];
	char url[64];
};

static void hole_open(struct hole *hole)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);

	hole->listener = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(hole->listener, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(hole->listener, 0), 0);
	ck_assert_int_eq(getsockname(hole->listener, (struct sockaddr *)&address, &size), 0);
	for (size_t i = 0; i < 4; i++) {
		hole->waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(hole->waiting[i], (struct sockaddr *)&address, size))
			ck_assert_int_eq(errno, EINPROGRESS);
	}
	snprintf(hole->url, sizeof(hole->url), "http://127.0.0.1:%d/v2/", ntohs(address.sin_port));
}

static void hole_close(struct hole *hole)
{
	for (size_t i = 0; i < 4; i++)
		close(hole->waiting[i]);
	close(hole->listener);
}

START_TEST(a_client_meets_a_host_that_swallows_all)
{
	const struct http_options options = {.tls_verify = true, .timeout = 1, .retries = 4};
	struct http_client *client;
	struct error err = ERROR_INIT;
	struct hole hole;
	int64_t begun;

	hole_open(&hole);
	ck_assert_int_eq(http_client_new(&client, &options, NULL, &err), 0);
	const struct http_request request = {
		.method = "GET",
		.url = hole.url,
		.lane = (enum http_lane)_i,
		.repeatable = true,
		.body_limit = 100,
	};
	for (int i = 0; i < 3; i++) {
		struct http_response response = HTTP_RESPONSE_INIT;

		error_clear(&err);
		begun = clock_ms();
		ck_assert_int_eq(http_client_do(client, &request, &response, NULL, &err), -1);
		ck_assert_int_eq(err.kind, ERROR_TIMEOUT);
	}
	ck_assert_int_lt(clock_ms() - begun, 800);
	http_client_free(client);
	hole_close(&hole);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("circuit");
	SRunner *runner = srunner_create(suite);
	TCase *tcase = tcase_create("all");
	int failed;

	tcase_set_timeout(tcase, 20);
	tcase_add_test(tcase, a_dead_host_fails_at_once_and_the_same);
	tcase_add_test(tcase, another_host_is_another_matter);
	tcase_add_test(tcase, after_the_pause_the_first_request_finds_it_back);
	tcase_add_test(tcase, a_host_that_is_still_dead_pauses_again);
	tcase_add_test(tcase, others_wait_until_somebody_is_connected_and_no_longer);
	tcase_add_test(tcase, who_waits_can_be_interrupted);
	tcase_add_test(tcase, a_try_that_was_given_up_leaves_room_for_the_next);
	tcase_add_loop_test(tcase, what_costs_nothing_or_is_reached_is_always_tried, 0, 2);
	tcase_add_loop_test(tcase, a_client_meets_a_host_that_swallows_all, HTTP_SMALL, 3);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
