#include "runner/preflight.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/log.h"
#include "cluster/docker.h"
#include "cluster/jar.h"
#include "cluster/spark_leader.h"
#include "runner/parts.h"
#include "runner/room.h"

#define POLL_MS  500
#define JAR_MS   5000
#define GONE     410
#define NO_THERE 404

/* What the masters' pages say, all of them together. */
struct look {
    struct spark_state *leader;
    struct buf url;
    bool recovering;
};

static void free_look(struct look *look)
{
    spark_state_free(look->leader);
    buf_free(&look->url);
    *look = (struct look){0};
}

/* A master that is about to lead, but does not create drivers yet (RecoveryState.scala). */
static bool is_recovering(const struct spark_state *state)
{
    return strstr(state->status, "RECOVER") != NULL;
}

static void add_url(struct look *look, const struct spark_state *state,
                    const struct spark_master *master)
{
    static const char scheme[] = "spark://";
    const char *joint = look->url.length ? "," : scheme;

    if (state && strncmp(state->url, scheme, strlen(scheme)) == 0)
        buf_format(&look->url, "%s%s", joint, state->url + strlen(scheme));
    else
        buf_format(&look->url, "%s%s:%d", joint, master->host, master->port);
}

/* The page of the nth master; NULL when there is none, or it may be another's.
 * -1: a signal. */
static int look_at(struct spark *spark, int n, struct spark_state **state, struct error *error)
{
    *state = NULL;
    if (spark_check_page(spark, n, error) < 0) {
        if (!interrupt_signal())
            log_warning("the cluster is not looked at before: %s", error->text);
    } else if (spark_ask_page(spark, n, state, error) < 0) {
        log_verbose("preflight: %s", error->text);
    }
    return interrupt_signal() ? interrupt_error(error) : 0;
}

static int look_at_all(struct spark *spark, struct look *look, struct error *error)
{
    const struct spark_masters *masters = spark_masters(spark);

    for (int n = 0; n < masters->count; n++) {
        struct spark_state *state;
        if (look_at(spark, n, &state, error) < 0) {
            spark_state_free(state);
            return -1;
        }
        add_url(look, state, &masters->list[n]);
        if (state && !look->leader && spark_leads(state)) {
            look->leader = state;
            spark_prefer(spark, n);
            continue;
        }
        look->recovering = look->recovering || (state && is_recovering(state));
        spark_state_free(state);
    }
    return 0;
}

static int find_leader(struct spark *spark, int64_t patience_ms, struct look *look,
                       struct error *error)
{
    int64_t until = clock_monotonic_ms() + patience_ms;
    bool said = false;

    for (;;) {
        if (look_at_all(spark, look, error) < 0)
            return -1;
        if (look->leader || !look->recovering || clock_monotonic_ms() >= until)
            return 0;
        if (!said)
            log_info("the Spark master is recovering: waiting up to %lld s for it",
                     (long long)(patience_ms / 1000));
        said = true;
        free_look(look);
        wait_for_interrupt(POLL_MS);
        if (interrupt_signal())
            return interrupt_error(error);
    }
}

static int check_name(const struct submission *submission, const struct spark_state *state,
                      struct error *error)
{
    for (size_t i = 0; submission->is_job && i < state->app_count; i++)
        if (state->apps[i].active && strcmp(state->apps[i].name, submission->name) == 0)
            return error_set(error, EXIT_REFUSED,
                             "%s runs already (application %s), and two that share a checkpoint "
                             "break each other: kill its driver (tally list), or give another "
                             "--name and --checkpoint, or --no-preflight",
                             submission->name, state->apps[i].id);
    return 0;
}

/* The worker fetches it from there. What it may be refused, or cannot be
 * reached from here, may still be there for the worker. */
static int check_url(const struct submission *submission, struct spark *spark, struct error *error)
{
    const struct http_request request = {
        .url = submission->resource, .head = true, .wait_ms = JAR_MS};
    struct http_answer answer = {0};
    struct error trouble;
    int result = 0;

    if (strncmp(request.url, "http://", 7) != 0 && strncmp(request.url, "https://", 8) != 0)
        return 0;
    if (http_ask(spark_http(spark), &request, &answer, &trouble) < 0) {
        if (interrupt_signal())
            result = interrupt_error(error);
        log_verbose("preflight: %s: %s", request.url, trouble.text);
    } else if (answer.status == NO_THERE || answer.status == GONE) {
        result = error_set(error, EXIT_REFUSED, "there is no jar at %s (HTTP %d)", request.url,
                           answer.status);
    }
    http_answer_free(&answer);
    return result;
}

static int check_path(const struct options *options, const struct submission *submission,
                      struct error *error)
{
    const char *given = submission->is_job ? options->jar : options->arguments[0];

