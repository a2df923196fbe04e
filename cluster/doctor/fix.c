#include "cluster/doctor/fix.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/doctor/edit.h"

/* ---- Places within values */

static const char *find_bytes(const char *bytes, size_t length, const char *what, size_t size)
{
    return size && length >= size ? memmem(bytes, length, what, size) : NULL;
}

static size_t occurrences(const char *bytes, size_t length, const char *what, size_t size)
{
    size_t count = 0;
    const char *at = bytes, *found;

    while ((found = find_bytes(at, length - (size_t)(at - bytes), what, size))) {
        count++;
        at = found + 1;
    }
    return count;
}

/* Line and column of a byte behind the start of the value. */
static void move_place(struct place *place, size_t start, size_t length)
{
    const char *bytes = place->source->bytes;
    bool quoted = place->style == PLACE_SINGLE || place->style == PLACE_DOUBLE;

    place->column += start - place->start + (quoted ? 1 : 0);
    for (size_t i = place->start; i < start; i++)
        if (bytes[i] == '\n') {
            place->line++;
            place->column = start - i;
        }
    place->start = start;
    place->end = start + length;
}

/* Where the file has what the text has at the offset; NULL if that cannot be told. */
static const char *find_raw(const struct compose_text *value, const char *raw, size_t size,
                            size_t offset, size_t length)
{
    const char *what = value->text + offset, *at = raw, *found = NULL;
    size_t text = strlen(value->text), before;

    if (text == size && memcmp(raw, value->text, size) == 0)
        return raw + offset;
    if (size > LIMIT_FIX_BYTES || text > LIMIT_FIX_BYTES ||
        occurrences(raw, size, what, length) != occurrences(value->text, text, what, length))
        return NULL;
    before = occurrences(value->text, offset + length - 1, what, length);
    for (size_t i = 0; i <= before; i++) {
        found = find_bytes(at, size - (size_t)(at - raw), what, length);
        if (!found)
            return NULL;
        at = found + 1;
    }
    return found;
}

bool fix_place(const struct compose_text *value, size_t offset, size_t length, struct place *place)
{
    const char *found;

    *place = value->place;
    if (!place->source || place->style == PLACE_NONE || place->end > place->source->length ||
        place->end <= place->start)
        return false;
    found = find_raw(value, place->source->bytes + place->start, place->end - place->start, offset,
                     length);
    if (!found)
        return false;
    move_place(place, (size_t)(found - place->source->bytes), length);
    return true;
}

struct place fix_endpoint_place(const struct endpoint *endpoint)
{
    struct place place = {0};

    if (endpoint->value)
        fix_place(endpoint->value, endpoint->offset, endpoint->length, &place);
    return place;
}

/* ---- Edits */

bool fix_is_given(const struct endpoints *endpoints, const char *property)
{
    const struct property *from = endpoints->property;

    return from && !from->derived && !strcmp(from->name, property) &&
           from->value->place.style != PLACE_NONE;
}

bool fix_taken(const struct diagnosis *diagnosis, const struct place *place)
{
    for (size_t i = 0; i < diagnosis->finding_count; i++)
        for (size_t k = 0; k < diagnosis->findings[i].edit_count; k++) {
            const struct edit *edit = &diagnosis->findings[i].edits[k];
            if (edit->source == place->source && edit->start <= place->end &&
                edit->end >= place->start && edit->end > edit->start)
                return true;
        }
    return false;
}

bool fix_replace(const struct diagnosis *diagnosis, struct finding *finding,
                 const struct place *place, char *text)
{
    if (!place->source || fix_taken(diagnosis, place)) {
        free(text);
        return false;
    }
    finding_edit(finding, place->source, place->start, place->end, text);
    return true;
}

static void drop_edits(struct finding *finding)
{
    for (size_t i = 0; i < finding->edit_count; i++)
        free(finding->edits[i].text);
    finding->edit_count = 0;
}

/* ---- Published ports: [IP:]PUBLISHED:TARGET[/tcp] in one scalar */

struct port_text {
    struct place published, target;
};

static size_t digits_before(const char *bytes, size_t from, size_t end)
{
    while (end > from && isdigit((unsigned char)bytes[end - 1]))
        end--;
    return end;
}

