#include "runner/doctor_live.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/base/buf.h"
#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "cluster/base/output.h"
#include "cluster/docker.h"
#include "cluster/docker_run.h"
#include "cluster/probe/live.h"
#include "cluster/probe/places.h"

#define INSIDE_MS                                                                                  \
    40000              /* of which a probe takes ten seconds at most, and a round trip the rest    \
                        */
#define INSPECTED  200 /* containers */
#define FILE_LINES 20000

/* ---- In the networks: a container of this program in each, all at once */

struct inside {
    const struct options *options;
    const struct places_network *network;
    const struct places_list *asked; /* by the user */
    const char *image, *libraries;
    char *name;
    struct live_vantage *vantage;
    pthread_t thread;
};

/* Another machine's localhost is of no interest there. */
static const char **arguments_of(const struct inside *inside)
{
    const struct places_list *lists[] = {&inside->network->addresses, inside->asked};
    const char **arguments = mem_alloc(lists[0]->count + lists[1]->count + 8, sizeof *arguments);
    size_t count = 0;

    arguments[count++] = "doctor";
    arguments[count++] = "--live";
    arguments[count++] = "--json";
    arguments[count++] = "--from";
    arguments[count++] = inside->network->name;
    if (inside->options->round_trip)
        arguments[count++] = "--round-trip";
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < lists[i]->count; j++) {
            char *host = NULL;
            int port;
            if (probe_split(lists[i]->list[j], &host, &port) && !probe_is_loopback(host))
                arguments[count++] = lists[i]->list[j];
            free(host);
        }
    }
    return arguments;
}

static void *look_inside(void *argument)
{
    struct inside *inside = argument;
    struct live_vantage *vantage = inside->vantage;
    const char **arguments = arguments_of(inside);
    const struct docker_run run = {.name = inside->name,
                                   .image = inside->image,
                                   .network = inside->network->name,
                                   .libraries = inside->libraries,
                                   .arguments = arguments,
                                   .wait_ms = INSIDE_MS};
    struct http *http = http_new();
    struct buf out = {0};
    struct error error;
    int result = docker_run(http, &run, &out, &error);

    if (result == 0 && live_read_vantage(out.data, out.length, vantage) < 0)
        result = error_set(&error, EXIT_UNREACHABLE, "what ran there gave no result");
    if (result < 0) {
        free(vantage->error);
        vantage->error = mem_text(error.text);
    }
    buf_free(&out);
    http_free(http);
    free(arguments);
    return NULL;
}

struct networks {
    const struct options *options;
    const struct places *places;
    const struct places_list *asked;
    struct live *live;
    size_t first; /* its vantage, of the networks' */
    pthread_t thread;
};

static void look_into_each(const struct networks *networks, const char *image,
                           const char *libraries)
{
    size_t count = networks->places->network_count;
    struct inside *all = mem_alloc(count, sizeof *all);

    for (size_t i = 0; i < count; i++) {
        all[i] = (struct inside){.options = networks->options,
                                 .network = &networks->places->networks[i],
                                 .asked = networks->asked,
                                 .image = image,
                                 .libraries = libraries,
                                 .name = mem_format("%s-%zu", image, i),
                                 .vantage = &networks->live->vantages[networks->first + i]};
        *strchr(all[i].name, ':') = '-';
        if (pthread_create(&all[i].thread, NULL, look_inside, &all[i]) != 0)
            abort(); /* no memory for a stack */
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(all[i].thread, NULL);
        free(all[i].name);
    }
    free(all);
}

static void *look_into_networks(void *argument)
{
    struct networks *networks = argument;
    char *image =
        mem_format("tally-doctor:%d-%lld", (int)getpid(), (long long)(clock_wall_ms() % 1000000));
    struct http *http = http_new();
    struct error error;
    char *libraries;

    if (docker_import_self(http, image, &libraries, &error) == 0) {
        look_into_each(networks, image, libraries);
    } else {
        for (size_t i = 0; i < networks->places->network_count; i++) {
            struct live_vantage *vantage = &networks->live->vantages[networks->first + i];
            free(vantage->error);
            vantage->error = mem_text(error.text);
        }
    }
    docker_remove_image(http, image);
    docker_remove_stale(http);
    http_free(http);
    free(libraries);
    free(image);
    return NULL;
}

/* ---- From here */

