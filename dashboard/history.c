#include "dashboard/history_edition.h"
#include "dashboard/history_range.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cluster/base/clock.h"
#include "cluster/base/limits.h"
#include "cluster/base/number.h"
#include "dashboard/position.h"

struct window {
    struct window *older, *newer; /* in the order of updates */
    uint64_t update;
    struct record record;
    int64_t *position; /* of the topic, after the record that changed it last */
    struct body *messages[TRANSPORTS];
    uint64_t cells[]; /* the record's counts, then the position */
};

struct history {
    const struct spec *spec;
    struct record_writer *writer;
    struct window **windows; /* ascending by start; within `room` */
    struct window **room;    /* twice the capacity: the oldest goes without moving the others */
    size_t count, capacity;
    struct window *oldest, *newest; /* in the order of updates */
    uint64_t last;
    int64_t *position;
    int64_t *others; /* ids up to this position may be those of another edition */
    size_t partitions;
    size_t message_count; /* encoded and kept */
    size_t snapshot_windows;
    size_t snapshot_bytes; /* of those alive */
    struct body *snapshots[TRANSPORTS];
    uint64_t snapshot_at[TRANSPORTS];
    bool bare;
    char edition[HISTORY_EDITION];
    struct buf head, bare_head; /* what /api/windows says before its windows */
};