static bool port_text(const struct compose_port *port, struct port_text *text)
{
    const struct place *place = &port->place;
    const char *bytes;
    size_t from, end, start;

    if (!place->source || place->end > place->source->length || place->end <= place->start)
        return false;
    bytes = place->source->bytes;
    from = place->start;
    end = place->end;
    if (end - from > 4 && !strncmp(bytes + end - 4, "/tcp", 4))
        end -= 4;
    start = digits_before(bytes, from, end);
    text->target = text->published = *place;
    text->target.start = start;
    text->target.end = end;
    if (start == end || start <= from || bytes[start - 1] != ':' ||
        atoi(bytes + start) != port->target)
        return false;
    text->published.end = start - 1;
    text->published.start = digits_before(bytes, from, start - 1);
    start = text->published.start;
    return start < text->published.end && atoi(bytes + start) == port->published &&
           (start == from || bytes[start - 1] == ':');
}

bool fix_ephemeral(const struct diagnosis *diagnosis, struct finding *finding,
                   const struct compose_port *port, int published)
{
    const struct place *place = &port->place;
    size_t digits;

    if (!place->source || place->end > place->source->length || place->start >= place->end)
        return false;
    digits = digits_before(place->source->bytes, place->start, place->end);
    return digits == place->start && atoi(place->source->bytes + digits) == port->target &&
           fix_replace(diagnosis, finding, place,
                       mem_format(place->style == PLACE_PLAIN ? "\"%d:%d\"" : "%d:%d", published,
                                  port->target));
}

bool fix_published_possible(const struct compose_port *port)
{
    struct port_text text;

    return port_text(port, &text);
}

bool fix_target(const struct diagnosis *diagnosis, struct finding *finding,
                const struct compose_port *port, int target)
{
    struct port_text text;

    return port_text(port, &text) &&
           fix_replace(diagnosis, finding, &text.target, mem_format("%d", target));
}

bool fix_published(const struct diagnosis *diagnosis, struct finding *finding,
                   const struct compose_port *port, int published)
{
    struct port_text text;

    return port_text(port, &text) &&
           fix_replace(diagnosis, finding, &text.published, mem_format("%d", published));
}

/* ---- A line less, lines more */

bool fix_remove_item(const struct diagnosis *diagnosis, struct finding *finding,
                     const struct place *place)
{
    const char *bytes;
    struct place line = *place;

    if (!place->source || place->end > place->source->length || place->start >= place->end)
        return false;
    bytes = place->source->bytes;
    while (line.start && bytes[line.start - 1] != '\n')
        line.start--;
    line.end += strspn(bytes + line.end, "\"' \t\r");
    if (bytes[line.end] == '#')
        line.end += strcspn(bytes + line.end, "\n");
    if (bytes[line.end] != '\n' || line.end == line.start)
        return false;
    line.end++;
    for (size_t i = line.start, dashes = 0; i < place->start; i++) {
        dashes += bytes[i] == '-';
        if (!strchr(" -\"'", bytes[i]) || dashes > 1)
            return false;
    }
    if (memchr(bytes + place->start, '\n', place->end - place->start))
        return false;
    return fix_replace(diagnosis, finding, &line, mem_text(""));
}

bool fix_lines(struct finding *finding, const struct compose_gap *gap, char *lines)
{
    bool fresh; /* at the beginning of a line */

    if (!gap->source || gap->at > gap->source->length) {
        free(lines);
        return false;
    }
    fresh = !gap->at || gap->source->bytes[gap->at - 1] == '\n';
    finding_edit(finding, gap->source, gap->at, gap->at,
                 mem_format(fresh ? "%s\n" : "\n%s", lines));
    free(lines);
    return true;
}

bool fix_has_variable(const struct diagnosis *diagnosis, const struct compose_service *service,
                      const char *name)
{
    char *line = mem_format("%s%s", name, service->environment_gap.list ? "=" : ":");
    bool found = compose_variable(service, name) != NULL;

    for (size_t i = 0; i < diagnosis->finding_count && !found; i++)
        for (size_t k = 0; k < diagnosis->findings[i].edit_count; k++) {
            const struct edit *edit = &diagnosis->findings[i].edits[k];
            found |= edit->source == service->environment_gap.source &&
                     edit->start == service->environment_gap.at && strstr(edit->text, line);
        }
    free(line);
    return found;
}

/* ---- A listener more */

struct change { /* what fix_listener is about to do */
    const struct diagnosis *diagnosis;
    const struct broker *broker;
    struct finding *finding;
    const struct endpoint *listener, *told;
    const struct compose_port *port; /* of the host; NULL: none leads to it */
    char *prefix;                    /* "KAFKA_", "KAFKA_CFG_" */
    char host_name[80];              /* of the new listener */
    int host_port;                   /* where it listens */
};

