#include "tests/unit/unit.h"

#include "cluster/base/limits.h"
#include "dashboard/history_edition.h"
#include "dashboard/history_range.h"

static struct spec_series series[] = {{.name = (char[]){"a"}, .zh = (char[]){"\xe7\x94\xb2"}},
                                      {.name = (char[]){"b,\"c"}},
                                      {.name = (char[]){"other"}}};
static struct spec spec = {.name = (char[]){"job"},
                           .size = 1000,
                           .slide = 500,
                           .lateness = 2000,
                           .series = series,
                           .series_count = 3};

#define HEAD                                                                                       \
    "{\"job\":\"job\",\"labels\":[{\"name\":\"a\",\"zh\":\"\xe7\x94\xb2\"},{\"name\":\"b,\\\"c\"}" \
    ","                                                                                            \
    "{\"name\":\"other\"}],\"window\":{\"size\":1000,\"slide\":500,\"lateness\":2000},"            \
    "\"windows\":["
#define RECORD(start, end, total)                                                                  \
    "{\"job\":\"job\",\"start\":" start ",\"end\":" end ",\"counts\":{\"a\":" total                \
    ",\"b,\\\"c\":0,\"other\":0},\"total\":" total "}"

static bool add(struct history *history, int64_t start, uint64_t total, int32_t partition,
                int64_t offset)
{
    uint64_t counts[3] = {total, 0, 0};
    struct record record = {.start = start, .end = start + 1000, .total = total, .counts = counts};

    return history_add(history, &record, partition, offset);
}

/* Takes the edition, which is another one each time, out of a text that has it. */
static void cut_edition(const struct history *history, char *text)
{
    struct buf edition = {0};
    char *at;

    buf_format(&edition, "\"edition\":\"%s\",", history_edition(history));
    at = strstr(text, edition.data);
    assert_non_null(at);
    memmove(at, at + edition.length, strlen(at + edition.length) + 1);
    buf_free(&edition);
}

static char *json(const struct history *history, int64_t from, int64_t to, size_t limit)
{
    struct buf text = {0};

    history_write(history, (struct history_range){from, to, limit}, HISTORY_JSON, &text);
    cut_edition(history, text.data);
    return text.data;
}

/* "5:2 6:1 " for windows 5000 with a total of 2, and 6000 with 1. */
static char *windows_of(const struct history *history)
{
    char *text = json(history, INT64_MIN, INT64_MAX, SIZE_MAX);
    struct buf said = {0};
    long long start, total;
    const char *at = text;

    buf_text(&said, "");
    while ((at = strstr(at, "\"start\":")) != NULL) {
        start = atoll(at + 8);
        at = strstr(at, "\"total\":");
        total = atoll(at + 8);
        buf_format(&said, "%lld:%lld ", start / 1000, total);
    }
    free(text);
    return said.data;
}

static void test_add(void **state)
{
    static const struct {
        const char *name;
        struct {
            int64_t start;
            uint64_t total;
            bool changes;
        } records[5];
        const char *windows;
    } rows[] = {
        {"in order", {{5, 1, true}, {6, 1, true}, {7, 1, true}}, "5:1 6:1 7:1 "},
        {"out of order", {{7, 1, true}, {5, 1, true}, {6, 1, true}}, "5:1 6:1 7:1 "},
        {"it grows", {{5, 1, true}, {5, 3, true}, {5, 4, true}}, "5:4 "},
        {"a smaller total comes late", {{5, 3, true}, {5, 2, false}, {6, 1, true}}, "5:3 6:1 "},
        {"the same again", {{5, 3, true}, {5, 3, false}, {5, 3, false}}, "5:3 "},
        {"an empty window", {{5, 0, true}, {5, 0, false}}, "5:0 "},
        {"before the epoch", {{5, 1, true}, {-3, 1, true}}, "-3:1 5:1 "},
        {"an older one grows", {{5, 1, true}, {6, 1, true}, {5, 2, true}}, "5:2 6:1 "},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct history *history = history_new(&spec, 1, 0);
        char *said;
        for (size_t k = 0; k < 5 && rows[i].records[k].start; k++)
            CHECK(add(history, rows[i].records[k].start * 1000, rows[i].records[k].total, 0,
                      (int64_t)k) == rows[i].records[k].changes,
                  rows[i].name);
        said = windows_of(history);
        CHECK(strcmp(said, rows[i].windows) == 0, rows[i].name);
        free(said);
        history_free(history);
    }
}

