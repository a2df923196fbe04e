#include "cluster/jar.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"

#define MANIFEST "META-INF/MANIFEST.MF"

/* The end record of a zip file (APPNOTE.TXT, 4.3.16), behind which there may be a comment. */
#define END_RECORD       22
#define END_MOST         (END_RECORD + 65535)
#define END_DIRECTORY_AT 12 /* the directory's size, 4 bytes, the least first */

struct jar {
    zip_t *zip;
};

/* libzip reads the whole directory into memory: how long it says it is; -1: no
 * zip file. One that is too long for the field has 0xffffffff there. */
static int64_t directory_size(FILE *file)
{
    unsigned char *tail = mem_alloc(END_MOST, 1);
    int64_t size = -1;
    size_t length;

    if (fseeko(file, -END_MOST, SEEK_END) < 0)
        rewind(file);
    length = fread(tail, 1, END_MOST, file);
    for (size_t at = length < END_RECORD ? 0 : length - END_RECORD + 1; size < 0 && at-- > 0;)
        if (memcmp(tail + at, "PK\5\6", 4) == 0)
            size = tail[at + END_DIRECTORY_AT] | tail[at + END_DIRECTORY_AT + 1] << 8 |
                   tail[at + END_DIRECTORY_AT + 2] << 16 |
                   (int64_t)tail[at + END_DIRECTORY_AT + 3] << 24;
    free(tail);
    return size;
}

static int check_directory(const char *path, struct error *error)
{
    FILE *file = fopen(path, "re");
    int64_t size;

    if (!file)
        return error_set(error, EXIT_INPUT, "cannot read %s: %s", path, strerror(errno));
    size = directory_size(file);
    fclose(file);
    if (size < 0)
        return error_set(error, EXIT_INPUT, "%s is no jar: no zip file's end is in it", path);
    if (size > LIMIT_JAR_DIRECTORY)
        return error_set(error, EXIT_INPUT, "%s: its list of entries is longer than %d bytes", path,
                         LIMIT_JAR_DIRECTORY);
    return 0;
}

struct jar *jar_open(const char *path, struct error *error)
{
    zip_error_t reason;
    struct jar *jar;
    zip_t *zip;
    int code;

    if (check_directory(path, error) < 0)
        return NULL;
    zip = zip_open(path, ZIP_RDONLY, &code);
    if (!zip) {
        zip_error_init_with_code(&reason, code);
        error_set(error, EXIT_INPUT, "%s is no jar: %s", path, zip_error_strerror(&reason));
        zip_error_fini(&reason);
        return NULL;
    }
    jar = mem_alloc(1, sizeof *jar);
    jar->zip = zip;
    return jar;
}

void jar_close(struct jar *jar)
{
    if (!jar)
        return;
    zip_discard(jar->zip);
    free(jar);
}

/* Unpacked into `text`; false when it is not to be read, or beyond the limit:
 * what the directory says of its size may be wrong. */
static bool read_entry(struct jar *jar, uint64_t index, struct buf *text)
{
    zip_file_t *file = zip_fopen_index(jar->zip, index, 0);
    char piece[16384];
    zip_int64_t got;

    text->length = 0;
    if (!file)
        return false;
    while ((got = zip_fread(file, piece, sizeof piece)) > 0 &&
           text->length + (size_t)got <= LIMIT_JAR_ENTRY)
        buf_add(text, piece, (size_t)got);
    zip_fclose(file);
    return got == 0 && text->length > 0;
}

char *jar_main_class(struct jar *jar)
{
    zip_int64_t index = zip_name_locate(jar->zip, MANIFEST, ZIP_FL_NOCASE);
    struct buf text = {0};
    char *name = NULL;

    if (index >= 0 && read_entry(jar, (uint64_t)index, &text))
        name = jar_manifest_main_class(text.data, text.length);
    buf_free(&text);
    return name;
}

/* "my.Main" as "my/Main.class"; free() it. */
static char *entry_name(const char *class)
{
    char *name = mem_format("%s.class", class);

    for (char *at = name; at < name + strlen(class); at++)
        if (*at == '.')
            *at = '/';
    return name;
}

bool jar_has_class(struct jar *jar, const char *name)
{
    char *entry = entry_name(name);
    bool found = zip_name_locate(jar->zip, entry, 0) >= 0;

    free(entry);
    return found;
}

