#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "patience.h"
#include "registry/remote/remote.h"
#include "registry/remote/remote_store.h"
#include "registry_process.h"
#include "upload_server.h"

#define KIB ((int64_t)1 << 10)
#define MIB ((int64_t)1 << 20)
#define CHUNK MIB

/* A blob of zeros, which costs no memory, and how far its upload was said to be. */
struct blob {
	int fd;
	int64_t size;
	struct digest digest;
	int64_t told;
	int64_t most_back; /* how far it went back at once */
};

static void blob_make(struct blob *blob, int64_t size)
{
	static const char zeros[MIB];
	struct hasher *hasher = hasher_new(NULL);

	*blob = (struct blob){.fd = memfd_create("blob", MFD_CLOEXEC), .size = size};
	ck_assert_int_eq(ftruncate(blob->fd, size), 0);
	for (int64_t left = size; left; left -= left < MIB ? left : MIB)
		hasher_update(hasher, zeros, (size_t)(left < MIB ? left : MIB));
	hasher_digest(hasher, &blob->digest);
	hasher_free(hasher);
}

static void blob_told(void *context, int64_t sent)
{
	struct blob *blob = context;

	if (blob->told - sent > blob->most_back)
		blob->most_back = blob->told - sent;
	blob->told = sent;
	ck_assert_int_le(sent, blob->size);
}

struct fixture {
	struct upload_server *server;
	struct store *store;
	struct error err;
};

static struct store *store_make(
	int port, const char *repository, struct store_hosts *hosts, const char *known_dir)
{
	struct store_options options = STORE_OPTIONS_DEFAULT;
	struct reference reference = {.transport = REFERENCE_REGISTRY};
	struct error err = ERROR_INIT;
	struct store *store;
	char host[64];

	options.timeout = AMPLE_TIMEOUT;
	options.hosts = hosts;
	options.known_dir = known_dir;
	snprintf(host, sizeof(host), "127.0.0.1:%d", port);
	reference.host = host;
	reference.path = (char *)repository;
	ck_assert_msg(
		remote_open(&store, &reference, &options, NULL, &err) == 0, "%s", err.message);
	remote_of(store)->chunked_from = 2 * CHUNK;
	remote_of(store)->chunk_size = CHUNK;
	return store;
}

static void fixture_open(struct fixture *fixture, const struct upload_rules *rules)
{
	fixture->server = upload_server_start(rules);
	fixture->store = store_make(upload_server_port(fixture->server), "app", NULL, NULL);
	fixture->err = (struct error)ERROR_INIT;
}

static void fixture_close(struct fixture *fixture)
{
	fixture->store->ops->close(fixture->store);
	upload_server_stop(fixture->server);
}

static int put_from(struct store *store, struct blob *blob, const char *from, struct error *err)
{
	struct store_source source = {
		.fd = blob->fd,
		.size = blob->size,
		.progress = blob_told,
		.context = blob,
		.mount_from = from,
	};

	return store->ops->blob_put(store, &blob->digest, &source, NULL, err);
}

static int put(struct fixture *fixture, struct blob *blob)
{
	return put_from(fixture->store, blob, NULL, &fixture->err);
}

static void assert_put(struct fixture *fixture, struct blob *blob)
{
	cleanup_free char *log = NULL;
	int failed = put(fixture, blob);

	log = upload_server_log(fixture->server);
	ck_assert_msg(!failed, "%s\n%s", fixture->err.message, log);
}

static void assert_log(struct fixture *fixture, const char *want)
{
	cleanup_free char *log = upload_server_log(fixture->server);

	ck_assert_str_eq(log, want);
}

START_TEST(small_blob_goes_in_one_body)
{
	const struct upload_rules rules = {0};
	struct fixture fixture;
	struct blob blob;

	fixture_open(&fixture, &rules);
	blob_make(&blob, 2 * CHUNK);
	assert_put(&fixture, &blob);
	assert_log(&fixture, "HEAD 0 404\nPOST 0 202\nPUT 2097152 201\n");
	ck_assert_int_eq(blob.told, blob.size);
	close(blob.fd);
	fixture_close(&fixture);
}
END_TEST

