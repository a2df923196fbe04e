/* tls.h: a look at the certificate and the key before the server takes them:
 * libwebsockets says of a bad one only that it failed. */
#ifndef TALLY_TLS_H
#define TALLY_TLS_H

#include "cluster/base/error.h"

/* Both in PEM; the key belongs to the first certificate, has no pass phrase,
 * and is nobody else's to read. EXIT_INPUT. */
int tls_check(const char *cert_file, const char *key_file, struct error *error);

#endif
