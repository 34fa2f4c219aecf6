#include <arpa/inet.h>
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth_fixture.h"
#include "cleanup.h"
#include "registry/http/guard.h"
#include "registry/http/realm.h"

static const struct {
	const char *registry, *realm;
	const char *url; /* NULL: refused */
	enum http_reach reach;
} realms[] = {
	{"https://r.example", "https://auth.example/t?x=1#f", "https://auth.example/t?x=1",
		HTTP_NOT_LOCAL},
	{"https://r.example:5000", "https://R.example/token", "https://R.example/token",
		HTTP_NOT_LINK_LOCAL},
	{"http://r.example", "http://auth.example/t", "http://auth.example/t", HTTP_NOT_LOCAL},
	{"http://r.example", "https://auth.example/t", "https://auth.example/t", HTTP_NOT_LOCAL},
	{"https://r.example", "/token", "https://r.example/token", HTTP_NOT_LINK_LOCAL},
	{"http://127.0.0.1:5000", "http://localhost:5001/t", "http://localhost:5001/t",
		HTTP_NOT_LINK_LOCAL},
	{"https://[::1]:5000", "https://127.0.0.1/t", "https://127.0.0.1/t", HTTP_NOT_LINK_LOCAL},
	{"https://r.example", "https://10.0.0.7/t", "https://10.0.0.7/t", HTTP_NOT_LOCAL},
	{"https://r.example", "http://auth.example/t", NULL, 0},
	{"https://127.0.0.1:5000", "http://127.0.0.1:5001/t", NULL, 0},
	{"https://r.example", "https://user@auth.example/t", NULL, 0},
	{"https://r.example", "https://user:password@r.example/t", NULL, 0},
	{"https://r.example", "https://169.254.169.254/t", NULL, 0},
	{"https://r.example", "https://0xa9fea9fe/t", NULL, 0},
	{"https://r.example", "https://2852039166/t", NULL, 0},
	{"https://127.0.0.1:5000", "https://169.254.169.254/t", NULL, 0},
	{"https://r.example", "https://[fe80::1]/t", NULL, 0},
	{"https://r.example", "https://[::ffff:169.254.169.254]/t", NULL, 0},
	{"https://r.example", "https://[fd00:ec2::254]/t", NULL, 0},
	{"https://r.example", "https://localhost/t", NULL, 0},
	{"https://r.example", "https://127.1.2.3/t", NULL, 0},
	{"https://r.example", "https://127.1/t", NULL, 0},
	{"https://r.example", "https://[::1]/t", NULL, 0},
	{"https://r.example", "https://0.0.0.0/t", NULL, 0},
	{"https://r.example", "ftp://auth.example/t", NULL, 0},
	{"https://r.example", "gopher://auth.example/t", NULL, 0},
};

START_TEST(realms_are_judged)
{
	struct error err = ERROR_INIT;
	enum http_reach reach = HTTP_ANYWHERE;
	cleanup_free char *url = NULL;
	int failed = realm_resolve(&url, &reach, realms[_i].registry, realms[_i].realm, &err);

	if (!realms[_i].url) {
		ck_assert_msg(failed, "%s", url);
		ck_assert_int_eq(err.kind, ERROR_DENIED);
		ck_assert_ptr_null(strstr(err.message, "password"));
		return;
	}
	ck_assert_msg(!failed, "%s", err.message);
	ck_assert_str_eq(url, realms[_i].url);
	ck_assert_int_eq(reach, realms[_i].reach);
}
END_TEST

static const struct {
	const char *address;
	enum http_reach refused_from; /* HTTP_NOT_LOCAL + 1: never */
} addresses[] = {
	{"169.254.169.254", HTTP_NOT_LINK_LOCAL},
	{"169.254.0.1", HTTP_NOT_LINK_LOCAL},
	{"168.63.129.16", HTTP_NOT_LINK_LOCAL},
	{"100.100.100.200", HTTP_NOT_LINK_LOCAL},
	{"fe80::1", HTTP_NOT_LINK_LOCAL},
	{"febf::1", HTTP_NOT_LINK_LOCAL},
	{"fd00:ec2::254", HTTP_NOT_LINK_LOCAL},
	{"::ffff:169.254.169.254", HTTP_NOT_LINK_LOCAL},
	{"64:ff9b::a9fe:a9fe", HTTP_NOT_LINK_LOCAL},
	{"2002:a9fe:a9fe::1", HTTP_NOT_LINK_LOCAL},
	{"127.0.0.1", HTTP_NOT_LOCAL},
	{"127.255.255.255", HTTP_NOT_LOCAL},
	{"0.0.0.0", HTTP_NOT_LOCAL},
	{"::1", HTTP_NOT_LOCAL},
	{"::", HTTP_NOT_LOCAL},
	{"::ffff:127.0.0.1", HTTP_NOT_LOCAL},
	{"10.1.2.3", HTTP_NOT_LOCAL + 1},
	{"169.253.255.255", HTTP_NOT_LOCAL + 1},
	{"169.255.0.0", HTTP_NOT_LOCAL + 1},
	{"8.8.8.8", HTTP_NOT_LOCAL + 1},
	{"2606:4700::1111", HTTP_NOT_LOCAL + 1},
	{"fec0::1", HTTP_NOT_LOCAL + 1},
};

