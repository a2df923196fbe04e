/* Compose files as text, and what the loader makes of them. A row's files begin
 * with "=== NAME" lines; without one all is compose.yaml. The expectation is a
 * dump of the model, without what nobody said. In it, behind a value: @LINE:COLUMN
 * (in rows that ask for places), $ a variable stood in it, ?V unset, ^ of an
 * env_file, & shared, ! absent. */
#include "tests/unit/unit.h"

#include <ftw.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/compose/compose.h"

static char folder[64];

/* ---- The dump */

static void dump_place(struct buf *out, const struct place *place, bool places)
{
    static const char styles[] = "-ps'|";

    if (!places)
        return;
    buf_format(out, "@%zu:%zu", place->line, place->column);
    if (place->style != PLACE_PLAIN)
        buf_char(out, place->style == PLACE_DOUBLE   ? '"'
                      : place->style == PLACE_SINGLE ? '\''
                                                     : styles[place->style]);
    if (place->source && place->style != PLACE_NONE) {
        assert_true(place->start <= place->end && place->end <= place->source->length);
        buf_char(out, '<');
        buf_add(out, place->source->bytes + place->start, place->end - place->start);
        buf_char(out, '>');
    }
}

static void dump_text(struct buf *out, const char *what, const struct compose_text *text,
                      bool places)
{
    assert_non_null(text->text);
    if (!*text->text && !text->unset)
        return;
    buf_format(out, " %s%s", what, text->text);
    if (text->interpolated)
        buf_char(out, '$');
    if (text->unset)
        buf_format(out, "?%s", text->unset);
    dump_place(out, &text->place, places);
}

static void dump_pair(struct buf *out, const struct compose_pair *pair, bool places)
{
    buf_format(out, " %s=%s%s", pair->name, pair->value.text, pair->absent ? "!" : "");
    if (pair->value.interpolated)
        buf_char(out, '$');
    if (pair->value.unset)
        buf_format(out, "?%s", pair->value.unset);
    buf_format(out, "%s%s", pair->from_file ? "^" : "", pair->shared ? "&" : "");
    dump_place(out, &pair->value.place, places);
}

static void dump_list(struct buf *out, const char *what, char *const *list)
{
    for (; *list; list++)
        buf_format(out, " %s%s", what, *list);
}

static void dump_ports(struct buf *out, const struct compose_service *service, bool places)
{
    for (size_t i = 0; i < service->port_count; i++) {
        const struct compose_port *port = &service->ports[i];
        buf_format(out, " port:%s%s%d:%d", port->host_ip, *port->host_ip ? ":" : "",
                   port->published, port->target);
        if (port->unset)
            buf_format(out, "?%s", port->unset);
        dump_place(out, &port->place, places);
    }
}

static void dump_uses(struct buf *out, const struct compose_service *service)
{
    for (size_t i = 0; i < service->use_count; i++) {
        const struct compose_use *use = &service->uses[i];
        if (service->use_count == 1 && strcmp(use->network, "default") == 0 && !*use->aliases)
            continue;
        buf_format(out, " net:%s", use->network);
        for (char **alias = use->aliases; *alias; alias++)
            buf_format(out, "/%s", *alias);
        if (*use->address)
            buf_format(out, "/%s", use->address);
    }
}

static void dump_gap(struct buf *out, const char *what, const struct compose_gap *gap)
{
    size_t line = 1;

    if (!gap->source)
        return;
    assert_true(gap->at == gap->source->length || strchr("\r\n", gap->source->bytes[gap->at]));
    for (size_t i = 0; i < gap->at; i++)
        line += gap->source->bytes[i] == '\n';
    buf_format(out, " %s%zu+%zu%s", what, line, gap->indent, gap->list ? "-" : "");
}

static void dump_words(struct buf *out, const char *what, const struct compose_text *words,
                       size_t count, bool places)
{
    buf_format(out, " %s", what);
    for (size_t i = 0; i < count; i++) {
        buf_format(out, "[%s]", words[i].text);
        dump_place(out, &words[i].place, places);
    }
}

