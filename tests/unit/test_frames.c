#include "tests/unit/unit.h"

#include "cluster/base/limits.h"
#include "dashboard/frames.h"

#define MOST LIMIT_CLIENT_FRAME

/* Pieces of messages, one after the other; the last is the one that counts. */
static void test_lengths(void **state)
{
    static const struct {
        const char *name;
        struct {
            size_t length, left;
            bool first;
        } pieces[4];
        size_t count;
        bool taken;
    } rows[] = {
        {"a short one", {{5, 0, true}}, 1, true},
        {"none", {{0, 0, true}}, 1, true},
        {"the longest", {{128, MOST - 128, true}}, 1, true},
        {"one byte more", {{128, MOST - 127, true}}, 1, false},
        {"2^62", {{128, (size_t)1 << 62, true}}, 1, false},
        {"all there is", {{128, SIZE_MAX, true}}, 1, false},
        {"the longest in two frames", {{MOST - 1, 0, true}, {1, 0, false}}, 2, true},
        {"one byte more in two", {{MOST, 0, true}, {1, 0, false}}, 2, false},
        {"an empty frame more", {{MOST, 0, true}, {0, 0, false}}, 2, false},
        {"one more is announced", {{MOST - 1, 0, true}, {1, 1, false}}, 2, false},
        {"another message", {{MOST, 0, true}, {MOST, 0, true}}, 2, true},
        {"a frame in pieces", {{128, 128, true}, {128, 0, false}, {1, MOST - 257, false}}, 3, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t message = 77;
        bool taken = false;
        for (size_t n = 0; n < rows[i].count; n++)
            taken = frames_take(&message, rows[i].pieces[n].length, rows[i].pieces[n].left,
                                rows[i].pieces[n].first);
        CHECK(taken == rows[i].taken, rows[i].name);
    }
}

/* A message in a million frames without a byte ends, too. */
static void test_empty_frames(void **state)
{
    uint32_t message = 0;
    int taken = 0;

    (void)state;
    while (taken < 1000000 && frames_take(&message, 0, 0, taken == 0))
        taken++;
    assert_int_equal(taken, MOST);
}

static void test_close(void **state)
{
    static const struct {
        const char *payload;
        size_t length;
        bool sound;
    } rows[] = {
        {"", 0, true},           {"\3", 1, false},     {"\3\350", 2, true},
        {"\3\350done", 6, true}, {"\3\347", 2, false}, {"\0\0", 2, false},
        {"\3\353", 2, true},     {"\3\354", 2, false}, {"\3\355", 2, false},
        {"\3\356", 2, false},    {"\3\357", 2, true},  {"\3\366", 2, true},
        {"\3\367", 2, false},    {"\3\370", 2, false}, {"\13\267", 2, false},
        {"\13\270", 2, true},    {"\23\207", 2, true}, {"\23\210", 2, false},
        {"\377\377", 2, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (frames_close_is_sound((const unsigned char *)rows[i].payload, rows[i].length) !=
            rows[i].sound)
            fail_msg("row %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_empty_frames),
        cmocka_unit_test(test_close),
    };
    return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
