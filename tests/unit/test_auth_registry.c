/* Debian's docker-registry with a token server before it, as a store. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "media_type.h"
#include "patience.h"
#include "registry/remote/remote.h"
#include "registry_process.h"

#define TOKEN_SERVER "tests/integration/lib/token_server.py"
#define BLOB_SIZE 100000

/* Both are made before the tests are forked. */
static struct registry_process registry;
static struct {
	char folder[REGISTRY_PATH_SIZE / 2];
	char log[REGISTRY_PATH_SIZE];
	pid_t pid;
} tokens;

/* Seconds that a token lives. */
static int token_life(void)
{
	return 2 * patience();
}

static void tokens_run(void)
{
	char life[16], cert[REGISTRY_PATH_SIZE], key[REGISTRY_PATH_SIZE], port[REGISTRY_PATH_SIZE];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(cert, sizeof(cert), "%s/cert", tokens.folder);
	snprintf(key, sizeof(key), "%s/key", tokens.folder);
	snprintf(port, sizeof(port), "%s/port", tokens.folder);
	snprintf(life, sizeof(life), "%d", token_life());
	execlp("python3", "python3", TOKEN_SERVER, "--cert", cert, "--key", key, "--service", "s",
		"--issuer", "i", "--life", life, "--port-file", port, "--log", tokens.log,
		(char *)NULL);
	_exit(127);
}

static int tokens_port(void)
{
	char path[REGISTRY_PATH_SIZE], text[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/port", tokens.folder);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (!fgets(text, sizeof(text), file))
		*text = '\0';
	fclose(file);
	return (int)strtol(text, NULL, 10);
}

static void start(void)
{
	static const char make_key[] =
		"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=tokens "
		"-keyout \"$1/key\" -out \"$1/cert\" 2>/dev/null && touch \"$1/log\"";
	const char *base = getenv("TMPDIR");
	char more[1024];

	snprintf(tokens.folder, sizeof(tokens.folder), "%.80s/indexfs-tokens-XXXXXX",
		base ? base : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(tokens.folder));
	snprintf(tokens.log, sizeof(tokens.log), "%s/log", tokens.folder);
	ck_assert(shell_run(make_key, tokens.folder));
	tokens.pid = fork();
	ck_assert_int_ge(tokens.pid, 0);
	if (!tokens.pid)
		tokens_run();
	await(tokens_port());
	snprintf(more, sizeof(more),
		"auth:\n  token:\n    realm: http://127.0.0.1:%d/token\n    service: s\n"
		"    issuer: i\n    rootcertbundle: %s/cert\n",
		tokens_port(), tokens.folder);
	registry_process_start_with(&registry, false, false, more);
}

static void stop(void)
{
	registry_process_stop(&registry);
	kill(tokens.pid, SIGKILL);
	waitpid(tokens.pid, NULL, 0);
	shell_run("rm -rf \"$1\"", tokens.folder);
}

static struct store *open_as(const char *user, const char *repository, struct store_hosts *hosts)
{
	struct store_options options = STORE_OPTIONS_DEFAULT;
	struct reference reference = {.transport = REFERENCE_REGISTRY};
	struct error err = ERROR_INIT;
	struct store *store;
	char host[64];

	options.timeout = AMPLE_TIMEOUT;
	options.username = user;
	options.password = "sesame";
	options.hosts = hosts;
	snprintf(host, sizeof(host), "127.0.0.1:%d", registry.port);
	reference.host = host;
	reference.path = (char *)repository;
	ck_assert_msg(
		remote_open(&store, &reference, &options, NULL, &err) == 0, "%s", err.message);
	return store;
}

static void close_store(struct store *store)
{
	store->ops->close(store);
}

struct blob {
	int fd;
	char bytes[BLOB_SIZE];
	struct digest digest;
};

static void blob_make(struct blob *blob, char fill)
{
	blob->fd = memfd_create("blob", MFD_CLOEXEC);
	memset(blob->bytes, fill, sizeof(blob->bytes));
	ck_assert_int_eq(write(blob->fd, blob->bytes, BLOB_SIZE), BLOB_SIZE);
	digest_of_bytes(&blob->digest, blob->bytes, BLOB_SIZE);
}

static int blob_put(struct store *store, const struct blob *blob, struct error *err)
{
	struct store_source source = {.fd = blob->fd, .size = BLOB_SIZE};

	return store->ops->blob_put(store, &blob->digest, &source, NULL, err);
}

static int compare(void *context, uint64_t offset, const void *bytes, size_t len, struct error *err)
{
	const struct blob *blob = context;

	if (memcmp(blob->bytes + offset, bytes, len) == 0)
		return 0;
	return error_set(err, ERROR_CORRUPT, "it isn't what was put");
}

static void assert_reads(struct store *store, struct blob *blob)
{
	const struct store_sink sink = {.write = compare, .context = blob};
	struct error err = ERROR_INIT;

	ck_assert_msg(store->ops->blob_get(store, &blob->digest, BLOB_SIZE, 0, BLOB_SIZE, &sink,
			      NULL, &err) == 0,
		"%s", err.message);
}

static int index_put(struct store *store, const char *tag, struct error *err)
{
	static const char json[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX "\",\"manifests\":[]}";
	cleanup_with(document_clear) struct document document = DOCUMENT_INIT;

	ck_assert_int_eq(document_parse(&document, MEDIA_TYPE_INDEX, json, strlen(json), err), 0);
	return store->ops->document_put(store, &document, tag, NULL, NULL, err);
}

static int lines_with(const char *path, const char *text)
{
	FILE *file = fopen(path, "r");
	char line[1024];
	int count = 0;

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file))
		count += strstr(line, text) != NULL;
	fclose(file);
	return count;
}

