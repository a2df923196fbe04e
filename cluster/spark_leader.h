/* spark_leader.h: of a cluster's masters, each by itself: for a look at them
 * before a driver is created, and for what to think when that goes wrong. */
#ifndef TALLY_SPARK_LEADER_H
#define TALLY_SPARK_LEADER_H

#include "cluster/spark.h"

/* Signs what is asked of masters from now on; takes the key (jws_key). */
void spark_sign(struct spark *spark, unsigned char *key, size_t length);

/* The page of the nth master alone, whether it leads or not. */
int spark_ask_page(struct spark *spark, int n, struct spark_state **state, struct error *error);
/* Whether the nth master's page can be its page, where its port is but the usual one
 * (page_is_guess): EXIT_REFUSED when it tells of another REST port than the one
 * given, or of none. 0 also when nothing answers there. */
int spark_check_page(struct spark *spark, int n, struct error *error);
/* The same for all of them. */
int spark_check_pages(struct spark *spark, struct error *error);
/* The Spark version of the preferred master ("4.2.0"), by its REST API, so that
 * is on; free() it. */
int spark_ask_version(struct spark *spark, char **version, struct error *error);

/* The master that is asked first: the one that gave, or should have given, the
 * last answer, or was set. */
int spark_current(const struct spark *spark);
void spark_prefer(struct spark *spark, int n);
/* Of the last request by REST: its HTTP status, 0 when no answer came; whether
 * a master refused it that is about to lead. */
int spark_last_status(const struct spark *spark);
bool spark_is_recovering(const struct spark *spark);

#endif
