#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "registry/model/registries_conf.h"
#include "registry/model/toml.h"

/* What a text holds, one thing a line: "[name]", "[[name]]", "key=text", "key:true", "key?". */
static int show_table(void *context, const char *name, bool is_element, struct error *err)
{
	(void)err;
	return buf_printf(context, is_element ? "[[%s]]\n" : "[%s]\n", name);
}

static int show_value(
	void *context, const char *key, const struct toml_value *value, struct error *err)
{
	(void)err;
	if (value->type == TOML_STRING)
		return buf_printf(context, "%s=%s\n", key, value->text);
	if (value->type == TOML_BOOLEAN)
		return buf_printf(context, "%s:%s\n", key, value->truth ? "true" : "false");
	return buf_printf(context, "%s?\n", key);
}

static const struct {
	const char *text, *shown;
} read_well[] = {
	{"", ""},
	{"# nothing", ""},
	{"\xef\xbb\xbf# a mark\r\n\r\na = 'b' # c\r\n", "a=b\n"},
	{"a=\"b\\tc\\\"\\\\\\u00e9\\U0001F600\"", "a=b\tc\"\\\xc3\xa9\xf0\x9f\x98\x80\n"},
	{"a = 'b\\n'", "a=b\\n\n"},
	{"a = '#'#", "a=#\n"},
	{"a = \"\"\"\nb\n  c \\\n   d\"\"\"\n", "a=b\n  c d\n"},
	{"a = '''b\nc'''", "a=b\nc\n"},
	{"a = \"\"\"\"b\"\"\"\"", "a=\"b\"\n"},
	{"a=\"\"", "a=\n"},
	{"\"a b\".'c'. d = true", "a b.c.d:true\n"},
	{"a=false\n[ b . c ]\nd=true", "a:false\n[b.c]\nd:true\n"},
	{"[[ a ]]\n[[a.b]] # c\n", "[[a]]\n[[a.b]]\n"},
	{"a = [ \"b\", # c\n \"d\",\n]\ne='f'", "a?\ne=f\n"},
	{"a = [[], [1, [true]],]", "a?\n"},
	{"a = {}\nb = { c = 1, 'd' = ['e'] }", "a?\nb?\n"},
	{"a = -1.5e+3\nb = 1979-05-27T07:32:00Z\nc = inf\nd = +nan", "a?\nb?\nc?\nd?\n"},
};

START_TEST(toml_is_read)
{
	struct buf shown = BUF_INIT(1000);
	struct toml_sink sink = {.table = show_table, .value = show_value, .context = &shown};
	struct error err = ERROR_INIT;
	const char *text = read_well[_i].text;

	ck_assert_msg(toml_read(text, strlen(text), &sink, &err) == 0, "%s", err.message);
	ck_assert_str_eq(shown.data ? shown.data : "", read_well[_i].shown);
	buf_free(&shown);
}
END_TEST

