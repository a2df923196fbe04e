/* Which image a Dockerfile starts from. */
#include <ctype.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/compose/reading.h"

#define MOST_STAGES 256

struct stage {
    const char *name, *base; /* name: "" */
};

struct dockerfile {
    struct arena *arena;
    struct budget budget;
    const struct variables *given; /* build arguments */
    struct variables defaults;     /* ARG before the first FROM */
    struct stage stages[MOST_STAGES];
    size_t count;
};

/* A line with those that continue it, without comments; NULL at the end. */
static char *next_line(struct arena *arena, const char **at, const char *end)
{
    struct buf line = {0};
    bool more = true;
    char *text;

    if (*at >= end)
        return NULL;
    buf_reserve(&line, 0);
    while (more && *at < end) {
        const char *newline = memchr(*at, '\n', (size_t)(end - *at));
        const char *from = *at, *to = newline ? newline : end;
        *at = newline ? newline + 1 : end;
        while (from < to && isspace((unsigned char)*from))
            from++;
        while (to > from && isspace((unsigned char)to[-1]))
            to--;
        if (from < to && *from == '#')
            continue;
        more = to > from && to[-1] == '\\';
        buf_add(&line, from, (size_t)(to - from) - more);
        buf_char(&line, ' ');
    }
    text = arena_bytes(arena, line.data, line.length);
    buf_free(&line);
    return text;
}

static char *expand(struct dockerfile *file, const char *text)
{
    struct compose_text result = {0};
    const char *missing = NULL;

    interpolate(file->arena, &file->budget, &file->defaults, text, strlen(text), &result, &missing);
    return result.text;
}

/* NAME=default, NAME. */
static void take_argument(struct dockerfile *file, char *text)
{
    char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : strlen(text);
    char *value = equals ? equals + 1 : NULL;
    size_t given;

    if (value && strchr("'\"", *value) && *value && strlen(value) >= 2) {
        value++;
        value[strlen(value) - 1] = '\0';
    }
    text[length] = '\0';
    given = names_find(&file->given->index, text, length);
    if (given != NAMES_NONE)
        variables_set(file->arena, &file->defaults, text, file->given->list[given].value);
    else if (value)
        variables_set(file->arena, &file->defaults, text, expand(file, value));
}

static const char *resolve(const struct dockerfile *file, const char *base)
{
    for (size_t i = file->count; i-- > 0;)
        if (*file->stages[i].name && strcasecmp(file->stages[i].name, base) == 0)
            return file->stages[i].base;
    return base;
}

/* [--platform=...] IMAGE [AS NAME] */
static void take_from(struct dockerfile *file, char *words)
{
    struct stage stage = {.name = ""};
    char *state = NULL, *word = strtok_r(words, " \t", &state);

    while (word && strncmp(word, "--", 2) == 0)
        word = strtok_r(NULL, " \t", &state);
    if (!word || file->count == MOST_STAGES)
        return;
    stage.base = resolve(file, expand(file, word));
    word = strtok_r(NULL, " \t", &state);
    if (word && strcasecmp(word, "as") == 0 && (word = strtok_r(NULL, " \t", &state)))
        stage.name = word;
    file->stages[file->count++] = stage;
}

static void take_line(struct dockerfile *file, char *line)
{
    if (strncasecmp(line, "FROM ", 5) == 0)
        take_from(file, line + 5);
    else if (file->count == 0 && strncasecmp(line, "ARG ", 4) == 0) {
        char *state = NULL;
        for (char *word = strtok_r(line + 4, " \t", &state); word;
             word = strtok_r(NULL, " \t", &state))
            take_argument(file, word);
    }
}

char *dockerfile_base(struct arena *arena, const char *bytes, size_t length, const char *target,
                      const struct variables *arguments)
{
    struct dockerfile file = {
        .arena = arena, .budget = {LIMIT_DOCKERFILE_BYTES}, .given = arguments};
    const char *at = bytes, *end = bytes + length;
    char *line;

    while ((line = next_line(arena, &at, end)))
        take_line(&file, line);
    for (size_t i = file.count; *target && i-- > 0;)
        if (strcasecmp(file.stages[i].name, target) == 0)
            return arena_text(arena, file.stages[i].base);
    return arena_text(arena, file.count ? file.stages[file.count - 1].base : "");
}
