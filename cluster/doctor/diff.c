/* The difference as `diff -u` shows it. The changes are few and small: where
 * the texts part, the nearest pair of equal lines brings them together. */
#include <stdlib.h>
#include <string.h>

#include "cluster/base/limits.h"
#include "cluster/doctor/correct.h"

#define AROUND 3 /* lines shown before and behind a change */

struct text {
    const struct source *source;
    size_t *starts; /* of the lines, and the end of the last */
    size_t count;
};

struct change {
    size_t old_line, old_count, new_line, new_count; /* from 0 */
};

struct changes {
    struct change *list;
    size_t count;
};

static struct text split(const struct source *source)
{
    struct text text = {.source = source, .starts = mem_alloc(1, sizeof *text.starts)};

    for (size_t at = 0; at < source->length;) {
        const char *end = memchr(source->bytes + at, '\n', source->length - at);
        at = end ? (size_t)(end - source->bytes) + 1 : source->length;
        text.starts = mem_grow(text.starts, ++text.count + 1, sizeof *text.starts);
        text.starts[text.count] = at;
    }
    return text;
}

static size_t line_length(const struct text *text, size_t line)
{
    return text->starts[line + 1] - text->starts[line];
}

static const char *line_bytes(const struct text *text, size_t line)
{
    return text->source->bytes + text->starts[line];
}

static bool is_equal(const struct text *old, size_t i, const struct text *new, size_t j)
{
    return line_length(old, i) == line_length(new, j) &&
           memcmp(line_bytes(old, i), line_bytes(new, j), line_length(old, i)) == 0;
}

/* How many lines of each are skipped until two are equal again. */
static struct change next_change(const struct text *old, size_t i, const struct text *new, size_t j)
{
    size_t left = old->count - i, right = new->count - j;
    size_t most = left + right < LIMIT_DIFF_LINES ? left + right : LIMIT_DIFF_LINES;

    for (size_t both = 1; both <= most; both++)
        for (size_t more = both > left ? both - left : 0; more <= both && more <= right; more++) {
            size_t less = both - more;
            bool ends = less == left && more == right;
            if (ends || (less < left && more < right && is_equal(old, i + less, new, j + more)))
                return (struct change){i, less, j, more};
        }
    return (struct change){i, left, j, right};
}

static struct changes compare(const struct text *old, const struct text *new)
{
    struct changes changes = {0};
    size_t i = 0, j = 0;

    while (i < old->count || j < new->count) {
        struct change change;
        if (i < old->count && j < new->count &&is_equal(old, i, new, j)) {
            i++;
            j++;
            continue;
        }
        change = next_change(old, i, new, j);
        changes.list = mem_grow(changes.list, changes.count + 1, sizeof *changes.list);
        changes.list[changes.count++] = change;
        i += change.old_count;
        j += change.new_count;
    }
    return changes;
}

static void put_lines(struct buf *out, char mark, const struct text *text, size_t from, size_t to)
{
    for (size_t line = from; line < to; line++) {
        size_t length = line_length(text, line);
        buf_char(out, mark);
        buf_add(out, line_bytes(text, line), length);
        if (line_bytes(text, line)[length - 1] != '\n')
            buf_text(out, "\n\\ No newline at end of file\n");
    }
}

/* Where the lines of changes[from..to) begin and end, with those around them. */
static void put_hunk(struct buf *out, const struct text *old, const struct text *new,
                     const struct change *first, const struct change *last)
{
    size_t before = first->old_line < AROUND ? first->old_line : AROUND;
    size_t old_end = last->old_line + last->old_count, new_end = last->new_line + last->new_count;
    size_t behind = old->count - old_end < AROUND ? old->count - old_end : AROUND;
    size_t old_from = first->old_line - before, new_from = first->new_line - before;
    size_t old_lines = old_end + behind - old_from, new_lines = new_end + behind - new_from;
    size_t at = old_from;

    /* Of an empty range diff gives the line before it. */
    buf_format(out, "@@ -%zu,%zu +%zu,%zu @@\n", old_from + (old_lines > 0), old_lines,
               new_from + (new_lines > 0), new_lines);
    for (const struct change *change = first; change <= last; change++) {
        put_lines(out, ' ', old, at, change->old_line);
        put_lines(out, '-', old, change->old_line, change->old_line + change->old_count);
        put_lines(out, '+', new, change->new_line, change->new_line + change->new_count);
        at = change->old_line + change->old_count;
    }
    put_lines(out, ' ', old, at, old_end + behind);
}

