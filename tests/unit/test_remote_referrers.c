#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "fake_server.h"
#include "media_type.h"
#include "patience.h"
#include "registry/remote/remote.h"
#include "registry_process.h"

#define HEX "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define SUBJECT "sha256:" HEX
#define OTHER "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define EMPTY "Content-Length: 0\r\n\r\n"
#define NOT_FOUND "HTTP/1.1 404 N\r\n" EMPTY
#define OK_INDEX "HTTP/1.1 200 OK\r\nContent-Type: " MEDIA_TYPE_INDEX "\r\n"
#define ENTRY(digest, type)                                                                        \
	"{\"mediaType\":\"" MEDIA_TYPE_MANIFEST "\",\"digest\":\"" digest                          \
	"\",\"size\":1,\"artifactType\":\"" type "\"}"
#define LIST(entries)                                                                              \
	"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX "\",\"manifests\":[" entries "]}"
#define API "GET /v2/app/referrers/" SUBJECT
#define TAG "/v2/app/manifests/sha256-" HEX " "

struct fixture {
	struct fake_server *server;
	struct store *store;
	struct log *log;
	struct error err;
};

static struct store *open_retrying(
	int port, const char *repository, struct store_hosts *hosts, struct log *log, int retries)
{
	struct store_options options = STORE_OPTIONS_DEFAULT;
	struct reference reference = {.transport = REFERENCE_REGISTRY};
	struct error err = ERROR_INIT;
	struct store *store;
	char host[64];

	options.timeout = AMPLE_TIMEOUT;
	options.retries = retries;
	options.hosts = hosts;
	snprintf(host, sizeof(host), "127.0.0.1:%d", port);
	reference.host = host;
	reference.path = (char *)repository;
	ck_assert_msg(remote_open(&store, &reference, &options, log, &err) == 0, "%s", err.message);
	return store;
}

static struct store *open_at(
	int port, const char *repository, struct store_hosts *hosts, struct log *log)
{
	return open_retrying(port, repository, hosts, log, 0);
}

static void fixture_open_retrying(struct fixture *fixture, const char *const *answers, int retries)
{
	memset(fixture, 0, sizeof(*fixture));
	fixture->server = fake_server_play(answers);
	fixture->log = log_new(LOG_LEVEL_WARNING);
	fixture->store = open_retrying(
		fake_server_port(fixture->server), "app", NULL, fixture->log, retries);
}

static void fixture_open(struct fixture *fixture, const char *const *answers)
{
	fixture_open_retrying(fixture, answers, 0);
}

static void fixture_close(struct fixture *fixture)
{
	fixture->store->ops->close(fixture->store);
	fake_server_stop(fixture->server);
	log_free(fixture->log);
}

/* The requests begin so, and there are no others. */
static void assert_requests(struct fixture *fixture, const char *const *requests)
{
	int count = 0;

	for (; requests[count]; count++) {
		const char *head = fake_server_head(fixture->server, count);

		ck_assert_msg(strncmp(head, requests[count], strlen(requests[count])) == 0,
			"request %d is %s", count, head);
	}
	ck_assert_int_eq(fake_server_count(fixture->server), count);
}