START_TEST(large_blob_goes_in_chunks)
{
	const struct upload_rules rules = {0};
	struct fixture fixture;
	struct blob blob;

	fixture_open(&fixture, &rules);
	blob_make(&blob, 3 * CHUNK + 5);
	assert_put(&fixture, &blob);
	assert_log(&fixture,
		"HEAD 0 404\nPOST 0 202\nPATCH 0-1048575 202\nPATCH 1048576-2097151 202\n"
		"PATCH 2097152-3145727 202\nPUT 3145728-3145732 201\n");
	ck_assert_int_eq(blob.told, blob.size);
	ck_assert_int_eq(blob.most_back, 0);
	ck_assert_uint_eq(upload_server_bytes(fixture.server), (uint64_t)blob.size);
	close(blob.fd);
	fixture_close(&fixture);
}
END_TEST

/* What hosts do differently, and what is asked of them for a blob of three chunks, the first time
 * and once they're known. */
#define C1 "PATCH 0-1048575 "
#define C2 "PATCH 1048576-2097151 "
#define BEGIN "HEAD 0 404\nPOST 0 202\n"
#define IN_CHUNKS BEGIN C1 "202\n" C2 "202\nPUT 2097152-3145727 201\n"
#define IN_ONE BEGIN "PUT 3145728 201\n"

static const struct {
	struct upload_rules rules;
	const char *first, *second;
} quirks[] = {
	{{.chunk_status = 201}, BEGIN C1 "201\n" C2 "201\nPUT 2097152-3145727 201\n",
		BEGIN C1 "201\n" C2 "201\nPUT 2097152-3145727 201\n"},
	{{.chunk_status = 204}, BEGIN C1 "204\n" C2 "204\nPUT 2097152-3145727 201\n", NULL},
	{{.range_stuck = true}, IN_CHUNKS, IN_CHUNKS},
	{{.no_range = true}, IN_CHUNKS, IN_CHUNKS},
	{{.empty_put_fails = true}, IN_CHUNKS, IN_CHUNKS},
	{{.body_put_fails = true},
		BEGIN C1 "202\n" C2 "202\nPUT 2097152-3145727 400\nGET 0 204\n"
			 "PATCH 2097152-3145727 202\nPUT 0 201\n",
		BEGIN C1 "202\n" C2 "202\nPATCH 2097152-3145727 202\nPUT 0 201\n"},
	{{.chunk_max = CHUNK / 2}, BEGIN C1 "416\nGET 0 204\nPOST 0 202\nPUT 3145728 201\n",
		IN_ONE},
	{{.refuse_chunk = 1, .refuse_status = 404}, BEGIN C1 "404\nPOST 0 202\nPUT 3145728 201\n",
		IN_ONE},
	{{.refuse_chunk = 1, .refuse_status = 405}, BEGIN C1 "405\nPOST 0 202\nPUT 3145728 201\n",
		IN_ONE},
	{{.refuse_chunk = 1, .refuse_status = 400}, BEGIN C1 "400\nPOST 0 202\nPUT 3145728 201\n",
		IN_ONE},
	{{.refuse_chunk = 1, .refuse_status = 501}, BEGIN C1 "501\nPOST 0 202\nPUT 3145728 201\n",
		IN_ONE},
	{{.refuse_chunk = 2, .refuse_status = 416},
		BEGIN C1 "202\n" C2 "416\nGET 0 204\nPOST 0 202\nPUT 3145728 201\n", IN_ONE},
	{{.chunk_min = 2 * CHUNK}, BEGIN "PATCH 0-2097151 202\nPUT 2097152-3145727 201\n",
		BEGIN "PATCH 0-2097151 202\nPUT 2097152-3145727 201\n"},
	{{.chunk_min = 8 * CHUNK}, IN_ONE, IN_ONE},
	{{.fail_patch = 2},
		BEGIN C1 "202\n" C2 "503\nGET 0 204\n" C2 "202\n"
			 "PUT 2097152-3145727 201\n",
		IN_CHUNKS},
	{{.close_unanswered = true},
		BEGIN C1 "202\n" C2 "202\nPUT 2097152-3145727 0\nGET 0 404\nHEAD 0 200\n",
		IN_CHUNKS},
};

