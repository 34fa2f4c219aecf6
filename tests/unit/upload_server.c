#include "upload_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buf.h"
#include "digest.h"

#define CONNECTIONS_MAX 256
#define LINE_SIZE 4096
#define PIECE ((size_t)256 << 10)

struct upload_server {
	struct upload_rules rules;
	int listener, port;
	int stop[2];
	pthread_t thread;
	pthread_t connections[CONNECTIONS_MAX];
	int fds[CONNECTIONS_MAX]; /* -1 once closed */
	int connection_count;

	pthread_mutex_t lock; /* for what stands here */
	struct buf log;
	uint64_t bytes, until_cut;
	int cuts, patches, locations;
	bool open, closed_once, failed_once;
	uint64_t offset, first_end;
	uint64_t blob_size;
	bool has_blob;
	struct hasher *hasher;
};

struct connection {
	struct upload_server *server;
	int index, fd;
};

struct request {
	char line[LINE_SIZE]; /* METHOD TARGET */
	char range[64]; /* Content-Range */
	uint64_t length;
	bool expects;
};

static void must(bool ok, const char *what)
{
	if (!ok) {
		perror(what);
		abort();
	}
}

static bool request_read(FILE *from, struct request *request)
{
	char line[LINE_SIZE];

	memset(request, 0, sizeof(*request));
	if (!fgets(request->line, sizeof(request->line), from))
		return false;
	while (fgets(line, sizeof(line), from) && line[0] != '\r') {
		if (strncasecmp(line, "Content-Length:", 15) == 0)
			request->length = strtoull(line + 15, NULL, 10);
		if (strncasecmp(line, "Content-Range:", 14) == 0)
			sscanf(line + 14, " %63s", request->range);
		request->expects = request->expects || strncasecmp(line, "Expect:", 7) == 0;
	}
	return !ferror(from) && !feof(from);
}

/* The next piece of the body. *cut: the connection is to be cut behind it. */
static size_t piece_read(
	struct upload_server *server, FILE *from, uint64_t left, char *piece, bool *cut)
{
	bool cuts = server->rules.cut_every != 0;
	size_t want = left < PIECE ? (size_t)left : PIECE;

	if (cuts && server->until_cut < want)
		want = (size_t)server->until_cut;
	want = fread(piece, 1, want, from);
	server->bytes += want;
	server->until_cut -= want;
	*cut = !want || (cuts && !server->until_cut);
	if (cuts && !server->until_cut) {
		server->until_cut = server->rules.cut_every;
		server->cuts++;
	}
	return want;
}

/* Takes the body, and keeps it where it is wanted: false where the connection is to be cut. */
static bool body_take(
	struct upload_server *server, FILE *from, uint64_t length, bool keep, char *piece)
{
	bool late = keep && server->rules.forgets_cut_chunk;
	char *whole = late ? malloc(length + PIECE) : NULL;
	uint64_t taken = 0;
	bool cut = false;

	must(whole || !late, "malloc");
	while (taken < length && !cut) {
		char *to = late ? whole + taken : piece;
		size_t got = piece_read(server, from, length - taken, to, &cut);

		taken += got;
		if (keep && !late) {
			hasher_update(server->hasher, piece, got);
			server->offset += got;
		}
	}
	if (late && !cut) {
		hasher_update(server->hasher, whole, length);
		server->offset += length;
	}
	free(whole);
	return !cut;
}

static void log_request(struct upload_server *server, const struct request *request, int status)
{
	char length[32];
	const char *target = strchr(request->line, ' ');
	bool posts = strncmp(request->line, "POST", 4) == 0;
	const char *query = posts && target ? strchr(target, '?') : NULL;

	snprintf(length, sizeof(length), "%llu", (unsigned long long)request->length);
	must(buf_printf(&server->log, "%.*s %s%.*s %d\n", (int)strcspn(request->line, " "),
		     request->line, *request->range ? request->range : length,
		     query ? (int)strcspn(query, " ") : 0, query ? query : "", status) == 0,
		"log");
}

static int session_answer(
	struct upload_server *server, int fd, const char *what, int status, const char *more)
{
	uint64_t end = server->rules.range_stuck ? server->first_end : server->offset;
	char range[64] = "";

	if (!server->rules.no_range)
		snprintf(range, sizeof(range), "Range: 0-%llu\r\n",
			(unsigned long long)(end ? end - 1 : 0));
	dprintf(fd, "HTTP/1.1 %d %s\r\nLocation: /up?s=%d\r\n%s%sContent-Length: 0\r\n\r\n", status,
		what, ++server->locations, range, more);
	return status;
}

static int plain_answer(int fd, int status)
{
	dprintf(fd, "HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n", status);
	return status;
}

