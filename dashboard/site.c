#include "dashboard/site.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/assets.h"
#include "cluster/base/hash.h"

static const char folder[] = "web/";

struct site {
    struct site_file *files;
    size_t count;
};

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static const char *type_of(const char *name)
{
    static const struct {
        const char *end, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".json", "application/json"},
        {".webmanifest", "application/manifest+json"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".txt", "text/plain; charset=utf-8"},
    };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (ends_with(name, types[i].end))
            return types[i].type;
    return "application/octet-stream";
}

static void make_etag(char *etag, size_t size, const struct asset *asset)
{
    uint64_t hash = hash_bytes(HASH_START, asset->data, asset->length);

    snprintf(etag, size, "\"%016llx\"", (unsigned long long)hash);
}

static void add_file(struct site *site, const struct asset *asset)
{
    const struct asset *gzip;
    struct site_file *file;
    char *name;

    site->files = mem_grow(site->files, site->count + 1, sizeof *site->files);
    file = &site->files[site->count++];
    *file = (struct site_file){.name = asset->name + sizeof folder - 1};
    file->type = type_of(file->name);
    file->plain = body_of(asset->data, asset->length);
    make_etag(file->etag, sizeof file->etag, asset);
    name = mem_format("%s.gz", asset->name);
    gzip = asset_find(name);
    free(name);
    if (!gzip)
        return;
    file->gzip = body_of(gzip->data, gzip->length);
    make_etag(file->etag_gzip, sizeof file->etag_gzip, gzip);
}

struct site *site_new(void)
{
    struct site *site = mem_alloc(1, sizeof *site);

    for (const struct asset *asset = assets; asset->name; asset++)
        if (strncmp(asset->name, folder, sizeof folder - 1) == 0 && !ends_with(asset->name, ".gz"))
            add_file(site, asset);
    return site;
}

void site_free(struct site *site)
{
    if (!site)
        return;
    for (size_t i = 0; i < site->count; i++) {
        body_release(site->files[i].plain);
        body_release(site->files[i].gzip);
    }
    free(site->files);
    free(site);
}

const struct site_file *site_find(const struct site *site, const char *path)
{
    const char *name = strcmp(path, "/") == 0 ? "index.html" : path + (*path == '/');

    for (size_t i = 0; i < site->count; i++)
        if (strcmp(site->files[i].name, name) == 0)
            return &site->files[i];
    return NULL;
}
