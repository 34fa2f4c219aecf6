/*
 * upload_server.h - a registry that takes one upload at a time, by the rules of a test: what real
 * registries do differently, and connections that are cut.
 *
 * Each answer names a new Location, and only the newest is good. What a session is sent is hashed
 * and not kept; the closing PUT succeeds where the digest is right.
 */
#ifndef INDEXFS_TEST_UPLOAD_SERVER_H
#define INDEXFS_TEST_UPLOAD_SERVER_H

#include <stdbool.h>
#include <stdint.h>

struct upload_rules {
	int chunk_status; /* of a PATCH that is taken; 0: 202 */
	int refuse_chunk; /* the number of the first PATCH that is refused, from 1; 0: none */
	int refuse_status;
	uint64_t body_max; /* a longer body is 413, as of a proxy; 0: any */
	uint64_t chunk_max; /* a longer PATCH is 416; 0: any */
	uint64_t chunk_min; /* OCI-Chunk-Min-Length, and a shorter PATCH is 416; 0: none */
	bool range_stuck; /* Range is always that of the first chunk */
	bool no_range; /* no Range at all */
	bool empty_put_fails; /* 500 for a closing PUT without a body, after chunks */
	bool body_put_fails; /* 400 for one with a body, after chunks */
	uint64_t cut_every; /* the connection is cut after so many bytes of bodies; 0: never */
	bool forgets_cut_chunk; /* what came of it is dropped, else it's kept */
	bool session_dies; /* when the connection is cut */
	bool close_unanswered; /* the first closing PUT is done, and its answer isn't sent */
	int fail_patch; /* this PATCH, by number, is answered by 503 once its body has come */
	int mount_status; /* of a POST that asks for a mount; 0: 202 */
	bool no_sessions; /* 405 for whoever asks how far a session is */
};

struct upload_server;

struct upload_server *upload_server_start(const struct upload_rules *rules);
void upload_server_stop(struct upload_server *server);

int upload_server_port(const struct upload_server *server);

/* Bytes of bodies that came, and how often a connection was cut. */
uint64_t upload_server_bytes(struct upload_server *server);
int upload_server_cuts(struct upload_server *server);

/* What was asked, a line each, to be freed: "PATCH 0-1023 202", the range being the Content-Range
 * or the length of the body. A cut request has the status 0. */
char *upload_server_log(struct upload_server *server);

/* How many of its lines begin so. */
int upload_server_count(struct upload_server *server, const char *begins);

/* Forgets the log, the bytes and the blob that it has. */
void upload_server_reset(struct upload_server *server);

#endif
