#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "fake_server.h"
#include "media_type.h"
#include "patience.h"
#include "registry/remote/location.h"
#include "registry/remote/remote.h"
#include "registry_process.h"

#define BLOB "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" /* hello */
#define OTHER "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define INDEX "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX "\",\"manifests\":[]}"
#define MANIFEST_OK "HTTP/1.1 200 OK\r\nContent-Type: " MEDIA_TYPE_INDEX "\r\n"
#define EMPTY "Content-Length: 0\r\n\r\n"
#define NOT_FOUND "HTTP/1.1 404 N\r\n" EMPTY

struct fixture {
	struct fake_server *server;
	struct store *store;
	struct error err;
	char got[64]; /* what the sink has been given, by offset */
	uint64_t first, next;
	int calls;
};

/* With a timeout for the error that the case ends with. */
static void fixture_open_for(
	struct fixture *fixture, const char *const *answers, int retries, enum error_kind kind)
{
	struct store_options options = STORE_OPTIONS_DEFAULT;
	struct reference reference = {.transport = REFERENCE_REGISTRY};
	char host[64];

	memset(fixture, 0, sizeof(*fixture));
	fixture->server = fake_server_play(answers);
	options.retries = retries;
	options.timeout = kind == ERROR_TIMEOUT ? brief_timeout() : AMPLE_TIMEOUT;
	snprintf(host, sizeof(host), "127.0.0.1:%d", fake_server_port(fixture->server));
	reference.host = host;
	reference.path = (char *)"app";
	ck_assert_int_eq(
		remote_open(&fixture->store, &reference, &options, NULL, &fixture->err), 0);
}

static void fixture_open(struct fixture *fixture, const char *const *answers, int retries)
{
	fixture_open_for(fixture, answers, retries, ERROR_NONE);
}

static void fixture_close(struct fixture *fixture)
{
	fixture->store->ops->close(fixture->store);
	fake_server_stop(fixture->server);
}

static int take(void *context, uint64_t offset, const void *bytes, size_t len, struct error *err)
{
	struct fixture *fixture = context;

	if (!fixture->calls++)
		fixture->first = fixture->next = offset;
	if (offset != fixture->next || offset + len > sizeof(fixture->got))
		return error_set(err, ERROR_SYSTEM, "bytes at a wrong place");
	memcpy(fixture->got + offset, bytes, len);
	fixture->next = offset + len;
	return 0;
}

static int get_range(struct fixture *fixture, int64_t size, uint64_t offset, uint64_t length)
{
	struct store_sink sink = {.write = take, .context = fixture};
	struct digest digest;

	ck_assert(digest_parse(&digest, BLOB));
	return fixture->store->ops->blob_get(
		fixture->store, &digest, size, offset, length, &sink, NULL, &fixture->err);
}

static void assert_begins(struct fixture *fixture, int index, const char *text)
{
	const char *head = fake_server_head(fixture->server, index);

	ck_assert_msg(strncmp(head, text, strlen(text)) == 0, "request %d is %s", index, head);
}

static void assert_has(struct fixture *fixture, int index, const char *text)
{
	const char *head = fake_server_head(fixture->server, index);

	ck_assert_msg(strstr(head, text) != NULL, "request %d is %s", index, head);
}

/* Bytes 1 to 3 of a blob of five bytes, or all of it, against answers of all sorts. What comes
 * behind the end without having been announced isn't taken. */
