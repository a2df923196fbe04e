/* history.h: the newest windows of one job, as its result topic tells them.
 *
 * Of a window's records the one with the largest total is the truth. Every
 * change gets the next number, the window goes to the end of the order of
 * updates, and what a reader has is one such number, its cursor: so a reader
 * who falls behind finds each window once, in its newest state, and costs no
 * memory here. An id is the position in the result topic after an update
 * ("0-13", "0-13.1-8"); it turns back into a cursor. Ids of two topics look
 * alike: the edition, which every snapshot names, tells them apart
 * (history_edition.h). */
#ifndef TALLY_HISTORY_H
#define TALLY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dashboard/body.h"
#include "jobs/record.h"
#include "jobs/spec.h"

/* The counts a snapshot holds: with very many series, fewer windows than LIMIT_SNAPSHOT. */
#define HISTORY_SNAPSHOT_CELLS (1 << 16)
/* Snapshots that clients are still reading, of all ages; beyond, an old one serves again. */
#define HISTORY_SNAPSHOT_BYTES (16 << 20)
/* A topic with more partitions gets no ids, and its readers no resume. */
#define HISTORY_ID_PARTITIONS 64
/* The text of an edition, its end included. */
#define HISTORY_EDITION 17

enum transport { TRANSPORT_WS, TRANSPORT_SSE, TRANSPORTS };

struct history;

/* How many windows a history of this job can hold: LIMIT_HISTORY_CELLS. */
size_t history_most(const struct spec *spec);
/* `windows`: how many it holds at most; 0: LIMIT_HISTORY, or what history_most
 * allows. `spec` must outlive the history; bodies must not. */
struct history *history_new(const struct spec *spec, int32_t partitions, size_t windows);
void history_free(struct history *history);
/* Takes a record read at this place of the topic; false if it tells nothing
 * new. The record is copied. */
bool history_add(struct history *history, const struct record *record, int32_t partition,
                 int64_t offset);
/* The next offset to read of a partition: the topic was read so far. */
void history_position(struct history *history, int32_t partition, int64_t next);

/* Whether there is a window with this start. */
bool history_has(const struct history *history, int64_t start);
/* The records that come carry no windows (start == end): "window" is null then. */
void history_set_bare(struct history *history, bool bare);
bool history_is_bare(const struct history *history);

size_t history_count(const struct history *history);
/* The number of the last update; a cursor that has seen everything. */
uint64_t history_last(const struct history *history);
/* How many windows changed after the cursor, counted up to `most`. */
size_t history_behind(const struct history *history, uint64_t cursor, size_t most);
/* The first change after the cursor, which it moves there; NULL: there is none. */
const struct record *history_next(const struct history *history, uint64_t *cursor);
/* From an id to the cursor that misses nothing; false if the id is none, is
 * of another edition, or lies more than LIMIT_BEHIND windows back. `edition`:
 * the one that the id is of; NULL: not known, so the id must not be one that
 * may be older than this history. */
bool history_resume(const struct history *history, const char *id, const char *edition,
                    uint64_t *cursor);

/* The message of the first change after the cursor, which it moves there; NULL:
 * there is none. The history's own reference: hold it to keep it. `end` (or
 * NULL): when its window ended, or will. */
struct body *history_message(struct history *history, uint64_t *cursor, enum transport transport,
                             int64_t *end);
/* The message with the newest windows, likewise; `cursor` becomes what it shows. */
struct body *history_snapshot(struct history *history, uint64_t *cursor, enum transport transport);

#endif
