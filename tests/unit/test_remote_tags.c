/* What is asked of a tag, and what its changes are bound to, against answers of all sorts. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_server.h"
#include "media_type.h"
#include "registry/remote/remote.h"

#define INDEX "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX "\",\"manifests\":[]}"
#define OLD "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define OTHER "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define STEPS_MAX 8

/* A request that must begin so and have these lines (one that begins with "!" must not be there),
 * and its answer. @ROOT@ is the digest of INDEX. */
struct step {
	const char *request, *has, *answer;
};

#define END "Content-Length: 0\r\n\r\n"
#define AT(digest, more)                                                                           \
	"HTTP/1.1 200 O\r\nContent-Type: " MEDIA_TYPE_INDEX "\r\nDocker-Content-Digest: " digest   \
	"\r\n" more "Content-Length: 7\r\n\r\n"
#define ETAG(digest) "ETag: \"" digest "\"\r\n"
#define HEAD "HEAD /v2/app/manifests/v1 "
#define PUT "PUT /v2/app/manifests/v1 "
#define CREATED "HTTP/1.1 201 C\r\n" END
#define UNMOVED "HTTP/1.1 304 N\r\n\r\n"
#define ABSENT "HTTP/1.1 404 N\r\n" END
#define REFUSED "HTTP/1.1 412 P\r\n" END
#define UNKNOWN                                                                                    \
	"HTTP/1.1 400 B\r\nContent-Length: 45\r\n\r\n{\"errors\":[{\"code\":\"MANIFEST_BLOB_"      \
	"UNKNOWN\"}]}"
#define IMMUTABLE "HTTP/1.1 412 P\r\nContent-Length: 20\r\n\r\nconfigured immutable"

struct story {
	const char *what;
	const char *ask; /* one letter each: r resolve, p put with the digest of the last resolve, n
			    put where there is no tag, u put whatever the tag names */
	struct step steps[STEPS_MAX];
	enum error_kind kind; /* of the last */
	const char *found; /* what the last resolve gave */
};

