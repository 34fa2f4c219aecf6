#include "registry/model/reference_host.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reference.h"

#define HOST_LEN_MAX 255
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

bool host_stands_alone(const char *text)
{
	static const char local[] = "localhost";
	size_t len = strcspn(text, ":@");

	if (*text == '[' || memchr(text, '.', len))
		return true;
	return len == strlen(local) && strncasecmp(text, local, len) == 0;
}

bool host_before_slash(const char *text, size_t len)
{
	return memchr(text, ':', len) || memchr(text, '.', len) || *text == '[' ||
	       (len == strlen("localhost") && strncasecmp(text, "localhost", len) == 0);
}

/* Copies the host without port and brackets; returns what comes after it, or NULL where the
 * closing bracket is missing or the host is too long. */
static const char *split_host(char out[static HOST_LEN_MAX + 1], const char *host)
{
	bool bracketed = *host == '[';
	const char *name = host + bracketed;
	size_t len = strcspn(name, bracketed ? "]" : ":");

	if (len > HOST_LEN_MAX || (bracketed && !name[len]))
		return NULL;
	memcpy(out, name, len);
	out[len] = '\0';
	return name + len + bracketed;
}

/* Labels of letters, digits and inner dashes, with dots between. */
static bool name_valid(const char *name)
{
	for (;;) {
		size_t len = strspn(name, LETTERS DIGITS "-");

		if (len == 0 || name[0] == '-' || name[len - 1] == '-')
			return false;
		if (!name[len])
			return true;
		if (name[len] != '.')
			return false;
		name += len + 1;
	}
}

static bool port_valid(const char *port)
{
	size_t len = strspn(port, DIGITS);
	unsigned long number = len > 0 && len <= 5 ? strtoul(port, NULL, 10) : 0;

	return !port[len] && number > 0 && number <= 65535;
}

const char *host_wrong(const char *host)
{
	char name[HOST_LEN_MAX + 1];
	struct in6_addr v6;
	const char *rest = split_host(name, host);

	if (!rest)
		return *host == '[' ? "the bracket after the IPv6 address is missing"
				    : "the host is too long";
	if (*host == '[' ? inet_pton(AF_INET6, name, &v6) != 1 : !name_valid(name))
		return *host == '[' ? "there is no IPv6 address in the brackets"
				    : "the host must be letters, digits, \"-\" and \".\"";
	if (*rest && (*rest != ':' || !port_valid(rest + 1)))
		return "after the host only a port from 1 to 65535 may stand";
	return NULL;
}

bool host_is_loopback(const char *host)
{
	char name[HOST_LEN_MAX + 1];
	struct in6_addr v6;
	unsigned char v4[4];

	if (!split_host(name, host))
		return false;
	if (*host == '[')
		return inet_pton(AF_INET6, name, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
	return strcasecmp(name, "localhost") == 0 ||
	       (inet_pton(AF_INET, name, v4) == 1 && v4[0] == 127);
}
