#include "jobs/windows.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"

/* Windows that partitions ahead of the slowest one may open, at least. */
#define AHEAD_AT_LEAST 64

struct windows {
    int64_t size, slide;
    size_t series_count, partitions;
    int64_t watermark;
    /* Sorted by start; open ones are list[first .. first + count). New ones
     * come at the end, closed ones leave at the front. */
    struct window **list;
    size_t first, count, room;
    size_t most;          /* windows open at once */
    size_t reserve;       /* of them kept for the slowest partition */
    struct window *spare; /* released, to be used again */
};

/* The most windows a cell limit allows, at least what one partition needs. */
static size_t most_windows(const struct spec *spec, size_t needed, size_t partitions)
{
    size_t by_cells = 2 * (size_t)LIMIT_OPEN_CELLS / (spec->series_count + partitions);
    size_t wanted = 4 * needed + AHEAD_AT_LEAST;

    if (wanted > by_cells)
        wanted = by_cells;
    return wanted < needed + 1 ? needed + 1 : wanted;
}

struct windows *windows_new(const struct spec *spec, size_t partitions)
{
    struct windows *windows = mem_alloc(1, sizeof *windows);

    windows->size = spec->size;
    windows->slide = spec->slide;
    windows->series_count = spec->series_count;
    windows->partitions = partitions;
    windows->watermark = NO_WATERMARK;
    windows->reserve = (size_t)((spec->size + spec->lateness) / spec->slide) + 2;
    windows->most = windows->reserve + most_windows(spec, windows->reserve, partitions);
    return windows;
}

static void free_window(struct window *window)
{
    free(window->record.counts);
    free(window->offsets);
    free(window);
}

void windows_free(struct windows *windows)
{
    if (!windows)
        return;
    for (size_t i = 0; i < windows->count; i++)
        free_window(windows->list[windows->first + i]);
    while (windows->spare) {
        struct window *next = windows->spare->next;
        free_window(windows->spare);
        windows->spare = next;
    }
    free(windows->list);
    free(windows);
}

int64_t windows_watermark(const struct windows *windows)
{
    return windows->watermark;
}

void windows_set_watermark(struct windows *windows, int64_t watermark)
{
    if (watermark > windows->watermark)
        windows->watermark = watermark;
}

size_t windows_open(const struct windows *windows)
{
    return windows->count;
}

struct window *windows_at(const struct windows *windows, size_t index)
{
    return windows->list[windows->first + index];
}

/* Rounds down, also below zero: windows are aligned to the epoch. */
static int64_t start_of_last(const struct windows *windows, int64_t time)
{
    int64_t into = time % windows->slide;

    return time - (into < 0 ? into + windows->slide : into);
}

static int64_t start_of_first(const struct windows *windows, int64_t time)
{
    return start_of_last(windows, time - windows->size) + windows->slide;
}

uint64_t windows_closed_by(const struct windows *windows, int64_t time, int64_t watermark)
{
    uint64_t closed = 0;

    for (int64_t start = start_of_first(windows, time);
         start <= time && start + windows->size <= watermark; start += windows->slide)
        closed++;
    return closed;
}

/* The index of the first open window that starts at or after `start`. Looks
 * from the newest: most records are close to it. */
