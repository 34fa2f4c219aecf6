#include "registry/http/attempts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <curl/curl.h>

#include "clock.h"
#include "registry/http/wait.h"

#define PAUSE_FIRST_MS 200
#define PAUSE_MAX_MS 10000
/* Who isn't there now won't be in a moment; a second try is for a server that starts again. */
#define REFUSED_MAX 1

static enum attempt_end judge_failure(
	const struct error *failure, const struct http_response *response)
{
	if (response->transient)
		return ATTEMPT_BROKE;
	switch (failure->kind) {
	case ERROR_DENIED:
	case ERROR_PROTOCOL:
	case ERROR_TOO_LARGE:
		return ATTEMPT_REFUSED;
	default:
		return ATTEMPT_STANDS;
	}
}

/* A redirect that is still one here is none that we follow. */
static enum attempt_end judge_status(int status)
{
	switch (status) {
	case 408:
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		return ATTEMPT_BROKE;
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
	case 401:
	case 403:
	case 404:
	case 413:
	case 416:
	case 507:
		return ATTEMPT_REFUSED;
	default:
		return ATTEMPT_STANDS;
	}
}

enum attempt_end attempt_judge(const struct error *failure, const struct http_response *response)
{
	if (response->final)
		return ATTEMPT_STANDS;
	return failure ? judge_failure(failure, response) : judge_status(response->status);
}

/* Seconds or a date (RFC 9110, section 10.2.3), in milliseconds; -1 where there is none. */
static int64_t retry_after_ms(const struct http_response *response)
{
	const char *text = http_headers_get(&response->headers, "Retry-After");
	time_t date;

	if (!text)
		return -1;
	if (*text && strspn(text, "0123456789") == strlen(text))
		return strlen(text) > 9 ? INT64_MAX / 4 : strtoll(text, NULL, 10) * 1000;
	date = curl_getdate(text, NULL);
	if (date == (time_t)-1)
		return -1;
	date -= time(NULL);
	return date > 0 ? (int64_t)date * 1000 : 0;
}

/* Half of it at least, so that clients that failed together don't come back together. */
static int64_t with_jitter(int64_t milliseconds)
{
	uint16_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint16_t)clock_ms();
	return milliseconds / 2 + milliseconds / 2 * random / UINT16_MAX;
}

static int64_t pause_ms(const struct attempts *attempts, const struct http_response *response)
{
	int doublings = attempts->made < 10 ? attempts->made : 10;
	int64_t pause = (int64_t)PAUSE_FIRST_MS << doublings;
	int64_t asked = retry_after_ms(response);

	pause = with_jitter(pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS);
	return asked > pause ? asked : pause;
}

static bool may_try_again(
	const struct attempts *attempts, enum attempt_end end, const struct http_response *response)
{
	int limit = attempts->limit;

	switch (end) {
	case ATTEMPT_BROKE:
		if (response->refused && limit > REFUSED_MAX)
			limit = REFUSED_MAX;
		return attempts->made < limit;
	case ATTEMPT_REFUSED:
		return limit > 0 && !attempts->asked_again;
	default:
		return false;
	}
}

int attempts_pause(struct attempts *attempts, enum attempt_end end,
	const struct http_response *response, struct cancel *cancel, struct error *err)
{
	int64_t pause = pause_ms(attempts, response);

	if (!may_try_again(attempts, end, response))
		return 0;
	if (attempts->deadline_ms && clock_ms() + pause >= attempts->deadline_ms)
		return 0;
	if (end == ATTEMPT_REFUSED)
		attempts->asked_again = true;
	else
		attempts->made++;
	return cancel_sleep(cancel, pause, err) ? -1 : 1;
}

void attempts_reset(struct attempts *attempts)
{
	attempts->made = 0;
	attempts->asked_again = false;
}

int attempts_stall_ms(const struct attempts *attempts, int limit_ms)
{
	return attempts->made < attempts->limit ? limit_ms / 2 : 0;
}