static void test_bound(void **state)
{
    struct history *history = history_new(&spec, 1, 0);
    char *text;

    (void)state;
    for (int64_t i = 0; i < LIMIT_HISTORY + 100; i++)
        assert_true(add(history, i * 1000, 1, 0, i));
    assert_int_equal(history_count(history), LIMIT_HISTORY);
    assert_false(add(history, 5000, 9, 0, 9000));  /* older than all */
    assert_true(add(history, 200500, 1, 0, 9001)); /* between two: the oldest goes */
    assert_int_equal(history_count(history), LIMIT_HISTORY);
    text = json(history, INT64_MIN, 102000, SIZE_MAX);
    assert_string_equal(text, HEAD RECORD("101000", "102000", "1") "]}");
    free(text);
    assert_int_equal(history_behind(history, 0, SIZE_MAX), LIMIT_HISTORY);
    history_free(history);
}

/* Very many series: fewer windows, the same memory. */
static void test_wide(void **state)
{
    enum { WIDE = LIMIT_LABELS };
    struct spec_series *many = calloc(WIDE, sizeof *many);
    struct spec wide = spec;
    uint64_t *counts = calloc(WIDE, sizeof *counts);
    struct history *history;
    uint64_t cursor = 0;

    (void)state;
    for (size_t i = 0; i < WIDE; i++)
        many[i].name = series[0].name;
    wide.series = many;
    wide.series_count = WIDE;
    history = history_new(&wide, 1, 0);
    for (int64_t i = 0; i < 200; i++) {
        struct record record = {.start = i, .end = i + 1, .total = 1, .counts = counts};
        history_add(history, &record, 0, i);
    }
    assert_int_equal(history_count(history), LIMIT_HISTORY_CELLS / WIDE);
    assert_true(history_snapshot(history, &cursor, TRANSPORT_WS)->length < 4 << 20);
    assert_int_equal(cursor, history_last(history));
    history_free(history);
    free(counts);
    free(many);
}

static void test_range(void **state)
{
    static const struct {
        const char *name;
        int64_t from, to;
        size_t limit;
        const char *windows;
    } rows[] = {
        {"all", INT64_MIN, INT64_MAX, 100,
         RECORD("1000", "2000", "1") "," RECORD("2000", "3000", "2") "," RECORD("3000", "4000",
                                                                                "3")},
        {"from is inside", 2000, INT64_MAX, 100,
         RECORD("2000", "3000", "2") "," RECORD("3000", "4000", "3")},
        {"between two", 1500, INT64_MAX, 100,
         RECORD("2000", "3000", "2") "," RECORD("3000", "4000", "3")},
        {"to is outside", INT64_MIN, 2000, 100, RECORD("1000", "2000", "1")},
        {"the newest stay", INT64_MIN, INT64_MAX, 1, RECORD("3000", "4000", "3")},
        {"the newest of a range", INT64_MIN, 3000, 1, RECORD("2000", "3000", "2")},
        {"none wanted", INT64_MIN, INT64_MAX, 0, ""},
        {"none there", 4000, INT64_MAX, 100, ""},
        {"the wrong way round", 3000, 1000, 100, ""},
    };
    struct history *history = history_new(&spec, 1, 0);

    (void)state;
    for (uint64_t i = 1; i <= 3; i++)
        add(history, (int64_t)i * 1000, i, 0, (int64_t)i);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = json(history, rows[i].from, rows[i].to, rows[i].limit);
        struct buf wanted = {0};
        buf_format(&wanted, "%s%s]}", HEAD, rows[i].windows);
        CHECK(strcmp(text, wanted.data) == 0, rows[i].name);
        buf_free(&wanted);
        free(text);
    }
    history_free(history);
}

