#include "registry/http/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"

/* How long until it's noticed that the program has ended with its streams held open by another, or
 * that the caller doesn't want to wait any more. */
#define SLICE_MS 10

#define PASSWORD_VARIABLE "INDEXFS_PASSWORD="

struct stream {
	int fd; /* not blocking; -1 at its end */
	char *text; /* PROGRAM_OUTPUT_MAX and a NUL */
	size_t len;
};

struct program {
	const char *name;
	pid_t pid; /* 0 once it has been waited for */
	int status;
	struct stream output, said;
};

void program_result_clear(struct program_result *result)
{
	char *texts[] = {result->output, result->said};

	for (size_t i = 0; i < 2; i++) {
		if (texts[i])
			explicit_bzero(texts[i], PROGRAM_OUTPUT_MAX + 1);
		free(texts[i]);
	}
	*result = (struct program_result)PROGRAM_RESULT_INIT;
}

/* A file that has no name and no end: unlike a pipe, it never blocks who fills it. */
static int input_open(const struct buf *input, struct error *err)
{
	cleanup_close int fd = memfd_create("indexfs", MFD_CLOEXEC);
	size_t at = 0;

	while (fd >= 0 && at < input->len) {
		ssize_t put = pwrite(fd, input->data + at, input->len - at, (off_t)at);

		if (put < 0)
			return error_set_errno(err, errno, "memory for a program's input");
		at += (size_t)put;
	}
	return fd < 0 ? error_set_errno(err, errno, "memory for a program's input") : steal_fd(&fd);
}

/* The end to read from goes to the stream; returns the other. */
static int stream_open(struct stream *stream, struct error *err)
{
	int ends[2];

	stream->text = calloc(1, PROGRAM_OUTPUT_MAX + 1);
	if (!stream->text)
		return error_set_memory(err);
	if (pipe2(ends, O_CLOEXEC))
		return error_set_errno(err, errno, "a pipe");
	stream->fd = ends[0];
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK)) {
		close(ends[1]);
		return error_set_errno(err, errno, "a pipe");
	}
	return ends[1];
}

static void stream_close(struct stream *stream)
{
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
}

/* The environment without our password. The strings are environ's own. */
static char **environment(void)
{
	size_t count = 0, kept = 0;
	char **out;

	while (environ[count])
		count++;
	out = calloc(count + 1, sizeof(*out));
	for (size_t i = 0; out && i < count; i++)
		if (strncmp(environ[i], PASSWORD_VARIABLE, strlen(PASSWORD_VARIABLE)) != 0)
			out[kept++] = environ[i];
	return out;
}

