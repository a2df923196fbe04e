#include "dashboard/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Asks nobody for a pass phrase. */
static int no_phrase(char *text, int size, int writing, void *context)
{
    (void)text;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static FILE *open_file(const char *what, const char *path, struct error *error)
{
    FILE *file = fopen(path, "re");

    if (!file)
        error_set(error, EXIT_INPUT, "cannot read the %s %s: %s", what, path, strerror(errno));
    return file;
}

static int check_mode(FILE *file, const char *path, struct error *error)
{
    struct stat found;

    if (fstat(fileno(file), &found) == 0 && (found.st_mode & (S_IROTH | S_IWOTH)) == 0)
        return 0;
    return error_set(error, EXIT_INPUT,
                     "the key %s can be read or written by everybody: chmod 600 %s, and take "
                     "another key if others were here",
                     path, path);
}

static X509 *read_cert(const char *path, struct error *error)
{
    FILE *file = open_file("certificate", path, error);
    X509 *cert;

    if (!file)
        return NULL;
    cert = PEM_read_X509(file, NULL, no_phrase, NULL);
    fclose(file);
    if (!cert)
        error_set(error, EXIT_INPUT, "%s holds no certificate in PEM", path);
    return cert;
}

static EVP_PKEY *read_key(const char *path, struct error *error)
{
    FILE *file = open_file("key", path, error);
    EVP_PKEY *key = NULL;

    if (!file)
        return NULL;
    if (check_mode(file, path, error) == 0) {
        key = PEM_read_PrivateKey(file, NULL, no_phrase, NULL);
        if (!key)
            error_set(error, EXIT_INPUT,
                      "%s holds no private key in PEM, or one with a pass phrase, which nobody can "
                      "be asked for",
                      path);
    }
    fclose(file);
    return key;
}

int tls_check(const char *cert_file, const char *key_file, struct error *error)
{
    X509 *cert = read_cert(cert_file, error);
    EVP_PKEY *key = cert ? read_key(key_file, error) : NULL;
    int result = cert && key ? 0 : -1;

    if (result == 0 && X509_check_private_key(cert, key) != 1)
        result = error_set(error, EXIT_INPUT, "the key %s is not that of the certificate %s",
                           key_file, cert_file);
    X509_free(cert);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return result;
}