static const struct story stories[] = {
	{"a tag that hasn't moved", "rr",
		{{HEAD, "!If-None-Match", AT(OLD, ETAG(OLD))},
			{HEAD, "If-None-Match: \"" OLD "\"\r\n", UNMOVED}},
		ERROR_NONE, OLD},
	{"one that has", "rrr",
		{{HEAD, "!If-None-Match", AT(OLD, ETAG(OLD))},
			{HEAD, "If-None-Match: \"" OLD "\"\r\n", AT(OTHER, ETAG(OTHER))},
			{HEAD, "If-None-Match: \"" OTHER "\"\r\n", UNMOVED}},
		ERROR_NONE, OTHER},
	{"an ETag that may say anything", "rr",
		{{HEAD, "!If-None-Match", AT(OLD, "ETag: W/\"1\"\r\n")},
			{HEAD, "!If-None-Match", AT(OTHER, "ETag: W/\"1\"\r\n")}},
		ERROR_NONE, OTHER},
	{"no ETag any more", "rrr",
		{{HEAD, "!If-None-Match", AT(OLD, ETAG(OLD))},
			{HEAD, "If-None-Match", AT(OTHER, "")},
			{HEAD, "!If-None-Match", AT(OLD, "")}},
		ERROR_NONE, OLD},
	{"not modified, but another digest", "rr",
		{{HEAD, "!If-None-Match", AT(OLD, ETAG(OLD))},
			{HEAD, "If-None-Match",
				"HTTP/1.1 304 N\r\nDocker-Content-Digest: " OTHER "\r\n\r\n"}},
		ERROR_CORRUPT, OLD},
	{"not modified, which nobody asked", "r", {{HEAD, "!If-None-Match", UNMOVED}},
		ERROR_PROTOCOL, ""},

	{"a push bound to the ETag", "rp",
		{{HEAD, "", AT(OLD, ETAG(OLD))}, {PUT, "If-Match: \"" OLD "\"\r\n", CREATED}},
		ERROR_NONE, OLD},
	{"to any ETag", "rp",
		{{HEAD, "", AT(OLD, "ETag: \"7\"\r\n")}, {PUT, "If-Match: \"7\"\r\n", CREATED}},
		ERROR_NONE, OLD},
	{"to none where the host has none", "rp",
		{{HEAD, "", AT(OLD, "")}, {PUT, "!If-Match", CREATED}}, ERROR_NONE, OLD},
	{"to none where nobody asks for it", "ru",
		{{HEAD, "", AT(OLD, ETAG(OLD))}, {PUT, "!If-", CREATED}}, ERROR_NONE, OLD},
	{"to the tag's absence", "n", {{PUT, "If-None-Match: *\r\n", CREATED}}, ERROR_NONE, ""},
	{"a tag that has moved meanwhile", "rp",
		{{HEAD, "", AT(OLD, ETAG(OLD))}, {PUT, "If-Match", REFUSED},
			{HEAD, "", AT(OTHER, ETAG(OTHER))}},
		ERROR_CONFLICT, OLD},
	{"a tag that was removed meanwhile", "rp",
		{{HEAD, "", AT(OLD, ETAG(OLD))}, {PUT, "If-Match", REFUSED}, {HEAD, "", ABSENT}},
		ERROR_CONFLICT, OLD},
	{"a tag that somebody has made meanwhile", "n",
		{{PUT, "If-None-Match: *", REFUSED}, {HEAD, "", AT(OTHER, "")}}, ERROR_CONFLICT,
		""},
	{"our own push, whose answer was lost", "rp",
		{{HEAD, "", AT(OLD, ETAG(OLD))}, {PUT, "If-Match", REFUSED},
			{HEAD, "", AT("@ROOT@", ETAG("@ROOT@"))}},
		ERROR_NONE, OLD},
	{"a host that refuses a condition that holds is asked without, and never again", "rprp",
		{{HEAD, "", AT(OLD, ETAG(OLD))}, {PUT, "If-Match", REFUSED}, {HEAD, "", UNMOVED},
			{PUT, "!If-Match", CREATED}, {HEAD, "", AT(OLD, ETAG(OLD))},
			{PUT, "!If-Match", CREATED}},
		ERROR_NONE, OLD},
	{"the same for a tag that isn't there", "nn",
		{{PUT, "If-None-Match: *", REFUSED}, {HEAD, "", ABSENT},
			{PUT, "!If-None-Match", CREATED}, {PUT, "!If-None-Match", CREATED}},
		ERROR_NONE, ""},
	{"412 of a host whose tags are immutable", "rp",
		{{HEAD, "", AT(OLD, ETAG(OLD))}, {PUT, "If-Match", IMMUTABLE}}, ERROR_IMMUTABLE,
		OLD},
	{"what it has isn't known for a moment", "u",
		{{PUT, "", UNKNOWN}, {PUT, "", UNKNOWN}, {PUT, "", CREATED}}, ERROR_NONE, ""},
	{"what it hasn't", "u",
		{{PUT, "", UNKNOWN}, {PUT, "", UNKNOWN}, {PUT, "", UNKNOWN}, {PUT, "", UNKNOWN},
			{PUT, "", UNKNOWN}, {PUT, "", UNKNOWN}},
		ERROR_NOT_FOUND, ""},
	{"412 to a push that had no condition", "ru",
		{{HEAD, "", AT(OLD, ETAG(OLD))}, {PUT, "!If-", REFUSED}}, ERROR_CONFLICT, OLD},
	{"the tag can't be asked after a 412", "rp",
		{{HEAD, "", AT(OLD, ETAG(OLD))}, {PUT, "If-Match", REFUSED},
			{HEAD, "", "HTTP/1.1 403 F\r\n" END}},
		ERROR_DENIED, OLD},
};

/* The text with the digest of the document that is put in the place of @ROOT@. */
static char *with_root(const char *text, const struct document *root)
{
	const char *rest = text, *at;
	char *out = calloc(1, strlen(text) + (size_t)4 * DIGEST_TEXT_SIZE);

	while ((at = strstr(rest, "@ROOT@"))) {
		strncat(out, rest, (size_t)(at - rest));
		strcat(out, root->digest.text);
		rest = at + strlen("@ROOT@");
	}
	return strcat(out, rest);
}