static const struct {
	const char *text, *message;
} read_badly[] = {
	{"a", "line 1: \"=\" is missing"},
	{"\n\na =", "line 3: a value is missing"},
	{"= 1", "line 1: a key is missing"},
	{"a = b", "line 1: a value that is neither text, in quotes, nor true or false"},
	{"a = \"b\nc\"", "line 1: a string without an end"},
	{"a = 'b", "line 1: a string without an end"},
	{"a = '''\nb", "line 2: a string without an end"},
	{"a = '\1'", "line 1: a control character in a string"},
	{"a = \"\\x\"", "line 1: an escape that there isn't"},
	{"a = \"\\ud800\"", "line 1: an escape of no character"},
	{"a = \"\\u00e\"", "line 1: an escape without its digits"},
	{"a = 1 b = 2", "line 1: something more on the line"},
	{"[a", "line 1: \"]\" is missing"},
	{"[[a]", "line 1: \"]]\" is missing"},
	{"[a] b = 1", "line 1: something more on the line"},
	{"a = [1,\n2", "line 2: an array without an end"},
	{"a = {b = 1", "line 1: an inline table without an end"},
	{"a = [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "line 1: arrays too deep in each other"},
};

START_TEST(what_is_no_toml_is_named_with_its_line)
{
	struct buf shown = BUF_INIT(1000);
	struct toml_sink sink = {.table = show_table, .value = show_value, .context = &shown};
	struct error err = ERROR_INIT;
	const char *text = read_badly[_i].text;

	ck_assert_int_eq(toml_read(text, strlen(text), &sink, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	ck_assert_str_eq(err.message, read_badly[_i].message);
	buf_free(&shown);
}
END_TEST

START_TEST(a_nul_is_no_toml)
{
	struct buf shown = BUF_INIT(1000);
	struct toml_sink sink = {.table = show_table, .value = show_value, .context = &shown};
	static const char text[] = "a = 1\0";

	ck_assert_int_eq(toml_read(text, sizeof(text), &sink, NULL), -1);
	ck_assert_int_eq(toml_read("\0", 1, &sink, NULL), -1);
	buf_free(&shown);
}
END_TEST

static void read_text(struct registries_conf *conf, const char *file, const char *text)
{
	struct error err = ERROR_INIT;

	ck_assert_msg(
		registries_conf_read(conf, file, text, strlen(text), &err) == 0, "%s", err.message);
}

static const struct registries_entry *find(const struct registries_conf *conf, const char *name)
{
	size_t matched;

	return registries_conf_find(conf, name, &matched);
}

START_TEST(a_file_as_distributions_ship_it)
{
	struct registries_conf conf = REGISTRIES_CONF_INIT;
	const struct registries_entry *entry;

	read_text(&conf, "conf",
		"unqualified-search-registries = [\"registry.fedoraproject.org\",\n"
		"  'docker.io']\n"
		"short-name-mode = \"enforcing\"\n"
		"credential-helpers = []\n"
		"[[registry]]\n"
		"prefix = \"example.com/foo\"\n"
		"insecure = false\n"
		"blocked = false\n"
		"location = \"internal-registry.example/bar/\"\n"
		"[[registry.mirror]]\n"
		"location = \"mirror-0.local/mirror-for-foo\"\n"
		"[[registry.mirror]]\n"
		"location = \"mirror-1.local:5000/foo\"\n"
		"insecure = true\n"
		"pull-from-mirror = \"tag-only\"\n"
		"[[registry]]\n"
		"location = \"bad.example\"\n"
		"blocked = true\n"
		"[aliases]\n"
		"\"alpine\" = \"docker.io/library/alpine\"\n"
		"location = 1\n");
	ck_assert_uint_eq(conf.count, 2);
	entry = find(&conf, "example.com/foo/app");
	ck_assert_ptr_nonnull(entry);
	ck_assert_str_eq(entry->location, "internal-registry.example/bar");
	ck_assert_str_eq(entry->file, "conf");
	ck_assert(!entry->insecure && !entry->blocked);
	ck_assert_uint_eq(entry->mirror_count, 2);
	ck_assert_str_eq(entry->mirrors[0].location, "mirror-0.local/mirror-for-foo");
	ck_assert(!entry->mirrors[0].insecure && !entry->mirrors[0].not_tags);
	ck_assert_str_eq(entry->mirrors[1].location, "mirror-1.local:5000/foo");
	ck_assert(entry->mirrors[1].insecure && entry->mirrors[1].not_digests);
	entry = find(&conf, "bad.example/x");
	ck_assert(entry && entry->blocked);
	ck_assert_ptr_null(find(&conf, "example.com/foobar"));
	ck_assert_ptr_null(find(&conf, "example.com"));
	registries_conf_clear(&conf);
}
END_TEST

static const struct {
	const char *prefix, *name;
	size_t matched;
} matches[] = {
	{"a.example", "a.example", 9},
	{"a.example", "a.example/x/y", 9},
	{"a.example", "a.example:5000/x", 0},
	{"a.example", "a.examples/x", 0},
	{"a.example:5000", "a.example:5000/x", 14},
	{"a.example/x", "a.example/x", 11},
	{"a.example/x", "a.example/xy", 0},
	{"[::1]:5000", "[::1]:5000/x", 10},
	{"*.example", "a.example/x", 9},
	{"*.example", "a.b.example", 11},
	{"*.example", "a.example:5000/x", 9},
	{"*.example", "example/x", 0},
	{"*.example", "a.examples/x", 0},
	{"*.example", "b.test/a.example", 0},
	{"*.example", ".example", 0},
};

START_TEST(a_prefix_matches_whole_components)
{
	struct registries_conf conf = REGISTRIES_CONF_INIT;
	char text[128];
	size_t matched;

	snprintf(text, sizeof(text), "[[registry]]\nprefix = '%s'\n", matches[_i].prefix);
	read_text(&conf, "conf", text);
	ck_assert_int_eq(registries_conf_find(&conf, matches[_i].name, &matched) != NULL,
		matches[_i].matched != 0);
	ck_assert_uint_eq(matched, matches[_i].matched);
	registries_conf_clear(&conf);
}
END_TEST

START_TEST(the_longest_prefix_wins)
{
	struct registries_conf conf = REGISTRIES_CONF_INIT;

	read_text(&conf, "conf",
		"[[registry]]\nprefix='a.example/x'\nlocation='long'\n"
		"[[registry]]\nprefix='a.example'\nlocation='short'\n"
		"[[registry]]\nprefix='*.example'\nlocation='wild'\n"
		"[[registry]]\nprefix='c.example'\nlocation='exact'\n");
	ck_assert_str_eq(find(&conf, "a.example/x/y")->location, "long");
	ck_assert_str_eq(find(&conf, "a.example/y")->location, "short");
	ck_assert_str_eq(find(&conf, "b.example/x")->location, "wild");
	ck_assert_str_eq(find(&conf, "c.example/x")->location, "exact");
	registries_conf_clear(&conf);
}
END_TEST

START_TEST(a_later_file_replaces_a_prefix)
{
	struct registries_conf conf = REGISTRIES_CONF_INIT;

	read_text(&conf, "one",
		"[[registry]]\nlocation='a.example'\n[[registry.mirror]]\nlocation='m'\n"
		"[[registry]]\nlocation='b.example'\n");
	read_text(&conf, "two",
		"[[registry]]\nlocation='a.example'\nmirror-by-digest-only=true\n"
		"[[registry.mirror]]\nlocation='n'\n");
	ck_assert_uint_eq(conf.count, 2);
	ck_assert_str_eq(find(&conf, "a.example/x")->file, "two");
	ck_assert_uint_eq(find(&conf, "a.example/x")->mirror_count, 1);
	ck_assert_str_eq(find(&conf, "a.example/x")->mirrors[0].location, "n");
	ck_assert(find(&conf, "a.example/x")->mirrors[0].not_tags);
	ck_assert_str_eq(find(&conf, "b.example/x")->file, "one");
	registries_conf_clear(&conf);
}
END_TEST

START_TEST(version_1_says_nothing)
{
	struct registries_conf conf = REGISTRIES_CONF_INIT;

	read_text(&conf, "conf",
		"[registries.search]\nregistries = ['docker.io']\n[registries.insecure]\n"
		"registries = []\n[registries.block]\nregistries = []\n");
	ck_assert_uint_eq(conf.count, 0);
	registries_conf_clear(&conf);
}
END_TEST

static const struct {
	const char *text, *message;
} mistakes[] = {
	{"[[registry]\n", "conf: line 1: \"]]\" is missing"},
	{"[registry]\n", "conf: line 1: [registry] must be [[registry]]"},
	{"[[registry.mirror]]\n", "conf: line 1: a mirror of no [[registry]]"},
	{"[[registry]]\ninsecure = 'yes'\n", "conf: line 2: insecure must be true or false"},
	{"[[registry]]\nlocation = true\n", "conf: line 2: location must be text, in quotes"},
	{"[[registry]]\nlocation = 'https://a'\n",
		"conf: line 2: location is HOST[:PORT][/REPOSITORY], without a scheme"},
	{"[[registry]]\nblocked = true\n", "conf: a [[registry]] with neither prefix nor location"},
	{"[[registry]]\nprefix = 'a'\n[[registry.mirror]]\n",
		"conf: a: a mirror without a location"},
	{"[[registry]]\nprefix='a'\nmirror = [{location='b'}]\n",
		"conf: line 3: a mirror is written as [[registry.mirror]]"},
	{"registry = []\n", "conf: line 1: a registry is written as [[registry]]"},
	{"[[registry]]\nprefix='a'\n[[registry.mirror]]\npull-from-mirror = 'some'\n",
		"conf: line 4: pull-from-mirror must be \"all\", \"digest-only\" or \"tag-only\""},
};

START_TEST(mistakes_are_named_and_change_nothing)
{
	struct registries_conf conf = REGISTRIES_CONF_INIT;
	struct error err = ERROR_INIT;
	const char *text = mistakes[_i].text;

	read_text(&conf, "before", "[[registry]]\nlocation = 'a'\n");
	ck_assert_int_eq(registries_conf_read(&conf, "conf", text, strlen(text), &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	ck_assert_str_eq(err.message, mistakes[_i].message);
	ck_assert_uint_eq(conf.count, 1);
	ck_assert_str_eq(conf.entries[0].file, "before");
	registries_conf_clear(&conf);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(*(table))))

int main(void)
{
	Suite *suite = suite_create("registries_conf");
	SRunner *runner = srunner_create(suite);
	TCase *tcase = tcase_create("all");
	int failed;

	tcase_add_loop_test(tcase, toml_is_read, 0, COUNT(read_well));
	tcase_add_loop_test(tcase, what_is_no_toml_is_named_with_its_line, 0, COUNT(read_badly));
	tcase_add_test(tcase, a_nul_is_no_toml);
	tcase_add_test(tcase, a_file_as_distributions_ship_it);
	tcase_add_loop_test(tcase, a_prefix_matches_whole_components, 0, COUNT(matches));
	tcase_add_test(tcase, the_longest_prefix_wins);
	tcase_add_test(tcase, a_later_file_replaces_a_prefix);
	tcase_add_test(tcase, version_1_says_nothing);
	tcase_add_loop_test(tcase, mistakes_are_named_and_change_nothing, 0, COUNT(mistakes));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
