#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "error.h"
#include "log.h"
#include "registry/base/redact.h"
#include "registry/base/utf8.h"

START_TEST(error_first_wins)
{
	struct error err = ERROR_INIT;

	ck_assert_int_eq(error_set_http(&err, ERROR_DENIED, 403, "no %s", "entry"), -1);
	ck_assert_int_eq(error_set(&err, ERROR_SERVER, "later"), -1);
	ck_assert_int_eq(error_set_errno(&err, ENOSPC, "later"), -1);
	ck_assert_int_eq(err.kind, ERROR_DENIED);
	ck_assert_int_eq(err.status, 403);
	ck_assert_str_eq(err.message, "no entry");
	ck_assert_int_eq(error_errno(&err), EACCES);

	struct error other = ERROR_INIT;
	error_copy(&other, &err);
	ck_assert_str_eq(other.message, "no entry");
	error_clear(&err);
	ck_assert(!error_is_set(&err));
	ck_assert_int_eq(error_errno(&err), 0);
	error_copy(&other, &err);
	ck_assert_int_eq(other.kind, ERROR_DENIED);
}
END_TEST

START_TEST(error_null_is_allowed)
{
	ck_assert_int_eq(error_set(NULL, ERROR_INVALID, "x"), -1);
	ck_assert_int_eq(error_set_errno(NULL, EIO, "x"), -1);
	ck_assert_int_eq(error_set_memory(NULL), -1);
	ck_assert_int_eq(error_prefix(NULL, "x"), -1);
	error_clear(NULL);
	ck_assert(!error_is_set(NULL));
}
END_TEST

START_TEST(error_of_errno)
{
	static const struct {
		int errnum;
		enum error_kind kind;
	} cases[] = {
		{ENOSPC, ERROR_SYSTEM},
		{ENOMEM, ERROR_MEMORY},
		{EINTR, ERROR_INTERRUPTED},
	};
	struct error err = ERROR_INIT;

	error_set_errno(&err, cases[_i].errnum, "write %d", 7);
	ck_assert_int_eq(err.kind, cases[_i].kind);
	ck_assert_int_eq(error_errno(&err), cases[_i].errnum);
	ck_assert_ptr_nonnull(strstr(err.message, "write 7: "));
	ck_assert_str_eq(err.message + strlen("write 7: "), strerror(cases[_i].errnum));
}
END_TEST

START_TEST(error_kinds_are_named)
{
	for (int kind = ERROR_NONE; kind <= ERROR_INTERRUPTED; kind++) {
		struct error err = {.kind = (enum error_kind)kind};

		ck_assert_ptr_nonnull(error_kind_name(err.kind));
		ck_assert((error_errno(&err) == 0) == (kind == ERROR_NONE));
		for (int other = ERROR_NONE; other < kind; other++)
			ck_assert_str_ne(
				error_kind_name(err.kind), error_kind_name((enum error_kind)other));
	}
	ck_assert_str_eq(error_kind_name(ERROR_NOT_FOUND), "not-found");
}
END_TEST

START_TEST(error_prefix_and_cut)
{
	struct error err = ERROR_INIT;
	char text[2 * ERROR_MESSAGE_SIZE];

	error_set(&err, ERROR_INVALID, "why");
	error_prefix(&err, "%s", "what");
	ck_assert_str_eq(err.message, "what: why");

	/* Cut where a character of two bytes would be split, whatever the parity. */
	for (int shift = 0; shift < 2; shift++) {
		memset(text, 'x', sizeof(text));
		for (size_t i = (size_t)shift; i + 2 < sizeof(text); i += 2)
			memcpy(text + i, "\xc3\xa9", 2);
		text[sizeof(text) - 2] = '\0';
		error_clear(&err);
		error_set(&err, ERROR_INVALID, "%s", text);
		ck_assert(utf8_valid(err.message));
		ck_assert_uint_ge(strlen(err.message), ERROR_MESSAGE_SIZE - 3);
		error_prefix(&err, "what");
		ck_assert(utf8_valid(err.message));
		ck_assert_int_eq(strncmp(err.message, "what: ", 6), 0);
	}
}
END_TEST

START_TEST(buf_grows_to_its_limit)
{
	struct buf buf = BUF_INIT(100);

	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(buf_append(&buf, "0123456789", 10), 0);
	errno = 0;
	ck_assert_int_eq(buf_append(&buf, "x", 1), -1);
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_int_eq(buf_printf(&buf, "%d", 1), -1);
	ck_assert_int_eq(buf_append(&buf, "", 0), 0);
	ck_assert_uint_eq(buf.len, 100);
	ck_assert_uint_eq(strlen(buf.data), 100);

	char *text = buf_steal(&buf);
	ck_assert_uint_eq(strlen(text), 100);
	free(text);
	ck_assert_ptr_null(buf.data);
	text = buf_steal(&buf);
	ck_assert_str_eq(text, "");
	free(text);
	ck_assert_int_eq(buf_append_text(&buf, "again"), 0);
	buf_reset(&buf);
	ck_assert_str_eq(buf.data, "");
	buf_free(&buf);
	buf_free(&buf);
}
END_TEST