static int post_answer(struct upload_server *server, int fd, const struct request *request)
{
	char min[64] = "";
	bool mounts = strstr(request->line, "?mount=") != NULL;

	if (mounts && server->rules.mount_status && server->rules.mount_status != 202)
		return plain_answer(fd, server->rules.mount_status);
	if (server->rules.chunk_min)
		snprintf(min, sizeof(min), "OCI-Chunk-Min-Length: %llu\r\n",
			(unsigned long long)server->rules.chunk_min);
	hasher_reset(server->hasher);
	server->offset = server->first_end = 0;
	server->open = true;
	return session_answer(server, fd, "Accepted", 202, min);
}

/* Whether the target names the newest Location. */
static bool location_is_newest(const struct upload_server *server, const struct request *request)
{
	const char *number = strstr(request->line, "/up?s=");

	return server->open && number && strtol(number + 6, NULL, 10) == server->locations;
}

static bool in_order(const struct upload_server *server, const struct request *request)
{
	char want[64];

	snprintf(want, sizeof(want), "%llu-%llu", (unsigned long long)server->offset,
		(unsigned long long)(server->offset + request->length - 1));
	return strcmp(want, request->range) == 0;
}

static int patch_refusal(struct upload_server *server, const struct request *request)
{
	const struct upload_rules *rules = &server->rules;

	server->patches++;
	if (!location_is_newest(server, request))
		return 404;
	if (rules->refuse_chunk && server->patches >= rules->refuse_chunk)
		return rules->refuse_status;
	if ((rules->chunk_max && request->length > rules->chunk_max) ||
		request->length < rules->chunk_min || !in_order(server, request))
		return 416;
	return 0;
}

/* 0: the connection is cut. */
static int after_cut(struct upload_server *server)
{
	if (server->rules.session_dies)
		server->open = false;
	return 0;
}

static int patch_answer(struct upload_server *server, int fd, FILE *from,
	const struct request *request, char *piece)
{
	const struct upload_rules *rules = &server->rules;
	int refused = patch_refusal(server, request);
	bool fails = !refused && server->patches == rules->fail_patch && !server->failed_once;
	bool keeps = !refused && !fails;

	if (!body_take(server, from, request->length, keeps, piece))
		return after_cut(server);
	if (fails) {
		server->failed_once = true;
		return plain_answer(fd, 503);
	}
	if (refused)
		return plain_answer(fd, refused);
	if (!server->first_end)
		server->first_end = server->offset;
	return session_answer(
		server, fd, "Accepted", rules->chunk_status ? rules->chunk_status : 202, "");
}

static bool digest_is(struct upload_server *server, const struct request *request)
{
	struct digest digest;
	const char *text = strstr(request->line, "digest=");

	hasher_digest(server->hasher, &digest);
	return text && strncmp(text + 7, digest.text, strlen(digest.text)) == 0;
}

static int put_answer(struct upload_server *server, int fd, FILE *from,
	const struct request *request, char *piece)
{
	const struct upload_rules *rules = &server->rules;
	bool chunked = server->offset > 0;
	int refused = 0;

	if (!location_is_newest(server, request))
		refused = 404;
	else if (chunked && request->length &&
		 (rules->body_put_fails || !in_order(server, request)))
		refused = 400;
	else if (chunked && !request->length && rules->empty_put_fails)
		refused = 500;
	if (!body_take(server, from, request->length, !refused, piece))
		return after_cut(server);
	if (refused)
		return plain_answer(fd, refused);
	server->open = false;
	server->has_blob = digest_is(server, request);
	server->blob_size = server->offset;
	if (rules->close_unanswered && !server->closed_once) {
		server->closed_once = true;
		return 0;
	}
	return plain_answer(fd, server->has_blob ? 201 : 400);
}

static int get_answer(struct upload_server *server, int fd, const struct request *request)
{
	if (server->rules.no_sessions)
		return plain_answer(fd, 405);
	if (!location_is_newest(server, request))
		return plain_answer(fd, 404);
	return session_answer(server, fd, "No Content", 204, "");
}

static int head_answer(struct upload_server *server, int fd)
{
	dprintf(fd, "HTTP/1.1 %d X\r\nContent-Length: %llu\r\n\r\n", server->has_blob ? 200 : 404,
		(unsigned long long)server->blob_size);
	return server->has_blob ? 200 : 404;
}

static int proxy_answer(struct upload_server *server, int fd, FILE *from,
	const struct request *request, char *piece)
{
	if (!request->expects && !body_take(server, from, request->length, false, piece))
		return 0;
	return plain_answer(fd, 413);
}