/* Lists, twice, what refers to a subject. */
static const struct {
	const char *answers[8];
	const char *type;
	const char *requests[8];
	size_t count;
	enum error_kind kind;
} lists[] = {
	{{OK_INDEX "\r\n" LIST(ENTRY(OTHER, "x/y"))}, NULL, {API " ", API " "}, 1, ERROR_NONE},
	/* Filtered by us, and by the registry. */
	{{OK_INDEX "\r\n" LIST(ENTRY(OTHER, "x/y") "," ENTRY(SUBJECT, "x/z"))}, "x/y",
		{API "?artifactType=x/y ", API "?artifactType=x/y "}, 1, ERROR_NONE},
	{{OK_INDEX "OCI-Filters-Applied: artifactType\r\n\r\n" LIST(ENTRY(OTHER, "a/b"))}, "x/y",
		{API "?artifactType=x/y ", API "?artifactType=x/y "}, 1, ERROR_NONE},
	{{OK_INDEX "\r\n" LIST("")}, "a+b/c&d", {API "?artifactType=a%2Bb/c%26d ", API}, 0,
		ERROR_NONE},
	/* Pages. */
	{{OK_INDEX "Link: <?page=2>; rel=next\r\n\r\n" LIST(ENTRY(OTHER, "x/y")),
		 OK_INDEX "\r\n" LIST(ENTRY(SUBJECT, "x/y") "," ENTRY(OTHER, "x/y")),
		 OK_INDEX "\r\n" LIST(ENTRY(SUBJECT, "x/y") "," ENTRY(OTHER, "x/y"))},
		NULL, {API " ", API "?page=2 ", API " "}, 2, ERROR_NONE},
	{{OK_INDEX "Link: <http://localhost:@PORT@/x>; rel=next\r\n\r\n" LIST("")}, NULL,
		{API, API}, 0, ERROR_PROTOCOL},
	{{OK_INDEX "Link: <?page=2>; rel=next\r\n\r\n" LIST("")}, NULL,
		{API, API "?page=2", API, API "?page=2"}, 0, ERROR_PROTOCOL},
	/* No Referrers API. */
	{{NOT_FOUND, OK_INDEX "\r\n" LIST(ENTRY(OTHER, "x/y") "," ENTRY(SUBJECT, "x/z"))}, "x/z",
		{API, "GET " TAG, "GET " TAG}, 1, ERROR_NONE},
	{{NOT_FOUND}, NULL, {API, "GET " TAG, "GET " TAG}, 0, ERROR_NONE},
	{{"HTTP/1.1 404 N\r\n\r\n{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]}"}, NULL,
		{API, "GET " TAG, API, "GET " TAG}, 0, ERROR_NONE},
	{{"HTTP/1.1 405 N\r\n" EMPTY, NOT_FOUND}, NULL, {API, "GET " TAG, "GET " TAG}, 0,
		ERROR_NONE},
	{{"HTTP/1.1 303 S\r\nLocation: http://localhost:@PORT@/login\r\n" EMPTY,
		 OK_INDEX "\r\n" LIST(ENTRY(OTHER, "x/y")), NOT_FOUND},
		NULL, {API, "GET /login ", "GET " TAG, "GET " TAG}, 0, ERROR_NONE},
	{{"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", NOT_FOUND}, NULL,
		{API, "GET " TAG, "GET " TAG}, 0, ERROR_NONE},
	{{"HTTP/1.1 200 OK\r\n\r\n" LIST(""), NOT_FOUND}, NULL, {API, "GET " TAG, "GET " TAG}, 0,
		ERROR_NONE},
	/* Neither is an absent list. */
	{{"HTTP/1.1 403 F\r\n" EMPTY}, NULL, {API, API}, 0, ERROR_DENIED},
	{{"HTTP/1.1 500 E\r\n" EMPTY}, NULL, {API, API}, 0, ERROR_SERVER},
	{{OK_INDEX "\r\n[]"}, NULL, {API, API}, 0, ERROR_CORRUPT},
	{{NOT_FOUND, "HTTP/1.1 500 E\r\n" EMPTY}, NULL, {API, "GET " TAG, "GET " TAG}, 0,
		ERROR_SERVER},
};

static void list_once(struct fixture *fixture, int i)
{
	struct document out = DOCUMENT_INIT;
	struct digest subject;
	int failed;

	ck_assert(digest_parse(&subject, SUBJECT));
	error_clear(&fixture->err);
	failed = fixture->store->ops->referrers(
		fixture->store, &out, &subject, lists[i].type, NULL, &fixture->err);
	ck_assert_msg(fixture->err.kind == lists[i].kind, "%s", fixture->err.message);
	ck_assert_int_eq(failed, lists[i].kind ? -1 : 0);
	if (!failed) {
		ck_assert_int_eq(out.kind, DOCUMENT_INDEX);
		ck_assert_uint_eq(out.count, lists[i].count);
	}
	document_clear(&out);
}

