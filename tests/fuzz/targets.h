/* targets.h: what of the live server takes bytes from the network or from a
 * result topic, each as a function that takes any bytes and ends the program
 * where something does not hold. tests/unit/test_server_fuzz.c runs them on
 * mutations of the seeds, tests/fuzz/fuzz.c under libFuzzer (make fuzz). */
#ifndef TALLY_TARGETS_H
#define TALLY_TARGETS_H

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "dashboard/access_log.h"
#include "dashboard/frames.h"
#include "dashboard/history_edition.h"
#include "dashboard/history_range.h"
#include "dashboard/pages.h"
#include "dashboard/position.h"
#include "dashboard/request.h"
#include "jobs/points.h"
#include "jobs/record.h"
#include "jobs/spec.h"

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* ---- what a request's headers say */

static const char *const allowed_hosts[] = {"proxy.example", "other.example:8443", NULL};
static const char *const allowed_origins[] = {"https://page.example", NULL};
static const struct request_rules fuzz_rules = {"192.168.1.5", 5000, allowed_hosts, allowed_origins,
                                                80};

static bool starts_with(const char *text, const char *start)
{
    return strncasecmp(text, start, strlen(start)) == 0;
}

/* Said in another way than request.c does: one of our names, and a port. */
static bool is_name_of_ours(const char *text)
{
    static const char *const own[] = {"localhost", "127.0.0.1", "[::1]", "192.168.1.5",
                                      "[fd00::9]"};

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (starts_with(text, own[i]) && text[strlen(own[i])] == ':' &&
            strtol(text + strlen(own[i]) + 1, NULL, 10) == 5000)
            return true;
    return strcasecmp(text, "proxy.example") == 0 || starts_with(text, "proxy.example:") ||
           strcasecmp(text, "other.example:8443") == 0;
}

static void fuzz_host(const char *data, size_t length)
{
    char *text = mem_bytes(data, length);

    if (request_host_allowed(&fuzz_rules, text, "fd00::9"))
        MUST(is_name_of_ours(text));
    free(text);
}

static void fuzz_origin(const char *data, size_t length)
{
    char *text = mem_bytes(data, length);

    if (request_origin_allowed(&fuzz_rules, text, "localhost:5000")) {
        MUST(strcasecmp(text, "https://page.example") == 0 ||
             strcasecmp(text, "http://localhost:5000") == 0 ||
             strcasecmp(text, "https://localhost:5000") == 0);
        /* It goes back in a header. */
        MUST(!strpbrk(text, "\r\n"));
    }
    free(text);
}

static void fuzz_credentials(const char *data, size_t length)
{
    char *text = mem_bytes(data, length);
    size_t value_length = 0;
    const char *value = request_cookie(text, "tally_token_5000", &value_length);

    if (value) {
        MUST(value > text && value[-1] == '=' && value + value_length <= text + strlen(text));
        MUST(!memchr(value, ';', value_length));
        if (request_token_matches(value, value_length, "s3cret"))
            MUST(value_length == 6 && memcmp(value, "s3cret", 6) == 0);
    }
    if (request_bearer_matches(text, "s3cret"))
        MUST(starts_with(text, "Bearer ") && strcmp(strrchr(text, ' '), " s3cret") == 0);
    MUST(request_token_matches(data, length, "s3cret") ==
         (length == 6 && memcmp(data, "s3cret", 6) == 0));
    free(text);
}

static void fuzz_negotiation(const char *data, size_t length)
{
    char *text = mem_bytes(data, length);

    if (request_accepts_gzip(text))
        MUST(strcasestr(text, "gzip") != NULL);
    if (request_etag_matches(text, "\"0123456789abcdef\""))
        MUST(strchr(text, '*') || strstr(text, "\"0123456789abcdef\""));
    if (pages_is_chinese(NULL, text))
        MUST(strcasestr(text, "zh") != NULL);
    if (request_length_is_sound(text))
        MUST(*text && text[strspn(text, "0123456789")] == '\0');
    MUST(pages_is_chinese(text, "en") == starts_with(text, "zh"));
    free(text);
}

static void fuzz_argument(const char *data, size_t length)
{
    struct history_range range = {-1, -2, 3};
    char *text = mem_bytes(data, length), *number = strchr(text, '=');
    struct error error = {.code = EXIT_OK};

    if (request_narrow(text, &range, &error) < 0) {
        MUST(error.code == EXIT_INPUT && *error.text);
        MUST(range.from == -1 && range.to == -2 && range.limit == 3);
    } else if (range.from != -1 || range.to != -2 || range.limit != 3) {
        MUST(starts_with(text, "from=") || starts_with(text, "to=") || starts_with(text, "limit="));
        MUST(isdigit((unsigned char)number[1]) || strchr("+-", number[1]));
    }
    free(text);
}

/* ---- ids */

