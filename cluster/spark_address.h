/* spark_address.h: where Spark's masters are: "spark://HOST:PORT[,HOST:PORT]".
 * The port there is the one drivers use (7077); REST (6066) and the page
 * (8080) have ports of their own. */
#ifndef TALLY_SPARK_ADDRESS_H
#define TALLY_SPARK_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/base/error.h"
#include "cluster/base/limits.h"

#define SPARK_PORT      7077
#define SPARK_REST_PORT 6066
#define SPARK_UI_PORT   8080

struct spark_master {
    char host[256]; /* as it stands in a URL: an IPv6 address keeps its brackets */
    int port, rest_port, ui_port;
    /* Without a slash at their ends; `page` is "" where it is not known. */
    char rest[LIMIT_URL_BYTES], page[LIMIT_URL_BYTES];
    bool page_is_guess; /* the REST port is an unusual one that was given, the page's was not */
};

struct spark_masters {
    struct spark_master list[LIMIT_MASTERS];
    int count;
};

/* `rest_port` and `ui_port`: 0 means the usual one. A port that is 6066 is
 * taken for the REST port. EXIT_USAGE says what is wrong with `text`. */
int spark_masters_parse(const char *text, int64_t rest_port, int64_t ui_port,
                        struct spark_masters *masters, struct error *error);
/* One master behind a gateway: its REST API, and its page ("" if it has none
 * there), as http:// or https:// URLs with a path or without: EXIT_USAGE.
 * Host and port of `masters` are kept, where there is one; none means the
 * gateway's host. */
int spark_masters_behind(const char *rest, const char *page, struct spark_masters *masters,
                         struct error *error);
/* "spark://HOST:PORT,HOST:PORT", as drivers take it; free() it. */
char *spark_masters_url(const struct spark_masters *masters);

#endif
