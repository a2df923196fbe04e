/* image_redpanda_file.c: redpanda.yaml: its kafka_api and advertised_kafka_api,
 * each a list of {name, address, port}, or one of them (redpanda-data/redpanda
 * conf/redpanda.yaml, src/go/rpk/pkg/config/schema.go). */
#include "cluster/doctor/image.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"

static const char *scalar(const yaml_node_t *node)
{
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : "";
}

/* NULL if the node is no mapping or has no such key. */
static yaml_node_t *member(yaml_document_t *document, const yaml_node_t *node, const char *key)
{
    if (!node || node->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++)
        if (!strcmp(scalar(yaml_document_get_node(document, pair->key)), key))
            return yaml_document_get_node(document, pair->value);
    return NULL;
}

static void add_address(struct buf *list, yaml_document_t *document, const yaml_node_t *node)
{
    const char *port = scalar(member(document, node, "port"));

    buf_format(list, "%s%s://%s:%s", list->length ? "," : "",
               scalar(member(document, node, "name")), scalar(member(document, node, "address")),
               *port ? port : "9092");
}

static void read_list(struct broker *broker, yaml_document_t *document, const yaml_node_t *node,
                      const char *property)
{
    struct buf list = {0};

    if (!node)
        return;
    if (node->type == YAML_MAPPING_NODE)
        add_address(&list, document, node);
    for (size_t i = 0; node->type == YAML_SEQUENCE_NODE && i < LIMIT_LISTENERS &&
                       node->data.sequence.items.start + i < node->data.sequence.items.top;
         i++)
        add_address(&list, document,
                    yaml_document_get_node(document, node->data.sequence.items.start[i]));
    if (list.data)
        property_derive(broker, property, list.data)->derived = false;
    buf_free(&list);
}

static bool read_document(struct broker *broker, const struct source *source)
{
    yaml_parser_t parser;
    yaml_document_t document;
    const yaml_node_t *redpanda;
    bool read;

    if (!yaml_parser_initialize(&parser))
        return false;
    yaml_parser_set_input_string(&parser, (const unsigned char *)source->bytes, source->length);
    read = yaml_parser_load(&parser, &document) == 1;
    if (read) {
        redpanda = member(&document, yaml_document_get_root_node(&document), "redpanda");
        read_list(broker, &document, member(&document, redpanda, "kafka_api"), "listeners");
        read_list(broker, &document, member(&document, redpanda, "advertised_kafka_api"),
                  "advertised.listeners");
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return read;
}

bool image_redpanda_file(struct broker *broker, const char *path)
{
    struct error error = {0};
    struct source *source = NULL;
    bool read;

    if (!*path || source_read(path, LIMIT_REDPANDA_BYTES, &source, &error) < 0)
        return false;
    read = read_document(broker, source);
    source_free(source);
    return read;
}
