#include "fs/cmd/publish.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "fs/cmd/cmd.h"
#include "fs/cmd/control_file.h"
#include "fs/cmd/report.h"
#include "fs/cmd/screen.h"

#define LOOK_MS 250
#define BAR 30

/* A commit that a child waits for: a signal ends its fsync, and this program goes on to tell. */
struct waiting {
	const char *mountpoint;
	pid_t child;
	int signals; /* the child's end is one */
	sigset_t before;
	bool interrupted;
};

/* The child's: the fsync of a file that nobody lists, so that nobody waits for its lock. */
static int sync_tag(const char *mountpoint)
{
	struct error err = ERROR_INIT;
	int fd = control_file_open(mountpoint, "status", &err);

	if (fd < 0)
		return error_errno(&err);
	return fsync(fd) ? errno : 0;
}

static int begin(struct waiting *waiting, struct error *err)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGCHLD);
	sigprocmask(SIG_BLOCK, &held, &waiting->before);
	waiting->signals = signalfd(-1, &held, SFD_CLOEXEC);
	waiting->child = fork();
	if (waiting->child == 0) {
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		sigprocmask(SIG_UNBLOCK, &held, NULL);
		_exit(sync_tag(waiting->mountpoint));
	}
	return waiting->child < 0 ? error_set_errno(err, errno, "can't start a process") : 0;
}

static void show(struct screen *screen, const struct json_value *status)
{
	struct report_sum sum = report_uploads_sum(status);
	char sent[REPORT_SIZE_LEN], size[REPORT_SIZE_LEN];
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		return;
	fputs("publishing ", to);
	if (sum.files) {
		report_size(sent, sum.sent);
		report_size(size, sum.size);
		report_bar(to, BAR, sum.sent, sum.size);
		fprintf(to, " %s of %s, %zu file%s", sent, size, sum.files,
			sum.files == 1 ? "" : "s");
	}
	fputc('\n', to);
	fclose(to);
	screen_show(screen, text);
	free(text);
}

/* Waits a moment for the child; true once it has ended. */
static bool has_ended(struct waiting *waiting)
{
	struct pollfd fd = {.fd = waiting->signals, .events = POLLIN};
	struct signalfd_siginfo signal;

	if (poll(&fd, 1, LOOK_MS) <= 0 ||
		read(waiting->signals, &signal, sizeof signal) != sizeof signal)
		return false;
	if (signal.ssi_signo != SIGCHLD) {
		waiting->interrupted = true;
		kill(waiting->child, SIGTERM);
	}
	return true;
}

/* The errno that the child has ended with. */
static int wait_for_child(struct waiting *waiting)
{
	struct screen screen;
	int status = 0;

	screen_init(&screen, stderr);
	while (!has_ended(waiting)) {
		struct json_value *now =
			screen.terminal ? control_status(waiting->mountpoint, NULL) : NULL;

		if (screen.terminal)
			show(&screen, now);
		json_value_free(now);
	}
	if (screen.lines)
		screen_show(&screen, "");
	screen_end(&screen);
	while (waitpid(waiting->child, &status, 0) < 0 && errno == EINTR)
		;
	cleanup_close_fd(&waiting->signals);
	sigprocmask(SIG_SETMASK, &waiting->before, NULL);
	if (waiting->interrupted || !WIFEXITED(status))
		return EINTR;
	return WEXITSTATUS(status);
}

static void tell_success(const char *mountpoint, const char *shown, bool changed)
{
	cleanup_free char *digest = control_file_read(mountpoint, "digest", NULL);

	if (digest)
		digest[strcspn(digest, "\n")] = '\0';
	cmd_put(stdout, shown);
	printf(": %s%s%s\n", changed ? "published" : "nothing had changed", digest ? ": " : "",
		digest ? digest : "");
}

/* The whole story: what went wrong in this commit, what has to be mended, what is kept. */
static void tell_failure(
	const char *mountpoint, const char *shown, int number, const struct json_value *before)
{
	struct json_value *status = control_status(mountpoint, NULL);
	struct error err = ERROR_INIT;

	error_set_errno(&err, number, "not published");
	cmd_fail(shown, &err);
	report_errors(stderr, status, report_last_error(before), 20);
	report_troubles(stderr, mountpoint, status);
	fprintf(stderr, "hint: all that was changed is kept; %sthe same command tries again\n",
		number == EACCES ? "indexfs login REGISTRY, then " : "");
	json_value_free(status);
}

int publish_mount(const char *mountpoint, const char *shown)
{
	struct error err = ERROR_INIT;
	struct waiting waiting = {.mountpoint = mountpoint, .signals = -1};
	struct json_value *before = control_status(mountpoint, &err);
	int number;

	if (!before || begin(&waiting, &err)) {
		json_value_free(before);
		cmd_fail(shown, &err);
		return error_errno(&err);
	}
	number = wait_for_child(&waiting);
	if (number)
		tell_failure(mountpoint, shown, number, before);
	else
		tell_success(mountpoint, shown,
			json_value_first(json_value_member(before, "uncommitted")) != NULL);
	json_value_free(before);
	return number;
}