START_TEST(hosts_are_taken_as_they_are)
{
	struct fixture fixture;
	struct blob blob;

	fixture_open(&fixture, &quirks[_i].rules);
	blob_make(&blob, 3 * CHUNK);
	assert_put(&fixture, &blob);
	assert_log(&fixture, quirks[_i].first);
	if (quirks[_i].second) {
		upload_server_reset(fixture.server);
		assert_put(&fixture, &blob);
		assert_log(&fixture, quirks[_i].second);
	}
	ck_assert_int_le(blob.most_back, blob.size);
	close(blob.fd);
	fixture_close(&fixture);
}
END_TEST

/* A chunk refused for good by a host that takes chunks is an error, and so is a wrong digest. */
START_TEST(refusals_are_errors)
{
	static const struct {
		struct upload_rules rules;
		enum error_kind kind;
	} cases[] = {
		{{.refuse_chunk = 2, .refuse_status = 403}, ERROR_DENIED},
		{{.refuse_chunk = 1, .refuse_status = 413}, ERROR_TOO_LARGE},
		{{.refuse_chunk = 1, .refuse_status = 507}, ERROR_QUOTA},
	};
	struct fixture fixture;
	struct blob blob;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		fixture_open(&fixture, &cases[i].rules);
		blob_make(&blob, 3 * CHUNK);
		ck_assert_int_eq(put(&fixture, &blob), -1);
		ck_assert_msg(fixture.err.kind == cases[i].kind, "%s", fixture.err.message);
		ck_assert_int_eq(upload_server_count(fixture.server, "POST"), 1);
		close(blob.fd);
		fixture_close(&fixture);
	}
}
END_TEST

/* A proxy that takes bodies of up to some size only: it is found, and remembered. */
#define H1 "PATCH 0-524287 "
#define H2 "PATCH 524288-1048575 "

static const struct {
	uint64_t body_max;
	int64_t size;
	const char *first, *second;
} limits[] = {
	/* what goes in chunks anyway */
	{(uint64_t)(700 * KIB), 2 * CHUNK + 1,
		BEGIN C1 "413\nGET 0 204\n" C1 "413\nGET 0 204\n" H1 "202\n" H2 "202\n"
			 "PATCH 1048576-1572863 202\nPATCH 1572864-2097151 202\n"
			 "PUT 2097152-2097152 201\n",
		BEGIN H1 "202\n" H2 "202\nPATCH 1048576-1572863 202\nPATCH 1572864-2097151 202\n"
			 "PUT 2097152-2097152 201\n"},
	/* what goes in one body else */
	{(uint64_t)CHUNK, CHUNK + 1,
		BEGIN "PUT 1048577 413\nPOST 0 202\nPUT 1048577 413\nPOST 0 202\n" H1 "202\n" H2
		      "202\nPUT 1048576-1048576 201\n",
		BEGIN H1 "202\n" H2 "202\nPUT 1048576-1048576 201\n"},
	{(uint64_t)CHUNK, CHUNK, BEGIN "PUT 1048576 201\n", BEGIN "PUT 1048576 201\n"},
	/* the least, and less */
	{(uint64_t)(128 * KIB), 256 * KIB,
		BEGIN "PUT 262144 413\nPOST 0 202\nPUT 262144 413\nPOST 0 202\n"
		      "PATCH 0-131071 202\nPUT 131072-262143 201\n",
		BEGIN "PATCH 0-131071 202\nPUT 131072-262143 201\n"},
	{(uint64_t)(128 * KIB - 1), 256 * KIB, NULL, NULL},
};

START_TEST(limit_of_bodies_is_found)
{
	const struct upload_rules rules = {.body_max = limits[_i].body_max};
	struct fixture fixture;
	struct blob blob;

	fixture_open(&fixture, &rules);
	blob_make(&blob, limits[_i].size);
	if (limits[_i].first) {
		assert_put(&fixture, &blob);
		assert_log(&fixture, limits[_i].first);
		upload_server_reset(fixture.server);
		assert_put(&fixture, &blob);
		assert_log(&fixture, limits[_i].second);
		ck_assert_int_eq(blob.told, blob.size);
	} else {
		ck_assert_int_eq(put(&fixture, &blob), -1);
		ck_assert_msg(fixture.err.kind == ERROR_TOO_LARGE, "%s", fixture.err.message);
		ck_assert_int_eq(upload_server_count(fixture.server, "PATCH 0-131071 413"), 2);
	}
	close(blob.fd);
	fixture_close(&fixture);
}
END_TEST

