#include "digest.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

struct hasher {
	EVP_MD_CTX *running;
	EVP_MD_CTX *copy; /* finished in place of running, which can so go on */
	const EVP_MD *md;
	const char *algorithm;
	bool broken; /* libcrypto has failed; the digest is unset from then on */
};

static bool has_algorithm(const char *text, const char *algorithm)
{
	size_t len = strlen(algorithm);

	return strncmp(text, algorithm, len) == 0 && text[len] == ':';
}

static bool is_component(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* algorithm ::= component (separator component)*; returns the length, 0 if it isn't one. */
static size_t algorithm_len(const char *text)
{
	size_t len = 0;

	for (;;) {
		if (!is_component(text[len]))
			return 0;
		while (is_component(text[len]))
			len++;
		if (!text[len] || !strchr("+._-", text[len]))
			return len;
		len++;
	}
}

static bool encoded_valid(const char *text, const char *encoded)
{
	size_t len = strlen(encoded);
	size_t want = 0;

	if (has_algorithm(text, "sha256"))
		want = SHA256_HEX_LEN;
	else if (has_algorithm(text, "sha512"))
		want = 128;
	if (want)
		return len == want && strspn(encoded, "0123456789abcdef") == want;
	for (size_t i = 0; i < len; i++)
		if (!isascii(encoded[i]) || (!isalnum(encoded[i]) && !strchr("=_-", encoded[i])))
			return false;
	return len > 0;
}

bool digest_parse(struct digest *out, const char *text)
{
	size_t len = strnlen(text, DIGEST_TEXT_SIZE);
	size_t algorithm = algorithm_len(text);

	if (len == DIGEST_TEXT_SIZE || algorithm == 0 || text[algorithm] != ':')
		return false;
	if (!encoded_valid(text, text + algorithm + 1))
		return false;
	memcpy(out->text, text, len + 1);
	return true;
}

bool digest_is_set(const struct digest *digest)
{
	return digest->text[0] != '\0';
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return strcmp(a->text, b->text) == 0;
}

bool digest_verifiable(const struct digest *digest)
{
	return has_algorithm(digest->text, "sha256") || has_algorithm(digest->text, "sha512");
}

size_t digest_algorithm_len(const struct digest *digest)
{
	return strcspn(digest->text, ":");
}

const char *digest_encoded(const struct digest *digest)
{
	const char *colon = digest->text + digest_algorithm_len(digest);

	return *colon ? colon + 1 : colon;
}

struct hasher *hasher_new(const struct digest *like)
{
	bool sha512 = like && has_algorithm(like->text, "sha512");

	if (like && !digest_verifiable(like))
		return NULL;
	struct hasher *hasher = calloc(1, sizeof(*hasher));
	if (!hasher)
		return NULL;
	hasher->md = sha512 ? EVP_sha512() : EVP_sha256();
	hasher->algorithm = sha512 ? "sha512" : "sha256";
	hasher->running = EVP_MD_CTX_new();
	hasher->copy = EVP_MD_CTX_new();
	if (!hasher->running || !hasher->copy ||
		!EVP_DigestInit_ex(hasher->running, hasher->md, NULL)) {
		hasher_free(hasher);
		return NULL;
	}
	return hasher;
}

void hasher_free(struct hasher *hasher)
{
	if (!hasher)
		return;
	EVP_MD_CTX_free(hasher->running);
	EVP_MD_CTX_free(hasher->copy);
	free(hasher);
}

void hasher_reset(struct hasher *hasher)
{
	hasher->broken = !EVP_DigestInit_ex(hasher->running, hasher->md, NULL);
}

void hasher_update(struct hasher *hasher, const void *bytes, size_t len)
{
	if (len && !EVP_DigestUpdate(hasher->running, bytes, len))
		hasher->broken = true;
}

static void format_hex(
	struct digest *out, const char *algorithm, const unsigned char *hash, unsigned int len)
{
	static const char hex[] = "0123456789abcdef";
	char *p = stpcpy(stpcpy(out->text, algorithm), ":");

	for (unsigned int i = 0; i < len; i++) {
		*p++ = hex[hash[i] >> 4];
		*p++ = hex[hash[i] & 15];
	}
	*p = '\0';
}

void hasher_digest(struct hasher *hasher, struct digest *out)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int len;

	if (hasher->broken || !EVP_MD_CTX_copy_ex(hasher->copy, hasher->running) ||
		!EVP_DigestFinal_ex(hasher->copy, hash, &len))
		out->text[0] = '\0';
	else
		format_hex(out, hasher->algorithm, hash, len);
}

void digest_of_bytes(struct digest *out, const void *bytes, size_t len)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int hash_len;

	if (EVP_Digest(len ? bytes : "", len, hash, &hash_len, EVP_sha256(), NULL))
		format_hex(out, "sha256", hash, hash_len);
	else
		out->text[0] = '\0';
}

int digest_check(const struct digest *want, const void *bytes, size_t len, struct error *err)
{
	struct digest found;

	if (!digest_verifiable(want))
		return error_set(err, ERROR_CORRUPT,
			"content can't be verified by the digest \"%s\": its algorithm isn't known",
			want->text);
	struct hasher *hasher = hasher_new(want);
	if (!hasher)
		return error_set_memory(err);
	hasher_update(hasher, bytes, len);
	hasher_digest(hasher, &found);
	hasher_free(hasher);
	if (!digest_is_set(&found))
		return error_set_memory(err);
	if (!digest_equal(&found, want))
		return error_set(err, ERROR_CORRUPT, "content has the digest %s instead of %s",
			found.text, want->text);
	return 0;
}