static bool is_class_in(const char *name, const char *folder, size_t length)
{
    size_t size = name ? strlen(name) : 0;

    return size > length + 6 && strncmp(name, folder, length) == 0 && !strchr(name + length, '/') &&
           strcmp(name + size - 6, ".class") == 0;
}

/* Votes: an application has one Scala; a class that proves something decides
 * unless another disagrees. */
enum jar_scala jar_scala(struct jar *jar, const char *main_class)
{
    char *folder = entry_name(main_class);
    const char *slash = strrchr(folder, '/');
    size_t length = slash ? (size_t)(slash + 1 - folder) : 0;
    zip_int64_t count = zip_get_num_entries(jar->zip, 0);
    enum jar_scala found = JAR_SCALA_NONE;
    struct buf text = {0};
    bool agreed = true;

    for (zip_int64_t i = 0, read = 0; i < count && read < LIMIT_JAR_CLASSES; i++) {
        enum jar_scala one;
        if (!is_class_in(zip_get_name(jar->zip, (zip_uint64_t)i, 0), folder, length) ||
            !read_entry(jar, (uint64_t)i, &text))
            continue;
        one = jar_class_scala(text.data, text.length);
        agreed = agreed && (one == JAR_SCALA_NONE || found == JAR_SCALA_NONE || one == found);
        found = one == JAR_SCALA_NONE ? found : one;
        read++;
    }
    buf_free(&text);
    free(folder);
    return agreed ? found : JAR_SCALA_NONE;
}

/* Nothing that a terminal would obey. */
static bool is_plain(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

/* Where the package was forgotten or is another: "other.Main"; free() it; NULL if there is none. */
static char *similar_class(struct jar *jar, const char *name)
{
    const char *dot = strrchr(name, '.');
    char *entry = entry_name(dot ? dot + 1 : name);
    zip_int64_t count = zip_get_num_entries(jar->zip, 0);
    char *found = NULL;

    for (zip_int64_t i = 0; !found && i < count; i++) {
        const char *at = zip_get_name(jar->zip, (zip_uint64_t)i, 0);
        const char *slash = at ? strrchr(at, '/') : NULL;
        if (at && strcmp(slash ? slash + 1 : at, entry) == 0 && is_plain(at))
            found = mem_bytes(at, strlen(at) - strlen(".class"));
    }
    for (char *at = found; at && *at; at++)
        if (*at == '/')
            *at = '.';
    free(entry);
    return found;
}

static int class_is_missing(struct jar *jar, const char *path, const char *name,
                            struct error *error)
{
    char *similar = similar_class(jar, name);

    error_set(error, EXIT_REFUSED, "there is no class %s in %s", name, path);
    if (similar)
        error_add(error, "is it %s? (--class)", similar);
    free(similar);
    return -1;
}

/* Spark has been built with 2.13 since 3.2, and with nothing else since 4.0
 * (its release notes). */
static int check_scala(enum jar_scala scala, const char *path, const char *version,
                       struct error *error)
{
    int major, minor;

    if (sscanf(version, "%d.%d", &major, &minor) != 2)
        return 0;
    if (scala == JAR_SCALA_212 && major >= 4)
        return error_set(error, EXIT_REFUSED,
                         "%s was compiled with Scala 2.12 or older, and the cluster's Spark %s is "
                         "built with 2.13: compile it with that",
                         path, version);
    if (scala == JAR_SCALA_213 && (major < 3 || (major == 3 && minor < 2)))
        return error_set(
            error, EXIT_REFUSED,
            "%s was compiled with Scala 2.13, and the cluster's Spark %s is built with "
            "an older one: compile it with that",
            path, version);
    return 0;
}

int jar_check(const char *path, const char *main_class, const char *spark_version, bool others,
              struct error *error)
{
    static const char own[] = "org.apache.spark.";
    struct jar *jar = jar_open(path, error);
    int result = 0;

    if (!jar)
        return -1;
    if (!others && strncmp(main_class, own, sizeof own - 1) != 0 && !jar_has_class(jar, main_class))
        result = class_is_missing(jar, path, main_class, error);
    if (result == 0)
        result = check_scala(jar_scala(jar, main_class), path, spark_version, error);
    jar_close(jar);
    return result;
}