START_TEST(referrers_are_listed)
{
	struct fixture fixture;

	fixture_open(&fixture, lists[_i].answers);
	list_once(&fixture, _i);
	list_once(&fixture, _i);
	assert_requests(&fixture, lists[_i].requests);
	fixture_close(&fixture);
}
END_TEST

#define ARTIFACT                                                                                   \
	"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX "\",\"artifactType\":\"x/"        \
	"y\",\"manifests\":[],\"subject\":{\"mediaType\":\"" MEDIA_TYPE_MANIFEST                   \
	"\",\"digest\":\"" SUBJECT "\",\"size\":7},\"annotations\":{\"k\":\"v\"}}"
#define CREATED "HTTP/1.1 201 C\r\n" EMPTY
#define NOTED "HTTP/1.1 201 C\r\nOCI-Subject: " SUBJECT "\r\n" EMPTY

static void artifact_parse(struct document *out)
{
	struct error err = ERROR_INIT;

	ck_assert_msg(document_parse(out, NULL, ARTIFACT, strlen(ARTIFACT), &err) == 0, "%s",
		err.message);
}

/* A list that has the artifact already. */
static const char *entered(char *answer, size_t size, const char *before)
{
	struct document artifact;

	artifact_parse(&artifact);
	snprintf(answer, size,
		OK_INDEX "\r\n{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX
			 "\",\"manifests\":[%s{\"mediaType\":\"" MEDIA_TYPE_INDEX
			 "\",\"digest\":\"%s\",\"size\":%zu,\"artifactType\":\"x/y\","
			 "\"annotations\":{\"k\":\"v\"}}]}",
		before, artifact.digest.text, artifact.json_len);
	document_clear(&artifact);
	return answer;
}

#define LISTED "" /* stands for an answer with a list that has it */
#define PUT_IT "PUT /v2/app/manifests/sha256:"

static const struct {
	const char *answers[10];
	const char *requests[10];
	enum error_kind kind;
} entries[] = {
	{{NOTED, OK_INDEX "\r\n" LIST("")}, {PUT_IT, API}, ERROR_NONE},
	/* A registry that makes no list. */
	{{CREATED, NOT_FOUND, CREATED, LISTED, LISTED},
		{PUT_IT, "GET " TAG, "PUT " TAG, "GET " TAG, "GET " TAG}, ERROR_NONE},
	{{CREATED, LISTED, LISTED}, {PUT_IT, "GET " TAG}, ERROR_NONE},
	/* One that says it did, and has no API. */
	{{NOTED, NOT_FOUND, NOT_FOUND, CREATED, LISTED, LISTED},
		{PUT_IT, API, "GET " TAG, "PUT " TAG, "GET " TAG, "GET " TAG}, ERROR_NONE},
	/* OCI-Subject of something else. */
	{{"HTTP/1.1 201 C\r\nOCI-Subject: " OTHER "\r\n" EMPTY, NOT_FOUND, CREATED, LISTED, LISTED},
		{PUT_IT, "GET " TAG, "PUT " TAG, "GET " TAG, "GET " TAG}, ERROR_NONE},
	/* Another writer is faster: told by If-Match, or seen afterwards. */
	{{CREATED, OK_INDEX "ETag: \"1\"\r\n\r\n" LIST(""), "HTTP/1.1 412 P\r\n" EMPTY,
		 OK_INDEX "ETag: \"2\"\r\n\r\n" LIST(ENTRY(OTHER, "x/y")), CREATED, LISTED, LISTED},
		{PUT_IT, "GET " TAG, "PUT " TAG, "GET " TAG, "PUT " TAG, "GET " TAG, "GET " TAG},
		ERROR_NONE},
	{{CREATED, NOT_FOUND, CREATED, OK_INDEX "\r\n" LIST(ENTRY(OTHER, "x/y")), CREATED, LISTED,
		 LISTED},
		{PUT_IT, "GET " TAG, "PUT " TAG, "GET " TAG, "PUT " TAG, "GET " TAG, "GET " TAG},
		ERROR_NONE},
	/* Seen a moment later. */
	{{CREATED, NOT_FOUND, CREATED, LISTED, OK_INDEX "\r\n" LIST(ENTRY(OTHER, "x/y")), CREATED,
		 LISTED, LISTED},
		{PUT_IT, "GET " TAG, "PUT " TAG, "GET " TAG, "GET " TAG, "PUT " TAG, "GET " TAG,
			"GET " TAG},
		ERROR_NONE},
	/* Someone's manifest under that tag is left alone. */
	{{CREATED, "HTTP/1.1 200 OK\r\nContent-Type: " MEDIA_TYPE_MANIFEST
		   "\r\n\r\n{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a/"
		   "b\",\"digest\":\"" OTHER "\",\"size\":2},\"layers\":[]}"},
		{PUT_IT, "GET " TAG}, ERROR_PROTOCOL},
	{{CREATED, NOT_FOUND, "HTTP/1.1 403 F\r\n" EMPTY}, {PUT_IT, "GET " TAG, "PUT " TAG},
		ERROR_DENIED},
	{{"HTTP/1.1 400 B\r\n" EMPTY}, {PUT_IT}, ERROR_PROTOCOL},
};