static int answer(struct upload_server *server, int fd, FILE *from, const struct request *request,
	char *piece)
{
	const char *line = request->line;

	if (server->rules.body_max && request->length > server->rules.body_max)
		return proxy_answer(server, fd, from, request, piece);
	if (request->expects)
		dprintf(fd, "HTTP/1.1 100 Continue\r\n\r\n");
	if (strncmp(line, "HEAD ", 5) == 0)
		return head_answer(server, fd);
	if (strncmp(line, "POST ", 5) == 0)
		return post_answer(server, fd, request);
	if (strncmp(line, "PATCH ", 6) == 0)
		return patch_answer(server, fd, from, request, piece);
	if (strncmp(line, "PUT ", 4) == 0)
		return put_answer(server, fd, from, request, piece);
	return get_answer(server, fd, request);
}

static void *connection_run(void *context)
{
	struct connection *connection = context;
	struct upload_server *server = connection->server;
	FILE *from = fdopen(dup(connection->fd), "r");
	char *piece = malloc(PIECE);
	struct request request;
	struct linger reset = {.l_onoff = 1};
	int status = 1;

	must(from && piece, "connection");
	while (status && request_read(from, &request)) {
		pthread_mutex_lock(&server->lock);
		status = answer(server, connection->fd, from, &request, piece);
		log_request(server, &request, status);
		pthread_mutex_unlock(&server->lock);
	}
	if (!status)
		setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	fclose(from);
	pthread_mutex_lock(&server->lock);
	server->fds[connection->index] = -1;
	close(connection->fd);
	pthread_mutex_unlock(&server->lock);
	free(piece);
	free(connection);
	return NULL;
}

static void connection_start(struct upload_server *server, int fd)
{
	struct connection *connection = malloc(sizeof(*connection));
	int index = server->connection_count++;

	must(connection && index < CONNECTIONS_MAX, "connections");
	*connection = (struct connection){.server = server, .index = index, .fd = fd};
	pthread_mutex_lock(&server->lock);
	server->fds[index] = fd;
	pthread_mutex_unlock(&server->lock);
	must(pthread_create(&server->connections[index], NULL, connection_run, connection) == 0,
		"pthread_create");
}

static void *server_run(void *context)
{
	struct upload_server *server = context;
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

static void server_listen(struct upload_server *server)
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

struct upload_server *upload_server_start(const struct upload_rules *rules)
{
	struct upload_server *server = calloc(1, sizeof(*server));

	must(server != NULL, "calloc");
	/* a client may go away in the middle of an answer */
	signal(SIGPIPE, SIG_IGN);
	server->rules = *rules;
	server->until_cut = rules->cut_every;
	server->log = (struct buf)BUF_INIT((size_t)1 << 20);
	server->hasher = hasher_new(NULL);
	must(server->hasher != NULL, "hasher");
	pthread_mutex_init(&server->lock, NULL);
	must(pipe(server->stop) == 0, "pipe");
	server_listen(server);
	must(pthread_create(&server->thread, NULL, server_run, server) == 0, "pthread_create");
	return server;
}

void upload_server_stop(struct upload_server *server)
{
	close(server->stop[1]);
	pthread_join(server->thread, NULL);
	close(server->listener);
	pthread_mutex_lock(&server->lock);
	for (int i = 0; i < server->connection_count; i++) {
		if (server->fds[i] >= 0)
			shutdown(server->fds[i], SHUT_RDWR);
	}
	pthread_mutex_unlock(&server->lock);
	for (int i = 0; i < server->connection_count; i++)
		pthread_join(server->connections[i], NULL);
	close(server->stop[0]);
	hasher_free(server->hasher);
	buf_free(&server->log);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

int upload_server_port(const struct upload_server *server)
{
	return server->port;
}

uint64_t upload_server_bytes(struct upload_server *server)
{
	uint64_t bytes;

	pthread_mutex_lock(&server->lock);
	bytes = server->bytes;
	pthread_mutex_unlock(&server->lock);
	return bytes;
}

int upload_server_cuts(struct upload_server *server)
{
	int cuts;

	pthread_mutex_lock(&server->lock);
	cuts = server->cuts;
	pthread_mutex_unlock(&server->lock);
	return cuts;
}

char *upload_server_log(struct upload_server *server)
{
	char *text;

	pthread_mutex_lock(&server->lock);
	text = strdup(server->log.data ? server->log.data : "");
	pthread_mutex_unlock(&server->lock);
	must(text != NULL, "strdup");
	return text;
}

int upload_server_count(struct upload_server *server, const char *begins)
{
	char *text = upload_server_log(server);
	int count = 0;

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		count += strncmp(line, begins, strlen(begins)) == 0;
	}
	free(text);
	return count;
}

void upload_server_reset(struct upload_server *server)
{
	pthread_mutex_lock(&server->lock);
	buf_reset(&server->log);
	server->bytes = 0;
	server->patches = 0;
	server->has_blob = false;
	pthread_mutex_unlock(&server->lock);
}
