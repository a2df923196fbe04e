/* pages.h: the small pages that are made here, for browsers without
 * JavaScript and for signing in. Text out; they ask nothing from elsewhere,
 * and all their addresses are relative. */
#ifndef TALLY_PAGES_H
#define TALLY_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/base/buf.h"
#include "dashboard/history.h"

struct pages_table {
    const struct spec *spec;
    const struct history *history;
    const char *const *jobs; /* all of them; for links where there are several */
    size_t job_count;
    bool zh;
    bool connected;      /* to Kafka */
    bool gone;           /* the topic */
    int64_t last_record; /* wall ms; 0: none yet */
    int64_t now;         /* wall ms */
    const char *driver;  /* its state on Spark; NULL: unknown */
};

/* The newest windows as a table, which loads itself anew every 5 s. */
void pages_write_table(const struct pages_table *table, struct buf *buf);
/* Asks for the token; `wrong`: one was given. */
void pages_write_sign_in(bool zh, bool wrong, struct buf *buf);
/* Leads on, to `url`, without the token in the address. */
void pages_write_signed_in(const char *url, struct buf *buf);
/* Whether Chinese is wanted: `lang` (NULL, or ?lang=) over an Accept-Language header (or NULL). */
bool pages_is_chinese(const char *lang, const char *accept_language);

#endif
