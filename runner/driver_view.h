/* driver_view.h: what following a driver shows: its state, its application once
 * that has registered, its executors, and how a streaming query goes. On a
 * terminal one line that changes; else a line on each change. */
#ifndef TALLY_DRIVER_VIEW_H
#define TALLY_DRIVER_VIEW_H

#include <jansson.h>

#include "cluster/spark.h"

struct driver_view;

/* `name`: the application's, where it is known; else NULL: the driver's log
 * tells. `json`: an object a line on stdout, too. Free with driver_view_free. */
struct driver_view *driver_view_new(struct spark *spark, const char *name, bool json);
/* After each answer about the driver's state. `waited_ms`: since when it is followed. */
int driver_view_show(struct driver_view *view, const struct spark_answer *answer, int64_t waited_ms,
                     struct error *error);
/* Whether there was an answer already. */
bool driver_view_has_begun(const struct driver_view *view);
/* The application's name, NULL as long as it is not known. */
const char *driver_view_name(const struct driver_view *view);
/* The master does not answer, for the reason given, and is waited for; NULL: it answers (again). */
void driver_view_silent(struct driver_view *view, const struct error *reason);
/* NULL is fine. */
void driver_view_free(struct driver_view *view);

/* A driver's state as an object; what the master left out is null. */
json_t *driver_json(const struct spark_answer *answer);

#endif
