#include "cluster/doctor/edit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"

bool edit_possible(const struct compose_text *value)
{
    const struct place *place = &value->place;
    size_t length = strlen(value->text);

    return place->source &&
           (place->style == PLACE_PLAIN || place->style == PLACE_SINGLE ||
            place->style == PLACE_DOUBLE) &&
           place->end <= place->source->length && place->end - place->start == length &&
           !memcmp(place->source->bytes + place->start, value->text, length);
}

bool edit_value(struct finding *finding, const struct compose_text *value, size_t offset,
                size_t length, const char *text)
{
    if (!edit_possible(value))
        return false;
    finding_edit(finding, value->place.source, value->place.start + offset,
                 value->place.start + offset + length, mem_text(text));
    return true;
}

/* The default within the value's bytes in the file, if that is the only variable. */
static bool default_within(const char *raw, size_t size, size_t *start, size_t *end)
{
    const char *open = memmem(raw, size, "${", 2), *close, *at;

    if (!open)
        return false;
    close = memchr(open, '}', size - (size_t)(open - raw));
    for (at = open + 2; close && at < close && (isalnum((unsigned char)*at) || *at == '_'); at++)
        ;
    if (!close || at == open + 2 || memchr(raw, '$', (size_t)(open - raw)) ||
        memchr(open + 1, '$', size - (size_t)(open + 1 - raw)))
        return false;
    at += *at == ':';
    if (*at != '-')
        return false;
    *start = (size_t)(at + 1 - raw);
    *end = (size_t)(close - raw);
    return true;
}

bool edit_default(struct finding *finding, const struct compose_text *value, const char *text)
{
    const struct place *place = &value->place;
    size_t start, end, size = place->end - place->start, length = strlen(text), before, after;
    const char *raw;

    if (!place->source || place->style == PLACE_NONE || place->end > place->source->length)
        return false;
    raw = place->source->bytes + place->start;
    if (!default_within(raw, size, &start, &end))
        return false;
    before = (size_t)((const char *)memmem(raw, size, "${", 2) - raw);
    after = size - end - 1;
    /* The default is what holds: what stands in the file without ${NAME:- and } is the value. */
    if (strlen(value->text) != before + (end - start) + after ||
        memcmp(value->text, raw, before) != 0 ||
        memcmp(value->text + before, raw + start, end - start) != 0 ||
        memcmp(value->text + before + (end - start), raw + end + 1, after) != 0)
        return false;
    if (length < before + after || memcmp(text, raw, before) != 0 ||
        memcmp(text + length - after, raw + end + 1, after) != 0)
        return false;
    finding_edit(finding, place->source, place->start + start, place->start + end,
                 mem_bytes(text + before, length - before - after));
    return true;
}

bool edit_remove_item(struct finding *finding, const struct compose_text *value, size_t offset,
                      size_t length)
{
    size_t end = offset + length;

    while (offset && isspace((unsigned char)value->text[offset - 1]))
        offset--;
    if (offset && value->text[offset - 1] == ',')
        offset--;
    else
        end += strspn(value->text + end, " \t,");
    return edit_value(finding, value, offset, end - offset, "");
}

/* Whether a plain scalar of this text is a string, and this one. */
static bool plain(const char *text)
{
    return *text && !isdigit((unsigned char)*text) && !strpbrk(text, "\"'#{}[]&*!|>%@`\n\t") &&
           !strstr(text, ": ") && strcmp(text, "yes") != 0 && strcmp(text, "no") != 0;
}

/* A service without an environment gets one; what follows is put behind the first variable. */
static bool add_environment(struct finding *finding, const struct compose_gap *gap,
                            const char *name, const char *text)
{
    char *line = mem_format(plain(text) ? "\n%*s  %s: %s" : "\n%*s  %s: \"%s\"", (int)gap->indent,
                            "", name, text);
    bool fresh = !gap->at || gap->source->bytes[gap->at - 1] == '\n';

    for (size_t i = 0; i < finding->edit_count; i++) {
        struct edit *edit = &finding->edits[i];
        if (edit->source == gap->source && edit->start == gap->at &&
            strstr(edit->text, "environment:")) {
            size_t length = strlen(edit->text) - fresh;
            char *more = mem_format("%.*s%s%s", (int)length, edit->text, line, fresh ? "\n" : "");
            free(edit->text);
            free(line);
            edit->text = more;
            return true;
        }
    }
    finding_edit(finding, gap->source, gap->at, gap->at,
                 mem_format("%s%*senvironment:%s%s", fresh ? "" : "\n", (int)gap->indent, "", line,
                            fresh ? "\n" : ""));
    free(line);
    return true;
}

bool edit_add_variable(struct finding *finding, const struct compose_service *service,
                       const char *name, const char *text)
{
    const struct compose_gap *gap = &service->environment_gap;
    bool fresh; /* at the beginning of a line */
    struct buf line = {0};

    if (!gap->given && service->service_gap.source &&
        service->service_gap.at <= service->service_gap.source->length)
        return add_environment(finding, &service->service_gap, name, text);
    if (!gap->source || gap->at > gap->source->length)
        return false;
    fresh = !gap->at || gap->source->bytes[gap->at - 1] == '\n';
    buf_format(&line, "%s%*s", fresh ? "" : "\n", (int)gap->indent, "");
    if (gap->list)
        buf_format(&line, "- %s=%s", name, text);
    else
        buf_format(&line, plain(text) ? "%s: %s" : "%s: \"%s\"", name, text);
    if (fresh)
        buf_char(&line, '\n');
    finding_edit(finding, gap->source, gap->at, gap->at, line.data);
    return true;
}

/* The variable's name on the line of its value: the offset, or -1. */
static long name_offset(const struct compose_pair *pair)
{
    const struct place *place = &pair->value.place;
    size_t length = strlen(pair->name), at = place->start;

    if (!place->source || pair->from_file || pair->shared || place->end > place->source->length)
        return -1;
    while (at && place->source->bytes[at - 1] != '\n') {
        at--;
        if (at + length <= place->start && !memcmp(place->source->bytes + at, pair->name, length) &&
            (!at || strchr(" \t\n-\"'", place->source->bytes[at - 1])))
            return (long)at;
    }
    return -1;
}

bool edit_remove_variable(struct finding *finding, const struct compose_pair *pair)
{
    const struct source *source = pair->value.place.source;
    long name = name_offset(pair);
    size_t start, end = pair->value.place.end;

    if (name < 0 || memchr(source->bytes + name, '\n', end - (size_t)name))
        return false;
    for (start = (size_t)name; start && source->bytes[start - 1] != '\n'; start--)
        if (!strchr(" \t-\"'", source->bytes[start - 1]))
            return false; /* something else before it: a mapping in one line */
    while (end < source->length && source->bytes[end] != '\n')
        if (strchr(",}]", source->bytes[end++]))
            return false;
    finding_edit(finding, source, start, end + (end < source->length), mem_text(""));
    return true;
}

bool edit_rename_variable(struct finding *finding, const struct compose_pair *pair,
                          const char *name)
{
    long at = name_offset(pair);

    if (at < 0)
        return false;
    finding_edit(finding, pair->value.place.source, (size_t)at, (size_t)at + strlen(pair->name),
                 mem_text(name));
    return true;
}
