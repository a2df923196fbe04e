/* tally's own options, all commands': what each is, and how its value is read. */
#include "runner/option_row.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/base/number.h"

#define YEAR_MS (366LL * 86400000)

static void *field_of(struct options *options, const struct option_row *row)
{
    return (char *)options + row->offset;
}

static int set_flag(struct options *options, const struct option_row *row, const char *text,
                    struct error *error)
{
    (void)text;
    (void)error;
    *(bool *)field_of(options, row) = true;
    return 0;
}

static int set_text(struct options *options, const struct option_row *row, const char *text,
                    struct error *error)
{
    if (!*text)
        return error_set(error, EXIT_USAGE, "--%s is empty", row->name);
    *(const char **)field_of(options, row) = text;
    return 0;
}

static int set_number(struct options *options, const struct option_row *row, const char *text,
                      struct error *error)
{
    if (number_in_range(text, row->low, row->high, field_of(options, row)))
        return 0;
    return error_set(error, EXIT_USAGE, "--%s '%s': it must be a whole number from %lld to %lld",
                     row->name, text, (long long)row->low, (long long)row->high);
}

static int set_port(struct options *options, const struct option_row *row, const char *text,
                    struct error *error)
{
    options->port_given = true;
    return set_number(options, row, text, error);
}

static int set_duration(struct options *options, const struct option_row *row, const char *text,
                        struct error *error)
{
    int64_t *value = field_of(options, row);

    if (number_duration(text, value) && *value >= row->low && *value <= row->high)
        return 0;
    return error_set(error, EXIT_USAGE, "--%s '%s': it must be a time such as 500ms, 10s or 1h",
                     row->name, text);
}

static int set_history(struct options *options, const struct option_row *row, const char *text,
                       struct error *error)
{
    options->history_ms = options->history_windows = 0;
    if (number_duration(text, &options->history_ms) && options->history_ms > 0 &&
        options->history_ms <= row->high)
        return 0;
    options->history_ms = 0;
    if (number_in_range(text, 1, LIMIT_HISTORY_CELLS, &options->history_windows))
        return 0;
    return error_set(error, EXIT_USAGE,
                     "--%s '%s': it must be a time such as 6h, or a number of windows from 1 to %d",
                     row->name, text, LIMIT_HISTORY_CELLS);
}

/* "/tally", without the slash at its end; "/" is none. */
static int set_base_path(struct options *options, const struct option_row *row, const char *text,
                         struct error *error)
{
    size_t length = strlen(text);

    if (strcmp(text, "/") == 0)
        return 0;
    if (length < 2 || length > LIMIT_NAME || *text != '/' || text[length - 1] == '/' ||
        strstr(text, "//") || strstr(text, "/.") ||
        strspn(text, "/-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") !=
            length)
        return error_set(error, EXIT_USAGE,
                         "--%s '%s': it must be a path such as /tally: letters, digits, - _ ~ . "
                         "and / within",
                         row->name, text);
    return set_text(options, row, text, error);
}

static int set_rate(struct options *options, const struct option_row *row, const char *text,
                    struct error *error)
{
    if (strcmp(text, "max") == 0) {
        options->rate = RATE_MAX;
        return 0;
    }
    if (number_thousandths(text, &options->rate))
        return 0;
    return error_set(error, EXIT_USAGE, "--%s '%s': it must be records a second, or max", row->name,
                     text);
}

static int set_header(struct options *options, const struct option_row *row, const char *text,
                      struct error *error)
{
    if (strcmp(text, "yes") == 0)
        options->header = HEADER_YES;
    else if (strcmp(text, "no") == 0)
        options->header = HEADER_NO;
    else
        return error_set(error, EXIT_USAGE, "--%s '%s': it must be yes or no", row->name, text);
    return 0;
}

static int set_offset(struct options *options, const struct option_row *row, const char *text,
                      struct error *error)
{
    if (strcmp(text, "beginning") != 0 && strcmp(text, "end") != 0)
        return error_set(error, EXIT_USAGE, "--%s '%s': it must be beginning or end", row->name,
                         text);
    options->from_end = strcmp(text, "end") == 0;
    return 0;
}

static int set_servers(struct options *options, const struct option_row *row, const char *text,
                       struct error *error)
{
    char *pair = mem_format("bootstrap.servers=%s", text);
    int result = set_text(options, row, text, error);

    if (result == 0)
        result = kafka_settings_add(options->kafka, pair, error);
    free(pair);
    return result;
}

static int set_kafka(struct options *options, const struct option_row *row, const char *text,
                     struct error *error)
{
    (void)row;
    return kafka_settings_add(options->kafka, text, error);
}

