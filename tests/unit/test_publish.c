/* The pipelines, over a store that counts its calls and can fail each of them. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "media_type.h"
#include "publish.h"

#define TAG "v1"
#define CALLS_MAX 64
#define LARGE ((int64_t)17 << 20)

/* Calls are written down by a letter: r resolve, b blob, m manifest, i index, t tag, g get by tag,
 * d get by digest. */
struct fake {
	struct store store;
	pthread_mutex_t lock;
	char calls[CALLS_MAX];
	int count;
	int fail_at; /* the number of the call that fails; 0: none */
	int running, most;
	struct digest tagged, expected; /* what it was to be at when it was moved */
	struct digest overwritten; /* the tag is here right after a push, where set */
	struct error tag_error; /* of resolve, where set */
	const char *text; /* of the document or blob that is there */
	const char *media_type;
	uint64_t skip; /* blob_get begins so far off its place */
};

static int call_begin(struct fake *fake, char letter, struct cancel *cancel, struct error *err)
{
	const struct timespec pause = {.tv_nsec = 3000000};
	int number;

	pthread_mutex_lock(&fake->lock);
	ck_assert_int_lt(fake->count, CALLS_MAX - 1);
	fake->calls[fake->count++] = letter;
	number = fake->count;
	if (++fake->running > fake->most)
		fake->most = fake->running;
	pthread_mutex_unlock(&fake->lock);
	nanosleep(&pause, NULL);
	pthread_mutex_lock(&fake->lock);
	fake->running--;
	pthread_mutex_unlock(&fake->lock);
	if (cancel_fired(cancel))
		return error_set(err, ERROR_INTERRUPTED, "interrupted");
	if (number == fake->fail_at)
		return error_set(err, ERROR_SERVER, "call %d fails", number);
	return 0;
}

static int fake_resolve(struct store *store, struct descriptor *out, const char *tag,
	struct cancel *cancel, struct error *err)
{
	struct fake *fake = (struct fake *)store;

	ck_assert_str_eq(tag, TAG);
	if (call_begin(fake, 'r', cancel, err))
		return -1;
	if (error_is_set(&fake->tag_error))
		return error_copy(err, &fake->tag_error);
	if (!digest_is_set(&fake->tagged))
		return error_set(err, ERROR_NOT_FOUND, "no tag");
	return descriptor_create(out, MEDIA_TYPE_INDEX, &fake->tagged, 2, err);
}

static int fake_document_put(struct store *store, const struct document *document, const char *tag,
	const struct digest *expected, struct cancel *cancel, struct error *err)
{
	struct fake *fake = (struct fake *)store;
	char letter = document->kind == DOCUMENT_INDEX ? 'i' : 'm';

	if (call_begin(fake, tag ? 't' : letter, cancel, err))
		return -1;
	ck_assert((tag != NULL) == (expected != NULL));
	if (!tag)
		return 0;
	fake->expected = *expected;
	fake->tagged = digest_is_set(&fake->overwritten) ? fake->overwritten : document->digest;
	return 0;
}

static int fake_blob_put(struct store *store, const struct digest *digest,
	const struct store_source *source, struct cancel *cancel, struct error *err)
{
	ck_assert(digest_is_set(digest));
	ck_assert_int_ge(source->size, 0);
	return call_begin((struct fake *)store, 'b', cancel, err);
}

static int fake_document_get(struct store *store, struct document *out, const char *tag,
	const struct digest *digest, const char *media_type, struct cancel *cancel,
	struct error *err)
{
	struct fake *fake = (struct fake *)store;

	(void)media_type;
	if (call_begin(fake, digest ? 'd' : 'g', cancel, err))
		return -1;
	ck_assert(digest || !strcmp(tag, TAG));
	return document_parse(out, fake->media_type, fake->text, strlen(fake->text), err);
}

static int fake_blob_get(struct store *store, const struct digest *digest, int64_t size,
	uint64_t offset, uint64_t length, const struct store_sink *sink, struct cancel *cancel,
	struct error *err)
{
	struct fake *fake = (struct fake *)store;
	size_t len = strlen(fake->text);