void correct_diff(struct buf *out, const struct source *before, const struct source *after,
                  const char *after_path)
{
    struct text old = split(before), new = split(after);
    struct changes changes = compare(&old, &new);

    if (changes.count)
        buf_format(out, "--- %s\n+++ %s\n", before->path, after_path);
    for (size_t i = 0; i < changes.count;) {
        size_t last = i;
        while (last + 1 < changes.count && changes.list[last + 1].old_line -
                                                   changes.list[last].old_line -
                                                   changes.list[last].old_count <=
                                               2 * AROUND)
            last++;
        put_hunk(out, &old, &new, &changes.list[i], &changes.list[last]);
        i = last + 1;
    }
    free(changes.list);
    free(old.starts);
    free(new.starts);
}

static void put_changes(struct buf *out, const struct source *before, const struct source *after)
{
    struct text old = split(before), new = split(after);
    struct changes changes = compare(&old, &new);

    for (size_t i = 0; i < changes.count; i++) {
        const struct change *change = &changes.list[i];
        put_lines(out, '-', &old, change->old_line, change->old_line + change->old_count);
        put_lines(out, '+', &new, change->new_line, change->new_line + change->new_count);
    }
    free(changes.list);
    free(old.starts);
    free(new.starts);
}

/* The whole lines that the finding's edits of one source lie in: of a long file only these are
 * compared. */
static struct source lines_of(const struct finding *finding, const struct source *source,
                              size_t *start)
{
    size_t from = source->length, to = 0;

    for (size_t i = 0; i < finding->edit_count; i++) {
        const struct edit *edit = &finding->edits[i];
        if (edit->source != source || edit->end > source->length)
            continue;
        from = edit->start < from ? edit->start : from;
        to = edit->end > to ? edit->end : to;
    }
    while (from && source->bytes[from - 1] != '\n')
        from--;
    while (to < source->length && (to == 0 || source->bytes[to - 1] != '\n'))
        to++;
    *start = from;
    return (struct source){
        .path = source->path, .bytes = source->bytes + from, .length = to > from ? to - from : 0};
}

/* Those of one source. */
static void put_finding(struct buf *out, const struct finding *finding, const struct source *source)
{
    struct edit *shifted = mem_alloc(finding->edit_count + 1, sizeof *shifted);
    const struct edit **edits = mem_alloc(finding->edit_count + 1, sizeof *edits);
    size_t start, count = 0;
    struct source before = lines_of(finding, source, &start), *after;

    for (size_t i = 0; i < finding->edit_count; i++) {
        if (finding->edits[i].source != source || finding->edits[i].end > source->length)
            continue;
        shifted[count] = finding->edits[i];
        shifted[count].start -= start;
        shifted[count].end -= start;
        edits[count] = &shifted[count];
        count++;
    }
    after = correct_source(&before, edits, count);
    put_changes(out, &before, after);
    source_free(after);
    free((void *)edits);
    free(shifted);
}

void correct_change(struct buf *out, const struct finding *finding)
{
    for (size_t i = 0; i < finding->edit_count; i++) {
        bool said = false;
        for (size_t k = 0; k < i; k++)
            said |= finding->edits[k].source == finding->edits[i].source;
        if (!said)
            put_finding(out, finding, finding->edits[i].source);
    }
}
