#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "annotations.h"

START_TEST(keeps_the_order)
{
	struct annotations map = ANNOTATIONS_INIT;

	ck_assert_int_eq(annotations_set(&map, "b", "1", NULL), 0);
	ck_assert_int_eq(annotations_set(&map, "a", "", NULL), 0);
	ck_assert_int_eq(annotations_set(&map, "c", "3", NULL), 0);
	ck_assert_int_eq(annotations_set(&map, "b", "2", NULL), 0);
	ck_assert_uint_eq(map.count, 3);
	ck_assert_str_eq(map.items[0].key, "b");
	ck_assert_str_eq(map.items[0].value, "2");
	ck_assert_str_eq(annotations_get(&map, "a"), "");
	ck_assert_ptr_null(annotations_get(&map, "d"));
	ck_assert(annotations_remove(&map, "a"));
	ck_assert(!annotations_remove(&map, "a"));
	ck_assert_uint_eq(map.count, 2);
	ck_assert_str_eq(map.items[1].key, "c");
	annotations_clear(&map);
	ck_assert_uint_eq(map.count, 0);
}
END_TEST

START_TEST(grows_after_removing)
{
	struct annotations map = ANNOTATIONS_INIT;
	char key[16];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 100; i++) {
			snprintf(key, sizeof(key), "k%d", i);
			ck_assert_int_eq(annotations_set(&map, key, key, NULL), 0);
		}
		for (int i = 0; i < 100; i += 1 + round) {
			snprintf(key, sizeof(key), "k%d", i);
			ck_assert(annotations_remove(&map, key));
		}
	}
	ck_assert_uint_eq(map.count, 66);
	ck_assert_str_eq(annotations_get(&map, "k1"), "k1");
	annotations_clear(&map);
}
END_TEST

START_TEST(equal_means_pairs_and_order)
{
	struct annotations a = ANNOTATIONS_INIT, b = ANNOTATIONS_INIT;

	annotations_set(&a, "x", "1", NULL);
	annotations_set(&a, "y", "2", NULL);
	ck_assert_int_eq(annotations_copy(&b, &a, NULL), 0);
	ck_assert(annotations_equal(&a, &b));
	annotations_set(&b, "y", "3", NULL);
	ck_assert(!annotations_equal(&a, &b));
	annotations_remove(&b, "x");
	ck_assert(!annotations_equal(&a, &b));
	annotations_set(&b, "y", "2", NULL);
	annotations_set(&b, "x", "1", NULL);
	ck_assert(!annotations_equal(&a, &b));
	annotations_clear(&a);
	annotations_clear(&b);
	ck_assert(annotations_equal(&a, &b));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("annotations");
	TCase *tests = tcase_create("annotations");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, keeps_the_order);
	tcase_add_test(tests, grows_after_removing);
	tcase_add_test(tests, equal_means_pairs_and_order);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