	(void)digest;
	(void)cancel;
	ck_assert_uint_eq(offset, 0);
	ck_assert_int_eq((int64_t)length, size);
	for (size_t i = 0; i < len; i++) {
		if (sink->write(sink->context, i + fake->skip, fake->text + i, 1, err))
			return -1;
	}
	return 0;
}

static const struct store_ops fake_ops = {
	.resolve = fake_resolve,
	.document_put = fake_document_put,
	.document_get = fake_document_get,
	.blob_put = fake_blob_put,
	.blob_get = fake_blob_get,
};

#define FAKE_INIT                                                                                  \
	{                                                                                          \
		.store = {.ops = &fake_ops, .jobs = 3}, .lock = PTHREAD_MUTEX_INITIALIZER          \
	}

/* A publication of 12 blobs, of which a test takes as many as it wants, and 3 manifests. */
struct sample {
	struct publish_blob blobs[12];
	struct document manifests[3];
	struct document root;
	struct digest old, other;
	struct publication publication;
};

static struct document document_named(enum document_kind kind, const char *seed)
{
	struct document document = {.kind = kind};

	digest_of_bytes(&document.digest, seed, strlen(seed));
	return document;
}

static void sample_fill(struct sample *sample, size_t blobs, size_t manifests, int64_t blob_size)
{
	memset(sample, 0, sizeof(*sample));
	for (size_t i = 0; i < blobs; i++) {
		digest_of_bytes(&sample->blobs[i].digest, &i, sizeof(i));
		sample->blobs[i].source = (struct store_source){.fd = -1, .size = blob_size};
	}
	sample->manifests[0] = document_named(DOCUMENT_MANIFEST, "manifest 0");
	sample->manifests[1] = document_named(DOCUMENT_MANIFEST, "manifest 1");
	sample->manifests[2] = document_named(DOCUMENT_MANIFEST, "manifest 2");
	sample->root = document_named(DOCUMENT_INDEX, "root");
	digest_of_bytes(&sample->old, "old", 3);
	digest_of_bytes(&sample->other, "other", 5);
	sample->publication = (struct publication){.tag = TAG,
		.blobs = sample->blobs,
		.blob_count = blobs,
		.manifests = sample->manifests,
		.manifest_count = manifests,
		.root = &sample->root};
}

/* Whoever publishes without an error finds the tag where he put it. */
static int sample_publish(struct fake *fake, struct sample *sample, struct error *err)
{
	struct digest found = DIGEST_NONE;
	int result;

	sample->publication.blobs_sent = false;
	result = publish(&fake->store, &sample->publication, &found, NULL, err);
	if (!result)
		ck_assert_str_eq(found.text, sample->root.digest.text);
	return result;
}

START_TEST(blobs_then_manifests_then_tag)
{
	struct fake fake = FAKE_INIT;
	struct error err = ERROR_INIT;
	struct sample sample;

	sample_fill(&sample, 3, 2, 10);
	ck_assert_msg(sample_publish(&fake, &sample, &err) == 0, "%s", err.message);
	ck_assert_str_eq(fake.calls, "bbbmmrtr");
	ck_assert(digest_equal(&fake.tagged, &sample.root.digest));
}
END_TEST

START_TEST(append_costs_one_call_each)
{
	struct fake fake = FAKE_INIT;
	struct error err = ERROR_INIT;
	struct sample sample;

	sample_fill(&sample, 1, 1, 10);
	sample.publication.base = fake.tagged = sample.old;
	ck_assert_int_eq(sample_publish(&fake, &sample, &err), 0);
	ck_assert_str_eq(fake.calls, "bmrtr");
}
END_TEST

START_TEST(nested_index_after_its_manifests)
{
	struct fake fake = FAKE_INIT;
	struct sample sample;

	sample_fill(&sample, 1, 3, 10);
	sample.manifests[0].kind = DOCUMENT_INDEX;
	ck_assert_int_eq(sample_publish(&fake, &sample, NULL), 0);
	ck_assert_str_eq(fake.calls, "bmmirtr");
}
END_TEST

