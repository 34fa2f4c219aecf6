#include "registry/http/credential_helper.h"

#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "registry/base/redact.h"
#include "registry/http/program.h"
#include "registry/model/helper_message.h"
#include "secret.h"

#define LIMIT_MS 10000
#define INPUT_MAX ((size_t)256 << 10)
#define PREFIX "docker-credential-"
#define PROGRAM_SIZE 160
#define QUOTE_SIZE 256

/* Secrets that are an identity token have this for a username. */
#define TOKEN_USERNAME "<token>"

static int program_name(char out[static PROGRAM_SIZE], const char *name, struct error *err)
{
	char shown[64];

	if (helper_name_valid(name)) {
		snprintf(out, PROGRAM_SIZE, PREFIX "%s", name);
		return 0;
	}
	escape_controls(shown, sizeof(shown), name);
	return error_set(err, ERROR_INVALID, "\"%s\" can't be a credential helper's name", shown);
}

/* The first line of what may be shown. */
static void quote(char out[static QUOTE_SIZE], const char *text)
{
	char line[QUOTE_SIZE], clean[QUOTE_SIZE];

	text += strspn(text, " \t\r\n");
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(text, "\r\n"), text);
	redact(clean, sizeof(clean), line);
	escape_controls(out, QUOTE_SIZE, clean);
}

static void tell(
	const char *program, struct program_result *result, const char *secret, struct log *log)
{
	char said[QUOTE_SIZE];

	redact_known(result->said, secret);
	quote(said, result->said);
	if (*said)
		log_write(log, LOG_LEVEL_WARNING, "%s: %s", program, said);
}

/* A program that fails gives the reason on its standard output, where JSON would be a secret. */
static int fail(
	const char *program, struct program_result *result, const char *secret, struct error *err)
{
	char reason[QUOTE_SIZE] = "";

	redact_known(result->output, secret);
	if (!strchr(result->output, '{'))
		quote(reason, result->output);
	if (!*reason)
		quote(reason, result->said);
	return error_set(err, ERROR_DENIED, "%s: it failed (exit status %d)%s%s", program,
		result->exit_status, *reason ? ": " : "", reason);
}

/* Runs the program; 1 where it knows nothing of the server. */
static int helper_run(const char *program, const char *action, const struct buf *input,
	const char *secret, struct program_result *result, struct log *log, struct cancel *cancel,
	struct error *err)
{
	const char *const argv[] = {program, action, NULL};

	if (program_run(result, argv, input, LIMIT_MS, cancel, err))
		return -1;
	if (result->exit_status == 0)
		return 0;
	if (helper_says_not_found(result->output) || helper_says_not_found(result->said))
		return 1;
	tell(program, result, secret, log);
	return fail(program, result, secret, err);
}

static int answer_take(struct credential *out, const char *program, struct program_result *result,
	struct error *err)
{
	cleanup_secret char *username = NULL, *secret = NULL;

	if (helper_answer_parse(&username, &secret, result->output, strlen(result->output), err))
		return error_prefix(err, "%s: its answer", program);
	if (!secret)
		return 0;
	if (strcmp(username, TOKEN_USERNAME) == 0) {
		out->identity_token = steal_ptr(secret);
	} else {
		out->username = steal_ptr(username);
		out->password = steal_ptr(secret);
	}
	return 0;
}

int credential_helper_get(struct credential *out, const char *name, const char *server,
	struct log *log, struct cancel *cancel, struct error *err)
{
	cleanup_with(program_result_clear) struct program_result result = PROGRAM_RESULT_INIT;
	cleanup_with(buf_free) struct buf input = BUF_INIT(INPUT_MAX);
	char program[PROGRAM_SIZE];
	int failed;

	if (program_name(program, name, err))
		return -1;
	if (buf_append_text(&input, server))
		return error_set_errno(err, errno, "%s", program);
	failed = helper_run(program, "get", &input, NULL, &result, log, cancel, err);
	if (failed)
		return failed < 0 ? -1 : 0;
	if (answer_take(out, program, &result, err))
		return -1;
	tell(program, &result, out->password ? out->password : out->identity_token, log);
	return 0;
}

int credential_helper_store(const char *name, const char *server, const char *username,
	const char *secret, struct log *log, struct error *err)
{
	cleanup_with(program_result_clear) struct program_result result = PROGRAM_RESULT_INIT;
	cleanup_with(secret_buf_free) struct buf input = BUF_INIT(INPUT_MAX);
	char program[PROGRAM_SIZE];
	int failed;

	if (program_name(program, name, err) ||
		helper_store_format(&input, server, username, secret, err))
		return -1;
	failed = helper_run(program, "store", &input, secret, &result, log, NULL, err);
	if (failed == 0)
		tell(program, &result, secret, log);
	return failed ? -1 : 0;
}

int credential_helper_erase(
	const char *name, const char *server, struct log *log, struct error *err)
{
	cleanup_with(program_result_clear) struct program_result result = PROGRAM_RESULT_INIT;
	cleanup_with(buf_free) struct buf input = BUF_INIT(INPUT_MAX);
	char program[PROGRAM_SIZE];
	int failed;

	if (program_name(program, name, err))
		return -1;
	if (buf_append_text(&input, server))
		return error_set_errno(err, errno, "%s", program);
	failed = helper_run(program, "erase", &input, NULL, &result, log, NULL, err);
	if (failed == 0)
		tell(program, &result, NULL, log);
	return failed < 0 ? -1 : 0;
}