static void fuzz_position(const char *data, size_t length)
{
    char *text = mem_bytes(data, length);

    for (size_t partitions = 0; partitions < 4; partitions++) {
        int64_t offsets[4];
        struct buf back = {0};
        if (!position_parse(text, offsets, partitions))
            continue;
        position_write(offsets, partitions, &back);
        MUST(strcmp(back.data, text) == 0); /* only one way to write each */
        MUST(position_covers(offsets, offsets, partitions));
        buf_free(&back);
    }
    free(text);
}

/* ---- the access log and small pages */

/* The arguments of the target called "token" leave nothing but the name. */
static void hides_tokens(const char *line)
{
    const char *at = strchr(line, '?');

    for (; at; at = strchr(at + 1, '&'))
        if (strncmp(at + 1, "token=", 6) == 0)
            MUST(strncmp(at + 7, "...", 3) == 0 && strchr("& ", at[10]) && at[10]);
}

static void fuzz_access_log(const char *data, size_t length)
{
    char *text = mem_bytes(data, length);
    const struct access_entry entry = {"127.0.0.1", 1795245400123, "GET", text, 200, 12};
    struct buf line = {0};
    size_t quotes = 0;

    access_log_write(&entry, &line);
    MUST(line.data[line.length - 1] == '\n' && strlen(line.data) == line.length);
    for (size_t i = 0; i + 1 < line.length; i++) {
        MUST(line.data[i] >= ' ' && line.data[i] < 0x7f);
        quotes += line.data[i] == '"';
    }
    MUST(quotes == 2);
    hides_tokens(line.data);
    buf_free(&line);
    free(text);
}

static void fuzz_signed_in(const char *data, size_t length)
{
    char *text = mem_bytes(data, length);
    struct buf page = {0}, empty = {0};
    size_t tags = 0, quotes = 0;

    pages_write_signed_in(text, &page);
    pages_write_signed_in("", &empty);
    for (size_t i = 0; i < page.length; i++) {
        tags += page.data[i] == '<' || page.data[i] == '>';
        quotes += page.data[i] == '"';
    }
    for (size_t i = 0; i < empty.length; i++) {
        tags -= empty.data[i] == '<' || empty.data[i] == '>';
        quotes -= empty.data[i] == '"';
    }
    MUST(tags == 0 && quotes == 0);
    buf_free(&page);
    buf_free(&empty);
    free(text);
}

/* ---- a WebSocket's client */

/* The bytes: for each piece its length, what is left of its frame, and whether it is the first. */
static void fuzz_frames(const char *data, size_t length)
{
    uint32_t message = 0;
    size_t sum = 0;

    frames_close_is_sound((const unsigned char *)data, length);
    for (size_t at = 0; at + 8 <= length; at += 8) {
        unsigned char piece[8];
        bool first = at == 0;
        size_t own, left;
        memcpy(piece, data + at, 8);
        first = first || piece[0] & 1;
        own = (size_t)piece[1] << (piece[0] >> 1 & 31);
        left = ((size_t)piece[2] << 8 | piece[3]) << (piece[4] & 63);
        sum = (first ? 0 : sum) + (own ? own : 1);
        if (!frames_take(&message, own, left, first)) {
            MUST(sum > LIMIT_CLIENT_FRAME || left > LIMIT_CLIENT_FRAME - sum);
            return;
        }
        MUST(sum <= LIMIT_CLIENT_FRAME && left <= LIMIT_CLIENT_FRAME - sum && message == sum);
    }
}

/* ---- a result topic */

#define FUZZ_WINDOWS 8

static struct spec *fuzz_spec(void)
{
    static const char text[] =
        "name: gender\nsource: {topic: sex, column: 9, format: value}\n"
        "window: {size: 1s, slide: 1s, lateness: 1s}\nlabels:\n  \"0\": female\n  \"1\": male\n"
        "  \"\": unknown\nsink: {topic: result}\n";
    static struct spec *spec;
    struct error error;

    if (!spec)
        spec = spec_parse(text, sizeof text - 1, "fuzz.yaml", &error);
    MUST(spec);
    return spec;
}

struct fuzz_topic {
    struct history *history;
    int64_t offset;
};

static void add_point(void *context, const struct record *record)
{
    struct fuzz_topic *topic = context;

    history_add(topic->history, record, 0, topic->offset);
}

static bool has_point(void *context, int64_t time)
{
    return history_has(((struct fuzz_topic *)context)->history, time);
}

/* As relay.c does with the value of a record. */
static void take_value(struct fuzz_topic *topic, struct points *points, const char *data,
                       size_t length)
{
    uint64_t counts[8], sum = 0;
    struct record record = {.counts = counts};
    struct error error;

    if (points_is_list(data, length)) {
        points_read(points, topic->offset * 1000, data, length, &error);
        return;
    }
    if (record_read(fuzz_spec(), data, length, &record, &error) < 0)
        return;
    MUST(record.start < record.end && record.end <= LIMIT_TIME_MS);
    for (size_t i = 0; i < fuzz_spec()->series_count; i++)
        sum += counts[i];
    MUST(sum == record.total);
    history_add(topic->history, &record, 0, topic->offset);
}

