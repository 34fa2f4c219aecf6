#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fs/cache/block_map.h"
#include "fs/cache/cache.h"
#include "patience.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define CHUNK (16 * KIB)
#define NEVER UINT64_MAX

/* A store with one content for every digest, that counts and misbehaves as it's told. */
struct fake {
	struct store store;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	_Atomic uint64_t seed;
	atomic_int local_fd; /* what blob_open gives; -1: nothing */

	atomic_bool rangeless;
	_Atomic uint64_t corrupt_at; /* this byte is wrong */
	atomic_bool corrupt_once;
	_Atomic uint64_t stall_at; /* wait before this offset until released or cancelled */
	atomic_int fail; /* so many calls more fail halfway */
	_Atomic uint64_t lose, add; /* bytes fewer or more than asked for */
	_Atomic uint64_t shift; /* first offset told wrongly by so much */
	atomic_uint delay; /* microseconds before each chunk */

	atomic_uint requests, active, active_max, stalled;
	_Atomic uint64_t bytes, largest;
};

static char folder[40];
static char area[192];
static struct pool *pool;
static struct fake fake;
static struct cache *cache;

/* The content, eight bytes at a time: it's made more often than anything else is done here. */
static uint64_t word_at(uint64_t seed, uint64_t number)
{
	uint64_t x = (number + seed) * 0x9e3779b97f4a7c15U;

	x ^= x >> 29;
	return x * 0xbf58476d1ce4e5b9U;
}

static void fill(unsigned char *out, uint64_t offset, size_t len)
{
	uint64_t seed = fake.seed;

	for (; len > 0 && offset % 8; len--)
		*out++ = (unsigned char)(word_at(seed, offset / 8) >> (offset % 8 * 8)), offset++;
	for (; len >= 8; len -= 8, out += 8, offset += 8) {
		uint64_t word = word_at(seed, offset / 8);

		memcpy(out, &word, 8);
	}
	for (; len > 0; len--)
		*out++ = (unsigned char)(word_at(seed, offset / 8) >> (offset % 8 * 8)), offset++;
}

static void fake_cancelled(void *context)
{
	struct fake *self = context;

	pthread_mutex_lock(&self->lock);
	self->stall_at = NEVER;
	pthread_cond_broadcast(&self->changed);
	pthread_mutex_unlock(&self->lock);
}

static void fake_stall(struct fake *self, uint64_t end)
{
	pthread_mutex_lock(&self->lock);
	self->stalled++;
	pthread_cond_broadcast(&self->changed);
	while (end > self->stall_at)
		pthread_cond_wait(&self->changed, &self->lock);
	self->stalled--;
	pthread_mutex_unlock(&self->lock);
}

static void fake_release(void)
{
	fake_cancelled(&fake);
}

static void fake_await_stalled(unsigned count)
{
	pthread_mutex_lock(&fake.lock);
	while (fake.stalled < count)
		pthread_cond_wait(&fake.changed, &fake.lock);
	pthread_mutex_unlock(&fake.lock);
}

static int fake_send(struct fake *self, uint64_t offset, size_t len, const struct store_sink *sink,
	struct error *err)
{
	unsigned char bytes[CHUNK];

	if (self->delay)
		usleep(self->delay);
	fake_stall(self, offset + len);
	fill(bytes, offset, len);
	if (self->corrupt_at >= offset && self->corrupt_at - offset < len) {
		bytes[self->corrupt_at - offset] ^= 1;
		if (self->corrupt_once)
			self->corrupt_at = NEVER;
	}
	pthread_mutex_lock(&self->lock);
	self->bytes += len;
	pthread_mutex_unlock(&self->lock);
	return sink->write(sink->context, offset + self->shift, bytes, len, err);
}

static bool fake_begin(struct fake *self, uint64_t len)
{
	pthread_mutex_lock(&self->lock);
	self->requests++;
	if (++self->active > self->active_max)
		self->active_max = self->active;
	if (len > self->largest)
		self->largest = len;
	bool fail = self->fail > 0;
	if (fail)
		self->fail--;
	pthread_mutex_unlock(&self->lock);
	return fail;
}

static int fake_blob_get(struct store *store, const struct digest *digest, int64_t size,
	uint64_t offset, uint64_t length, const struct store_sink *sink, struct cancel *cancel,
	struct error *err)
{
	struct fake *self = (struct fake *)store;
	struct cancel_watch watch = {.fired = fake_cancelled, .context = self};
	bool fail = fake_begin(self, length);
	bool watched = !cancel_watch(cancel, &watch);
	uint64_t end = offset + length;
	int result = 0;

	(void)digest;
	if (self->rangeless) {
		offset = 0;
		end = (uint64_t)size;
	}
	end = end - self->lose + self->add;
	uint64_t fail_at = offset + (end - offset) / 2;
	while (result == 0 && offset < end) {
		uint64_t len = end - offset < CHUNK ? end - offset : CHUNK;

		if (fail && offset >= fail_at)
			result = error_set_http(err, ERROR_SERVER, 503, "out of order");
		else if (!watched || cancel_fired(cancel))
			result = error_set(err, ERROR_INTERRUPTED, "cancelled");
		else
			result = fake_send(self, offset, len, sink, err);
		offset += len;
	}
	if (watched)
		cancel_unwatch(cancel, &watch);
	pthread_mutex_lock(&self->lock);
	self->active--;
	pthread_mutex_unlock(&self->lock);
	return result;
}

static int fake_blob_open(
	struct store *store, const struct digest *digest, int64_t size, struct error *err)
{
	struct fake *self = (struct fake *)store;

	(void)digest;
	(void)size;
	(void)err;
	return self->local_fd < 0 ? -1 : fcntl(self->local_fd, F_DUPFD_CLOEXEC, 0);
}

static const struct store_ops fake_ops = {
	.blob_get = fake_blob_get,
	.blob_open = fake_blob_open,
};

static void open_with(int64_t limit, enum cache_verify verify)
{
	struct error err = ERROR_INIT;

	ck_assert_msg(cache_open(&cache, area, limit, verify, &fake.store, pool, NULL, &err) == 0,
		"%s", err.message);
}

static void reopen_with(int64_t limit, enum cache_verify verify)
{
	cache_close(cache);
	open_with(limit, verify);
}