static void test_csv(void **state)
{
    struct history *history = history_new(&spec, 1, 0);
    struct buf text = {0};

    (void)state;
    add(history, 1000, 7, 0, 0);
    history_write(history, (struct history_range){INT64_MIN, INT64_MAX, 10}, HISTORY_CSV, &text);
    assert_string_equal(text.data, "job,start,end,a,\"b,\"\"c\",other,total\n"
                                   "job,1000,2000,7,0,0,7\n");
    buf_free(&text);
    history_free(history);
}

/* However small the pieces, together they are the text, as it was when it began. */
static void test_pieces(void **state)
{
    static const size_t sizes[] = {1, 7, 150, 1000, SIZE_MAX};

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(sizes); i++) {
        enum history_form form = i % 2 ? HISTORY_CSV : HISTORY_JSON;
        const struct history_range range = {3000, 40000, 30};
        struct history *history = history_new(&spec, 1, 0);
        struct history_reader reader;
        struct buf whole = {0}, text = {0};
        size_t pieces = 0;
        for (int64_t n = 1; n <= 50; n++)
            add(history, n * 1000, 5, 0, n);
        history_write(history, range, form, &whole);
        reader = history_read(history, range, form);
        while (!reader.ended) {
            size_t before = text.length;
            assert_true(history_read_on(history, &reader, sizes[i / 2], &text));
            assert_true(reader.ended || text.length - before >= sizes[i / 2]);
            if (pieces++ == 0)
                add(history, 60000, 1, 0, 100); /* comes later than the text's end */
        }
        assert_string_equal(text.data, whole.data);
        assert_int_equal(sizes[i / 2] == 1 ? pieces : 30, 30);
        assert_true(history_read_on(history, &reader, 1, &text)); /* adds nothing */
        assert_int_equal(text.length, whole.length);
        buf_free(&whole);
        buf_free(&text);
        history_free(history);
    }
}

/* A window that went before it was written makes no hole that nobody sees. */
static void test_overtaken(void **state)
{
    static const struct {
        const char *name;
        bool restarted;
        int64_t from, to; /* windows that come meanwhile, and push out as many */
        bool whole;
    } rows[] = {{"none goes", false, 11, 10, true},
                {"what is written goes", false, 11, 11, true},
                {"the next one goes", false, 11, 12, false},
                {"all go", false, 11, 110, false},
                {"another topic, of the same times", true, 1, 10, false}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct history *history = history_new(&spec, 1, 10);
        struct history_reader reader;
        struct buf text = {0};
        size_t length;
        for (int64_t n = 1; n <= 10; n++)
            add(history, n * 1000, 1, 0, n);
        reader = history_read(history, (struct history_range){INT64_MIN, INT64_MAX, SIZE_MAX},
                              HISTORY_JSON);
        assert_true(history_read_on(history, &reader, 1, &text) && !reader.ended);
        length = text.length;
        if (rows[i].restarted)
            history_restart(history, 1);
        for (int64_t n = rows[i].from; n <= rows[i].to; n++)
            add(history, n * 1000, 1, 0, n);
        CHECK(history_read_on(history, &reader, SIZE_MAX, &text) == rows[i].whole, rows[i].name);
        CHECK(reader.ended == rows[i].whole, rows[i].name);
        CHECK((text.length > length) == rows[i].whole, rows[i].name);
        buf_free(&text);
        history_free(history);
    }
}