static void try_round_trip(const struct options *options, struct live_vantage *vantage)
{
    const struct probe_endpoint *first = live_first(vantage);
    bool here = strcmp(vantage->from, LIVE_HOST) == 0;
    char *suffix = mem_format("%s%s", here ? "" : "-", here ? "" : vantage->from);

    for (char *at = suffix; *at; at++) /* what Kafka takes in a topic's name */
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", *at))
            *at = '-';
    if (options->round_trip && first)
        round_trip(options->kafka, first->address, suffix, &vantage->trip);
    free(suffix);
}

static int look_from_here(const struct options *options, const struct places_list *addresses,
                          struct live_vantage *vantage, struct error *error)
{
    const struct probe_request request = {.addresses = (const char *const *)addresses->list,
                                          .settings = options->kafka};
    int result = probe(&request, &vantage->result, error);

    if (result == 0)
        try_round_trip(options, vantage);
    return result;
}

static void print_json(const struct live *live)
{
    json_t *root = live_json(live);

    json_dumpf(root, stdout, JSON_COMPACT | JSON_REAL_PRECISION(7));
    putchar('\n');
    json_decref(root);
}

/* Inside a network: for who started it there. */
static int look_as(const struct options *options, const struct places_list *asked,
                   struct error *error)
{
    struct live live = {0};
    struct live_vantage *vantage = live_add(&live, options->from);
    int result = asked->count ? look_from_here(options, asked, vantage, error)
                              : error_set(error, EXIT_USAGE, "--from needs an address to try");

    if (result == 0) {
        print_json(&live);
        result = output_flush(error);
    }
    live_free(&live);
    return result;
}

/* ---- Which line it is */

/* Where the file advertises that address: "compose.yaml:12"; NULL. */
static char *search_file(const char *path, const char *address)
{
    char *wanted = mem_format("://%s", address), *line = NULL, *found = NULL;
    FILE *file = fopen(path, "r");
    size_t size = 0, length = strlen(wanted);

    for (int number = 1; file && !found && number < FILE_LINES; number++) {
        const char *at;
        if (getline(&line, &size, file) < 0)
            break;
        at = strstr(line, wanted);
        if (at && !(at[length] >= '0' && at[length] <= '9'))
            found = mem_format("%s:%d", path, number);
    }
    if (file)
        fclose(file);
    free(line);
    free(wanted);
    return found;
}

static char *search_diagnosis(const struct diagnosis *diagnosis, const char *address)
{
    for (size_t i = 0; i < diagnosis->brokers.count; i++) {
        const struct endpoints *advertised = &diagnosis->brokers.list[i].advertised;
        for (size_t j = 0; j < advertised->count; j++) {
            const struct endpoint *endpoint = &advertised->list[j];
            const struct place *place = endpoint->value ? &endpoint->value->place : NULL;
            char *own = probe_address(endpoint->host, endpoint->port);
            bool same = strcmp(own, address) == 0;
            free(own);
            if (same && place && place->source)
                return mem_format("%s:%zu:%zu", place->source->path, place->line, place->column);
        }
    }
    return NULL;
}

static void name_lines(struct live *live, const struct places *places,
                       const struct diagnosis *diagnosis)
{
    for (size_t i = 0; i < live->cause_count; i++) {
        struct live_cause *cause = &live->causes[i];
        char *line = diagnosis ? search_diagnosis(diagnosis, cause->address) : NULL;
        for (size_t j = 0; !line && j < places->files.count; j++)
            line = search_file(places->files.list[j], cause->address);
        if (line) {
            free(cause->line);
            cause->line = line;
        }
    }
}

/* ---- All of it */

static bool share_network(const struct docker_container *one, const struct docker_container *other)
{
    for (char *const *name = one->networks; *name; name++)
        for (char *const *also = other->networks; *also; also++)
            if (strcmp(*name, *also) == 0)
                return true;
    return false;
}

/* Of interest are the brokers that the user means, and those in their networks;
 * without an address all. The engine lists the newest first. */
static void choose_brokers(struct places *places, const struct places_list *asked,
                           const struct docker_containers *containers, char ***words, size_t count)
{
    bool *meant = mem_alloc(count + 1, sizeof *meant);

    for (size_t i = 0; i < count; i++)
        meant[i] = places_match(asked, &containers->list[i], words[i]);
    for (size_t i = count; i-- > 0;) {
        bool chosen = asked->count == 0;
        for (size_t j = 0; j < count && !chosen; j++)
            chosen =
                meant[j] && (i == j || share_network(&containers->list[i], &containers->list[j]));
        if (chosen)
            places_add(places, &containers->list[i], words[i]);
    }
    places_count(places, containers);
    free(meant);
}

