/* A client and a host that swallows all. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "patience.h"
#include "registry/http/client.h"

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

#define LANES 3
#define REQUESTS 3

/* What becomes of requests in one lane, one after the other. */
struct lane {
	pthread_t thread;
	const char *url;
	enum http_lane number;
	enum error_kind kinds[REQUESTS];
	bool tried[REQUESTS];
};

static void *lane_run(void *context)
{
	const struct http_options options = {
		.tls_verify = true, .timeout = brief_timeout(), .retries = 4};
	struct lane *lane = context;
	const struct http_request request = {
		.method = "GET",
		.url = lane->url,
		.lane = lane->number,
		.repeatable = true,
		.body_limit = 100,
	};
	struct http_client *client;

	if (http_client_new(&client, &options, NULL, NULL))
		return NULL;
	for (int i = 0; i < REQUESTS; i++) {
		struct http_response response = HTTP_RESPONSE_INIT;
		struct error err = ERROR_INIT;

		http_client_do(client, &request, &response, NULL, &err);
		lane->kinds[i] = err.kind;
		lane->tried[i] = response.unreached;
		http_response_clear(&response);
	}
	http_client_free(client);
	return NULL;
}

START_TEST(a_dead_host_isnt_tried_for_a_while)
{
	struct lane lanes[LANES];
	struct hole hole;

	hole_open(&hole);
	for (int i = 0; i < LANES; i++) {
		lanes[i] = (struct lane){.url = hole.url, .number = (enum http_lane)i};
		ck_assert_int_eq(pthread_create(&lanes[i].thread, NULL, lane_run, &lanes[i]), 0);
	}
	for (int i = 0; i < LANES; i++) {
		pthread_join(lanes[i].thread, NULL);
		for (int k = 0; k < REQUESTS; k++)
			ck_assert_int_eq(lanes[i].kinds[k], ERROR_TIMEOUT);
		ck_assert(lanes[i].tried[0]);
		ck_assert(!lanes[i].tried[REQUESTS - 1]);
	}
	hole_close(&hole);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_dead_host");
	SRunner *runner = srunner_create(suite);
	TCase *tcase = tcase_create("all");
	int failed;

	tcase_set_timeout(tcase, AMPLE_TIMEOUT);
	tcase_add_test(tcase, a_dead_host_isnt_tried_for_a_while);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
