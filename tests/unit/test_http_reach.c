#include <arpa/inet.h>
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "fake_server.h"
#include "patience.h"
#include "registry/http/client.h"
#include "registry/http/url.h"

#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define SECRET "sesame"

/* A name that nobody can look up: who gets there went through the proxy. */
#define HOST "registry.invalid"

struct fixture {
	struct fake_server *proxy;
	struct http_client *client;
	struct log *log;
	struct http_response response;
	struct error err;
	char proxy_url[128];
};

static void clear_environment(void)
{
	static const char *const names[] = {"http_proxy", "HTTP_PROXY", "https_proxy",
		"HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unsetenv(names[i]);
}

static void fixture_open(struct fixture *fixture, const char *const *answers)
{
	static const struct http_response empty = HTTP_RESPONSE_INIT;
	const struct http_options options = {
		.tls_verify = true, .timeout = AMPLE_TIMEOUT, .retries = 1};

	clear_environment();
	memset(fixture, 0, sizeof(*fixture));
	fixture->response = empty;
	fixture->proxy = fake_server_play(answers);
	fixture->log = log_new(LOG_LEVEL_DEBUG);
	snprintf(fixture->proxy_url, sizeof(fixture->proxy_url),
		"http://me:" SECRET "@127.0.0.1:%d", fake_server_port(fixture->proxy));
	ck_assert_int_eq(
		http_client_new(&fixture->client, &options, fixture->log, &fixture->err), 0);
}

static void fixture_close(struct fixture *fixture)
{
	cleanup_with(buf_free) struct buf lines = BUF_INIT((size_t)1 << 20);

	ck_assert_int_eq(log_read(fixture->log, &lines), 0);
	ck_assert_ptr_null(strstr(lines.data ? lines.data : "", SECRET));
	ck_assert_ptr_null(strstr(fixture->err.message, SECRET));
	http_response_clear(&fixture->response);
	http_client_free(fixture->client);
	fake_server_stop(fixture->proxy);
	log_free(fixture->log);
}

static int fixture_get(struct fixture *fixture, const char *url)
{
	const struct http_request request = {
		.method = "GET",
		.url = url,
		.repeatable = true,
		.body_limit = 100,
	};

	http_response_clear(&fixture->response);
	error_clear(&fixture->err);
	return http_client_do(fixture->client, &request, &fixture->response, NULL, &fixture->err);
}

static const struct {
	const char *variable, *url;
	bool used;
} variables[] = {
	{"http_proxy", "http://" HOST ":5000/v2/", true},
	{"all_proxy", "http://" HOST ":5000/v2/", true},
	{"ALL_PROXY", "http://" HOST ":5000/v2/", true},
	/* which a web server's client could set (CVE-2016-5385) */
	{"HTTP_PROXY", "http://" HOST ":5000/v2/", false},
	{"https_proxy", "http://" HOST ":5000/v2/", false},
	{"https_proxy", "https://" HOST "/v2/", true},
	{"HTTPS_PROXY", "https://" HOST "/v2/", true},
	{"all_proxy", "https://" HOST "/v2/", true},
	{"http_proxy", "https://" HOST "/v2/", false},
};

START_TEST(proxies_come_from_the_environment)
{
	static const char *const answers[] = {OK_HELLO, NULL};
	bool tls = strncmp(variables[_i].url, "https", 5) == 0;
	struct fixture fixture;

	fixture_open(&fixture, answers);
	setenv(variables[_i].variable, fixture.proxy_url, 1);
	ck_assert_int_eq(
		fixture_get(&fixture, variables[_i].url), variables[_i].used && !tls ? 0 : -1);
	ck_assert_int_eq(fake_server_count(fixture.proxy) > 0, variables[_i].used);
	if (variables[_i].used) {
		const char *head = fake_server_head(fixture.proxy, 0);

		ck_assert_ptr_eq(strstr(head, tls ? "CONNECT " HOST ":443 "
						  : "GET http://" HOST ":5000/v2/ "),
			head);
		ck_assert_ptr_nonnull(
			strstr(head, "\r\nProxy-Authorization: Basic bWU6c2VzYW1l\r\n"));
	} else {
		ck_assert_int_eq(fixture.err.kind, ERROR_UNREACHABLE);
	}
	fixture_close(&fixture);
}
END_TEST

static const struct {
	const char *variable, *value, *url;
	bool used;
} exceptions[] = {
	{"no_proxy", HOST, "http://" HOST ":5000/v2/", false},
	{"NO_PROXY", "a,." HOST, "http://b." HOST "/v2/", false},
	{"no_proxy", "*", "http://" HOST "/v2/", false},
	{"no_proxy", "other.invalid", "http://" HOST "/v2/", true},
	{"no_proxy", "", "http://localhost:1/v2/", false},
	{"no_proxy", "", "http://127.0.0.1:1/v2/", false},
	{"no_proxy", "", "http://[::1]:1/v2/", false},
};

START_TEST(some_hosts_are_reached_without_a_proxy)
{
	static const char *const answers[] = {OK_HELLO, NULL};
	struct fixture fixture;

	fixture_open(&fixture, answers);
	setenv("http_proxy", fixture.proxy_url, 1);
	setenv(exceptions[_i].variable, exceptions[_i].value, 1);
	ck_assert_int_eq(fixture_get(&fixture, exceptions[_i].url), exceptions[_i].used ? 0 : -1);
	ck_assert_int_eq(fake_server_count(fixture.proxy), exceptions[_i].used);
	fixture_close(&fixture);
}
END_TEST

static const struct {
	const char *answer;
	enum error_kind kind;
	int requests;
	const char *message;
} refusals[] = {
	{"HTTP/1.1 407 P\r\nContent-Length: 0\r\n\r\n", ERROR_DENIED, 1,
		HOST ": the proxy wants a name and password, or others (HTTP 407)"},
	{"HTTP/1.1 403 F\r\nContent-Length: 0\r\n\r\n", ERROR_DENIED, 1,
		HOST ": the proxy doesn't let anybody through (HTTP 403)"},
	{"HTTP/1.1 502 B\r\nContent-Length: 0\r\n\r\n", ERROR_UNREACHABLE, 2,
		HOST ": the proxy can't reach it (HTTP 502)"},
};

START_TEST(what_a_proxy_says_is_told)
{
	const char *const answers[] = {refusals[_i].answer, NULL};
	struct fixture fixture;

	fixture_open(&fixture, answers);
	setenv("https_proxy", fixture.proxy_url, 1);
	ck_assert_int_eq(fixture_get(&fixture, "https://" HOST "/v2/"), -1);
	ck_assert_int_eq(fixture.err.kind, refusals[_i].kind);
	ck_assert_str_eq(fixture.err.message, refusals[_i].message);
	ck_assert_int_eq(fake_server_count(fixture.proxy), refusals[_i].requests);
	fixture_close(&fixture);
}
END_TEST

START_TEST(a_proxy_that_isnt_there_is_named)
{
	static const char *const answers[] = {OK_HELLO, NULL};
	struct fixture fixture;

	fixture_open(&fixture, answers);
	setenv("all_proxy", "http://me:" SECRET "@127.0.0.1:1", 1);
	ck_assert_int_eq(fixture_get(&fixture, "https://" HOST "/v2/"), -1);
	ck_assert_int_eq(fixture.err.kind, ERROR_REFUSED);
	ck_assert_str_eq(fixture.err.message, HOST ": the proxy 127.0.0.1: connection refused");
	ck_assert_int_eq(fixture_get(&fixture, "http://localhost:1/v2/"), -1);
	ck_assert_str_eq(fixture.err.message, "localhost:1: connection refused");
	ck_assert_int_eq(fixture_get(&fixture, "http://[::1]:1/v2/"), -1);
	ck_assert_ptr_null(strstr(fixture.err.message, "proxy"));
	fixture_close(&fixture);
}
END_TEST

static const char *const broken_proxies[] = {"nonsense://me:" SECRET "@h:1",
	"http://me:" SECRET "@h:123456", "http://me:" SECRET "@no-such-proxy.invalid:1",
	"http://me:" SECRET "@127.0.0.1:1", "http://me:" SECRET "@[::1:1",
	"me:" SECRET "@127.0.0.1:1"};

START_TEST(a_proxy_that_cant_be_used_keeps_its_password)
{
	static const char *const answers[] = {OK_HELLO, NULL};
	struct fixture fixture;

	fixture_open(&fixture, answers);
	setenv("all_proxy", broken_proxies[_i], 1);
	ck_assert_int_eq(fixture_get(&fixture, "https://" HOST "/v2/"), -1);
	fixture_close(&fixture); /* looks for it */
}
END_TEST

/* A server whose every connection ends in the handshake: by a reset, or just so. */
struct breaker {
	int listener;
	bool reset;
	pthread_t thread;
	atomic_int count;
	char url[64];
};

static void *breaker_run(void *context)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	struct breaker *breaker = context;
	char bytes[512];
	int fd;

	while ((fd = accept(breaker->listener, NULL, NULL)) >= 0) {
		if (recv(fd, bytes, sizeof(bytes), 0) > 0)
			atomic_fetch_add(&breaker->count, 1);
		if (breaker->reset)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		close(fd);
	}
	return NULL;
}

