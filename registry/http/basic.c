#include "registry/http/basic.h"

#include <stdio.h>
#include <string.h>

#include "registry/base/redact.h"
#include "registry/model/base64.h"
#include "secret.h"

int basic_authorization(char **out, const char *username, const char *password, struct error *err)
{
	cleanup_secret char *pair = NULL;
	cleanup_secret char *encoded = NULL;

	*out = NULL;
	if (asprintf(&pair, "%s:%s", username ? username : "", password ? password : "") < 0) {
		pair = NULL;
		return error_set_memory(err);
	}
	if (base64_encode(&encoded, pair, strlen(pair), err))
		return -1;
	if (asprintf(out, "Basic %s", encoded) < 0) {
		*out = NULL;
		return error_set_memory(err);
	}
	return 0;
}

void authorization_hide(char *text, const char *value)
{
	const char *shown = strchr(value, ' ');
	cleanup_secret char *pair = NULL;
	const char *password;
	size_t len;

	if (!shown)
		return;
	redact_known(text, ++shown);
	if (strncmp(value, "Basic ", 6) == 0 && base64_decode(&pair, &len, shown, NULL) == 0 &&
		(password = strchr(pair, ':')))
		redact_known(text, password + 1);
}
