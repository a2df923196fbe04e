#include "tests/unit/unit.h"

#include "cluster/base/limits.h"
#include "jobs/points.h"

static struct spec_series series[] = {
    {.name = (char[]){"female"}}, {.name = (char[]){"male"}}, {.name = (char[]){"other"}}};
static struct spec_label labels[] = {
    {(char[]){"0"}, 1, 0}, {(char[]){"1"}, 1, 1}, {(char[]){"01"}, 2, 1}};
static struct spec spec = {.name = (char[]){"gender"},
                           .size = 1000,
                           .slide = 1000,
                           .series = series,
                           .series_count = 3,
                           .labels = labels,
                           .label_count = 3};

/* What was put, the newest state of each time: "5:1,0,0 6:0,2,0 ". */
struct board {
    struct {
        int64_t time;
        uint64_t counts[3];
    } points[256];
    size_t count, puts;
};

static void put(void *context, const struct record *record)
{
    struct board *board = context;
    size_t i = 0;

    while (i < board->count && board->points[i].time != record->start)
        i++;
    if (i == board->count)
        board->count++;
    assert_true(i < COUNT(board->points));
    assert_true(record->start == record->end);
    assert_true(record->counts[0] + record->counts[1] + record->counts[2] == record->total);
    board->points[i].time = record->start;
    memcpy(board->points[i].counts, record->counts, sizeof board->points[i].counts);
    board->puts++;
}

static bool taken(void *context, int64_t time)
{
    const struct board *board = context;

    for (size_t i = 0; i < board->count; i++)
        if (board->points[i].time == time)
            return true;
    return false;
}

static void write_board(const struct board *board, char *text, size_t size)
{
    size_t length = 0;

    *text = '\0';
    for (size_t i = 0; i < board->count && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%lld:%llu,%llu,%llu ",
                                   (long long)board->points[i].time,
                                   (unsigned long long)board->points[i].counts[0],
                                   (unsigned long long)board->points[i].counts[1],
                                   (unsigned long long)board->points[i].counts[2]);
}

static void test_points(void **state)
{
    static const struct {
        const char *name;
        struct {
            int64_t time;
            const char *text;
        } records[4];
        const char *points;
    } rows[] = {
        {"one label", {{5, "[{\"0\": \"5\"}]"}, {6, "[{\"0\": \"7\"}]"}}, "5:5,0,0 6:7,0,0 "},
        {"several in a list",
         {{5, "[{\"0\":1},{\"2\":3},{\"1\":6}]"}, {6, "[{\"1\":2}]"}},
         "5:1,6,3 6:0,2,0 "},
        {"several in an object", {{5, "[{\"0\":1,\"1\":2}]"}}, "5:1,2,0 "},
        {"a label a record",
         {{5, "[{\"0\":1}]"}, {6, "[{\"1\":2}]"}, {7, "[{\"1\":3}]"}, {8, "[{\"0\":4}]"}},
         "5:1,2,0 7:4,3,0 "},
        {"two values of one series", {{5, "[{\"1\":1},{\"01\":2}]"}}, "5:0,3,0 "},
        {"two values of none",
         {{5, "[{\"x\":1},{\"y\":2}]"}, {6, "[{\"x\":4}]"}},
         "5:0,0,3 6:0,0,4 "},
        {"a label twice in a list",
         {{5, "[{\"0\":1},{\"0\":2},{\"0\":3}]"}},
         "5:1,0,0 6:2,0,0 7:3,0,0 "},
        {"the same time", {{5, "[{\"0\":1}]"}, {5, "[{\"0\":2}]"}}, "5:1,0,0 6:2,0,0 "},
        {"a time that is taken",
         {{5, "[{\"0\":1}]"}, {6, "[{\"0\":2}]"}, {5, "[{\"0\":3}]"}},
         "5:1,0,0 6:2,0,0 7:3,0,0 "},
        {"nothing of a bad list",
         {{5, "[{\"0\":1},{\"1\":-2}]"}, {6, "[{\"0\":9},4]"}, {7, "[{\"1\":1}]"}},
         "7:0,1,0 "},
        {"a zero", {{5, "[{\"0\":0}]"}}, "5:0,0,0 "},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct board board = {.count = 0};
        struct points *points = points_new(&spec, &(struct points_calls){put, taken, &board});
        struct error error;
        char said[512];
        for (size_t k = 0; k < 4 && rows[i].records[k].text; k++)
            points_read(points, rows[i].records[k].time, rows[i].records[k].text,
                        strlen(rows[i].records[k].text), &error);
        write_board(&board, said, sizeof said);
        if (strcmp(said, rows[i].points) != 0)
            fail_msg("%s: %s", rows[i].name, said);
        points_free(points);
    }
}

static void test_what_is_a_list(void **state)
{
    static const struct {
        const char *text;
        bool looks, is;
    } rows[] = {
        {"[{\"0\":1}]", true, true},
        {" \n[ { \"0\" : \"1\" } ] ", true, true},
        {"[{\"0\":\"100000000000000\"}]", true, true},
        {"[{\"\":1}]", true, true},
        {"[]", true, false},
        {"[{}]", true, false},
        {"[1]", true, false},
        {"[[{\"0\":1}]]", true, false},
        {"[{\"0\":\"\"}]", true, false},
        {"[{\"0\":\"1 \"}]", true, false},
        {"[{\"0\":\"-1\"}]", true, false},
        {"[{\"0\":1.5}]", true, false},
        {"[{\"0\":null}]", true, false},
        {"[{\"0\":100000000000001}]", true, false},
        {"[{\"0\":1,\"0\":2}]", true, false},
        {"[{\"0\":1}", true, false},
        {"[", true, false},
        {"{\"0\":1}", false, false},
        {"", false, false},
        {" ", false, false},
        {"0", false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct board board = {.count = 0};
        struct points *points = points_new(&spec, &(struct points_calls){put, taken, &board});
        struct error error = {.code = EXIT_OK};
        size_t length = strlen(rows[i].text);
        CHECK(points_is_list(rows[i].text, length) == rows[i].looks, rows[i].text);
        CHECK((points_read(points, 1, rows[i].text, length, &error) == 0) == rows[i].is,
              rows[i].text);
        CHECK(rows[i].is || (error.code == EXIT_INPUT && board.puts == 0), rows[i].text);
        points_free(points);
    }
    assert_false(points_is_list("\0[", 2));
}

/* A point never has more than so many values, whatever comes. */
static void test_values_are_bounded(void **state)
{
    struct board board = {.count = 0};
    struct points *points = points_new(&spec, &(struct points_calls){put, taken, &board});
    struct error error;
    char text[64];

    (void)state;
    for (int i = 0; i < 3 * (LIMIT_POINT_VALUES + 3); i++) {
        snprintf(text, sizeof text, "[{\"value-%d\":1}]", i);
        assert_int_equal(points_read(points, 1000 + i, text, strlen(text), &error), 0);
    }
    assert_int_equal(board.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(board.points[i].counts[2], LIMIT_POINT_VALUES + 3);
    points_free(points);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_points),
                                       cmocka_unit_test(test_what_is_a_list),
                                       cmocka_unit_test(test_values_are_bounded)};
    return cmocka_run_group_tests_name("points", tests, NULL, NULL);
}
