#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "media_type.h"
#include "patience.h"
#include "registry/remote/remote.h"
#include "registry_process.h"

#define MIB ((int64_t)1 << 20)

/* The registry of a test case: made before its tests are forked, so that they share it. */
static struct registry_process registry;

static void start_plain(void)
{
	registry_process_start(&registry, false, false);
}

static void start_relative(void)
{
	registry_process_start(&registry, false, true);
}

static void start_tls(void)
{
	registry_process_start(&registry, true, false);
}

static void stop(void)
{
	registry_process_stop(&registry);
}

static struct store_options options_default(void)
{
	struct store_options options = STORE_OPTIONS_DEFAULT;

	options.ca_file = registry.tls ? registry.ca_file : NULL;
	options.timeout = AMPLE_TIMEOUT;
	return options;
}

static struct store *open_logged(const struct store_options *options, struct log *log)
{
	struct reference reference = {.transport = REFERENCE_REGISTRY};
	char host[64];
	struct store *store;
	struct error err = ERROR_INIT;

	snprintf(host, sizeof(host), "127.0.0.1:%d", registry.port);
	reference.host = host;
	reference.path = (char *)"team/app";
	ck_assert_msg(remote_open(&store, &reference, options, log, &err) == 0, "%s", err.message);
	return store;
}

static struct store *open_with(const struct store_options *options)
{
	return open_logged(options, NULL);
}

static struct store *open_store(void)
{
	struct store_options options = options_default();

	return open_with(&options);
}

static void close_store(struct store *store)
{
	store->ops->close(store);
}

/* A file of that size, whose bytes follow from the seed. */
struct sample {
	int fd;
	int64_t size;
	unsigned char *bytes;
	struct digest digest;
};

static void sample_make(struct sample *sample, int64_t size, uint64_t seed)
{
	uint64_t state = seed * 2654435761u + 88172645463325252u;

	sample->fd = memfd_create("sample", MFD_CLOEXEC);
	sample->size = size;
	ck_assert_int_eq(ftruncate(sample->fd, size), 0);
	sample->bytes = NULL;
	if (size) {
		sample->bytes =
			mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, sample->fd, 0);
		ck_assert_ptr_ne(sample->bytes, MAP_FAILED);
	}
	for (int64_t i = 0; i + 8 <= size; i += 8) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		memcpy(sample->bytes + i, &state, 8);
	}
	digest_of_bytes(&sample->digest, sample->bytes, (size_t)size);
}

static void sample_free(struct sample *sample)
{
	if (sample->bytes)
		munmap(sample->bytes, (size_t)sample->size);
	close(sample->fd);
}

static int sample_put(struct store *store, const struct sample *sample, struct error *err)
{
	struct store_source source = {.fd = sample->fd, .size = sample->size};

	return store->ops->blob_put(store, &sample->digest, &source, NULL, err);
}

/* Compares what comes with the sample. */
struct comparison {
	const struct sample *sample;
	uint64_t next;
	struct cancel *cancel; /* fired at the first byte */
};

static int compare(void *context, uint64_t offset, const void *bytes, size_t len, struct error *err)
{
	struct comparison *comparison = context;

	if (comparison->cancel) {
		cancel_fire(comparison->cancel);
		usleep(50000); /* who waits for the answer may not be watching yet */
	}
	if (offset != comparison->next ||
		memcmp(comparison->sample->bytes + offset, bytes, len) != 0)
		return error_set(
			err, ERROR_CORRUPT, "wrong bytes at %llu", (unsigned long long)offset);
	comparison->next = offset + len;
	return 0;
}

static int sample_get(struct store *store, const struct sample *sample, uint64_t offset,
	uint64_t length, struct error *err)
{
	struct comparison comparison = {.sample = sample, .next = offset};
	struct store_sink sink = {.write = compare, .context = &comparison};

	if (store->ops->blob_get(
		    store, &sample->digest, sample->size, offset, length, &sink, NULL, err))
		return -1;
	ck_assert_uint_eq(comparison.next, offset + length);
	return 0;
}

