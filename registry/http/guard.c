#include "registry/http/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reference.h"
#include "registry/http/url.h"

struct range {
	uint32_t network;
	int bits;
	enum http_reach from; /* the first reach that doesn't go there */
};

/* RFC 3927, RFC 1122, and what Azure, Alibaba and Oracle use beside the link-local ones. */
static const struct range ranges[] = {
	{0xa9fe0000, 16, HTTP_NOT_LINK_LOCAL}, /* 169.254.0.0 */
	{0xa83f8110, 32, HTTP_NOT_LINK_LOCAL}, /* 168.63.129.16 */
	{0x646464c8, 32, HTTP_NOT_LINK_LOCAL}, /* 100.100.100.200 */
	{0xc00000c0, 32, HTTP_NOT_LINK_LOCAL}, /* 192.0.0.192 */
	{0x7f000000, 8, HTTP_NOT_LOCAL}, /* 127.0.0.0 */
	{0x00000000, 8, HTTP_NOT_LOCAL}, /* 0.0.0.0 is this machine too */
};

static bool allows_v4(enum http_reach reach, uint32_t address)
{
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		const struct range *range = &ranges[i];

		if (reach >= range->from && (address ^ range->network) >> (32 - range->bits) == 0)
			return false;
	}
	return true;
}

/* The IPv4 address within: mapped (::ffff:0:0/96), compatible (::/96), NAT64 (64:ff9b::/96),
 * 6to4 (2002::/16). */
static bool embedded_v4(const struct in6_addr *address, uint32_t *out)
{
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
	const uint8_t *bytes = address->s6_addr;
	size_t at = 12;

	if (bytes[0] == 0x20 && bytes[1] == 0x02)
		at = 2;
	else if (!IN6_IS_ADDR_V4MAPPED(address) && !IN6_IS_ADDR_V4COMPAT(address) &&
		 memcmp(bytes, nat64, sizeof(nat64)) != 0)
		return false;
	memcpy(out, bytes + at, sizeof(*out));
	*out = ntohl(*out);
	return true;
}

static bool allows_v6(enum http_reach reach, const struct in6_addr *address)
{
	/* The metadata service of AWS: fd00:ec2::254. */
	static const uint8_t metadata[16] = {0xfd, 0, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54};
	uint32_t embedded;

	if (reach >= HTTP_NOT_LINK_LOCAL &&
		(IN6_IS_ADDR_LINKLOCAL(address) ||
			memcmp(address, metadata, sizeof(metadata)) == 0))
		return false;
	if (reach >= HTTP_NOT_LOCAL &&
		(IN6_IS_ADDR_LOOPBACK(address) || IN6_IS_ADDR_UNSPECIFIED(address)))
		return false;
	return !embedded_v4(address, &embedded) || allows_v4(reach, embedded);
}

bool guard_allows(enum http_reach reach, const struct sockaddr *address)
{
	if (reach == HTTP_ANYWHERE)
		return true;
	if (address->sa_family == AF_INET)
		return allows_v4(
			reach, ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr));
	if (address->sa_family == AF_INET6)
		return allows_v6(reach, &((const struct sockaddr_in6 *)address)->sin6_addr);
	return false;
}

bool guard_allows_host(enum http_reach reach, const char *host)
{
	char text[INET6_ADDRSTRLEN + 1];
	size_t len = strlen(host);
	struct in_addr v4;
	struct in6_addr v6;

	if (*host == '[') {
		host++;
		len = strcspn(host, "%]");
	}
	if (len >= sizeof(text))
		return true;
	memcpy(text, host, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, &v4) == 1)
		return allows_v4(reach, ntohl(v4.s_addr));
	if (inet_pton(AF_INET6, text, &v6) == 1)
		return allows_v6(reach, &v6);
	return true;
}

static int refuse(struct transfer *transfer)
{
	int host_len;
	const char *host = http_url_host(transfer->request->url, &host_len);

	return error_set(transfer->error,
		transfer->request->anonymous ? ERROR_PROTOCOL : ERROR_DENIED,
		"%.*s: the registry sends there, and it has an address that it can't have",
		host_len, host);
}

/* A proxy of the user may be on this machine. */
static bool is_proxy(int port)
{
	static const char *const names[] = {
		"https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *proxy = getenv(names[i]);
		const char *host = proxy ? strstr(proxy, "://") : NULL;
		const char *colon;

		if (!proxy)
			continue;
		host = host ? host + 3 : proxy;
		host = strrchr(host, '@') ? strrchr(host, '@') + 1 : host;
		colon = strrchr(host, ':');
		if (host_is_loopback(host) && (colon ? strtol(colon + 1, NULL, 10) : 1080) == port)
			return true;
	}
	return false;
}

static int port_of(const struct sockaddr *address)
{
	return ntohs(address->sa_family == AF_INET6
			     ? ((const struct sockaddr_in6 *)address)->sin6_port
			     : ((const struct sockaddr_in *)address)->sin_port);
}

static bool transfer_allows(const struct transfer *transfer, const struct sockaddr *address)
{
	enum http_reach reach = transfer->request->reach;

	return guard_allows(reach, address) ||
	       (guard_allows(HTTP_NOT_LINK_LOCAL, address) && is_proxy(port_of(address)));
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *transfer = context;

	(void)purpose;
	if (!transfer_allows(transfer, &address->addr)) {
		refuse(transfer);
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A kept connection may have been made for a request of another reach. */
static bool connection_allowed(const struct transfer *transfer, const char *address, int port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

	if (transfer->request->reach == HTTP_ANYWHERE)
		return true;
	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		return transfer_allows(transfer, (const struct sockaddr *)&v4);
	return inet_pton(AF_INET6, address, &v6.sin6_addr) == 1 &&
	       transfer_allows(transfer, (const struct sockaddr *)&v6);
}

static int before_request(void *context, char *primary,
	char *local, /* NOLINT(readability-non-const-parameter): libcurl's */
	int primary_port, int local_port)
{
	struct transfer *transfer = context;

	(void)local;
	(void)local_port;
	if (!connection_allowed(transfer, primary, primary_port)) {
		refuse(transfer);
		return CURL_PREREQFUNC_ABORT;
	}
	transfer_connected(transfer);
	return CURL_PREREQFUNC_OK;
}

CURLcode guard_set(struct transfer *transfer)
{
	CURL *easy = transfer->easy;
	CURLcode code = curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);

	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
	if (transfer->request->reach == HTTP_ANYWHERE)
		return code;
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
	return code;
}