/* What it starts with: default signals, a group of its own, no descriptors but these. */
static int attributes_set(
	posix_spawnattr_t *attributes, posix_spawn_file_actions_t *actions, const int fds[static 3])
{
	sigset_t all, none;
	int failed = 0;

	sigfillset(&all);
	sigemptyset(&none);
	failed |= posix_spawnattr_setflags(
		attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	failed |= posix_spawnattr_setsigdefault(attributes, &all);
	failed |= posix_spawnattr_setsigmask(attributes, &none);
	failed |= posix_spawnattr_setpgroup(attributes, 0);
	for (int i = 0; i < 3; i++)
		failed |= posix_spawn_file_actions_adddup2(actions, fds[i], i);
#if __GLIBC_PREREQ(2, 34)
	/* Ours are all close-on-exec; not every library's are. */
	failed |= posix_spawn_file_actions_addclosefrom_np(actions, 3);
#endif
	return failed ? ENOMEM : 0;
}

static int spawn(struct program *program, const char *const argv[], const int fds[static 3],
	struct error *err)
{
	cleanup_free char **variables = NULL;
	cleanup_free char *path = NULL;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	pid_t pid = 0;
	int failed;

	if (program_find(&path, argv[0], err))
		return -1;
	variables = environment();
	if (!variables)
		return error_set_memory(err);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	failed = attributes_set(&attributes, &actions, fds);
	if (!failed)
		failed = posix_spawn(
			&pid, path, &actions, &attributes, (char *const *)argv, variables);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (failed)
		return error_set_errno(err, failed, "%s", argv[0]);
	program->pid = pid;
	return 0;
}

static int program_start(struct program *program, const char *const argv[], const struct buf *input,
	struct error *err)
{
	cleanup_close int in = input_open(input, err);
	cleanup_close int out = in < 0 ? -1 : stream_open(&program->output, err);
	cleanup_close int said = out < 0 ? -1 : stream_open(&program->said, err);
	/* posix_spawn() moves them one after the other: none may stand where another goes. */
	cleanup_close int high_in = said < 0 ? -1 : fcntl(in, F_DUPFD_CLOEXEC, 3);
	cleanup_close int high_out = said < 0 ? -1 : fcntl(out, F_DUPFD_CLOEXEC, 3);
	cleanup_close int high_said = said < 0 ? -1 : fcntl(said, F_DUPFD_CLOEXEC, 3);

	if (said < 0)
		return -1;
	if (high_in < 0 || high_out < 0 || high_said < 0)
		return error_set_errno(err, errno, "%s", argv[0]);
	return spawn(program, argv, (const int[3]){high_in, high_out, high_said}, err);
}

static int stream_read(struct stream *stream, const char *name, struct error *err)
{
	while (stream->fd >= 0) {
		size_t room = PROGRAM_OUTPUT_MAX - stream->len;
		char more;
		ssize_t got = read(
			stream->fd, room ? stream->text + stream->len : &more, room ? room : 1);

		if (got > 0 && room == 0)
			return error_set(err, ERROR_TOO_LARGE, "%s: it says more than %zu KiB",
				name, PROGRAM_OUTPUT_MAX >> 10);
		if (got > 0)
			stream->len += (size_t)got;
		else if (got < 0 && errno == EINTR)
			continue;
		else if (got < 0 && errno == EAGAIN)
			break;
		else
			stream_close(stream);
	}
	return 0;
}

static bool program_ended(struct program *program)
{
	pid_t got = waitpid(program->pid, &program->status, WNOHANG);

	/* ECHILD: whoever started us ignores SIGCHLD, and so its status is lost. */
	if (got < 0 && errno == ECHILD)
		program->status = 0xff00;
	else if (got != program->pid)
		return false;
	program->pid = 0;
	return true;
}

static int program_follow(
	struct program *program, int64_t deadline_ms, struct cancel *cancel, struct error *err)
{
	for (;;) {
		bool ended = program_ended(program);
		struct pollfd fds[] = {{.fd = program->output.fd, .events = POLLIN},
			{.fd = program->said.fd, .events = POLLIN}};

		if (!ended)
			poll(fds, 2, SLICE_MS);
		if (stream_read(&program->output, program->name, err) ||
			stream_read(&program->said, program->name, err))
			return -1;
		if (ended)
			return 0;
		if (cancel_fired(cancel))
			return error_set(err, ERROR_INTERRUPTED, "%s: interrupted", program->name);
		if (clock_ms() >= deadline_ms)
			return error_set(err, ERROR_TIMEOUT, "%s: it doesn't end", program->name);
	}
}

static void program_kill(const struct program *program)
{
	if (program->pid == 0)
		return;
	kill(-program->pid, SIGKILL);
	while (waitpid(program->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int program_run(struct program_result *out, const char *const argv[], const struct buf *input,
	int limit_ms, struct cancel *cancel, struct error *err)
{
	struct program program = {.name = argv[0], .output = {.fd = -1}, .said = {.fd = -1}};
	int64_t deadline_ms = clock_ms() + limit_ms;
	int failed = program_start(&program, argv, input, err);

	if (!failed) {
		failed = program_follow(&program, deadline_ms, cancel, err);
		program_kill(&program);
	}
	stream_close(&program.output);
	stream_close(&program.said);
	out->output = program.output.text;
	out->said = program.said.text;
	out->exit_status = WIFEXITED(program.status) ? WEXITSTATUS(program.status)
						     : 128 + WTERMSIG(program.status);
	if (failed)
		program_result_clear(out);
	return failed ? -1 : 0;
}