START_TEST(document_enters_the_list_of_its_subject)
{
	const char *answers[11] = {NULL};
	char listed[2048], want[2048];
	struct document artifact;
	struct fixture fixture;

	for (int i = 0; entries[_i].answers[i]; i++)
		answers[i] = *entries[_i].answers[i] ? entries[_i].answers[i]
						     : entered(listed, sizeof(listed), "");
	artifact_parse(&artifact);
	fixture_open(&fixture, answers);
	fixture.store->ops->document_put(fixture.store, &artifact, NULL, NULL, NULL, &fixture.err);
	ck_assert_msg(fixture.err.kind == entries[_i].kind, "%s", fixture.err.message);
	assert_requests(&fixture, entries[_i].requests);
	for (int i = 1; entries[_i].requests[i]; i++) {
		const char *body = strstr(entered(want, sizeof(want), ""), "\r\n{") + 2;

		/* The first list that is written is the exact one. */
		if (strncmp(entries[_i].requests[i], "PUT " TAG, strlen("PUT " TAG)) == 0) {
			ck_assert_str_eq(fake_server_body(fixture.server, i), strstr(body, "{"));
			break;
		}
	}
	document_clear(&artifact);
	fixture_close(&fixture);
}
END_TEST

START_TEST(list_of_others_is_kept)
{
	const char *const answers[] = {CREATED,
		OK_INDEX "ETag: \"abc\"\r\n\r\n" LIST(ENTRY(OTHER, "x/y")), CREATED, NOT_FOUND,
		CREATED, NULL};
	char listed[2048];
	struct document artifact;
	struct fixture fixture;
	const char *body;

	artifact_parse(&artifact);
	fixture_open(&fixture, answers);
	fixture.store->ops->document_put(fixture.store, &artifact, NULL, NULL, NULL, &fixture.err);
	body = strstr(entered(listed, sizeof(listed), ENTRY(OTHER, "x/y") ","), "\r\n\r\n");
	ck_assert_str_eq(fake_server_body(fixture.server, 2), strstr(body, "{"));
	ck_assert_ptr_nonnull(
		strstr(fake_server_head(fixture.server, 2), "\r\nIf-Match: \"abc\"\r\n"));
	ck_assert_ptr_null(strstr(fake_server_head(fixture.server, 4), "If-Match"));
	/* It never came to stay there. */
	ck_assert_int_eq(fixture.err.kind, ERROR_PROTOCOL);
	document_clear(&artifact);
	fixture_close(&fixture);
}
END_TEST

struct collected {
	char text[256];
	size_t count, stop_at;
};

static int collect(void *context, const char *tag, struct error *err)
{
	struct collected *collected = context;

	if (collected->count++ == collected->stop_at && collected->stop_at)
		return error_set(err, ERROR_INTERRUPTED, "enough");
	if (strlen(collected->text) + strlen(tag) + 2 < sizeof(collected->text)) {
		strcat(collected->text, tag);
		strcat(collected->text, " ");
	}
	return 0;
}