START_TEST(limit_is_an_error_where_no_chunks_are_taken)
{
	const struct upload_rules rules = {
		.body_max = (uint64_t)CHUNK, .refuse_chunk = 1, .refuse_status = 405};
	struct fixture fixture;
	struct blob blob;

	fixture_open(&fixture, &rules);
	blob_make(&blob, 2 * CHUNK);
	ck_assert_int_eq(put(&fixture, &blob), -1);
	ck_assert_msg(fixture.err.kind == ERROR_TOO_LARGE, "%s", fixture.err.message);
	assert_log(&fixture, BEGIN "PUT 2097152 413\nPOST 0 202\nPUT 2097152 413\nPOST 0 202\n" C1
				   "405\nPOST 0 202\nPUT 2097152 413\n");
	close(blob.fd);
	fixture_close(&fixture);
}
END_TEST

/* A line that breaks before a blob is through, which isn't large enough to go in chunks else. */
START_TEST(blob_that_breaks_as_a_whole_goes_in_chunks)
{
	static const struct upload_rules lines[] = {
		{.cut_every = (uint64_t)(768 * KIB)},
		{.cut_every = (uint64_t)(768 * KIB), .forgets_cut_chunk = true},
	};
	struct fixture fixture;
	struct blob blob;

	fixture_open(&fixture, &lines[_i]);
	remote_of(fixture.store)->chunked_from = 8 * MIB;
	remote_of(fixture.store)->chunk_size = 4 * MIB;
	blob_make(&blob, 2560 * KIB);
	assert_put(&fixture, &blob);
	ck_assert_int_eq(upload_server_count(fixture.server, "PUT 2621440 0"), 1);
	ck_assert_int_eq(upload_server_count(fixture.server, "POST"), 2);
	ck_assert_int_eq(upload_server_count(fixture.server, "PATCH 0-1048575 0"), _i ? 2 : 1);
	ck_assert_int_eq(blob.told, blob.size);
	/* what came of a chunk is lost where it isn't kept: two tries at 8 MiB, then 2 MiB of six
	 */
	ck_assert_uint_eq(
		upload_server_bytes(fixture.server), (uint64_t)((_i ? 5888 : 3328) * KIB));
	close(blob.fd);
	fixture_close(&fixture);
}
END_TEST

/* A connection cut every five chunks and a half. */
#define CUT ((uint64_t)(CHUNK * 11 / 2))
static const struct {
	struct upload_rules rules;
	int64_t size;
	bool keeps; /* nothing is sent twice to where it counts */
} cuts[] = {
	{{.cut_every = CUT}, 40 * CHUNK + 77, true},
	{{.cut_every = CUT, .forgets_cut_chunk = true}, 40 * CHUNK + 77, false},
	{{.cut_every = CUT, .forgets_cut_chunk = true, .range_stuck = true}, 40 * CHUNK + 77,
		false},
	{{.cut_every = CUT, .forgets_cut_chunk = true, .no_range = true}, 40 * CHUNK + 77, false},
	{{.cut_every = (uint64_t)(CHUNK / 2 + 1)}, 5 * CHUNK, false},
};

START_TEST(broken_upload_goes_on_where_it_broke)
{
	struct fixture fixture;
	struct blob blob;
	uint64_t again;
	int count;

	fixture_open(&fixture, &cuts[_i].rules);
	blob_make(&blob, cuts[_i].size);
	assert_put(&fixture, &blob);
	count = upload_server_cuts(fixture.server);
	again = upload_server_bytes(fixture.server) - (uint64_t)blob.size;
	ck_assert_int_ge(count, 6);
	ck_assert_int_eq(upload_server_count(fixture.server, "POST"), 1);
	/* libcurl repeats by itself what breaks before a byte of the answer on a kept connection.
	 */
	ck_assert_int_le(upload_server_count(fixture.server, "GET"), count);
	ck_assert_int_ge(upload_server_count(fixture.server, "GET"), count - 1);
	ck_assert_uint_le(again, (uint64_t)(cuts[_i].keeps ? 0 : count * CHUNK));
	ck_assert_int_le(blob.most_back, CHUNK);
	ck_assert_int_eq(blob.told, blob.size);
	close(blob.fd);
	fixture_close(&fixture);
}
END_TEST