static void breaker_start(struct breaker *breaker, bool reset)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);

	memset(breaker, 0, sizeof(*breaker));
	breaker->reset = reset;
	breaker->listener = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(breaker->listener, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(breaker->listener, 8), 0);
	ck_assert_int_eq(getsockname(breaker->listener, (struct sockaddr *)&address, &size), 0);
	snprintf(breaker->url, sizeof(breaker->url), "https://127.0.0.1:%d/v2/",
		ntohs(address.sin_port));
	ck_assert_int_eq(pthread_create(&breaker->thread, NULL, breaker_run, breaker), 0);
}

static void breaker_stop(struct breaker *breaker)
{
	shutdown(breaker->listener, SHUT_RDWR);
	pthread_join(breaker->thread, NULL);
	close(breaker->listener);
}

START_TEST(a_handshake_that_breaks_is_tried_again)
{
	static const char *const answers[] = {OK_HELLO, NULL};
	struct fixture fixture;
	struct breaker breaker;

	fixture_open(&fixture, answers);
	breaker_start(&breaker, _i);
	ck_assert_int_eq(fixture_get(&fixture, breaker.url), -1);
	ck_assert_int_eq(fixture.err.kind, ERROR_PROTOCOL);
	ck_assert_int_eq(atomic_load(&breaker.count), 2);
	breaker_stop(&breaker);
	fixture_close(&fixture);
}
END_TEST

