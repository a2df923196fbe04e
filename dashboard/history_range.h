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
/* {"job":...,"edition":...,"labels":[...],"window":{...},"windows":[...]} */
void history_write_json(const struct history *history, struct history_range range, struct buf *buf);
/* From the newest back: the n-th window, from 0; NULL: there are no more. */
const struct record *history_recent(const struct history *history, size_t n);
/* job,start,end,<series...>,total */
void history_write_csv(const struct history *history, struct history_range range, struct buf *buf);

#endif
