#include "registry/http/trust.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <curl/curl.h>

static int append_file(struct buf *out, const char *path, struct error *err)
{
	FILE *file = fopen(path, "re");
	char bytes[16384];
	size_t got;
	int failed = 0;

	if (!file)
		return error_set_errno(err, errno, "%s", path);
	while (!failed && (got = fread(bytes, 1, sizeof(bytes), file)) > 0)
		failed = buf_append(out, bytes, got);
	if (failed)
		error_set_errno(err, errno, "%s", path);
	else if (ferror(file))
		failed = error_set_errno(err, errno, "%s", path);
	fclose(file);
	return failed ? -1 : 0;
}

int trust_join(struct buf *out, const char *pem, const char *file, struct error *err)
{
	const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);

	if (buf_append_text(out, pem) || buf_append_text(out, "\n"))
		return error_set_errno(err, errno, "the authorities to trust");
	if (file)
		return append_file(out, file, err);
	if (!curl->capath && curl->cainfo && access(curl->cainfo, R_OK) == 0)
		return append_file(out, curl->cainfo, err);
	return 0;
}
