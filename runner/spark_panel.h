/* spark_panel.h: what the page shows of the jobs on a Spark cluster: drivers,
 * applications, rates; read every SPARK_PANEL_MS from the pages of master and
 * driver, in the page's own loop, which it never makes wait.
 *
 * An application is known by its name. Which driver's it is the master tells
 * nowhere: it is taken for the one that started last before the application did,
 * unless the runner knows better. */
#ifndef TALLY_SPARK_PANEL_H
#define TALLY_SPARK_PANEL_H

#include <ev.h>

#include "cluster/spark.h"
#include "dashboard/server.h"

struct spark_panel;

/* Asks `spark`, whose page must be known, from now on; it must outlive the panel. */
struct spark_panel *spark_panel_start(struct ev_loop *loop, struct spark *spark);
/* NULL is fine, here and below. */
void spark_panel_stop(struct spark_panel *panel);
/* `name`: the application's. The spec must outlive the panel. At most LIMIT_JOBS. */
void spark_panel_add(struct spark_panel *panel, const struct spec *spec, const char *name);
/* The driver of that job's application, as the runner created it. */
void spark_panel_set_driver(struct spark_panel *panel, const struct spec *spec, const char *id);
/* Valid until the loop's next turn; NULL: no panel, or not asked yet. */
const struct server_spark *spark_panel_state(const struct spark_panel *panel,
                                             const struct spec *spec);

#endif
