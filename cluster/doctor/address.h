/* address.h: hosts and addresses as they stand in variables and commands. */
#ifndef TALLY_DOCTOR_ADDRESS_H
#define TALLY_DOCTOR_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

enum host_kind {
    HOST_NONE,        /* "" */
    HOST_LOCAL,       /* localhost, 127.0.0.0/8, ::1 */
    HOST_ANY,         /* 0.0.0.0, :: */
    HOST_GATEWAY,     /* host.docker.internal and its kin: the machine that Docker runs on */
    HOST_PLACEHOLDER, /* to be replaced by who copies the file: <your-ip>, HOST_IP */
    HOST_PRIVATE,     /* a number of a local network (RFC 1918, 3927, 4193, 6598) */
    HOST_PUBLIC,      /* any other number */
    HOST_LABEL,       /* one label: a container's name, or a machine's */
    HOST_DOMAIN,      /* with dots */
};

enum host_kind host_kind(const char *host);

/* An address found in a text. */
struct address {
    size_t start, length; /* of host:port in the text */
    size_t host_length;   /* of the host, with an IPv6 address's brackets; it begins at `start` */
    int port;
    char scheme[16]; /* in lower case, without "://"; "" : none */
};

/* The first address (host:port, 1 to 65535) in `text` at or behind `from`. */
bool address_find(const char *text, size_t from, struct address *address);

#endif