static size_t find_index(const struct windows *windows, int64_t start)
{
    size_t low = 0, high = windows->count;

    if (high == 0 || windows_at(windows, high - 1)->record.start < start)
        return high;
    if (high == 1 || windows_at(windows, high - 2)->record.start < start)
        return high - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (windows_at(windows, middle)->record.start < start)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct window *new_window(struct windows *windows, int64_t start)
{
    struct window *window = windows->spare;

    if (window) {
        windows->spare = window->next;
    } else {
        window = mem_alloc(1, sizeof *window);
        window->record.counts = mem_alloc(windows->series_count, sizeof *window->record.counts);
        window->offsets = mem_alloc(windows->partitions, sizeof *window->offsets);
    }
    memset(window->record.counts, 0, windows->series_count * sizeof *window->record.counts);
    for (size_t i = 0; i < windows->partitions; i++)
        window->offsets[i] = NO_OFFSET;
    window->record.start = start;
    window->record.end = start + windows->size;
    window->changed = false;
    window->next = NULL;
    return window;
}

/* Room for one more behind the last; the front's free room is used first. */
static void make_room(struct windows *windows)
{
    if (windows->first + windows->count < windows->room)
        return;
    if (windows->first > windows->count) {
        memmove(windows->list, windows->list + windows->first,
                windows->count * sizeof *windows->list);
        windows->first = 0;
        return;
    }
    windows->room = windows->room ? windows->room * 2 : 16;
    windows->list = mem_grow(windows->list, windows->room, sizeof *windows->list);
}

static struct window *open_window(struct windows *windows, size_t index, int64_t start)
{
    struct window **at;

    make_room(windows);
    at = windows->list + windows->first + index;
    memmove(at + 1, at, (windows->count - index) * sizeof *at);
    windows->count++;
    return *at = new_window(windows, start);
}

static bool is_open(const struct windows *windows, size_t index, int64_t start)
{
    return index < windows->count && windows_at(windows, index)->record.start == start;
}

/* How many windows a record from `first` to `last` start would open anew. */
static size_t count_new(const struct windows *windows, int64_t first, int64_t last)
{
    size_t missing = 0;

    for (int64_t start = first; start <= last; start += windows->slide)
        missing += !is_open(windows, find_index(windows, start), start);
    return missing;
}

static void count_in(struct window *window, uint32_t series, const struct windows *windows,
                     struct place place)
{
    window->record.counts[series]++;
    window->changed = true;
    if (windows->partitions && window->offsets[place.partition] > place.offset)
        window->offsets[place.partition] = place.offset;
}

static bool count_in_all(struct windows *windows, int64_t time, uint32_t series, struct place place,
                         bool reserve, uint64_t *late)
{
    int64_t last = start_of_last(windows, time);
    uint64_t late_pairs = windows_closed_by(windows, time, windows->watermark);
    int64_t first = start_of_first(windows, time) + (int64_t)late_pairs * windows->slide;
    size_t most = windows->most - (reserve ? 0 : windows->reserve);

    /* Nearly always there is room, and nothing needs to be looked up twice. */
    if (windows->count + (size_t)((last - first) / windows->slide + 1) > most &&
        windows->count + count_new(windows, first, last) > most)
        return false;
    *late += late_pairs;
    for (int64_t start = first; start <= last; start += windows->slide) {
        size_t index = find_index(windows, start);
        struct window *window = is_open(windows, index, start) ? windows_at(windows, index)
                                                               : open_window(windows, index, start);
        count_in(window, series, windows, place);
    }
    return true;
}

struct window *windows_newest_alone(const struct windows *windows)
{
    struct window *newest;

    if (windows->count == 0 || windows->size != windows->slide)
        return NULL;
    newest = windows_at(windows, windows->count - 1);
    return newest->record.end > windows->watermark ? newest : NULL;
}

bool windows_count(struct windows *windows, int64_t time, uint32_t series, struct place place,
                   bool reserve, uint64_t *late)
{
    struct window *newest = windows_newest_alone(windows);

    /* The common case, which then costs no division. */
    if (newest && time >= newest->record.start && time < newest->record.end) {
        count_in(newest, series, windows, place);
        return true;
    }
    return count_in_all(windows, time, series, place, reserve, late);
}

struct window *windows_take_closed(struct windows *windows, bool all)
{
    struct window *window;

    if (windows->count == 0)
        return NULL;
    window = windows->list[windows->first];
    if (!all && window->record.end > windows->watermark)
        return NULL;
    windows->first++;
    windows->count--;
    return window;
}

void windows_release(struct windows *windows, struct window *window)
{
    window->next = windows->spare;
    windows->spare = window;
}

void windows_put_back(struct windows *windows, struct window *window)
{
    windows->list[--windows->first] = window;
    windows->count++;
}
