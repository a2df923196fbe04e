#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/base/buf.h"
#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/log.h"
#include "cluster/base/output.h"
#include "cluster/spark_leader.h"
#include "runner/commands.h"
#include "runner/driver.h"
#include "runner/parts.h"

#define FEW 100 /* drivers: of these none is forgotten before it is told */

struct victims {
    char **ids;
    bool *asked; /* the master has passed it on, and what came of it was not told yet */
    size_t count;
    const struct error *first; /* what went wrong first; NULL: nothing */
    struct error error;
};

/* Each once: a second kill of one that is dead by then would be refused. */
static void add(struct victims *victims, const char *id)
{
    for (size_t i = 0; i < victims->count; i++)
        if (strcmp(victims->ids[i], id) == 0)
            return;
    victims->ids = mem_grow(victims->ids, victims->count + 1, sizeof *victims->ids);
    victims->ids[victims->count++] = mem_text(id);
}

/* The ids of the command line, or those of all active drivers: the master's own
 * killall is there since 4.0 only, and does not say whom it killed. */
static int find(const struct options *options, struct spark *spark, struct victims *victims,
                struct error *error)
{
    struct spark_state *state;

    for (int i = 0; i < options->argument_count; i++)
        add(victims, options->arguments[i]);
    if (!options->all)
        return 0;
    if (spark_check_pages(spark, error) < 0 || spark_ask_state(spark, &state, error) < 0)
        return -1;
    for (size_t i = 0; i < state->driver_count; i++)
        if (state->drivers[i].active)
            add(victims, state->drivers[i].id);
    spark_state_free(state);
    return 0;
}

/* The first character of a line; EOF after a signal, too, also one that came just before. */
static int read_answer(void)
{
    struct pollfd ready[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                             {.fd = interrupt_descriptor(), .events = POLLIN}};
    int answer, next;

    poll(ready, 2, -1);
    if (interrupt_signal())
        return EOF;
    answer = getchar();
    for (next = answer; next != '\n' && next != EOF;)
        next = getchar();
    return answer;
}

/* Only somebody at a terminal can answer. */
static int confirm(const struct options *options, const struct victims *victims,
                   struct error *error)
{
    int answer;

    if (options->yes || victims->count == 0 || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return 0;
    for (size_t i = 0; i < victims->count; i++)
        fprintf(stderr, "%s\n", victims->ids[i]);
    fprintf(stderr, "kill %s? [y/N] ", victims->count == 1 ? "this driver" : "these drivers");
    fflush(stderr);
    answer = read_answer();
    if (answer == 'y' || answer == 'Y')
        return 0;
    if (answer == EOF)
        fputc('\n', stderr);
    if (interrupt_signal())
        return interrupt_error(error);
    return error_set(error, EXIT_FAILED, "nothing was killed");
}

/* docs/json.md; `error` NULL: it is dead. */
static void print_json(const char *id, enum spark_driver_state state, const struct error *error)
{
    const char *name = state == SPARK_NO_STATE ? NULL : spark_state_name(state);
    json_t *object =
        json_pack("{s:s, s:s?, s:s?, s:i}", "id", id, "state", name, "error",
                  error ? error->text : NULL, "exitCode", error ? (int)error->code : (int)EXIT_OK);

    log_status_clear();
    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(object);
}

/* The first error is the command's; the others are told at once. */
static void fail(struct victims *victims, const struct error *error)
{
    if (victims->first) {
        log_warning("%s", error->text);
        return;
    }
    victims->error = *error;
    victims->first = &victims->error;
}

/* What became of one; of its error, where there is one, `fail` tells. */
static void tell(const struct options *options, struct victims *victims, const char *id,
                 enum spark_driver_state state, const struct error *error)
{
    struct error trouble;