START_TEST(addresses_are_judged)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	const struct sockaddr *address = (const struct sockaddr *)&v4;
	const char *text = addresses[_i].address;

	if (inet_pton(AF_INET, text, &v4.sin_addr) != 1) {
		ck_assert_int_eq(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
		address = (const struct sockaddr *)&v6;
	}
	for (int reach = HTTP_ANYWHERE; reach <= HTTP_NOT_LOCAL; reach++)
		ck_assert_int_eq(guard_allows((enum http_reach)reach, address),
			reach < (int)addresses[_i].refused_from);
}
END_TEST

/* By address, and by what a name resolves to. */
START_TEST(reach_is_kept_where_it_connects)
{
	static const char *const hosts[] = {"127.0.0.1", "localhost", "auth.localhost"};
	struct play play = {.challenge = "Basic", .accepts = NULL};
	struct fixture fixture;
	char url[256];

	fixture_open(&fixture, &play);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		struct http_request request = {
			.method = "GET", .url = url, .reach = HTTP_NOT_LOCAL};

		snprintf(url, sizeof(url), "http://%s:%d/x", hosts[i],
			fake_server_port(fixture.server));
		ck_assert_int_eq(fixture_send(&fixture, request), -1);
		/* a token server's is a refusal; elsewhere, a registry leads astray */
		ck_assert_msg(fixture.error.kind == (i ? ERROR_PROTOCOL : ERROR_DENIED), "%s: %s",
			hosts[i], fixture.error.message);
	}
	ck_assert_int_eq(fake_server_count(fixture.server), 0);
	fixture_close(&fixture);
}
END_TEST

/* The proxy is on this machine, and neither the registry nor its token server is. */
START_TEST(proxy_may_be_where_a_token_server_may_not)
{
	static const char *const lines[] = {"GET http://r.example/v2/team/app/x",
		"GET http://auth.example/token?" PULL,
		"GET http://r.example/v2/team/app/x Bearer good", NULL};
	struct play play = {.challenge = "Bearer realm=\"http://auth.example/token\",service=\"s\"",
		.accepts = "Bearer good",
		.tokens = {GOOD}};
	struct auth_options auth = {.registry = "http://r.example", .host = "registry.example"};
	struct http_options options = {.timeout = AMPLE_TIMEOUT, .auth = &auth};
	struct fixture fixture;

	fixture_open(&fixture, &play);
	setenv("http_proxy", fixture.registry, 1);
	http_client_free(fixture.client);
	auth.repository = "team/app";
	ck_assert_int_eq(http_client_new(&fixture.client, &options, NULL, &fixture.error), 0);
	strcpy(fixture.registry, auth.registry);
	ck_assert_msg(fixture_get(&fixture) == 0, "%s", fixture.error.message);
	ck_assert_int_eq(fixture.response.status, 200);
	assert_lines(&fixture, lines);
	fixture_close(&fixture);
	unsetenv("http_proxy");
}
END_TEST

/* A server of one connection, which it keeps. */
struct keeper {
	pthread_t thread;
	int listener, port;
	const char *answer;
	int requests, bytes_more; /* heads, and what came besides */
};

static bool head_take(int fd)
{
	char head[4096] = "";
	size_t len = 0;

	while (len < sizeof(head) - 1 && !strstr(head, "\r\n\r\n")) {
		if (recv(fd, head + len, 1, 0) != 1)
			return false;
		len++;
	}
	return true;
}

static void *keeper_run(void *context)
{
	struct keeper *keeper = context;
	int fd = accept(keeper->listener, NULL, NULL);
	char byte;

	while (head_take(fd)) {
		keeper->requests++;
		send(fd, keeper->answer, strlen(keeper->answer), MSG_NOSIGNAL);
		if (strstr(keeper->answer, "close"))
			break;
	}
	while (recv(fd, &byte, 1, 0) > 0)
		keeper->bytes_more++;
	close(fd);
	return NULL;
}

