/* jobs/pace.h: when updates go out, by a clock that is made up. */
#include "jobs/pace.h"
#include "tests/unit/unit.h"

/* Ten records a second, each one's update sent as soon as it may be and `late` ms after that. */
static void test_a_stream_of_ten_a_second_keeps_up(void **state)
{
    (void)state;
    for (int64_t late = 0; late < EMIT_SLACK_MS; late++) {
        struct pace pace = {0};
        for (int64_t record = EMIT_EVERY_MS; record < 1000 * EMIT_EVERY_MS;
             record += EMIT_EVERY_MS) {
            int64_t wait = pace_wait(&pace, record);
            int64_t sent = record + (wait > 0 ? wait : 0) + late;
            assert_int_equal(sent - record, late); /* it falls no further behind */
            pace_note(&pace, sent);
        }
    }
}

/* Something always waits: no two updates are closer than the pace less the slack. */
static void test_a_fast_stream_is_held_back(void **state)
{
    (void)state;
    for (int64_t late = 0; late < 3 * EMIT_EVERY_MS; late++) {
        struct pace pace = {0};
        int64_t now = 5000, before;
        pace_note(&pace, now);
        for (int n = 0; n < 1000; n++) {
            before = now;
            now += pace_wait(&pace, now) + (n % 2 ? late : 0);
            assert_in_range(now - before, EMIT_EVERY_MS - EMIT_SLACK_MS, INT64_MAX);
            pace_note(&pace, now);
        }
    }
}

static void test_what_does_not_wait_for_its_turn_does_not_count(void **state)
{
    struct pace pace = {0};

    (void)state;
    pace_note(&pace, 5000);
    pace_note(&pace, 5010);
    assert_int_equal(pace_wait(&pace, 5010), EMIT_EVERY_MS - 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stream_of_ten_a_second_keeps_up),
        cmocka_unit_test(test_a_fast_stream_is_held_back),
        cmocka_unit_test(test_what_does_not_wait_for_its_turn_does_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