    if (!is_missing_file(options, given))
        return 0;
    return error_set(error, EXIT_REFUSED,
                     "there is no file %s here: what only the workers have is to be given by its "
                     "whole path there, or as file:PATH",
                     given);
}

static int check_jar(const struct submission *submission, struct spark *spark, const char *version,
                     struct error *error)
{
    if (!submission->local_jar)
        return check_url(submission, spark, error);
    return jar_check(submission->local_jar, submission->main_class, version, submission->others,
                     error);
}

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "::1") == 0 || strcmp(host, "[::1]") == 0;
}

/* All of HOST:PORT,HOST:PORT. */
static bool all_loopback(const char *servers)
{
    char *copy = mem_text(servers), *rest = copy;
    bool all = *servers != '\0';

    for (char *one; all && (one = strsep(&rest, ","));) {
        char *port = strrchr(one, ':');
        if (port)
            *port = '\0';
        all = is_loopback(one + strspn(one, " "));
    }
    free(copy);
    return all;
}

/* A living worker that this machine's Docker engine has as a container. */
static const char *worker_in_container(const struct docker_containers *containers,
                                       const struct spark_state *state)
{
    for (size_t i = 0; i < state->worker_count; i++)
        if (strcmp(state->workers[i].state, "ALIVE") == 0 && !is_loopback(state->workers[i].host) &&
            docker_find_host(containers, state->workers[i].host))
            return state->workers[i].host;
    return NULL;
}

/* localhost is this machine here, and the container itself in a container: the job would
 * wait there for a broker for ever. Where no engine tells, the worker may have one. */
static int check_servers(const struct options *options, const struct submission *submission,
                         struct spark *spark, const struct spark_state *state, struct error *error)
{
    const char *servers = options->job_servers ? options->job_servers : options->bootstrap_servers;
    struct docker_containers containers;
    struct error trouble;
    const char *worker;
    int result = 0;

    if (!submission->is_job || !servers || !all_loopback(servers) ||
        docker_list(spark_http(spark), &containers, &trouble) < 0)
        return 0;
    worker = worker_in_container(&containers, state);
    if (worker)
        result = error_set(error, EXIT_REFUSED,
                           "the job would look for Kafka at %s, but the worker %s is a container, "
                           "where that is the container itself: give the address that containers "
                           "have for the broker, such as --job-bootstrap-servers broker:19092 "
                           "(tally doctor tells it), or --no-preflight",
                           servers, worker);
    docker_containers_free(&containers);
    return result;
}

static int check_leader(const struct options *options, const struct submission *submission,
                        struct spark *spark, struct preflight *preflight, struct error *error)
{
    struct demand demand = demand_of(submission->conf);

    if (spark_ask_version(spark, &preflight->version, error) < 0)
        return -1;
    log_verbose("preflight: %s is Spark %s, with %lld of %lld cores free", preflight->before->url,
                preflight->version,
                (long long)(preflight->before->cores - preflight->before->cores_used),
                (long long)preflight->before->cores);
    if (check_name(submission, preflight->before, error) < 0 ||
        check_servers(options, submission, spark, preflight->before, error) < 0 ||
        check_room(preflight->before, &demand, error) < 0)
        return -1;
    return check_jar(submission, spark, preflight->version, error);
}

/* Something stands before the master, and maybe no master behind it: what asks for nothing
 * tells, and then nobody needs to look for a driver. */
static int check_way(const struct options *options, struct spark *spark,
                     struct preflight *preflight, struct error *error)
{
    if (spark_masters(spark)->count > 1 || !(options->rest_url || options->proxy))
        return 0;
    return spark_ask_version(spark, &preflight->version, error);
}

int preflight_check(const struct options *options, const struct submission *submission,
                    struct spark *spark, int64_t patience_ms, struct preflight *preflight,
                    struct error *error)
{
    struct look look = {0};

    if (options->no_preflight || options->dry_run) {
        preflight->url = spark_masters_url(&submission->masters);
        return 0;
    }
    if (check_path(options, submission, error) < 0)
        return -1;
    if (find_leader(spark, patience_ms, &look, error) < 0) {
        free_look(&look);
        return -1;
    }
    preflight->url = look.url.data;
    preflight->before = look.leader;
    if (preflight->before)
        return check_leader(options, submission, spark, preflight, error);
    if (check_way(options, spark, preflight, error) < 0)
        return -1;
    return check_jar(submission, spark, "", error);
}

void preflight_free(struct preflight *preflight)
{
    spark_state_free(preflight->before);
    free(preflight->url);
    free(preflight->version);
    *preflight = (struct preflight){0};
}
