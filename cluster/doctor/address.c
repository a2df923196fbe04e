#include "cluster/doctor/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool within(uint32_t address, uint32_t network, int bits)
{
    return (address >> (32 - bits)) == (network >> (32 - bits));
}

static enum host_kind kind_of_v4(uint32_t address)
{
    if (address == 0)
        return HOST_ANY;
    if (within(address, 0x7f000000, 8))
        return HOST_LOCAL;
    if (within(address, 0x0a000000, 8) || within(address, 0xac100000, 12) ||
        within(address, 0xc0a80000, 16) || within(address, 0xa9fe0000, 16) ||
        within(address, 0x64400000, 10))
        return HOST_PRIVATE;
    return HOST_PUBLIC;
}

static enum host_kind kind_of_v6(const struct in6_addr *address)
{
    if (IN6_IS_ADDR_UNSPECIFIED(address))
        return HOST_ANY;
    if (IN6_IS_ADDR_LOOPBACK(address))
        return HOST_LOCAL;
    if (IN6_IS_ADDR_LINKLOCAL(address) || (address->s6_addr[0] & 0xfe) == 0xfc)
        return HOST_PRIVATE;
    return HOST_PUBLIC;
}

static bool any_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (!strcasecmp(text, *words))
            return true;
    return false;
}

static bool any_within(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcasestr(text, *words))
            return true;
    return false;
}

/* HOST_IP, MYHOST: a name that shouts. */
static bool shouts(const char *host)
{
    size_t letters = 0;

    for (const char *p = host; *p; p++) {
        if (islower((unsigned char)*p))
            return false;
        letters += isupper((unsigned char)*p) != 0;
    }
    return letters >= 2;
}

static bool is_placeholder(const char *host)
{
    static const char *const words[] = {"ip",         "host",     "hostname",    "hostip",
                                        "dockerhost", "ipaddr",   "docker-host", "docker_host",
                                        "ipaddress",  "serverip", "server",      NULL};
    static const char *const parts[] = {
        "your",      "my_ip",      "my-ip",      "host_ip",     "host-ip",   "x.x",
        "xx.xx",     "*",          "ip_addr",    "ip-addr",     "ip_here",   "changeme",
        "replace",   "local_ip",   "local-ip",   "server_ip",   "server-ip", "public_ip",
        "public-ip", "machine_ip", "machine-ip", "placeholder", NULL};

    for (const char *p = host; *p; p++)
        if ((unsigned char)*p >= 0x80 || strchr("<>{}$%[]()#|\\ ", *p))
            return true;
    return any_of(host, words) || any_within(host, parts) || shouts(host);
}

enum host_kind host_kind(const char *host)
{
    static const char *const local[] = {"localhost", "localhost.localdomain", "ip6-localhost",
                                        NULL};
    static const char *const gateway[] = {"host.docker.internal",
                                          "gateway.docker.internal",
                                          "docker.for.mac.localhost",
                                          "docker.for.win.localhost",
                                          "docker.for.mac.host.internal",
                                          "docker.for.win.host.internal",
                                          "kubernetes.docker.internal",
                                          "host.containers.internal",
                                          NULL};
    struct in_addr v4;
    struct in6_addr v6;

    if (!*host)
        return HOST_NONE;
    if (!strcmp(host, "0.0.0.0"))
        return HOST_ANY;
    if (strchr("lLiI", *host) && any_of(host, local))
        return HOST_LOCAL;
    if (strchr(host, '.') && any_of(host, gateway))
        return HOST_GATEWAY;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return kind_of_v4(ntohl(v4.s_addr));
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return kind_of_v6(&v6);
    if (is_placeholder(host))
        return HOST_PLACEHOLDER;
    return strchr(host, '.') ? HOST_DOMAIN : HOST_LABEL;
}

static bool in_host(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == '-' || c == '_';
}

/* The port behind the colon at `at`; 0: none. `end` is behind it. */
static int port_at(const char *text, size_t at, size_t *end)
{
    long port = 0;
    size_t i = at + 1;

    while (isdigit((unsigned char)text[i]) && i - at <= 5)
        port = port * 10 + (text[i++] - '0');
    if (i == at + 1 || i - at > 6 || isalnum((unsigned char)text[i]) || text[i] == '_' ||
        text[i] == ':' || (text[i] == '.' && isalnum((unsigned char)text[i + 1])))
        return 0;
    *end = i;
    return port >= 1 && port <= 65535 ? (int)port : 0;
}

static size_t host_start(const char *text, size_t from, size_t colon)
{
    size_t i = colon;

    if (i > from && text[i - 1] == ']') {
        while (i > from && text[i - 1] != '[')
            i--;
        return i > from ? i - 1 : colon;
    }
    while (i > from && in_host(text[i - 1]))
        i--;
    while (i < colon && (text[i] == '-' || text[i] == '.'))
        i++;
    return i;
}

/* A number alone is no host: "topic:1:1", "10:30". */
static bool is_host(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (isalpha((unsigned char)text[i]) || text[i] == '.' || text[i] == '[')
            return true;
    return false;
}

static void read_scheme(const char *text, size_t from, size_t start, char scheme[16])
{
    size_t end = start, i, length;

    *scheme = '\0';
    if (end > from && text[end - 1] == '@') /* user:password@host */
        while (end > from && text[end - 1] != '/' && !isspace((unsigned char)text[end - 1]))
            end--;
    if (end < from + 3 || strncmp(text + end - 3, "://", 3) != 0)
        return;
    for (i = end - 3; i > from && (in_host(text[i - 1]) || text[i - 1] == '+');)
        i--;
    length = end - 3 - i;
    for (size_t k = 0; k < length && k < 15; k++)
        scheme[k] = (char)tolower((unsigned char)text[i + k]);
    scheme[length < 15 ? length : 15] = '\0';
}

bool address_find(const char *text, size_t from, struct address *address)
{
    const char *colon = text + from;

    while ((colon = strchr(colon, ':'))) {
        size_t at = (size_t)(colon - text), end = 0, start = host_start(text, from, at);
        int port = is_host(text + start, at - start) ? port_at(text, at, &end) : 0;

        if (port) {
            *address = (struct address){
                .start = start, .length = end - start, .host_length = at - start, .port = port};
            read_scheme(text, from, start, address->scheme);
            return true;
        }
        colon++;
    }
    return false;
}