static void check_json(const char *text, size_t length)
{
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);

    MUST(root);
    json_decref(root);
}

static void check_windows(const struct history *history)
{
    struct buf json = {0}, csv = {0};
    const struct record *newer = NULL, *record;
    size_t lines = 0;

    for (size_t n = 0; (record = history_recent(history, n)) != NULL; n++) {
        MUST(!newer || record->start < newer->start);
        newer = record;
    }
    MUST(history_count(history) <= FUZZ_WINDOWS);
    history_write(history, (struct history_range){INT64_MIN, INT64_MAX, SIZE_MAX}, HISTORY_JSON,
                  &json);
    check_json(json.data, json.length);
    history_write(history, (struct history_range){INT64_MIN, INT64_MAX, SIZE_MAX}, HISTORY_CSV,
                  &csv);
    for (size_t i = 0; i < csv.length; i++)
        lines += csv.data[i] == '\n';
    MUST(lines == history_count(history) + 1);
    buf_free(&json);
    buf_free(&csv);
}

/* Who resumes with the id of any message is told all that came after it. */
static void check_messages(struct history *history)
{
    uint64_t cursor = 0, resumed;
    struct body *message;

    while ((message = history_message(history, &cursor, TRANSPORT_WS, NULL)) != NULL) {
        const char *body = message->data;
        json_t *root = json_loadb(body, message->length, 0, NULL);
        const char *id = json_string_value(json_object_get(root, "id"));
        MUST(root && id);
        if (history_resume(history, id, history_edition(history), &resumed))
            MUST(resumed >= cursor || history_behind(history, resumed, 100) > 0);
        json_decref(root);
    }
    MUST(cursor == history_last(history) || history_count(history) == 0);
}

/* The values of its records are the lines of the input. */
static void fuzz_topic(const char *data, size_t length)
{
    struct fuzz_topic topic = {history_new(fuzz_spec(), 1, FUZZ_WINDOWS), 0};
    const struct points_calls calls = {add_point, has_point, &topic};
    struct points *points = points_new(fuzz_spec(), &calls);
    const char *end = data + length;

    while (data < end) {
        const char *line_end = memchr(data, '\n', (size_t)(end - data));
        size_t line = (size_t)((line_end ? line_end : end) - data);
        char *copy = malloc(line + (line == 0)); /* the sanitizer sees what is read beyond it */
        memcpy(copy, data, line);
        take_value(&topic, points, copy, line);
        free(copy);
        topic.offset++;
        data += line + 1;
    }
    check_windows(topic.history);
    check_messages(topic.history);
    points_free(points);
    history_free(topic.history);
}

/* ---- all of them */

#define RECORD(start, female, total)                                                               \
    "{\"job\":\"gender\",\"start\":" start                                                         \
    "000,\"end\":1795245409000,\"counts\":{\"female\":" female                                     \
    ",\"male\":5,\"unknown\":0,\"other\":0},\"total\":" total "}\n"

static const struct target {
    const char *name;
    void (*take)(const char *data, size_t length);
    const char *seeds[4]; /* the first is always there */
} targets[] = {
    {"host", fuzz_host, {"localhost:5000", "[fd00::9]:5000", "proxy.example:1", "192.168.1.5:80"}},
    {"origin", fuzz_origin, {"http://localhost:5000", "https://page.example", "null"}},
    {"credentials",
     fuzz_credentials,
     {"a=b; tally_token_5000=s3cret; c", "Bearer  s3cret", "tally_token_5000=;", "s3cret"}},
    {"negotiation",
     fuzz_negotiation,
     {"br;q=1, gzip;q=0.5", "W/\"0123456789abcdef\", *", "zh-CN,zh;q=0.9,en;q=0.8"}},
    {"argument",
     fuzz_argument,
     {"from=1795245400000", "to=-9223372036854775808", "limit=18446744073709551616"}},
    {"position", fuzz_position, {"0-13", "0-13.1-8", "0-9223372036854775807.1-0.2-1"}},
    {"access-log", fuzz_access_log, {"/a?b=c&token=secret&d", "/\"x\\\n?token=a?token=b"}},
    {"signed-in", fuzz_signed_in, {"./?a=\"><script>&'", "table"}},
    {"frames", fuzz_frames, {"\3\350all is well", "\1\20\0\0\0\0\0\0\0\40\0\1\0\0\0\0"}},
    {"topic",
     fuzz_topic,
     {RECORD("1795245400", "8", "13") RECORD("1795245401", "2", "7")
          RECORD("1795245400", "9", "14"),
      "[{\"0\":1},{\"2\":3},{\"1\":6}]\n[{\"0\": \"5\"}]\n[{\"0\":7}]\n",
      RECORD("1", "8", "13") "[{\"0\":1}]\n\n{}\n" RECORD("-5", "0", "5")}},
};

#define TARGETS (sizeof targets / sizeof targets[0])

#endif
