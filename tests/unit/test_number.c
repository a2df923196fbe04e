#include "tests/unit/unit.h"

#include "cluster/base/number.h"

#define REFUSED INT64_C(-77)

static void test_int64(void **state)
{
    static const struct {
        const char *text;
        int64_t expected;
    } rows[] = {
        {"0", 0},
        {"7", 7},
        {"-7", -7},
        {"007", 7},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"9223372036854775808", REFUSED},
        {"-9223372036854775809", REFUSED},
        {"", REFUSED},
        {"-", REFUSED},
        {"+1", REFUSED},
        {" 1", REFUSED},
        {"1 ", REFUSED},
        {"1.0", REFUSED},
        {"0x1", REFUSED},
        {"1e3", REFUSED},
        {"--1", REFUSED},
        {"99999999999999999999999999", REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t value = REFUSED;
        number_int64(rows[i].text, strlen(rows[i].text), &value);
        CHECK(value == rows[i].expected, rows[i].text);
    }
}

static void test_duration(void **state)
{
    static const struct {
        const char *text;
        int64_t expected;
    } rows[] = {
        {"1ms", 1},
        {"1s", 1000},
        {"5m", 300000},
        {"2h", 7200000},
        {"7d", 604800000},
        {"0s", 0},
        {"250ms", 250},
        {"", REFUSED},
        {"s", REFUSED},
        {"1", REFUSED},
        {"1 s", REFUSED},
        {"-1s", REFUSED},
        {"1.5s", REFUSED},
        {"1S", REFUSED},
        {"1sec", REFUSED},
        {"1min", REFUSED},
        {"9223372036854775807d", REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t value = REFUSED;
        if (!number_duration(rows[i].text, &value))
            value = REFUSED;
        CHECK(value == rows[i].expected, rows[i].text);
    }
}

static void test_thousandths(void **state)
{
    static const struct {
        const char *text;
        int64_t expected;
    } rows[] = {
        {"10", 10000},
        {"0.5", 500},
        {"1.25", 1250},
        {"0.001", 1},
        {"1000000000000", 1000000000000000},
        {"0", REFUSED},
        {"0.0", REFUSED},
        {"-1", REFUSED},
        {"1.", REFUSED},
        {".5", REFUSED},
        {"1.2345", REFUSED},
        {"1.-2", REFUSED},
        {"", REFUSED},
        {"x", REFUSED},
        {"1e3", REFUSED},
        {"1000000000001", REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t value = REFUSED;
        if (!number_thousandths(rows[i].text, &value))
            value = REFUSED;
        CHECK(value == rows[i].expected, rows[i].text);
    }
}

static void test_write(void **state)
{
    static const struct {
        uint64_t value;
        const char *expected;
    } rows[] = {{0, "0"},
                {7, "7"},
                {10, "10"},
                {1234567890123, "1234567890123"},
                {UINT64_MAX, "18446744073709551615"}};
    char text[21];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        text[number_write(text, rows[i].value)] = '\0';
        assert_string_equal(text, rows[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_int64), cmocka_unit_test(test_duration),
        cmocka_unit_test(test_thousandths), cmocka_unit_test(test_write)};
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