static void sample_round(struct store *store, int64_t size, uint64_t seed)
{
	struct error err = ERROR_INIT;
	struct sample sample;
	bool exists = true;

	sample_make(&sample, size, seed);
	ck_assert_int_eq(
		store->ops->blob_exists(store, &exists, &sample.digest, size, NULL, &err), 0);
	ck_assert(!exists);
	ck_assert_msg(sample_put(store, &sample, &err) == 0, "%s", err.message);
	ck_assert_int_eq(
		store->ops->blob_exists(store, &exists, &sample.digest, size, NULL, &err), 0);
	ck_assert(exists);
	ck_assert_msg(sample_get(store, &sample, 0, (uint64_t)size, &err) == 0, "%s", err.message);
	sample_free(&sample);
}

START_TEST(blobs_of_all_sizes_go_and_come)
{
	static const int64_t sizes[] = {0, 1, 4096, 64 * 1024 + 1, 3 * MIB};
	struct store *store = open_store();

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		sample_round(store, sizes[i], i + 1);
	close_store(store);
}
END_TEST

static void note_progress(void *context, int64_t sent)
{
	*(int64_t *)context = sent;
}

START_TEST(large_blob_goes_and_comes)
{
	struct store *store = open_store();
	struct error err = ERROR_INIT;
	struct sample sample;
	int64_t sent = 0;

	sample_make(&sample, 200 * MIB, 99);

	struct store_source source = {
		.fd = sample.fd, .size = sample.size, .progress = note_progress, .context = &sent};

	ck_assert_msg(store->ops->blob_put(store, &sample.digest, &source, NULL, &err) == 0, "%s",
		err.message);
	ck_assert_int_eq(sent, sample.size);
	ck_assert_msg(
		sample_get(store, &sample, 0, (uint64_t)sample.size, &err) == 0, "%s", err.message);
	sample_free(&sample);
	close_store(store);
}
END_TEST

START_TEST(blob_that_is_there_is_not_sent)
{
	struct store *store = open_store();
	struct error err = ERROR_INIT;
	struct sample sample;
	long mark;

	sample_make(&sample, 5000, 7);
	mark = registry_process_mark(&registry);
	ck_assert_int_eq(sample_put(store, &sample, &err), 0);
	ck_assert_int_eq(registry_process_logged(&registry, mark, "\"HEAD /v2/"), 1);
	ck_assert_int_eq(
		registry_process_logged(&registry, mark, "\"POST /v2/team/app/blobs/uploads/ "), 1);
	ck_assert_int_eq(
		registry_process_logged(&registry, mark, "\"PUT /v2/team/app/blobs/uploads/"), 1);
	mark = registry_process_mark(&registry);
	ck_assert_int_eq(sample_put(store, &sample, &err), 0);
	ck_assert_int_eq(registry_process_logged(&registry, mark, "\"HEAD /v2/"), 1);
	ck_assert_int_eq(registry_process_logged(&registry, mark, "\"POST "), 0);
	ck_assert_int_eq(registry_process_logged(&registry, mark, "\"PUT "), 0);
	sample_free(&sample);
	close_store(store);
}
END_TEST

