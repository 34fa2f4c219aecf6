#include "registry/model/base64.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "cleanup.h"
#include "secret.h"

#define ALPHABET                                                                                   \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"                                                               \
	"abcdefghijklmnopqrstuvwxyz"                                                               \
	"0123456789+/"

int base64_encode(char **out, const void *bytes, size_t len, struct error *err)
{
	*out = len < INT_MAX / 2 ? malloc(len / 3 * 4 + 5) : NULL;
	if (!*out)
		return error_set_memory(err);
	EVP_EncodeBlock((unsigned char *)*out, bytes, (int)len);
	return 0;
}

/* libcrypto skips white space around the text and takes only whole groups of four. */
int base64_decode(char **out, size_t *out_len, const char *text, struct error *err)
{
	size_t digits = strspn(text, ALPHABET);
	size_t padding = strspn(text + digits, "=");
	size_t groups = (digits + 3) / 4;
	cleanup_secret char *padded = NULL, *decoded = NULL;

	*out = NULL;
	*out_len = 0;
	if (text[digits + padding] || digits % 4 == 1 || padding > 2 ||
		(padding > 0 && (digits + padding) % 4 != 0) || groups > INT_MAX / 4)
		return error_set(err, ERROR_INVALID, "it isn't base64");
	padded = malloc(groups * 4 + 1);
	decoded = malloc(groups * 3 + 1);
	if (padded)
		*padded = '\0';
	if (decoded)
		*decoded = '\0';
	if (!padded || !decoded)
		return error_set_memory(err);
	memcpy(padded, text, digits);
	memset(padded + digits, '=', groups * 4 - digits);
	padded[groups * 4] = '\0';
	if (EVP_DecodeBlock((unsigned char *)decoded, (unsigned char *)padded, (int)(groups * 4)) <
		0)
		return error_set(err, ERROR_INVALID, "it isn't base64");
	*out_len = digits * 3 / 4;
	decoded[*out_len] = '\0';
	*out = steal_ptr(decoded);
	return 0;
}