static int set_kafka_config(struct options *options, const struct option_row *row, const char *text,
                            struct error *error)
{
    (void)row;
    return kafka_settings_read(options->kafka, text, error);
}

void list_add(const char ***list, const char *text, bool first)
{
    size_t count = 0;

    while (*list && (*list)[count])
        count++;
    *list = mem_grow(*list, count + 2, sizeof **list);
    (*list)[count + 1] = NULL;
    if (first)
        memmove(*list + 1, *list, count * sizeof **list);
    (*list)[first ? 0 : count] = text;
}

static int set_list(struct options *options, const struct option_row *row, const char *text,
                    struct error *error)
{
    (void)error;
    list_add(field_of(options, row), text, false);
    return 0;
}

/* "local" is what is there without a master. */
static int set_master(struct options *options, const struct option_row *row, const char *text,
                      struct error *error)
{
    if (strcmp(text, "local") != 0)
        return set_text(options, row, text, error);
    options->master = NULL;
    return 0;
}

static int set_tail(struct options *options, const struct option_row *row, const char *text,
                    struct error *error)
{
    options->tail = -1;
    if (strcmp(text, "all") == 0 || number_in_range(text, 0, INT64_MAX, &options->tail))
        return 0;
    return error_set(error, EXIT_USAGE, "--%s '%s': it must be a number of lines, or all",
                     row->name, text);
}

static int set_executor(struct options *options, const struct option_row *row, const char *text,
                        struct error *error)
{
    int64_t number;

    options->executor = text;
    if (strcmp(text, "all") == 0 || number_in_range(text, 0, INT32_MAX, &number))
        return 0;
    return error_set(error, EXIT_USAGE, "--%s '%s': it must be an executor's number, or all",
                     row->name, text);
}

#define FIELD(name) offsetof(struct options, name)

