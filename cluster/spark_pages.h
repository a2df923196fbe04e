/* spark_pages.h: the addresses at which a worker's or a driver's page may be
 * found from here. Containers call themselves by names that mean nothing
 * outside: then their ports are often published where the master's are, or the
 * master passes requests on (spark.ui.reverseProxy). */
#ifndef TALLY_SPARK_PAGES_H
#define TALLY_SPARK_PAGES_H

#include "cluster/spark.h"

#define SPARK_ADDRESSES 4

/* "http://HOST:PORT", and what a master that passes on has of it, "URL/proxy/ID": to be tried in
 * turn; the rest is NULL. */
struct spark_pages {
    char *addresses[SPARK_ADDRESSES];
};

/* As the page names itself (`web`, "http://HOST:PORT", may be ""); by `host`
 * (NULL: not known); by the master's host; through the master, which knows it
 * as `id`. Free with spark_pages_free. */
void spark_pages_find(struct spark *spark, const char *web, const char *host, const char *id,
                      struct spark_pages *pages);
/* From now on only that one: the address at `kept`. */
void spark_pages_keep(struct spark_pages *pages, int kept);
void spark_pages_free(struct spark_pages *pages);

/* Whether an answer comes from the page that is meant: a published port may be
 * another one's. */
typedef bool spark_page_fits(void *context, const struct http_answer *answer);

/* What stands at `path` of the first that fits, which is then kept: 0, or -1
 * with all that was tried. Free the answer in any case. */
int spark_pages_ask(struct spark *spark, struct spark_pages *pages, const char *path,
                    spark_page_fits *fits, void *context, struct http_answer *answer,
                    struct error *error);

#endif
