#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "fs/cmd/cmd.h"

static const char *hint(const struct error *err)
{
	switch (err->kind) {
	case ERROR_DENIED:
		return err->status != 401 && err->status != 403
			       ? NULL
			       : "indexfs login REGISTRY keeps the right credentials";
	case ERROR_REFUSED:
		return "is the registry running, and is the port right?";
	case ERROR_UNREACHABLE:
		return "check the host's name and the network";
	case ERROR_CERTIFICATE:
		return "give the registry's CA with -o ca-file=FILE";
	case ERROR_TIMEOUT:
		return "-o timeout=SECONDS waits longer";
	default:
		return NULL;
	}
}

void cmd_put(FILE *to, const char *text)
{
	const unsigned char *c;

	for (c = (const unsigned char *)text; *c; c++) {
		bool c1 = c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f;

		fputc(*c < 0x20 || *c == 0x7f || c1 ? '?' : *c, to);
		c += c1;
	}
}

int cmd_fail(const char *what, const struct error *err)
{
	const char *remedy = hint(err);

	fputs("indexfs: ", stderr);
	cmd_put(stderr, what);
	fputs(": ", stderr);
	cmd_put(stderr, err->message);
	fputc('\n', stderr);
	if (remedy)
		cmd_fail_hint(remedy);
	return CMD_FAILED;
}

int cmd_fail_hint(const char *remedy)
{
	fprintf(stderr, "hint: %s\n", remedy);
	return CMD_FAILED;
}

int cmd_usage(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("indexfs: ", stderr);
	vfprintf(stderr, format, arguments);
	fputs("\nhint: indexfs --help\n", stderr);
	va_end(arguments);
	return CMD_USAGE;
}