START_TEST(nothing_but_a_root)
{
	struct fake fake = FAKE_INIT;
	struct sample sample;

	sample_fill(&sample, 0, 0, 0);
	ck_assert_int_eq(sample_publish(&fake, &sample, NULL), 0);
	ck_assert_str_eq(fake.calls, "rtr");
}
END_TEST

static void assert_conflict(const struct error *err, const char *was, const char *is)
{
	ck_assert_int_eq(err->kind, ERROR_CONFLICT);
	ck_assert_ptr_nonnull(strstr(err->message, TAG));
	ck_assert_ptr_nonnull(strstr(err->message, was));
	ck_assert_ptr_nonnull(strstr(err->message, is));
}

START_TEST(moved_tag_is_a_conflict)
{
	struct fake fake = FAKE_INIT;
	struct error err = ERROR_INIT;
	struct sample sample;

	sample_fill(&sample, 1, 1, 10);
	sample.publication.base = sample.old;
	fake.tagged = sample.other;
	ck_assert_int_eq(sample_publish(&fake, &sample, &err), -1);
	assert_conflict(&err, sample.old.text, sample.other.text);
	ck_assert_str_eq(fake.calls, "bmr");
	ck_assert(digest_equal(&fake.tagged, &sample.other));
}
END_TEST

START_TEST(tag_that_appeared_or_went_is_a_conflict)
{
	struct fake fake = FAKE_INIT;
	struct error err = ERROR_INIT;
	struct sample sample;

	sample_fill(&sample, 0, 0, 0);
	fake.tagged = sample.other;
	ck_assert_int_eq(sample_publish(&fake, &sample, &err), -1);
	assert_conflict(&err, "not there", sample.other.text);
	error_clear(&err);
	sample.publication.base = sample.old;
	fake.tagged = (struct digest)DIGEST_NONE;
	ck_assert_int_eq(sample_publish(&fake, &sample, &err), -1);
	assert_conflict(&err, sample.old.text, "gone");
	ck_assert_str_eq(fake.calls, "rr");
}
END_TEST

