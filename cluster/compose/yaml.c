#include "cluster/compose/yaml.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "cluster/base/limits.h"

/* A map of more keys than this gets an index. */
#define SMALL_MAP 8

struct frame {
    struct node *node;
    struct node *key; /* read, its value not yet */
};

struct reader {
    struct arena *arena;
    const struct source *source;
    struct budget *budget;
    yaml_parser_t parser;
    struct frame stack[LIMIT_COMPOSE_DEPTH];
    size_t depth, nodes;
    struct names anchors;
    struct node **anchored;
    size_t anchored_count;
    /* libyaml counts characters: where the last one asked for is, in bytes. */
    size_t character, byte;
    struct node **documents;
    size_t count;
    struct error *error;
};

bool budget_spend(struct budget *budget, size_t amount)
{
    if (budget->left < amount) {
        budget->left = 0;
        return false;
    }
    budget->left -= amount;
    return true;
}

static int fail_at(struct reader *reader, size_t line, size_t column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static int fail_at(struct reader *reader, size_t line, size_t column, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_set(reader->error, EXIT_INPUT, "%s:%zu:%zu: %s", reader->source->path, line,
                     column, text);
}

static int fail_parser(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem ? parser->problem : "cannot be read";

    if (parser->error == YAML_READER_ERROR)
        return error_set(reader->error, EXIT_INPUT, "%s: is no YAML: %s at byte %zu",
                         reader->source->path, problem, parser->problem_offset);
    return fail_at(reader, parser->problem_mark.line + 1, parser->problem_mark.column + 1,
                   "is no YAML: %s", problem);
}

/* ---- Bytes */

static bool is_inner(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* The byte where character number `index` is. */
static size_t byte_at(struct reader *reader, size_t index)
{
    const char *bytes = reader->source->bytes;
    size_t length = reader->source->length;

    while (reader->character < index && reader->byte < length) {
        do
            reader->byte++;
        while (reader->byte < length && is_inner(bytes[reader->byte]));
        reader->character++;
    }
    while (reader->character > index && reader->byte > 0) {
        do
            reader->byte--;
        while (reader->byte > 0 && is_inner(bytes[reader->byte]));
        reader->character--;
    }
    return reader->byte;
}

static size_t skip_to(const struct source *source, size_t at, const char *stop)
{
    while (at < source->length && !strchr(stop, source->bytes[at]))
        at++;
    return at;
}

/* An event begins with its anchor and its tag; its place is behind them. */
static void skip_properties(struct place *place)
{
    const struct source *source = place->source;
    size_t at = place->start;

    while (at < place->end && strchr("&! \t\r\n#", source->bytes[at])) {
        size_t next;
        if (source->bytes[at] == '#')
            next = skip_to(source, at, "\n");
        else if (strchr("&!", source->bytes[at]))
            next = skip_to(source, at, " \t\r\n,[]{}");
        else
            next = at + 1;
        for (; at < next; at++) {
            if (source->bytes[at] == '\n') {
                place->line++;
                place->column = 1;
            } else if (!is_inner(source->bytes[at])) {
                place->column++;
            }
        }
    }
    place->start = at < place->end ? at : place->end;
}

static struct place place_of(struct reader *reader, const yaml_event_t *event, bool properties)
{
    struct place place = {.source = reader->source,
                          .line = event->start_mark.line + 1,
                          .column = event->start_mark.column + 1};

    place.start = byte_at(reader, event->start_mark.index);
    place.end = byte_at(reader, event->end_mark.index);
    if (properties)
        skip_properties(&place);
    return place;
}

/* The style of a scalar's token, and within quotes the bytes between them. */
static void set_style(struct place *place, yaml_scalar_style_t style)
{
    const char *bytes = place->source->bytes;

    if (style != YAML_PLAIN_SCALAR_STYLE)
        while (place->end > place->start + 1 && strchr(" \t\r\n", bytes[place->end - 1]))
            place->end--;
    place->style = PLACE_PLAIN;
    if (style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE ||
        memchr(bytes + place->start, '\n', place->end - place->start) ||
        memchr(bytes + place->start, '\r', place->end - place->start)) {
        place->style = PLACE_BLOCK;
    } else if (style != YAML_PLAIN_SCALAR_STYLE && place->end >= place->start + 2) {
        place->style = style == YAML_SINGLE_QUOTED_SCALAR_STYLE ? PLACE_SINGLE : PLACE_DOUBLE;
        place->start++;
        place->end--;
    }
}

/* ---- Maps */

const struct entry *map_find(const struct node *map, const char *key)
{
    size_t length = strlen(key), at;

    if (!map || map->kind != NODE_MAP)
        return NULL;
    if (map->index.size) {
        at = names_find(&map->index, key, length);
        return at == NAMES_NONE ? NULL : &map->entries[at];
    }
    for (at = 0; at < map->count; at++)
        if (map->entries[at].key->length == length && strcmp(map->entries[at].key->text, key) == 0)
            return &map->entries[at];
    return NULL;
}

struct node *map_get(const struct node *map, const char *key)
{
    const struct entry *entry = map_find(map, key);

    return entry ? entry->value : NULL;
}

bool node_is_null(const struct node *node)
{
    if (!node)
        return true;
    if (node->kind != NODE_SCALAR || node->place.style != PLACE_PLAIN)
        return false;
    return !*node->text || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0 ||
           strcmp(node->text, "Null") == 0 || strcmp(node->text, "NULL") == 0;
}

static void add_entry(struct arena *arena, struct node *node, struct entry entry)
{
    *(struct entry *)arena_add(arena, &node->entries, &node->count, sizeof entry) = entry;
    if (node->kind != NODE_MAP || node->count <= SMALL_MAP)
        return;
    for (size_t i = node->index.size ? node->count - 1 : 0; i < node->count; i++)
        names_set(arena, &node->index, node->entries[i].key->text, node->entries[i].key->length, i);
}

static bool is_merge(const struct node *key)
{
    return key->place.style == PLACE_PLAIN && strcmp(key->text, "<<") == 0;
}

/* What the map says itself goes before what it merges, and of that the first. */
static int merge_map(struct reader *reader, struct node *map, const struct node *from)
{
    if (from->kind != NODE_MAP || from->open)
        return fail_at(reader, from->place.line, from->place.column,
                       "a merge key (<<) takes a mapping, or a list of mappings");
    if (!budget_spend(reader->budget, from->count))
        return fail_at(reader, map->place.line, map->place.column,
                       "merge keys make too much of this file");
    for (size_t i = 0; i < from->count; i++) {
        struct entry entry = from->entries[i];
        entry.shared = true;
        if (!map_find(map, entry.key->text))
            add_entry(reader->arena, map, entry);
    }
    return 0;
}

static int merge_value(struct reader *reader, struct node *map, const struct node *value)
{
    if (node_is_null(value))
        return 0;
    if (value->kind != NODE_LIST)
        return merge_map(reader, map, value);
    for (size_t i = 0; i < value->count; i++)
        if (merge_map(reader, map, value->entries[i].value) < 0)
            return -1;
    return 0;
}

/* A map's end: its merge keys are followed. */
static int close_map(struct reader *reader, struct node *map)
{
    struct entry *merges = NULL, *own = map->entries;
    size_t merge_count = 0, count = map->count;

    for (size_t i = 0; i < count; i++)
        if (is_merge(own[i].key))
            *(struct entry *)arena_add(reader->arena, &merges, &merge_count, sizeof *own) = own[i];
    if (merge_count == 0)
        return 0;
    map->entries = NULL;
    map->count = 0;
    map->index = (struct names){0};
    for (size_t i = 0; i < count; i++)
        if (!is_merge(own[i].key))
            add_entry(reader->arena, map, own[i]);
    for (size_t i = 0; i < merge_count; i++)
        if (merge_value(reader, map, merges[i].value) < 0)
            return -1;
    return 0;
}

/* ---- Events */

static int add_document(struct reader *reader, struct node *node)
{
    *(struct node **)arena_add(reader->arena, &reader->documents, &reader->count, sizeof node) =
        node;
    return 0;
}

static int set_key(struct reader *reader, struct frame *frame, struct node *key)
{
    const struct entry *first;

    if (key->kind != NODE_SCALAR)
        return fail_at(reader, key->place.line, key->place.column,
                       "a key must be a text, not a list or a mapping");
    first = map_find(frame->node, key->text);
    if (first)
        return fail_at(reader, key->place.line, key->place.column,
                       "the key \"%.100s\" is there twice; the first is in line %zu", key->text,
                       first->key->place.line);
    frame->key = key;
    return 0;
}

/* A node, or an alias for one, goes into what is open. */
static int attach(struct reader *reader, struct node *node, size_t end)
{
    struct frame *frame = reader->depth ? &reader->stack[reader->depth - 1] : NULL;

    if (!frame)
        return add_document(reader, node);
    if (frame->node->kind == NODE_MAP && !frame->key)
        return set_key(reader, frame, node);
    add_entry(reader->arena, frame->node, (struct entry){frame->key, node, end, false});
    frame->key = NULL;
    return 0;
}

static int set_anchor(struct reader *reader, const yaml_char_t *anchor, struct node *node)
{
    const char *name;

    if (!anchor)
        return 0;
    name = arena_text(reader->arena, (const char *)anchor);
    names_set(reader->arena, &reader->anchors, name, strlen(name), reader->anchored_count);
    *(struct node **)arena_add(reader->arena, &reader->anchored, &reader->anchored_count,
                               sizeof node) = node;
    return 0;
}

static int take_alias(struct reader *reader, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    size_t at = names_find(&reader->anchors, name, strlen(name));
    struct place place = place_of(reader, event, false);
    struct node *node;

    if (at == NAMES_NONE)
        return fail_at(reader, place.line, place.column, "no anchor &%.100s stands before this",
                       name);
    node = reader->anchored[at];
    if (node->open)
        return fail_at(reader, place.line, place.column, "the anchor &%.100s contains itself",
                       name);
    node->shared = true;
    return attach(reader, node, place.end);
}

static enum node_tag tag_of(const yaml_char_t *tag)
{
    if (tag && strcmp((const char *)tag, "!reset") == 0)
        return TAG_RESET;
    return tag && strcmp((const char *)tag, "!override") == 0 ? TAG_OVERRIDE : TAG_NONE;
}

static struct node *add_node(struct reader *reader, const yaml_event_t *event, enum node_kind kind,
                             const yaml_char_t *anchor, const yaml_char_t *tag)
{
    struct node *node;
    struct place place = place_of(reader, event, anchor || tag);

    if (++reader->nodes > LIMIT_COMPOSE_NODES) {
        fail_at(reader, place.line, place.column, "the file has more than %d values",
                LIMIT_COMPOSE_NODES);
        return NULL;
    }
    node = arena_alloc(reader->arena, 1, sizeof *node);
    node->kind = kind;
    node->place = place;
    node->tag = tag_of(tag);
    set_anchor(reader, anchor, node);
    return node;
}

static int take_scalar(struct reader *reader, const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value;
    struct node *node =
        add_node(reader, event, NODE_SCALAR, event->data.scalar.anchor, event->data.scalar.tag);
    size_t end;

    if (!node)
        return -1;
    if (memchr(value, 0, event->data.scalar.length))
        return fail_at(reader, node->place.line, node->place.column, "a text with a NUL in it");
    end = node->place.end;
    set_style(&node->place, event->data.scalar.style);
    node->text = arena_bytes(reader->arena, value, event->data.scalar.length);
    node->length = event->data.scalar.length;
    if (node->place.style == PLACE_BLOCK)
        end = node->place.end;
    return attach(reader, node, end);
}

static int open_node(struct reader *reader, struct node *node)
{
    if (!node)
        return -1;
    if (reader->depth == LIMIT_COMPOSE_DEPTH)
        return fail_at(reader, node->place.line, node->place.column,
                       "lists and mappings in one another, more than %d deep", LIMIT_COMPOSE_DEPTH);
    node->open = true;
    reader->stack[reader->depth++] = (struct frame){node, NULL};
    return 0;
}

static int open_list(struct reader *reader, const yaml_event_t *event)
{
    struct node *node = add_node(reader, event, NODE_LIST, event->data.sequence_start.anchor,
                                 event->data.sequence_start.tag);

    if (node)
        node->flow = event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
    return open_node(reader, node);
}

static int open_map(struct reader *reader, const yaml_event_t *event)
{
    struct node *node = add_node(reader, event, NODE_MAP, event->data.mapping_start.anchor,
                                 event->data.mapping_start.tag);

    if (node)
        node->flow = event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
    return open_node(reader, node);
}

/* libyaml ends a block where the next thing begins; here it ends with its last entry. */
static int close_node(struct reader *reader, const yaml_event_t *event)
{
    struct node *node = reader->stack[--reader->depth].node;

    node->open = false;
    if (node->flow)
        node->place.end = byte_at(reader, event->end_mark.index);
    else if (node->count)
        node->place.end = node->entries[node->count - 1].end;
    if (node->kind == NODE_MAP && close_map(reader, node) < 0)
        return -1;
    return attach(reader, node, node->place.end);
}

/* Anchors do not reach from one document into the next. */
static int end_document(struct reader *reader)
{
    reader->anchors = (struct names){0};
    reader->anchored = NULL;
    reader->anchored_count = 0;
    return 0;
}

static int take_event(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return take_alias(reader, event);
    case YAML_SCALAR_EVENT:
        return take_scalar(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_list(reader, event);
    case YAML_MAPPING_START_EVENT:
        return open_map(reader, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_node(reader, event);
    case YAML_DOCUMENT_END_EVENT:
        return end_document(reader);
    default:
        return 0;
    }
}

static int read_events(struct reader *reader)
{
    for (bool more = true; more;) {
        yaml_event_t event;
        int result;
        if (!yaml_parser_parse(&reader->parser, &event))
            return fail_parser(reader);
        more = event.type != YAML_STREAM_END_EVENT;
        result = take_event(reader, &event);
        yaml_event_delete(&event);
        if (result < 0)
            return -1;
    }
    return 0;
}

int yaml_read(struct arena *arena, const struct source *source, struct budget *budget,
              struct node ***documents, size_t *count, struct error *error)
{
    struct reader reader = {.arena = arena, .source = source, .budget = budget, .error = error};
    size_t bom = source->length >= 3 && memcmp(source->bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    int result;

    /* Places and corrections are those of bytes in UTF-8. Windows PowerShell's > writes UTF-16. */
    if (source->length >= 2 &&
        (!memcmp(source->bytes, "\xff\xfe", 2) || !memcmp(source->bytes, "\xfe\xff", 2)))
        return error_set(error, EXIT_INPUT,
                         "%s: is UTF-16, and only UTF-8 is read: iconv -f UTF-16 -t UTF-8 makes "
                         "it that",
                         source->path);
    if (!yaml_parser_initialize(&reader.parser))
        return error_set(error, EXIT_INPUT, "%s: out of memory", source->path);
    reader.byte = bom;
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)source->bytes + bom,
                                 source->length - bom);
    result = read_events(&reader);
    yaml_parser_delete(&reader.parser);
    *documents = reader.documents;
    *count = reader.count;
    return result;
}