static void keeper_start(struct keeper *keeper, const char *answer)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	*keeper = (struct keeper){
		.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .answer = answer};
	ck_assert_int_eq(bind(keeper->listener, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(keeper->listener, 4), 0);
	ck_assert_int_eq(getsockname(keeper->listener, (struct sockaddr *)&address, &size), 0);
	keeper->port = ntohs(address.sin_port);
	pthread_create(&keeper->thread, NULL, keeper_run, keeper);
}

static void keeper_stop(struct keeper *keeper)
{
	pthread_join(keeper->thread, NULL);
	close(keeper->listener);
}

START_TEST(large_body_waits_for_leave)
{
	struct play play = {.challenge = "Basic"};
	cleanup_free char *body = calloc(8, 1 << 20);
	char url[64];
	struct http_request put = {.method = "PUT",
		.url = url,
		.lane = HTTP_UPLOAD,
		.body = {.kind = HTTP_BODY_MEMORY, .bytes = body, .length = 8 << 20}};
	struct fixture fixture;
	struct keeper keeper;

	keeper_start(&keeper, "HTTP/1.1 401 U\r\nWWW-Authenticate: Basic\r\n"
			      "Content-Length: 0\r\nConnection: close\r\n\r\n");
	fixture_open(&fixture, &play);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/x", keeper.port);
	ck_assert_msg(fixture_send(&fixture, put) == 0, "%s", fixture.error.message);
	ck_assert_int_eq(fixture.response.status, 401);
	keeper_stop(&keeper);
	ck_assert_int_eq(keeper.requests, 1);
	ck_assert_int_eq(keeper.bytes_more, 0);
	fixture_close(&fixture);
}
END_TEST

START_TEST(reach_is_kept_on_a_kept_connection)
{
	struct play play = {.challenge = "Basic"};
	char url[64];
	struct http_request request = {.method = "GET", .url = url};
	struct fixture fixture;
	struct keeper keeper;

	keeper_start(&keeper, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	fixture_open(&fixture, &play);
	snprintf(url, sizeof(url), "http://kept.localhost:%d/x", keeper.port);
	for (int i = 0; i < 2; i++)
		ck_assert_msg(fixture_send(&fixture, request) == 0, "%s", fixture.error.message);
	request.reach = HTTP_NOT_LOCAL;
	ck_assert_int_eq(fixture_send(&fixture, request), -1);
	ck_assert_int_eq(fixture.error.kind, ERROR_PROTOCOL);
	fixture_close(&fixture);
	keeper_stop(&keeper);
	ck_assert_int_eq(keeper.requests, 2);
}
END_TEST

/* Neither name is known to be this machine before it is resolved. */
START_TEST(token_server_is_judged_after_its_name_is_resolved)
{
	static const char *const hosts[] = {"r.localhost", "auth.localhost"};

	for (int i = 0; i < 2; i++) {
		char challenge[128];
		struct play play = {
			.challenge = challenge, .accepts = "Bearer good", .tokens = {GOOD}};
		struct auth_options auth = {.host = "registry.example", .repository = "team/app"};
		struct http_options options = {.timeout = AMPLE_TIMEOUT, .auth = &auth};
		struct fixture fixture;

		snprintf(challenge, sizeof(challenge), "Bearer realm=\"http://%s:@PORT@/token\"",
			hosts[i]);
		fixture_open(&fixture, &play);
		http_client_free(fixture.client);
		snprintf(fixture.registry, sizeof(fixture.registry), "http://r.localhost:%d",
			fake_server_port(fixture.server));
		auth.registry = fixture.registry;
		ck_assert_int_eq(
			http_client_new(&fixture.client, &options, NULL, &fixture.error), 0);
		ck_assert_msg(fixture_get(&fixture) == -i, "%s", fixture.error.message);
		ck_assert_int_eq(fixture.error.kind, i ? ERROR_DENIED : ERROR_NONE);
		ck_assert_int_eq(fake_server_count(fixture.server), i ? 1 : 3);
		fixture_close(&fixture);
	}
}
END_TEST

#define LOOP(test, table)                                                                          \
	tcase_add_loop_test(tcase, test, 0, (int)(sizeof(table) / sizeof(*(table))))

int main(void)
{
	Suite *suite = suite_create("auth_reach");
	TCase *tcase = tcase_create("auth_reach");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 30);
	LOOP(realms_are_judged, realms);
	LOOP(addresses_are_judged, addresses);
	tcase_add_test(tcase, reach_is_kept_where_it_connects);
	tcase_add_test(tcase, proxy_may_be_where_a_token_server_may_not);
	tcase_add_test(tcase, large_body_waits_for_leave);
	tcase_add_test(tcase, reach_is_kept_on_a_kept_connection);
	tcase_add_test(tcase, token_server_is_judged_after_its_name_is_resolved);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
