#include "registry/http/http.h"

void http_response_clear(struct http_response *response)
{
	struct http_response empty = HTTP_RESPONSE_INIT;

	http_headers_clear(&response->headers);
	buf_free(&response->body);
	*response = empty;
}