const struct option_row own_options[] = {
    {"bootstrap-servers", 'b', "HOST:PORT[,...]", NULL, "Kafka, as this program sees it",
     set_servers, FIELD(bootstrap_servers), 0, 0},
    {"set", 'X', "KEY=VALUE", NULL, "a setting of Kafka's client, as in kcat; may be repeated",
     set_kafka, 0, 0, 0},
    {"kafka-config", 'F', "FILE", NULL, "a file of such settings, one a line", set_kafka_config, 0,
     0, 0},
    {"rate", 'r', "N|max", "10", "records a second", set_rate, 0, 0, 0},
    {"time-column", 0, "NAME|INDEX", NULL, "the column that holds a row's time, in ms since 1970",
     set_text, FIELD(time_column), 0, 0},
    {"header", 0, "yes|no", NULL,
     "whether the CSV has a header row (if not said: when a column is given by name)", set_header,
     0, 0, 0},
    {"strict", 0, NULL, NULL,
     "what is doubtful is an error: a row that cannot be read, a suspicious file", set_flag,
     FIELD(strict), 0, 0},
    {"start-time", 0, "MS", NULL,
     "the first row's time; row n comes n / rate seconds later (10 a second at --rate max)",
     set_number, FIELD(start_time), 0, LIMIT_TIME_MS},
    {"skip", 0, "N", "0", "leave out the first N rows: to go on after an interruption", set_number,
     FIELD(skip), 0, INT64_MAX},
    {"loop", 0, NULL, NULL, "begin again at the end of the file", set_flag, FIELD(loop), 0, 0},
    {"partitions", 0, "N", "1", "partitions of the topic, if it has to be created", set_number,
     FIELD(partitions), 1, LIMIT_PARTITIONS},
    {"feed", 0, "FILE", NULL, "feed this CSV instead of the sample", set_text, FIELD(feed), 0, 0},
    {"once", 0, NULL, NULL, "end when all there is has been counted", set_flag, FIELD(once), 0, 0},
    {"max-future", 0, "TIME", "1h", "reject records that are further ahead of the clock",
     set_duration, FIELD(max_future), 0, 100 * YEAR_MS},
    {"offset", 'o', "beginning|end", "beginning", "where to begin", set_offset, 0, 0, 0},
    {"count", 'c', "N", NULL, "end after N records", set_number, FIELD(count), 1, INT64_MAX},
    {"exit", 'e', NULL, NULL, "end at the end of the topic", set_flag, FIELD(exit_at_end), 0, 0},
    {"json", 0, NULL, NULL, "as JSON, on a terminal too", set_flag, FIELD(json), 0, 0},
    {"wait-topic", 0, NULL, NULL, "wait for a result topic that does not exist yet", set_flag,
     FIELD(wait_topic), 0, 0},
    {"host", 0, "ADDRESS", "127.0.0.1", "the address the page listens on", set_text, FIELD(host), 0,
     0},
    {"port", 'p', "N", "5000", "the page's port; if not given and taken, the next free one",
     set_port, FIELD(port), 0, 65535},
    {"no-page", 0, NULL, NULL, "no page", set_flag, FIELD(no_page), 0, 0},
    {"allow-host", 0, "NAME", NULL,
     "another name by which browsers may call the page; may be repeated", set_list,
     FIELD(allow_hosts), 0, 0},
    {"allow-origin", 0, "URL", NULL, "another site whose pages may read the feed; may be repeated",
     set_list, FIELD(allow_origins), 0, 0},
    {"token-file", 0, "FILE", NULL, "ask for the token that stands in this file", set_text,
     FIELD(token_file), 0, 0},
    {"history", 0, "TIME|N", NULL,
     "the windows of that time, or so many, from the topic (default: the newest 3600)", set_history,
     0, 0, 100 * YEAR_MS},
    {"max-clients", 0, "N", "20000", "live clients at a time; more get HTTP 503", set_number,
     FIELD(max_clients), 1, LIMIT_CLIENTS},
    {"base-path", 0, "/PATH", NULL, "the path under which a proxy passes the page on",
     set_base_path, FIELD(base_path), 0, 0},
    {"tls-cert", 0, "FILE", NULL, "speak https, with the certificates in this file (PEM)", set_text,
     FIELD(tls_cert), 0, 0},
    {"tls-key", 0, "FILE", NULL, "the private key of the first of them (PEM)", set_text,
     FIELD(tls_key), 0, 0},
    {"access-log", 0, "FILE", NULL,
     "a line for each request, in the common log format; - is standard error", set_text,
     FIELD(access_log), 0, 0},
    {"master", 'm', "spark://HOST:PORT[,...]", NULL,
     "Spark's master, or all of them; port 7077 stands for its REST port", set_master,
     FIELD(master), 0, 0},
    {"rest-port", 0, "N", NULL, "the port of Spark's REST API (usually 6066)", set_number,
     FIELD(rest_port), 1, 65535},
    {"ui-port", 0, "N", NULL, "the port of the master's page (usually 8080)", set_number,
     FIELD(ui_port), 1, 65535},
    {"rest-url", 0, "URL", NULL,
     "the REST API of a master behind a gateway: https://HOST[:PORT][/PATH]", set_text,
     FIELD(rest_url), 0, 0},
    {"ui-url", 0, "URL", NULL, "the master's page there", set_text, FIELD(ui_url), 0, 0},
    {"cacert", 0, "FILE", NULL, "trust the authorities in this file, not the system's (https)",
     set_text, FIELD(ca_file), 0, 0},
    {"proxy", 0, "URL", NULL, "ask Spark through this proxy (http_proxy is not obeyed)", set_text,
     FIELD(proxy), 0, 0},
    {"jws-key-file", 0, "FILE", NULL,
     "sign the requests (HS256) with the key in this file, base64url; or with TALLY_JWS_KEY",
     set_text, FIELD(jws_key_file), 0, 0},
    {"class", 0, "NAME", NULL, "the main class (of a JAR that is here: default is its manifest's)",
     set_text, FIELD(main_class), 0, 0},
    {"name", 0, "NAME", NULL, "the application's name (default: tally-JOB, --class, or the file's)",
     set_text, FIELD(name), 0, 0},
    {"conf", 'c', "KEY=VALUE", NULL, "a setting of Spark's; may be repeated", set_list, FIELD(conf),
     0, 0},
    {"supervise", 0, NULL, NULL, "start the driver again when it fails", set_flag, FIELD(supervise),
     0, 0},
    {"deploy-mode", 0, "cluster", NULL, "where the driver runs: in the cluster", set_text,
     FIELD(deploy_mode), 0, 0},
    {"jar", 0, "PATH|URI", "/opt/tally/tally-job.jar",
     "the job's jar: one that is here is served to the workers, others are as they find them",
     set_text, FIELD(jar), 0, 0},
    {"checkpoint", 0, "URI", NULL,
     "where the job keeps its progress (default: file:///spark/work/check/JOB/TOPIC)", set_text,
     FIELD(checkpoint), 0, 0},
    {"job-bootstrap-servers", 0, "HOST:PORT[,...]", NULL,
     "Kafka, as the job in the cluster sees it (default: --bootstrap-servers; for run, unless that "
     "is localhost)",
     set_text, FIELD(job_servers), 0, 0},
    {"topic", 't', "TOPIC", NULL, "the source topic, instead of the job's own", set_text,
     FIELD(topic), 0, 0},
    {"group", 0, "PREFIX", NULL, "the prefix of the names of Spark's consumer groups", set_text,
     FIELD(group), 0, 0},
    {"serve-address", 0, "HOST[:PORT]", NULL,
     "this machine's address for workers that fetch local files (default: found out)", set_text,
     FIELD(serve_address), 0, 0},
    {"no-serve", 0, NULL, NULL, "serve no local files: every path is as the workers find it",
     set_flag, FIELD(no_serve), 0, 0},
    {"unless-running", 0, NULL, NULL, "do nothing when an application of that name is active",
     set_flag, FIELD(unless_running), 0, 0},
    {"wait-running", 0, NULL, NULL, "stay until the driver runs and its application has registered",
     set_flag, FIELD(wait_running), 0, 0},
    {"follow", 'f', NULL, NULL, "stay until the driver ends", set_flag, FIELD(follow), 0, 0},
    {"timeout", 0, "TIME", NULL, "give up waiting after that time", set_duration, FIELD(timeout), 0,
     100 * YEAR_MS},
    {"stdout", 0, NULL, NULL, "standard output, not standard error", set_flag, FIELD(to_stdout), 0,
     0},
    {"stderr", 0, NULL, NULL, "standard error, which is what is shown without --stdout, too",
     set_flag, FIELD(to_stderr), 0, 0},
    {"tail", 0, "N|all", "all", "begin with the last N lines", set_tail, 0, 0, 0},
    {"executor", 0, "N|all", NULL, "the log of that executor of the application, or of each",
     set_executor, 0, 0, 0},
    {"live", 0, NULL, NULL, "try the addresses themselves, from here and from Docker's networks",
     set_flag, FIELD(live), 0, 0},
    {"round-trip", 0, NULL, NULL,
     "with --live: send one record there and back, through a topic made for it", set_flag,
     FIELD(round_trip), 0, 0},
    {"from", 0, "PLACE", NULL, NULL, set_text, FIELD(from), 0, 0}, /* of doctor's own, inside */
    {"all", 0, NULL, NULL, "all active drivers", set_flag, FIELD(all), 0, 0},
    {"yes", 'y', NULL, NULL, "do not ask", set_flag, FIELD(yes), 0, 0},
    {"properties-file", 0, "FILE", NULL,
     "a file of Spark's settings, in the place of spark-defaults.conf", set_text,
     FIELD(properties_file), 0, 0},
    {"load-spark-defaults", 0, NULL, NULL, "read spark-defaults.conf, too, before that file",
     set_flag, FIELD(load_defaults), 0, 0},
    {"kill", 0, "ID", NULL, "do what tally kill does", set_text, FIELD(kill_id), 0, 0},
    {"status", 0, "ID", NULL, "do what tally status does", set_text, FIELD(status_id), 0, 0},
    {"version", 0, NULL, NULL, "tally's version, and nothing else", set_flag, FIELD(version), 0, 0},
    {"dry-run", 0, NULL, NULL, "print the request, as JSON, and ask and send nothing", set_flag,
     FIELD(dry_run), 0, 0},
    {"no-preflight", 0, NULL, NULL, "submit without looking at the cluster first", set_flag,
     FIELD(no_preflight), 0, 0},
    {"file", 'f', "FILE", NULL, "a compose file; several are merged in order", set_list,
     FIELD(files), 0, 0},
    {"env-file", 0, "FILE", NULL,
     "the variables of the compose files, in the place of .env; may be repeated", set_list,
     FIELD(env_files), 0, 0},
    {"fix", 0, NULL, NULL, "write the corrected file beside the old: NAME.fixed.yml", set_flag,
     FIELD(fix), 0, 0},
    {"diff", 0, NULL, NULL, "print what would be corrected, as diff -u does", set_flag, FIELD(diff),
     0, 0},
    {"explain", 0, "RULE", NULL, "print the rule, with an example, wrong and right", set_text,
     FIELD(explain), 0, 0},
    {"keep", 0, NULL, NULL, "leave the driver running at Ctrl-C", set_flag, FIELD(keep), 0, 0},
    {"verbose", 'v', NULL, NULL, "say more, and where each value came from", set_flag,
     FIELD(verbose), 0, 0},
    {"help", 'h', NULL, NULL, "this text", set_flag, FIELD(help), 0, 0},
};

const size_t own_option_count = sizeof own_options / sizeof own_options[0];
