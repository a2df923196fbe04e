/* The two kinds of file in a jar that are read: class files (JVM specification,
 * chapter 4) and the manifest (JAR file specification). Bytes in, no I/O. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster/base/buf.h"
#include "cluster/jar.h"

#define MAGIC         0xcafebabe
#define POOL_AT       8
#define CONSTANT_UTF8 1

static uint32_t read_big(const unsigned char *at, int bytes)
{
    uint32_t value = 0;

    for (int i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

/* Bytes behind a constant's tag (JVM specification, 4.4); 0: no such tag. */
static size_t constant_size(unsigned char tag)
{
    switch (tag) {
    case 7: /* Class, String, MethodType, Module, Package */
    case 8:
    case 16:
    case 19:
    case 20:
        return 2;
    case 15: /* MethodHandle */
        return 3;
    case 3: /* Integer, Float, the references, NameAndType, the dynamic ones */
    case 4:
    case 9:
    case 10:
    case 11:
    case 12:
    case 17:
    case 18:
        return 4;
    case 5: /* Long, Double: they take two places */
    case 6:
        return 8;
    default:
        return 0;
    }
}

/* Classes of the standard library that one has and the other has not; what a
 * call with a variable number of arguments refers to (WrappedArray, ArraySeq),
 * and what each case class is (Serializable), come first. */
static const char *const only_212[] = {
    "scala/Serializable",
    "scala/collection/mutable/WrappedArray",
    "scala/collection/generic/CanBuildFrom",
    "scala/collection/TraversableOnce",
    "scala/collection/GenTraversableOnce",
    "scala/collection/Traversable",
    "scala/collection/immutable/Stream$cons$",
    "scala/Product$class",
};
static const char *const only_213[] = {
    "scala/collection/immutable/ArraySeq", "scala/collection/IterableOnce",
    "scala/collection/IterableOnceOps",    "scala/collection/IterableOps",
    "scala/collection/immutable/LazyList", "scala/collection/StrictOptimizedIterableOps",
};

/* As a class's own name, or as a type in a descriptor: "(I)Lscala/Serializable;". */
static bool refers_to(const char *text, size_t length, const char *name)
{
    size_t size = strlen(name);
    const char *at = text, *end = text + length;

    if (length == size && memcmp(text, name, size) == 0)
        return true;
    while ((at = memmem(at, (size_t)(end - at), name, size)) != NULL) {
        if (at > text && at[-1] == 'L' && at + size < end && at[size] == ';')
            return true;
        at += size;
    }
    return false;
}

static bool refers_to_one(const char *text, size_t length, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (refers_to(text, length, names[i]))
            return true;
    return false;
}

enum jar_scala jar_class_scala(const char *bytes, size_t length)
{
    const unsigned char *data = (const unsigned char *)bytes;
    bool old = false, new = false;
    size_t at = POOL_AT + 2;
    uint32_t count;

    if (length < at || read_big(data, 4) != MAGIC)
        return JAR_SCALA_NONE;
    count = read_big(data + POOL_AT, 2);
    for (uint32_t i = 1; i < count && length - at >= 3; i++) {
        unsigned char tag = data[at];
        size_t size = tag == CONSTANT_UTF8 ? 2 + read_big(data + at + 1, 2) : constant_size(tag);
        if (size == 0 || size > length - at - 1)
            return JAR_SCALA_NONE;
        if (tag == CONSTANT_UTF8) {
            const char *text = bytes + at + 3;
            old =
                old || refers_to_one(text, size - 2, only_212, sizeof only_212 / sizeof *only_212);
            new =
                new || refers_to_one(text, size - 2, only_213, sizeof only_213 / sizeof *only_213);
        }
        i += tag == 5 || tag == 6;
        at += 1 + size;
    }
    if (old == new) /* neither; or both, which proves nothing */
        return JAR_SCALA_NONE;
    return old ? JAR_SCALA_212 : JAR_SCALA_213;
}

/* A line longer than 72 bytes goes on in the next, behind a blank. */
static const char *take_line(const char *at, const char *end, struct buf *line)
{
    line->length = 0;
    buf_reserve(line, 1);
    do {
        const char *stop = at;
        while (stop < end && *stop != '\n' && *stop != '\r')
            stop++;
        buf_add(line, at, (size_t)(stop - at));
        at = stop;
        if (at < end && *at == '\r')
            at++;
        if (at < end && *at == '\n' && (at == stop || at[-1] == '\r'))
            at++;
    } while (at < end && *at == ' ' && at++);
    return at;
}

char *jar_manifest_main_class(const char *bytes, size_t length)
{
    static const char name[] = "Main-Class:";
    const char *at = bytes, *end = bytes + length;
    struct buf line = {0};
    char *value = NULL;

    while (!value && at < end) {
        at = take_line(at, end, &line);
        if (line.length == 0)
            break; /* the main section ends */
        if (line.length >= sizeof name - 1 && strncasecmp(line.data, name, sizeof name - 1) == 0) {
            const char *text = line.data + sizeof name - 1;
            text += strspn(text, " ");
            value = mem_bytes(text, strcspn(text, " "));
        }
    }
    buf_free(&line);
    if (value && !*value) {
        free(value);
        value = NULL;
    }
    return value;
}