START_TEST(moved_tag_is_found_before_much_is_sent)
{
	struct fake fake = FAKE_INIT;
	struct error err = ERROR_INIT;
	struct sample sample;

	sample_fill(&sample, 1, 1, LARGE);
	fake.tagged = sample.other;
	ck_assert_int_eq(sample_publish(&fake, &sample, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_CONFLICT);
	ck_assert_str_eq(fake.calls, "r");
}
END_TEST

START_TEST(much_is_sent_between_two_checks)
{
	struct fake fake = FAKE_INIT;
	struct sample sample;

	sample_fill(&sample, 2, 1, LARGE / 2);
	ck_assert_int_eq(sample_publish(&fake, &sample, NULL), 0);
	ck_assert_str_eq(fake.calls, "rbbmrtr");
}
END_TEST

START_TEST(tag_at_root_is_done)
{
	struct fake fake = FAKE_INIT;
	struct sample sample;

	sample_fill(&sample, 1, 1, 10);
	sample.publication.base = sample.old;
	fake.tagged = sample.root.digest;
	ck_assert_int_eq(sample_publish(&fake, &sample, NULL), 0);
	ck_assert_str_eq(fake.calls, "bmr");
	sample.blobs[0].source.size = LARGE;
	ck_assert_int_eq(sample_publish(&fake, &sample, NULL), 0);
	ck_assert_str_eq(fake.calls, "bmrr");
}
END_TEST

START_TEST(tag_is_moved_from_where_it_was)
{
	struct fake fake = FAKE_INIT;
	struct sample sample;

	sample_fill(&sample, 0, 0, 0);
	ck_assert_int_eq(sample_publish(&fake, &sample, NULL), 0);
	ck_assert(!digest_is_set(&fake.expected));
	sample.publication.base = fake.tagged = sample.old;
	ck_assert_int_eq(sample_publish(&fake, &sample, NULL), 0);
	ck_assert(digest_equal(&fake.expected, &sample.old));
}
END_TEST

START_TEST(overwritten_tag_is_found_by_reading_back)
{
	struct fake fake = FAKE_INIT;
	struct digest found;
	struct sample sample;

	sample_fill(&sample, 1, 1, 10);
	fake.overwritten = sample.other;
	ck_assert_int_eq(publish(&fake.store, &sample.publication, &found, NULL, NULL), 0);
	ck_assert_str_eq(found.text, sample.other.text);
	ck_assert_str_eq(fake.calls, "bmrtr");
}
END_TEST

START_TEST(atomic_tag_is_not_read_back)
{
	struct fake fake = FAKE_INIT;
	struct sample sample;

	sample_fill(&sample, 1, 1, 10);
	fake.store.atomic_tags = true;
	ck_assert_int_eq(sample_publish(&fake, &sample, NULL), 0);
	ck_assert_str_eq(fake.calls, "bmrt");
}
END_TEST

/* Writes down by "(" and ")" when it is its turn. */
static int take_turn(void *context, struct cancel *cancel, struct error *err)
{
	return call_begin(context, '(', cancel, err);
}

static void give_turn(void *context)
{
	call_begin(context, ')', NULL, NULL);
}

START_TEST(turn_is_held_from_look_to_look)
{
	struct fake fake = FAKE_INIT;
	struct error err = ERROR_INIT;
	struct sample sample;

	sample_fill(&sample, 2, 1, 10);
	sample.publication.turn_begin = take_turn;
	sample.publication.turn_end = give_turn;
	sample.publication.turn = &fake;
	ck_assert_int_eq(sample_publish(&fake, &sample, NULL), 0);
	ck_assert_str_eq(fake.calls, "bbm(rtr)");
	/* it is given back whatever happens, and who doesn't get it does nothing */
	fake.fail_at = 13;
	fake.tagged = (struct digest)DIGEST_NONE;
	ck_assert_int_eq(sample_publish(&fake, &sample, &err), -1);
	ck_assert_str_eq(fake.calls, "bbm(rtr)"
				     "bbm(r)");
	fake.fail_at = 18;
	ck_assert_int_eq(sample_publish(&fake, &sample, NULL), -1);
	ck_assert_str_eq(fake.calls, "bbm(rtr)"
				     "bbm(r)"
				     "bbm(");
}
END_TEST

START_TEST(blobs_are_sent_once_however_often_the_tag_moves)
{
	struct fake fake = FAKE_INIT;
	struct error err = ERROR_INIT;
	struct digest found;
	struct sample sample;

	sample_fill(&sample, 2, 1, LARGE);
	sample.publication.base = sample.old;
	fake.tagged = sample.other;
	ck_assert_int_eq(publish(&fake.store, &sample.publication, &found, NULL, NULL), -1);
	ck_assert(!sample.publication.blobs_sent);
	sample.publication.base = sample.other;
	fake.fail_at = 6; /* the second look at the tag */
	ck_assert_int_eq(publish(&fake.store, &sample.publication, &found, NULL, NULL), -1);
	ck_assert(sample.publication.blobs_sent);
	ck_assert_msg(publish(&fake.store, &sample.publication, &found, NULL, &err) == 0, "%s",
		err.message);
	ck_assert_str_eq(fake.calls, "r"
				     "rbbmr"
				     "mrtr");
}
END_TEST

START_TEST(error_of_resolve_is_no_missing_tag)
{
	struct fake fake = FAKE_INIT;
	struct error err = ERROR_INIT;
	struct sample sample;

	sample_fill(&sample, 0, 0, 0);
	error_set(&fake.tag_error, ERROR_DENIED, "who are you");
	ck_assert_int_eq(sample_publish(&fake, &sample, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_DENIED);
	ck_assert_str_eq(fake.calls, "r");
}
END_TEST

START_TEST(each_call_fails_in_turn)
{
	struct sample sample;
	const int last = (int)strlen("rbbbmmrtr");
	int failed = 0;

	sample_fill(&sample, 3, 2, LARGE);
	for (int n = 1;; n++) {
		struct fake fake = FAKE_INIT;
		struct error err = ERROR_INIT;

		sample.publication.base = fake.tagged = sample.old;
		fake.fail_at = n;
		if (sample_publish(&fake, &sample, &err) == 0)
			break;
		failed++;
		ck_assert_int_eq(err.kind, ERROR_SERVER);
		/* only the reading back comes after the tag */
		ck_assert_msg(
			digest_equal(&fake.tagged, n == last ? &sample.root.digest : &sample.old),
			"tagged after call %d", n);
	}
	ck_assert_int_eq(failed, last);
}
END_TEST

START_TEST(failed_blob_stops_the_rest)
{
	struct fake fake = FAKE_INIT;
	struct sample sample;

	sample_fill(&sample, 12, 2, 10);
	fake.fail_at = 1;
	ck_assert_int_eq(sample_publish(&fake, &sample, NULL), -1);
	ck_assert_int_lt(fake.count, 12);
	ck_assert_ptr_null(strchr(fake.calls, 'm'));
}
END_TEST

START_TEST(as_many_at_once_as_the_store_has_jobs)
{
	struct fake fake = FAKE_INIT;
	struct sample sample;

	sample_fill(&sample, 12, 1, 10);
	ck_assert_int_eq(sample_publish(&fake, &sample, NULL), 0);
	ck_assert_int_gt(fake.most, 1);
	ck_assert_int_le(fake.most, 3);
}
END_TEST

START_TEST(cancelled_and_read_only_tag_nothing)
{
	struct fake fake = FAKE_INIT;
	struct error err = ERROR_INIT;
	struct digest found;
	struct cancel cancel;
	struct sample sample;

	sample_fill(&sample, 1, 1, 10);
	cancel_init(&cancel);
	cancel_fire(&cancel);
	ck_assert_int_eq(publish(&fake.store, &sample.publication, &found, &cancel, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INTERRUPTED);
	ck_assert_str_eq(fake.calls, "b");
	cancel_destroy(&cancel);

	error_clear(&err);
	fake.store.read_only = true;
	ck_assert_int_eq(sample_publish(&fake, &sample, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_READ_ONLY);
	ck_assert_str_eq(fake.calls, "b");
}
END_TEST

static const char empty_index[] =
	"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX "\",\"manifests\":[]}";

START_TEST(root_by_digest_else_by_tag)
{
	struct fake fake = FAKE_INIT;
	struct error err = ERROR_INIT;
	struct reference reference = {.tag = (char[]){TAG}};
	struct document root = DOCUMENT_INIT;

	fake.text = empty_index;
	ck_assert_int_eq(resolve_root(&fake.store, &root, &reference, NULL, &err), 0);
	document_clear(&root);
	reference.digest = document_named(DOCUMENT_INDEX, "root").digest;
	ck_assert_int_eq(resolve_root(&fake.store, &root, &reference, NULL, &err), 0);
	document_clear(&root);
	ck_assert_str_eq(fake.calls, "gd");
	ck_assert_int_eq(
		resolve_root(&fake.store, &root, &(struct reference){.tag = NULL}, NULL, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
}
END_TEST

static enum error_kind entry_outcome(
	struct fake *fake, const char *media_type, const char *content, int64_t size, int calls)
{
	struct descriptor entry = DESCRIPTOR_INIT;
	struct document document = DOCUMENT_INIT;
	struct error err = ERROR_INIT;
	struct digest digest;

	digest_of_bytes(&digest, content, strlen(content));
	ck_assert_int_eq(descriptor_create(&entry, media_type, &digest, size, &err), 0);
	fake->count = 0;
	if (resolve_entry(&fake->store, &document, &entry, NULL, &err))
		ck_assert_ptr_null(document.json);
	ck_assert_int_eq(fake->count, calls);
	document_clear(&document);
	descriptor_clear(&entry);
	return err.kind;
}

START_TEST(entry_agrees_with_its_document)
{
	struct fake fake = FAKE_INIT;
	const int64_t size = sizeof(empty_index) - 1;

	fake.text = empty_index;
	ck_assert_int_eq(entry_outcome(&fake, MEDIA_TYPE_INDEX, empty_index, size, 1), ERROR_NONE);
	ck_assert_int_eq(
		entry_outcome(&fake, MEDIA_TYPE_INDEX, empty_index, size - 1, 1), ERROR_CORRUPT);
	ck_assert_int_eq(entry_outcome(&fake, MEDIA_TYPE_INDEX, "{}", size, 1), ERROR_CORRUPT);
	ck_assert_int_eq(
		entry_outcome(&fake, MEDIA_TYPE_MANIFEST, empty_index, size, 1), ERROR_CORRUPT);
	ck_assert_int_eq(
		entry_outcome(&fake, MEDIA_TYPE_INDEX, empty_index, 5 << 20, 0), ERROR_TOO_LARGE);
}
END_TEST

static enum error_kind blob_outcome(
	struct fake *fake, const char *content, int64_t size, size_t limit)
{
	struct descriptor descriptor = DESCRIPTOR_INIT;
	struct buf out = BUF_INIT(limit);
	struct error err = ERROR_INIT;
	struct digest digest;

	digest_of_bytes(&digest, content, strlen(content));
	ck_assert_int_eq(descriptor_create(&descriptor, MEDIA_TYPE_OCTETS, &digest, size, &err), 0);
	if (store_blob_read(&fake->store, &out, &descriptor, NULL, &err))
		ck_assert_uint_eq(out.len, 0);
	else
		ck_assert_str_eq(out.data ? out.data : "", content);
	buf_free(&out);
	descriptor_clear(&descriptor);
	return err.kind;
}

START_TEST(small_blob_is_read_whole_and_checked)
{
	struct fake fake = FAKE_INIT;

	fake.text = "config";
	ck_assert_int_eq(blob_outcome(&fake, "config", 6, 6), ERROR_NONE);
	ck_assert_int_eq(blob_outcome(&fake, "config", 6, 5), ERROR_TOO_LARGE);
	ck_assert_int_eq(blob_outcome(&fake, "confug", 6, 6), ERROR_CORRUPT);
	ck_assert_int_ne(blob_outcome(&fake, "conf", 4, 4), ERROR_NONE);
	fake.skip = 1;
	ck_assert_int_eq(blob_outcome(&fake, "config", 6, 6), ERROR_PROTOCOL);
	fake.skip = 0;
	fake.text = "";
	ck_assert_int_eq(blob_outcome(&fake, "", 0, 0), ERROR_NONE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("publish");
	TCase *writing = tcase_create("write pipeline");
	TCase *reading = tcase_create("read pipeline");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(writing, blobs_then_manifests_then_tag);
	tcase_add_test(writing, append_costs_one_call_each);
	tcase_add_test(writing, nested_index_after_its_manifests);
	tcase_add_test(writing, nothing_but_a_root);
	tcase_add_test(writing, moved_tag_is_a_conflict);
	tcase_add_test(writing, tag_that_appeared_or_went_is_a_conflict);
	tcase_add_test(writing, moved_tag_is_found_before_much_is_sent);
	tcase_add_test(writing, much_is_sent_between_two_checks);
	tcase_add_test(writing, tag_at_root_is_done);
	tcase_add_test(writing, tag_is_moved_from_where_it_was);
	tcase_add_test(writing, overwritten_tag_is_found_by_reading_back);
	tcase_add_test(writing, atomic_tag_is_not_read_back);
	tcase_add_test(writing, turn_is_held_from_look_to_look);
	tcase_add_test(writing, blobs_are_sent_once_however_often_the_tag_moves);
	tcase_add_test(writing, error_of_resolve_is_no_missing_tag);
	tcase_add_test(writing, each_call_fails_in_turn);
	tcase_add_test(writing, failed_blob_stops_the_rest);
	tcase_add_test(writing, as_many_at_once_as_the_store_has_jobs);
	tcase_add_test(writing, cancelled_and_read_only_tag_nothing);
	tcase_add_test(reading, root_by_digest_else_by_tag);
	tcase_add_test(reading, entry_agrees_with_its_document);
	tcase_add_test(reading, small_blob_is_read_whole_and_checked);
	suite_add_tcase(suite, writing);
	suite_add_tcase(suite, reading);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
