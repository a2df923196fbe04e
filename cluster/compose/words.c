/* command, entrypoint, healthcheck. */
#include "cluster/compose/reading.h"

#include <ctype.h>
#include <string.h>

#include "cluster/base/buf.h"

/* How far ahead of the last word the next is looked for. */
#define WORD_WINDOW 4096

/* Words of a string on their way. */
struct splitter {
    struct reading *reading;
    const struct compose_text *whole;
    struct compose_text **words;
    size_t *count;
    struct buf word;
    bool begun, quoted;
    struct place cursor; /* in the token, behind the last word that was found there */
};

/* The next place of the word in the token's bytes, with nothing but blanks or
 * quotes beside it; NULL: it is written in another way. */
static const char *find_word(struct splitter *splitter)
{
    const struct place *place = &splitter->whole->place;
    const struct buf *word = &splitter->word;
    const char *start = place->source->bytes + place->start;
    const char *end = place->source->bytes + place->end;
    const char *at = place->source->bytes + splitter->cursor.start;
    size_t room = (size_t)(end - at) < WORD_WINDOW ? (size_t)(end - at) : WORD_WINDOW;

    if (!budget_spend(&splitter->reading->loader->budget, room / 64 + 1))
        return NULL;
    at = memmem(at, room, word->data, word->length);
    if (!at || (at > start && !strchr(" \t\r\n\"'", at[-1])) ||
        (at + word->length < end && !strchr(" \t\r\n\"'", at[word->length])))
        return NULL;
    return at;
}

static void move_to(struct place *place, const char *at)
{
    for (const char *from = place->source->bytes + place->start; from < at; from++) {
        place->column = *from == '\n' ? 1 : place->column + (((unsigned char)*from & 0xc0) != 0x80);
        place->line += *from == '\n';
        place->start++;
    }
}

static struct place word_place(struct splitter *splitter)
{
    struct place *cursor = &splitter->cursor, place;
    const char *bytes = cursor->source ? cursor->source->bytes : NULL, *at;

    if (!bytes || splitter->quoted || splitter->word.length == 0 || !(at = find_word(splitter)))
        return splitter->whole->place;
    move_to(cursor, at);
    place = *cursor;
    place.end = place.start + splitter->word.length;
    move_to(cursor, bytes + place.end);
    if (place.style == PLACE_BLOCK)
        place.style = PLACE_PLAIN;
    return place;
}

static void end_word(struct splitter *splitter)
{
    struct arena *arena = splitter->reading->loader->arena;
    struct compose_text *word;

    if (!splitter->begun)
        return;
    buf_reserve(&splitter->word, 0);
    word = arena_add(arena, splitter->words, splitter->count, sizeof *word);
    *word = *splitter->whole;
    word->text = arena_bytes(arena, splitter->word.data, splitter->word.length);
    word->place = word_place(splitter);
    splitter->word.length = 0;
    splitter->begun = splitter->quoted = false;
}

/* As a shell does: blanks, quotes, backslashes; what only a shell could do ends it
 * (mattn/go-shellwords, which compose-go uses, drops the rest). */
static void split(struct splitter *splitter)
{
    char quote = 0;

    splitter->cursor = splitter->whole->place;
    splitter->cursor.column +=
        splitter->cursor.style == PLACE_SINGLE || splitter->cursor.style == PLACE_DOUBLE;
    for (const char *at = splitter->whole->text; *at; at++) {
        if (*at == '\\' && quote != '\'' && at[1]) {
            at++;
            splitter->quoted = true;
        } else if (quote && *at == quote) {
            quote = 0;
            continue;
        } else if (!quote && (*at == '\'' || *at == '"')) {
            quote = *at;
            splitter->begun = splitter->quoted = true;
            continue;
        } else if (!quote && strchr(" \t\r\n", *at)) {
            end_word(splitter);
            continue;
        } else if (!quote && strchr(";&|<>", *at)) {
            if (*at == '>' && splitter->word.length && isdigit((unsigned char)*splitter->word.data))
                splitter->begun = false; /* 2> */
            break;
        }
        splitter->begun = true;
        buf_char(&splitter->word, *at);
    }
    end_word(splitter);
    buf_free(&splitter->word);
}

static int read_list(struct reading *reading, const struct value *value, const char *what,
                     struct compose_text **words, size_t *count)
{
    struct value item = *value;

    for (size_t i = 0; i < value->node->count; i++) {
        struct compose_text text;
        item.node = value->node->entries[i].value;
        if (text_read(reading, &item, what, &text) < 0)
            return -1;
        *(struct compose_text *)arena_add(reading->loader->arena, words, count, sizeof text) = text;
    }
    return 0;
}

static int read_value(struct reading *reading, const struct value *value, const char *key,
                      struct compose_text **words, size_t *count)
{
    struct compose_text whole;
    struct splitter splitter = {
        .reading = reading, .whole = &whole, .words = words, .count = count};

    if (!budget_spend(&reading->loader->budget, value->node->count + value->node->length / 32))
        return fail_node(reading->loader, value->node, "aliases make too much of this file");
    if (value->node->kind == NODE_MAP)
        return fail_node(reading->loader, value->node,
                         "%s of the service %s must be a text or a list", key,
                         reading->draft->name);
    if (value->node->kind == NODE_LIST)
        return read_list(reading, value, key, words, count);
    if (text_read(reading, value, key, &whole) < 0)
        return -1;
    split(&splitter);
    return 0;
}

int read_command(struct reading *reading, const char *key, struct compose_text **words,
                 size_t *count, bool *given)
{
    struct values values;

    values_read(reading->loader, reading->draft, key, &values);
    if (values.count == 0)
        return 0;
    if (given)
        *given = true;
    return read_value(reading, &values.list[values.count - 1], key, words, count);
}

/* CMD and CMD-SHELL are how, not what. */
static void join(struct arena *arena, const struct compose_text *words, size_t count,
                 struct compose_text *text)
{
    struct buf joined = {0};
    size_t first = count && strncmp(words[0].text, "CMD", 3) == 0;

    buf_reserve(&joined, 0);
    for (size_t i = first; i < count; i++) {
        if (i > first)
            buf_char(&joined, ' ');
        buf_text(&joined, words[i].text);
        text->interpolated = text->interpolated || words[i].interpolated;
        text->unset = text->unset ? text->unset : words[i].unset;
    }
    if (first < count)
        text->place = words[first].place;
    text->text = arena_bytes(arena, joined.data, joined.length);
    buf_free(&joined);
}

int read_healthcheck(struct reading *reading)
{
    struct compose_text *text = &reading->service->healthcheck, *words = NULL;
    struct values checks, values;
    const struct value *test;
    size_t count = 0;

    *text = text_empty(reading->loader);
    values_read(reading->loader, reading->draft, "healthcheck", &checks);
    values_below(reading->loader, &checks, "test", &values);
    if (values.count == 0)
        return 0;
    test = &values.list[values.count - 1];
    if (test->node->kind == NODE_SCALAR)
        return text_read(reading, test, "healthcheck", text);
    if (read_value(reading, test, "healthcheck", &words, &count) < 0)
        return -1;
    join(reading->loader->arena, words, count, text);
    return 0;
}
