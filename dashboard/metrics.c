#include "dashboard/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "dashboard/parts.h"

static const int64_t bounds_ms[METRICS_BUCKETS] = {5,   10,   25,   50,   100,   150,   250,
                                                   500, 1000, 2500, 5000, 10000, 30000, 60000};

void metrics_observe(struct metrics_latency *latency, int64_t ms)
{
    size_t i = 0;

    if (ms < 0)
        return;
    while (i < METRICS_BUCKETS && ms > bounds_ms[i])
        i++;
    latency->buckets[i]++;
    latency->sum_ms += ms;
}

static void write_head(struct buf *buf, const char *name, const char *type, const char *help)
{
    buf_format(buf, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* ---- of each job; `get` says which; what is unknown is left out */

static long long get_records(const struct channel *channel)
{
    return (long long)relay_stats(channel->relay).records;
}

static long long get_rejected(const struct channel *channel)
{
    return (long long)relay_stats(channel->relay).rejected;
}

static long long get_windows(const struct channel *channel)
{
    return (long long)history_count(channel->history);
}

static long long get_updates(const struct channel *channel)
{
    return (long long)history_last(channel->history);
}

static long long get_result_lag(const struct channel *channel)
{
    return relay_stats(channel->relay).lag;
}

static struct server_job_state job_state(const struct channel *channel)
{
    const struct server_config *config = &channel->server->config;

    if (config->job_state)
        return config->job_state(config->context, channel->spec);
    return (struct server_job_state){.source_lag = -1};
}

static long long get_source_lag(const struct channel *channel)
{
    return job_state(channel).source_lag;
}

static long long get_connected(const struct channel *channel)
{
    return relay_stats(channel->relay).connected;
}

static long long get_master(const struct channel *channel)
{
    struct server_job_state state = job_state(channel);

    return state.spark ? !state.spark->master_lost : -1;
}

static void write_of_jobs(const struct server *server, struct buf *buf)
{
    static const struct {
        const char *name, *type, *help;
        long long (*get)(const struct channel *);
    } rows[] = {
        {"tally_result_records_total", "counter", "Result records read.", get_records},
        {"tally_result_records_rejected_total", "counter", "Of them, no record of the job.",
         get_rejected},
        {"tally_windows", "gauge", "Windows in the history.", get_windows},
        {"tally_window_updates_total", "counter", "Windows that came or grew.", get_updates},
        {"tally_result_lag", "gauge", "Result records not read yet.", get_result_lag},
        {"tally_source_lag", "gauge", "Source records not counted yet.", get_source_lag},
        {"tally_kafka_connected", "gauge", "Whether some broker answers.", get_connected},
        {"tally_spark_master_connected", "gauge", "Whether the Spark master answers.", get_master},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_head(buf, rows[i].name, rows[i].type, rows[i].help);
        for (size_t k = 0; k < server->channel_count; k++) {
            long long value = rows[i].get(&server->channels[k]);
            if (value >= 0)
                buf_format(buf, "%s{job=\"%s\"} %lld\n", rows[i].name,
                           server->channels[k].spec->name, value);
        }
    }
}

static void write_latency(const struct channel *channel, struct buf *buf)
{
    static const char name[] = "tally_window_latency_seconds";
    const struct metrics_latency *latency = &channel->latency;
    const char *job = channel->spec->name;
    uint64_t count = 0;

    for (size_t i = 0; i < METRICS_BUCKETS; i++) {
        count += latency->buckets[i];
        buf_format(buf, "%s_bucket{job=\"%s\",le=\"%g\"} %" PRIu64 "\n", name, job,
                   (double)bounds_ms[i] / 1000, count);
    }
    count += latency->buckets[METRICS_BUCKETS];
    buf_format(buf, "%s_bucket{job=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name, job, count);
    buf_format(buf, "%s_sum{job=\"%s\"} %.3f\n", name, job, (double)latency->sum_ms / 1000);
    buf_format(buf, "%s_count{job=\"%s\"} %" PRIu64 "\n", name, job, count);
}

/* ---- of the server */

static void write_number(struct buf *buf, const char *name, const char *type, const char *help,
                         uint64_t value)
{
    write_head(buf, name, type, help);
    buf_format(buf, "%s %" PRIu64 "\n", name, value);
}

static void write_by_transport(struct buf *buf, const char *name, const char *type,
                               const char *help, const uint64_t *values)
{
    write_head(buf, name, type, help);
    buf_format(buf, "%s{transport=\"ws\"} %" PRIu64 "\n", name, values[TRANSPORT_WS]);
    buf_format(buf, "%s{transport=\"sse\"} %" PRIu64 "\n", name, values[TRANSPORT_SSE]);
}

/* The second number of statm, in pages (proc(5)); 0: not known. */
static uint64_t resident_bytes(void)
{
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (!file)
        return 0;
    if (fscanf(file, "%*u %llu", &pages) != 1) /* NOLINT(cert-err34-c): the kernel's own */
        pages = 0;
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void write_of_clients(const struct server *server, struct buf *buf)
{
    const uint64_t clients[TRANSPORTS] = {
        [TRANSPORT_WS] = (uint64_t)server->counts[TRANSPORT_WS],
        [TRANSPORT_SSE] = (uint64_t)server->counts[TRANSPORT_SSE],
    };

    write_by_transport(buf, "tally_clients", "gauge", "Live clients.", clients);
    write_by_transport(buf, "tally_clients_dropped_total", "counter",
                       "Live clients closed because they did not take or answer anything.",
                       server->dropped);
    write_number(buf, "tally_client_snapshots_total", "counter",
                 "Slow clients brought to the newest state.", server->snapshots);
    write_number(buf, "tally_clients_refused_total", "counter", "Clients refused for lack of room.",
                 server->refused);
    write_number(buf, "tally_clients_limit", "gauge", "Live clients that there may be.",
                 (uint64_t)server->config.max_clients);
}

void metrics_write(const struct server *server, struct buf *buf)
{
    write_of_jobs(server, buf);
    write_head(buf, "tally_window_latency_seconds", "histogram",
               "From a window's end to the sending of an update of it to a client.");
    for (size_t i = 0; i < server->channel_count; i++)
        write_latency(&server->channels[i], buf);
    write_of_clients(server, buf);
    write_number(buf, "tally_requests_total", "counter", "HTTP requests answered.",
                 server->requests);
    write_number(buf, "tally_sent_bytes_total", "counter", "Bytes sent.", server->sent_bytes);
    write_number(buf, "tally_resident_memory_bytes", "gauge", "Memory of the process.",
                 resident_bytes());
    write_head(buf, "tally_info", "gauge", "The program's version.");
    buf_format(buf, "tally_info{version=\"%s\"} 1\n", TALLY_VERSION);
}
