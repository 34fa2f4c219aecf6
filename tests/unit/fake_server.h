/*
 * fake_server.h - an HTTP server on loopback for the faults that a real registry can't have.
 *
 * Each request is kept, and answered with the text that the test gives for it and one header more,
 * "Connection: close", which is then done. In that text @PORT@ is replaced by the server's port,
 * and a last character of FAKE_STALL keeps the connection open and silent until the server is
 * stopped, of FAKE_ENDLESS sends header lines for as long as the client takes them.
 */
#ifndef INDEXFS_TEST_FAKE_SERVER_H
#define INDEXFS_TEST_FAKE_SERVER_H

#define FAKE_STALL "\1"
#define FAKE_ENDLESS "\2"

struct fake_server;

/* Answers with what answer() returns for the head of the index-th request, on any thread. */
struct fake_server *fake_server_start(
	const char *(*answer)(void *context, const char *head, int index), void *context);

/* Answers the i-th request with answers[i], up to a NULL, which repeats the one before it. */
struct fake_server *fake_server_play(const char *const *answers);

void fake_server_stop(struct fake_server *server);

int fake_server_port(const struct fake_server *server);
int fake_server_count(struct fake_server *server);

/* The head of a request, until the server is stopped; "" where there was none. */
const char *fake_server_head(struct fake_server *server, int index);

/* The body of a request, cut at 4 KiB. */
const char *fake_server_body(struct fake_server *server, int index);

#endif