START_TEST(two_gibibytes_cut_every_two_hundred_mebibytes)
{
	const struct upload_rules rules = {
		.cut_every = (uint64_t)(200 * MIB), .forgets_cut_chunk = true};
	struct fixture fixture;
	struct blob blob;
	int64_t chunk = 32 * MIB;
	uint64_t again;
	int count;

	fixture_open(&fixture, &rules);
	remote_of(fixture.store)->chunked_from = 64 * MIB;
	remote_of(fixture.store)->chunk_size = chunk;
	blob_make(&blob, 2048 * MIB);
	assert_put(&fixture, &blob);
	count = upload_server_cuts(fixture.server);
	again = upload_server_bytes(fixture.server) - (uint64_t)blob.size;
	ck_assert_int_ge(count, 10);
	ck_assert_int_eq(upload_server_count(fixture.server, "POST"), 1);
	ck_assert_int_eq(upload_server_count(fixture.server, "PATCH") +
				 upload_server_count(fixture.server, "PUT"),
		64 + count);
	ck_assert_uint_le(again, (uint64_t)(count * chunk));
	ck_assert_int_le(blob.most_back, chunk);
	close(blob.fd);
	fixture_close(&fixture);
}
END_TEST

START_TEST(session_that_died_begins_anew)
{
	const struct upload_rules rules = {
		.cut_every = (uint64_t)(5 * CHUNK), .session_dies = true};
	struct fixture fixture;
	struct blob blob;

	fixture_open(&fixture, &rules);
	blob_make(&blob, 4 * CHUNK + 1);
	assert_put(&fixture, &blob); /* nothing is cut yet */
	upload_server_reset(fixture.server);
	assert_put(&fixture, &blob);
	assert_log(&fixture,
		BEGIN "PATCH 0-1048575 0\nGET 0 404\nHEAD 0 404\nPOST 0 202\n" C1 "202\n" C2 "202\n"
		      "PATCH 2097152-3145727 202\nPATCH 3145728-4194303 202\n"
		      "PUT 4194304-4194304 201\n");
	close(blob.fd);
	fixture_close(&fixture);
}
END_TEST

START_TEST(upload_that_never_gets_on_ends)
{
	static const struct upload_rules cases[] = {
		{.cut_every = (uint64_t)(2 * CHUNK), .session_dies = true},
		{.cut_every = (uint64_t)(2 * CHUNK), .no_sessions = true},
	};
	struct fixture fixture;
	struct blob blob;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		fixture_open(&fixture, &cases[i]);
		remote_of(fixture.store)->retries = 2;
		blob_make(&blob, 4 * CHUNK);
		ck_assert_int_eq(put(&fixture, &blob), -1);
		ck_assert_msg(fixture.err.kind == ERROR_PROTOCOL, "%s", fixture.err.message);
		ck_assert_int_eq(upload_server_count(fixture.server, "POST"), 3);
		close(blob.fd);
		fixture_close(&fixture);
	}
}
END_TEST

/* Each a mount that somebody has named, and how the upload goes then. */
static const struct {
	int status;
	const char *rest;
} mounts[] = {
	{201, ""},
	{202, "PUT 5 201\n"},
	{400, "POST 0 202\nPUT 5 201\n"},
	{401, "POST 0 202\nPUT 5 201\n"},
	{403, "POST 0 202\nPUT 5 201\n"},
	{404, "POST 0 202\nPUT 5 201\n"},
	{405, "POST 0 202\nPUT 5 201\n"},
};

