#include "fs/cmd/password.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "cleanup.h"
#include "secret.h"

#define VARIABLE "INDEXFS_PASSWORD"

int password_take(char **out, struct error *err)
{
	char *value = getenv(VARIABLE);

	*out = NULL;
	prctl(PR_SET_DUMPABLE, 0);
	if (value && *value) {
		*out = strdup(value);
		if (!*out)
			return error_set_memory(err);
		explicit_bzero(value, strlen(value));
	}
	unsetenv(VARIABLE);
	return 0;
}

/* Byte by byte: what follows the line is somebody else's. wait may be NULL. */
static int line_read(char **out, int fd, int (*wait)(void *context, struct error *err),
	void *context, struct error *err)
{
	cleanup_secret char *line = calloc(1, PASSWORD_MAX + 2);
	size_t len = 0;
	ssize_t got = 1;

	*out = NULL;
	if (!line)
		return error_set_memory(err);
	while (got > 0 && len <= PASSWORD_MAX && (len == 0 || line[len - 1] != '\n')) {
		if (wait && wait(context, err))
			return -1;
		got = read(fd, line + len, 1);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got < 0)
			return error_set_errno(err, errno, "can't read it");
		else
			len += (size_t)got;
	}
	if (len > PASSWORD_MAX)
		return error_set(err, ERROR_INVALID, "it is over %zu KiB", PASSWORD_MAX >> 10);
	if (strlen(line) != len)
		return error_set(err, ERROR_INVALID, "it has a NUL in it");
	line[strcspn(line, "\r\n")] = '\0';
	if (!*line)
		return error_set(err, ERROR_INVALID, "it is empty");
	*out = steal_ptr(line);
	return 0;
}

int password_read(char **out, struct error *err)
{
	if (line_read(out, STDIN_FILENO, NULL, NULL, err))
		return error_prefix(err, "the password on standard input");
	return 0;
}

/* The terminal, with the signals held back that would leave it without echo. */
struct terminal {
	int fd, signals;
	sigset_t before;
	struct termios modes;
};

static int terminal_open(struct terminal *terminal, enum password_echo echo, struct error *err)
{
	sigset_t held;
	struct termios modes;

	terminal->signals = -1;
	terminal->fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	if (terminal->fd < 0 || tcgetattr(terminal->fd, &terminal->modes)) {
		cleanup_close_fd(&terminal->fd);
		return error_set_errno(err, errno, "there is no terminal to ask on");
	}
	sigemptyset(&held);
	for (size_t i = 0; i < 5; i++)
		sigaddset(&held, (const int[]){SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}[i]);
	sigprocmask(SIG_BLOCK, &held, &terminal->before);
	terminal->signals = signalfd(-1, &held, SFD_CLOEXEC);
	modes = terminal->modes;
	if (echo == PASSWORD_HIDDEN)
		modes.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(terminal->fd, TCSAFLUSH, &modes);
	return 0;
}

/* A signal that came meanwhile is delivered here, and ends the program as it would have. */
static void terminal_close(struct terminal *terminal)
{
	tcsetattr(terminal->fd, TCSAFLUSH, &terminal->modes);
	cleanup_close_fd(&terminal->fd);
	cleanup_close_fd(&terminal->signals);
	sigprocmask(SIG_SETMASK, &terminal->before, NULL);
}

static int terminal_wait(void *context, struct error *err)
{
	const struct terminal *terminal = context;
	struct pollfd fds[] = {{.fd = terminal->fd, .events = POLLIN},
		{.fd = terminal->signals, .events = POLLIN}};

	if (poll(fds, 2, -1) < 0 && errno != EINTR)
		return error_set_errno(err, errno, "the terminal");
	return fds[1].revents ? error_set(err, ERROR_INTERRUPTED, "interrupted") : 0;
}

int password_ask(char **out, const char *question, enum password_echo echo, struct error *err)
{
	struct terminal terminal;
	int result;

	*out = NULL;
	if (terminal_open(&terminal, echo, err))
		return -1;
	dprintf(terminal.fd, "%s: ", question);
	result = line_read(out, terminal.fd, terminal_wait, &terminal, err);
	if (echo == PASSWORD_HIDDEN)
		dprintf(terminal.fd, "\n");
	terminal_close(&terminal);
	return result ? error_prefix(err, "%s", question) : 0;
}