static const struct {
	const char *answer;
	bool whole;
	enum error_kind kind; /* NONE: delivered exactly */
} blob_answers[] = {
	{"HTTP/1.1 206 P\r\nContent-Range: bytes 1-3/5\r\nContent-Length: 3\r\n\r\nell", false, 0},
	{"HTTP/1.1 206 P\r\nContent-Range: bytes 1-3/5\r\n\r\nell", false, 0},
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, 0},
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true, 0},
	{"HTTP/1.1 200 OK\r\n\r\nhello", true, 0},
	{"HTTP/1.1 206 P\r\nContent-Range: bytes 0-2/5\r\nContent-Length: 3\r\n\r\nhel", false,
		ERROR_PROTOCOL},
	{"HTTP/1.1 206 P\r\nContent-Range: bytes 1-4/5\r\nContent-Length: 4\r\n\r\nello", false,
		ERROR_PROTOCOL},
	{"HTTP/1.1 206 P\r\nContent-Range: bytes 1-2/5\r\nContent-Length: 2\r\n\r\nel", false,
		ERROR_PROTOCOL},
	{"HTTP/1.1 206 P\r\nContent-Range: bytes 1-3/*\r\nContent-Length: 3\r\n\r\nell", false,
		ERROR_PROTOCOL},
	{"HTTP/1.1 206 P\r\nContent-Range: bytes 1--3/5\r\nContent-Length: 3\r\n\r\nell", false,
		ERROR_PROTOCOL},
	{"HTTP/1.1 206 P\r\nContent-Range: 1-3/5\r\nContent-Length: 3\r\n\r\nell", false,
		ERROR_PROTOCOL},
	{"HTTP/1.1 206 P\r\nContent-Range: bytes 1-3/5x\r\nContent-Length: 3\r\n\r\nell", false,
		ERROR_PROTOCOL},
	{"HTTP/1.1 206 P\r\nContent-Length: 3\r\n\r\nell", false, ERROR_PROTOCOL},
	{"HTTP/1.1 206 P\r\nContent-Range: bytes 1-3/6\r\nContent-Length: 3\r\n\r\nell", false,
		ERROR_CORRUPT},
	{"HTTP/1.1 206 P\r\nContent-Range: bytes 1-3/5\r\nContent-Length: 2\r\n\r\nel", false,
		ERROR_CORRUPT},
	{"HTTP/1.1 206 P\r\nContent-Range: bytes 1-3/5\r\n\r\nello", false, 0},
	{"HTTP/1.1 206 P\r\nContent-Range: bytes 1-3/5\r\n\r\nel", false, ERROR_CORRUPT},
	{"HTTP/1.1 206 P\r\nContent-Range: bytes 0-4/5\r\n\r\nhello", true, ERROR_PROTOCOL},
	{"HTTP/1.1 204 N\r\n\r\n", true, ERROR_PROTOCOL},
	{"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello!", true, ERROR_CORRUPT},
	{"HTTP/1.1 200 OK\r\n\r\nhello!", true, 0},
	{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhell", true, ERROR_CORRUPT},
	{"HTTP/1.1 200 OK\r\n\r\nhell", true, ERROR_CORRUPT},
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", true, ERROR_CORRUPT},
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell" FAKE_STALL, true, ERROR_TIMEOUT},
	{"HTTP/1.1 200 OK\r\n" FAKE_ENDLESS, true, ERROR_PROTOCOL},
	{FAKE_STALL, true, ERROR_TIMEOUT},
	{"HTTP/1.1 416 R\r\n" EMPTY, false, ERROR_CORRUPT},
	{"HTTP/1.1 404 N\r\n" EMPTY, false, ERROR_NOT_FOUND},
	{"HTTP/1.1 500 E\r\n" EMPTY, false, ERROR_SERVER},
};

START_TEST(blob_answers_are_checked)
{
	const char *const answers[] = {blob_answers[_i].answer, NULL};
	bool whole = blob_answers[_i].whole;
	bool all = whole || strstr(answers[0], " 200 OK");
	struct fixture fixture;
	int failed;

	fixture_open_for(&fixture, answers, 0, blob_answers[_i].kind);
	failed = get_range(&fixture, 5, whole ? 0 : 1, whole ? 5 : 3);
	ck_assert_msg(fixture.err.kind == blob_answers[_i].kind, "%s", fixture.err.message);
	ck_assert_int_eq(failed, fixture.err.kind ? -1 : 0);
	if (!failed) {
		ck_assert_uint_eq(fixture.first, all ? 0 : 1);
		ck_assert_uint_eq(fixture.next, all ? 5 : 4);
	}
	ck_assert_uint_le(fixture.next, 5);
	ck_assert_int_eq(memcmp(fixture.got + fixture.first, &"hello"[fixture.first],
				 (size_t)(fixture.next - fixture.first)),
		0);
	/* After a wrong range all of it is asked for, once. */
	ck_assert_int_eq(fake_server_count(fixture.server),
		!whole && blob_answers[_i].kind == ERROR_PROTOCOL ? 2 : 1);
	assert_begins(&fixture, 0, "GET /v2/app/blobs/" BLOB " HTTP/1.1\r\n");
	ck_assert(!strstr(fake_server_head(fixture.server, 0), "Range:") == whole);
	if (!whole)
		assert_has(&fixture, 0, "\r\nRange: bytes=1-3\r\n");
	fixture_close(&fixture);
}
END_TEST

#define ALL "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define FIRST_TWO "HTTP/1.1 206 P\r\nContent-Range: bytes 0-1/5\r\nContent-Length: 2\r\n\r\nhe"

