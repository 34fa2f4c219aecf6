#include "fs/mount/option_value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "cleanup.h"

int option_number(int64_t *out, const char *name, const char *value, int base, int64_t least,
	int64_t most, struct error *err)
{
	char *end = NULL;
	long long number;

	errno = 0;
	number = strtoll(value, &end, base);
	if (errno || end == value || *end || number < least || number > most)
		return error_set(err, ERROR_INVALID, "%s=%s: it takes a number from %lld to %lld",
			name, value, (long long)least, (long long)most);
	*out = number;
	return 0;
}

int option_size(int64_t *out, const char *name, const char *value, struct error *err)
{
	static const char units[] = "KMGT";
	char *end = NULL;
	const char *unit;
	long long number;
	int shift = 0;

	errno = 0;
	number = strtoll(value, &end, 10);
	if (!errno && end != value && *end && (unit = strchr(units, *end)) && !end[1])
		shift = 10 * (int)(unit - units + 1);
	else if (errno || end == value || *end)
		number = -1;
	if (number < 0 || number > (INT64_MAX >> shift))
		return error_set(err, ERROR_INVALID, "%s=%s: it takes a size such as 500M or 10G",
			name, value);
	*out = number << shift;
	return 0;
}

char *option_path(const char *value, struct error *err)
{
	cleanup_with(buf_free) struct buf path = BUF_INIT(BUF_UNBOUNDED);
	cleanup_free char *here = value[0] == '/' ? strdup("") : getcwd(NULL, 0);
	char *text;

	if (!here || buf_printf(&path, "%s%s%s", here, *here ? "/" : "", value) ||
		!(text = buf_steal(&path))) {
		error_set_memory(err);
		return NULL;
	}
	return text;
}

size_t name_distance(const char *a, const char *b)
{
	size_t row[64], i, k, len = strlen(b);

	if (strlen(a) >= 64 || len >= 64)
		return 64;
	for (k = 0; k <= len; k++)
		row[k] = k;
	for (i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (k = 1; k <= len; k++) {
			size_t replace = diagonal + (a[i - 1] != b[k - 1]);
			size_t shorter = (row[k] < row[k - 1] ? row[k] : row[k - 1]) + 1;

			diagonal = row[k];
			row[k] = replace < shorter ? replace : shorter;
		}
	}
	return row[len];
}