/* Longer than a token lives. */
static void wait_for_expiry(void)
{
	for (int i = 0; i < 13 * token_life(); i++)
		usleep(100000);
}

START_TEST(store_outlives_its_tokens)
{
	struct store *store = open_as("tester", "team/app", NULL);
	struct error err = ERROR_INIT;
	struct blob first, second;
	int fetched;

	blob_make(&first, 'a');
	blob_make(&second, 'b');
	ck_assert_msg(blob_put(store, &first, &err) == 0, "%s", err.message);
	ck_assert_msg(index_put(store, "v1", &err) == 0, "%s", err.message);
	fetched = lines_with(tokens.log, "GET tester 200 repository:team/app:pull,push");
	ck_assert_int_ge(fetched, 1);
	wait_for_expiry();
	ck_assert_msg(blob_put(store, &second, &err) == 0, "%s", err.message);
	ck_assert_msg(index_put(store, "v2", &err) == 0, "%s", err.message);
	assert_reads(store, &first);
	assert_reads(store, &second);
	ck_assert_int_gt(
		lines_with(tokens.log, "GET tester 200 repository:team/app:pull,push"), fetched);
	close_store(store);
	close(first.fd);
	close(second.fd);
}
END_TEST

START_TEST(reader_reads_and_is_denied_to_write)
{
	struct store *store = open_as("tester", "team/app", NULL);
	struct error err = ERROR_INIT;
	struct blob there, mine;

	blob_make(&there, 'c');
	blob_make(&mine, 'd');
	ck_assert_msg(blob_put(store, &there, &err) == 0, "%s", err.message);
	close_store(store);
	store = open_as("reader", "team/app", NULL);
	assert_reads(store, &there);
	ck_assert_int_eq(blob_put(store, &mine, &err), -1);
	ck_assert_msg(err.kind == ERROR_DENIED && err.status == 401, "%s", err.message);
	ck_assert_msg(strstr(err.message, "UNAUTHORIZED") != NULL, "%s", err.message);
	error_clear(&err);
	ck_assert_int_eq(index_put(store, "mine", &err), -1);
	ck_assert_msg(err.kind == ERROR_DENIED, "%s", err.message);
	assert_reads(store, &there);
	ck_assert_int_eq(lines_with(tokens.log, "GET reader 200 repository:team/app:pull,push"), 0);
	close_store(store);
	close(there.fd);
	close(mine.fd);
}
END_TEST

START_TEST(strangers_are_denied)
{
	struct store *store = open_as("nobody", "team/app", NULL);
	struct descriptor descriptor = DESCRIPTOR_INIT;
	struct error err = ERROR_INIT;

	ck_assert_int_eq(store->ops->resolve(store, &descriptor, "v1", NULL, &err), -1);
	ck_assert_msg(err.kind == ERROR_DENIED && err.status == 401, "%s", err.message);
	ck_assert_msg(strstr(err.message, "incorrect username") != NULL, "%s", err.message);
	ck_assert_ptr_null(strstr(err.message, "sesame"));
	close_store(store);
}
END_TEST

START_TEST(blob_is_mounted_from_another_repository)
{
	struct store_hosts *hosts;
	struct error err = ERROR_INIT;
	struct store *from, *to;
	struct blob blob;

	ck_assert_int_eq(store_hosts_new(&hosts, NULL, &err), 0);
	from = open_as("tester", "team/app", hosts);
	to = open_as("tester", "team/other", hosts);
	blob_make(&blob, 'e');
	ck_assert_msg(blob_put(from, &blob, &err) == 0, "%s", err.message);
	ck_assert_msg(blob_put(to, &blob, &err) == 0, "%s", err.message);
	ck_assert_int_eq(registry_process_logged(&registry, 0, "POST /v2/team/other/blobs"), 1);
	ck_assert_int_eq(registry_process_logged(&registry, 0, "PUT /v2/team/other/blobs"), 0);
	ck_assert_int_eq(lines_with(tokens.log, "repository:team/other:pull,push "
						"repository:team/app:pull"),
		1);
	assert_reads(to, &blob);
	close_store(from);
	close_store(to);
	store_hosts_free(hosts);
	close(blob.fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("auth_registry");
	TCase *tcase = tcase_create("auth_registry");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (!registry_process_possible() || access(TOKEN_SERVER, R_OK)) {
		puts("skip: no docker-registry here, or not started in the tree's folder");
		return 77;
	}
	tcase_set_timeout(tcase, 60);
	tcase_add_unchecked_fixture(tcase, start, stop);
	tcase_add_test(tcase, store_outlives_its_tokens);
	tcase_add_test(tcase, reader_reads_and_is_denied_to_write);
	tcase_add_test(tcase, strangers_are_denied);
	tcase_add_test(tcase, blob_is_mounted_from_another_repository);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