#define OK_JSON "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define TAGS "GET /v2/app/tags/list?"
#define FIRST TAGS "n=1000 "

static const struct {
	const char *answers[8];
	const char *requests[8];
	const char *tags;
	enum error_kind kind;
} tag_pages[] = {
	{{OK_JSON "\r\n{\"name\":\"app\",\"tags\":[\"a\",\"b\"]}"}, {FIRST}, "a b ", ERROR_NONE},
	{{OK_JSON "\r\n{\"name\":\"app\",\"tags\":null}"}, {FIRST}, "", ERROR_NONE},
	/* Relative, absolute, opaque; a page that is short or empty isn't the last. */
	{{OK_JSON "Link: </v2/app/tags/list?n=2&last=b>; "
		  "rel=\"next\"\r\n\r\n{\"tags\":[\"a\",\"b\"]}",
		 OK_JSON "Link: <http://127.0.0.1:@PORT@/v2/app/tags/list?next_page=gAAA%3D>; "
			 "rel=\"next\"\r\n\r\n{\"tags\":[]}",
		 OK_JSON "Link: <?last=c>; rel=next\r\n\r\n{\"tags\":[\"c\"]}",
		 OK_JSON "\r\n{\"tags\":[\"d\"]}"},
		{FIRST, TAGS "n=2&last=b ", TAGS "next_page=gAAA%3D ", TAGS "last=c "}, "a b c d ",
		ERROR_NONE},
	/* A Link whose path is the registry's behind its proxy. */
	{{OK_JSON "Link: </v2/tags/list?last=a>; rel=next\r\n\r\n{\"tags\":[\"a\"]}", NOT_FOUND,
		 OK_JSON "\r\n{\"tags\":[\"b\"]}"},
		{FIRST, "GET /v2/tags/list?last=a ", TAGS "last=a "}, "a b ", ERROR_NONE},
	{{OK_JSON "Link: <?last=a>; rel=next\r\n\r\n{\"tags\":[\"a\"]}", NOT_FOUND},
		{FIRST, TAGS "last=a "}, "a ", ERROR_NOT_FOUND},
	{{OK_JSON "Link: <http://localhost:@PORT@/x>; rel=next\r\n\r\n{\"tags\":[\"a\"]}"}, {FIRST},
		NULL, ERROR_PROTOCOL},
	{{OK_JSON "Link: <https://127.0.0.1:@PORT@/x>; rel=next\r\n\r\n{\"tags\":[\"a\"]}"},
		{FIRST}, NULL, ERROR_PROTOCOL},
	{{OK_JSON "Link: <ftp://127.0.0.1/x>; rel=next\r\n\r\n{\"tags\":[\"a\"]}"}, {FIRST}, NULL,
		ERROR_PROTOCOL},
	/* Round in a circle of one, and of three. */
	{{OK_JSON "Link: <?n=1000>; rel=next\r\n\r\n{\"tags\":[\"a\"]}"}, {FIRST}, NULL,
		ERROR_PROTOCOL},
	{{OK_JSON "\r\n<html>"}, {FIRST}, "", ERROR_CORRUPT},
	{{OK_JSON "Content-Length: 99999999\r\n\r\n{"}, {FIRST}, "", ERROR_TOO_LARGE},
	{{NOT_FOUND}, {FIRST}, "", ERROR_NOT_FOUND},
	{{"HTTP/1.1 401 U\r\n" EMPTY}, {FIRST}, "", ERROR_DENIED},
};

START_TEST(tags_are_listed)
{
	struct collected collected = {.text = ""};
	struct fixture fixture;
	int failed;

	fixture_open(&fixture, tag_pages[_i].answers);
	failed = fixture.store->ops->tags(fixture.store, collect, &collected, NULL, &fixture.err);
	ck_assert_msg(fixture.err.kind == tag_pages[_i].kind, "%s", fixture.err.message);
	ck_assert_int_eq(failed, tag_pages[_i].kind ? -1 : 0);
	if (tag_pages[_i].tags)
		ck_assert_str_eq(collected.text, tag_pages[_i].tags);
	assert_requests(&fixture, tag_pages[_i].requests);
	fixture_close(&fixture);
}
END_TEST