static void setup(void)
{
	strcpy(folder, "/tmp/test_fs_cache.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(area, sizeof(area), "%s/deep/cache", folder);
	ck_assert_int_eq(pool_new(&pool, 24, NULL), 0);
	fake = (struct fake){.store = {.ops = &fake_ops, .jobs = 8},
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
		.local_fd = -1,
		.corrupt_at = NEVER,
		.stall_at = NEVER};
	open_with(INT64_MAX, CACHE_VERIFY_FULL);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void teardown(void)
{
	cache_close(cache);
	ck_assert_uint_eq(fake.active, 0);
	pool_free(pool);
	ck_assert_int_eq(nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* The digest of the first size bytes of the content. */
static struct digest digest_of(uint64_t size, const struct digest *like)
{
	struct hasher *hasher = hasher_new(like);
	unsigned char bytes[CHUNK];
	struct digest digest;

	for (uint64_t at = 0; at < size; at += CHUNK) {
		size_t len = size - at < CHUNK ? (size_t)(size - at) : CHUNK;

		fill(bytes, at, len);
		hasher_update(hasher, bytes, len);
	}
	hasher_digest(hasher, &digest);
	hasher_free(hasher);
	return digest;
}

static struct digest any_digest(char with)
{
	struct digest digest = {.text = "sha256:"};

	memset(digest.text + 7, with, SHA256_HEX_LEN);
	return digest;
}

static struct blob *blob_of(const struct digest *digest, uint64_t size)
{
	struct blob *blob = cache_blob(cache, digest, (int64_t)size, NULL);

	ck_assert_ptr_nonnull(blob);
	return blob;
}

/* A read that can be waited for. */
struct reading {
	struct blob_read read;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int answers;
	size_t len;
	unsigned char *bytes; /* read within done() */
	ssize_t got;
	struct error err;
};

static void reading_done(struct blob_read *read, int fd, size_t len, const struct error *err)
{
	struct reading *reading = (struct reading *)read;

	pthread_mutex_lock(&reading->lock);
	reading->answers++;
	reading->len = len;
	if (err)
		error_copy(&reading->err, err);
	if (len > 0) {
		reading->bytes = malloc(len);
		reading->got = pread(fd, reading->bytes, len, (off_t)read->offset);
	}
	pthread_cond_signal(&reading->changed);
	pthread_mutex_unlock(&reading->lock);
}

static void reading_start(struct reading *reading, struct blob *blob, struct blob_cursor *cursor,
	uint64_t offset, size_t len)
{
	*reading = (struct reading){.read = {.offset = offset, .len = len, .done = reading_done},
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER};
	blob_read(blob, cursor, &reading->read);
}

static bool reading_is_answered(struct reading *reading)
{
	pthread_mutex_lock(&reading->lock);
	bool answered = reading->answers > 0;
	pthread_mutex_unlock(&reading->lock);
	return answered;
}

/* Waits for the answer and compares the bytes: the kind of its error. */
static enum error_kind reading_end(struct reading *reading)
{
	pthread_mutex_lock(&reading->lock);
	while (!reading->answers)
		pthread_cond_wait(&reading->changed, &reading->lock);
	pthread_mutex_unlock(&reading->lock);
	ck_assert_int_eq(reading->answers, 1);
	if (reading->len == 0)
		return reading->err.kind;
	ck_assert_int_eq(reading->got, (ssize_t)reading->len);
	unsigned char *want = malloc(reading->len);
	fill(want, reading->read.offset, reading->len);
	bool same = memcmp(reading->bytes, want, reading->len) == 0;
	free(want);
	free(reading->bytes);
	reading->bytes = NULL;
	ck_assert_msg(same, "wrong bytes at %llu", (unsigned long long)reading->read.offset);
	return reading->err.kind;
}

static enum error_kind read_at(
	struct blob *blob, struct blob_cursor *cursor, uint64_t offset, size_t len)
{
	struct reading reading;

	reading_start(&reading, blob, cursor, offset, len);
	return reading_end(&reading);
}

static void read_all(struct blob *blob, uint64_t size, size_t step)
{
	struct blob_cursor cursor = {0};

	for (uint64_t at = 0; at < size; at += step)
		ck_assert_int_eq(read_at(blob, &cursor, at, step), ERROR_NONE);
}

static bool can_fetch(struct blob *blob)
{
	int fd = blob_fetch(blob, NULL, NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void path_of(char out[static 512], const struct digest *digest)
{
	snprintf(out, 512, "%s/blobs/%.6s/%s", area, digest->text, digest_encoded(digest));
}

static bool on_disk(const struct digest *digest)
{
	char path[512];

	path_of(path, digest);
	return access(path, F_OK) == 0;
}

static void put_file(const struct digest *digest, uint64_t size, uint64_t wrong_at)
{
	char path[512];
	unsigned char *bytes = malloc(size);

	fill(bytes, 0, size);
	if (wrong_at < size)
		bytes[wrong_at] ^= 1;
	path_of(path, digest);
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0400);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
	free(bytes);
}

START_TEST(test_block_map)
{
	struct block_map map;

	ck_assert_int_eq(block_map_init(&map, 16 * KIB * 200 + 5), 0);
	ck_assert_uint_eq(map.count, 201);
	ck_assert(!block_map_add(&map, 1, 16 * KIB + 1));
	ck_assert(block_map_add(&map, 16 * KIB - 1, 16 * KIB * 180 + 1));
	ck_assert(!block_map_add(&map, 16 * KIB, 32 * KIB));
	ck_assert(!block_map_here(&map, 16 * KIB - 1));
	ck_assert(block_map_here(&map, 16 * KIB));
	ck_assert_uint_eq(block_map_skip(&map, 3, true), 3);
	ck_assert_uint_eq(block_map_skip(&map, 3, false), 16 * KIB);
	ck_assert_uint_eq(block_map_skip(&map, 17 * KIB, true), 16 * KIB * 180);
	ck_assert_uint_eq(block_map_skip(&map, 16 * KIB * 190, false), map.size);
	ck_assert_uint_eq(block_map_ceiling(&map, map.size - 1), map.size);
	ck_assert(block_map_add(&map, 16 * KIB * 180, map.size));
	ck_assert_uint_eq(map.missing, 1);
	block_map_clear(&map);
	/* A size that somebody made up takes no more memory than any other. */
	ck_assert_int_eq(block_map_init(&map, INT64_MAX), 0);
	ck_assert_uint_le(map.count, 1 << 20);
	ck_assert_uint_eq(block_map_ceiling(&map, INT64_MAX - 1), INT64_MAX);
	block_map_clear(&map);
}
END_TEST

START_TEST(test_small_blob_is_kept)
{
	uint64_t size = 100 * KIB + 3;
	struct digest digest = digest_of(size, NULL);
	struct blob *blob = blob_of(&digest, size);
	struct stat st;
	char path[512];

	ck_assert(!blob_is_local(blob));
	ck_assert_int_eq(read_at(blob, NULL, 50 * KIB, 4096), ERROR_NONE);
	ck_assert_uint_eq(fake.requests, 1);
	ck_assert_uint_eq(fake.bytes, size);
	ck_assert(blob_is_local(blob));
	read_all(blob, size, 5000);
	await(on_disk(&digest));
	path_of(path, &digest);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0400);
	ck_assert_int_eq(stat(area, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	blob_put_back(blob);

	reopen_with(INT64_MAX, CACHE_VERIFY_FULL);
	blob = blob_of(&digest, size);
	ck_assert(blob_is_local(blob));
	read_all(blob, size, 64 << 10);
	blob_put_back(blob);
	ck_assert_uint_eq(fake.requests, 1);
}
END_TEST

START_TEST(test_reads_at_the_end)
{
	uint64_t size = 10000;
	struct digest digest = digest_of(size, NULL);
	struct blob *blob = blob_of(&digest, size);
	struct reading reading;

	ck_assert_int_eq(read_at(blob, NULL, size, 4096), ERROR_NONE);
	ck_assert_uint_eq(fake.requests, 0);
	reading_start(&reading, blob, NULL, 9000, 4096);
	ck_assert_int_eq(reading_end(&reading), ERROR_NONE);
	ck_assert_uint_eq(reading.len, 1000);
	reading_start(&reading, blob, NULL, UINT64_MAX - 5, 4096);
	ck_assert_int_eq(reading_end(&reading), ERROR_NONE);
	ck_assert_uint_eq(reading.len, 0);
	blob_put_back(blob);
}
END_TEST

START_TEST(test_empty_blob)
{
	struct digest digest = digest_of(0, NULL);
	struct blob *blob = blob_of(&digest, 0);
	int fd = blob_fetch(blob, NULL, NULL);
	struct stat st;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_size, 0);
	close(fd);
	blob_put_back(blob);
}
END_TEST

/* Damaged on its way once: fetched again before anybody has a byte of it. */
START_TEST(test_small_blob_is_fetched_once_more)
{
	uint64_t size = 5 * MIB;
	struct digest digest = digest_of(size, NULL);
	struct blob *blob = blob_of(&digest, size);

	fake.corrupt_at = 5 * MIB - 1;
	fake.corrupt_once = true;
	ck_assert_int_eq(read_at(blob, NULL, 0, 4096), ERROR_NONE);
	read_all(blob, size, 100000);
	ck_assert_uint_eq(fake.requests, 2);
	ck_assert(on_disk(&digest));
	blob_put_back(blob);
}
END_TEST

START_TEST(test_small_corrupt_blob_gives_no_byte)
{
	uint64_t size = 5 * MIB;
	struct digest digest = digest_of(size, NULL);
	struct blob *blob = blob_of(&digest, size);

	fake.corrupt_at = 5 * MIB - 1;
	ck_assert_int_eq(read_at(blob, NULL, 0, 4096), ERROR_CORRUPT);
	blob_put_back(blob);
	/* Poisoned for the mount, though the store would do better now. */
	fake.corrupt_at = NEVER;
	blob = blob_of(&digest, size);
	ck_assert_int_eq(read_at(blob, NULL, 0, 4096), ERROR_CORRUPT);
	ck_assert_uint_eq(fake.requests, 2);
	ck_assert(!on_disk(&digest));
	blob_put_back(blob);
	reopen_with(INT64_MAX, CACHE_VERIFY_FULL);
	blob = blob_of(&digest, size);
	ck_assert_int_eq(read_at(blob, NULL, 0, 4096), ERROR_NONE);
	blob_put_back(blob);
}
END_TEST

static const uint64_t sequential_sizes[] = {20 * MIB + 77, 100 * MIB + 77};

START_TEST(test_sequential_reader)
{
	uint64_t size = sequential_sizes[_i];
	struct digest digest = digest_of(size, NULL);
	struct blob *blob = blob_of(&digest, size);

	read_all(blob, size, 128 << 10);
	ck_assert_uint_eq(fake.bytes, size);
	ck_assert_uint_lt(fake.requests, 16);
	ck_assert_uint_le(fake.largest, 32 * MIB);
	await(on_disk(&digest));
	blob_put_back(blob);
}
END_TEST

/* The network never idles: the next range is asked for before the last one has been read. */
START_TEST(test_next_window_is_asked_early)
{
	struct digest digest = any_digest('a');
	struct blob *blob = blob_of(&digest, 1024 * MIB);
	struct blob_cursor cursor = {0};

	fake.stall_at = 20 * MIB;
	for (uint64_t at = 0; at < 10 * MIB; at += 128 * KIB)
		ck_assert_int_eq(read_at(blob, &cursor, at, 128 * KIB), ERROR_NONE);
	await(fake.bytes > 15 * MIB);
	fake_release();
	blob_put_back(blob);
}
END_TEST

START_TEST(test_first_and_last_bytes)
{
	struct digest first = any_digest('b'), last = any_digest('c');
	uint64_t size = 1024 * MIB;
	struct blob *blob = blob_of(&first, size);
	struct blob_cursor cursor = {0};

	/* As the kernel reads ahead. */
	ck_assert_int_eq(read_at(blob, &cursor, 0, 16 * KIB), ERROR_NONE);
	ck_assert_int_eq(read_at(blob, &cursor, 16 * KIB, 128 * KIB), ERROR_NONE);
	await(fake.requests == 2 && fake.active == 0);
	ck_assert_uint_le(fake.bytes, MIB);
	blob_put_back(blob);

	fake.bytes = 0;
	cursor = (struct blob_cursor){0};
	blob = blob_of(&last, size);
	ck_assert_int_eq(read_at(blob, &cursor, size - 64 * KIB, 64 * KIB), ERROR_NONE);
	ck_assert_uint_eq(fake.requests, 3);
	ck_assert_uint_le(fake.bytes, 128 * KIB);
	blob_put_back(blob);
}
END_TEST

START_TEST(test_random_reader)
{
	struct digest digest = any_digest('d');
	struct blob *blob = blob_of(&digest, 1024 * MIB);
	struct blob_cursor cursor = {0};

	for (unsigned i = 0; i < 100; i++) {
		uint64_t offset = (i * 104729U + 50) % 1000 * MIB + 8 * KIB;

		ck_assert_int_eq(read_at(blob, &cursor, offset, 4096), ERROR_NONE);
	}
	ck_assert_uint_le(fake.bytes, 64 * KIB * 100);
	ck_assert_uint_le(fake.requests, 100);

	/* A sequential reader that jumps has no window any more. */
	cursor = (struct blob_cursor){0};
	for (uint64_t at = 0; at < 4 * MIB; at += 128 * KIB)
		ck_assert_int_eq(read_at(blob, &cursor, at, 128 * KIB), ERROR_NONE);
	ck_assert_int_eq(read_at(blob, &cursor, 777 * MIB, 4096), ERROR_NONE);
	ck_assert_uint_eq(cursor.window, 0);
	blob_put_back(blob);
}
END_TEST

START_TEST(test_what_was_read_is_kept_when_closed)
{
	struct digest digest = any_digest('e');
	struct blob *blob = blob_of(&digest, 1024 * MIB);

	ck_assert_int_eq(read_at(blob, NULL, 500 * MIB, 128 * KIB), ERROR_NONE);
	blob_put_back(blob);
	await(fake.active == 0);
	blob = blob_of(&digest, 1024 * MIB);
	ck_assert_int_eq(read_at(blob, NULL, 500 * MIB, 128 * KIB), ERROR_NONE);
	ck_assert_uint_eq(fake.requests, 1);
	blob_put_back(blob);
}
END_TEST

START_TEST(test_one_fetch_serves_many)
{
	uint64_t size = 64 * MIB;
	struct digest digest = any_digest('f');
	struct blob *blob = blob_of(&digest, size);
	struct reading readings[16];

	fake.stall_at = 0;
	for (int i = 0; i < 16; i++)
		reading_start(&readings[i], blob, NULL, 20 * MIB + (uint64_t)i % 4 * KIB, 8192);
	fake_await_stalled(1);
	fake_release();
	for (int i = 0; i < 16; i++)
		ck_assert_int_eq(reading_end(&readings[i]), ERROR_NONE);
	ck_assert_uint_eq(fake.requests, 1);
	blob_put_back(blob);
}
END_TEST

START_TEST(test_readers_wake_as_bytes_arrive)
{
	struct digest digest = any_digest('1');
	struct blob *blob = blob_of(&digest, 64 * MIB);
	struct blob_cursor cursor = {0};
	struct reading first, second;

	fake.stall_at = 128 * KIB;
	reading_start(&first, blob, &cursor, 0, 64 * KIB);
	ck_assert_int_eq(reading_end(&first), ERROR_NONE);
	reading_start(&second, blob, &cursor, 192 * KIB, 64 * KIB);
	fake_await_stalled(1);
	ck_assert(!reading_is_answered(&second));
	fake_release();
	ck_assert_int_eq(reading_end(&second), ERROR_NONE);
	blob_put_back(blob);
}
END_TEST

START_TEST(test_jumping_reader_isnt_kept_waiting)
{
	struct digest digest = any_digest('2');
	struct blob *blob = blob_of(&digest, 1024 * MIB);
	struct reading stuck, far;

	/* The far read has bytes below the stalled offset only. */
	fake.stall_at = 600 * MIB;
	reading_start(&stuck, blob, NULL, 700 * MIB, 4096);
	fake_await_stalled(1);
	reading_start(&far, blob, NULL, 100 * MIB, 4096);
	ck_assert_int_eq(reading_end(&far), ERROR_NONE);
	ck_assert(!reading_is_answered(&stuck));
	fake_release();
	ck_assert_int_eq(reading_end(&stuck), ERROR_NONE);
	blob_put_back(blob);
}
END_TEST

START_TEST(test_store_without_ranges)
{
	uint64_t size = 12 * MIB + 9;
	struct digest digest = digest_of(size, NULL);
	struct blob *blob = blob_of(&digest, size);

	fake.rangeless = true;
	ck_assert_int_eq(read_at(blob, NULL, 8 * MIB, 4096), ERROR_NONE);
	read_all(blob, size, 100000);
	ck_assert_uint_eq(fake.requests, 1);
	ck_assert_uint_eq(fake.bytes, size);
	await(on_disk(&digest));
	blob_put_back(blob);
}
END_TEST

START_TEST(test_sequential_reader_without_ranges)
{
	uint64_t size = 12 * MIB + 9;
	struct digest digest = digest_of(size, NULL);
	struct blob *blob = blob_of(&digest, size);

	fake.rangeless = true;
	fake.delay = 20;
	read_all(blob, size, 128 << 10);
	ck_assert_uint_le(fake.requests, 3);
	ck_assert_uint_lt(fake.bytes, size + 2 * MIB);
	await(on_disk(&digest));
	blob_put_back(blob);
}
END_TEST

/* Both begin before either can tell that the store has no ranges. */
START_TEST(test_two_readers_without_ranges)
{
	uint64_t size = 12 * MIB;
	struct digest digest = digest_of(size, NULL);
	struct blob *blob = blob_of(&digest, size);
	struct reading first, second;

	fake.rangeless = true;
	fake.stall_at = 0;
	reading_start(&first, blob, NULL, 4 * MIB, 4096);
	reading_start(&second, blob, NULL, 8 * MIB, 4096);
	fake_await_stalled(2);
	fake_release();
	ck_assert_int_eq(reading_end(&first), ERROR_NONE);
	ck_assert_int_eq(reading_end(&second), ERROR_NONE);
	ck_assert(can_fetch(blob));
	ck_assert_uint_eq(fake.requests, 2);
	ck_assert_uint_le(fake.bytes, size + MIB);
	blob_put_back(blob);
}
END_TEST

START_TEST(test_what_was_given_never_changes)
{
	uint64_t size = 30 * MIB;
	struct digest digest = any_digest('e');
	struct blob *blob = blob_of(&digest, size);

	ck_assert_int_eq(read_at(blob, NULL, 20 * MIB, 4096), ERROR_NONE);
	/* The store changes its mind about ranges and about the content. */
	fake.rangeless = true;
	fake.seed = 1;
	ck_assert_int_eq(read_at(blob, NULL, 25 * MIB, 4096), ERROR_NONE);
	fake.seed = 0;
	ck_assert_int_eq(read_at(blob, NULL, 20 * MIB, 4096), ERROR_NONE);
	blob_put_back(blob);
}
END_TEST

START_TEST(test_nobody_reads_a_store_without_ranges)
{
	struct digest digest = any_digest('3');
	struct blob *blob = blob_of(&digest, 1024 * MIB);

	fake.rangeless = true;
	ck_assert_int_eq(read_at(blob, NULL, 0, 4096), ERROR_NONE);
	blob_put_back(blob);
	await(fake.active == 0);
	ck_assert_uint_lt(fake.bytes, 200 * MIB);
}
END_TEST

START_TEST(test_failure_isnt_sticky)
{
	struct digest digest = any_digest('4');
	struct blob *blob = blob_of(&digest, 64 * MIB);
	struct reading reading;

	fake.fail = 1;
	reading_start(&reading, blob, NULL, 10 * MIB, 64 * KIB);
	ck_assert_int_eq(reading_end(&reading), ERROR_SERVER);
	ck_assert_int_eq(reading.err.status, 503);
	ck_assert_int_eq(read_at(blob, NULL, 10 * MIB, 64 * KIB), ERROR_NONE);
	/* The half that came wasn't asked for again. */
	ck_assert_uint_eq(fake.bytes, 64 * KIB);
	blob_put_back(blob);
}
END_TEST

START_TEST(test_failed_read_ahead_fails_nobody)
{
	struct digest digest = any_digest('5');
	struct blob *blob = blob_of(&digest, 64 * MIB);
	struct blob_cursor cursor = {0};

	fake.fail = 1;
	ck_assert_int_eq(read_at(blob, &cursor, 0, 4096), ERROR_NONE);
	await(fake.active == 0);
	for (uint64_t at = 4096; at < MIB; at += 4096)
		ck_assert_int_eq(read_at(blob, &cursor, at, 4096), ERROR_NONE);
	blob_put_back(blob);
}
END_TEST

START_TEST(test_wrong_lengths)
{
	struct digest digest = any_digest('6'), small = any_digest('7');
	struct blob *blob = blob_of(&digest, 64 * MIB);

	fake.lose = 1;
	ck_assert_int_eq(read_at(blob, NULL, MIB, 4096), ERROR_CORRUPT);
	fake.lose = 0;
	fake.add = 1;
	/* What came before the byte too many is good. */
	ck_assert_int_eq(read_at(blob, NULL, 2 * MIB, 4096), ERROR_NONE);
	await(fake.active == 0);
	fake.add = 0;
	fake.shift = 3;
	ck_assert_int_eq(read_at(blob, NULL, 3 * MIB, 4096), ERROR_PROTOCOL);
	fake.shift = 0;
	ck_assert_int_eq(read_at(blob, NULL, 3 * MIB, 4096), ERROR_NONE);
	blob_put_back(blob);

	blob = blob_of(&small, 1000);
	fake.add = 1;
	ck_assert_int_eq(read_at(blob, NULL, 0, 100), ERROR_CORRUPT);
	blob_put_back(blob);
}
END_TEST

START_TEST(test_size_made_up)
{
	struct digest digest = any_digest('8');
	struct blob *blob = blob_of(&digest, INT64_MAX);
	struct error err = ERROR_INIT;

	fake.fail = 1;
	fake.lose = INT64_MAX / 2 - 3;
	ck_assert_int_ne(read_at(blob, NULL, INT64_MAX - 10, 4096), ERROR_NONE);
	blob_put_back(blob);
	ck_assert_ptr_null(cache_blob(cache, &digest, -1, &err));
	ck_assert_int_eq(err.kind, ERROR_CORRUPT);
}
END_TEST

START_TEST(test_one_digest_two_sizes)
{
	uint64_t size = 1000;
	struct digest digest = digest_of(size, NULL);
	struct blob *good = blob_of(&digest, size), *bad = blob_of(&digest, size + 1);

	ck_assert_int_eq(read_at(good, NULL, 0, 100), ERROR_NONE);
	ck_assert_int_eq(read_at(bad, NULL, 0, 100), ERROR_CORRUPT);
	ck_assert_int_eq(read_at(good, NULL, 0, 100), ERROR_NONE);
	blob_put_back(good);
	blob_put_back(bad);
}
END_TEST

START_TEST(test_cancelled_read)
{
	struct digest digest = any_digest('9');
	struct blob *blob = blob_of(&digest, 64 * MIB);
	struct reading gone, stays;

	fake.stall_at = 0;
	reading_start(&gone, blob, NULL, 10 * MIB, 4096);
	reading_start(&stays, blob, NULL, 10 * MIB, 4096);
	fake_await_stalled(1);
	blob_read_cancel(blob, &gone.read);
	ck_assert(reading_is_answered(&gone));
	ck_assert_int_eq(reading_end(&gone), ERROR_INTERRUPTED);
	blob_read_cancel(blob, &gone.read);
	ck_assert(!reading_is_answered(&stays));
	fake_release();
	ck_assert_int_eq(reading_end(&stays), ERROR_NONE);
	ck_assert_int_eq(gone.answers, 1);
	blob_put_back(blob);
}
END_TEST

START_TEST(test_close_ends_transfers)
{
	struct digest digest = any_digest('a');
	struct blob *blob = blob_of(&digest, 64 * MIB);
	struct reading reading;

	fake.stall_at = 0;
	reading_start(&reading, blob, NULL, 0, 4096);
	fake_await_stalled(1);
	blob_read_cancel(blob, &reading.read);
	blob_put_back(blob);
	reopen_with(INT64_MAX, CACHE_VERIFY_FULL);
	ck_assert_uint_eq(fake.active, 0);
}
END_TEST

START_TEST(test_large_corrupt_blob_is_poisoned)
{
	uint64_t size = 10 * MIB;
	struct digest digest = digest_of(size, NULL);
	struct blob *blob = blob_of(&digest, size);

	fake.corrupt_at = 9 * MIB + 7;
	ck_assert_int_eq(read_at(blob, NULL, 0, 4096), ERROR_NONE);
	ck_assert_int_eq(blob_fetch(blob, NULL, NULL), -1);
	ck_assert_int_eq(read_at(blob, NULL, 0, 4096), ERROR_CORRUPT);
	blob_put_back(blob);
	blob = blob_of(&digest, size);
	ck_assert_int_eq(read_at(blob, NULL, 0, 4096), ERROR_CORRUPT);
	ck_assert(!on_disk(&digest));
	blob_put_back(blob);
}
END_TEST

START_TEST(test_strict)
{
	uint64_t size = 10 * MIB;
	struct digest digest = digest_of(size, NULL);
	struct reading reading;

	reopen_with(INT64_MAX, CACHE_VERIFY_STRICT);
	struct blob *blob = blob_of(&digest, size);
	fake.stall_at = size - 1;
	reading_start(&reading, blob, NULL, 0, 4096);
	fake_await_stalled(1);
	usleep(20000);
	ck_assert(!reading_is_answered(&reading));
	fake_release();
	ck_assert_int_eq(reading_end(&reading), ERROR_NONE);
	ck_assert_uint_eq(fake.bytes, size);
	blob_put_back(blob);
}
END_TEST

START_TEST(test_strict_gives_no_bad_byte)
{
	uint64_t size = 10 * MIB;
	struct digest digest = digest_of(size, NULL);

	reopen_with(INT64_MAX, CACHE_VERIFY_STRICT);
	struct blob *blob = blob_of(&digest, size);
	fake.corrupt_at = size - 1;
	ck_assert_int_eq(read_at(blob, NULL, 0, 4096), ERROR_CORRUPT);
	blob_put_back(blob);
}
END_TEST

START_TEST(test_unknown_algorithm)
{
	struct digest digest;

	ck_assert(digest_parse(&digest, "blake9:0123456789abcdef"));
	struct blob *blob = blob_of(&digest, 50000);
	read_all(blob, 50000, 10000);
	ck_assert_uint_eq(fake.requests, 1);
	blob_put_back(blob);
	reopen_with(INT64_MAX, CACHE_VERIFY_STRICT);
	blob = blob_of(&digest, 50000);
	ck_assert_int_eq(read_at(blob, NULL, 0, 100), ERROR_CORRUPT);
	ck_assert_uint_eq(fake.requests, 1);
	blob_put_back(blob);
}
END_TEST

START_TEST(test_sha512)
{
	uint64_t size = 9 * MIB;
	struct digest like = {.text = "sha512:"}, digest;

	memset(like.text + 7, '0', 128);
	digest = digest_of(size, &like);
	struct blob *blob = blob_of(&digest, size);
	read_all(blob, size, 128 << 10);
	await(on_disk(&digest));
	blob_put_back(blob);
}
END_TEST

START_TEST(test_bad_file_in_the_cache)
{
	uint64_t sizes[] = {MIB, 9 * MIB};

	for (int i = 0; i < 2; i++) {
		uint64_t size = sizes[i];
		struct digest digest = digest_of(size, NULL);

		put_file(&digest, size, size - 3);
		struct blob *blob = blob_of(&digest, size);
		ck_assert(blob_is_local(blob));
		ck_assert(can_fetch(blob));
		read_all(blob, size, 100000);
		ck_assert_uint_eq(fake.bytes, size);
		blob_put_back(blob);
		reopen_with(INT64_MAX, CACHE_VERIFY_STRICT);
		blob = blob_of(&digest, size);
		read_all(blob, size, 100000);
		ck_assert_uint_eq(fake.bytes, size);
		blob_put_back(blob);
		fake.bytes = 0;
	}
}
END_TEST

START_TEST(test_file_that_cant_be_the_blob)
{
	uint64_t size = 1000;
	struct digest digest = digest_of(size, NULL);
	char path[512], target[64];

	/* A link, though to the right bytes. */
	put_file(&digest, size, NEVER);
	path_of(path, &digest);
	snprintf(target, sizeof(target), "%s/target", folder);
	ck_assert_int_eq(rename(path, target), 0);
	ck_assert_int_eq(symlink(target, path), 0);
	struct blob *blob = blob_of(&digest, size);
	ck_assert(!blob_is_local(blob));
	read_all(blob, size, 100);
	ck_assert_uint_eq(fake.requests, 1);
	blob_put_back(blob);

	/* A file of another size gives way. */
	reopen_with(INT64_MAX, CACHE_VERIFY_FULL);
	ck_assert_int_eq(unlink(path), 0);
	put_file(&digest, size + 1, NEVER);
	blob = blob_of(&digest, size);
	read_all(blob, size, 100);
	ck_assert_uint_eq(fake.requests, 2);
	blob_put_back(blob);
	reopen_with(INT64_MAX, CACHE_VERIFY_FULL);
	blob = blob_of(&digest, size);
	read_all(blob, size, 100);
	ck_assert_uint_eq(fake.requests, 2);
	blob_put_back(blob);
}
END_TEST

static int local_file(uint64_t size, uint64_t wrong_at)
{
	struct digest digest = any_digest('0');
	char path[512];

	put_file(&digest, size, wrong_at);
	path_of(path, &digest);
	int fd = open(path, O_RDONLY);
	unlink(path);
	return fd;
}

START_TEST(test_local_store)
{
	uint64_t sizes[] = {MIB, 9 * MIB};

	for (int i = 0; i < 2; i++) {
		struct digest digest = digest_of(sizes[i], NULL);
		struct blob *blob = blob_of(&digest, sizes[i]);

		fake.local_fd = local_file(sizes[i], NEVER);
		ck_assert(blob_is_local(blob));
		read_all(blob, sizes[i], 100000);
		ck_assert(can_fetch(blob));
		blob_put_back(blob);
		ck_assert(!on_disk(&digest));
		close(fake.local_fd);
		fake.local_fd = -1;
	}
	ck_assert_uint_eq(fake.requests, 0);
}
END_TEST

START_TEST(test_bad_local_store)
{
	struct digest small = digest_of(MIB, NULL), large = digest_of(9 * MIB, NULL);
	struct blob *blob = blob_of(&small, MIB);

	fake.local_fd = local_file(MIB, 5);
	ck_assert_int_eq(read_at(blob, NULL, 0, 1), ERROR_CORRUPT);
	blob_put_back(blob);
	close(fake.local_fd);

	blob = blob_of(&large, 9 * MIB);
	fake.local_fd = local_file(9 * MIB, 5 * MIB);
	ck_assert_int_eq(read_at(blob, NULL, 0, 100), ERROR_NONE);
	await(read_at(blob, NULL, 0, 100) == ERROR_CORRUPT);
	blob_put_back(blob);
	/* A file of another size can't be it. */
	blob = blob_of(&large, 10 * MIB);
	ck_assert_int_eq(read_at(blob, NULL, 0, 100), ERROR_CORRUPT);
	blob_put_back(blob);
	close(fake.local_fd);
	fake.local_fd = -1;
	ck_assert_uint_eq(fake.requests, 0);
}
END_TEST

static struct digest fetch_one(uint64_t seed, uint64_t size)
{
	fake.seed = seed;
	struct digest digest = digest_of(size, NULL);
	struct blob *blob = blob_of(&digest, size);

	/* On a full disk the last transfer of another blob may still hold that one. */
	await(can_fetch(blob));
	blob_put_back(blob);
	await(on_disk(&digest));
	return digest;
}

START_TEST(test_eviction)
{
	struct digest digests[6];

	reopen_with(3 * MIB, CACHE_VERIFY_FULL);
	for (uint64_t i = 0; i < 3; i++) {
		digests[i] = fetch_one(i + 1, MIB);
		usleep(20000);
	}
	/* The first is used again, the second is held. */
	fake.seed = 1;
	struct blob *first = blob_of(&digests[0], MIB);
	ck_assert_int_eq(read_at(first, NULL, 0, 10), ERROR_NONE);
	blob_put_back(first);
	usleep(20000);
	fake.seed = 2;
	struct blob *second = blob_of(&digests[1], MIB);
	ck_assert_int_eq(read_at(second, NULL, 0, 10), ERROR_NONE);
	usleep(20000);
	digests[3] = fetch_one(4, MIB);
	await(!on_disk(&digests[2]));
	usleep(20000);
	digests[4] = fetch_one(5, MIB);
	await(!on_disk(&digests[0]));
	usleep(20000);
	digests[5] = fetch_one(6, MIB);
	await(!on_disk(&digests[3]));
	usleep(20000);
	ck_assert(on_disk(&digests[1]));
	ck_assert(on_disk(&digests[4]));
	ck_assert(on_disk(&digests[5]));
	blob_put_back(second);
}
END_TEST

START_TEST(test_adopted_file)
{
	uint64_t size = 9 * MIB;
	struct digest digest = digest_of(size, NULL);
	int fd = local_file(1000, NEVER);
	char path[512];

	/* Of the wrong size, and without a name to link: nothing happens. */
	cache_adopt(cache, &digest, (int64_t)size, fd);
	ck_assert(!on_disk(&digest));
	close(fd);

	snprintf(path, sizeof(path), "%s/finished", folder);
	unsigned char *bytes = malloc(size);
	fill(bytes, 0, size);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	free(bytes);
	cache_adopt(cache, &digest, (int64_t)size, fd);
	close(fd);
	unlink(path);
	ck_assert(on_disk(&digest));
	struct blob *blob = blob_of(&digest, size);
	ck_assert(blob_is_local(blob));
	read_all(blob, size, 100000);
	ck_assert_uint_eq(fake.requests, 0);
	blob_put_back(blob);
}
END_TEST

struct fetcher {
	pthread_t thread;
	struct blob *blob;
	struct cancel cancel;
	struct error err;
	int fd;
};

static void *fetcher_thread(void *context)
{
	struct fetcher *fetcher = context;

	fetcher->fd = blob_fetch(fetcher->blob, &fetcher->cancel, &fetcher->err);
	return NULL;
}

START_TEST(test_fetch_is_interrupted)
{
	struct digest digest = any_digest('b');
	struct fetcher fetcher = {.blob = blob_of(&digest, 64 * MIB), .err = ERROR_INIT};

	fake.stall_at = 10 * MIB;
	cancel_init(&fetcher.cancel);
	pthread_create(&fetcher.thread, NULL, fetcher_thread, &fetcher);
	fake_await_stalled(1);
	cancel_fire(&fetcher.cancel);
	pthread_join(fetcher.thread, NULL);
	ck_assert_int_eq(fetcher.fd, -1);
	ck_assert_int_eq(fetcher.err.kind, ERROR_INTERRUPTED);
	error_clear(&fetcher.err);
	fetcher_thread(&fetcher);
	ck_assert_int_eq(fetcher.err.kind, ERROR_INTERRUPTED);
	cancel_destroy(&fetcher.cancel);
	blob_put_back(fetcher.blob);
	fake_release();
}
END_TEST

START_TEST(test_fetch_reports_a_failure)
{
	uint64_t size = 33 * MIB;
	struct digest digest = digest_of(size, NULL);
	struct blob *blob = blob_of(&digest, size);
	struct error err = ERROR_INIT;

	fake.fail = 1;
	ck_assert_int_eq(blob_fetch(blob, NULL, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_SERVER);
	ck_assert(can_fetch(blob));
	await(fake.active == 0);
	ck_assert_uint_eq(fake.bytes, size);
	blob_put_back(blob);
}
END_TEST

/* Puts the cache on a disk of 8 MiB; false, and says so, where that can't be. */
static bool small_disk_begin(void)
{
	char small[128];

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_SLAVE, NULL) < 0) {
		fprintf(stderr, "test of a full disk left out: needs to mount\n");
		return false;
	}
	snprintf(small, sizeof(small), "%s/deep", folder);
	ck_assert_int_eq(mount("tmpfs", small, "tmpfs", 0, "size=8m"), 0);
	reopen_with(INT64_MAX, CACHE_VERIFY_FULL);
	return true;
}

static void small_disk_end(void)
{
	char small[128];

	snprintf(small, sizeof(small), "%s/deep", folder);
	cache_close(cache);
	ck_assert_int_eq(umount(small), 0);
	open_with(INT64_MAX, CACHE_VERIFY_FULL);
}

static uint64_t disk_free(void)
{
	struct statvfs st;

	ck_assert_int_eq(statvfs(area, &st), 0);
	return (uint64_t)st.f_bavail * st.f_frsize;
}

/* The cache on a disk of a few MiB: what isn't used makes room, and the rest is told. */
START_TEST(test_full_disk)
{
	struct reading reading;

	if (!small_disk_begin())
		return;
	struct digest old = fetch_one(1, 5 * MIB);
	struct digest new = fetch_one(2, 6 * MIB);
	ck_assert(!on_disk(&old));
	struct blob *held = blob_of(&new, 6 * MIB);
	ck_assert_int_eq(read_at(held, NULL, 0, 10), ERROR_NONE);

	struct digest large = any_digest('c');
	struct blob *blob = blob_of(&large, 20 * MIB);
	reading_start(&reading, blob, NULL, 10 * MIB, 4 * MIB);
	ck_assert_int_eq(reading_end(&reading), ERROR_SYSTEM);
	ck_assert_int_eq(reading.err.status, ENOSPC);
	/* What came before the disk was full can be read. */
	ck_assert_int_eq(read_at(blob, NULL, 10 * MIB, 64 * KIB), ERROR_NONE);
	ck_assert_int_eq(read_at(held, NULL, 0, 6 * MIB), ERROR_NONE);
	blob_put_back(held);
	/* With room to be made it goes on. */
	await(read_at(blob, NULL, 10 * MIB, 4 * MIB) == ERROR_NONE);
	blob_put_back(blob);
	small_disk_end();
}
END_TEST

/* A file that can't be read to its end, and stays open, leaves the room to others. */
START_TEST(test_failed_blob_gives_its_space_back)
{
	struct reading reading;

	if (!small_disk_begin())
		return;
	struct digest large = digest_of(9 * MIB, NULL);
	struct blob *blob = blob_of(&large, 9 * MIB);
	ck_assert(!can_fetch(blob));
	await(disk_free() > 7 * MIB);
	reading_start(&reading, blob, NULL, 0, 9 * MIB);
	ck_assert_int_eq(reading_end(&reading), ERROR_SYSTEM);
	ck_assert_int_eq(reading.err.status, ENOSPC);
	fetch_one(3, 6 * MIB);
	blob_put_back(blob);
	small_disk_end();
}
END_TEST

/* So does one of which somebody has read a part, and it's fetched anew. */
START_TEST(test_unread_blob_makes_room)
{
	if (!small_disk_begin())
		return;
	struct digest first = any_digest('a'), second = any_digest('b');
	struct blob *paused = blob_of(&first, 20 * MIB);
	ck_assert_int_eq(read_at(paused, NULL, 10 * MIB, 6 * MIB), ERROR_NONE);
	struct blob *blob = blob_of(&second, 20 * MIB);
	await(read_at(blob, NULL, 0, 6 * MIB) == ERROR_NONE);
	await(read_at(paused, NULL, 10 * MIB, 6 * MIB) == ERROR_NONE);
	blob_put_back(blob);
	blob_put_back(paused);
	small_disk_end();
}
END_TEST

#define READERS 6

struct reader {
	pthread_t thread;
	unsigned seed;
	uint64_t size;
	const struct digest *digest;
};

static void reader_step(struct reader *reader, struct blob *blob, struct blob_cursor *cursor)
{
	uint64_t offset = rand_r(&reader->seed) % 3
				  ? cursor->next
				  : (uint64_t)rand_r(&reader->seed) % reader->size;
	struct reading reading;

	reading_start(&reading, blob, cursor, offset, 1 + rand_r(&reader->seed) % 200000);
	if (rand_r(&reader->seed) % 8 == 0)
		blob_read_cancel(blob, &reading.read);
	reading_end(&reading);
}

static void *reader_thread(void *context)
{
	struct reader *reader = context;

	for (int round = 0; round < 30; round++) {
		struct blob *blob = blob_of(reader->digest, reader->size);
		struct blob_cursor cursor = {0};

		for (int i = 0; i < 20; i++)
			reader_step(reader, blob, &cursor);
		blob_put_back(blob);
	}
	return NULL;
}

/* Many readers at a store that fails now and then: every byte given out is right, and all of it
 * is good in the end. With and without ranges. */
START_TEST(test_many_readers)
{
	struct digest digest = digest_of(10 * MIB, NULL);
	struct reader readers[READERS];

	fake.rangeless = _i % 2;
	fake.fail = 20;
	for (unsigned i = 0; i < READERS; i++) {
		readers[i] = (struct reader){
			.seed = i + 1 + (unsigned)_i * 100, .size = 10 * MIB, .digest = &digest};
		pthread_create(&readers[i].thread, NULL, reader_thread, &readers[i]);
	}
	for (unsigned i = 0; i < READERS; i++)
		pthread_join(readers[i].thread, NULL);
	fake.fail = 0;
	struct blob *blob = blob_of(&digest, 10 * MIB);
	ck_assert(can_fetch(blob));
	blob_put_back(blob);
	await(on_disk(&digest));
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, test_block_map);
	tcase_add_test(tests, test_small_blob_is_kept);
	tcase_add_test(tests, test_reads_at_the_end);
	tcase_add_test(tests, test_empty_blob);
	tcase_add_test(tests, test_small_blob_is_fetched_once_more);
	tcase_add_test(tests, test_small_corrupt_blob_gives_no_byte);
	tcase_add_loop_test(tests, test_sequential_reader, 0, 1);
	tcase_add_test(tests, test_next_window_is_asked_early);
	tcase_add_test(tests, test_first_and_last_bytes);
	tcase_add_test(tests, test_random_reader);
	tcase_add_test(tests, test_what_was_read_is_kept_when_closed);
	tcase_add_test(tests, test_one_fetch_serves_many);
	tcase_add_test(tests, test_readers_wake_as_bytes_arrive);
	tcase_add_test(tests, test_jumping_reader_isnt_kept_waiting);
	tcase_add_test(tests, test_store_without_ranges);
	tcase_add_test(tests, test_sequential_reader_without_ranges);
	tcase_add_test(tests, test_two_readers_without_ranges);
	tcase_add_test(tests, test_what_was_given_never_changes);
	tcase_add_test(tests, test_nobody_reads_a_store_without_ranges);
	tcase_add_test(tests, test_failure_isnt_sticky);
	tcase_add_test(tests, test_failed_read_ahead_fails_nobody);
	tcase_add_test(tests, test_wrong_lengths);
	tcase_add_test(tests, test_size_made_up);
	tcase_add_test(tests, test_one_digest_two_sizes);
	tcase_add_test(tests, test_cancelled_read);
	tcase_add_test(tests, test_close_ends_transfers);
	tcase_add_test(tests, test_large_corrupt_blob_is_poisoned);
	tcase_add_test(tests, test_strict);
	tcase_add_test(tests, test_strict_gives_no_bad_byte);
	tcase_add_test(tests, test_unknown_algorithm);
	tcase_add_test(tests, test_sha512);
	tcase_add_test(tests, test_bad_file_in_the_cache);
	tcase_add_test(tests, test_file_that_cant_be_the_blob);
	tcase_add_test(tests, test_local_store);
	tcase_add_test(tests, test_bad_local_store);
	tcase_add_test(tests, test_eviction);
	tcase_add_test(tests, test_adopted_file);
	tcase_add_test(tests, test_fetch_is_interrupted);
	tcase_add_test(tests, test_fetch_reports_a_failure);
	tcase_add_test(tests, test_full_disk);
	tcase_add_test(tests, test_failed_blob_gives_its_space_back);
	tcase_add_test(tests, test_unread_blob_makes_room);
	tcase_add_loop_test(tests, test_many_readers, 0, 2);
}

int main(void)
{
	Suite *suite = suite_create("cache");
	TCase *tests = tcase_create("cache"), *slow = tcase_create("slow");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	add_tests(tests);
	suite_add_tcase(suite, tests);

	/* With the longest ranges. */
	tcase_add_checked_fixture(slow, setup, teardown);
	tcase_set_timeout(slow, 60);
	tcase_set_tags(slow, "slow");
	tcase_add_loop_test(slow, test_sequential_reader, 1, 2);
	suite_add_tcase(suite, slow);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
