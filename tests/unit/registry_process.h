/*
 * registry_process.h - Debian's docker-registry on a loopback port, for one test case.
 */
#ifndef INDEXFS_TEST_REGISTRY_PROCESS_H
#define INDEXFS_TEST_REGISTRY_PROCESS_H

#include <stdbool.h>

#define REGISTRY_PATH_SIZE 256

struct registry_process {
	int pid; /* 0 where it isn't running */
	int port;
	bool tls;
	char folder[REGISTRY_PATH_SIZE / 2]; /* everything of it; removed when it stops */
	char ca_file[REGISTRY_PATH_SIZE]; /* the CA of its certificate, with tls */
	char log[REGISTRY_PATH_SIZE];
};

/* Whether there is a docker-registry on this machine. */
bool registry_process_possible(void);

/* Starts it and waits until it answers. With tls, its certificate is for 127.0.0.1, by a CA made
 * for it. */
void registry_process_start(struct registry_process *registry, bool tls, bool relative_urls);
/* The same with lines of YAML at the end of its configuration. */
void registry_process_start_with(
	struct registry_process *registry, bool tls, bool relative_urls, const char *more);
void registry_process_stop(struct registry_process *registry);

/* How many lines of its log, from the offset on, contain text; and the log's size now. */
int registry_process_logged(const struct registry_process *registry, long from, const char *text);
long registry_process_mark(const struct registry_process *registry);

/* Runs a shell script with $1, and waits: whether it succeeded. */
bool shell_run(const char *script, const char *argument);

#endif
