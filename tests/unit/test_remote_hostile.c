#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "fake_server.h"
#include "media_type.h"
#include "patience.h"
#include "registry/remote/pages.h"
#include "registry/remote/remote.h"

#define HEX "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define HELLO "sha256:" HEX /* "hello" */
#define EMPTY "Content-Length: 0\r\n\r\n"
#define PAGE_TAGS 10000
#define PAGE_REFERRERS 1000
#define PAGE_SIZE_MAX ((size_t)512 << 10)
#define PEAK_KIB (96L << 10)

/* A server of pages without an end, each of which names another as the next. */
struct endless {
	size_t entries; /* of each page */
	bool referrers;
	int listener, port;
	pthread_t thread;
	int requests; /* the thread's, until it ends */
	size_t next;
	char text[PAGE_SIZE_MAX];
};

static size_t add_entry(const struct endless *endless, char *out, size_t number)
{
	if (!endless->referrers)
		return (size_t)sprintf(out, "\"tag%zu\"", number);
	return (size_t)sprintf(out,
		"{\"mediaType\":\"a/b\",\"digest\":\"sha256:%064zx\",\"size\":1,"
		"\"artifactType\":\"a/b\"}",
		number);
}

static size_t make_page(struct endless *endless)
{
	char *to = endless->text;

	to += sprintf(to,
		"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nLink: <?page=%d>; rel=next\r\n\r\n%s",
		endless->referrers ? MEDIA_TYPE_INDEX : "application/json", endless->requests,
		endless->referrers ? "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX
				     "\",\"manifests\":["
				   : "{\"name\":\"app\",\"tags\":[");
	for (size_t i = 0; i < endless->entries; i++) {
		if (i)
			*to++ = ',';
		to += add_entry(endless, to, endless->next++);
	}
	strcpy(to, "]}");
	return (size_t)(to + 2 - endless->text);
}

/* One connection for each request. The head of one of these comes in one piece. */
static void *endless_run(void *context)
{
	struct endless *endless = context;
	char head[4096];
	int fd;

	while ((fd = accept(endless->listener, NULL, NULL)) >= 0) {
		if (recv(fd, head, sizeof(head), 0) > 0) {
			size_t left, len = make_page(endless);
			ssize_t sent = 1;

			endless->requests++;
			for (left = len; left && sent > 0; left -= sent > 0 ? (size_t)sent : 0)
				sent = send(fd, endless->text + len - left, left, MSG_NOSIGNAL);
		}
		close(fd);
	}
	return NULL;
}

static struct endless *endless_start(size_t entries, bool referrers)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	struct endless *endless = calloc(1, sizeof(*endless));

	ck_assert_ptr_nonnull(endless);
	endless->entries = entries;
	endless->referrers = referrers;
	endless->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(endless->listener, (struct sockaddr *)&address, len), 0);
	ck_assert_int_eq(listen(endless->listener, 64), 0);
	ck_assert_int_eq(getsockname(endless->listener, (struct sockaddr *)&address, &len), 0);
	endless->port = ntohs(address.sin_port);
	ck_assert_int_eq(pthread_create(&endless->thread, NULL, endless_run, endless), 0);
	return endless;
}

/* How many requests there were. */
static int endless_stop(struct endless *endless)
{
	int requests;

	shutdown(endless->listener, SHUT_RDWR);
	pthread_join(endless->thread, NULL);
	close(endless->listener);
	requests = endless->requests;
	free(endless);
	return requests;
}

static struct store *open_store(int port)
{
	struct store_options options = STORE_OPTIONS_DEFAULT;
	struct reference reference = {.transport = REFERENCE_REGISTRY};
	struct error err = ERROR_INIT;
	struct store *store;
	char host[64];

	options.timeout = AMPLE_TIMEOUT;
	options.retries = 0;
	snprintf(host, sizeof(host), "127.0.0.1:%d", port);
	reference.host = host;
	reference.path = (char *)"app";
	ck_assert_msg(
		remote_open(&store, &reference, &options, NULL, &err) == 0, "%s", err.message);
	return store;
}

/* A sanitizer needs memory of its own. */
static void assert_little_memory(void)
{
#ifndef __SANITIZE_ADDRESS__
	struct rusage usage;

	ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
	ck_assert_int_le(usage.ru_maxrss, PEAK_KIB);
#endif
}

static int tag_count(void *context, const char *tag, struct error *err)
{
	(void)err;
	ck_assert(strncmp(tag, "tag", 3) == 0);
	++*(size_t *)context;
	return 0;
}

static enum error_kind list_tags(size_t entries, size_t *count, int *requests)
{
	struct endless *endless = endless_start(entries, false);
	struct store *store = open_store(endless->port);
	struct error err = ERROR_INIT;

	*count = 0;
	ck_assert_int_eq(store->ops->tags(store, tag_count, count, NULL, &err), -1);
	store_close(store);
	*requests = endless_stop(endless);
	assert_little_memory();
	return err.kind;
}

START_TEST(tags_without_end_end)
{
	size_t count;
	int requests;

	ck_assert_int_eq(list_tags(PAGE_TAGS, &count, &requests), ERROR_TOO_LARGE);
	ck_assert_uint_eq(count, STORE_TAGS_MAX);
	ck_assert_int_eq(requests, STORE_TAGS_MAX / PAGE_TAGS + 1);
}
END_TEST

START_TEST(empty_pages_without_end_end)
{
	size_t count;
	int requests;

	ck_assert_int_eq(list_tags(0, &count, &requests), ERROR_PROTOCOL);
	ck_assert_uint_eq(count, 0);
	ck_assert_int_le(requests, PAGES_MAX);
}
END_TEST