static const char *circle(void *context, const char *head, int index)
{
	static const char *const pages[] = {
		OK_JSON "Link: <?p=2>; rel=next\r\n\r\n{\"tags\":[\"a\"]}",
		OK_JSON "Link: <?p=3>; rel=next\r\n\r\n{\"tags\":[\"b\"]}",
		OK_JSON "Link: <?p=4>; rel=next\r\n\r\n{\"tags\":[\"c\"]}",
	};

	(void)context;
	(void)head;
	return index == 0 ? pages[0] : pages[index % 3];
}

/* Pages 1, 2, 3, 4, and then 2, 3, 4 again and again. */
START_TEST(circle_of_pages_ends)
{
	struct fixture fixture = {.err = ERROR_INIT};
	struct collected collected = {.text = ""};

	fixture.server = fake_server_start(circle, NULL);
	fixture.store = open_at(fake_server_port(fixture.server), "app", NULL, NULL);
	ck_assert_int_eq(
		fixture.store->ops->tags(fixture.store, collect, &collected, NULL, &fixture.err),
		-1);
	ck_assert_msg(strstr(fixture.err.message, "circle") != NULL, "%s", fixture.err.message);
	ck_assert_int_lt(fake_server_count(fixture.server), 16);
	fixture.store->ops->close(fixture.store);
	fake_server_stop(fixture.server);
}
END_TEST

START_TEST(listing_can_be_stopped)
{
	const char *const answers[] = {OK_JSON "\r\n{\"tags\":[\"a\",\"b\",\"c\"]}", NULL};
	struct collected collected = {.text = "", .stop_at = 1};
	struct fixture fixture;

	fixture_open(&fixture, answers);
	ck_assert_int_eq(
		fixture.store->ops->tags(fixture.store, collect, &collected, NULL, &fixture.err),
		-1);
	ck_assert_int_eq(fixture.err.kind, ERROR_INTERRUPTED);
	ck_assert_str_eq(collected.text, "a ");
	fixture_close(&fixture);
}
END_TEST

static int count_lines(struct log *log, const char *text)
{
	cleanup_with(buf_free) struct buf lines = BUF_INIT(BUF_UNBOUNDED);
	int count = 0;

	ck_assert_int_eq(log_read(log, &lines), 0);
	for (const char *at = lines.data; at && (at = strstr(at, text)); at++)
		count++;
	return count;
}

START_TEST(warnings_are_told_once)
{
	static const char answer[] = OK_JSON
		"Warning: 299 - \"this registry ends soon\", 299 - \"http://h/?token=secret\"\r\n"
		"Warning: 299 - \"and \\\"more\\\"\"\r\nWarning: 110 - \"stale\"\r\n\r\n"
		"{\"tags\":[]}";
	const char *const answers[] = {answer, NULL};
	struct collected collected = {.text = ""};
	struct fixture fixture;

	fixture_open(&fixture, answers);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(fixture.store->ops->tags(
					 fixture.store, collect, &collected, NULL, &fixture.err),
			0);
	ck_assert_int_eq(count_lines(fixture.log, "warns: this registry ends soon"), 1);
	ck_assert_int_eq(count_lines(fixture.log, "warns: and \"more\""), 1);
	ck_assert_int_eq(count_lines(fixture.log, "warns:"), 3);
	ck_assert_int_eq(count_lines(fixture.log, "secret"), 0);
	fixture_close(&fixture);
}
END_TEST

static int ignore(void *context, uint64_t offset, const void *bytes, size_t len, struct error *err)
{
	(void)offset;
	(void)bytes;
	(void)err;
	*(size_t *)context += len;
	return 0;
}

