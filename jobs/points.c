#include "jobs/points.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/hash.h"
#include "cluster/base/limits.h"
#include "cluster/base/number.h"
#include "jobs/labels.h"

struct points {
    struct points_calls calls;
    size_t series_count;
    struct labels labels;
    struct record record; /* the point that grows */
    bool begun, changed;
    int64_t time;   /* of the record that began it, as it came */
    uint64_t *seen; /* a set: the values it has, as hashes; 0: a free place */
    size_t places, seen_count, seen_most;
};

struct points *points_new(const struct spec *spec, const struct points_calls *calls)
{
    struct points *points = mem_alloc(1, sizeof *points);

    points->calls = *calls;
    points->series_count = spec->series_count;
    labels_start(&points->labels, spec);
    points->record.counts = mem_alloc(spec->series_count, sizeof *points->record.counts);
    points->seen_most = spec->label_count + LIMIT_POINT_VALUES;
    for (points->places = 1; points->places < 2 * points->seen_most;)
        points->places *= 2;
    points->seen = mem_alloc(points->places, sizeof *points->seen);
    return points;
}

void points_free(struct points *points)
{
    if (!points)
        return;
    labels_end(&points->labels);
    free(points->record.counts);
    free(points->seen);
    free(points);
}

bool points_is_list(const char *bytes, size_t length)
{
    size_t at = 0;

    while (at < length && strchr(" \t\r\n", bytes[at]) && bytes[at])
        at++;
    return at < length && bytes[at] == '[';
}

/* ---- the set of values */

/* Never 0: that is a free place. */
static uint64_t hash_of(const char *value)
{
    uint64_t hash = hash_bytes(HASH_START, value, strlen(value));

    return hash ? hash : 1;
}

static uint64_t *place_of(const struct points *points, uint64_t hash)
{
    size_t at = hash & (points->places - 1);

    while (points->seen[at] && points->seen[at] != hash)
        at = (at + 1) & (points->places - 1);
    return &points->seen[at];
}

/* ---- a point */

static void put(struct points *points)
{
    if (points->changed)
        points->calls.put(points->calls.context, &points->record);
    points->changed = false;
}

static void begin(struct points *points, int64_t time)
{
    struct record *record = &points->record;
    int64_t start = points->begun && time == points->time ? record->start + 1 : time;

    put(points);
    while (points->calls.taken(points->calls.context, start))
        start++;
    record->start = record->end = start;
    record->total = 0;
    memset(record->counts, 0, points->series_count * sizeof *record->counts);
    memset(points->seen, 0, points->places * sizeof *points->seen);
    points->seen_count = 0;
    points->begun = true;
    points->time = time;
}

static void add(struct points *points, int64_t time, const char *value, uint64_t count)
{
    uint64_t hash = hash_of(value), *place = place_of(points, hash);

    if (!points->begun || *place || points->seen_count == points->seen_most) {
        begin(points, time);
        place = place_of(points, hash);
    }
    *place = hash;
    points->seen_count++;
    points->record.counts[labels_series(&points->labels, value, strlen(value))] += count;
    points->record.total += count;
    points->changed = true;
}

/* ---- a record */

/* A number, or a text of digits; -1: neither. */
static int64_t count_of(const json_t *value)
{
    int64_t count = -1;

    if (json_is_integer(value) && json_integer_value(value) <= LIMIT_POINT_COUNT)
        return json_integer_value(value);
    if (json_is_string(value) &&
        !number_in_range(json_string_value(value), 0, LIMIT_POINT_COUNT, &count))
        return -1;
    return count;
}

/* All of it is looked at before some of it is taken. */
static int check_list(json_t *list, struct error *error)
{
    const char *name;
    size_t i;
    json_t *object, *value;

    if (!json_is_array(list) || json_array_size(list) == 0)
        return error_set(error, EXIT_INPUT, "no list of counts");
    json_array_foreach(list, i, object)
    {
        if (!json_is_object(object) || json_object_size(object) == 0)
            return error_set(error, EXIT_INPUT, "element %zu is no object of counts", i);
        json_object_foreach(object, name, value)
        {
            if (count_of(value) < 0)
                return error_set(error, EXIT_INPUT, "the count of '%.100s' is no count", name);
        }
    }
    return 0;
}

static void take_list(struct points *points, int64_t time, json_t *list)
{
    const char *name;
    size_t i;
    json_t *object, *value;

    json_array_foreach(list, i, object)
    {
        json_object_foreach(object, name, value)
        {
            add(points, time, name, (uint64_t)count_of(value));
        }
    }
    put(points);
}

int points_read(struct points *points, int64_t time, const char *bytes, size_t length,
                struct error *error)
{
    json_error_t reason;
    json_t *list;
    int result;

    if (length > LIMIT_RECORD_BYTES)
        return error_set(error, EXIT_INPUT, "a record of %zu bytes, the limit is %d", length,
                         LIMIT_RECORD_BYTES);
    list = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &reason);
    if (!list)
        return error_set(error, EXIT_INPUT, "no JSON: %s", reason.text);
    result = check_list(list, error);
    if (result == 0)
        take_list(points, time, list);
    json_decref(list);
    return result;
}