static void dump_service(struct buf *out, const struct compose_service *service, bool places)
{
    buf_format(out, "%s", service->name);
    dump_text(out, "image:", &service->image, places);
    if (service->build)
        buf_format(out, " build:%s", service->build_base);
    dump_text(out, "name:", &service->container_name, places);
    dump_text(out, "hostname:", &service->hostname, places);
    dump_text(out, "mode:", &service->network_mode, places);
    dump_uses(out, service);
    dump_ports(out, service, places);
    for (size_t i = 0; i < service->environment_count; i++)
        dump_pair(out, &service->environment[i], places);
    for (size_t i = 0; i < service->host_count; i++)
        buf_format(out, " host:%s=%s", service->hosts[i].name, service->hosts[i].value.text);
    for (size_t i = 0; i < service->volume_count; i++)
        buf_format(out, " volume:%s:%s", service->volumes[i].source, service->volumes[i].target);
    dump_list(out, "after:", service->depends_on);
    dump_list(out, "link:", service->links);
    dump_list(out, "profile:", service->profiles);
    if (service->has_command)
        dump_words(out, "command:", service->command, service->command_count, places);
    if (service->entrypoint_count)
        dump_words(out, "entrypoint:", service->entrypoint, service->entrypoint_count, places);
    dump_text(out, "check:", &service->healthcheck, places);
    if (service->replicas != 1)
        buf_format(out, " x%ld", service->replicas);
    buf_char(out, '\n');
}

static void dump_gaps(struct buf *out, const struct compose_service *service)
{
    buf_format(out, "%s", service->name);
    dump_gap(out, "environment:", &service->environment_gap);
    dump_gap(out, "ports:", &service->ports_gap);
    dump_gap(out, "service:", &service->service_gap);
    buf_char(out, '\n');
}

static void dump_rest(struct buf *out, const struct compose *compose)
{
    for (size_t i = 0; i < compose->network_count; i++) {
        const struct compose_network *network = &compose->networks[i];
        if (strcmp(network->key, "default") == 0 && network->place.line == 0)
            continue;
        buf_format(out, "network %s=%s%s%s\n", network->key, network->name,
                   network->external ? " external" : "", network->internal ? " internal" : "");
    }
    for (size_t i = 0; i < compose->unknown_count; i++) {
        const struct compose_unknown *unknown = &compose->unknowns[i];
        buf_format(out, "unknown %s%s%zu:%zu: %s\n", unknown->service, *unknown->service ? " " : "",
                   unknown->place.line, unknown->place.column, unknown->text);
    }
}

/* ---- Files */

static char *path_in(const char *name)
{
    return mem_format("%s/%s", folder, name);
}

static void write_file(const char *name, const char *bytes, size_t length)
{
    char *path = path_in(name), *slash = path + strlen(folder);
    FILE *file;

    while ((slash = strchr(slash + 1, '/'))) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
    free(path);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    return walk->level ? remove(path) : 0;
}

static void empty_folder(void)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void write_files(const char *text)
{
    if (strncmp(text, "=== ", 4) != 0)
        write_file("compose.yaml", text, strlen(text));
    while (strncmp(text, "=== ", 4) == 0) {
        size_t name = strcspn(text + 4, "\n");
        char *path = mem_bytes(text + 4, name);
        const char *body = text + 4 + name + 1, *next = strstr(body, "=== ");
        size_t length = next ? (size_t)(next - body) : strlen(body);
        write_file(path, body, length);
        free(path);
        text = body + length;
    }
}

/* The files' names are separated by blanks. */
static int load(const char *names, const char *env_file, struct compose **compose,
                struct error *error)
{
    char *paths[8] = {NULL}, *env_path = env_file ? path_in(env_file) : NULL;
    const char *const env_files[] = {env_path, NULL};
    struct compose_request request = {(const char *const *)paths, env_file ? env_files : NULL};
    char *copy = mem_text(names), *state = NULL;
    size_t count = 0;
    int result;