/* A signed URL that has expired is asked for again where it was given out, once. */
START_TEST(expired_place_is_asked_for_again)
{
	static const char sent[] =
		"HTTP/1.1 307 T\r\nLocation: http://localhost:@PORT@/signed\r\n" EMPTY;
	static const char forbidden[] = "HTTP/1.1 403 F\r\n" EMPTY;
	const char *const good[] = {
		sent, forbidden, sent, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", NULL};
	const char *const bad[] = {sent, forbidden, sent, forbidden, NULL};
	size_t got = 0;
	struct store_sink sink = {.write = ignore, .context = &got};
	struct digest digest;
	struct fixture fixture;

	ck_assert(digest_parse(&digest, SUBJECT));
	fixture_open_retrying(&fixture, good, 1);
	ck_assert_msg(fixture.store->ops->blob_get(
			      fixture.store, &digest, 5, 0, 5, &sink, NULL, &fixture.err) == 0,
		"%s", fixture.err.message);
	ck_assert_uint_eq(got, 5);
	ck_assert_int_eq(fake_server_count(fixture.server), 4);
	fixture_close(&fixture);
	fixture_open_retrying(&fixture, bad, 1);
	ck_assert_int_eq(fixture.store->ops->blob_get(
				 fixture.store, &digest, 5, 0, 5, &sink, NULL, &fixture.err),
		-1);
	ck_assert_int_eq(fixture.err.kind, ERROR_DENIED);
	ck_assert_int_eq(fake_server_count(fixture.server), 4);
	fixture_close(&fixture);
}
END_TEST

/* Debian's registry, which has no Referrers API: from here on. */
static struct registry_process registry;

static void registry_start(void)
{
	registry_process_start(&registry, false, false);
}

static void registry_stop(void)
{
	registry_process_stop(&registry);
}

static void put_text(struct store *store, const char *text, struct digest *digest)
{
	cleanup_close int fd = memfd_create("text", MFD_CLOEXEC);
	struct store_source source = {.fd = fd, .size = (int64_t)strlen(text)};
	struct error err = ERROR_INIT;

	ck_assert_int_eq(pwrite(fd, text, strlen(text), 0), source.size);
	digest_of_bytes(digest, text, strlen(text));
	ck_assert_msg(
		store->ops->blob_put(store, digest, &source, NULL, &err) == 0, "%s", err.message);
}

static void put_index(struct store *store, const char *json, const char *tag, struct document *out)
{
	struct error err = ERROR_INIT;

	ck_assert_int_eq(document_parse(out, NULL, json, strlen(json), &err), 0);
	ck_assert_msg(store->ops->document_put(store, out, tag, NULL, NULL, &err) == 0, "%s",
		err.message);
}

START_TEST(real_registry_keeps_referrers_under_a_tag)
{
	struct store *store = open_at(registry.port, "team/app", NULL, NULL);
	struct document subject, artifact, list = DOCUMENT_INIT;
	struct collected tags = {.text = ""};
	struct error err = ERROR_INIT;
	long mark = registry_process_mark(&registry);
	char json[1024], tag[160];

	put_index(store, LIST(""), "v1", &subject);
	for (int i = 0; i < 3; i++) {
		snprintf(json, sizeof(json),
			"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX
			"\",\"artifactType\":\"type/"
			"%d\",\"manifests\":[],\"subject\":{\"mediaType\":"
			"\"" MEDIA_TYPE_INDEX "\",\"digest\":\"%s\",\"size\":%zu}}",
			i % 2, subject.digest.text, subject.json_len);
		put_index(store, json, NULL, &artifact);
		document_clear(&artifact);
	}
	ck_assert_int_eq(store->ops->referrers(store, &list, &subject.digest, NULL, NULL, &err), 0);
	ck_assert_uint_eq(list.count, 2); /* the third was the first again */
	document_clear(&list);
	ck_assert_int_eq(
		store->ops->referrers(store, &list, &subject.digest, "type/1", NULL, &err), 0);
	ck_assert_uint_eq(list.count, 1);
	document_clear(&list);
	snprintf(tag, sizeof(tag), "\"PUT /v2/team/app/manifests/sha256-%s",
		digest_encoded(&subject.digest));
	ck_assert_int_eq(registry_process_logged(&registry, mark, tag), 2);
	ck_assert_int_eq(
		registry_process_logged(&registry, mark, "GET /v2/team/app/referrers/"), 1);
	ck_assert_int_eq(store->ops->tags(store, collect, &tags, NULL, &err), 0);
	ck_assert_uint_eq(tags.count, 2);
	ck_assert_ptr_nonnull(strstr(tags.text, "v1 "));
	document_clear(&subject);
	store->ops->close(store);
}
END_TEST

START_TEST(real_registry_mounts_across_repositories)
{
	struct error err = ERROR_INIT;
	struct store_hosts *hosts;
	struct store *one, *two;
	struct digest digest;
	char post[256];
	bool exists = false;
	long mark;

	ck_assert_int_eq(store_hosts_new(&hosts, NULL, &err), 0);
	one = open_at(registry.port, "team/one", hosts, NULL);
	two = open_at(registry.port, "team/two", hosts, NULL);
	put_text(one, "a blob to share", &digest);
	mark = registry_process_mark(&registry);
	put_text(two, "a blob to share", &digest);
	snprintf(post, sizeof(post),
		"\"POST /v2/team/two/blobs/uploads/?mount=%s&from=team%%2Fone HTTP/1.1\" 201",
		digest.text);
	ck_assert_int_eq(registry_process_logged(&registry, mark, post), 1);
	ck_assert_int_eq(registry_process_logged(&registry, mark, "\"POST "), 1);
	ck_assert_int_eq(registry_process_logged(&registry, mark, "\"PUT "), 0);
	ck_assert_int_eq(two->ops->blob_exists(two, &exists, &digest, 15, NULL, &err), 0);
	ck_assert(exists);
	one->ops->close(one);
	two->ops->close(two);
	store_hosts_free(hosts);
}
END_TEST

START_TEST(real_registry_lists_many_tags)
{
	struct store *store = open_at(registry.port, "team/many", NULL, NULL);
	struct collected tags = {.text = ""};
	struct error err = ERROR_INIT;
	struct document index;
	char tag[16];

	for (int i = 0; i < 25; i++) {
		snprintf(tag, sizeof(tag), "v%d", i);
		put_index(store, LIST(""), tag, &index);
		document_clear(&index);
	}
	ck_assert_int_eq(store->ops->tags(store, collect, &tags, NULL, &err), 0);
	ck_assert_uint_eq(tags.count, 25);
	store->ops->close(store);
	store = open_at(registry.port, "team/none", NULL, NULL);
	ck_assert_int_eq(store->ops->tags(store, collect, &tags, NULL, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
	store->ops->close(store);
}
END_TEST

#define LOOP(tcase, test, table)                                                                   \
	tcase_add_loop_test(tcase, test, 0, (int)(sizeof(table) / sizeof(*(table))))

int main(void)
{
	Suite *suite = suite_create("remote_referrers");
	TCase *fake = tcase_create("fake");
	TCase *real = tcase_create("real");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(fake, 30);
	tcase_set_timeout(real, 60);
	LOOP(fake, referrers_are_listed, lists);
	LOOP(fake, document_enters_the_list_of_its_subject, entries);
	tcase_add_test(fake, list_of_others_is_kept);
	LOOP(fake, tags_are_listed, tag_pages);
	tcase_add_test(fake, circle_of_pages_ends);
	tcase_add_test(fake, listing_can_be_stopped);
	tcase_add_test(fake, warnings_are_told_once);
	tcase_add_test(fake, expired_place_is_asked_for_again);
	tcase_add_unchecked_fixture(real, registry_start, registry_stop);
	tcase_add_test(real, real_registry_keeps_referrers_under_a_tag);
	tcase_add_test(real, real_registry_mounts_across_repositories);
	tcase_add_test(real, real_registry_lists_many_tags);
	suite_add_tcase(suite, fake);
	if (registry_process_possible())
		suite_add_tcase(suite, real);
	else
		fprintf(stderr, "skipped in part: there is no docker-registry\n");
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