START_TEST(buf_huge_is_refused)
{
	struct buf buf = BUF_INIT((size_t)-1);

	ck_assert_int_eq(buf_append_text(&buf, "x"), 0);
	ck_assert_int_eq(buf_append(&buf, "", (size_t)-1), -1);
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_str_eq(buf.data, "x");
	buf_free(&buf);
}
END_TEST

START_TEST(buf_splice_replaces)
{
	struct buf buf = BUF_INIT(12);

	ck_assert_int_eq(buf_splice(&buf, 0, 0, "hello", 5), 0);
	ck_assert_int_eq(buf_splice(&buf, 1, 3, "ipp", 3), 0);
	ck_assert_str_eq(buf.data, "hippo");
	ck_assert_int_eq(buf_splice(&buf, 5, 0, "potamus", 7), 0);
	ck_assert_str_eq(buf.data, "hippopotamus");
	ck_assert_int_eq(buf_splice(&buf, 0, 0, "a", 1), -1);
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_int_eq(buf_splice(&buf, 13, 0, "", 0), -1);
	ck_assert_int_eq(buf_splice(&buf, 11, 2, "", 0), -1);
	ck_assert_int_eq(buf_splice(&buf, 0, 12, NULL, 0), 0);
	ck_assert_str_eq(buf.data, "");
	buf_free(&buf);
}
END_TEST

START_TEST(utf8_table)
{
	static const struct {
		const char *text;
		bool valid;
	} cases[] = {
		{"", true},
		{"plain", true},
		{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", true},
		{"\xf4\x8f\xbf\xbf", true},
		{"\xf4\x90\x80\x80", false},
		{"\xc0\x80", false},
		{"\xe0\x80\x80", false},
		{"\xed\xa0\x80", false},
		{"\xc3", false},
		{"\xe2\x82", false},
		{"\x80", false},
		{"a\xff", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ck_assert_msg(utf8_valid(cases[i].text) == cases[i].valid, "case %zu", i);
}
END_TEST

START_TEST(redact_table)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"nothing to hide", "nothing to hide"},
		{"Authorization: Bearer abc.def", "Authorization: Bearer ***"},
		{"authorization: basic dXNlcjpw\r\nHost: h", "authorization: basic ***\r\nHost: h"},
		{"\"Authorization\": \"Bearer abc\"", "\"Authorization\": \"Bearer ***"},
		{"Proxy-Authorization: Digest username=\"u\", response=\"r\"",
			"Proxy-Authorization: Digest ***"},
		{"Authorization: rawtoken", "Authorization: ***"},
		{"sent Bearer abc123 to h", "sent Bearer *** to h"},
		{"(basic dXNlcjpwYXNz==)", "(basic ***"},
		{"Bearer", "Bearer"},
		{"basically fine", "basically fine"},
		{"forbearer x", "forbearer x"},
		{"Bearer realm=\"https://h/token\",service=\"h\"",
			"Bearer realm=\"https://h/token\",service=\"h\""},
		{"Basic realm=\"x\"", "Basic realm=\"x\""},
		{"a Bearer token is needed", "a Bearer token is needed"},
		{"https://user:pass@h:5000/v2/", "https://user:***@h:5000/v2/"},
		{"https://user:p@ss@h/", "https://user:***@h/"},
		{"https://ghp_secret@h/", "https://***@h/"},
		{"docker://u:p@h", "docker://u:***@h"},
		{"https://h/a@b:c", "https://h/a@b:c"},
		{"GET https://s3/x?X-Sig=1&e=2 failed", "GET https://s3/x?*** failed"},
		{"https://s3/x?opaque", "https://s3/x?***"},
		{"http://p/?u=https://a:b@c/", "http://p/?***"},
		{"PUT /v2/r/blobs/uploads/1?_state=s", "PUT /v2/r/blobs/uploads/1?***"},
		{"what? really?", "what? really?"},
		{"https://h is down? a=b", "https://h is down? a=b"},
		{"<https://h/?n=1>; rel=\"next\"", "<https://h/?***>; rel=\"next\""},
	};
	char out[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		redact(out, sizeof(out), cases[i].text);
		ck_assert_str_eq(out, cases[i].want);
	}
	redact(out, 8, "0123456789");
	ck_assert_str_eq(out, "0123456");
}
END_TEST

