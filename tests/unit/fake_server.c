#include "fake_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUESTS_MAX 64
#define HEAD_MAX 8192
#define BODY_MAX 4096

struct fake_request {
	char head[HEAD_MAX];
	char body[BODY_MAX + 1];
};

struct fake_server {
	const char *(*answer)(void *context, const char *head, int index);
	void *context;
	int listener, port;
	int stop[2]; /* a pipe whose end is closed to stop all */
	pthread_t thread;
	pthread_t connections[REQUESTS_MAX]; /* the server's thread only, until it ends */
	int connection_count;
	pthread_mutex_t lock;
	int count;
	struct fake_request *requests[REQUESTS_MAX];
};

struct connection {
	struct fake_server *server;
	int fd;
};

static void must(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		abort();
	}
}

static size_t length_of(const char *head)
{
	const char *at = strcasestr(head, "\r\ncontent-length:");

	return at ? strtoul(at + 17, NULL, 10) : 0;
}

/* The head, and the beginning of the body; all of the body is taken from the socket. */
static struct fake_request *request_read(int fd)
{
	struct fake_request *request = calloc(1, sizeof(*request));
	char scrap[65536];
	size_t len = 0, left, kept = 0;
	ssize_t got;

	must(request != NULL, "calloc");
	while (len < HEAD_MAX - 1 && !strstr(request->head, "\r\n\r\n")) {
		got = recv(fd, request->head + len, 1, 0);
		if (got <= 0) {
			free(request);
			return NULL;
		}
		len++;
	}
	if (strcasestr(request->head, "Expect: 100-continue"))
		send(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL);
	for (left = length_of(request->head); left; left -= (size_t)got) {
		got = recv(fd, scrap, left < sizeof(scrap) ? left : sizeof(scrap), 0);
		if (got <= 0)
			break;
		size_t room = BODY_MAX - kept;
		size_t take = (size_t)got < room ? (size_t)got : room;

		memcpy(request->body + kept, scrap, take);
		kept += take;
	}
	return request;
}

static int request_keep(struct fake_server *server, struct fake_request *request)
{
	int index;

	pthread_mutex_lock(&server->lock);
	index = server->count++;
	if (index < REQUESTS_MAX)
		server->requests[index] = request;
	pthread_mutex_unlock(&server->lock);
	must(index < REQUESTS_MAX, "too many requests to the fake server");
	return index;
}

static void send_text(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		text += sent;
		len -= (size_t)sent;
	}
}

/* Where the headers of the answer begin that isn't a 1xx; the beginning where there are none. */
static const char *headers_of(const char *text)
{
	const char *at = text;

	while (strncmp(at, "HTTP/1.1 ", 9) == 0) {
		const char *end = strstr(at, at[9] == '1' ? "\r\n\r\n" : "\r\n");

		if (!end)
			break;
		if (at[9] != '1')
			return end + 2;
		at = end + 4;
	}
	return text;
}

/* Says that the connection ends: or else the next request could go into it while it's closed. */
static const char *send_beginning(int fd, const char *text)
{
	const char *headers = headers_of(text);

	send_text(fd, text, (size_t)(headers - text));
	if (headers > text)
		send_text(fd, "Connection: close\r\n", 19);
	return headers;
}

static void send_answer(struct fake_server *server, int fd, const char *text)
{
	struct pollfd stopped = {.fd = server->stop[0], .events = POLLIN};
	const char *token;
	char port[8];
	char end = *text ? text[strlen(text) - 1] : '\0';
	size_t len;

	text = send_beginning(fd, text);
	len = strlen(text) - (end == *FAKE_STALL || end == *FAKE_ENDLESS);
	snprintf(port, sizeof(port), "%d", server->port);
	while ((token = strstr(text, "@PORT@"))) {
		send_text(fd, text, (size_t)(token - text));
		send_text(fd, port, strlen(port));
		len -= (size_t)(token + 6 - text);
		text = token + 6;
	}
	send_text(fd, text, len);
	if (end == *FAKE_STALL)
		poll(&stopped, 1, -1);
	while (end == *FAKE_ENDLESS && send(fd, "X-More: and more\r\n", 18, MSG_NOSIGNAL) > 0 &&
		poll(&stopped, 1, 0) == 0)
		;
}