START_TEST(ranges_are_exact)
{
	struct store *store = open_store();
	struct error err = ERROR_INIT;
	struct sample sample;

	sample_make(&sample, 100000, 11);
	ck_assert_int_eq(sample_put(store, &sample, &err), 0);
	ck_assert_int_eq(sample_get(store, &sample, 0, 1, &err), 0);
	ck_assert_int_eq(sample_get(store, &sample, 99999, 1, &err), 0);
	ck_assert_int_eq(sample_get(store, &sample, 1, 99999, &err), 0);
	ck_assert_int_eq(sample_get(store, &sample, 50000, 4096, &err), 0);
	ck_assert_int_eq(sample_get(store, &sample, 50000, 0, &err), 0);
	ck_assert_int_eq(sample_get(store, &sample, 99999, 2, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	sample_free(&sample);
	close_store(store);
}
END_TEST

START_TEST(wrong_size_is_corrupt)
{
	struct store *store = open_store();
	struct error err = ERROR_INIT;
	struct sample sample;
	bool exists = true;

	sample_make(&sample, 1000, 13);
	ck_assert_int_eq(sample_put(store, &sample, &err), 0);
	ck_assert_int_eq(
		store->ops->blob_exists(store, &exists, &sample.digest, 999, NULL, &err), 0);
	ck_assert(!exists);
	sample.size = 999;
	ck_assert_int_eq(sample_get(store, &sample, 0, 999, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_CORRUPT);
	error_clear(&err);
	ck_assert_int_eq(sample_get(store, &sample, 10, 100, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_CORRUPT);
	sample.size = 1000;
	sample_free(&sample);
	close_store(store);
}
END_TEST

START_TEST(wrong_digest_is_refused)
{
	struct store *store = open_store();
	struct error err = ERROR_INIT;
	struct sample sample;

	sample_make(&sample, 1000, 17);
	digest_of_bytes(&sample.digest, "else", 4);
	ck_assert_int_eq(sample_put(store, &sample, &err), -1);
	ck_assert_msg(err.kind == ERROR_CORRUPT, "%s", err.message);
	ck_assert_ptr_nonnull(strstr(err.message, "DIGEST_INVALID"));
	sample_free(&sample);
	close_store(store);
}
END_TEST

static void parse(struct document *out, const char *json)
{
	struct error err = ERROR_INIT;

	ck_assert_msg(document_parse(out, MEDIA_TYPE_INDEX, json, strlen(json), &err) == 0, "%s",
		err.message);
}

START_TEST(documents_are_put_and_got)
{
	static const char json[] = "{ \"schemaVersion\": 2,\n \"mediaType\": \"" MEDIA_TYPE_INDEX
				   "\", \"manifests\": [], \"x\": 1 }";
	struct store *store = open_store();
	struct error err = ERROR_INIT;
	struct document document = DOCUMENT_INIT, got = DOCUMENT_INIT;
	struct descriptor tag = DESCRIPTOR_INIT;

	parse(&document, json);
	ck_assert_msg(store->ops->document_put(store, &document, "v1", NULL, NULL, &err) == 0, "%s",
		err.message);
	ck_assert_int_eq(store->ops->resolve(store, &tag, "v1", NULL, &err), 0);
	ck_assert_str_eq(tag.digest.text, document.digest.text);
	ck_assert_int_eq(tag.size, (int64_t)strlen(json));
	ck_assert_str_eq(tag.media_type, MEDIA_TYPE_INDEX);
	ck_assert_int_eq(store->ops->document_get(store, &got, "v1", NULL, NULL, NULL, &err), 0);
	ck_assert_str_eq(got.json, json);
	document_clear(&got);
	ck_assert_int_eq(store->ops->document_get(
				 store, &got, NULL, &document.digest, MEDIA_TYPE_INDEX, NULL, &err),
		0);
	ck_assert_str_eq(got.digest.text, document.digest.text);
	document_clear(&got);
	document_clear(&document);
	descriptor_clear(&tag);
	close_store(store);
}
END_TEST

START_TEST(document_without_a_tag_is_found_by_digest)
{
	static const char json[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX "\",\"manifests\":[]}";
	struct store *store = open_store();
	struct error err = ERROR_INIT;
	struct document document = DOCUMENT_INIT, got = DOCUMENT_INIT;

	parse(&document, json);
	ck_assert_int_eq(store->ops->document_put(store, &document, NULL, NULL, NULL, &err), 0);
	ck_assert_int_eq(
		store->ops->document_get(store, &got, NULL, &document.digest, NULL, NULL, &err), 0);
	document_clear(&got);
	document_clear(&document);
	close_store(store);
}
END_TEST

START_TEST(document_that_names_what_is_not_there_is_refused)
{
	static const char json[] = "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX
				   "\",\"manifests\":[{\"mediaType\":\"" MEDIA_TYPE_MANIFEST
				   "\",\"digest\":\"" EMPTY_JSON_DIGEST "\",\"size\":2}]}";
	struct store *store = open_store();
	struct error err = ERROR_INIT;
	struct document document = DOCUMENT_INIT;
	struct descriptor tag = DESCRIPTOR_INIT;

	parse(&document, json);
	ck_assert_int_eq(store->ops->document_put(store, &document, "bad", NULL, NULL, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.message, "MANIFEST_BLOB_UNKNOWN"));
	error_clear(&err);
	ck_assert_int_eq(store->ops->resolve(store, &tag, "bad", NULL, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
	document_clear(&document);
	close_store(store);
}
END_TEST

START_TEST(what_is_missing_is_not_found)
{
	struct store *store = open_store();
	struct error err = ERROR_INIT;
	struct descriptor tag = DESCRIPTOR_INIT;
	struct document document = DOCUMENT_INIT;
	struct sample sample;

	sample_make(&sample, 10, 19);
	ck_assert_int_eq(store->ops->resolve(store, &tag, "none", NULL, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
	ck_assert_int_eq(err.status, 404);
	error_clear(&err);
	ck_assert_int_eq(
		store->ops->document_get(store, &document, "none", NULL, NULL, NULL, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err.message, "MANIFEST_UNKNOWN"));
	error_clear(&err);
	ck_assert_int_eq(sample_get(store, &sample, 0, 10, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err.message, "BLOB_UNKNOWN"));
	error_clear(&err);
	ck_assert_int_eq(store->ops->resolve(store, &tag, "../../v2", NULL, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	sample_free(&sample);
	close_store(store);
}
END_TEST

START_TEST(reading_stops_when_cancelled)
{
	struct store *store = open_store();
	struct error err = ERROR_INIT;
	struct sample sample;
	struct cancel cancel;
	struct comparison comparison = {.sample = &sample};
	struct store_sink sink = {.write = compare, .context = &comparison};

	cancel_init(&cancel);
	sample_make(&sample, 16 * MIB, 23);
	ck_assert_int_eq(sample_put(store, &sample, &err), 0);
	comparison.cancel = &cancel;
	ck_assert_int_eq(store->ops->blob_get(store, &sample.digest, sample.size, 0,
				 (uint64_t)sample.size, &sink, &cancel, &err),
		-1);
	ck_assert_int_eq(err.kind, ERROR_INTERRUPTED);
	ck_assert_uint_lt(comparison.next, (uint64_t)sample.size);
	error_clear(&err);
	ck_assert_int_eq(sample_get(store, &sample, 0, 4096, &err), 0);
	sample_free(&sample);
	close_store(store);
	cancel_destroy(&cancel);
}
END_TEST

#define THREADS 16

struct worker {
	struct store *store;
	int number;
	struct error err;
};

static void *work(void *context)
{
	struct worker *worker = context;
	struct sample sample;
	struct descriptor tag = DESCRIPTOR_INIT;

	sample_make(&sample, 100000 + worker->number, 1000 + (uint64_t)worker->number);
	for (int i = 0; i < 10 && !error_is_set(&worker->err); i++) {
		sample_put(worker->store, &sample, &worker->err);
		sample_get(worker->store, &sample, (uint64_t)i * 1000, 5000, &worker->err);
		if (worker->store->ops->resolve(worker->store, &tag, "none", NULL, NULL) == 0)
			error_set(&worker->err, ERROR_CORRUPT, "a tag from nowhere");
	}
	sample_free(&sample);
	return NULL;
}

START_TEST(many_threads_at_once)
{
	struct worker workers[THREADS];
	pthread_t threads[THREADS];
	struct store *store = open_store();

	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.store = store, .number = i};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_msg(!error_is_set(&workers[i].err), "%s", workers[i].err.message);
	}
	close_store(store);
}
END_TEST

static int tries_told(struct log *log)
{
	cleanup_with(buf_free) struct buf lines = BUF_INIT((size_t)1 << 20);
	int count = 0;

	ck_assert_int_eq(log_read(log, &lines), 0);
	for (const char *at = lines.data; at && (at = strstr(at, " again: ")); at++)
		count++;
	return count;
}

/* Each request is tried once more, and that's it. */
START_TEST(registry_that_is_down_refuses_soon)
{
	struct store_options options = options_default();
	struct log *log = log_new(LOG_LEVEL_INFO);
	struct store *store = open_logged(&options, log);
	struct error err = ERROR_INIT;
	struct descriptor tag = DESCRIPTOR_INIT;
	struct sample sample;

	sample_make(&sample, 1000, 29);
	ck_assert_int_eq(store->ops->resolve(store, &tag, "none", NULL, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
	registry_process_stop(&registry);
	error_clear(&err);
	ck_assert_int_eq(store->ops->resolve(store, &tag, "none", NULL, &err), -1);
	ck_assert_msg(err.kind == ERROR_REFUSED, "%s", err.message);
	error_clear(&err);
	ck_assert_int_eq(sample_put(store, &sample, &err), -1);
	ck_assert_msg(err.kind == ERROR_REFUSED, "%s", err.message);
	error_clear(&err);
	ck_assert_int_eq(sample_get(store, &sample, 0, 1000, &err), -1);
	ck_assert_msg(err.kind == ERROR_REFUSED, "%s", err.message);
	ck_assert_int_eq(tries_told(log), 3);
	sample_free(&sample);
	close_store(store);
	log_free(log);
}
END_TEST

START_TEST(certificates_are_checked)
{
	struct store_options options = options_default();
	struct descriptor tag = DESCRIPTOR_INIT;
	struct error err = ERROR_INIT;
	struct store *store;

	options.ca_file = "/etc/ssl/certs/ca-certificates.crt";
	store = open_with(&options);
	ck_assert_int_eq(store->ops->resolve(store, &tag, "none", NULL, &err), -1);
	ck_assert_msg(err.kind == ERROR_CERTIFICATE, "%s", err.message);
	close_store(store);
	options.ca_file = NULL;
	options.tls_verify = false;
	store = open_with(&options);
	error_clear(&err);
	ck_assert_int_eq(store->ops->resolve(store, &tag, "none", NULL, &err), -1);
	ck_assert_msg(err.kind == ERROR_NOT_FOUND, "%s", err.message);
	close_store(store);
}
END_TEST

static TCase *case_new(Suite *suite, const char *name, void (*start)(void))
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	tcase_add_unchecked_fixture(tcase, start, stop);
	tcase_add_test(tcase, blobs_of_all_sizes_go_and_come);
	tcase_add_test(tcase, blob_that_is_there_is_not_sent);
	tcase_add_test(tcase, ranges_are_exact);
	tcase_add_test(tcase, wrong_size_is_corrupt);
	tcase_add_test(tcase, wrong_digest_is_refused);
	tcase_add_test(tcase, documents_are_put_and_got);
	tcase_add_test(tcase, document_without_a_tag_is_found_by_digest);
	tcase_add_test(tcase, document_that_names_what_is_not_there_is_refused);
	tcase_add_test(tcase, what_is_missing_is_not_found);
	tcase_add_test(tcase, reading_stops_when_cancelled);
	tcase_add_test(tcase, many_threads_at_once);
	suite_add_tcase(suite, tcase);
	return tcase;
}

/* Apart, since under valgrind it takes minutes to hash them. */
static void large_case_new(Suite *suite, const char *name, void (*start)(void))
{
	TCase *tcase = tcase_create(name);

	tcase_set_tags(tcase, "slow");
	tcase_set_timeout(tcase, 60);
	tcase_add_unchecked_fixture(tcase, start, stop);
	tcase_add_test(tcase, large_blob_goes_and_comes);
	suite_add_tcase(suite, tcase);
}

int main(void)
{
	Suite *suite = suite_create("remote");
	SRunner *runner = srunner_create(suite);
	TCase *down = tcase_create("down");
	int failed;

	if (!registry_process_possible()) {
		puts("skipped: docker-registry is not installed");
		return 77;
	}
	case_new(suite, "plain", start_plain);
	case_new(suite, "relative", start_relative);
	tcase_add_test(case_new(suite, "tls", start_tls), certificates_are_checked);
	large_case_new(suite, "large plain", start_plain);
	large_case_new(suite, "large tls", start_tls);
	tcase_add_checked_fixture(down, start_plain, stop);
	tcase_add_test(down, registry_that_is_down_refuses_soon);
	suite_add_tcase(suite, down);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
