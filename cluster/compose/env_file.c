/* .env and env_file, as compose-go's dotenv package reads them. */
#include "cluster/compose/interpolate.h"

#include <ctype.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"

struct env_reader {
    struct arena *arena;
    struct budget *budget;
    const struct source *source;
    struct variables own; /* what was read */
    size_t at, line, line_start;
    struct compose_pair **pairs;
    size_t *count;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static char peek(const struct env_reader *reader)
{
    return reader->at < reader->source->length ? reader->source->bytes[reader->at] : '\n';
}

static void next_line(struct env_reader *reader)
{
    const struct source *source = reader->source;

    while (reader->at < source->length && source->bytes[reader->at] != '\n')
        reader->at++;
    reader->at++;
    reader->line++;
    reader->line_start = reader->at;
}

static void skip_blanks(struct env_reader *reader)
{
    while (reader->at < reader->source->length && is_blank(peek(reader)))
        reader->at++;
}

static struct place place_here(const struct env_reader *reader, size_t end, enum place_style style)
{
    return (struct place){.source = reader->source,
                          .line = reader->line,
                          .column = reader->at - reader->line_start + 1,
                          .start = reader->at,
                          .end = end,
                          .style = style};
}

/* NULL: the line has no name. Leaves `at` behind the name. */
static char *read_name(struct env_reader *reader)
{
    const char *bytes = reader->source->bytes;
    size_t start;

    skip_blanks(reader);
    if (reader->source->length - reader->at > 7 && memcmp(bytes + reader->at, "export", 6) == 0 &&
        is_blank(bytes[reader->at + 6])) {
        reader->at += 6;
        skip_blanks(reader);
    }
    start = reader->at;
    while (isalnum((unsigned char)peek(reader)) || strchr("_.-[]", peek(reader)))
        if (peek(reader) == '\0' || ++reader->at >= reader->source->length)
            break;
    if (reader->at == start)
        return NULL;
    return arena_bytes(reader->arena, bytes + start, reader->at - start);
}

static size_t line_end(const struct env_reader *reader)
{
    const char *bytes = reader->source->bytes;
    const char *newline =
        reader->at < reader->source->length
            ? memchr(bytes + reader->at, '\n', reader->source->length - reader->at)
            : NULL;

    return newline ? (size_t)(newline - bytes) : reader->source->length;
}

static size_t trim(const struct env_reader *reader, size_t end)
{
    while (end > reader->at && is_blank(reader->source->bytes[end - 1]))
        end--;
    return end;
}

static void expand_value(struct env_reader *reader, const char *text, size_t length,
                         struct compose_text *value)
{
    const char *missing = NULL;

    interpolate(reader->arena, reader->budget, &reader->own, text, length, value, &missing);
}

/* To the end of the line, or to " #". */
static void read_plain(struct env_reader *reader, struct compose_text *value, bool raw)
{
    const char *bytes = reader->source->bytes;
    size_t end = line_end(reader);

    for (size_t i = reader->at; !raw && i < end; i++)
        if (bytes[i] == ' ' && i + 1 < end && bytes[i + 1] == '#')
            end = i;
    end = raw ? end - (end > reader->at && bytes[end - 1] == '\r') : trim(reader, end);
    value->place = place_here(reader, end, PLACE_PLAIN);
    if (raw)
        value->text = arena_bytes(reader->arena, bytes + reader->at, end - reader->at);
    else
        expand_value(reader, bytes + reader->at, end - reader->at, value);
}

/* Where the quotes that are open before `at` are closed; the source's length: nowhere. */
static size_t closing_quote(const struct env_reader *reader, size_t at, char quote)
{
    const struct source *source = reader->source;

    for (; at < source->length && source->bytes[at] != quote; at++)
        if (source->bytes[at] == '\\')
            at++;
    return at < source->length ? at : source->length;
}

/* Both quotes may be escaped within themselves; the rest is for double quotes. Of
 * octal escapes, which nobody writes, the backslash stays. */
static void unescape(struct buf *out, const char *text, size_t length, char quote)
{
    static const char from[] = "nrtabfv\\", to[] = "\n\r\t\a\b\f\v\\";

    for (size_t i = 0; i < length; i++) {
        const char *known = NULL;
        char next = i + 1 < length ? text[i + 1] : '\0';
        if (text[i] == '\\' && next && quote == '"')
            known = strchr(from, next);
        if (text[i] != '\\' || (next != quote && !known && !(next == '$' && quote == '"'))) {
            buf_char(out, text[i]);
            continue;
        }
        i++;
        if (next == '$')
            buf_text(out, "$$");
        else
            buf_char(out, known ? to[known - from] : next);
    }
}

static bool read_quoted(struct env_reader *reader, struct compose_text *value)
{
    const char *bytes = reader->source->bytes;
    char quote = peek(reader);
    size_t end = closing_quote(reader, reader->at + 1, quote);
    struct buf text = {0};

    if (end == reader->source->length)
        return false;
    reader->at++;
    value->place = place_here(reader, end, quote == '\'' ? PLACE_SINGLE : PLACE_DOUBLE);
    value->place.column--;
    buf_reserve(&text, 0);
    unescape(&text, bytes + reader->at, end - reader->at, quote);
    if (quote == '"')
        expand_value(reader, text.data, text.length, value);
    else
        value->text = arena_bytes(reader->arena, text.data, text.length);
    buf_free(&text);
    for (; reader->at < end; reader->at++)
        if (bytes[reader->at] == '\n') {
            reader->line++;
            reader->line_start = reader->at + 1;
        }
    return true;
}

/* Of "NAME" alone. */
static void inherit(struct env_reader *reader, struct compose_pair *pair)
{
    const char *value = variables_get(reader->own.outer, pair->name, strlen(pair->name));

    pair->value.text = arena_text(reader->arena, value ? value : "");
    pair->value.place = place_here(reader, reader->at, PLACE_PLAIN);
    pair->absent = !value;
}

static void read_pair(struct env_reader *reader, bool raw)
{
    char *name = read_name(reader);
    struct compose_pair pair = {.name = name, .from_file = true};

    if (!name)
        return;
    skip_blanks(reader);
    if (peek(reader) == '=' || (!raw && peek(reader) == ':')) {
        reader->at++;
        if (!raw)
            skip_blanks(reader);
        if (raw || !strchr("'\"", peek(reader)) || !read_quoted(reader, &pair.value))
            read_plain(reader, &pair.value, raw);
    } else if (peek(reader) == '\n') {
        inherit(reader, &pair);
    } else {
        return;
    }
    if (!pair.absent)
        variables_set(reader->arena, &reader->own, pair.name, pair.value.text);
    *(struct compose_pair *)arena_add(reader->arena, reader->pairs, reader->count, sizeof pair) =
        pair;
}

void env_file_read(struct arena *arena, struct budget *budget, const struct source *source,
                   const struct variables *outer, bool raw, struct compose_pair **pairs,
                   size_t *count)
{
    struct env_reader reader = {.arena = arena,
                                .budget = budget,
                                .source = source,
                                .own = {.outer = outer},
                                .line = 1,
                                .pairs = pairs,
                                .count = count};

    if (source->length >= 3 && memcmp(source->bytes, "\xef\xbb\xbf", 3) == 0)
        reader.at = 3;
    while (reader.at < source->length && budget_spend(budget, 1)) {
        read_pair(&reader, raw);
        next_line(&reader);
    }
}
