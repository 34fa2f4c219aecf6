/* What registries and token servers send before anybody is trusted: challenges, one a line, their
 * scopes merged; and the whole as a token server's answer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/challenge.h"
#include "registry/model/scope.h"
#include "registry/model/token_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

/* What has been merged is merged. */
static void check_scope(const char *scope)
{
	char *merged, *again;

	if (scope_merge(&merged, scope, scope, NULL))
		return;
	require(strlen(merged) <= SCOPE_TEXT_MAX);
	require(scope_merge(&again, merged, scope, NULL) == 0);
	require(strcmp(merged, again) == 0);
	free(again);
	free(merged);
}

static void check_challenges(char *lines)
{
	struct challenge challenge = CHALLENGE_INIT;
	char *line;

	while ((line = strsep(&lines, "\n"))) {
		enum challenge_scheme before = challenge.scheme;

		require(challenge_read(&challenge, line, NULL) == 0);
		require(challenge.scheme >= before);
		require(challenge.scheme != CHALLENGE_BEARER || *challenge.realm);
		if (challenge.scope)
			check_scope(challenge.scope);
	}
	challenge_clear(&challenge);
}

static void check_answer(const char *text, size_t len)
{
	struct token_answer answer;

	if (token_answer_parse(&answer, text, len, NULL))
		return;
	require(*answer.token && !strpbrk(answer.token, " \r\n\t"));
	require(answer.expires_in >= 0 && answer.expires_in <= TOKEN_LIFE_MAX);
	token_answer_clear(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1);

	require(text != NULL);
	memcpy(text, data, size);
	check_answer(text, size);
	check_challenges(text);
	free(text);
	return 0;
}
