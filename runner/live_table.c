#include "runner/live_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROWS         15
#define COLUMNS_MOST 12 /* more series do not fit a terminal; the page shows them all */
#define COLUMN_WIDTH 12

struct live_table {
    const struct spec *spec;
    struct record rows[ROWS]; /* newest first */
    size_t count;
    int lines; /* drawn last time */
    bool changed;
};

struct live_table *live_table_new(const struct spec *spec)
{
    struct live_table *table = mem_alloc(1, sizeof *table);

    table->spec = spec;
    for (size_t i = 0; i < ROWS; i++)
        table->rows[i].counts = mem_alloc(spec->series_count, sizeof *table->rows[i].counts);
    return table;
}

void live_table_free(struct live_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < ROWS; i++)
        free(table->rows[i].counts);
    free(table);
}

static void set_row(struct live_table *table, size_t at, const struct record *record)
{
    uint64_t *counts = table->rows[at].counts;

    memcpy(counts, record->counts, table->spec->series_count * sizeof *counts);
    table->rows[at] = *record;
    table->rows[at].counts = counts;
    table->changed = true;
}

/* Makes room at `at`; the oldest row's memory is used again. */
static void open_row(struct live_table *table, size_t at)
{
    struct record last = table->rows[ROWS - 1];

    memmove(&table->rows[at + 1], &table->rows[at], (ROWS - 1 - at) * sizeof table->rows[0]);
    table->rows[at] = last;
    if (table->count < ROWS)
        table->count++;
}

void live_table_put(struct live_table *table, const struct record *record)
{
    size_t at = 0;

    while (at < table->count && table->rows[at].start > record->start)
        at++;
    if (at < table->count && table->rows[at].start == record->start) {
        if (record->total > table->rows[at].total)
            set_row(table, at, record);
    } else if (at < ROWS) {
        open_row(table, at);
        set_row(table, at, record);
    }
}

static void draw_time(int64_t time, struct buf *out)
{
    time_t seconds = (time_t)(time / 1000);
    struct tm parts;
    char text[32];

    localtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    buf_format(out, "%s.%03d", text, (int)(time % 1000 < 0 ? time % 1000 + 1000 : time % 1000));
}

static void draw_line(struct live_table *table, struct buf *out)
{
    buf_text(out, "\033[K\n");
    table->lines++;
}

static size_t shown_series(const struct live_table *table)
{
    return table->spec->series_count < COLUMNS_MOST ? table->spec->series_count : COLUMNS_MOST;
}

static void draw_head(struct live_table *table, struct buf *out)
{
    buf_format(out, "\033[1m%-23s", "window start");
    for (size_t i = 0; i < shown_series(table); i++)
        buf_format(out, " %*.*s", COLUMN_WIDTH, COLUMN_WIDTH, table->spec->series[i].name);
    buf_format(out, " %*s\033[0m", COLUMN_WIDTH, "total");
    draw_line(table, out);
}

void live_table_draw(struct live_table *table, struct buf *out)
{
    if (!table->changed)
        return;
    if (table->lines)
        buf_format(out, "\033[%dA", table->lines);
    table->lines = 0;
    draw_head(table, out);
    for (size_t row = 0; row < table->count; row++) {
        const struct record *record = &table->rows[row];
        draw_time(record->start, out);
        for (size_t i = 0; i < shown_series(table); i++)
            buf_format(out, " %*" PRIu64, COLUMN_WIDTH, record->counts[i]);
        buf_format(out, " %*" PRIu64, COLUMN_WIDTH, record->total);
        draw_line(table, out);
    }
    table->changed = false;
}
