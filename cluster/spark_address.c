#include "cluster/spark_address.h"

#include <stdbool.h>
#include <stdlib.h>
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

static void set_url(char *to, const struct spark_master *master, int port)
{
    char *url = mem_format("http://%s:%d", master->host, port);

    memcpy(to, url, strlen(url) + 1); /* a host is much shorter than a URL may be */
    free(url);
}

static void set_ports(struct spark_master *master, int64_t rest_port, int64_t ui_port)
{
    master->rest_port = rest_port ? (int)rest_port : SPARK_REST_PORT;
    master->ui_port = ui_port ? (int)ui_port : SPARK_UI_PORT;
    master->page_is_guess = !ui_port && master->rest_port != SPARK_REST_PORT;
    if (master->port == SPARK_REST_PORT)
        master->port = SPARK_PORT;
    set_url(master->rest, master, master->rest_port);
    set_url(master->page, master, master->ui_port);
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

/* The host of a URL; 0 if it is none of ours. */
static size_t find_host(const char *url, const char **host)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (int i = 0; i < 2; i++) {
        size_t length = strlen(schemes[i]);
        if (strncmp(url, schemes[i], length) != 0)
            continue;
        *host = url + length;
        length = (size_t)(host_end(*host) - *host);
        length = strcspn(*host, "/") < length ? strcspn(*host, "/") : length;
        return is_host(*host, length) ? length : 0;
    }
    return 0;
}

static int copy_url(const char *url, char *to, struct error *error)
{
    const char *host;
    size_t length = strlen(url);

    if (strchr(url, '@')) /* it is not said again: it may be a secret */
        return error_set(error, EXIT_USAGE,
                         "--rest-url and --ui-url take no name and no password: they must be "
                         "http:// or https://HOST[:PORT][/PATH]");
    if (find_host(url, &host) == 0 || length >= LIMIT_URL_BYTES || strpbrk(url, " ?#") ||
        url[length - 1] == ':')
        return error_set(error, EXIT_USAGE,
                         "'%.200s' cannot be: it must be http:// or https://HOST[:PORT][/PATH]",
                         url);
    while (length > 0 && url[length - 1] == '/')
        length--;
    memcpy(to, url, length);
    to[length] = '\0';
    return 0;
}

int spark_masters_behind(const char *rest, const char *page, struct spark_masters *masters,
                         struct error *error)
{
    struct spark_master *master = &masters->list[0];
    const char *host = "";
    size_t length;

    if (masters->count > 1)
        return error_set(error, EXIT_USAGE, "--rest-url is for one master, not for %d",
                         masters->count);
    if (copy_url(rest, master->rest, error) < 0)
        return -1;
    *master->page = '\0';
    if (*page && copy_url(page, master->page, error) < 0)
        return -1;
    master->rest_port = master->ui_port = 0; /* are in the URLs */
    master->page_is_guess = false;
    if (masters->count == 1)
        return 0;
    length = find_host(rest, &host);
    if (length >= sizeof master->host)
        return error_set(error, EXIT_USAGE, "'%.200s': the host's name is too long", rest);
    memcpy(master->host, host, length);
    master->host[length] = '\0';
    master->port = SPARK_PORT;
    masters->count = 1;
    return 0;
}

char *spark_masters_url(const struct spark_masters *masters)
{
    struct buf url = {0};

    buf_text(&url, SCHEME);
    for (int i = 0; i < masters->count; i++)
        buf_format(&url, "%s%s:%d", i ? "," : "", masters->list[i].host, masters->list[i].port);
    return url.data;
}
