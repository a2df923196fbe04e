/* The in-process broker answers at once. */
#include "cluster/base/clock.h"
#include "cluster/broker.h"
#include "tests/unit/unit.h"

#define TOPICS  100
#define MOST_MS 5000

/* Every third or so took librdkafka a second, when it was asked for just after another. */
static void test_topics_in_a_row(void **state)
{
    struct error error;
    struct broker *broker = broker_start(&error);
    int64_t start = clock_monotonic_ms();
    char name[24];

    (void)state;
    assert_non_null(broker);
    for (int i = 0; i < TOPICS; i++) {
        snprintf(name, sizeof name, "topic-%d", i);
        assert_int_equal(broker_make_topic(broker, name, &error), 0);
    }
    assert_in_range(clock_monotonic_ms() - start, 0, MOST_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_topics_in_a_row)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