/* A reader sees each window once, in its newest state, in the order of updates. */
static void test_cursor(void **state)
{
    struct history *history = history_new(&spec, 1, 0);
    const struct record *record;
    uint64_t cursor = 0;

    (void)state;
    assert_null(history_next(history, &cursor));
    for (int64_t i = 1; i <= 3; i++)
        add(history, i * 1000, 1, 0, i);
    add(history, 1000, 5, 0, 4);
    assert_int_equal(history_behind(history, cursor, 100), 3);
    assert_int_equal(history_behind(history, cursor, 2), 2);
    record = history_next(history, &cursor);
    assert_int_equal(record->start, 2000);
    record = history_next(history, &cursor);
    assert_int_equal(record->start, 3000);
    record = history_next(history, &cursor);
    assert_int_equal(record->start, 1000);
    assert_int_equal(record->total, 5);
    assert_null(history_next(history, &cursor));
    assert_int_equal(cursor, history_last(history));
    history_free(history);
}

static void test_messages(void **state)
{
    struct history *history = history_new(&spec, 2, 0);
    uint64_t cursor = 0, again = 0;
    struct body *message;
    char *snapshot;

    (void)state;
    add(history, 1000, 1, 1, 41);
    message = history_message(history, &cursor, TRANSPORT_WS, NULL);
    assert_string_equal(message->data, "{\"event\":\"window\",\"id\":\"0-0.1-42\",\"data\":" RECORD(
                                           "1000", "2000", "1") "}");
    assert_ptr_equal(message, history_message(history, &again, TRANSPORT_WS, NULL)); /* made once */
    cursor = 0;
    message = history_message(history, &cursor, TRANSPORT_SSE, NULL);
    assert_string_equal(message->data,
                        "event: window\nid: 0-0.1-42\ndata: " RECORD("1000", "2000", "1") "\n\n");
    assert_null(history_message(history, &cursor, TRANSPORT_SSE, NULL));
    body_hold(message); /* a client is still sending it */
    add(history, 1000, 2, 0, 6);
    cursor = 0;
    assert_string_equal(history_message(history, &cursor, TRANSPORT_SSE, NULL)->data,
                        "event: window\nid: 0-7.1-42\ndata: " RECORD("1000", "2000", "2") "\n\n");
    assert_string_equal(message->data,
                        "event: window\nid: 0-0.1-42\ndata: " RECORD("1000", "2000", "1") "\n\n");
    body_release(message);
    message = history_snapshot(history, &cursor, TRANSPORT_WS);
    snapshot = mem_text(message->data);
    cut_edition(history, snapshot);
    assert_string_equal(snapshot,
                        "{\"event\":\"snapshot\",\"id\":\"0-7.1-42\",\"data\":" HEAD RECORD(
                            "1000", "2000", "2") "]}}");
    free(snapshot);
    history_free(history);
}

/* Messages are kept only for those who read along. */
static void test_messages_are_forgotten(void **state)
{
    struct history *history = history_new(&spec, 1, 0);
    uint64_t cursor = 0;
    struct body *first;

    (void)state;
    add(history, 0, 1, 0, 0);
    first = body_hold(history_message(history, &cursor, TRANSPORT_WS, NULL));
    for (int64_t i = 1; i < 1000; i++) {
        add(history, i * 1000, 1, 0, i);
        history_message(history, &cursor, TRANSPORT_WS, NULL);
    }
    assert_int_equal(first->references, 1); /* ours */
    body_release(first);
    history_free(history);
}

static void test_snapshot_is_shared(void **state)
{
    struct history *history = history_new(&spec, 1, 0);
    struct body *first, *second;
    uint64_t cursor = 0;

    (void)state;
    add(history, 1000, 1, 0, 0);
    first = body_hold(history_snapshot(history, &cursor, TRANSPORT_WS));
    second = history_snapshot(history, &cursor, TRANSPORT_WS);
    assert_ptr_equal(first, second);
    add(history, 2000, 1, 0, 1);
    second = history_snapshot(history, &cursor, TRANSPORT_WS);
    assert_ptr_not_equal(first, second);
    assert_int_equal(cursor, history_last(history));
    assert_int_equal(first->references, 1);
    body_release(first);
    history_free(history);
}

