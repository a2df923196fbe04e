#include "tests/unit/unit.h"

#include "jobs/json_field.h"

static const struct {
    const char *json, *path;
    const char *expected; /* NULL: refused */
} rows[] = {
    {"{\"a\":\"x\"}", "a", "x"},
    {"{\"a\":{\"b\":\"x\"}}", "a.b", "x"},
    {" { \"a\" : { \"b\" : \"x\" } } ", "a.b", "x"},
    {"{\"a\":{\"c\":1},\"b\":2}", "b", "2"},
    {"{\"a\":1.50}", "a", "1.50"},
    {"{\"a\":-0}", "a", "-0"},
    {"{\"a\":1e9}", "a", "1e9"},
    {"{\"a\":123456789012345678901234567890}", "a", "123456789012345678901234567890"},
    {"{\"a\":true}", "a", "true"},
    {"{\"a\":false}", "a", "false"},
    {"{\"a\":null}", "a", ""},
    {"{\"a\":\"\"}", "a", ""},
    {"{}", "a", ""},
    {"{\"b\":1}", "a", ""},
    {"{\"a\":1}", "a.b", ""},
    {"{\"a\":[1]}", "a.b", ""},
    {"5", "a", ""},
    {"\"x\"", "a", ""},
    {"[{\"a\":1}]", "a", ""},
    {"{\"a\":1,\"a\":2}", "a", "2"},
    {"{\"a\":{\"b\":1},\"a\":2}", "a.b", ""},
    {"{\"a\":{\"b\":[]},\"a\":{\"b\":2}}", "a.b", "2"},
    {"{\"\\u0061\":\"x\"}", "a", "x"},
    {"{\"a\":\"\\u5973\\u751f\"}", "a", "女生"},
    {"{\"a\":\"\\ud83d\\ude00\"}", "a", "😀"},
    {"{\"a\":\"q\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "a", "q\"\\/\b\f\n\r\t"},
    {"{\"a\":\"女\"}", "a", "女"},
    {"{\"x\":[1,[2,{\"a\":3}],{}],\"a\":4}", "a", "4"},
    {"{\"a\":{}}", "a", NULL},
    {"{\"a\":[]}", "a", NULL},
    {"{\"a\":{\"b\":{}}}", "a.b", NULL},
    {"", "a", NULL},
    {" ", "a", NULL},
    {"{", "a", NULL},
    {"{\"a\":1", "a", NULL},
    {"{\"a\":1}}", "a", NULL},
    {"{\"a\":1} x", "a", NULL},
    {"{\"a\":01}", "a", NULL},
    {"{\"a\":1.}", "a", NULL},
    {"{\"a\":.5}", "a", NULL},
    {"{\"a\":+1}", "a", NULL},
    {"{\"a\":1e}", "a", NULL},
    {"{\"a\":NaN}", "a", NULL},
    {"{\"a\":tru}", "a", NULL},
    {"{'a':1}", "a", NULL},
    {"{\"a\":1,}", "a", NULL},
    {"{\"a\" 1}", "a", NULL},
    {"{\"a\":\"x\ny\"}", "a", NULL},
    {"{\"a\":\"\\x\"}", "a", NULL},
    {"{\"a\":\"\\u12\"}", "a", NULL},
    {"{\"a\":\"\\ud83d\"}", "a", NULL},
    {"{\"a\":\"\\ude00\"}", "a", NULL},
    {"{\"a\":\"\xff\"}", "a", NULL},
    {"{\"a\":\"\xc0\x80\"}", "a", NULL},
    {"{\"b\":\"\xed\xa0\x80\",\"a\":1}", "a", NULL},
    {"{a:1}", "a", NULL},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf scratch = {0};
        const char *value;
        size_t length;
        bool sound =
            json_field(rows[i].json, strlen(rows[i].json), rows[i].path, &scratch, &value, &length);
        CHECK(sound == (rows[i].expected != NULL), rows[i].json);
        if (sound)
            CHECK(length == strlen(rows[i].expected) &&
                      memcmp(value, rows[i].expected, length) == 0,
                  rows[i].json);
        buf_free(&scratch);
    }
}

static bool nested_is_sound(size_t depth)
{
    struct buf text = {0}, scratch = {0};
    const char *value;
    size_t length;
    bool sound;

    for (size_t i = 0; i < depth; i++)
        buf_char(&text, '[');
    for (size_t i = 0; i < depth; i++)
        buf_char(&text, ']');
    sound = json_field(text.data, text.length, "a", &scratch, &value, &length);
    buf_free(&text);
    buf_free(&scratch);
    return sound;
}

/* LIMIT_JSON_DEPTH, and far beyond: no deep recursion. */
static void test_depth(void **state)
{
    (void)state;
    assert_true(nested_is_sound(64));
    assert_false(nested_is_sound(65));
    assert_false(nested_is_sound(1000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_depth)};
    return cmocka_run_group_tests_name("json_field", tests, NULL, NULL);
}