START_TEST(wrong_range_leads_to_the_whole)
{
	const char *const answers[] = {FIRST_TWO, ALL, NULL};
	struct fixture fixture;

	fixture_open(&fixture, answers, 0);
	for (int i = 0; i < 2; i++) {
		fixture.calls = 0;
		ck_assert_msg(get_range(&fixture, 5, 1, 3) == 0, "%s", fixture.err.message);
		ck_assert_uint_eq(fixture.first, 0);
		ck_assert_uint_eq(fixture.next, 5);
		ck_assert_int_eq(memcmp(fixture.got, "hello", 5), 0);
	}
	/* The second read doesn't try a range. */
	ck_assert_int_eq(fake_server_count(fixture.server), 3);
	assert_has(&fixture, 0, "\r\nRange: bytes=1-3\r\n");
	ck_assert_ptr_null(strstr(fake_server_head(fixture.server, 1), "Range:"));
	ck_assert_ptr_null(strstr(fake_server_head(fixture.server, 2), "Range:"));
	fixture_close(&fixture);
}
END_TEST

static const struct {
	const char *answer;
	enum error_kind kind;
} whole_answers[] = {
	{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhell", ERROR_CORRUPT},
	{"HTTP/1.1 200 OK\r\n\r\nhell", ERROR_CORRUPT},
	{"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello!", ERROR_CORRUPT},
	{"HTTP/1.1 206 P\r\nContent-Range: bytes 0-4/5\r\n\r\nhello", ERROR_PROTOCOL},
	{NOT_FOUND, ERROR_NOT_FOUND},
};

START_TEST(whole_after_a_wrong_range_is_checked)
{
	const char *const answers[] = {FIRST_TWO, whole_answers[_i].answer, NULL};
	struct fixture fixture;

	fixture_open(&fixture, answers, 0);
	ck_assert_int_eq(get_range(&fixture, 5, 1, 3), -1);
	ck_assert_msg(fixture.err.kind == whole_answers[_i].kind, "%s", fixture.err.message);
	ck_assert_int_eq(fake_server_count(fixture.server), 2);
	fixture_close(&fixture);
}
END_TEST

/* Nothing is given out twice, and nothing that wasn't asked for. */
START_TEST(broken_range_goes_on_with_the_whole)
{
	static const char broken[] =
		"HTTP/1.1 206 P\r\nContent-Range: bytes 1-3/5\r\nContent-Length: 3\r\n\r\ne";
	const char *const wrong_range[] = {broken, FIRST_TWO, ALL, NULL};
	const char *const no_range[] = {broken, ALL, NULL};
	struct fixture fixture;

	fixture_open(&fixture, _i ? no_range : wrong_range, 1);
	ck_assert_msg(get_range(&fixture, 5, 1, 3) == 0, "%s", fixture.err.message);
	ck_assert_uint_eq(fixture.first, 1);
	ck_assert_uint_eq(fixture.next, 4);
	ck_assert_int_eq(memcmp(fixture.got + 1, "ell", 3), 0);
	ck_assert_int_eq(fake_server_count(fixture.server), _i ? 2 : 3);
	fixture_close(&fixture);
}
END_TEST

START_TEST(broken_download_goes_on_where_it_broke)
{
	const char *const answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe",
		"HTTP/1.1 206 P\r\nContent-Range: bytes 2-4/5\r\nContent-Length: 3\r\n\r\nl",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", NULL};
	struct fixture fixture;

	fixture_open(&fixture, answers, 1);
	ck_assert_msg(get_range(&fixture, 5, 0, 5) == 0, "%s", fixture.err.message);
	ck_assert_int_eq(memcmp(fixture.got, "hello", 5), 0);
	ck_assert_uint_eq(fixture.next, 5);
	ck_assert_int_eq(fake_server_count(fixture.server), 3);
	assert_has(&fixture, 1, "\r\nRange: bytes=2-4\r\n");
	assert_has(&fixture, 2, "\r\nRange: bytes=3-4\r\n");
	fixture_close(&fixture);
}
END_TEST

static int refuse(void *context, uint64_t offset, const void *bytes, size_t len, struct error *err)
{
	(void)context;
	(void)offset;
	(void)bytes;
	(void)len;
	return error_set(err, ERROR_SYSTEM, "the disk is full");
}

START_TEST(error_of_the_sink_is_the_error)
{
	const char *const answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", NULL};
	struct store_sink sink = {.write = refuse};
	struct digest digest;
	struct fixture fixture;

	fixture_open(&fixture, answers, 4);
	ck_assert(digest_parse(&digest, BLOB));
	ck_assert_int_eq(fixture.store->ops->blob_get(
				 fixture.store, &digest, 5, 0, 5, &sink, NULL, &fixture.err),
		-1);
	ck_assert_str_eq(fixture.err.message, "the disk is full");
	ck_assert_int_eq(fake_server_count(fixture.server), 1);
	fixture_close(&fixture);
}
END_TEST

static const struct {
	const char *answer;
	enum error_kind kind;
	const char *says;
} document_answers[] = {
	{MANIFEST_OK "\r\n" INDEX, ERROR_NONE, ""},
	{"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n\r\n" INDEX,
		ERROR_NONE, ""},
	{"HTTP/1.1 200 OK\r\n\r\n" INDEX, ERROR_NONE, ""},
	{MANIFEST_OK "Docker-Content-Digest: " OTHER "\r\n\r\n" INDEX, ERROR_CORRUPT, OTHER},
	{MANIFEST_OK "Docker-Content-Digest: sha256:1\r\n\r\n" INDEX, ERROR_CORRUPT, "digest"},
	{MANIFEST_OK "Docker-Content-Digest: new:abc\r\n\r\n" INDEX, ERROR_NONE, ""},
	{"HTTP/1.1 200 OK\r\nContent-Type: " MEDIA_TYPE_MANIFEST "\r\n\r\n" INDEX, ERROR_CORRUPT,
		""},
	{MANIFEST_OK "\r\n<html>", ERROR_CORRUPT, ""},
	{MANIFEST_OK EMPTY, ERROR_CORRUPT, ""},
	{MANIFEST_OK "Content-Length: 5368709120\r\n\r\n{" FAKE_STALL, ERROR_TOO_LARGE, ""},
	{MANIFEST_OK FAKE_ENDLESS, ERROR_PROTOCOL, "headers"},
	{MANIFEST_OK "\r\n{" FAKE_STALL, ERROR_TIMEOUT, ""},
	{"HTTP/1.1 301 M\r\nLocation: /v2/app/manifests/v1\r\n" EMPTY, ERROR_PROTOCOL, "redirects"},
	{"HTTP/1.1 401 U\r\nWww-Authenticate: Basic\r\n\r\n"
	 "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"who \\u001bare you\"}]}",
		ERROR_DENIED, "UNAUTHORIZED: who are you"},
	{"HTTP/1.1 403 F\r\n\r\nby the proxy", ERROR_DENIED, "by the proxy"},
	{NOT_FOUND, ERROR_NOT_FOUND, "app: manifest v1: not found (HTTP 404)"},
	{"HTTP/1.1 429 T\r\n" EMPTY, ERROR_THROTTLED, ""},
	{"HTTP/1.1 204 N\r\n\r\n", ERROR_PROTOCOL, ""},
};

START_TEST(documents_are_checked)
{
	const char *const answers[] = {document_answers[_i].answer, NULL};
	struct document document = DOCUMENT_INIT;
	struct fixture fixture;

	fixture_open_for(&fixture, answers, 0, document_answers[_i].kind);
	fixture.store->ops->document_get(
		fixture.store, &document, "v1", NULL, NULL, NULL, &fixture.err);
	ck_assert_msg(fixture.err.kind == document_answers[_i].kind, "%s", fixture.err.message);
	ck_assert_msg(strstr(fixture.err.message, document_answers[_i].says) != NULL, "%s",
		fixture.err.message);
	assert_begins(&fixture, 0, "GET /v2/app/manifests/v1 HTTP/1.1\r\n");
	assert_has(&fixture, 0,
		"\r\nAccept: " MEDIA_TYPE_INDEX ", " MEDIA_TYPE_MANIFEST ", " MEDIA_TYPE_DOCKER_LIST
		", " MEDIA_TYPE_DOCKER_MANIFEST "\r\n");
	document_clear(&document);
	fixture_close(&fixture);
}
END_TEST

START_TEST(other_bytes_than_the_digest_are_corrupt)
{
	const char *const answers[] = {MANIFEST_OK "\r\n" INDEX, NULL};
	struct document document = DOCUMENT_INIT;
	struct fixture fixture;
	struct digest digest;

	fixture_open(&fixture, answers, 0);
	ck_assert(digest_parse(&digest, OTHER));
	ck_assert_int_eq(fixture.store->ops->document_get(
				 fixture.store, &document, NULL, &digest, NULL, NULL, &fixture.err),
		-1);
	ck_assert_msg(fixture.err.kind == ERROR_CORRUPT, "%s", fixture.err.message);
	ck_assert_ptr_null(document.json);
	fixture_close(&fixture);
}
END_TEST

START_TEST(tag_without_a_digest_header_is_read)
{
	const char *const answers[] = {
		"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
		"Content-Length: 10\r\n\r\n",
		MANIFEST_OK "\r\n" INDEX, NULL};
	struct descriptor tag = DESCRIPTOR_INIT;
	struct digest digest;
	struct fixture fixture;

	fixture_open(&fixture, answers, 0);
	ck_assert_msg(
		fixture.store->ops->resolve(fixture.store, &tag, "v1", NULL, &fixture.err) == 0,
		"%s", fixture.err.message);
	digest_of_bytes(&digest, INDEX, strlen(INDEX));
	ck_assert_str_eq(tag.digest.text, digest.text);
	ck_assert_int_eq(tag.size, (int64_t)strlen(INDEX));
	assert_begins(&fixture, 0, "HEAD /v2/app/manifests/v1 ");
	assert_begins(&fixture, 1, "GET /v2/app/manifests/v1 ");
	descriptor_clear(&tag);
	fixture_close(&fixture);
}
END_TEST

static const struct {
	const char *answer;
	enum error_kind kind;
} put_answers[] = {
	{"HTTP/1.1 201 C\r\n" EMPTY, ERROR_NONE},
	{"HTTP/1.1 201 C\r\nDocker-Content-Digest: " OTHER "\r\n" EMPTY, ERROR_CORRUPT},
	{"HTTP/1.1 400 B\r\n\r\n{\"errors\":[{\"code\":\"TAG_INVALID\",\"message\":"
	 "\"the tag exists and the repository is immutable\"}]}",
		ERROR_IMMUTABLE},
	{"HTTP/1.1 409 C\r\n" EMPTY, ERROR_IMMUTABLE},
	{"HTTP/1.1 413 L\r\n" EMPTY, ERROR_TOO_LARGE},
	{"HTTP/1.1 403 F\r\n\r\nstorage quota exceeded", ERROR_QUOTA},
	{"HTTP/1.1 405 M\r\n\r\n{\"errors\":[{\"code\":\"UNSUPPORTED\"}]}", ERROR_READ_ONLY},
	{"HTTP/1.1 307 T\r\nLocation: http://127.0.0.1:1/\r\n" EMPTY, ERROR_PROTOCOL},
	{"HTTP/1.1 500 E\r\n" EMPTY, ERROR_SERVER},
};

START_TEST(put_documents_can_be_refused)
{
	const char *answer = put_answers[_i].answer;
	const char *const answers[] = {answer, answer, NULL};
	bool twice = put_answers[_i].kind == ERROR_CORRUPT;
	struct document document = DOCUMENT_INIT;
	struct fixture fixture;

	fixture_open(&fixture, answers, 0);
	ck_assert_int_eq(document_parse(&document, NULL, INDEX, strlen(INDEX), &fixture.err), 0);
	fixture.store->ops->document_put(fixture.store, &document, "v1", NULL, NULL, &fixture.err);
	ck_assert_msg(fixture.err.kind == put_answers[_i].kind, "%s", fixture.err.message);
	ck_assert_int_eq(fake_server_count(fixture.server), twice ? 2 : 1);
	assert_begins(&fixture, 0, "PUT /v2/app/manifests/v1 ");
	assert_has(&fixture, 0, "\r\nContent-Type: " MEDIA_TYPE_INDEX "\r\n");
	ck_assert_str_eq(fake_server_body(fixture.server, 0), INDEX);
	document_clear(&document);
	fixture_close(&fixture);
}
END_TEST

static int put_hello(struct fixture *fixture)
{
	cleanup_close int fd = memfd_create("hello", MFD_CLOEXEC);
	struct store_source source = {.fd = fd, .size = 5};
	struct digest digest;

	ck_assert(digest_parse(&digest, BLOB));
	ck_assert_int_eq(pwrite(fd, "hello", 5, 0), 5);
	return fixture->store->ops->blob_put(fixture->store, &digest, &source, NULL, &fixture->err);
}

#define ACCEPTED(location) "HTTP/1.1 202 A\r\nLocation: " location "\r\n" EMPTY
#define CREATED "HTTP/1.1 201 C\r\n" EMPTY
#define EXISTS "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"

static const struct {
	const char *answers[8];
	const char *requests[8];
	int retries;
	enum error_kind kind;
} uploads[] = {
	{{EXISTS}, {"HEAD /v2/app/blobs/" BLOB " "}, 0, ERROR_NONE},
	{{NOT_FOUND, ACCEPTED("/up/1"), CREATED},
		{"HEAD /", "POST /v2/app/blobs/uploads/ ", "PUT /up/1?digest=" BLOB " "}, 0,
		ERROR_NONE},
	{{NOT_FOUND, ACCEPTED("http://127.0.0.1:@PORT@/up?_state=a%2Fb=="), CREATED},
		{"HEAD /", "POST /", "PUT /up?_state=a%2Fb==&digest=" BLOB " "}, 0, ERROR_NONE},
	{{NOT_FOUND, ACCEPTED("2?"), CREATED},
		{"HEAD /", "POST /", "PUT /v2/app/blobs/uploads/2?digest=" BLOB " "}, 0,
		ERROR_NONE},
	{{NOT_FOUND, CREATED}, {"HEAD /", "POST /"}, 0, ERROR_NONE},
	{{NOT_FOUND, ACCEPTED("/up"), "HTTP/1.1 204 N\r\n\r\n"}, {"HEAD /", "POST /", "PUT /"}, 0,
		ERROR_NONE},
	{{NOT_FOUND, ACCEPTED("/up"), "HTTP/1.1 202 A\r\n" EMPTY, EXISTS},
		{"HEAD /", "POST /", "PUT /", "HEAD /"}, 0, ERROR_NONE},
	{{NOT_FOUND, ACCEPTED("/up"), "HTTP/1.1 202 A\r\n" EMPTY, NOT_FOUND},
		{"HEAD /", "POST /", "PUT /", "HEAD /"}, 0, ERROR_PROTOCOL},
	{{NOT_FOUND, "HTTP/1.1 202 A\r\n" EMPTY}, {"HEAD /", "POST /"}, 0, ERROR_PROTOCOL},
	{{NOT_FOUND, ACCEPTED("ftp://127.0.0.1/up")}, {"HEAD /", "POST /"}, 0, ERROR_PROTOCOL},
	{{NOT_FOUND, "HTTP/1.1 401 U\r\n" EMPTY}, {"HEAD /", "POST /", "POST /"}, 4, ERROR_DENIED},
	{{NOT_FOUND, "HTTP/1.1 401 U\r\n" EMPTY}, {"HEAD /", "POST /"}, 0, ERROR_DENIED},
	{{"HTTP/1.1 403 F\r\n" EMPTY, NOT_FOUND, "HTTP/1.1 404 N\r\n" EMPTY, ACCEPTED("/up"),
		 CREATED},
		{"HEAD /", "HEAD /", "POST /", "POST /", "PUT /"}, 1, ERROR_NONE},
	{{NOT_FOUND, ACCEPTED("/up/1"), "HTTP/1.1 413 L\r\n" EMPTY, ACCEPTED("/up/2"),
		 "HTTP/1.1 413 L\r\n" EMPTY},
		{"HEAD /", "POST /", "PUT /up/1?", "POST /", "PUT /up/2?"}, 4, ERROR_TOO_LARGE},
	{{NOT_FOUND, ACCEPTED("/up/1"), "HTTP/1.1 403 F\r\n" EMPTY, ACCEPTED("/up/2"), CREATED},
		{"HEAD /", "POST /", "PUT /up/1?", "POST /", "PUT /up/2?"}, 1, ERROR_NONE},
	{{NOT_FOUND, ACCEPTED("/up"), "HTTP/1.1 403 F\r\n" EMPTY}, {"HEAD /", "POST /", "PUT /"}, 0,
		ERROR_DENIED},
	{{NOT_FOUND, ACCEPTED("/up"),
		 "HTTP/1.1 201 C\r\nDocker-Content-Digest: " OTHER "\r\n" EMPTY, ACCEPTED("/up"),
		 "HTTP/1.1 201 C\r\nDocker-Content-Digest: " OTHER "\r\n" EMPTY},
		{"HEAD /", "POST /", "PUT /", "POST /", "PUT /"}, 4, ERROR_CORRUPT},
	{{NOT_FOUND, ACCEPTED("/up"),
		 "HTTP/1.1 400 B\r\n\r\n{\"errors\":[{\"code\":\"DIGEST_INVALID\"}]}",
		 ACCEPTED("/up"), CREATED},
		{"HEAD /", "POST /", "PUT /", "POST /", "PUT /"}, 4, ERROR_NONE},
	{{NOT_FOUND, ACCEPTED("/up/1"), NOT_FOUND, NOT_FOUND, ACCEPTED("/up/2"), CREATED},
		{"HEAD /", "POST /", "PUT /up/1?", "HEAD /", "POST /", "PUT /up/2?"}, 4,
		ERROR_NONE},
	{{NOT_FOUND, ACCEPTED("/up/1"), NOT_FOUND, EXISTS},
		{"HEAD /", "POST /", "PUT /up/1?", "HEAD /"}, 4, ERROR_NONE},
	{{NOT_FOUND, ACCEPTED("/up/1"), "", ACCEPTED("/up/2"), CREATED},
		{"HEAD /", "POST /", "PUT /up/1?", "POST /", "PUT /up/2?"}, 1, ERROR_NONE},
	{{NOT_FOUND, ACCEPTED("/up/1"), "HTTP/1.1 503 S\r\n" EMPTY},
		{"HEAD /", "POST /", "PUT /up/1?"}, 0, ERROR_SERVER},
	{{NOT_FOUND, ACCEPTED("/up"), FAKE_STALL}, {"HEAD /", "POST /", "PUT /"}, 0, ERROR_TIMEOUT},
};

START_TEST(uploads_go_the_way_they_are_told)
{
	struct fixture fixture;
	int count = 0;

	fixture_open_for(&fixture, uploads[_i].answers, uploads[_i].retries, uploads[_i].kind);
	put_hello(&fixture);
	ck_assert_msg(fixture.err.kind == uploads[_i].kind, "%s", fixture.err.message);
	for (; uploads[_i].requests[count]; count++) {
		assert_begins(&fixture, count, uploads[_i].requests[count]);
		if (strncmp(uploads[_i].requests[count], "PUT", 3) == 0) {
			assert_has(&fixture, count, "\r\nContent-Length: 5\r\n");
			ck_assert_str_eq(fake_server_body(fixture.server, count), "hello");
		}
	}
	ck_assert_int_eq(fake_server_count(fixture.server), count);
	fixture_close(&fixture);
}
END_TEST

START_TEST(head_refused_by_the_storage_behind_is_there)
{
	const char *const answers[] = {
		"HTTP/1.1 307 T\r\nLocation: http://localhost:@PORT@/signed\r\n" EMPTY,
		"HTTP/1.1 403 F\r\n" EMPTY, NULL};
	struct fixture fixture;
	struct digest digest;
	bool exists = false;

	fixture_open(&fixture, answers, 0);
	ck_assert(digest_parse(&digest, BLOB));
	ck_assert_msg(fixture.store->ops->blob_exists(
			      fixture.store, &exists, &digest, 5, NULL, &fixture.err) == 0,
		"%s", fixture.err.message);
	ck_assert(exists);
	fixture_close(&fixture);
}
END_TEST

START_TEST(file_that_shrinks_is_not_sent)
{
	const char *const answers[] = {NOT_FOUND, ACCEPTED("/up"), CREATED, NULL};
	cleanup_close int fd = memfd_create("short", MFD_CLOEXEC);
	struct store_source source = {.fd = fd, .size = 5};
	struct digest digest;
	struct fixture fixture;

	fixture_open(&fixture, answers, 4);
	ck_assert(digest_parse(&digest, BLOB));
	ck_assert_int_eq(pwrite(fd, "hel", 3, 0), 3);
	ck_assert_int_eq(
		fixture.store->ops->blob_put(fixture.store, &digest, &source, NULL, &fixture.err),
		-1);
	ck_assert_msg(fixture.err.kind == ERROR_CORRUPT, "%s", fixture.err.message);
	fixture_close(&fixture);
}
END_TEST

/* A TLS server that answers two GETs with a redirect to plain HTTP: openssl's own. */
static const char tls_script[] =
	"set -e; cd \"$1\"; "
	"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 "
	"-addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem 2>/dev/null; "
	"mkdir -p v2/app/manifests; "
	"printf 'HTTP/1.0 307 T\\r\\nLocation: http://127.0.0.1:%s/x\\r\\n\\r\\n' \"$2\" "
	"> v2/app/manifests/v1; "
	"exec openssl s_server -HTTP -accept 127.0.0.1:0 -cert cert.pem -key key.pem -naccept 2 "
	"2>/dev/null";

static pid_t tls_start(char *folder, int plain_port, int *port)
{
	static const char accepts[] = "ACCEPT 127.0.0.1:";
	char target[16], line[256] = "";
	FILE *output;
	int pipes[2];
	pid_t pid;

	snprintf(target, sizeof(target), "%d", plain_port);
	ck_assert_int_eq(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		dup2(pipes[1], STDOUT_FILENO);
		close(pipes[0]);
		execl("/bin/sh", "sh", "-c", tls_script, "sh", folder, target, (char *)NULL);
		_exit(127);
	}
	close(pipes[1]);
	output = fdopen(pipes[0], "r");
	while (fgets(line, sizeof(line), output)) {
		if (strncmp(line, accepts, strlen(accepts)) == 0)
			break;
	}
	*port = (int)strtol(line + strlen(accepts), NULL, 10);
	ck_assert_int_gt(*port, 0);
	return pid;
}

START_TEST(redirect_from_https_to_http_is_refused)
{
	const char *const answers[] = {MANIFEST_OK "\r\n" INDEX, NULL};
	struct store_options options = STORE_OPTIONS_DEFAULT;
	struct reference reference = {.transport = REFERENCE_REGISTRY};
	struct document document = DOCUMENT_INIT;
	struct fixture fixture;
	struct store *store;
	char folder[] = "/tmp/indexfs-test-XXXXXX";
	char host[64], cert[64];
	int port = 0;
	pid_t pid;

	fixture_open(&fixture, answers, 0);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	pid = tls_start(folder, fake_server_port(fixture.server), &port);
	snprintf(host, sizeof(host), "127.0.0.1:%d", port);
	snprintf(cert, sizeof(cert), "%s/cert.pem", folder);
	reference.host = host;
	reference.path = (char *)"app";
	options.ca_file = cert;
	ck_assert_int_eq(remote_open(&store, &reference, &options, NULL, &fixture.err), 0);
	ck_assert_int_eq(
		store->ops->document_get(store, &document, "v1", NULL, NULL, NULL, &fixture.err),
		-1);
	ck_assert_int_eq(fixture.err.kind, ERROR_PROTOCOL);
	ck_assert_msg(strstr(fixture.err.message, "from https to plain http") != NULL, "%s",
		fixture.err.message);
	ck_assert_int_eq(fake_server_count(fixture.server), 0);
	store->ops->close(store);
	fixture_close(&fixture);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert(shell_run("rm -rf \"$1\"", folder));
}
END_TEST

START_TEST(location_takes_the_digest)
{
	static const struct {
		const char *location, *url;
	} cases[] = {
		{"http://h/u", "http://h/u?digest=x%2By:z"},
		{"http://h/u?", "http://h/u?digest=x%2By:z"},
		{"http://h/u?a=%26", "http://h/u?a=%26&digest=x%2By:z"},
		{"http://h/u?a&", "http://h/u?a&digest=x%2By:z"},
	};
	struct digest digest;
	struct error err = ERROR_INIT;

	ck_assert(digest_parse(&digest, "x+y:z"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cleanup_free char *url = NULL;

		ck_assert_int_eq(location_with_digest(&url, cases[i].location, &digest, &err), 0);
		ck_assert_str_eq(url, cases[i].url);
	}
}
END_TEST

#define LOOP(tcase, test, table)                                                                   \
	tcase_add_loop_test(tcase, test, 0, (int)(sizeof(table) / sizeof(*(table))))

int main(void)
{
	Suite *suite = suite_create("remote_faults");
	TCase *tcase = tcase_create("remote_faults");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 30);
	LOOP(tcase, blob_answers_are_checked, blob_answers);
	tcase_add_test(tcase, wrong_range_leads_to_the_whole);
	LOOP(tcase, whole_after_a_wrong_range_is_checked, whole_answers);
	tcase_add_loop_test(tcase, broken_range_goes_on_with_the_whole, 0, 2);
	tcase_add_test(tcase, broken_download_goes_on_where_it_broke);
	tcase_add_test(tcase, error_of_the_sink_is_the_error);
	LOOP(tcase, documents_are_checked, document_answers);
	tcase_add_test(tcase, other_bytes_than_the_digest_are_corrupt);
	tcase_add_test(tcase, tag_without_a_digest_header_is_read);
	LOOP(tcase, put_documents_can_be_refused, put_answers);
	LOOP(tcase, uploads_go_the_way_they_are_told, uploads);
	tcase_add_test(tcase, head_refused_by_the_storage_behind_is_there);
	tcase_add_test(tcase, file_that_shrinks_is_not_sent);
	tcase_add_test(tcase, redirect_from_https_to_http_is_refused);
	tcase_add_test(tcase, location_takes_the_digest);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