/* Of clients that never finish reading, each at another state. */
static void test_snapshots_are_bounded(void **state)
{
    struct history *history = history_new(&spec, 1, 0);
    struct body *held[1000];
    size_t bytes = 0;
    uint64_t cursor = 0;

    (void)state;
    for (int64_t i = 0; i < LIMIT_SNAPSHOT; i++)
        add(history, i * 1000, 1, 0, i);
    for (uint64_t i = 0; i < COUNT(held); i++) {
        add(history, 0, i + 2, 0, LIMIT_SNAPSHOT + (int64_t)i);
        held[i] = body_hold(history_snapshot(history, &cursor, TRANSPORT_WS));
        if (i == 0 || held[i] != held[i - 1])
            bytes += held[i]->length;
    }
    assert_true(bytes <= HISTORY_SNAPSHOT_BYTES + held[0]->length * 2);
    assert_true(cursor < history_last(history));
    for (size_t i = 0; i < COUNT(held); i++)
        body_release(held[i]);
    history_snapshot(history, &cursor, TRANSPORT_WS);
    assert_int_equal(cursor, history_last(history));
    history_free(history);
}

static void test_resume(void **state)
{
    static const struct {
        const char *name, *id;
        bool found;
        uint64_t cursor;
    } rows[] = {
        {"up to date", "0-4.1-3", true, 4},
        {"before the last", "0-3.1-3", true, 3},
        {"one partition behind", "0-4.1-2", false, 0}, /* of all that there is */
        {"the first", "0-1.1-0", false, 0},            /* is not in the list any more: it grew */
        {"after the second", "0-1.1-3", true, 1},
        {"nothing seen", "0-0.1-0", false, 0},
        {"ahead", "0-5.1-3", false, 0},
        {"ahead in one", "0-0.1-4", false, 0},
        {"one partition", "0-4", false, 0},
        {"three partitions", "0-4.1-3.2-0", false, 0},
        {"the wrong order", "1-3.0-4", false, 0},
        {"twice the same", "0-4.0-3", false, 0},
        {"empty", "", false, 0},
        {"words", "now", false, 0},
        {"a sign", "0-+4.1-3", false, 0},
        {"negative", "0--4.1-3", false, 0},
        {"leading zeros", "0-04.1-3", false, 0},
        {"blanks", "0-4.1-3 ", false, 0},
        {"something behind", "0-4.1-3.", false, 0},
        {"too large", "0-4.1-99999999999999999999", false, 0},
    };
    struct history *history = history_new(&spec, 2, 0);

    (void)state;
    /* Updates 1 to 4; the window of 1000 changes twice. */
    add(history, 2000, 1, 1, 2);
    add(history, 1000, 1, 0, 0);
    add(history, 3000, 1, 0, 2);
    add(history, 1000, 2, 0, 3);
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t cursor = 0;
        CHECK(history_resume(history, rows[i].id, NULL, &cursor) == rows[i].found, rows[i].name);
        CHECK(cursor == rows[i].cursor, rows[i].name);
    }
    history_free(history);
}

static void test_resume_too_far_back(void **state)
{
    struct history *history = history_new(&spec, 1, 0);
    uint64_t cursor = 0;
    char id[32];

    (void)state;
    for (int64_t i = 0; i < 1000; i++)
        add(history, i * 1000, 1, 0, i);
    snprintf(id, sizeof id, "0-%d", 1000 - LIMIT_BEHIND);
    assert_true(history_resume(history, id, NULL, &cursor));
    assert_int_equal(history_behind(history, cursor, 1000), LIMIT_BEHIND);
    snprintf(id, sizeof id, "0-%d", 1000 - LIMIT_BEHIND - 1);
    assert_false(history_resume(history, id, NULL, &cursor));
    history_free(history);
}

/* The topic is deleted and made anew: nothing of the old one stays, and an old
 * id does not pass for a new one. */
