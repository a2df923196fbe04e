#include <stdlib.h>

#include "cluster/base/buf.h"
#include "runner/doctor.h"

static const char *image_name(enum broker_image image)
{
    switch (image) {
    case IMAGE_APACHE:
        return "apache";
    case IMAGE_CONFLUENT:
        return "confluent";
    case IMAGE_BITNAMI:
        return "bitnami";
    case IMAGE_WURSTMEISTER:
        return "wurstmeister";
    case IMAGE_REDPANDA:
        return "redpanda";
    case IMAGE_TALLY:
        return "tally";
    case IMAGE_OTHER:
        return "other";
    }
    return "other";
}

/* A path may be any bytes; JSON is UTF-8. */
static json_t *path_json(const char *path)
{
    json_t *text = path ? json_string(path) : json_null();

    return text ? text : json_string("(a path that is no UTF-8)");
}

/* NULL, which is JSON's null, for "". */
static const char *given(const char *text)
{
    return text && *text ? text : NULL;
}

static json_t *endpoint_json(const struct endpoint *endpoint)
{
    return json_pack("{ss, so, si}", "name", endpoint->name, "host", json_string(endpoint->host),
                     "port", endpoint->port);
}

static json_t *endpoints_json(const struct endpoints *endpoints)
{
    json_t *list = json_array();

    for (size_t i = 0; i < endpoints->count; i++)
        json_array_append_new(list, endpoint_json(&endpoints->list[i]));
    return list;
}

static json_t *version_json(const struct broker *broker)
{
    char *text = broker->major < 0   ? NULL
                 : broker->minor < 0 ? mem_format("%d", broker->major)
                                     : mem_format("%d.%d", broker->major, broker->minor);
    json_t *version = text ? json_string(text) : json_null();

    free(text);
    return version;
}

static json_t *brokers_json(const struct brokers *brokers)
{
    json_t *list = json_array();

    for (size_t i = 0; i < brokers->count; i++) {
        const struct broker *broker = &brokers->list[i];
        json_array_append_new(
            list, json_pack("{ss, ss?, ss, so, so, so}", "service", broker->service->name, "image",
                            given(broker->service->image.text), "style", image_name(broker->image),
                            "kafka", version_json(broker), "listeners",
                            endpoints_json(&broker->listeners), "advertised",
                            endpoints_json(&broker->advertised)));
    }
    return list;
}

/* The lines to change; where they are not known, what to do. */
static json_t *fix_json(const struct finding *finding)
{
    struct buf change = {0};
    json_t *fix = NULL;

    correct_change(&change, finding);
    if (change.length)
        fix = json_stringn(change.data, change.length);
    if (!fix && *finding->fix)
        fix = json_string(finding->fix);
    buf_free(&change);
    return fix ? fix : json_null();
}

static json_t *finding_json(const struct finding *finding)
{
    const struct place *place = &finding->place;
    json_t *line = place->source ? json_integer((json_int_t)place->line) : json_null();
    json_t *column = place->source ? json_integer((json_int_t)place->column) : json_null();

    return json_pack("{ss, ss, so, so, so, ss?, so, so, so}", "rule", finding->rule->id, "severity",
                     severity_name(finding->severity), "file",
                     path_json(place->source ? place->source->path : NULL), "line", line, "column",
                     column, "service", given(finding->service), "message",
                     json_string(finding->message), "fix", fix_json(finding), "advice",
                     given(finding->fix) ? json_string(finding->fix) : json_null());
}

static json_t *findings_json(const struct diagnosis *diagnosis)
{
    json_t *list = json_array();

    for (size_t i = 0; i < diagnosis->finding_count; i++)
        json_array_append_new(list, finding_json(&diagnosis->findings[i]));
    return list;
}

static json_t *vantages_json(const struct diagnosis *diagnosis)
{
    json_t *list = json_array();

    for (size_t i = 0; i < diagnosis->vantage_count; i++) {
        const struct vantage *vantage = &diagnosis->vantages[i];
        json_t *addresses = json_array();
        for (char **address = vantage->addresses; address && *address; address++)
            json_array_append_new(addresses, json_string(*address));
        json_array_append_new(list, json_pack("{ss, so, ss?}", "from", vantage->from, "bootstrap",
                                              addresses, "failure", given(vantage->failure)));
    }
    return list;
}

static json_t *corrected_json(const struct corrections *result)
{
    json_t *files = json_array();

    for (size_t i = 0; i < result->count; i++) {
        char *path = correct_path(result->list[i].before->path);
        json_array_append_new(files, path_json(path));
        free(path);
    }
    return json_pack("{so, ss, so}", "files", files, "verdict",
                     verdict_name(result->after->verdict), "findings",
                     findings_json(result->after));
}

json_t *doctor_json(const struct checkup *checkup, bool corrected)
{
    const struct diagnosis *diagnosis = checkup->result.before;
    json_t *root;

    if (!checkup->known)
        return json_pack("{so, so, so, so, so}", "file", path_json(checkup->files[0]), "verdict",
                         json_null(), "brokers", json_array(), "findings", json_array(), "error",
                         path_json(checkup->error.text));
    root = json_pack("{so, ss, so, so, so}", "file", path_json(checkup->files[0]), "verdict",
                     verdict_name(diagnosis->verdict), "brokers", brokers_json(&diagnosis->brokers),
                     "findings", findings_json(diagnosis), "vantages", vantages_json(diagnosis));
    if (corrected)
        json_object_set_new(root, "corrected", corrected_json(&checkup->result));
    return root;
}
