#include "runner/creation.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/log.h"
#include "cluster/spark_leader.h"
#include "runner/parts.h"
#include "runner/preflight.h"
#include "runner/room.h"

#define POLL_MS     300
#define RECOVERY_MS 30000
/* How long after the loss a driver may still appear. The REST server and the
 * page ask the master's one inbox in turn (StandaloneRestServer.scala,
 * MasterPage.scala), so what the server has passed on shows in the next page: this
 * is for a request that is still on its way to the server or within it. */
#define SETTLE_MS 3000

struct creation {
    const struct submission *submission;
    struct spark *spark;
    struct spark_state *before; /* the caller's */
    struct demand demand;
    int64_t until; /* recovery is waited for; monotonic ms */
};

enum finding {
    IS_OURS,
    IS_NONE,
    IS_UNCLEAR,
};

static bool is_like_ours(const struct creation *creation, const struct spark_driver_row *row)
{
    return strcmp(row->main_class, creation->submission->main_class) == 0 &&
           row->cores == creation->demand.driver_cores &&
           row->memory == creation->demand.driver_memory;
}

/* A master that was restarted without recovery knows nothing of what was: then
 * that a driver is not there means nothing. */
static bool is_same_master(const struct spark_state *before, const struct spark_state *after)
{
    if (strcmp(before->url, after->url) != 0 || !spark_leads(after))
        return false;
    for (size_t i = 0; i < before->driver_count; i++)
        if (before->drivers[i].active && !spark_find_driver(after, before->drivers[i].id))
            return false;
    return true;
}

static enum finding compare(const struct creation *creation, const struct spark_state *after,
                            char **id)
{
    const struct spark_driver_row *found = NULL;
    size_t count = 0;

    if (!is_same_master(creation->before, after))
        return IS_UNCLEAR;
    for (size_t i = 0; i < after->driver_count; i++) {
        const struct spark_driver_row *row = &after->drivers[i];
        if (spark_find_driver(creation->before, row->id) || !is_like_ours(creation, row))
            continue;
        found = row;
        count++;
    }
    if (count == 1)
        *id = mem_text(found->id);
    return count == 0 ? IS_NONE : count == 1 ? IS_OURS : IS_UNCLEAR;
}

/* On the master that was asked; each look must succeed, or it may have been
 * another process in the end. */
static enum finding look_for_it(const struct creation *creation, char **id)
{
    int64_t until = clock_monotonic_ms() + SETTLE_MS;
    enum finding finding = IS_NONE;
    bool last = false;

    while (creation->before && !interrupt_signal()) {
        struct spark_state *after;
        struct error unused;
        last = clock_monotonic_ms() >= until;
        if (spark_ask_page(creation->spark, spark_current(creation->spark), &after, &unused) < 0)
            return IS_UNCLEAR;
        finding = compare(creation, after, id);
        spark_state_free(after);
        if (finding != IS_NONE || last)
            return finding;
        wait_for_interrupt(POLL_MS);
    }
    return IS_UNCLEAR;
}

static int unknown(const struct creation *creation, struct error *error)
{
    return error_add(error,
                     "the driver may have been created or not: before submitting again, look for "
                     "the application %s and the main class %s with: tally list",
                     creation->submission->name, creation->submission->main_class);
}

static int not_created(const struct creation *creation, struct error *error)
{
    error_add(error, "twice; no driver was created");
    error->code = spark_last_status(creation->spark) ? EXIT_REFUSED : EXIT_UNREACHABLE;
    return -1;
}

/* A master in recovery has refused, so nothing has come of it. 0: ask again. */
static int wait_for_recovery(const struct creation *creation, bool *said, struct error *error)
{
    if (!spark_is_recovering(creation->spark) || clock_monotonic_ms() >= creation->until)
        return -1;
    if (!*said)
        log_info("the Spark master is recovering: waiting for it");
    *said = true;
    wait_for_interrupt(POLL_MS);
    return interrupt_signal() ? interrupt_error(error) : 0;
}

/* One request, and more only while a master refuses it for the present. */
static int ask(const struct creation *creation, char **id, struct error *error)
{
    struct spark_submission message = submission_message(creation->submission);
    bool said = false;

    while (spark_create(creation->spark, &message, id, error) < 0)
        if (error->code != EXIT_REFUSED || wait_for_recovery(creation, &said, error) < 0)
            return -1;
    return 0;
}

static int create(const struct creation *creation, char **id, struct error *error)
{
    for (bool again = false;; again = true) {
        enum finding finding;
        if (ask(creation, id, error) == 0)
            return 0;
        if (interrupt_signal())
            return unknown(creation, error);
        if (error->code != EXIT_UNKNOWN)
            return -1;
        log_status("%s: looking for the driver", error->text);
        finding = look_for_it(creation, id);
        log_status_clear();
        if (finding == IS_OURS) {
            log_warning("%s; but the master has created the driver: %s", error->text, *id);
            return 0;
        }
        if (finding == IS_UNCLEAR)
            return unknown(creation, error);
        if (again)
            return not_created(creation, error);
        log_warning("%s; the master has created no driver: trying once more", error->text);
    }
}

int create_driver(const struct options *options, struct submission *submission, struct spark *spark,
                  char **id, struct error *error)
{
    int64_t patience =
        options->timeout >= 0 && options->timeout < RECOVERY_MS ? options->timeout : RECOVERY_MS;
    struct preflight preflight = {0};
    int result = preflight_check(options, submission, spark, patience, &preflight, error);

    if (result == 0)
        result = submission_serve(options, submission, error);
    if (result == 0) {
        struct creation creation = {.submission = submission,
                                    .spark = spark,
                                    .before = preflight.before,
                                    .demand = demand_of(submission->conf),
                                    .until = clock_monotonic_ms() + patience};
        submission_fit(submission, preflight.url, preflight.version);
        result = submission_check(submission, error);
        if (result == 0)
            result = create(&creation, id, error);
    }
    preflight_free(&preflight);
    return result;
}
