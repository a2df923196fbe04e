/* spark.h: a Spark standalone cluster, as its clients see it: drivers are
 * created, looked at and killed through the leading master's REST API; the
 * rest is read from the page of a master. Of several masters one leads; the
 * client finds it, and finds the next one when it is gone. */
#ifndef TALLY_SPARK_H
#define TALLY_SPARK_H

#include <ev.h>
#include <stdint.h>

#include "cluster/base/error.h"
#include "cluster/http.h"
#include "cluster/spark_address.h"
#include "cluster/spark_app_page.h"
#include "cluster/spark_message.h"
#include "cluster/spark_state.h"

struct spark;

/* Copies the addresses; asks nothing. Free with spark_close; NULL is fine there. */
struct spark *spark_open(const struct spark_masters *masters);
void spark_close(struct spark *spark);
const struct spark_masters *spark_masters(const struct spark *spark);
/* The connections, for asking workers. */
struct http *spark_http(struct spark *spark);
/* The host of the master that answered last. */
const char *spark_host(const struct spark *spark);
/* The URL of its page, "" where that is not known. */
const char *spark_page(const struct spark *spark);

/* All of these: EXIT_UNREACHABLE when no master answers, EXIT_REFUSED when none
 * leads or the leader does not want to (REST off among it); else 0. */

/* Creates a driver; `*id` is its submission id; free() it. The request goes to
 * one master at most once: when it may have arrived and no answer came, or one
 * that does not tell whether it was obeyed, that is EXIT_UNKNOWN. */
int spark_create(struct spark *spark, const struct spark_submission *submission, char **id,
                 struct error *error);
/* Free the answer with spark_answer_free. A driver that the master does not
 * know has SPARK_NO_STATE. */
int spark_status(struct spark *spark, const char *id, struct spark_answer *answer,
                 struct error *error);
/* `answer->success`: the request was passed on; not that the driver has ended. */
int spark_kill(struct spark *spark, const char *id, struct spark_answer *answer,
               struct error *error);
/* The cluster as the leader's page tells it, or, where none leads, as some
 * master's does: see `status`. Free with spark_state_free. */
int spark_ask_state(struct spark *spark, struct spark_state **state, struct error *error);
/* An application's page at the master that answered last; EXIT_REFUSED when it
 * knows none of that id. Free with spark_app_page_free. */
int spark_ask_app(struct spark *spark, const char *id, struct spark_app_page **page,
                  struct error *error);

/* A driver's state, asked in the loop; `done` comes once, unless spark_cancel
 * comes first. After an error the next call goes to the next master. */
struct spark_call;
typedef void spark_done(void *context, const struct spark_answer *answer,
                        const struct error *error);

struct spark_call *spark_start_status(struct spark *spark, struct ev_loop *loop, const char *id,
                                      spark_done *done, void *context);
void spark_cancel(struct spark_call *call);
/* A page of the master that answered last ("/json/"), signed, in the loop. */
struct http_call *spark_start_page(struct spark *spark, struct ev_loop *loop, const char *path,
                                   int64_t wait_ms, http_done *done, void *context);

#endif