/* What the Docker engine knows of brokers; nothing when it cannot be asked. */
static void ask_docker(struct places *places, const struct places_list *asked)
{
    struct docker_containers containers;
    struct http *http = http_new();
    struct error error;
    char **words[INSPECTED];
    size_t count;

    if (docker_list(http, &containers, &error) < 0) {
        log_info("from this machine only: %s", error.text);
        http_free(http);
        return;
    }
    count = containers.count < INSPECTED ? containers.count : INSPECTED;
    for (size_t i = 0; i < count; i++)
        words[i] = docker_words(http, &containers.list[i]);
    choose_brokers(places, asked, &containers, words, count);
    if (places->cut)
        log_info("the brokers are in more than %d networks: the others are not looked into",
                 LIMIT_PROBE_NETWORKS);
    for (size_t i = 0; i < count; i++) {
        for (char **word = words[i]; word && *word; word++)
            free(*word);
        free(words[i]);
    }
    docker_containers_free(&containers);
    http_free(http);
}

static char **copy_list(const struct places_list *list)
{
    char **copy = mem_alloc(list->count + 1, sizeof *copy);

    for (size_t i = 0; i < list->count; i++)
        copy[i] = mem_text(list->list[i]);
    return copy;
}

/* Something must work in a network in which others than one broker run. With TLS
 * or SASL nobody in there has the settings for it. */
static void add_vantages(struct live *live, const struct options *options,
                         const struct places *places, const struct places_list *asked)
{

    struct live_vantage *vantage = live_add(live, LIVE_HOST);

    vantage->wanted = asked->count == 0;
    vantage->known = &places->host;
    for (size_t i = 0; i < places->network_count; i++) {
        vantage = live_add(live, places->networks[i].name);
        vantage->wanted = places->networks[i].containers > 1 && probe_is_plain(options->kafka);
        vantage->known = &places->networks[i].addresses;
    }
    live->bootstrap = copy_list(asked);
    live->advertised = copy_list(&places->advertised);
}

static int look_around(const struct options *options, const struct places *places,
                       const struct places_list *asked, struct live *live, struct error *error)
{
    struct networks networks = {options, places, asked, live, 1, 0};
    struct places_list usual = {0};
    const struct places_list *from_here = asked->count ? asked : &places->host;
    bool inside = places->network_count > 0;
    int result;

    if (from_here->count == 0 && places->network_count == 0) {
        places_list_add(&usual, "localhost:9092", "");
        from_here = &usual;
    }
    if (inside && pthread_create(&networks.thread, NULL, look_into_networks, &networks) != 0)
        abort(); /* no memory for a stack */
    live->vantages[0].wanted = live->vantages[0].wanted && from_here->count > 0;
    result = from_here->count ? look_from_here(options, from_here, &live->vantages[0], error) : 0;
    if (inside)
        pthread_join(networks.thread, NULL);
    places_list_free(&usual);
    if (result == 0 && interrupt_signal())
        result = interrupt_error(error);
    return result;
}

static int conclude(const struct options *options, const struct live *live, struct error *error)
{
    size_t broken = 0;

    if (options->json)
        print_json(live);
    else
        live_print(live, stdout);
    if (output_flush(error) < 0)
        return -1;
    for (size_t i = 0; i < live->cause_count; i++)
        broken += live->causes[i].broken;
    if (!live->reached)
        return error_set(error, EXIT_UNREACHABLE, "nothing answers at any of these addresses");
    if (live->broken)
        return error_set(error, EXIT_FAILED, "%zu thing%s broken", broken,
                         broken == 1 ? " is" : "s are");
    return 0;
}

int doctor_live(const struct options *options, const char *const *addresses,
                const struct diagnosis *diagnosis, struct error *error)
{
    struct places_list asked = {0};
    struct places places = {0};
    struct live live = {0};
    int result;

    interrupt_install();
    for (; *addresses; addresses++)
        places_list_split(&asked, *addresses);
    if (options->from) {
        result = look_as(options, &asked, error);
    } else {
        ask_docker(&places, &asked);
        add_vantages(&live, options, &places, &asked);
        result = look_around(options, &places, &asked, &live, error);
        if (result == 0) {
            live_judge(&live);
            name_lines(&live, &places, diagnosis);
            result = conclude(options, &live, error);
        }
    }
    live_free(&live);
    places_free(&places);
    places_list_free(&asked);
    return result;
}