static void assert_mount(struct upload_server *server, const struct digest *digest,
	const char *from, int status, const char *rest)
{
	cleanup_free char *log = upload_server_log(server);
	char want[1024];

	snprintf(want, sizeof(want), "HEAD 0 404\nPOST 0?mount=%s&from=%s %d\n%s", digest->text,
		from, status, rest);
	ck_assert_str_eq(log, want);
}

START_TEST(blob_is_mounted_where_it_can_be)
{
	const struct upload_rules rules = {.mount_status = mounts[_i].status};
	struct fixture fixture;
	struct blob blob;

	fixture_open(&fixture, &rules);
	blob_make(&blob, 5);
	ck_assert_msg(put_from(fixture.store, &blob, "team/other", &fixture.err) == 0, "%s",
		fixture.err.message);
	assert_mount(
		fixture.server, &blob.digest, "team%2Fother", mounts[_i].status, mounts[_i].rest);
	upload_server_reset(fixture.server);
	ck_assert_int_eq(put_from(fixture.store, &blob, "app", &fixture.err), 0);
	ck_assert_int_eq(upload_server_count(fixture.server, "POST 0?mount"), 0);
	close(blob.fd);
	fixture_close(&fixture);
}
END_TEST

START_TEST(what_one_store_has_seen_is_mounted_by_another)
{
	const struct upload_rules rules = {.mount_status = 201};
	struct error err = ERROR_INIT;
	struct store_hosts *hosts;
	struct fixture fixture;
	struct store *other;
	struct blob blob;

	fixture_open(&fixture, &rules);
	fixture.store->ops->close(fixture.store);
	ck_assert_int_eq(store_hosts_new(&hosts, NULL, &err), 0);
	fixture.store = store_make(upload_server_port(fixture.server), "app", hosts, NULL);
	other = store_make(upload_server_port(fixture.server), "two", hosts, NULL);
	blob_make(&blob, 5);
	assert_put(&fixture, &blob);
	ck_assert_int_eq(upload_server_count(fixture.server, "POST 0?mount"), 0);
	upload_server_reset(fixture.server);
	ck_assert_int_eq(put_from(other, &blob, NULL, &err), 0);
	assert_mount(fixture.server, &blob.digest, "app", 201, "");
	other->ops->close(other);
	close(blob.fd);
	fixture_close(&fixture);
	store_hosts_free(hosts);
}
END_TEST

static void put_in_new_store(
	struct upload_server *server, const char *repository, const char *dir, struct blob *blob)
{
	struct store *store = store_make(upload_server_port(server), repository, NULL, dir);
	struct error err = ERROR_INIT;

	upload_server_reset(server);
	ck_assert_msg(put_from(store, blob, NULL, &err) == 0, "%s", err.message);
	store->ops->close(store);
}

/* What is kept of a blob of another server is no hint for this one; a refused hint is forgotten. */
START_TEST(what_was_seen_is_kept_for_later_runs)
{
	const struct upload_rules takes = {.mount_status = 201}, refuses = {.mount_status = 404};
	struct upload_server *server = upload_server_start(&takes);
	struct upload_server *other = upload_server_start(&refuses);
	char folder[] = "/tmp/indexfs-test-XXXXXX", dir[64];
	struct blob blob;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(dir, sizeof(dir), "%s/known", folder);
	blob_make(&blob, 5);
	put_in_new_store(server, "app", dir, &blob);
	ck_assert_int_eq(upload_server_count(server, "POST 0 202"), 1);
	put_in_new_store(other, "app", dir, &blob);
	ck_assert_int_eq(upload_server_count(other, "POST 0 202"), 1);
	put_in_new_store(server, "two", dir, &blob);
	assert_mount(server, &blob.digest, "app", 201, "");
	put_in_new_store(other, "two", dir, &blob);
	assert_mount(other, &blob.digest, "app", 404, "POST 0 202\nPUT 5 201\n");
	put_in_new_store(other, "two", dir, &blob);
	ck_assert_int_eq(upload_server_count(other, "POST 0?mount"), 0);
	close(blob.fd);
	upload_server_stop(server);
	upload_server_stop(other);
	ck_assert(shell_run("rm -rf \"$1\"", folder));
}
END_TEST