    if (error)
        fail(victims, error);
    if (options->json)
        print_json(id, state, error);
    else if (!error)
        printf("%s %s\n", id, spark_state_name(state));
    if (output_flush(&trouble) < 0)
        fail(victims, &trouble);
}

/* A master keeps the last 200 that ended (spark.deploy.retainedDrivers): where many are killed,
 * those that end at once are told before they are forgotten. */
static void tell_ended(const struct options *options, struct spark *spark, struct victims *victims)
{
    struct spark_answer answer;
    struct error unused;

    for (size_t i = 0; i < victims->count; i++) {
        if (!victims->asked[i] || spark_status(spark, victims->ids[i], &answer, &unused) < 0)
            continue;
        if (spark_state_is_end(answer.state)) {
            victims->asked[i] = false;
            tell(options, victims, victims->ids[i], answer.state, NULL);
        }
        spark_answer_free(&answer);
    }
}

/* All are asked before any is waited for: each may take its 10 s. */
static void ask_all(const struct options *options, struct spark *spark, struct victims *victims)
{
    enum spark_driver_state state;
    struct error error;

    victims->asked = mem_alloc(victims->count + 1, sizeof *victims->asked);
    for (size_t i = 0; i < victims->count; i++) {
        victims->asked[i] = driver_ask_kill(spark, victims->ids[i], &state, &error) == 0;
        /* Of all, one may have ended by itself since the list was read. */
        if (!victims->asked[i] && !(options->all && error.code == EXIT_REFUSED))
            tell(options, victims, victims->ids[i], state, &error);
        if ((i + 1) % FEW == 0)
            tell_ended(options, spark, victims);
    }
}

static void wait_all(const struct options *options, struct spark *spark, struct victims *victims)
{
    int64_t timeout = options->timeout < 0 ? DRIVER_KILL_MS : options->timeout;
    int64_t until = clock_monotonic_ms() + timeout;
    enum spark_driver_state state;
    struct error error;

    for (size_t i = 0; i < victims->count; i++) {
        int64_t left = until - clock_monotonic_ms();
        if (!victims->asked[i])
            continue;
        if (driver_wait_killed(spark, victims->ids[i], left > 0 ? left : 0, &state, &error) < 0)
            tell(options, victims, victims->ids[i], state, &error);
        else
            tell(options, victims, victims->ids[i], state, NULL);
    }
}

static int kill_all(const struct options *options, struct spark *spark, struct error *error)
{
    struct victims victims = {0};
    int result = find(options, spark, &victims, error);

    if (result == 0 && options->all && victims.count == 0)
        log_info("no driver is active");
    if (result == 0)
        result = confirm(options, &victims, error);
    if (result == 0) {
        ask_all(options, spark, &victims);
        wait_all(options, spark, &victims);
        if (victims.first) {
            *error = *victims.first;
            result = -1;
        }
    }
    for (size_t i = 0; i < victims.count; i++)
        free(victims.ids[i]);
    free(victims.ids);
    free(victims.asked);
    return result;
}

static int run_kill(const struct options *options, struct error *error)
{
    if (options->all == (options->argument_count > 0))
        return error_set(error, EXIT_USAGE, "kill what? give submission ids, or --all alone");
    return with_spark(options, kill_all, error);
}

const struct command command_kill = {
    .name = "kill",
    .usage = "ID... | --all",
    .summary = "end drivers",
    .text =
        "Has the master kill drivers, waits until they have ended (20 s at most, or --timeout) "
        "and\n"
        "prints their states. On a terminal it asks first (not with --yes). --all: all that are\n"
        "active, supervised ones too. One that had ended before, or is unknown: exit code 5; one\n"
        "that has not ended in time: 9. With --json each driver is an object on a line, also one\n"
        "that could not be killed.\n\n"
        "  tally kill driver-20261121093000-0000 -m spark://localhost:7077\n"
        "  tally kill --all --yes -m spark://localhost:7077",
    .options = " master rest-port ui-port all yes timeout json ",
    .least_arguments = 0,
    .most_arguments = INT_MAX,
    .run = run_kill,
};