static void *connection_run(void *context)
{
	struct connection *connection = context;
	struct fake_server *server = connection->server;
	struct fake_request *request = request_read(connection->fd);

	if (request) {
		int index = request_keep(server, request);

		send_answer(server, connection->fd,
			server->answer(server->context, request->head, index));
	}
	close(connection->fd);
	free(connection);
	return NULL;
}

static void connection_start(struct fake_server *server, int fd)
{
	struct connection *connection = malloc(sizeof(*connection));
	pthread_t *thread = &server->connections[server->connection_count++];

	must(connection != NULL, "malloc");
	must(server->connection_count < REQUESTS_MAX, "too many connections");
	connection->server = server;
	connection->fd = fd;
	must(pthread_create(thread, NULL, connection_run, connection) == 0, "pthread_create");
}

static void *server_run(void *context)
{
	struct fake_server *server = context;
	struct pollfd ready[2] = {
		{.fd = server->listener, .events = POLLIN},
		{.fd = server->stop[0], .events = POLLIN},
	};

	while (poll(ready, 2, -1) > 0 && !ready[1].revents) {
		int fd = accept(server->listener, NULL, NULL);

		if (fd >= 0)
			connection_start(server, fd);
	}
	return NULL;
}

static void server_listen(struct fake_server *server)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);

	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(server->listener >= 0, "socket");
	must(bind(server->listener, (struct sockaddr *)&address, size) == 0, "bind");
	must(listen(server->listener, 64) == 0, "listen");
	must(getsockname(server->listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
	server->port = ntohs(address.sin_port);
}

struct fake_server *fake_server_start(
	const char *(*answer)(void *context, const char *head, int index), void *context)
{
	struct fake_server *server = calloc(1, sizeof(*server));

	must(server != NULL, "calloc");
	/* a client may go away in the middle of an answer */
	signal(SIGPIPE, SIG_IGN);
	server->answer = answer;
	server->context = context;
	pthread_mutex_init(&server->lock, NULL);
	must(pipe(server->stop) == 0, "pipe");
	server_listen(server);
	must(pthread_create(&server->thread, NULL, server_run, server) == 0, "pthread_create");
	return server;
}

static const char *played(void *context, const char *head, int index)
{
	const char *const *answers = context;

	(void)head;
	for (int i = 0; i < index && answers[1]; i++)
		answers++;
	return *answers;
}

struct fake_server *fake_server_play(const char *const *answers)
{
	return fake_server_start(played, (void *)answers);
}

void fake_server_stop(struct fake_server *server)
{
	close(server->stop[1]);
	pthread_join(server->thread, NULL);
	close(server->listener);
	for (int i = 0; i < server->connection_count; i++)
		pthread_join(server->connections[i], NULL);
	close(server->stop[0]);
	for (int i = 0; i < server->count && i < REQUESTS_MAX; i++)
		free(server->requests[i]);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

int fake_server_port(const struct fake_server *server)
{
	return server->port;
}

int fake_server_count(struct fake_server *server)
{
	int count;

	pthread_mutex_lock(&server->lock);
	count = server->count;
	pthread_mutex_unlock(&server->lock);
	return count;
}

static const struct fake_request *request_at(struct fake_server *server, int index)
{
	static const struct fake_request none;
	const struct fake_request *request;

	pthread_mutex_lock(&server->lock);
	request = index < server->count ? server->requests[index] : &none;
	pthread_mutex_unlock(&server->lock);
	return request;
}

const char *fake_server_head(struct fake_server *server, int index)
{
	return request_at(server, index)->head;
}

const char *fake_server_body(struct fake_server *server, int index)
{
	return request_at(server, index)->body;
}
