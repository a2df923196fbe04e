/* position.h: a position in a topic, as the id of a message: for every
 * partition the next offset to read, "0-13" or "0-13.1-8". */
#ifndef TALLY_POSITION_H
#define TALLY_POSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/base/buf.h"

void position_write(const int64_t *offsets, size_t partitions, struct buf *buf);
/* All partitions, in order, and nothing else; false changes nothing that matters. */
bool position_parse(const char *id, int64_t *offsets, size_t partitions);
/* Whether everything before `other` lies before `position` too. */
bool position_covers(const int64_t *position, const int64_t *other, size_t partitions);

#endif