START_TEST(referrers_without_end_end)
{
	struct endless *endless = endless_start(PAGE_REFERRERS, true);
	struct store *store = open_store(endless->port);
	struct document out = DOCUMENT_INIT;
	struct error err = ERROR_INIT;
	struct digest subject;

	ck_assert(digest_parse(&subject, HELLO));
	ck_assert_int_eq(store->ops->referrers(store, &out, &subject, NULL, NULL, &err), -1);
	ck_assert_msg(err.kind == ERROR_TOO_LARGE, "%s", err.message);
	store_close(store);
	ck_assert_int_lt(endless_stop(endless), 200);
	assert_little_memory();
}
END_TEST

/* What the registry says first, and that it is asked again as if nothing had been. */
static const struct {
	const char *first;
	enum error_kind kind;
} moods[] = {
	{"HTTP/1.1 401 U\r\nWWW-Authenticate: Bearer realm=\"http://169.254.169.254/t\"\r\n" EMPTY,
		ERROR_DENIED},
	{"HTTP/1.1 401 U\r\nWWW-Authenticate: Bearer realm=\"file:///etc/passwd\"\r\n" EMPTY,
		ERROR_DENIED},
	{"HTTP/1.1 401 U\r\nWWW-Authenticate: Bearer realm=\"http://a:b@127.0.0.1/t\"\r\n" EMPTY,
		ERROR_DENIED},
	{"HTTP/1.1 200 OK\r\n" FAKE_ENDLESS, ERROR_PROTOCOL},
};

START_TEST(bad_answer_is_not_remembered)
{
	const char *answers[] = {moods[_i].first,
		"HTTP/1.1 200 OK\r\nContent-Type: " MEDIA_TYPE_MANIFEST
		"\r\nContent-Length: 9\r\nDocker-Content-Digest: " HELLO "\r\n\r\n",
		NULL};
	struct fake_server *server = fake_server_play(answers);
	struct store *store = open_store(fake_server_port(server));
	struct descriptor descriptor = DESCRIPTOR_INIT;
	struct error err = ERROR_INIT;

	ck_assert_int_eq(store->ops->resolve(store, &descriptor, "v1", NULL, &err), -1);
	ck_assert_msg(err.kind == moods[_i].kind, "%s", err.message);
	error_clear(&err);
	ck_assert_msg(
		store->ops->resolve(store, &descriptor, "v1", NULL, &err) == 0, "%s", err.message);
	ck_assert_str_eq(descriptor.digest.text, HELLO);
	descriptor_clear(&descriptor);
	store_close(store);
	fake_server_stop(server);
}
END_TEST

/* A line of 256 KiB, which the library has no room for. */
START_TEST(header_without_end_breaks_the_protocol)
{
	static const char begins[] = "HTTP/1.1 200 OK\r\nX-Large: ";
	char *answer = malloc(sizeof(begins) + ((size_t)256 << 10));
	const char *answers[] = {answer, NULL};
	struct descriptor descriptor = DESCRIPTOR_INIT;
	struct error err = ERROR_INIT;
	struct fake_server *server;
	struct store *store;

	ck_assert_ptr_nonnull(answer);
	strcpy(answer, begins);
	memset(answer + strlen(begins), 'x', (size_t)256 << 10);
	answer[strlen(begins) + ((size_t)256 << 10)] = '\0';
	server = fake_server_play(answers);
	store = open_store(fake_server_port(server));
	ck_assert_int_eq(store->ops->resolve(store, &descriptor, "v1", NULL, &err), -1);
	ck_assert_msg(err.kind == ERROR_PROTOCOL, "%s", err.message);
	store_close(store);
	fake_server_stop(server);
	free(answer);
}
END_TEST

/* An answer to an upload that is larger than any: no document is too large. */
START_TEST(long_thanks_break_the_protocol)
{
	static const char *const answers[] = {"HTTP/1.1 404 N\r\n" EMPTY,
		"HTTP/1.1 202 A\r\nLocation: /u\r\nContent-Length: 5368709120\r\n\r\nx", NULL};
	cleanup_close int fd = memfd_create("hello", MFD_CLOEXEC);
	struct fake_server *server = fake_server_play(answers);
	struct store *store = open_store(fake_server_port(server));
	struct store_source source = {.fd = fd, .size = 5};
	struct error err = ERROR_INIT;
	struct digest digest;

	ck_assert_int_eq(write(fd, "hello", 5), 5);
	ck_assert(digest_parse(&digest, HELLO));
	ck_assert_int_eq(store->ops->blob_put(store, &digest, &source, NULL, &err), -1);
	ck_assert_msg(err.kind == ERROR_PROTOCOL, "%s", err.message);
	store_close(store);
	fake_server_stop(server);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("remote_hostile");
	TCase *tcase = tcase_create("core");
	TCase *endless = tcase_create("endless");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(endless, 30);
	tcase_set_tags(endless, "slow");
	tcase_add_test(endless, tags_without_end_end);
	tcase_add_test(endless, empty_pages_without_end_end);
	tcase_add_test(endless, referrers_without_end_end);
	suite_add_tcase(suite, endless);
	tcase_add_loop_test(tcase, bad_answer_is_not_remembered, 0, sizeof(moods) / sizeof(*moods));
	tcase_add_test(tcase, header_without_end_breaks_the_protocol);
	tcase_add_test(tcase, long_thanks_break_the_protocol);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
