#include "cluster/docker_message.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"

/* Go's fs.ModeType: what is set when a file is no regular one. */
#define MODE_TYPE (1U << 31 | 1U << 27 | 1U << 26 | 1U << 25 | 1U << 24 | 1U << 21 | 1U << 19)
#define STAT_MOST 65536
#define SHORT_ID  12 /* of a container's id: its host name, when it was given no other */

static char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return mem_text(text ? text : "");
}

/* {"NAME":{"Gateway":"172.18.0.1","IPAddress":"172.18.0.2",...},...}. A
 * network without a gateway (`internal: true`) does not reach this machine. */
static void read_networks(const json_t *row, struct docker_container *container)
{
    const json_t *networks = json_object_get(json_object_get(row, "NetworkSettings"), "Networks");
    const char *name;
    json_t *network;

    json_object_foreach((json_t *)networks, name, network)
    {
        const char *gateway = json_string_value(json_object_get(network, "Gateway"));
        if (!gateway || !*gateway)
            continue;
        container->gateway = mem_text(gateway);
        container->address = text_of(network, "IPAddress");
        return;
    }
    container->gateway = mem_text("");
    container->address = mem_text("");
}

static char **read_names(const json_t *networks)
{
    char **names = mem_alloc(json_object_size(networks) + 1, sizeof *names);
    const char *name;
    json_t *network;
    size_t count = 0;

    json_object_foreach((json_t *)networks, name, network)
    {
        names[count++] = mem_text(name);
    }
    return names;
}

static bool has_both(const struct docker_container *container, size_t count, int published, int own)
{
    for (size_t i = 0; i < count; i++)
        if (container->ports[i] == published && container->own[i] == own)
            return true;
    return false;
}

/* [{"IP":"127.0.0.1","PrivatePort":6066,"PublicPort":16066,"Type":"tcp"},...]:
 * once for each address, so often twice; without a PublicPort where the image
 * only exposes it. */
static size_t add_ports(const json_t *row, struct docker_container *container, bool published,
                        size_t count)
{
    const json_t *ports = json_object_get(row, "Ports"), *port;
    size_t i;

    json_array_foreach(ports, i, port)
    {
        json_int_t number = json_integer_value(json_object_get(port, "PublicPort"));
        json_int_t own = json_integer_value(json_object_get(port, "PrivatePort"));
        const char *type = json_string_value(json_object_get(port, "Type"));
        if (number < 0 || number > 65535 || own < 1 || own > 65535 || (number > 0) != published ||
            !type || strcmp(type, "tcp") != 0 || has_both(container, count, (int)number, (int)own))
            continue;
        container->ports[count] = (int)number;
        container->own[count++] = (int)own;
    }
    return count;
}

static void read_ports(const json_t *row, struct docker_container *container)
{
    size_t most = json_array_size(json_object_get(row, "Ports")) + 1;

    container->ports = mem_alloc(most, sizeof *container->ports);
    container->own = mem_alloc(most, sizeof *container->own);
    add_ports(row, container, false, add_ports(row, container, true, 0));
}

static void read_row(const json_t *row, struct docker_container *container)
{
    const char *name = json_string_value(json_array_get(json_object_get(row, "Names"), 0));

    container->id = text_of(row, "Id");
    container->name = mem_text(name ? name + (*name == '/') : "");
    container->service = text_of(json_object_get(row, "Labels"), "com.docker.compose.service");
    container->image = text_of(row, "Image");
    container->files =
        text_of(json_object_get(row, "Labels"), "com.docker.compose.project.config_files");
    container->networks =
        read_names(json_object_get(json_object_get(row, "NetworkSettings"), "Networks"));
    read_networks(row, container);
    read_ports(row, container);
}

int docker_containers_read(const char *bytes, size_t length, struct docker_containers *containers)
{
    json_t *root = json_loadb(bytes ? bytes : "", length, 0, NULL), *row;
    size_t i;

    *containers = (struct docker_containers){0};
    if (!json_is_array(root)) {
        json_decref(root);
        return -1;
    }
    containers->list = mem_alloc(json_array_size(root) + 1, sizeof *containers->list);
    json_array_foreach(root, i, row)
    {
        read_row(row, &containers->list[containers->count++]);
    }
    json_decref(root);
    return 0;
}

