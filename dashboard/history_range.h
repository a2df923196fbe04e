/* history_range.h: a history's windows by their times, for those who read many
 * at once: as JSON, as CSV, or one by one. */
#ifndef TALLY_HISTORY_RANGE_H
#define TALLY_HISTORY_RANGE_H

#include "dashboard/history.h"

/* Which windows: from <= start < to, and of these the newest `limit`. */
struct history_range {
    int64_t from, to;
    size_t limit;
};
/* JSON: {"job":...,"edition":...,"labels":[...],"window":{...},"windows":[...]};
 * CSV: job,start,end,<series...>,total */
enum history_form { HISTORY_JSON, HISTORY_CSV };

/* A text of a range, written piece by piece while the history goes on. */
struct history_reader {
    enum history_form form;
    int64_t next, to; /* the starts of what is left: next <= start < to */
    char edition[HISTORY_EDITION];
    bool begun;
    bool ended; /* all of it is written */
};

/* The windows are those there are now. */
struct history_reader history_read(const struct history *history, struct history_range range,
                                   enum history_form form);
/* Appends at least `bytes`, or what is left; a window is never cut. False, and
 * nothing is appended: the history has dropped windows that were to come, or
 * was restarted. */
bool history_read_on(const struct history *history, struct history_reader *reader, size_t bytes,
                     struct buf *buf);
/* The whole text at once. */
void history_write(const struct history *history, struct history_range range,
                   enum history_form form, struct buf *buf);
/* From the newest back: the n-th window, from 0; NULL: there are no more. */
const struct record *history_recent(const struct history *history, size_t n);

#endif