static bool port_used(const struct broker *broker, int port)
{
    for (size_t i = 0; i < broker->listeners.count; i++)
        if (broker->listeners.list[i].port == port)
            return true;
    for (size_t i = 0; i < broker->service->port_count; i++)
        if (broker->service->ports[i].target == port)
            return true;
    return false;
}

static int free_port(const struct broker *broker)
{
    static const int ports[] = {29092, 39092, 49092, 19092, 29192};

    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
        if (!port_used(broker, ports[i]))
            return ports[i];
    return 0;
}

static const char *protocol_of(const struct change *change)
{
    const char *protocol = broker_protocol(change->broker, change->listener->name);

    return *protocol ? protocol : "PLAINTEXT";
}

/* The variable that holds a property; NULL: none, or others share it. */
static const struct compose_pair *pair_of(const struct broker *broker, const char *name)
{
    const struct property *property = broker_property(broker, name);

    return property && !property->derived ? property->pair : NULL;
}

/* Adds to a list that the file has. */
static bool append(const struct change *change, const struct compose_text *value, char *more)
{
    size_t length = strlen(value->text);
    struct place place;

    while (length && isspace((unsigned char)value->text[length - 1]))
        length--;
    if (!length || !fix_place(value, 0, length, &place) || fix_taken(change->diagnosis, &place)) {
        free(more);
        return false;
    }
    /* Its last byte again, so that no line that is put behind the value comes in between. */
    finding_edit(change->finding, place.source, place.end - 1, place.end,
                 mem_format("%c%s", value->text[length - 1], more));
    free(more);
    return true;
}

static bool add_variable(const struct change *change, const char *property, char *value)
{
    char *name = mem_format("%s%s", change->prefix ? change->prefix : "", property);
    bool done = change->prefix &&
                !fix_has_variable(change->diagnosis, change->broker->service, name) &&
                edit_add_variable(change->finding, change->broker->service, name, value);

    free(name);
    free(value);
    return done;
}

static bool change_advertised(const struct change *change)
{
    const char *service = change->broker->service->name;
    struct buf text = {0};
    struct place place;
    const struct endpoint *told = change->told;

    if (told && (!told->value || !fix_place(told->value, told->offset, told->length, &place)))
        return false;
    if (told) { /* the name as it is written */
        const char *item = told->value->text + told->offset;
        const char *end = memmem(item, told->length, "://", 3);
        if (!end)
            return false;
        buf_add(&text, item, (size_t)(end - item));
    } else {
        buf_text(&text, change->listener->name);
    }
    buf_format(&text, "://%s:%d", service, change->listener->port);
    if (change->port)
        buf_format(&text, ",%s://localhost:%d", change->host_name, change->port->published);
    if (!told)
        return add_variable(change, "ADVERTISED_LISTENERS", text.data);
    return fix_replace(change->diagnosis, change->finding, &place, text.data);
}

static bool change_listeners(const struct change *change)
{
    const struct endpoints *listeners = &change->broker->listeners;
    struct buf text = {0};

    if (fix_is_given(listeners, "listeners"))
        return append(change, listeners->property->value,
                      mem_format(",%s://0.0.0.0:%d", change->host_name, change->host_port));
    for (size_t i = 0; i < listeners->count; i++)
        buf_format(&text, "%s://0.0.0.0:%d,", listeners->list[i].name, listeners->list[i].port);
    buf_format(&text, "%s://0.0.0.0:%d", change->host_name, change->host_port);
    return add_variable(change, "LISTENERS", text.data);
}

static bool change_map(const struct change *change)
{
    const struct broker *broker = change->broker;
    const struct property *given = broker_property(broker, "listener.security.protocol.map");
    const struct compose_pair *pair = pair_of(broker, "listener.security.protocol.map");
    struct buf text = {0};

    if (broker->image == IMAGE_REDPANDA)
        return true;
    if (pair)
        return !pair->shared &&
               append(change, &pair->value,
                      mem_format(",%s:%s", change->host_name, protocol_of(change)));
    if (broker->map_given && !(given && given->derived))
        return false;
    for (size_t i = 0; i < broker->listeners.count; i++) {
        const char *name = broker->listeners.list[i].name;
        const char *protocol = broker_protocol(broker, name);
        buf_format(&text, "%s:%s,", name, *protocol ? protocol : "PLAINTEXT");
    }
    buf_format(&text, "%s:%s", change->host_name, protocol_of(change));
    return add_variable(change, "LISTENER_SECURITY_PROTOCOL_MAP", text.data);
}