void docker_containers_free(struct docker_containers *containers)
{
    for (size_t i = 0; i < containers->count; i++) {
        struct docker_container *container = &containers->list[i];
        free(container->id);
        free(container->name);
        free(container->service);
        free(container->address);
        free(container->gateway);
        free(container->ports);
        free(container->own);
        free(container->image);
        free(container->files);
        for (char **name = container->networks; *name; name++)
            free(*name);
        free(container->networks);
    }
    free(containers->list);
    *containers = (struct docker_containers){0};
}

const struct docker_container *docker_find_port(const struct docker_containers *containers,
                                                int port)
{
    for (size_t i = 0; i < containers->count; i++)
        for (const int *at = containers->list[i].ports; *at; at++)
            if (*at == port)
                return &containers->list[i];
    return NULL;
}

const struct docker_container *docker_find_host(const struct docker_containers *containers,
                                                const char *host)
{
    size_t length = strlen(host);

    for (size_t i = 0; i < containers->count && length > 0; i++) {
        const struct docker_container *container = &containers->list[i];
        if (strcmp(container->name, host) == 0 || strcmp(container->service, host) == 0 ||
            strcmp(container->address, host) == 0 ||
            (length >= SHORT_ID && strncmp(container->id, host, length) == 0))
            return container;
    }
    return NULL;
}

static size_t add_words(const json_t *list, char **words, size_t count)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (json_is_string(item))
            words[count++] = mem_text(json_string_value(item));
    }
    return count;
}

char **docker_words_read(const char *bytes, size_t length)
{
    json_t *root = json_loadb(bytes ? bytes : "", length, 0, NULL);
    const json_t *config = json_object_get(root, "Config"), *args = json_object_get(root, "Args"),
                 *environment = json_object_get(config, "Env");
    char **words =
        mem_alloc(json_array_size(args) + json_array_size(environment) + 1, sizeof *words);

    add_words(environment, words, add_words(args, words, 0));
    json_decref(root);
    return words;
}

int docker_output_read(const char *bytes, size_t length, int stream, struct buf *text)
{
    const unsigned char *at = (const unsigned char *)bytes;

    buf_text(text, "");
    while (length >= 8) {
        size_t size = (size_t)at[4] << 24 | (size_t)at[5] << 16 | (size_t)at[6] << 8 | at[7];
        if (at[0] > 2 || at[1] || at[2] || at[3] || size > length - 8)
            return -1;
        if (at[0] == stream)
            buf_add(text, (const char *)at + 8, size);
        at += 8 + size;
        length -= 8 + size;
    }
    return length == 0 ? 0 : -1;
}

/* {"name":"stderr","size":27,"mode":420,"mtime":"...","linkTarget":""} */
int64_t docker_file_size(const char *header)
{
    size_t length = strlen(header);
    unsigned char *text = mem_alloc(length + 1, 1);
    json_t *root = NULL;
    const json_t *size, *mode;
    int64_t found = -1;

    if (length <= STAT_MOST &&
        EVP_DecodeBlock(text, (const unsigned char *)header, (int)length) > 0)
        root = json_loads((const char *)text, 0, NULL); /* ends at the padding's NUL, too */
    size = json_object_get(root, "size");
    mode = json_object_get(root, "mode");
    if (json_is_integer(size) && json_integer_value(size) >= 0 && json_is_integer(mode) &&
        (json_integer_value(mode) & MODE_TYPE) == 0)
        found = (int64_t)json_integer_value(size);
    json_decref(root);
    free(text);
    return found;
}

char *docker_reason(const char *bytes, size_t length)
{
    json_t *root = json_loadb(bytes ? bytes : "", length, 0, NULL);
    char *reason = text_of(root, "message");

    reason[strcspn(reason, "\r\n")] = '\0';
    json_decref(root);
    return reason;
}
