/*
 * certs.h - whom to trust, and who to be, at a host's TLS: its folder in certs.d
 * (containers-certs.d(5)).
 *
 *     *.crt            certificates of authorities, PEM, trusted beside the system's
 *     NAME.cert, NAME.key   a client certificate and its key, PEM
 */
#ifndef INDEXFS_REMOTE_CERTS_H
#define INDEXFS_REMOTE_CERTS_H

#include "buf.h"
#include "log.h"
#include "registry/remote/config.h"

#define CERTS_SIZE_MAX ((size_t)4 << 20)

struct certs {
	char *folder; /* NULL: there is none for the host */
	struct buf authorities; /* all of them, PEM */
	char *cert, *key; /* paths, both or neither */
};

#define CERTS_INIT                                                                                 \
	{                                                                                          \
		.authorities = BUF_INIT(CERTS_SIZE_MAX)                                            \
	}

void certs_clear(struct certs *certs);

/* *out must be empty, and is to be cleared whatever the result. ERROR_INVALID names the file:
 * *.crt that is no certificate, a client certificate without its key, a key without it. */
int certs_find(struct certs *out, const struct config_places *places, const char *host,
	struct log *log, struct error *err);

#endif