static size_t at_most(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void write_labels(const struct spec *spec, struct buf *buf)
{
    for (size_t i = 0; i < spec->series_count; i++) {
        const struct spec_series *series = &spec->series[i];
        buf_text(buf, i ? ",{\"name\":" : "{\"name\":");
        buf_json_string(buf, series->name, strlen(series->name));
        if (series->zh) {
            buf_text(buf, ",\"zh\":");
            buf_json_string(buf, series->zh, strlen(series->zh));
        }
        buf_char(buf, '}');
    }
}

static void write_head(const struct history *history, bool bare, struct buf *buf)
{
    const struct spec *spec = history->spec;

    buf->length = 0;
    buf_text(buf, "{\"job\":");
    buf_json_string(buf, spec->name, strlen(spec->name));
    buf_format(buf, ",\"edition\":\"%s\",\"labels\":[", history->edition);
    write_labels(spec, buf);
    if (bare)
        buf_text(buf, "],\"window\":null,\"windows\":[");
    else
        buf_format(buf,
                   "],\"window\":{\"size\":%lld,\"slide\":%lld,\"lateness\":%lld},\"windows\":[",
                   (long long)spec->size, (long long)spec->slide, (long long)spec->lateness);
}

static size_t series_of(const struct spec *spec)
{
    return spec->series_count ? spec->series_count : 1;
}

size_t history_most(const struct spec *spec)
{
    size_t most = LIMIT_HISTORY_CELLS / series_of(spec);

    return most ? most : 1;
}

/* By chance, as an id of a predecessor on the same port has to be told from one of ours. */
static void start_edition(struct history *history, int32_t partitions)
{
    uint64_t number = 0;

    if (getrandom(&number, sizeof number, 0) < 0)
        number = (uint64_t)clock_wall_ms();
    snprintf(history->edition, sizeof history->edition, "%016llx", (unsigned long long)number);
    write_head(history, false, &history->head);
    write_head(history, true, &history->bare_head);
    free(history->position);
    free(history->others);
    history->partitions = (size_t)partitions;
    history->position = mem_alloc(history->partitions, sizeof *history->position);
    history->others = mem_alloc(history->partitions, sizeof *history->others);
}

struct history *history_new(const struct spec *spec, int32_t partitions, size_t windows)
{
    struct history *history = mem_alloc(1, sizeof *history);

    history->spec = spec;
    history->writer = record_writer_new(spec);
    history->capacity = at_most(windows ? windows : LIMIT_HISTORY, history_most(spec));
    history->room = mem_alloc(2 * history->capacity, sizeof(struct window *));
    history->windows = history->room;
    history->snapshot_windows = at_most(LIMIT_SNAPSHOT, HISTORY_SNAPSHOT_CELLS / series_of(spec));
    history->snapshot_windows += history->snapshot_windows == 0;
    start_edition(history, partitions);
    return history;
}

static void drop_messages(struct history *history, struct window *window)
{
    for (int i = 0; i < TRANSPORTS; i++) {
        history->message_count -= window->messages[i] != NULL;
        body_release(window->messages[i]);
        window->messages[i] = NULL;
    }
}

static void drop_window(struct history *history, struct window *window)
{
    drop_messages(history, window);
    free(window);
}

static void drop_all(struct history *history)
{
    for (size_t i = 0; i < history->count; i++)
        drop_window(history, history->windows[i]);
    for (int i = 0; i < TRANSPORTS; i++) {
        body_release(history->snapshots[i]);
        history->snapshots[i] = NULL;
    }
    history->oldest = history->newest = NULL;
    history->windows = history->room;
    history->count = 0;
}

void history_free(struct history *history)
{
    if (!history)
        return;
    drop_all(history);
    record_writer_free(history->writer);
    buf_free(&history->head);
    buf_free(&history->bare_head);
    free(history->room);
    free(history->position);
    free(history->others);
    free(history);
}

void history_restart(struct history *history, int32_t partitions)
{
    drop_all(history);
    start_edition(history, partitions);
}

const char *history_edition(const struct history *history)
{
    return history->edition;
}

void history_past_is_read(struct history *history)
{
    memcpy(history->others, history->position, history->partitions * sizeof *history->others);
}

/* The index of the first window that starts at or after `start`. Nearly always
 * that is one of the last two. */
static size_t find(const struct history *history, int64_t start)
{
    size_t low = 0, high = history->count;

    if (high && history->windows[high - 1]->record.start < start)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (history->windows[middle]->record.start < start)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void unlink_update(struct history *history, struct window *window)
{
    *(window->older ? &window->older->newer : &history->oldest) = window->newer;
    *(window->newer ? &window->newer->older : &history->newest) = window->older;
    window->older = window->newer = NULL;
}

static void link_update(struct history *history, struct window *window)
{
    window->update = ++history->last;
    window->older = history->newest;
    *(window->older ? &window->older->newer : &history->oldest) = window;
    history->newest = window;
}

static struct window *make_window(const struct history *history)
{
    size_t series = history->spec->series_count;
    struct window *window =
        mem_alloc(1, sizeof *window + (series + history->partitions) * sizeof window->cells[0]);

    window->record.counts = window->cells;
    window->position = (int64_t *)&window->cells[series];
    return window;
}

static void drop_oldest(struct history *history)
{
    unlink_update(history, history->windows[0]);
    drop_window(history, history->windows[0]);
    history->windows++;
    history->count--;
}

/* Makes room at the index; when the history is full its oldest window goes. */
static struct window *insert_window(struct history *history, size_t at)
{
    struct window **windows;

    if (history->count == history->capacity) {
        drop_oldest(history);
        at--;
    }
    if (history->windows + history->count == history->room + 2 * history->capacity) {
        memmove(history->room, history->windows, history->count * sizeof *history->room);
        history->windows = history->room;
    }
    windows = history->windows;
    memmove(&windows[at + 1], &windows[at], (history->count - at) * sizeof *windows);
    windows[at] = make_window(history);
    history->count++;
    return windows[at];
}

/* Messages are kept for those who read along; who is further behind gets a snapshot. */
static void forget_old_messages(struct history *history)
{
    struct window *window = history->newest;

    if (history->message_count <= (size_t)TRANSPORTS * 2 * LIMIT_BEHIND)
        return;
    for (size_t i = 0; window && i < LIMIT_BEHIND; i++)
        window = window->older;
    for (; window; window = window->older)
        drop_messages(history, window);
}

static void set_window(struct history *history, struct window *window, const struct record *record)
{
    uint64_t *counts = window->record.counts;

    memcpy(counts, record->counts, history->spec->series_count * sizeof *counts);
    memcpy(window->position, history->position, history->partitions * sizeof *window->position);
    window->record = *record;
    window->record.counts = counts;
    drop_messages(history, window);
    link_update(history, window);
    forget_old_messages(history);
}

bool history_add(struct history *history, const struct record *record, int32_t partition,
                 int64_t offset)
{
    size_t at = find(history, record->start);
    struct window *window = at < history->count ? history->windows[at] : NULL;

    history_position(history, partition, offset + 1);
    if (window && window->record.start == record->start) {
        if (record->total <= window->record.total)
            return false;
        unlink_update(history, window);
    } else {
        if (at == 0 && history->count == history->capacity)
            return false; /* older than all that is kept */
        window = insert_window(history, at);
    }
    set_window(history, window, record);
    return true;
}

void history_position(struct history *history, int32_t partition, int64_t next)
{
    if (partition >= 0 && (size_t)partition < history->partitions)
        history->position[partition] = next;
}

bool history_has(const struct history *history, int64_t start)
{
    size_t at = find(history, start);

    return at < history->count && history->windows[at]->record.start == start;
}

void history_set_bare(struct history *history, bool bare)
{
    history->bare = bare;
}

bool history_is_bare(const struct history *history)
{
    return history->bare;
}

size_t history_count(const struct history *history)
{
    return history->count;
}

uint64_t history_last(const struct history *history)
{
    return history->last;
}

/* The first window changed after the cursor. Walks back from the newest:
 * readers are nearly always close to it. */
static struct window *first_after(const struct history *history, uint64_t cursor)
{
    struct window *window = history->newest;

    if (!window || window->update <= cursor)
        return NULL;
    while (window->older && window->older->update > cursor)
        window = window->older;
    return window;
}

size_t history_behind(const struct history *history, uint64_t cursor, size_t most)
{
    const struct window *window = history->newest;
    size_t count = 0;

    for (; window && window->update > cursor && count < most; window = window->older)
        count++;
    return count;
}

const struct record *history_next(const struct history *history, uint64_t *cursor)
{
    const struct window *window = first_after(history, *cursor);

    if (!window)
        return NULL;
    *cursor = window->update;
    return &window->record;
}

static bool has_ids(const struct history *history)
{
    return history->partitions <= HISTORY_ID_PARTITIONS;
}

/* Positions grow along the order of updates. So from the newest back, the
 * first window that the id covers ends what its reader has seen. */
bool history_resume(const struct history *history, const char *id, const char *edition,
                    uint64_t *cursor)
{
    int64_t seen[HISTORY_ID_PARTITIONS];
    const struct window *window = history->newest;

    if (!has_ids(history) || !position_parse(id, seen, history->partitions) ||
        !position_covers(history->position, seen, history->partitions))
        return false;
    if (edition ? strcmp(edition, history->edition) != 0
                : !position_covers(seen, history->others, history->partitions))
        return false;
    for (size_t i = 0; window && i <= LIMIT_BEHIND; i++, window = window->older) {
        if (position_covers(seen, window->position, history->partitions)) {
            *cursor = window->update;
            return true;
        }
    }
    return false;
}

static void write_id(const struct history *history, const int64_t *position, struct buf *buf)
{
    if (has_ids(history))
        position_write(position, history->partitions, buf);
}

static void start_message(const struct history *history, enum transport transport,
                          const char *event, const int64_t *position, struct buf *buf)
{
    body_start(buf);
    if (transport == TRANSPORT_SSE) {
        buf_format(buf, "event: %s\nid: ", event);
        write_id(history, position, buf);
        buf_text(buf, "\ndata: ");
    } else {
        buf_format(buf, "{\"event\":\"%s\",\"id\":\"", event);
        write_id(history, position, buf);
        buf_text(buf, "\",\"data\":");
    }
}

static void end_message(enum transport transport, struct buf *buf)
{
    buf_text(buf, transport == TRANSPORT_SSE ? "\n\n" : "}");
}

struct body *history_message(struct history *history, uint64_t *cursor, enum transport transport,
                             int64_t *end)
{
    struct window *window = first_after(history, *cursor);
    struct buf text = {0};

    if (!window)
        return NULL;
    *cursor = window->update;
    if (end)
        *end = window->record.end;
    if (!window->messages[transport]) {
        start_message(history, transport, "window", window->position, &text);
        record_write(history->writer, &window->record, &text);
        end_message(transport, &text);
        window->messages[transport] = body_finish(&text, NULL);
        history->message_count++;
    }
    return window->messages[transport];
}

struct body *history_snapshot(struct history *history, uint64_t *cursor, enum transport transport)
{
    struct body **snapshot = &history->snapshots[transport];
    struct history_range newest = {INT64_MIN, INT64_MAX, history->snapshot_windows};
    struct buf text = {0};

    if (!*snapshot || (history->snapshot_at[transport] != history->last &&
                       history->snapshot_bytes < HISTORY_SNAPSHOT_BYTES)) {
        start_message(history, transport, "snapshot", history->position, &text);
        history_write(history, newest, HISTORY_JSON, &text);
        end_message(transport, &text);
        body_release(*snapshot);
        *snapshot = body_finish(&text, &history->snapshot_bytes);
        history->snapshot_at[transport] = history->last;
    }
    *cursor = history->snapshot_at[transport];
    return *snapshot;
}

/* The indexes [*first, *end) of a range. */
static void find_range(const struct history *history, struct history_range range, size_t *first,
                       size_t *end)
{
    *first = find(history, range.from);
    *end = find(history, range.to);
    if (*end < *first)
        *end = *first;
    if (*end - *first > range.limit)
        *first = *end - range.limit;
}

const struct record *history_recent(const struct history *history, size_t n)
{
    return n < history->count ? &history->windows[history->count - 1 - n]->record : NULL;
}

/* RFC 4180: quotes where a comma, a quote or a line end is inside. */
static void write_csv_field(struct buf *buf, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        buf_text(buf, text);
        return;
    }
    buf_char(buf, '"');
    for (; *text; text++) {
        if (*text == '"')
            buf_char(buf, '"');
        buf_char(buf, *text);
    }
    buf_char(buf, '"');
}

static void write_csv_number(struct buf *buf, uint64_t number)
{
    char digits[20];

    buf_char(buf, ',');
    buf_add(buf, digits, number_write(digits, number));
}

static void write_csv_row(const struct spec *spec, const struct record *record, struct buf *buf)
{
    write_csv_field(buf, spec->name);
    buf_format(buf, ",%lld,%lld", (long long)record->start, (long long)record->end);
    for (size_t i = 0; i < spec->series_count; i++)
        write_csv_number(buf, record->counts[i]);
    write_csv_number(buf, record->total);
    buf_char(buf, '\n');
}

/* ---- texts of many windows */

struct history_reader history_read(const struct history *history, struct history_range range,
                                   enum history_form form)
{
    struct history_reader reader = {.form = form};
    size_t first, end;

    memcpy(reader.edition, history->edition, sizeof reader.edition);
    find_range(history, range, &first, &end);
    if (first < end) {
        reader.next = history->windows[first]->record.start;
        reader.to = history->windows[end - 1]->record.start + 1;
    }
    return reader;
}

static void write_start(const struct history *history, enum history_form form, struct buf *buf)
{
    const struct buf *head = history->bare ? &history->bare_head : &history->head;

    if (form == HISTORY_JSON) {
        buf_add(buf, head->data, head->length);
        return;
    }
    buf_text(buf, "job,start,end");
    for (size_t i = 0; i < history->spec->series_count; i++) {
        buf_char(buf, ',');
        write_csv_field(buf, history->spec->series[i].name);
    }
    buf_text(buf, ",total\n");
}

static void write_window(const struct history *history, const struct record *record, bool is_first,
                         enum history_form form, struct buf *buf)
{
    if (form == HISTORY_CSV) {
        write_csv_row(history->spec, record, buf);
        return;
    }
    if (!is_first)
        buf_char(buf, ',');
    record_write(history->writer, record, buf);
}

bool history_read_on(const struct history *history, struct history_reader *reader, size_t bytes,
                     struct buf *buf)
{
    size_t at = find(history, reader->next), end = find(history, reader->to), from;
    bool is_first = !reader->begun;

    if (reader->ended)
        return true;
    if (strcmp(reader->edition, history->edition) != 0)
        return false;
    /* Windows that come late move nothing; only the oldest ones ever go. */
    if (reader->next < reader->to &&
        (at == end || history->windows[at]->record.start != reader->next))
        return false;
    if (is_first)
        write_start(history, reader->form, buf);
    reader->begun = true;
    from = buf->length; /* behind the head: that takes no window's place */
    for (; at < end && buf->length - from < bytes; at++, is_first = false)
        write_window(history, &history->windows[at]->record, is_first, reader->form, buf);
    reader->ended = at >= end;
    if (!reader->ended)
        reader->next = history->windows[at]->record.start;
    else if (reader->form == HISTORY_JSON)
        buf_text(buf, "]}");
    return true;
}

void history_write(const struct history *history, struct history_range range,
                   enum history_form form, struct buf *buf)
{
    struct history_reader reader = history_read(history, range, form);

    history_read_on(history, &reader, SIZE_MAX, buf);
}