START_TEST(redact_takes_known_secrets)
{
	char text[64] = "sesame, opensesame: sesamesesame";

	redact_known(text, NULL);
	redact_known(text, "");
	redact_known(text, "s");
	ck_assert_str_eq(text, "sesame, opensesame: sesamesesame");
	redact_known(text, "sesame");
	ck_assert_str_eq(text, "***, open***: ******");
	redact_known(text, "***");
	ck_assert_str_eq(text, "***, open***: ******");
}
END_TEST

START_TEST(escape_table)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"plain \xc3\xa9", "plain \xc3\xa9"},
		{"a\nb\rc\td", "a\\nb\\rc\\td"},
		{"\x1b[2J\x7f", "\\x1b[2J\\x7f"},
		{"\xc2\x9b"
		 "0m",
			"\\xc2\\x9b"
			"0m"},
		{"\xc2\xa0", "\xc2\xa0"},
		{"n r", "n r"},
	};
	char out[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		escape_controls(out, sizeof(out), cases[i].text);
		ck_assert_str_eq(out, cases[i].want);
	}
	escape_controls(out, 5, "abc\x01");
	ck_assert_str_eq(out, "abc");
}
END_TEST

START_TEST(log_keeps_the_last_lines)
{
	struct log *log = log_new(LOG_LEVEL_INFO);
	struct buf out = BUF_INIT(BUF_UNBOUNDED);

	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	log_write(NULL, LOG_LEVEL_ERROR, "nowhere");
	errno = EDOM;
	log_write(log, LOG_LEVEL_DEBUG, "too detailed");
	for (int i = 0; i < LOG_LINES + 3; i++)
		log_write(log, LOG_LEVEL_WARNING, "line %d.\nhttps://u:p@h/", i);
	ck_assert_int_eq(errno, EDOM);
	ck_assert_int_eq(log_read(log, &out), 0);

	size_t lines = 0;
	for (const char *p = out.data; (p = strchr(p, '\n')); p++)
		lines++;
	ck_assert_uint_eq(lines, LOG_LINES);
	ck_assert_ptr_nonnull(strstr(out.data, "Z warning line 3.\\nhttps://u:***@h/\n"));
	ck_assert_ptr_null(strstr(out.data, "line 2."));
	ck_assert_ptr_null(strstr(out.data, "too detailed"));
	ck_assert_ptr_nonnull(strstr(out.data, "line 258."));
	struct tm tm;
	const char *rest = strptime(out.data, "%Y-%m-%dT%H:%M:%SZ warning", &tm);
	ck_assert_ptr_nonnull(rest);
	ck_assert_int_eq(strncmp(rest, " line 3.", strlen(" line 3.")), 0);

	struct buf small = BUF_INIT(1000);
	ck_assert_int_eq(buf_append_text(&small, "before"), 0);
	ck_assert_int_eq(log_read(log, &small), -1);
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_str_eq(small.data, "before");
	buf_free(&small);
	buf_free(&out);
	log_free(log);
}
END_TEST

/* A secret at any place around the cut of a long line must not show. */
START_TEST(log_cuts_long_lines)
{
	static char padding[3 * LOG_LINE_SIZE];
	struct log *log = log_new(LOG_LEVEL_INFO);
	struct buf out = BUF_INIT(BUF_UNBOUNDED);

	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	memset(padding, 'x', sizeof(padding) - 1);
	for (int len = 2 * LOG_LINE_SIZE - 40; len < 2 * LOG_LINE_SIZE + 2; len++)
		log_write(log, LOG_LEVEL_INFO, "%.*s https://user:SECRET-SECRET@h/", len, padding);
	for (int len = LOG_LINE_SIZE - 40; len < LOG_LINE_SIZE + 2; len++)
		log_write(log, LOG_LEVEL_INFO, "%.*s https://user:SECRET-SECRET@h/", len, padding);
	log_write(log, LOG_LEVEL_INFO, "%s", padding);
	ck_assert_int_eq(log_read(log, &out), 0);
	ck_assert_ptr_null(strstr(out.data, "SECRET"));
	ck_assert_ptr_nonnull(strstr(out.data, "info ...\n"));
	buf_free(&out);
	log_free(log);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("base");
	TCase *values = tcase_create("values");

	tcase_add_test(values, error_first_wins);
	tcase_add_test(values, error_null_is_allowed);
	tcase_add_loop_test(values, error_of_errno, 0, 3);
	tcase_add_test(values, error_kinds_are_named);
	tcase_add_test(values, error_prefix_and_cut);
	tcase_add_test(values, buf_grows_to_its_limit);
	tcase_add_test(values, buf_huge_is_refused);
	tcase_add_test(values, buf_splice_replaces);
	tcase_add_test(values, utf8_table);
	tcase_add_test(values, redact_table);
	tcase_add_test(values, redact_takes_known_secrets);
	tcase_add_test(values, escape_table);
	tcase_add_test(values, log_keeps_the_last_lines);
	tcase_add_test(values, log_cuts_long_lines);
	suite_add_tcase(suite, values);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
