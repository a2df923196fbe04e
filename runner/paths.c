#include "runner/paths.h"

#include <ctype.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/base/buf.h"
#include "cluster/base/log.h"

bool path_has_scheme(const char *path)
{
    const char *at = path;

    if (!isalpha((unsigned char)*at))
        return false;
    while (isalnum((unsigned char)*at) || (*at && strchr("+-.", *at)))
        at++;
    return *at == ':';
}

char *path_whole(const char *path)
{
    char *folder = *path == '/' || path_has_scheme(path) ? NULL : getcwd(NULL, 0);
    char *whole;

    if (!folder)
        return mem_text(path);
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    whole = mem_format("%s/%s", strcmp(folder, "/") == 0 ? "" : folder, path);
    free(folder);
    return whole;
}

/* What java.net.URI takes in a path, and "#", which spark-submit leaves, too. */
static bool is_plain(char c)
{
    return (unsigned char)c >= 0x80 || isalnum((unsigned char)c) ||
           (c && strchr("/-._~!$&'()*+,;=:@#", c));
}

char *path_uri(const char *path)
{
    char *whole = path_whole(path);
    struct buf uri = {0};
    bool plain = true;

    if (path_has_scheme(path))
        return whole;
    buf_format(&uri, "file:");
    for (const char *at = whole; *at; at++) {
        plain = plain && is_plain(*at);
        buf_format(&uri, is_plain(*at) ? "%c" : "%%%02X", (unsigned char)*at);
    }
    if (plain) {
        buf_free(&uri);
        return whole;
    }
    free(whole);
    return uri.data;
}

static void add_path(struct buf *list, const char *path)
{
    buf_format(list, "%s%s", list->length ? "," : "", path);
}

static void add_matches(const char *property, const char *pattern, struct buf *list)
{
    glob_t found;
    size_t before = list->length;

    if (glob(pattern, GLOB_MARK, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            if (found.gl_pathv[i][strlen(found.gl_pathv[i]) - 1] != '/') /* a folder's mark */
                add_path(list, found.gl_pathv[i]);
        globfree(&found);
    }
    if (list->length == before)
        log_warning("%s: no file here matches %s: it is left out, as by spark-submit", property,
                    pattern);
}

char *path_list(const char *property, const char *list)
{
    char *entries = mem_text(list), *at = entries, *entry;
    struct buf whole = {0};

    buf_reserve(&whole, 1);
    while ((entry = strsep(&at, ","))) {
        char *path = path_whole(entry += strspn(entry, " \t"));
        if (strchr(path, '*') && !path_has_scheme(path))
            add_matches(property, path, &whole);
        else if (*entry)
            add_path(&whole, path);
        free(path);
    }
    free(entries);
    return whole.data;
}
