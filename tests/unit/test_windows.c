#include "tests/unit/unit.h"

#include "jobs/windows.h"

static struct spec_series series[2] = {{.name = (char[]){"a"}}, {.name = (char[]){"other"}}};

static struct spec make_spec(int64_t size, int64_t slide, int64_t lateness)
{
    return (struct spec){.name = (char[]){"t"},
                         .size = size,
                         .slide = slide,
                         .lateness = lateness,
                         .series = series,
                         .series_count = 2};
}

/* Counts one record in a fresh set and lists the windows it fell in. */
static void test_which_windows(void **state)
{
    static const struct {
        int64_t size, slide, time, first;
        size_t count;
    } rows[] = {
        {1000, 1000, 0, 0, 1},
        {1000, 1000, 999, 0, 1},
        {1000, 1000, 1000, 1000, 1},
        {1000, 1000, 1795245400123, 1795245400000, 1},
        {1000, 1000, -1, -1000, 1},
        {1000, 1000, -1000, -1000, 1},
        {5000, 1000, 5000, 1000, 5},
        {5000, 1000, 4999, 0, 5},
        {5000, 2000, 5000, 2000, 2},
        {5000, 2000, 4000, 0, 3},
        {5000, 2000, 4999, 0, 3},
        {3000, 2000, 0, -2000, 2},
        {1, 1, 7, 7, 1},
        {7, 3, 100, 96, 2},
    };
    static const struct place nowhere = {0, 0};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct spec spec = make_spec(rows[i].size, rows[i].slide, 0);
        struct windows *windows = windows_new(&spec, 0);
        uint64_t late = 0;
        char name[64];
        snprintf(name, sizeof name, "size %d slide %d time %lld", (int)rows[i].size,
                 (int)rows[i].slide, (long long)rows[i].time);
        CHECK(windows_count(windows, rows[i].time, 0, nowhere, true, &late), name);
        CHECK(windows_open(windows) == rows[i].count, name);
        CHECK(windows_at(windows, 0)->record.start == rows[i].first, name);
        for (size_t w = 0; w < windows_open(windows); w++) {
            const struct record *record = &windows_at(windows, w)->record;
            CHECK(record->start <= rows[i].time && rows[i].time < record->end, name);
        }
        windows_free(windows);
    }
}

/* A pair is late when the window's end <= the watermark: on the boundary and one
 * ms either side. */
static void test_late(void **state)
{
    static const struct {
        const char *name;
        int64_t size, slide, time, watermark;
        uint64_t late;
        size_t open;
    } rows[] = {
        {"before the end", 1000, 1000, 500, 999, 0, 1},
        {"at the end", 1000, 1000, 500, 1000, 1, 0},
        {"behind the end", 1000, 1000, 500, 1001, 1, 0},
        {"next window", 1000, 1000, 1000, 1000, 0, 1},
        {"sliding: one of five", 5000, 1000, 5000, 6000, 1, 4},
        {"sliding: four of five", 5000, 1000, 5000, 9000, 4, 1},
        {"sliding: all", 5000, 1000, 5000, 10000, 5, 0},
    };
    static const struct place nowhere = {0, 0};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct spec spec = make_spec(rows[i].size, rows[i].slide, 0);
        struct windows *windows = windows_new(&spec, 0);
        uint64_t late = 0;
        windows_set_watermark(windows, rows[i].watermark);
        windows_count(windows, rows[i].time, 0, nowhere, true, &late);
        CHECK(late == rows[i].late, rows[i].name);
        CHECK(windows_open(windows) == rows[i].open, rows[i].name);
        windows_free(windows);
    }
}

/* Windows come out in order, however they were opened. */
static void test_order(void **state)
{
    static const int64_t times[] = {5000, 1000, 9000, 3000, 1500, 9999, 0, 7000};
    static const int64_t starts[] = {0, 1000, 3000, 5000, 7000, 9000};
    static const struct place nowhere = {0, 0};
    struct spec spec = make_spec(1000, 1000, 0);
    struct windows *windows = windows_new(&spec, 0);
    struct window *window;
    uint64_t late = 0;
    size_t taken = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(times); i++)
        windows_count(windows, times[i], 0, nowhere, true, &late);
    windows_set_watermark(windows, 4000);
    windows_set_watermark(windows, 100); /* never back */
    while ((window = windows_take_closed(windows, taken >= 3))) {
        assert_int_equal(window->record.start, starts[taken]);
        taken++;
        windows_release(windows, window);
        if (taken == 3)
            assert_null(windows_take_closed(windows, false));
    }
    assert_int_equal(taken, COUNT(starts));
    windows_free(windows);
}

/* Those ahead leave room for the slowest; the limit holds. */
static void test_limit(void **state)
{
    struct spec spec = make_spec(1000, 1000, 1000);
    struct windows *windows = windows_new(&spec, 2);
    const struct place fast = {0, 1}, slow = {1, 1};
    uint64_t late = 0;
    int64_t time = 1000000;
    size_t open;

    (void)state;
    while (windows_count(windows, time, 0, fast, false, &late))
        time += 1000;
    open = windows_open(windows);
    assert_in_range(open, 10, 1000);
    assert_false(windows_count(windows, 0, 0, slow, false, &late));
    assert_true(windows_count(windows, 0, 0, slow, true, &late));
    assert_true(windows_count(windows, 1000, 0, slow, true, &late));
    assert_int_equal(late, 0);
    assert_int_equal(windows_at(windows, 0)->offsets[1], 1);
    assert_true(windows_at(windows, 0)->offsets[0] == NO_OFFSET);
    windows_free(windows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_which_windows),
                                       cmocka_unit_test(test_late), cmocka_unit_test(test_order),
                                       cmocka_unit_test(test_limit)};
    return cmocka_run_group_tests_name("windows", tests, NULL, NULL);
}
