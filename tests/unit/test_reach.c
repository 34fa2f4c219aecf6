#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "media_type.h"
#include "patience.h"
#include "registry/remote/certs.h"
#include "registry/remote/config.h"
#include "registry/remote/remote.h"
#include "registry_process.h"

#define PATH_SIZE 512
#define JSON                                                                                       \
	"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX "\",\"manifests\":[],"            \
	"\"annotations\":{\"n\":\"%d\"}}"

/* A home of the test's own, where it says how registries are reached. */
static char home[PATH_SIZE];

static void home_make(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(home, sizeof(home), "%.200s/indexfs-test-XXXXXX", base ? base : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(home));
	setenv("HOME", home, 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_RUNTIME_DIR");
	unsetenv("CONTAINERS_REGISTRIES_CONF");
	unsetenv("SSL_CERT_FILE");
}

static void home_remove(void)
{
	ck_assert(shell_run("rm -rf \"$1\"", home));
}

static void put_file(const char *name, const char *text)
{
	char path[2 * PATH_SIZE];
	char folder[2 * PATH_SIZE];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", home, name);
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	ck_assert(shell_run("mkdir -p \"$1\"", folder));
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

static void put_conf(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void put_conf(const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put_file(".config/containers/registries.conf", text);
}

/* What a file says of the registry "r", by the location that stands in it. */
static void put_location(const char *name, const char *location)
{
	char text[256];

	snprintf(text, sizeof(text), "[[registry]]\nprefix='r'\nlocation='%s'\n", location);
	put_file(name, text);
}

static int read_conf(struct registries_conf *conf, struct error *err)
{
	struct config_places places;
	char system[PATH_SIZE + 8];
	int failed;

	snprintf(system, sizeof(system), "%s/etc", home);
	failed = config_places_find(&places, system, err);
	*conf = (struct registries_conf)REGISTRIES_CONF_INIT;
	if (!failed)
		failed = config_registries(conf, &places, err);
	config_places_clear(&places);
	return failed;
}

static void assert_location(const char *expected)
{
	struct registries_conf conf;
	struct error err = ERROR_INIT;
	const struct registries_entry *entry;
	size_t matched;

	ck_assert_msg(read_conf(&conf, &err) == 0, "%s", err.message);
	entry = registries_conf_find(&conf, "r/app", &matched);
	ck_assert_int_eq(entry != NULL, expected != NULL);
	if (entry)
		ck_assert_str_eq(entry->location, expected);
	registries_conf_clear(&conf);
}

START_TEST(files_are_found_in_their_order)
{
	char path[PATH_SIZE + 16];

	assert_location(NULL);
	put_location("etc/containers/registries.conf", "system");
	assert_location("system");
	put_location("etc/containers/registries.conf.d/b.conf", "second");
	put_location("etc/containers/registries.conf.d/a.conf", "first");
	put_location("etc/containers/registries.conf.d/c.conf~", "left over");
	assert_location("second");
	put_location(".config/containers/registries.conf", "user");
	assert_location("second");
	put_location(".config/containers/registries.conf.d/a.conf", "first of user");
	assert_location("first of user");
	put_location("xdg/containers/registries.conf.d/a.conf", "xdg");
	snprintf(path, sizeof(path), "%s/xdg", home);
	setenv("XDG_CONFIG_HOME", path, 1);
	assert_location("xdg");
	put_location("alone.conf", "alone");
	snprintf(path, sizeof(path), "%s/alone.conf", home);
	setenv("CONTAINERS_REGISTRIES_CONF", path, 1);
	assert_location("alone");
}
END_TEST

START_TEST(a_file_that_cant_be_used_is_named)
{
	struct registries_conf conf;
	struct error err = ERROR_INIT;

	put_file(".config/containers/registries.conf.d/x.conf", "\n[[registry]\n");
	ck_assert_int_eq(read_conf(&conf, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.message, "/registries.conf.d/x.conf: line 2: "));
	registries_conf_clear(&conf);
	error_clear(&err);
	setenv("CONTAINERS_REGISTRIES_CONF", "/nowhere/x", 1);
	ck_assert_int_eq(read_conf(&conf, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "/nowhere/x"));
	registries_conf_clear(&conf);
	setenv("CONTAINERS_REGISTRIES_CONF", "/dev/null", 1);
	ck_assert_int_eq(read_conf(&conf, &err), 0);
	registries_conf_clear(&conf);
}
END_TEST

static int find_certs(struct certs *certs, const char *host, struct error *err)
{
	struct config_places places;
	char system[PATH_SIZE + 8];
	int failed;

	snprintf(system, sizeof(system), "%s/etc", home);
	failed = config_places_find(&places, system, err);
	if (!failed)
		failed = certs_find(certs, &places, host, NULL, err);
	config_places_clear(&places);
	return failed;
}

#define PEM(text) "-----BEGIN CERTIFICATE-----\n" text "\n"

START_TEST(certificates_are_found_in_their_order)
{
	struct certs certs = CERTS_INIT;
	struct error err = ERROR_INIT;

	ck_assert_int_eq(find_certs(&certs, "h:5000", &err), 0);
	ck_assert(!certs.folder && !certs.cert && !certs.authorities.len);
	put_file("etc/docker/certs.d/h:5000/ca.crt", PEM("docker"));
	put_file("etc/docker/certs.d/h/ca.crt", PEM("another host"));
	ck_assert_int_eq(find_certs(&certs, "h:5000", &err), 0);
	ck_assert_str_eq(certs.authorities.data, PEM("docker") "\n");
	certs_clear(&certs);
	put_file("etc/containers/certs.d/h:5000/b.crt", PEM("b"));
	put_file("etc/containers/certs.d/h:5000/a.crt", PEM("a"));
	put_file("etc/containers/certs.d/h:5000/me.cert", "c");
	put_file("etc/containers/certs.d/h:5000/me.key", "k");
	put_file("etc/containers/certs.d/h:5000/you.cert", "c");
	put_file("etc/containers/certs.d/h:5000/you.key", "k");
	ck_assert_int_eq(find_certs(&certs, "h:5000", &err), 0);
	ck_assert_str_eq(certs.authorities.data, PEM("a") "\n" PEM("b") "\n");
	ck_assert_str_eq(strrchr(certs.cert, '/'), "/me.cert");
	ck_assert_str_eq(strrchr(certs.key, '/'), "/me.key");
	certs_clear(&certs);
	put_file(".config/containers/certs.d/h:5000/README", "");
	ck_assert_int_eq(find_certs(&certs, "h:5000", &err), 0);
	ck_assert(certs.folder && !certs.cert && !certs.authorities.len);
	certs_clear(&certs);
}
END_TEST

static const struct {
	const char *file, *text, *message;
} half_certs[] = {
	{"me.cert", "c", "/certs.d/h/me.cert: its key is missing: "},
	{"me.key", "k", "/certs.d/h/me.key: its certificate is missing: "},
	{"ca.crt", "not PEM", "/certs.d/h/ca.crt: it is no certificate"},
	{"ca.crt", "", "/certs.d/h/ca.crt: it is no certificate"},
};

START_TEST(half_a_certificate_is_named)
{
	struct certs certs = CERTS_INIT;
	struct error err = ERROR_INIT;
	char name[128];

	snprintf(name, sizeof(name), ".config/containers/certs.d/h/%s", half_certs[_i].file);
	put_file(name, half_certs[_i].text);
	ck_assert_int_eq(find_certs(&certs, "h", &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	ck_assert_msg(strstr(err.message, half_certs[_i].message) != NULL, "%s", err.message);
	certs_clear(&certs);
}
END_TEST

/* Three registries, made before the tests are forked: two without TLS and one with. */
static struct registry_process own, mirror, tls;

static void registries_start(void)
{
	registry_process_start(&own, false, false);
	registry_process_start(&mirror, false, false);
	registry_process_start(&tls, true, false);
}

static void registries_stop(void)
{
	registry_process_stop(&own);
	registry_process_stop(&mirror);
	registry_process_stop(&tls);
}

static int store_try(struct store **out, const char *name, const struct store_options *options,
	struct error *err)
{
	struct reference reference;
	int failed = reference_parse(&reference, name, err);

	*out = NULL;
	if (!failed)
		failed = remote_open(out, &reference, options, NULL, err);
	reference_clear(&reference);
	return failed;
}

static struct store_options options_default(void)
{
	struct store_options options = STORE_OPTIONS_DEFAULT;

	options.timeout = AMPLE_TIMEOUT;
	return options;
}

/* With a store of "HOST/team/app" as the options say; only_reads for the mirrors' tags. */
static struct store *store_of(const char *host, bool only_reads)
{
	struct store_options options = options_default();
	struct error err = ERROR_INIT;
	struct store *store;
	char name[128];

	options.only_reads = only_reads;
	snprintf(name, sizeof(name), "%s/team/app", host);
	ck_assert_msg(store_try(&store, name, &options, &err) == 0, "%s", err.message);
	return store;
}

static struct store *store_at(const struct registry_process *registry)
{
	char host[64];

	snprintf(host, sizeof(host), "127.0.0.1:%d", registry->port);
	return store_of(host, false);
}

/* An index that differs by its number. */
static void index_make(struct document *out, int number)
{
	struct error err = ERROR_INIT;
	char json[512];

	snprintf(json, sizeof(json), JSON, number);
	ck_assert_msg(document_parse(out, MEDIA_TYPE_INDEX, json, strlen(json), &err) == 0, "%s",
		err.message);
}

static void tag_put(struct store *store, const char *tag, int number)
{
	cleanup_with(document_clear) struct document document = DOCUMENT_INIT;
	struct error err = ERROR_INIT;

	index_make(&document, number);
	ck_assert_msg(store->ops->document_put(store, &document, tag, NULL, NULL, &err) == 0, "%s",
		err.message);
}

static int tag_get(struct store *store, const char *tag, struct error *err)
{
	cleanup_with(document_clear) struct document document = DOCUMENT_INIT;
	const char *at;

	if (store->ops->document_get(store, &document, tag, NULL, NULL, NULL, err))
		return -1;
	at = strstr(document.json, "\"n\":\"");
	return at ? (int)strtol(at + 5, NULL, 10) : -1;
}

static int digest_get(struct store *store, int number, struct error *err)
{
	cleanup_with(document_clear) struct document wanted = DOCUMENT_INIT;
	cleanup_with(document_clear) struct document got = DOCUMENT_INIT;

	index_make(&wanted, number);
	return store->ops->document_get(store, &got, NULL, &wanted.digest, NULL, NULL, err);
}

static void setup(void)
{
	home_make();
}

static void store_done(struct store *store)
{
	store->ops->close(store);
}

START_TEST(a_blocked_registry_says_where_it_is_blocked)
{
	struct store_options options = options_default();
	struct error err = ERROR_INIT;
	struct store *store;

	put_conf("[[registry]]\nprefix='*.bad.example'\nblocked=true\n");
	ck_assert_int_eq(store_try(&store, "very.bad.example/app", &options, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_DENIED);
	ck_assert_ptr_nonnull(strstr(err.message, ".config/containers/registries.conf"));
	ck_assert_ptr_nonnull(strstr(err.message, "*.bad.example is blocked"));
}
END_TEST

static const char *const no_places[] = {"location='a:b:c'", "location='plain/x'",
	"location='h.example/UPPER'", "[[registry.mirror]]\nlocation='h.example:0'",
	"[[registry.mirror]]\nlocation='h.example/x:tag'", "[[registry.mirror]]\nlocation='oci:x'"};

START_TEST(a_place_that_cant_be_is_named)
{
	struct store_options options = options_default();
	struct error err = ERROR_INIT;
	struct store *store;

	put_conf("[[registry]]\nprefix='r.example'\n%s\n", no_places[_i]);
	ck_assert_int_eq(store_try(&store, "r.example/team/app", &options, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	ck_assert_msg(
		strstr(err.message, "/registries.conf: r.example: ") != NULL, "%s", err.message);
}
END_TEST

START_TEST(a_location_takes_the_place_of_its_prefix)
{
	struct error err = ERROR_INIT;
	struct store *store, *there = store_at(&own);

	put_conf(
		"[[registry]]\nprefix='r.example/team'\nlocation='127.0.0.1:%d/other'\n", own.port);
	store = store_of("r.example", false);
	tag_put(store, "moved", 1);
	ck_assert_int_eq(tag_get(store, "moved", &err), 1);
	ck_assert_int_eq(tag_get(there, "moved", &err), -1);
	ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
	ck_assert_int_gt(registry_process_logged(&own, 0, "PUT /v2/other/app/manifests/moved"), 0);
	store_done(store);
	store_done(there);
}
END_TEST

static void put_mirrored(const char *more)
{
	put_conf("[[registry]]\nprefix='r.example'\nlocation='127.0.0.1:%d'\n"
		 "[[registry.mirror]]\nlocation='127.0.0.1:%d'\n%s",
		own.port, mirror.port, more);
}

START_TEST(mirrors_are_read_and_never_written)
{
	struct error err = ERROR_INIT;
	long mark = registry_process_mark(&mirror);
	struct store *store;

	put_mirrored("");
	store = store_of("r.example", false);
	tag_put(store, "mine", 2);
	ck_assert_int_eq(tag_get(store, "mine", &err), 2);
	/* by a tag: not from the mirror, since this store may write */
	ck_assert_int_eq(registry_process_logged(&mirror, mark, "GET /v2/team"), 0);
	ck_assert_int_eq(digest_get(store, 2, &err), 0);
	ck_assert_int_eq(registry_process_logged(&mirror, mark, "GET /v2/team"), 1);
	ck_assert_int_eq(registry_process_logged(&mirror, mark, "PUT /v2/"), 0);
	ck_assert_int_eq(registry_process_logged(&mirror, mark, "POST /v2/"), 0);
	store_done(store);
}
END_TEST

START_TEST(who_only_reads_asks_mirrors_for_tags_first)
{
	struct error err = ERROR_INIT;
	struct store *there = store_at(&own), *copy = store_at(&mirror), *store;

	tag_put(there, "both", 3);
	tag_put(there, "lacking", 4);
	tag_put(copy, "both", 5);
	put_mirrored("");
	store = store_of("r.example", true);
	ck_assert_int_eq(tag_get(store, "both", &err), 5);
	ck_assert_int_eq(tag_get(store, "lacking", &err), 4);
	ck_assert_int_eq(tag_get(store, "nowhere", &err), -1);
	ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
	store_done(store);
	put_mirrored("pull-from-mirror='digest-only'\n");
	store = store_of("r.example", true);
	ck_assert_int_eq(tag_get(store, "both", &err), 3);
	ck_assert_int_eq(digest_get(store, 5, &err), 0);
	store_done(store);
	store_done(there);
	store_done(copy);
}
END_TEST

START_TEST(a_mirror_that_is_down_is_left_alone)
{
	struct error err = ERROR_INIT;
	struct store *there = store_at(&own), *store;

	tag_put(there, "alone", 6);
	put_conf("[[registry]]\nprefix='r.example'\nlocation='127.0.0.1:%d'\n"
		 "[[registry.mirror]]\nlocation='127.0.0.1:1'\n"
		 "[[registry.mirror]]\nlocation='127.0.0.1:2'\ninsecure=true\n"
		 "[[registry.mirror]]\nlocation='no-such-host.invalid'\n",
		own.port);
	store = store_of("r.example", true);
	ck_assert_int_eq(tag_get(store, "alone", &err), 6);
	ck_assert_int_eq(digest_get(store, 6, &err), 0);
	store_done(store);
	store_done(there);
}
END_TEST

struct taking {
	char bytes[64];
	size_t len;
	bool refuse;
};

static int take(void *context, uint64_t offset, const void *bytes, size_t len, struct error *err)
{
	struct taking *taking = context;

	if (taking->refuse)
		return error_set(err, ERROR_QUOTA, "the disk is full");
	ck_assert_uint_eq(offset, taking->len + 1);
	ck_assert_uint_le(taking->len + len, sizeof(taking->bytes));
	memcpy(taking->bytes + taking->len, bytes, len);
	taking->len += len;
	return 0;
}

static void blob_put(struct store *store, const char *text, struct digest *digest)
{
	struct error err = ERROR_INIT;
	struct store_source source = {
		.fd = memfd_create("blob", MFD_CLOEXEC),
		.size = (int64_t)strlen(text),
	};

	ck_assert_int_eq(write(source.fd, text, strlen(text)), source.size);
	digest_of_bytes(digest, text, strlen(text));
	ck_assert_msg(
		store->ops->blob_put(store, digest, &source, NULL, &err) == 0, "%s", err.message);
	close(source.fd);
}

START_TEST(blobs_come_from_mirrors_in_ranges)
{
	struct error err = ERROR_INIT;
	struct store *there = store_at(&own), *copy = store_at(&mirror), *store;
	struct taking taking = {.len = 0};
	const struct store_sink sink = {.write = take, .context = &taking};
	struct digest both, one;
	long mark;
	bool exists;

	blob_put(there, "a blob at both", &both);
	blob_put(copy, "a blob at both", &both);
	blob_put(there, "a blob at one", &one);
	put_mirrored("");
	store = store_of("r.example", false);
	mark = registry_process_mark(&own);
	ck_assert_int_eq(store->ops->blob_get(store, &both, 14, 1, 5, &sink, NULL, &err), 0);
	ck_assert_int_eq(taking.len, 5);
	ck_assert_int_eq(memcmp(taking.bytes, " blob", 5), 0);
	ck_assert_int_eq(registry_process_logged(&own, mark, "GET /v2/team"), 0);
	taking.len = 0;
	ck_assert_int_eq(store->ops->blob_get(store, &one, 13, 1, 12, &sink, NULL, &err), 0);
	ck_assert_int_eq(memcmp(taking.bytes, " blob at one", 12), 0);
	/* a disk that is full isn't the mirror's fault */
	taking.refuse = true;
	mark = registry_process_mark(&own);
	ck_assert_int_eq(store->ops->blob_get(store, &both, 14, 1, 5, &sink, NULL, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_QUOTA);
	ck_assert_int_eq(registry_process_logged(&own, mark, "GET /v2/team"), 0);
	ck_assert_int_eq(store->ops->blob_exists(store, &exists, &one, 13, NULL, &err), 0);
	ck_assert(exists);
	store_done(store);
	store_done(there);
	store_done(copy);
}
END_TEST

static void certs_put(const char *ca_file)
{
	char script[4 * PATH_SIZE];

	snprintf(script, sizeof(script),
		"d=\"$1/.config/containers/certs.d/127.0.0.1:%d\" && mkdir -p \"$d\" && "
		"cp \"%s\" \"$d/ca.crt\"",
		tls.port, ca_file);
	ck_assert(shell_run(script, home));
}

static const char other_ca[] = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other "
			       "-keyout \"$1/other.key\" -out \"$1/other.crt\" 2>/dev/null";

START_TEST(an_authority_in_certs_d_is_trusted)
{
	struct error err = ERROR_INIT;
	struct store *store;

	certs_put(tls.ca_file);
	store = store_at(&tls);
	tag_put(store, "trusted", 7);
	ck_assert_int_eq(tag_get(store, "trusted", &err), 7);
	store_done(store);
}
END_TEST

START_TEST(an_option_outweighs_certs_d)
{
	struct store_options options = options_default();
	struct error err = ERROR_INIT;
	struct store *store;
	char name[64], path[PATH_SIZE + 16];

	snprintf(path, sizeof(path), "%s/other.crt", home);
	snprintf(name, sizeof(name), "127.0.0.1:%d/team/app", tls.port);
	ck_assert(shell_run(other_ca, home));
	certs_put(path);
	options.retries = 0;
	ck_assert_int_eq(store_try(&store, name, &options, &err), 0);
	ck_assert_int_eq(tag_get(store, "none", &err), -1);
	ck_assert_int_eq(err.kind, ERROR_CERTIFICATE);
	store_done(store);
	options.ca_file = tls.ca_file;
	error_clear(&err);
	ck_assert_int_eq(store_try(&store, name, &options, &err), 0);
	ck_assert_int_eq(tag_get(store, "none", &err), -1);
	ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
	store_done(store);
}
END_TEST

START_TEST(insecure_is_tls_unchecked_or_plain_http)
{
	const struct registry_process *registry = _i ? &tls : &own;
	struct store_options options = options_default();
	struct error err = ERROR_INIT;
	struct store *store;

	put_conf("[[registry]]\nprefix='r.example'\nlocation='127.0.0.1:%d'\ninsecure=true\n",
		registry->port);
	store = store_of("r.example", false);
	tag_put(store, "insecure", 8);
	ck_assert_int_eq(tag_get(store, "insecure", &err), 8);
	store_done(store);
	/* What the user says of TLS holds: plain HTTP to the loopback. */
	options.tls_told = true;
	options.plain_http = true;
	ck_assert_int_eq(store_try(&store, "r.example/team/app", &options, &err), 0);
	ck_assert_int_eq(tag_get(store, "insecure", &err), _i ? -1 : 8);
	store_done(store);
}
END_TEST

START_TEST(an_insecure_registry_that_is_down_is_tried_again)
{
	struct error err = ERROR_INIT;
	struct store *store;

	put_conf("[[registry]]\nprefix='r.example'\nlocation='127.0.0.1:1'\ninsecure=true\n");
	store = store_of("r.example", false);
	ck_assert_int_eq(tag_get(store, "v1", &err), -1);
	ck_assert_int_eq(err.kind, ERROR_REFUSED);
	error_clear(&err);
	ck_assert_int_eq(tag_get(store, "v1", &err), -1);
	ck_assert_int_eq(err.kind, ERROR_REFUSED);
	store_done(store);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(*(table))))

static TCase *case_new(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, home_remove);
	tcase_set_timeout(tcase, 30);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static void add_registry_cases(Suite *suite)
{
	TCase *tcase = case_new(suite, "registries");

	tcase_add_unchecked_fixture(tcase, registries_start, registries_stop);
	tcase_add_test(tcase, a_location_takes_the_place_of_its_prefix);
	tcase_add_test(tcase, mirrors_are_read_and_never_written);
	tcase_add_test(tcase, who_only_reads_asks_mirrors_for_tags_first);
	tcase_add_test(tcase, a_mirror_that_is_down_is_left_alone);
	tcase_add_test(tcase, blobs_come_from_mirrors_in_ranges);
	tcase_add_test(tcase, an_authority_in_certs_d_is_trusted);
	tcase_add_test(tcase, an_option_outweighs_certs_d);
	tcase_add_loop_test(tcase, insecure_is_tls_unchecked_or_plain_http, 0, 2);
	tcase_add_test(tcase, an_insecure_registry_that_is_down_is_tried_again);
}

int main(void)
{
	Suite *suite = suite_create("reach");
	SRunner *runner = srunner_create(suite);
	TCase *files = case_new(suite, "files");
	int failed;

	if (!registry_process_possible()) {
		puts("skipped: docker-registry is not installed");
		return 77;
	}
	tcase_add_test(files, files_are_found_in_their_order);
	tcase_add_test(files, a_file_that_cant_be_used_is_named);
	tcase_add_test(files, certificates_are_found_in_their_order);
	tcase_add_loop_test(files, half_a_certificate_is_named, 0, COUNT(half_certs));
	tcase_add_test(files, a_blocked_registry_says_where_it_is_blocked);
	tcase_add_loop_test(files, a_place_that_cant_be_is_named, 0, COUNT(no_places));
	add_registry_cases(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
