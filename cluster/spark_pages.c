#include "cluster/spark_pages.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"

#define WAIT_MS 2000

/* ":8081" of "http://host:8081"; "" when it has none. */
static const char *port_of(const char *web)
{
    const char *colon = strrchr(web, ':');

    return colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1) ? colon : "";
}

/* Each once. */
static void add(struct spark_pages *pages, char *address)
{
    for (int i = 0; i < SPARK_ADDRESSES; i++) {
        if (!pages->addresses[i]) {
            pages->addresses[i] = address;
            return;
        }
        if (strcmp(pages->addresses[i], address) == 0)
            break;
    }
    free(address);
}

void spark_pages_find(struct spark *spark, const char *web, const char *host, const char *id,
                      struct spark_pages *pages)
{
    *pages = (struct spark_pages){0};
    if (strncmp(web, "http", 4) == 0) {
        add(pages, mem_text(web));
        if (host)
            add(pages, mem_format("http://%s%s", host, port_of(web)));
        add(pages, mem_format("http://%s%s", spark_host(spark), port_of(web)));
    }
    if (*spark_page(spark))
        add(pages, mem_format("%s/proxy/%s", spark_page(spark), id));
}

void spark_pages_keep(struct spark_pages *pages, int kept)
{
    char *address = pages->addresses[kept];

    pages->addresses[kept] = NULL;
    spark_pages_free(pages);
    pages->addresses[0] = address;
}

void spark_pages_free(struct spark_pages *pages)
{
    for (int i = 0; i < SPARK_ADDRESSES; i++)
        free(pages->addresses[i]);
    *pages = (struct spark_pages){0};
}

/* 0, or -1 with the reason. */
static int ask_one(struct spark *spark, const char *url, spark_page_fits *fits, void *context,
                   struct http_answer *answer, struct error *error)
{
    const struct http_request request = {.url = url, .wait_ms = WAIT_MS};

    http_answer_free(answer);
    if (http_ask(spark_http(spark), &request, answer, error) < 0)
        return -1;
    if (fits(context, answer))
        return 0;
    return error_set(error, EXIT_UNREACHABLE, "HTTP %d, and not what is looked for",
                     answer->status);
}

int spark_pages_ask(struct spark *spark, struct spark_pages *pages, const char *path,
                    spark_page_fits *fits, void *context, struct http_answer *answer,
                    struct error *error)
{
    struct buf tried = {0};

    for (int i = 0; i < SPARK_ADDRESSES && pages->addresses[i]; i++) {
        char *url = mem_format("%s%s", pages->addresses[i], path);
        int result = ask_one(spark, url, fits, context, answer, error);
        buf_format(&tried, "%s%s: %s", i ? "; " : "", url, result < 0 ? error->text : "");
        free(url);
        if (result == 0) {
            spark_pages_keep(pages, i);
            buf_free(&tried);
            return 0;
        }
        if (error->code != EXIT_UNREACHABLE)
            break; /* a signal */
    }
    if (!tried.data || error->code == EXIT_UNREACHABLE)
        error_set(error, EXIT_UNREACHABLE, "%s", tried.data ? tried.data : "it has no address");
    buf_free(&tried);
    return -1;
}
