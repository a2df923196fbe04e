#include "dashboard/request.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cluster/base/number.h"

/* "[::1]:5000" into the name's length, brackets included, and the port's text. */
static size_t split_host(const char *host, const char **port)
{
    const char *bracket = *host == '[' ? strchr(host, ']') : NULL;
    const char *colon = strchr(bracket ? bracket : host, ':');
    size_t length = colon ? (size_t)(colon - host) : strlen(host);

    *port = colon ? colon + 1 : NULL;
    return length;
}

static bool same_name(const char *host, size_t length, const char *name)
{
    return strlen(name) == length && strncasecmp(host, name, length) == 0;
}

/* An IPv6 address has brackets in a Host header, and none elsewhere. */
static bool same_address(const char *host, size_t length, const char *address)
{
    if (strchr(address, ':') && length > 2 && *host == '[' && host[length - 1] == ']')
        return same_name(host + 1, length - 2, address);
    return same_name(host, length, address);
}

static bool is_port(const struct request_rules *rules, const char *text)
{
    int64_t given = rules->usual_port;

    return (!text || number_in_range(text, 1, 65535, &given)) && given == rules->port;
}

static bool is_own_name(const struct request_rules *rules, const char *host, size_t length,
                        const char *local)
{
    return same_name(host, length, "localhost") || same_name(host, length, "127.0.0.1") ||
           same_name(host, length, "[::1]") || same_address(host, length, rules->host) ||
           (local && same_address(host, length, local));
}

bool request_host_allowed(const struct request_rules *rules, const char *host, const char *local)
{
    const char *port;
    size_t length;

    if (!host || !*host)
        return false;
    length = split_host(host, &port);
    if (is_port(rules, port) && is_own_name(rules, host, length, local))
        return true;
    for (const char *const *allowed = rules->allow_hosts; allowed && *allowed; allowed++)
        if (strcasecmp(host, *allowed) == 0 || same_name(host, length, *allowed))
            return true;
    return false;
}

static const char *after_scheme(const char *origin)
{
    if (strncasecmp(origin, "http://", 7) == 0)
        return origin + 7;
    if (strncasecmp(origin, "https://", 8) == 0)
        return origin + 8;
    return NULL;
}

bool request_origin_allowed(const struct request_rules *rules, const char *origin, const char *host)
{
    const char *rest;

    if (!origin)
        return true;
    rest = after_scheme(origin);
    if (rest && host && strcasecmp(rest, host) == 0)
        return true;
    for (const char *const *allowed = rules->allow_origins; allowed && *allowed; allowed++)
        if (strcasecmp(origin, *allowed) == 0)
            return true;
    return false;
}

bool request_token_matches(const char *given, size_t length, const char *token)
{
    size_t token_length = strlen(token);
    unsigned char difference = length != token_length;

    /* Always as long as what was given, never as far as it agrees. */
    for (size_t i = 0; i < length; i++)
        difference |= (unsigned char)(given[i] ^ token[token_length ? i % token_length : 0]);
    return difference == 0;
}

bool request_bearer_matches(const char *authorization, const char *token)
{
    if (strncasecmp(authorization, "Bearer ", 7) != 0)
        return false;
    authorization += 7;
    authorization += strspn(authorization, " ");
    return request_token_matches(authorization, strlen(authorization), token);
}

const char *request_cookie(const char *cookies, const char *name, size_t *length)
{
    size_t name_length = strlen(name);

    while (*cookies) {
        cookies += strspn(cookies, " ;");
        *length = strcspn(cookies, ";");
        if (*length > name_length && strncmp(cookies, name, name_length) == 0 &&
            cookies[name_length] == '=') {
            *length -= name_length + 1;
            return cookies + name_length + 1;
        }
        cookies += *length;
    }
    return NULL;
}

bool request_length_is_sound(const char *content_length)
{
    int64_t length;

    return isdigit((unsigned char)*content_length) &&
           number_in_range(content_length, 0, INT64_MAX, &length);
}

/* "gzip;q=0", "gzip; q=0.000" and the like refuse. */
static bool refuses(const char *parameters, size_t length)
{
    const char *q = memchr(parameters, '=', length);

    if (!q)
        return false;
    for (q++; q < parameters + length; q++)
        if (*q >= '1' && *q <= '9')
            return false;
    return true;
}

bool request_accepts_gzip(const char *accept_encoding)
{
    const char *at = accept_encoding;

    while (at && *at) {
        size_t length, name;
        at += strspn(at, " \t,");
        length = strcspn(at, ",");
        name = strcspn(at, " \t,;");
        if (name == 4 && strncasecmp(at, "gzip", 4) == 0)
            return !refuses(at + name, length - name);
        at += length;
    }
    return false;
}

bool request_etag_matches(const char *if_none_match, const char *etag)
{
    const char *at = if_none_match;
    size_t wanted = strlen(etag);

    while (at && *at) {
        size_t length;
        at += strspn(at, " \t,");
        if (strncmp(at, "W/", 2) == 0)
            at += 2;
        length = strcspn(at, ", \t");
        if ((length == 1 && *at == '*') || (length == wanted && memcmp(at, etag, wanted) == 0))
            return true;
        at += length;
    }
    return false;
}

int request_narrow(const char *argument, struct history_range *range, struct error *error)
{
    const char *value = strchr(argument, '=');
    size_t name = value ? (size_t)(value - argument) : strlen(argument);
    int64_t *bound = same_name(argument, name, "from") ? &range->from
                     : same_name(argument, name, "to") ? &range->to
                                                       : NULL;
    bool is_limit = same_name(argument, name, "limit");
    int64_t number;

    if (!bound && !is_limit)
        return 0;
    value = value ? value + 1 : "";
    if (!number_in_range(value, is_limit ? 0 : INT64_MIN, INT64_MAX, &number))
        return error_set(error, EXIT_INPUT, "%.*s=%s: a whole number%s is needed", (int)name,
                         argument, value, is_limit ? " from 0 on" : " of milliseconds");
    if (bound)
        *bound = number;
    else
        range->limit = (size_t)number;
    return 0;
}