static void test_restart(void **state)
{
    struct history *history = history_new(&spec, 1, 0);
    struct body *old;
    uint64_t cursor = 0;
    char edition[32];

    (void)state;
    for (int64_t i = 0; i < 10; i++)
        add(history, i * 1000, 5, 0, i);
    snprintf(edition, sizeof edition, "%s", history_edition(history));
    assert_true(history_resume(history, "0-9", edition, &cursor));
    assert_int_equal(cursor, 9);
    old = body_hold(history_snapshot(history, &cursor, TRANSPORT_WS));
    history_restart(history, 2);
    assert_string_not_equal(history_edition(history), edition);
    assert_int_equal(history_count(history), 0);
    assert_int_equal(history_behind(history, 0, SIZE_MAX), 0);
    assert_ptr_not_equal(history_snapshot(history, &cursor, TRANSPORT_WS), old);
    assert_int_equal(old->references, 1);
    body_release(old);
    for (int64_t i = 0; i < 10; i++)
        assert_true(add(history, i * 1000, 1, 1, i));
    assert_int_equal(history_behind(history, cursor, SIZE_MAX), 10);
    assert_false(history_resume(history, "0-0.1-9", edition, &cursor));
    assert_true(history_resume(history, "0-0.1-9", history_edition(history), &cursor));
    assert_int_equal(history_behind(history, cursor, SIZE_MAX), 1);
    history_free(history);
}

/* Who started before may have been given an id by another server. */
static void test_resume_from_before_the_start(void **state)
{
    static const struct {
        const char *name, *id;
        bool named, found;
    } rows[] = {
        {"from before", "0-4", false, false},
        {"from before, of this edition", "0-4", true, true},
        {"at the start", "0-5", false, true},
        {"after it", "0-7", false, true},
    };
    struct history *history = history_new(&spec, 1, 0);

    (void)state;
    for (int64_t i = 0; i < 10; i++) {
        if (i == 5)
            history_past_is_read(history);
        add(history, i * 1000, 1, 0, i);
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *edition = rows[i].named ? history_edition(history) : NULL;
        uint64_t cursor = 0;
        CHECK(history_resume(history, rows[i].id, edition, &cursor) == rows[i].found, rows[i].name);
    }
    assert_false(history_resume(history, "0-7", "", &(uint64_t){0}));
    history_free(history);
}

/* Against a plain model: whoever resumes with any id that was given out sees
 * every window that changed after it. */
static void test_resume_misses_nothing(void **state)
{
    enum { UPDATES = 400, WINDOWS = 40 };
    struct history *history = history_new(&spec, 3, 0);
    uint64_t total[WINDOWS] = {0}, changed_at[WINDOWS] = {0};
    char ids[UPDATES + 1][64] = {""};
    int64_t offsets[3] = {0};
    unsigned seed = 7;

    (void)state;
    for (uint64_t i = 1; i <= UPDATES; i++) {
        uint64_t before = history_last(history), cursor = before;
        int32_t partition = rand_r(&seed) % 3;
        size_t window = (size_t)(rand_r(&seed) % WINDOWS);
        assert_true(
            add(history, (int64_t)window * 1000, ++total[window], partition, offsets[partition]++));
        changed_at[window] = i;
        sscanf(history_message(history, &cursor, TRANSPORT_WS, NULL)->data,
               "{\"event\":\"window\",\"id\":\"%63[^\"]", ids[i]);
    }
    for (uint64_t i = 1; i <= UPDATES; i++) {
        uint64_t cursor = 0;
        size_t wanted = 0;
        for (size_t w = 0; w < WINDOWS; w++)
            wanted += changed_at[w] > i;
        if (history_resume(history, ids[i], NULL, &cursor))
            assert_true(history_behind(history, cursor, SIZE_MAX) >= wanted);
        if (i == UPDATES)
            assert_int_equal(history_behind(history, cursor, SIZE_MAX), 0);
    }
    history_free(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_range),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_overtaken),
        cmocka_unit_test(test_cursor),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_messages_are_forgotten),
        cmocka_unit_test(test_snapshot_is_shared),
        cmocka_unit_test(test_snapshots_are_bounded),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_resume_too_far_back),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_resume_from_before_the_start),
        cmocka_unit_test(test_resume_misses_nothing),
    };
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
