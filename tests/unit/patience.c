#include "patience.h"

#include <stdlib.h>

int patience(void)
{
	const char *text = getenv("TEST_PATIENCE");
	long factor = text ? strtol(text, NULL, 10) : 1;

	return factor > 1 && factor < 1000 ? (int)factor : 1;
}

int brief_timeout(void)
{
	return 2 * patience();
}
