#include "cluster/spark_address.h"

#include <stdbool.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/number.h"

#define SCHEME "spark://"

static int no_master(const char *text, const char *why, struct error *error)
{
    return error_set(error, EXIT_USAGE,
                     "'%s' is no Spark master: %s; it must be spark://HOST:7077[,HOST:7077]", text,
                     why);
}

/* The end of the host: behind an IPv6 address's bracket, or at the last colon. */
static const char *host_end(const char *at)
{
    const char *bracket = *at == '[' ? strchr(at, ']') : NULL;

    return bracket ? bracket + 1 : at + strcspn(at, ":");
}

static bool is_host(const char *at, size_t length)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

    if (length > 2 && *at == '[')
        return strspn(at + 1, "0123456789abcdefABCDEF:.") == length - 2;
    return length > 0 && strspn(at, legal) == length;
}

/* One HOST:PORT; the port may be missing. */
static const char *parse_one(const char *at, struct spark_master *master)
{
    const char *end = host_end(at);
    size_t length = (size_t)(end - at);
    int64_t port = SPARK_PORT;

    if (length >= sizeof master->host || !is_host(at, length))
        return "a host is not readable";
    if (*end && (*end != ':' || !number_in_range(end + 1, 1, 65535, &port)))
        return "a port must be a number from 1 to 65535";
    memcpy(master->host, at, length);
    master->host[length] = '\0';
    master->port = (int)port;
    return NULL;
}

static void set_ports(struct spark_master *master, int64_t rest_port, int64_t ui_port)
{
    master->rest_port = rest_port ? (int)rest_port : SPARK_REST_PORT;
    master->ui_port = ui_port ? (int)ui_port : SPARK_UI_PORT;
    if (master->port == SPARK_REST_PORT)
        master->port = SPARK_PORT;
}

int spark_masters_parse(const char *text, int64_t rest_port, int64_t ui_port,
                        struct spark_masters *masters, struct error *error)
{
    const char *at = text + strlen(SCHEME);

    masters->count = 0;
    if (strncmp(text, SCHEME, strlen(SCHEME)) != 0)
        return no_master(text, "it does not begin with spark://", error);
    for (;;) {
        struct spark_master *master = &masters->list[masters->count];
        size_t length = strcspn(at, ",");
        char one[300];
        const char *why = length < sizeof one ? NULL : "a host is too long";
        if (masters->count == LIMIT_MASTERS)
            return error_set(error, EXIT_USAGE, "more than %d Spark masters", LIMIT_MASTERS);
        if (!why) {
            memcpy(one, at, length);
            one[length] = '\0';
            why = parse_one(one, master);
        }
        if (why)
            return no_master(text, why, error);
        set_ports(master, rest_port, ui_port);
        masters->count++;
        if (!at[length])
            return 0;
        at += length + 1;
    }
}

char *spark_masters_url(const struct spark_masters *masters)
{
    struct buf url = {0};

    buf_text(&url, SCHEME);
    for (int i = 0; i < masters->count; i++)
        buf_format(&url, "%s%s:%d", i ? "," : "", masters->list[i].host, masters->list[i].port);
    return url.data;
}