/* A clock of whole seconds, so a date two seconds ahead is one at least. */
START_TEST(retry_after_may_be_a_date)
{
	char answer[128];
	const char *const answers[] = {answer, OK_HELLO, NULL};
	int64_t begun = clock_ms();
	time_t ahead = time(NULL) + 2;
	struct fixture fixture;
	struct tm date;
	char url[64];

	ck_assert_ptr_nonnull(gmtime_r(&ahead, &date));
	strftime(answer, sizeof(answer),
		"HTTP/1.1 503 S\r\nRetry-After: %a, %d %b %Y %H:%M:%S GMT\r\n\r\n", &date);
	fixture_open(&fixture, answers);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", fake_server_port(fixture.proxy));
	ck_assert_int_eq(fixture_get(&fixture, url), 0);
	ck_assert_int_eq(fixture.response.status, 200);
	ck_assert_int_ge(clock_ms() - begun, 1000);
	ck_assert_int_eq(fake_server_count(fixture.proxy), 2);
	fixture_close(&fixture);
}
END_TEST

/* What answers behind the proxy isn't TLS: that doesn't pass. */
START_TEST(a_handshake_that_cant_succeed_isnt)
{
	static const char *const answers[] = {OK_HELLO, NULL};
	struct fixture fixture;

	fixture_open(&fixture, answers);
	setenv("https_proxy", fixture.proxy_url, 1);
	ck_assert_int_eq(fixture_get(&fixture, "https://" HOST "/"), -1);
	ck_assert_int_eq(fixture.err.kind, ERROR_PROTOCOL);
	ck_assert_int_eq(fake_server_count(fixture.proxy), 1);
	fixture_close(&fixture);
}
END_TEST

START_TEST(ipv6_hosts_keep_their_brackets)
{
	cleanup_free char *url = NULL;
	struct error err = ERROR_INIT;
	const char *host;
	int len;

	host = http_url_host("https://[2001:db8::1]:5000/v2/", &len);
	ck_assert_int_eq(len, (int)strlen("[2001:db8::1]:5000"));
	ck_assert_int_eq(strncmp(host, "[2001:db8::1]:5000", (size_t)len), 0);
	ck_assert(http_url_same_origin("https://[2001:DB8::1]/a", "https://[2001:db8::1]:443/b"));
	ck_assert(!http_url_same_origin("https://[2001:db8::1]/a", "https://[2001:db8::2]/a"));
	ck_assert(http_url_is_loopback("http://[::1]:5000/v2/"));
	ck_assert(!http_url_is_loopback("http://[::2]:5000/v2/"));
	ck_assert_int_eq(http_url_resolve(&url, "https://[2001:db8::1]:5000/v2/a", "b?c", &err), 0);
	ck_assert_str_eq(url, "https://[2001:db8::1]:5000/v2/b?c");
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(*(table))))

int main(void)
{
	Suite *suite = suite_create("http_reach");
	SRunner *runner = srunner_create(suite);
	TCase *tcase = tcase_create("all"), *timed = tcase_create("timed");
	int failed;

	tcase_set_timeout(tcase, 20);
	tcase_add_loop_test(tcase, proxies_come_from_the_environment, 0, COUNT(variables));
	tcase_add_loop_test(tcase, some_hosts_are_reached_without_a_proxy, 0, COUNT(exceptions));
	tcase_add_loop_test(tcase, what_a_proxy_says_is_told, 0, COUNT(refusals));
	tcase_add_loop_test(
		tcase, a_proxy_that_cant_be_used_keeps_its_password, 0, COUNT(broken_proxies));
	tcase_add_test(tcase, a_proxy_that_isnt_there_is_named);
	tcase_add_test(tcase, retry_after_may_be_a_date);
	tcase_add_test(tcase, a_handshake_that_cant_succeed_isnt);
	tcase_add_test(tcase, ipv6_hosts_keep_their_brackets);
	/* a handshake under valgrind takes longer than these have */
	tcase_set_timeout(timed, 20);
	tcase_set_tags(timed, "slow");
	tcase_add_loop_test(timed, a_handshake_that_breaks_is_tried_again, 0, 2);
	suite_add_tcase(suite, timed);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
