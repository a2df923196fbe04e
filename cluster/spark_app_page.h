/* spark_app_page.h: what a master's page of one application says
 * (/app/?appId=ID, ApplicationPage.scala): the address of its driver's page and
 * its executors, those that ended too. There is no JSON of it: /app/json/ gives
 * no executors. Bytes in, records out; no I/O. */
#ifndef TALLY_SPARK_APP_PAGE_H
#define TALLY_SPARK_APP_PAGE_H

#include <stddef.h>

/* Texts are never NULL. */
struct spark_executor {
    char *id;
    char *worker_id;
    char *state; /* LAUNCHING, RUNNING, KILLED, FAILED, LOST, EXITED, DECOMMISSIONED */
};

struct spark_app_page {
    char *ui; /* "http://HOST:PORT" of the driver's page; "" when it has none (any more) */
    struct spark_executor *executors; /* by their numbers */
    size_t count, running;
};

/* NULL when the bytes are no such page (an unknown application's is none
 * either); else free with spark_app_page_free. */
struct spark_app_page *spark_app_page_read(const char *bytes, size_t length);
/* NULL is fine. */
void spark_app_page_free(struct spark_app_page *page);

#endif