    for (char *name = strtok_r(copy, " ", &state); name; name = strtok_r(NULL, " ", &state))
        paths[count++] = path_in(name);
    result = compose_load(&request, compose, error);
    while (count)
        free(paths[--count]);
    free(copy);
    free(env_path);
    return result;
}

/* The folder's name stands for nothing in expectations. */
static void drop_folder(char *text)
{
    size_t length = strlen(folder) + 1;
    char *at;

    while ((at = strstr(text, folder)))
        memmove(at, at + length, strlen(at + length) + 1);
}

enum { PLACES = 1, GAPS = 2, NETWORKS = 4 };

struct row {
    const char *name, *text, *expected;
    int flags;
    const char *files; /* NULL: compose.yaml */
    const char *env_file;
};

static char *dump(const struct row *row)
{
    struct buf out = {0};
    struct error error = {.code = EXIT_OK};
    struct compose *compose;

    buf_reserve(&out, 0);
    if (load(row->files ? row->files : "compose.yaml", row->env_file, &compose, &error) < 0) {
        assert_int_equal(error.code, EXIT_INPUT);
        assert_null(strchr(error.text, '\n'));
        buf_format(&out, "error %s\n", error.text);
    } else {
        for (size_t i = 0; i < compose->service_count; i++)
            if (row->flags & GAPS)
                dump_gaps(&out, &compose->services[i]);
            else
                dump_service(&out, &compose->services[i], row->flags & PLACES);
        dump_rest(&out, compose);
        compose_free(compose);
    }
    drop_folder(out.data);
    return out.data;
}

static void check_rows(const struct row *rows, size_t count)
{
    size_t failed = 0;

    for (size_t i = 0; i < count; i++) {
        char *found;
        empty_folder();
        write_files(rows[i].text);
        found = dump(&rows[i]);
        if (strcmp(found, rows[i].expected) != 0) {
            print_message("%s:\n  expected %s  found    %s", rows[i].name, rows[i].expected, found);
            failed++;
        }
        free(found);
    }
    assert_int_equal(failed, 0);
}

#define S "services:\n"

