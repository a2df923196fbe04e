/* history_edition.h: what the ids of a history belong to. Two topics have the
 * same offsets, and so the same ids: of another job, of the same job with another
 * sink, of one that was deleted and made anew. */
#ifndef TALLY_HISTORY_EDITION_H
#define TALLY_HISTORY_EDITION_H

#include "dashboard/history.h"

/* No other history, of this or of another process, has the same. Valid until a restart. */
const char *history_edition(const struct history *history);
/* Forgets all windows, as another topic took the place of the one that told
 * them: a new edition. The cursors of readers stay good. */
void history_restart(struct history *history, int32_t partitions);
/* The past has been read: ids up to here may have been given by an earlier
 * server, for another topic even. */
void history_past_is_read(struct history *history);

#endif