static void known_is(const char *folder, const struct digest *digest, const char *want)
{
	struct error err = ERROR_INIT;
	struct known *known;
	cleanup_free char *got = NULL;

	ck_assert_int_eq(known_new(&known, folder, &err), 0);
	got = known_find(known, "h", digest, "mine");
	ck_assert_int_eq(!got, !want);
	if (want)
		ck_assert_str_eq(got, want);
	known_free(known);
}

/* The folder of what is known may have been written by anybody: it's checked, and only a hint. */
START_TEST(known_files_are_not_believed)
{
	static const char *const bad[] = {
		"../../etc", "a b", "A/B", "x\nHost: evil", "", "a@sha256:1"};
	char folder[] = "/tmp/indexfs-test-XXXXXX", path[128];
	struct error err = ERROR_INIT;
	struct digest digest;
	struct known *known;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	digest_of_bytes(&digest, "x", 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ck_assert_int_eq(known_new(&known, folder, &err), 0);
		known_note(known, "h", &digest, bad[i]);
		known_free(known);
		known_is(folder, &digest, strncmp(bad[i], "x\n", 2) == 0 ? "x" : NULL);
	}
	ck_assert_int_eq(known_new(&known, folder, &err), 0);
	known_note(known, "h", &digest, "good/one");
	known_free(known);
	known_is(folder, &digest, "good/one");
	ck_assert_int_eq(chmod(folder, 0777), 0);
	known_is(folder, &digest, NULL);
	snprintf(path, sizeof(path), "%s/nowhere/deep", folder);
	known_is(path, &digest, NULL);
	ck_assert(shell_run("rm -rf \"$1\"", folder));
}
END_TEST

START_TEST(cancelled_upload_ends)
{
	const struct upload_rules rules = {.refuse_chunk = 1, .refuse_status = 503};
	struct fixture fixture;
	struct cancel cancel;
	struct blob blob;
	struct store_source source;

	fixture_open(&fixture, &rules);
	blob_make(&blob, 3 * CHUNK);
	source = (struct store_source){.fd = blob.fd, .size = blob.size};
	cancel_init(&cancel);
	cancel_fire(&cancel);
	ck_assert_int_eq(fixture.store->ops->blob_put(
				 fixture.store, &blob.digest, &source, &cancel, &fixture.err),
		-1);
	ck_assert_int_eq(fixture.err.kind, ERROR_INTERRUPTED);
	close(blob.fd);
	fixture_close(&fixture);
	cancel_destroy(&cancel);
}
END_TEST

#define LOOP(tcase, test, table)                                                                   \
	tcase_add_loop_test(tcase, test, 0, (int)(sizeof(table) / sizeof(*(table))))

int main(void)
{
	Suite *suite = suite_create("remote_upload");
	TCase *tcase = tcase_create("remote_upload");
	TCase *slow = tcase_create("slow");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, small_blob_goes_in_one_body);
	tcase_add_test(tcase, large_blob_goes_in_chunks);
	LOOP(tcase, hosts_are_taken_as_they_are, quirks);
	tcase_add_test(tcase, refusals_are_errors);
	LOOP(tcase, limit_of_bodies_is_found, limits);
	tcase_add_test(tcase, limit_is_an_error_where_no_chunks_are_taken);
	tcase_add_loop_test(tcase, blob_that_breaks_as_a_whole_goes_in_chunks, 0, 2);
	LOOP(tcase, broken_upload_goes_on_where_it_broke, cuts);
	tcase_add_test(tcase, session_that_died_begins_anew);
	tcase_add_test(tcase, upload_that_never_gets_on_ends);
	LOOP(tcase, blob_is_mounted_where_it_can_be, mounts);
	tcase_add_test(tcase, what_one_store_has_seen_is_mounted_by_another);
	tcase_add_test(tcase, what_was_seen_is_kept_for_later_runs);
	tcase_add_test(tcase, known_files_are_not_believed);
	tcase_add_test(tcase, cancelled_upload_ends);
	tcase_set_timeout(slow, 120);
	tcase_set_tags(slow, "slow");
	tcase_add_test(slow, two_gibibytes_cut_every_two_hundred_mebibytes);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, slow);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