static bool is_shared(const struct endpoints *endpoints)
{
    return endpoints->property && endpoints->property->pair && endpoints->property->pair->shared;
}

static char *prefix_of(const struct broker *broker)
{
    const struct property *property = broker->advertised.property;
    const char *name = property && property->pair ? property->pair->name : NULL;
    const char *at = name ? strstr(name, "LISTENERS") : NULL;

    if ((name && !at) || broker->image == IMAGE_REDPANDA)
        return NULL;
    if (at && at - name > 11 && !strncmp(at - 11, "ADVERTISED_", 11))
        at -= 11;
    if (at)
        return mem_bytes(name, (size_t)(at - name));
    return mem_text(broker->image == IMAGE_BITNAMI ? "KAFKA_CFG_" : "KAFKA_");
}

/* Redpanda's listener without a name: to have two, both are to be named. */
static bool is_unnamed(const struct change *change)
{
    return change->broker->image == IMAGE_REDPANDA && !*change->listener->name;
}

static bool change_file(struct change *change)
{
    const struct broker *broker = change->broker;
    bool flags = broker->advertised.property && !broker->advertised.property->pair;

    if (is_shared(&broker->advertised) || is_shared(&broker->listeners) ||
        (!change->prefix && !flags) || (change->port && !change->host_port) ||
        (change->port && !fix_published_possible(change->port)) ||
        (flags && change->told && !change->told->length))
        return false;
    if (!change_advertised(change))
        return false;
    return !change->port ||
           (change_listeners(change) && change_map(change) &&
            fix_target(change->diagnosis, change->finding, change->port, change->host_port));
}

static void say_listener(const struct change *change)
{
    const char *service = change->broker->service->name;

    if (is_unnamed(change) && !change->port)
        finding_fix(change->finding, "start it with --advertise-kafka-addr %s:%d", service,
                    change->listener->port);
    else if (is_unnamed(change))
        finding_fix(change->finding,
                    "start it with --kafka-addr internal://0.0.0.0:%d,external://0.0.0.0:%d "
                    "--advertise-kafka-addr internal://%s:%d,external://localhost:%d, and publish "
                    "\"%d:%d\"",
                    change->listener->port, change->host_port, service, change->listener->port,
                    change->port->published, change->port->published, change->host_port);
    else if (!change->port)
        finding_fix(change->finding, "advertise %s://%s:%d", change->listener->name, service,
                    change->listener->port);
    else
        finding_fix(change->finding,
                    "advertise %s://%s:%d,%s://localhost:%d, listen on %s://0.0.0.0:%d too (%s in "
                    "the security protocol map), and publish \"%d:%d\"",
                    change->listener->name, service, change->listener->port, change->host_name,
                    change->port->published, change->host_name, change->host_port,
                    protocol_of(change), change->port->published, change->host_port);
}

/* The port of the host that leads to the listener, if no other listener has the host's clients. */
static const struct compose_port *host_port(const struct reach *reach, const struct broker *broker,
                                            const struct endpoint *listener)
{
    size_t index = 0;
    const struct compose_port *port;

    while ((port = reach_published(reach, broker->service, listener->port, &index)))
        if (port->published)
            return port;
    return NULL;
}

bool fix_listener(const struct diagnosis *diagnosis, const struct reach *reach,
                  struct finding *finding, const struct broker *broker, const char *name)
{
    struct change change = {.diagnosis = diagnosis,
                            .broker = broker,
                            .finding = finding,
                            .listener = endpoint_find(&broker->listeners, name),
                            .told = endpoint_find(&broker->advertised, name)};
    bool done;

    if (!change.listener)
        return false;
    if (!fix_is_given(&broker->advertised, "advertised.listeners"))
        change.told = NULL;
    change.port = host_port(reach, broker, change.listener);
    change.host_port = free_port(broker);
    for (int i = 1; i < 10; i++) {
        snprintf(change.host_name, sizeof change.host_name, i > 1 ? "%.60s_HOST%d" : "%.60s_HOST",
                 *change.listener->name ? change.listener->name : "PLAINTEXT", i);
        if (!endpoint_find(&broker->listeners, change.host_name))
            break;
    }
    change.prefix = prefix_of(broker);
    say_listener(&change);
    done = change_file(&change);
    if (!done)
        drop_edits(finding);
    free(change.prefix);
    return done;
}
