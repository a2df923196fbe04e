#include "jobs/count.h"

#include <inttypes.h>

#include "cluster/base/interrupt.h"
#include "cluster/base/limits.h"
#include "cluster/base/number.h"
#include "cluster/base/output.h"
#include "jobs/labels.h"
#include "jobs/windows.h"

#define FLUSH_BYTES   (1 << 16)
#define LOOK_UP_EVERY 65536 /* rows between looks at the clock and for Ctrl-C */

struct counter {
    const struct spec *spec;
    const struct count_options *options;
    struct count_summary *summary;
    struct windows *windows;
    struct labels labels;
    struct record_writer *writer;
    struct buf out;
    struct rows *rows;
    /* The time of the next row is time + part / rate, in ms, and grows by
     * step + step_part / rate: no division a row. */
    int64_t time, part, step, step_part;
    int64_t largest; /* event time seen */
    /* Times from `from` to before `until` count here and nowhere else. */
    struct window *newest;
    int64_t from, until;
};

static int flush(struct counter *counter, struct error *error)
{
    if (output_write(counter->options->output, counter->out.data, counter->out.length, error) < 0)
        return -1;
    counter->out.length = 0;
    return 0;
}

static int put_closed(struct counter *counter, bool all, struct error *error)
{
    struct window *window;

    while ((window = windows_take_closed(counter->windows, all))) {
        record_write(counter->writer, &window->record, &counter->out);
        buf_char(&counter->out, '\n');
        counter->summary->windows++;
        windows_release(counter->windows, window);
        if (counter->out.length >= FLUSH_BYTES && flush(counter, error) < 0)
            return -1;
    }
    return 0;
}

/* A time within the newest window makes none of the same window late, and the older
 * ones that it closes can wait: so the watermark has to be right only here. */
static int count_outside(struct counter *counter, int64_t time, uint32_t series,
                         struct error *error)
{
    static const struct place nowhere = {0, 0};

    windows_set_watermark(counter->windows, counter->largest - counter->spec->lateness);
    if (put_closed(counter, false, error) < 0)
        return -1;
    windows_count(counter->windows, time, series, nowhere, true, &counter->summary->late);
    counter->newest = windows_newest_alone(counter->windows);
    counter->from = counter->newest ? counter->newest->record.start : 0;
    counter->until = counter->newest ? counter->newest->record.end : 0;
    return 0;
}

static int count_value(struct counter *counter, int64_t time, const struct csv_field *value,
                       struct error *error)
{
    uint32_t series = labels_series(&counter->labels, value->data, value->length);

    if (time > counter->largest)
        counter->largest = time;
    if (time < counter->from || time >= counter->until)
        return count_outside(counter, time, series, error);
    counter->newest->record.counts[series]++;
    return 0;
}

static int64_t next_time(struct counter *counter)
{
    int64_t now = counter->time;

    counter->time += counter->step;
    counter->part += counter->step_part;
    if (counter->part >= counter->options->rate) {
        counter->part -= counter->options->rate;
        counter->time++;
    }
    return now;
}

static int reject_row(struct counter *counter, enum reject why, struct error *error)
{
    counter->summary->rejects.of[why]++;
    if (!counter->options->strict)
        return 0;
    return error_set(error, EXIT_INPUT, "%s: data row %" PRIu64 " (from 0): %s",
                     rows_name(counter->rows), counter->summary->rows - 1, reject_name(why));
}

static int take_row(struct counter *counter, enum rows_result result, const struct csv_row *row,
                    struct error *error)
{
    bool timed = counter->options->rows.time_column;
    int64_t time = timed ? 0 : next_time(counter);

    counter->summary->rows++;
    if (result == ROWS_REJECT)
        return reject_row(counter, row->reject, error);
    if (timed && (!number_int64(row->fields[1].data, row->fields[1].length, &time) || time < 0 ||
                  time > LIMIT_TIME_MS))
        return reject_row(counter, REJECT_TIME, error);
    return count_value(counter, time, &row->fields[0], error);
}

static int look_up(const struct counter *counter, struct error *error)
{
    if (counter->options->progress)
        counter->options->progress(counter->summary->rows);
    return interrupt_signal() ? interrupt_error(error) : 0;
}

static int count_rows(struct counter *counter, struct error *error)
{
    struct csv_row row;

    for (;;) {
        enum rows_result result = rows_next(counter->rows, &row, error);
        if (result == ROWS_END)
            return put_closed(counter, true, error);
        if (result == ROWS_ERROR)
            return -1;
        if (take_row(counter, result, &row, error) < 0)
            return -1;
        if (counter->summary->rows % LOOK_UP_EVERY == 0 && look_up(counter, error) < 0)
            return -1;
    }
}

int count_csv(const struct spec *spec, const struct count_options *options,
              struct count_summary *summary, struct error *error)
{
    const int64_t step = 1000 * 1000; /* ms a row at a rate of one thousandth */
    struct counter counter = {.spec = spec, .options = options, .summary = summary};
    int result;

    counter.rows = rows_open(spec, &options->rows, error);
    if (!counter.rows)
        return -1;
    counter.windows = windows_new(spec, 0);
    counter.writer = record_writer_new(spec);
    labels_start(&counter.labels, spec);
    counter.step = step / options->rate;
    counter.step_part = step % options->rate;
    result = count_rows(&counter, error);
    if (result == 0)
        result = flush(&counter, error);
    labels_end(&counter.labels);
    record_writer_free(counter.writer);
    windows_free(counter.windows);
    buf_free(&counter.out);
    rows_close(counter.rows);
    return result;
}