static void test_forms(void **state)
{
    static const struct row rows[] = {
        {"one service", S "  a: {image: x}\n", "a image:x\n", .flags = 0},
        {"environment, map and list",
         S "  a:\n    image: x\n    environment:\n      A: 1\n      B: \"b c\"\n      C:\n"
           "  b:\n    image: y\n    environment:\n      - A=1\n      - 'B=b=c'\n      - C\n",
         "a image:x A=1 B=b c C=!\nb image:y A=1 B=b=c C=!\n", .flags = 0},
        {"places", S "  a:\n    environment:\n      - A=1\n      - \"B=2\"\n      - 'C=3'\n",
         "a A=1@4:11<1> B=2@5:12\"<2> C=3@6:12'<3>\n", .flags = PLACES},
        {"merge keys",
         "x-e: &e {A: 1, B: 2}\nx-f: &f {B: 3, C: 4}\n" S
         "  a:\n    environment: {<<: *e, A: 5}\n  b:\n    environment:\n      <<: [*e, *f]\n",
         "a A=5 B=2&\nb A=1& B=2& C=4&\n", .flags = 0},
        {"block scalars",
         S "  a:\n    environment:\n      A: >-\n        x,\n        y\n      B: |\n        s\n    "
           "  C: z\n",
         "a A=x, y@4:10|<>-\n        x,\n        y> B=s\n@7:10|<|\n        s> C=z@9:10<z>\n",
         .flags = PLACES},
        {"CRLF and BOM", "\xef\xbb\xbfservices:\r\n  a:\r\n    image: x\r\n    hostname: 'y'\r\n",
         "a image:x@3:12<x> hostname:y@4:15'<y>\n", .flags = PLACES},
        {"bytes, not characters", "# \xe5\xa5\xb3\n" S "  a: {image: \xc3\xa9, hostname: h}\n",
         "a image:\xc3\xa9@3:14<\xc3\xa9> hostname:h@3:27<h>\n", .flags = PLACES},
        {"ports",
         S "  a:\n    ports:\n      - 9092\n      - \"9092:9092\"\n      - 127.0.0.1:1:2/tcp\n"
           "      - \"3-4:5-6\"\n      - \"[::1]:7:8\"\n      - 9:9/udp\n      - :10\n"
           "      - {target: 11, published: \"12\", host_ip: 0.0.0.0}\n      - {target: 13}\n"
           "      - 22:22\n",
         "a port:0:9092 port:9092:9092 port:127.0.0.1:1:2 port:3:5 port:4:6 port:::1:7:8 port:0:10 "
         "port:0.0.0.0:12:11 port:0:13 port:22:22\n",
         .flags = 0},
        {"no services", "a: 1\n", "error compose.yaml has no services: it is no compose file\n",
         .flags = 0},
        {"first form", "kafka:\n  image: x\n  ports: [\"1:2\"]\nzk:\n  image: z\n",
         "kafka image:x port:1:2\nzk image:z\n", .flags = 0},
        {"duplicate key", S "  a:\n    image: x\n    image: y\n",
         "error compose.yaml:4:5: the key \"image\" is there twice; the first is in line 3\n",
         .flags = 0},
        {"ports: 5", S "  a:\n    ports: 5\n",
         "error compose.yaml:3:12: ports of the service a must be a list\n", .flags = 0},
        {"anchor in itself", "x: &a [*a]\n" S "  a: {}\n",
         "error compose.yaml:1:8: the anchor &a contains itself\n", .flags = 0},
        {"gaps",
         S "  a:\n    image: x\n    environment:\n      A: 1\n    ports:\n      - 1:1 # c\n"
           "  b: {environment: {A: 1}}\n  c:\n    environment:\n    - A=1\n",
         "a environment:5+6 ports:7+6- service:7+4\nb\nc environment:11+4- service:11+4\n",
         .flags = GAPS},
        {"two files, override",
         "=== a.yaml\n" S "  a:\n    image: x\n    ports: [\"1:1\"]\n    command: [a]\n"
         "    environment: {A: 1, B: 2}\n=== b.yaml\n" S
         "  a:\n    ports: [\"2:2\"]\n    command: b c\n    environment: [B=3]\n  b: {image: y}\n",
         "a image:x port:1:1 port:2:2 A=1 B=3 command:[b][c]\nb image:y\n", .flags = 0,
         .files = "a.yaml b.yaml"},
        {".env and the shell",
         "=== .env\nA=1\nB='$A'\nC=\"$A$SHELLVAR\"\nSHELLVAR=no\n=== compose.yaml\n" S
         "  a: {image: \"$A ${B} ${C} ${D:-d} ${SHELLVAR} $$ ${E}\"}\n",
         "a image:1 $A 1fromshell d fromshell $ $?E\n", .flags = 0},
        {"extends",
         "=== compose.yaml\n" S "  a:\n    extends: {file: sub/base.yaml, service: b}\n"
         "    environment: {A: 2}\n"
         "=== sub/base.yaml\n" S
         "  b: {image: x, environment: {A: 1, B: 1}, volumes: [\"./v:/v\"]}\n",
         "a image:x A=2 B=1& volume:sub/v:/v\n", .flags = 0},
    };

    (void)state;
    check_rows(rows, COUNT(rows));
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/tally-compose-XXXXXX");
    setenv("SHELLVAR", "fromshell", 1);
    setenv("COMPOSE_PROJECT_NAME", "p", 1);
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    empty_folder();
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms)};
    return cmocka_run_group_tests_name("compose", tests, set_up, tear_down);
}
