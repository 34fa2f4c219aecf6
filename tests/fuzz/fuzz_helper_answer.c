/* What a credential helper answers: both a name and a secret, or neither; and none of it is told.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/helper_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	char *username, *secret;
	char *text = malloc(size + 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	helper_says_not_found(text);
	helper_name_valid(text);
	if (helper_answer_parse(&username, &secret, text, size, &err) == 0) {
		if (!username != !secret)
			abort();
		free(username);
		free(secret);
	} else if (err.kind != ERROR_INVALID || !*err.message) {
		abort();
	}
	free(text);
	return 0;
}
