#include "tests/unit/unit.h"

#include "dashboard/request.h"

static const char *const hosts[] = {"proxy.example", "other.example:8443", NULL};
static const char *const origins[] = {"https://page.example", NULL};
static const struct request_rules rules = {"192.168.1.5", 5000, hosts, origins, 80};
static const struct request_rules plain = {"::1", 80, NULL, NULL, 80};

static void test_host(void **state)
{
    static const struct {
        const char *host, *local;
        bool allowed, allowed_plain;
    } rows[] = {
        {"localhost:5000", NULL, true, false},
        {"LocalHost:5000", NULL, true, false},
        {"127.0.0.1:5000", NULL, true, false},
        {"[::1]:5000", NULL, true, false},
        {"192.168.1.5:5000", NULL, true, false},
        {"localhost", NULL, false, true},
        {"localhost:80", NULL, false, true},
        {"[::1]", NULL, false, true},
        {"::1", NULL, false, false},
        {"192.168.1.5", NULL, false, false},
        {"localhost:5001", NULL, false, false},
        {"localhost:", NULL, false, false},
        {"localhost:5000x", NULL, false, false},
        {"localhost:05000000000000000000", NULL, false, false},
        {"localhost.evil.example:5000", NULL, false, false},
        {"evil.example:5000", NULL, false, false},
        {"evil.example", NULL, false, false},
        {"10.0.0.9:5000", NULL, false, false},
        {"10.0.0.9:5000", "10.0.0.9", true, false},
        {"10.0.0.8:5000", "10.0.0.9", false, false},
        {"[fd00::9]:5000", "fd00::9", true, false},
        {"proxy.example", NULL, true, false},
        {"proxy.example:1234", NULL, true, false},
        {"PROXY.example", NULL, true, false},
        {"other.example:8443", NULL, true, false},
        {"other.example", NULL, false, false},
        {"other.example:443", NULL, false, false},
        {"[", NULL, false, false},
        {":", NULL, false, false},
        {":5000", NULL, false, false},
        {"", NULL, false, false},
        {NULL, NULL, false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *name = rows[i].host ? rows[i].host : "(none)";
        CHECK(request_host_allowed(&rules, rows[i].host, rows[i].local) == rows[i].allowed, name);
        CHECK(request_host_allowed(&plain, rows[i].host, rows[i].local) == rows[i].allowed_plain,
              name);
    }
}

static void test_origin(void **state)
{
    static const struct {
        const char *origin, *host;
        bool allowed;
    } rows[] = {
        {NULL, "localhost:5000", true},
        {"http://localhost:5000", "localhost:5000", true},
        {"HTTP://LOCALHOST:5000", "localhost:5000", true},
        {"https://proxy.example", "proxy.example", true},
        {"https://page.example", "localhost:5000", true},
        {"https://page.example:1", "localhost:5000", false},
        {"http://page.example", "localhost:5000", false},
        {"http://localhost:5001", "localhost:5000", false},
        {"http://localhost", "localhost:5000", false},
        {"http://localhost:5000.evil", "localhost:5000", false},
        {"http://evil.example", "localhost:5000", false},
        {"ftp://localhost:5000", "localhost:5000", false},
        {"null", "localhost:5000", false},
        {"", "localhost:5000", false},
        {"http://", "", true}, /* no such host is allowed */
        {"http://x", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(request_origin_allowed(&rules, rows[i].origin, rows[i].host) == rows[i].allowed,
              rows[i].origin ? rows[i].origin : "(none)");
}

static void test_bearer(void **state)
{
    static const struct {
        const char *given;
        bool matches;
    } rows[] = {
        {"Bearer s3cret", true},
        {"bearer s3cret", true},
        {"Bearer  s3cret", true},
        {"Bearer s3cre", false},
        {"Bearer s3crets", false},
        {"Bearer s3crex", false},
        {"Bearer ", false},
        {"Bearer", false},
        {"Basic s3cret", false},
        {"s3cret", false},
        {"", false},
        {"Bearer s3crets3cret", false},
        {"Bearer s3cret ", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(request_bearer_matches(rows[i].given, "s3cret") == rows[i].matches, rows[i].given);
    assert_false(request_token_matches("", 0, "s3cret"));
}

static void test_cookie(void **state)
{
    static const struct {
        const char *cookies, *value; /* NULL: not there */
    } rows[] = {
        {"t=1", "1"}, {"a=2; t=1", "1"},    {"t=1; a=2", "1"}, {"a=2;t=1;b=3", "1"},
        {"t=", ""},   {"at=1", NULL},       {"ta=1", NULL},    {"t", NULL},
        {"", NULL},   {";;; t=x=y", "x=y"}, {"a=t=1", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t length = 0;
        const char *value = request_cookie(rows[i].cookies, "t", &length);
        CHECK(!value == !rows[i].value, rows[i].cookies);
        CHECK(!value ||
                  (length == strlen(rows[i].value) && memcmp(value, rows[i].value, length) == 0),
              rows[i].cookies);
    }
}

static void test_length(void **state)
{
    static const struct {
        const char *given;
        bool sound;
    } rows[] = {
        {"0", true},     {"12", true},   {"9223372036854775807", true},
        {"", false},     {"-1", false},  {"9223372036854775808", false},
        {"+5", false},   {"5,6", false}, {"18446744073709551616", false},
        {"5, 5", false}, {"0x5", false}, {" 5", false},
        {"5 ", false},   {"5x", false},  {"1e3", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(request_length_is_sound(rows[i].given) == rows[i].sound, rows[i].given);
}

static void test_gzip(void **state)
{
    static const struct {
        const char *accept;
        bool accepts;
    } rows[] = {
        {"gzip", true},
        {"GZIP", true},
        {"br, gzip", true},
        {"gzip, br", true},
        {"br,gzip;q=0.5", true},
        {"gzip ; q=1", true},
        {"gzip;q=0", false},
        {"gzip; q=0.000", false},
        {"gzip;q=0, br", false},
        {"br;q=1, gzip;q=0", false},
        {"gzipped", false},
        {"x-gzip", false},
        {"deflate, br", false},
        {"*", false},
        {"", false},
        {",,,", false},
        {NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(request_accepts_gzip(rows[i].accept) == rows[i].accepts,
              rows[i].accept ? rows[i].accept : "(none)");
}

static void test_etag(void **state)
{
    static const struct {
        const char *given;
        bool matches;
    } rows[] = {
        {"\"abc\"", true},
        {"W/\"abc\"", true},
        {"\"x\", \"abc\"", true},
        {"\"x\",W/\"abc\"", true},
        {"*", true},
        {"\"abcd\"", false},
        {"abc", false},
        {"\"ab\"", false},
        {"", false},
        {" , ,", false},
        {NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(request_etag_matches(rows[i].given, "\"abc\"") == rows[i].matches,
              rows[i].given ? rows[i].given : "(none)");
}

static void test_narrow(void **state)
{
    static const struct {
        const char *argument;
        bool sound;
        int64_t from, to;
        size_t limit;
    } rows[] = {
        {"from=5", true, 5, 9, 7},
        {"from=-5", true, -5, 9, 7},
        {"to=12", true, 1, 12, 7},
        {"limit=0", true, 1, 9, 0},
        {"limit=3", true, 1, 9, 3},
        {"limit=9223372036854775807", true, 1, 9, INT64_MAX},
        {"from=-9223372036854775808", true, INT64_MIN, 9, 7},
        {"job=x", true, 1, 9, 7},
        {"", true, 1, 9, 7},
        {"=", true, 1, 9, 7},
        {"fromage=5", true, 1, 9, 7},
        {"from", false, 0, 0, 0},
        {"from=", false, 0, 0, 0},
        {"from=x", false, 0, 0, 0},
        {"from=1.5", false, 0, 0, 0},
        {"from=+5", false, 0, 0, 0},
        {"from= 5", false, 0, 0, 0},
        {"from=5 ", false, 0, 0, 0},
        {"to=1e3", false, 0, 0, 0},
        {"to=9223372036854775808", false, 0, 0, 0},
        {"limit=-1", false, 0, 0, 0},
        {"limit=0x10", false, 0, 0, 0},
    };
    struct error error;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct history_range range = {1, 9, 7};
        CHECK((request_narrow(rows[i].argument, &range, &error) == 0) == rows[i].sound,
              rows[i].argument);
        CHECK(!rows[i].sound || (range.from == rows[i].from && range.to == rows[i].to &&
                                 range.limit == rows[i].limit),
              rows[i].argument);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host),   cmocka_unit_test(test_origin), cmocka_unit_test(test_bearer),
        cmocka_unit_test(test_cookie), cmocka_unit_test(test_gzip),   cmocka_unit_test(test_etag),
        cmocka_unit_test(test_narrow), cmocka_unit_test(test_length),
    };
    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