static struct store *open_store(struct fake_server *server)
{
	struct store_options options = STORE_OPTIONS_DEFAULT;
	struct reference reference = {.transport = REFERENCE_REGISTRY, .path = (char[]){"app"}};
	struct error err = ERROR_INIT;
	struct store *store;
	char host[64];

	options.retries = 0;
	snprintf(host, sizeof(host), "127.0.0.1:%d", fake_server_port(server));
	reference.host = host;
	ck_assert_msg(
		remote_open(&store, &reference, &options, NULL, &err) == 0, "%s", err.message);
	return store;
}

static enum error_kind ask(
	struct store *store, char letter, const struct document *root, struct digest *last)
{
	struct descriptor now = DESCRIPTOR_INIT;
	struct error err = ERROR_INIT;
	const struct digest none = DIGEST_NONE;

	if (letter == 'r') {
		if (store->ops->resolve(store, &now, "v1", NULL, &err) == 0)
			*last = now.digest;
		descriptor_clear(&now);
	} else {
		const struct digest *expected = letter == 'p' ? last : letter == 'n' ? &none : NULL;

		store->ops->document_put(store, root, "v1", expected, NULL, &err);
	}
	return err.kind;
}

static void assert_step(struct fake_server *server, int i, const struct step *step)
{
	const char *head = fake_server_head(server, i);
	bool absent = *step->has == '!';

	ck_assert_msg(strncmp(head, step->request, strlen(step->request)) == 0, "request %d is %s",
		i, head);
	ck_assert_msg((strstr(head, step->has + absent) != NULL) != absent || !*step->has,
		"request %d, %s: %s", i, step->has, head);
}

START_TEST(tags_are_asked_and_moved)
{
	const struct story *story = &stories[_i];
	struct document root = DOCUMENT_INIT;
	char *answers[STEPS_MAX + 1] = {NULL};
	struct digest last = DIGEST_NONE;
	enum error_kind kind = ERROR_NONE;
	struct fake_server *server;
	struct store *store;
	int count = 0;

	ck_assert_int_eq(document_parse(&root, NULL, INDEX, strlen(INDEX), NULL), 0);
	for (; count < STEPS_MAX && story->steps[count].request; count++)
		answers[count] = with_root(story->steps[count].answer, &root);
	server = fake_server_play((const char *const *)answers);
	store = open_store(server);
	for (const char *letter = story->ask; *letter; letter++) {
		ck_assert_msg(kind == ERROR_NONE, "%s: too soon", story->what);
		kind = ask(store, *letter, &root, &last);
	}
	ck_assert_msg(kind == story->kind, "%s: %s", story->what, error_kind_name(kind));
	ck_assert_str_eq(last.text, story->found);
	ck_assert_msg(fake_server_count(server) == count, "%s: %d requests", story->what,
		fake_server_count(server));
	for (int i = 0; i < count; i++)
		assert_step(server, i, &story->steps[i]);
	store_close(store);
	fake_server_stop(server);
	for (int i = 0; i < count; i++)
		free(answers[i]);
	document_clear(&root);
}
END_TEST

/* What a tag names is forgotten by the ETag's absence and by newer ones, and never another's. */
START_TEST(tags_are_told_apart)
{
	static const char *const answers[] = {
		AT(OLD, ETAG(OLD)), AT(OTHER, ETAG(OTHER)), UNMOVED, UNMOVED, NULL};
	static const char *const tags[] = {"a", "b", "a", "b"};
	struct fake_server *server = fake_server_play(answers);
	struct store *store = open_store(server);

	for (int i = 0; i < 4; i++) {
		struct descriptor now = DESCRIPTOR_INIT;

		ck_assert_int_eq(store->ops->resolve(store, &now, tags[i], NULL, NULL), 0);
		ck_assert_str_eq(now.digest.text, i % 2 ? OTHER : OLD);
		ck_assert_str_eq(now.media_type, MEDIA_TYPE_INDEX);
		ck_assert_int_eq(now.size, 7);
		descriptor_clear(&now);
	}
	store_close(store);
	fake_server_stop(server);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("remote tags");
	TCase *tcase = tcase_create("tags");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(
		tcase, tags_are_asked_and_moved, 0, (int)(sizeof(stories) / sizeof(*stories)));
	tcase_add_test(tcase, tags_are_told_apart);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
