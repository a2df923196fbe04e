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
    struct compose_request request = {.files = (const char *const *)paths,
                                      .env_files = env_file ? env_files : NULL};
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

/* ---- Variables: one value, with A=val, E= and SHELLVAR in the shell's environment */

static void test_variables(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"${A}", "val$"},
        {"$A", "val$"},
        {"$A-b", "val-b$"},
        {"$A_B", "$?A_B"},
        {"${A:-d}", "val$"},
        {"${E:-d}", "d$"},
        {"${E-d}", "$"},
        {"${U-d}", "d$"},
        {"${A:+r}", "r$"},
        {"${E:+r}", "$"},
        {"${E+r}", "r$"},
        {"${U+r}", "$"},
        {"${U:-${A:-c}}", "val$"},
        {"${U:-${W:-c}}", "c$"},
        {"${U:-${W}}", "$?W"},
        {"${U:-$A}x", "valx$"},
        {"${U:-a$$b}", "a$b$"},
        {"${U:-{\"a\":1}}", "{\"a\":1}$"},
        {"${U:-a}b}", "ab}$"},
        {"${U:-a:?b}", "a:?b$"},
        {"${U-:-b}", ":-b$"},
        {"${A}${A}", "valval$"},
        {"$$A", "$A"},
        {"$$$A", "$val$"},
        {"$$$$", "$$"},
        {"$SHELLVAR ${SHELLVAR:-x}", "fromshell fromshell$"},
        /* Compose refuses these, or lets them be. */
        {"$1", "$1"},
        {"${1}", "${1}"},
        {"${A", "${A"},
        {"${A%x}", "${A%x}"},
        {"${A:}", "${A:}"},
        {"${}", "${}"},
        {"a$", "a$"},
        {"${ A }", "${ A }"},
    };

    (void)state;
    empty_folder();
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = mem_format("=== compose.yaml\nservices: {a: {environment: ['V=%s']}}\n"
                                "=== .env\nA=val\nE=\nSHELLVAR=no\n",
                                rows[i].text);
        char *expected = mem_format("a V=%s\n", rows[i].expected);
        const struct row row = {rows[i].text, text, expected, .flags = 0};
        check_rows(&row, 1);
        free(text);
        free(expected);
    }
}

static void test_needed_variable(void **state)
{
    static const struct row rows[] = {
        {"needed", S "  a: {image: \"${U:?say it}\"}\n",
         "a image:$?U\nunknown a 2:14: the variable U is needed: say it\n", .flags = 0},
        {"needed and there", S "  a: {image: \"${SHELLVAR?say it}\"}\n", "a image:fromshell$\n",
         .flags = 0},
        {"not in keys", S "  a: {environment: {$SHELLVAR: 1}}\n", "a $SHELLVAR=1\n", .flags = 0},
        {"the project's name", S "  a: {image: $COMPOSE_PROJECT_NAME}\n", "a image:p$\n",
         .flags = 0},
        {"--env-file in place of .env",
         "=== .env\nX=1\n=== e\nY=2\n=== compose.yaml\n" S "  a: {image: \"${X}-${Y}\"}\n",
         "a image:-2$?X\n", .env_file = "e"},
        {"no such --env-file", S "  a: {image: x}\n",
         "error cannot open e: No such file or directory\n", .env_file = "e"},
    };

    (void)state;
    check_rows(rows, COUNT(rows));
}

/* ---- Unquoted numbers and booleans, as Compose 2.26 hands them to the container */

static void test_plain_values(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"1", "1"},
        {"010", "8"},
        {"08", "8"},
        {"0", "0"},
        {"-0", "0"},
        {"+7", "7"},
        {"-012", "-10"},
        {"0x1F", "31"},
        {"0x", "0x"},
        {"0o17", "15"},
        {"0b11", "3"},
        {"0b12", "0b12"},
        {"1_000", "1000"},
        {"_1", "_1"},
        {"12345678901234567890", "12345678901234567890"},
        {"123456789012345678901", "1.2345678901234568e+20"},
        {"1.0", "1"},
        {"1.50", "1.5"},
        {"3.10", "3.1"},
        {"1.", "1"},
        {".5", "0.5"},
        {"-.5", "-0.5"},
        {"0.1", "0.1"},
        {"1e3", "1000"},
        {"1E5", "100000"},
        {"1e6", "1e+06"},
        {"1e-7", "1e-07"},
        {"0.0001", "0.0001"},
        {"0.00001", "1e-05"},
        {"123456789.5", "1.234567895e+08"},
        {"999999.5", "999999.5"},
        {"1e", "1e"},
        {"1.2.3", "1.2.3"},
        {"1.2.3.4", "1.2.3.4"},
        {"22:22", "22:22"},
        {"+-1", "+-1"},
        {"1-2", "1-2"},
        {"5a", "5a"},
        {"True", "true"},
        {"FALSE", "false"},
        {"tRUE", "tRUE"},
        {"yes", "yes"},
        {"Off", "Off"},
        {"'010'", "010"},
        {"\"True\"", "True"},
        {"$A", "0x5$"},
        {"\"${U:-010}\"", "010$"},
        {"", "010"},
    };

    (void)state;
    empty_folder();
    setenv("A", "0x5", 1);
    setenv("V", "010", 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = mem_format("services: {a: {environment: {V: %s }}}\n", rows[i].text);
        char *expected = mem_format("a V=%s\n", rows[i].expected);
        const struct row row = {rows[i].text, text, expected, .flags = 0};
        check_rows(&row, 1);
        free(text);
        free(expected);
    }
    unsetenv("A");
    unsetenv("V");
}

/* ---- env_file: what it makes of V, as Compose 2.26 does */

static void test_env_files(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"V=1", "V=1"},
        {"V = 1", "V=1"},
        {"export V=1", "V=1"},
        {"export\tV=1", "V=1"},
        {"V: 1", "V=1"},
        {"V=\"a b\"", "V=a b"},
        {"V='a $X'", "V=a $X"},
        {"V=a # c", "V=a"},
        {"V=a#c", "V=a#c"},
        {"V=#c", "V=#c"},
        {"V=\"a # b\" # c", "V=a # b"},
        {"V=\"a\\nb\"", "V=a\nb"},
        {"V=\"a\nb\"", "V=a\nb"},
        {"V='a\nb'", "V=a\nb"},
        {"V=\"a\\\"b\"", "V=a\"b"},
        {"V='a\\'b'", "V=a'b"},
        {"V=\"a\\$b\"", "V=a$b"},
        {"V=\"a\\tb\\qc\"", "V=a\tb\\qc"},
        {"V=\"a\\\\b\"", "V=a\\b"},
        {"V=a\\nb", "V=a\\nb"},
        {"V=", "V="},
        {"V=\"\"", "V="},
        {"V=a=b", "V=a=b"},
        {"V=${U:-d}", "V=d$"},
        {"V=$$x", "V=$x"},
        {"V=a\r", "V=a"},
        {"V=\"a\"\r", "V=a"},
        {"\t V=1", "V=1"},
        {"V=a'b'c", "V=a'b'c"},
        {"SHELLVAR", "SHELLVAR=fromshell"},
        {"V.x-y_z=3", "V.x-y_z=3"},
        {"A B=1\nV=2", "V=2"},
        {"V=\"open", "V=\"open"},
    };

    (void)state;
    empty_folder();
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = mem_format(
            "=== compose.yaml\nservices: {a: {env_file: e}}\n=== e\n# c\n\n%s\n", rows[i].text);
        char *expected = mem_format("a %s^\n", rows[i].expected);
        const struct row row = {rows[i].text, text, expected, .flags = 0};
        check_rows(&row, 1);
        free(text);
        free(expected);
    }
}

static void test_env_file_forms(void **state)
{
    static const struct row rows[] = {
        {"a list, and environment over it",
         "=== compose.yaml\n" S "  a:\n    env_file: [e, {path: d/f}]\n    environment: {B: 9}\n"
         "=== e\nA=1\nB=1\nC=1\n=== d/f\nC=2\nD=$A$C\n",
         "a A=1^ B=9 C=2^ D=11$^\n", .flags = 0},
        {"the files before it win over the project, that over its own lines",
         "=== compose.yaml\n" S "  a: {env_file: [e, f]}\n=== .env\nA=env\nB=env\n"
         "=== e\nA=e\n=== f\nB=f\nC=f\nD=$A $B $C\nA\n",
         "a A=e^ B=f^ C=f^ D=e env f$^\n", .flags = 0},
        {"twice: where it is first",
         "=== compose.yaml\n" S "  a: {env_file: [e, f, e]}\n=== e\nA=e\n=== f\nA=f\n", "a A=f^\n",
         .flags = 0},
        {"missing", S "  a: {env_file: none.env}\n",
         "a\nunknown a 2:17: env_file: cannot open none.env: No such file or directory\n",
         .flags = 0},
        {"not required", S "  a:\n    env_file:\n      - {path: none.env, required: false}\n",
         "a\n", .flags = 0},
        {"raw",
         "=== compose.yaml\n" S "  a: {env_file: [{path: e, format: raw}]}\n=== e\nA='$x' # c\n",
         "a A='$x' # c^\n", .flags = 0},
        {"places",
         "=== compose.yaml\n" S "  a: {env_file: e}\n=== e\n\nA=1 # c\nB = \"x\ny\"\nC='z'\n",
         "a A=1^@2:3<1> B=x\ny^@3:5\"<x\ny> C=z^@5:3'<z>\n", .flags = PLACES},
        {"a BOM", "=== compose.yaml\n" S "  a: {env_file: e}\n=== e\n\xef\xbb\xbfV=1\n", "a V=1^\n",
         .flags = 0},
        {"a folder", "=== compose.yaml\n" S "  a: {env_file: d}\n=== d/e\n",
         "a\nunknown a 2:17: env_file: cannot read d: it is not a regular file\n", .flags = 0},
    };

    (void)state;
    check_rows(rows, COUNT(rows));
}

/* ---- Ports */

static void test_ports(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"9092", " port:0:9092"},
        {"\"9092:9092\"", " port:9092:9092"},
        {"9092:9092", " port:9092:9092"},
        {"22:22", " port:22:22"}, /* no number to the base of 60 */
        {"127.0.0.1:1:2/tcp", " port:127.0.0.1:1:2"},
        {"127.0.0.1::2", " port:127.0.0.1:0:2"},
        {"\"3-4:5-6\"", " port:3:5 port:4:6"},
        {"3000-3002", " port:0:3000 port:0:3001 port:0:3002"},
        {"\"9090-9091:8080\"", " port:9090:8080"},
        {"\"[::1]:7:8\"", " port:::1:7:8"},
        {"\"::1:7:8\"", " port:::1:7:8"},
        {"\":10\"", " port:0:10"},
        {"\"0:80\"", " port:0:80"},
        {"80:80/TCP", " port:80:80"},
        {"9:9/udp", ""},
        {"9:9/sctp", ""},
        {"\"${U}:9\"", " port:0:9?U"},
        {"\"${U:-8}:9\"", " port:8:9"},
        {"{target: 1, published: 2}", " port:2:1"},
        {"{target: 1, published: \"2\", host_ip: 127.0.0.1, protocol: tcp}", " port:127.0.0.1:2:1"},
        {"{target: 1}", " port:0:1"},
        {"{target: 1, published: 8081-8082}", " port:8081:1"},
        {"{target: 1, published: 2, protocol: udp}", ""},
        {"{target: 1, published: \"${U}\"}", " port:0:1?U"},
    };
    static const char *const bad[] = {"a:1", "99999:1", "5:1-3", "1:2:", "-1:2", "0:0"};

    (void)state;
    empty_folder();
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = mem_format("services: {a: {ports: [%s]}}\n", rows[i].text);
        char *expected = mem_format("a%s\n", rows[i].expected);
        const struct row row = {rows[i].text, text, expected, .flags = 0};
        check_rows(&row, 1);
        free(text);
        free(expected);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        char *text = mem_format("services: {a: {ports: ['%s']}}\n", bad[i]);
        char *expected = mem_format("a\nunknown a 1:24: \"%s\" is no port\n", bad[i]);
        const struct row row = {bad[i], text, expected, .flags = 0};
        check_rows(&row, 1);
        free(text);
        free(expected);
    }
}

/* ---- Files over files, extends, include */

#define OVER "a.yaml b.yaml"

static void test_merging(void **state)
{
    static const struct row rows[] = {
        {"lists are added to, each once",
         "=== a.yaml\n" S "  a: {ports: ['1:1', '2:2'], depends_on: [b], volumes: ['./v:/v'], "
         "profiles: [p]}\n=== b.yaml\n" S
         "  a: {ports: ['2:2', '3:3'], depends_on: {c: {}}, volumes: ['./w:/v', nn:/n/], profiles: "
         "[p, q]}\n",
         "a port:1:1 port:2:2 port:3:3 volume:w:/v volume::/n after:b after:c profile:p "
         "profile:q\n",
         .files = OVER},
        {"reset",
         "=== a.yaml\n" S
         "  a: {ports: ['1:1'], environment: {A: 1, B: 2}, command: x, hostname: h}\n"
         "  b: {image: x}\n=== b.yaml\n" S
         "  a: {ports: !reset [], environment: {A: !reset null}, command: !reset null, hostname: "
         "!reset ''}\n  b: !reset null\n",
         "a B=2\n", .files = OVER},
        {"override",
         "=== a.yaml\n" S "  a: {ports: ['1:1'], environment: {A: 1}}\n=== b.yaml\n" S
         "  a:\n    ports: !override\n      - '2:2'\n    environment: !override {C: 3}\n",
         "a port:2:2 C=3\n", .files = OVER},
        {"null takes a command away, and nothing else",
         "=== a.yaml\n" S "  a: {image: x, command: y, hostname: h}\n=== b.yaml\n" S
         "  a: {image: , command: , hostname: ~}\n",
         "a image:x hostname:h\n", .files = OVER},
        {"networks",
         "=== a.yaml\n" S "  a: {networks: [n]}\nnetworks: {n: {}, m: {name: mm}}\n=== b.yaml\n" S
         "  a: {networks: {n: {aliases: [q], ipv4_address: 1.2.3.4}, m: }}\n"
         "networks: {m: {external: true, internal: true}}\n",
         "a net:n/q/1.2.3.4 net:m\nnetwork n=p_n\nnetwork m=mm external internal\n", .files = OVER},
        {"health check, replicas",
         "=== a.yaml\n" S "  a: {healthcheck: {test: [CMD, a, b], retries: 3}, scale: 2}\n"
         "=== b.yaml\n" S "  a: {healthcheck: {interval: 1s}, deploy: {replicas: 3}}\n",
         "a check:a b x3\n", .files = OVER},
        {"several documents", S "  a: {image: x, hostname: h}\n---\n" S "  a: {image: y}\n",
         "a image:y hostname:h\n", .flags = 0},
        {"a service without services",
         "=== a.yaml\nnetworks: {n: }\n=== b.yaml\n" S "  a: {networks: [n]}\n",
         "a net:n\nnetwork n=p_n\n", .files = OVER},
    };

    (void)state;
    check_rows(rows, COUNT(rows));
}

static void test_extending(void **state)
{
    static const struct row rows[] = {
        {"in the file; the base is shared, too",
         S "  a: {extends: b, environment: {B: 2}}\n  b: {image: x, environment: {A: 1}}\n",
         "a image:x A=1& B=2\nb image:x A=1&\n", .flags = 0},
        {"a chain",
         S "  a: {extends: {service: b}}\n  b: {extends: c, ports: ['2:2']}\n"
           "  c: {image: x, ports: ['1:1']}\n",
         "a image:x port:1:1 port:2:2\nb image:x port:1:1 port:2:2\nc image:x port:1:1\n",
         .flags = 0},
        {"paths are those of the extended file",
         "=== compose.yaml\n" S "  a: {extends: {file: s/b.yml, service: b}}\n=== s/b.yml\n" S
         "  b: {image: x, env_file: e, volumes: ['./v:/v', {type: bind, source: w, target: /w}]}\n"
         "=== s/e\nE=1\n",
         "a image:x E=1^ volume:s/v:/v volume:s/w:/w\n", .flags = 0},
        {"itself", S "  a: {extends: a}\n",
         "error compose.yaml:2:6: the service extends itself, by a\n", .flags = 0},
        {"a circle", S "  a: {extends: b}\n  b: {extends: a}\n",
         "error compose.yaml:2:6: the service extends itself, by a\n", .flags = 0},
        {"a circle of files",
         "=== compose.yaml\n" S "  a: {extends: {file: b.yml, service: a}}\n=== b.yml\n" S
         "  a: {extends: {file: compose.yaml, service: a}}\n",
         "error compose.yaml:2:6: the service extends itself, by a\n", .flags = 0},
        {"nobody", S "  a: {extends: b, image: x}\n",
         "a image:x\nunknown a 2:16: extends the service b, which is not in this file\n",
         .flags = 0},
        {"no such file", S "  a: {extends: {file: n.yml, service: b}}\n",
         "a\nunknown a 2:23: extends: cannot open n.yml: No such file or directory\n", .flags = 0},
        {"a file of the first form",
         "=== compose.yaml\n" S
         "  a: {extends: {file: b.yml, service: b}}\n=== b.yml\nb: {image: x}\n",
         "a image:x\n", .flags = 0},
        {"a service of an earlier file",
         "=== a.yaml\n" S "  b: {image: x}\n=== b.yaml\n" S "  a: {extends: b}\n",
         "b image:x\na image:x\n", .files = OVER},
        {"a bad file",
         "=== compose.yaml\n" S "  a: {extends: {file: b.yml, service: b}}\n=== b.yml\na: [\n",
         "error b.yml:2:1: is no YAML: did not find expected node content\n", .flags = 0},
    };

    (void)state;
    check_rows(rows, COUNT(rows));
}

static void test_including(void **state)
{
    static const struct row rows[] = {
        {"with its own .env",
         "=== compose.yaml\ninclude: [i/c.yaml]\n" S "  a: {image: \"${I:-none}\"}\n"
         "=== i/c.yaml\n" S "  i: {image: \"$I\", volumes: ['./v:/v']}\n=== i/.env\nI=yes\n",
         "i image:yes$ volume:i/v:/v\na image:none$\n", .flags = 0},
        {"an env_file has the variables of the whole project",
         "=== compose.yaml\ninclude: [i/c.yaml]\n" S "  a: {image: x}\n=== i/c.yaml\n" S
         "  i: {image: \"$I\", env_file: e}\n=== i/.env\nI=yes\nJ=no\n=== i/e\nJ=e\nK=$I$J\n",
         "i image:yes$ J=e^ K=e$?I^\na image:x\n", .flags = 0},
        {"long form",
         "=== compose.yaml\ninclude:\n  - path: [i/c.yaml, i/d.yaml]\n    project_directory: .\n"
         "    env_file: e\n" S "  i: {hostname: h}\n=== i/c.yaml\n" S
         "  i: {image: \"$I\", volumes: ['./v:/v']}\n=== i/d.yaml\n" S "  i: {command: x}\n"
         "=== e\nI=e\n",
         "i image:e$ hostname:h volume:v:/v command:[x]\n", .flags = 0},
        {"elsewhere", "include: ['https://x/y.yaml']\n" S "  a: {image: x}\n",
         "a image:x\nunknown 1:11: includes https://x/y.yaml, which is elsewhere\n", .flags = 0},
        {"missing", "include: [n.yaml]\n" S "  a: {image: x}\n",
         "a image:x\nunknown 1:11: include: cannot open n.yaml: No such file or directory\n",
         .flags = 0},
        {"itself", "include: [compose.yaml]\n" S "  a: {image: x}\n", "a image:x\n", .flags = 0},
    };

    (void)state;
    check_rows(rows, COUNT(rows));
}

/* No variable names the project here. */
static void test_project_name(void **state)
{
    static const struct row rows[] = {
        {"the last file that has one",
         "=== a.yaml\nname: A-$SHELLVAR\n" S "  a: {image: x}\n"
         "=== b.yaml\nnetworks: {default: }\n",
         "a image:x\nnetwork default=a-fromshell_default\n", .files = OVER},
        {"an included file's name is not the project's",
         "=== a.yaml\nname: a\n" S "  a: {image: x}\n=== b.yaml\ninclude: [i.yaml]\n"
         "networks: {default: }\n=== i.yaml\nname: i\n" S "  i: {image: y}\n",
         "a image:x\ni image:y\nnetwork default=a_default\n", .files = OVER},
        {"by .env",
         "=== .env\nCOMPOSE_PROJECT_NAME=e\n=== compose.yaml\nname: a\n" S
         "  a: {image: x}\nnetworks: {default: }\n",
         "a image:x\nnetwork default=e_default\n", .flags = 0},
    };

    (void)state;
    unsetenv("COMPOSE_PROJECT_NAME");
    check_rows(rows, COUNT(rows));
    setenv("COMPOSE_PROJECT_NAME", "p", 1);
}

/* ---- Forms that need care */

static void test_styles(void **state)
{
    static const struct row rows[] = {
        {"anchors and tags before a value",
         S "  a:\n    image: &i !!str \"x\"\n    hostname: *i\n    container_name: &n\n      # c\n"
           "      'y'\n",
         "a image:x@3:21\"<x> name:y@7:7'<y> hostname:x@3:21\"<x>\n", .flags = PLACES},
        {"an empty value", S "  a:\n    environment:\n      A:\n      SHELLVAR:\n",
         "a A=!@4:9- SHELLVAR=fromshell@5:16-\n", .flags = PLACES},
        {"lists with = in quotes",
         S "  a:\n    environment:\n    - \"A=x=y\"\n    - 'B='\n    - C\n    -\n",
         "a A=x=y@4:10\"<x=y> B=@5:10'<> C=!@6:7-\n", .flags = PLACES},
        {"flow", S "  a: {environment: {A: 1, \"B\":2, C: [1]}}\n",
         "error compose.yaml:2:37: C of the service a must be a text\n", .flags = 0},
        {"a plain text over lines", S "  a:\n    image: x\n      y\n    hostname: z\n",
         "a image:x y@3:12|<x\n      y> hostname:z@5:15<z>\n", .flags = PLACES},
        {"a block at the end, without a newline", S "  a:\n    image: |-\n      x",
         "a image:x@3:12|<|-\n      x>\n", .flags = PLACES},
        {"CR alone", "services:\r  a:\r    image: x\r", "a image:x@3:12<x>\n", .flags = PLACES},
        {"tabs", "services:\n  a:\t\n    image:\tx\t\n", "a image:x@3:12<x>\n", .flags = PLACES},
        {"words of a string",
         S "  a:\n    command: a 'b c' \"d\\\"\" $$x e\\ f '' ; g\n    entrypoint: [\"s\", -c, 'x "
           "y']\n",
         "a command:[a][b c][d\"][$x][e f][] entrypoint:[s][-c][x y]\n", .flags = 0},
        {"a redirection's number is no word", S "  a:\n    command: a b1 2>&1\n",
         "a command:[a][b1]\n", .flags = 0},
        {"places of words",
         S "  a:\n    command: redpanda start --a b\n    entrypoint: >\n      one\n      two one\n",
         "a command:[redpanda]@3:14<redpanda>[start]@3:23<start>[--a]@3:29<--a>[b]@3:33<b> "
         "entrypoint:[one]@5:7<one>[two]@6:7<two>[one]@6:11<one>\n",
         .flags = PLACES},
        {"an empty command", S "  a: {command: []}\n  b: {command: ''}\n  c: {command: }\n",
         "a command:\nb command:\nc\n", .flags = 0},
        {"health checks",
         S "  a: {healthcheck: {test: nc -z localhost 1}}\n"
           "  b: {healthcheck: {test: [CMD-SHELL, nc $$X]}}\n  c: {healthcheck: {disable: true}}\n",
         "a check:nc -z localhost 1\nb check:nc $X\nc\n", .flags = 0},
        {"networks of every form",
         S "  a:\n    networks:\n      - x\n      - y\n  b:\n    networks: {x: {aliases: [k, l]}}\n"
           "  c: {network_mode: host, networks: [x]}\n  d: {networks: }\n"
           "networks: {x: , y: {external: {name: o}}, z: {external: true}, w: {name: v}}\n",
         "a net:x net:y\nb net:x/k/l\nc mode:host\nd\nnetwork x=p_x\nnetwork y=o external\n"
         "network z=z external\nnetwork w=v\n",
         .flags = 0},
        {"a network that is nowhere", S "  a: {networks: [x]}\n",
         "a net:x\nnetwork x=p_x\nunknown a 2:18: the network x is not in this file\n", .flags = 0},
        {"the default network has a name", S "  a: {image: x}\nnetworks: {default: {name: n}}\n",
         "a image:x\nnetwork default=n\n", .flags = 0},
        {"extra_hosts, links, volumes",
         S "  a:\n    extra_hosts: ['h:1.2.3.4', 'i=::1']\n    links: [b, 'b:c']\n"
           "    volumes: [/x, '~/y:/y:ro', nn:/n, 'C:\\z:/z']\n  b: {extra_hosts: {h: 1.2.3.4, i: "
           "[5.6.7.8]}}\n",
         "a host:h=1.2.3.4 host:i=::1 volume::/x volume:/home/me/y:/y volume::/n volume::/z link:b "
         "link:b:c\nb host:h=1.2.3.4 host:i=5.6.7.8\n",
         .flags = 0},
        {"keys of its own",
         "x-a: &a {image: x}\n" S "  x-b: 5\n  a: {<<: *a, x-c: [], unknown: 1}\n", "a image:x\n",
         .flags = 0},
        {"a Dockerfile",
         "=== compose.yaml\n" S "  a: {build: .}\n  b: {build: {context: d, args: {V: 2}}}\n"
         "  c: {build: {context: d, dockerfile: F, target: one}}\n  e: {build: nowhere}\n"
         "  f: {build: {context: ., dockerfile_inline: \"FROM y\\n\"}}\n"
         "=== Dockerfile\n# c\nfrom --platform=x cp:7 \\\n  AS k\nRUN x\n"
         "=== d/Dockerfile\nARG V=1\nARG W=\"w\"\nFROM a:${V}-$W AS one\nFROM one\n"
         "=== d/F\nFROM x AS one\nFROM y as two\n",
         "a build:cp:7\nb build:a:2-w\nc build:x\ne build:\nf build:y\n", .flags = 0},
        {"gaps: CRLF, comments, blocks, shared ones",
         "services:\r\n  a:\r\n    environment:\r\n      A: |\r\n        x\r\n\r\n    ports: &p\r\n"
         "      - 1:1\r\n\r\n# c\r\n  b:\r\n    ports: *p\r\n    environment: {}\r\n",
         "a environment:5+6 service:8+4\nb service:13+4\n", .flags = GAPS},
        {"gaps: by merge keys",
         "x-e: &e\n  A: 1\nx-s: &s\n  image: x\n" S
         "  a:\n    <<: *s\n    environment:\n      <<: *e\n      B: 1\n  b:\n    <<: *s\n"
         "    environment: *e\n",
         "a environment:10+6 service:10+4\nb service:13+4\n", .flags = GAPS},
        {"gaps: extends", S "  a:\n    environment:\n      A: 1\n  b:\n    extends: a\n",
         "a\nb service:6+4\n", .flags = GAPS},
        {"one key, several lines of merging",
         "x-a: &a {A: 1}\nx-b: &b {<<: *a, B: 1}\n" S "  a: {environment: {<<: *b, C: 1}}\n",
         "a C=1 B=1& A=1&\n", .flags = 0},
        {"an unquoted port is a number",
         S "  a: {ports: [02000, 0x1F90, 1_000, '02001', {target: 0x10, published: 010}]}\n",
         "a port:0:1024 port:0:8080 port:0:1000 port:0:2001 port:8:16\n", .flags = 0},
    };

    (void)state;
    check_rows(rows, COUNT(rows));
}

static void test_refused(void **state)
{
    static const struct row rows[] = {
        {"empty", "", "error compose.yaml has no services: it is no compose file\n", .flags = 0},
        {"a comment", "# c\n", "error compose.yaml has no services: it is no compose file\n",
         .flags = 0},
        {"a list", "- a\n",
         "error compose.yaml:1:1: is no compose file: its top level is not a mapping\n",
         .flags = 0},
        {"a text", "hello\n",
         "error compose.yaml:1:1: is no compose file: its top level is not a mapping\n",
         .flags = 0},
        {"services: []", "services: []\n", "error compose.yaml:1:11: services must be a mapping\n",
         .flags = 0},
        {"no YAML", S "  a: [\n",
         "error compose.yaml:3:1: is no YAML: did not find expected node content\n", .flags = 0},
        {"a tab as indent", S "\ta: {}\n",
         "error compose.yaml:2:1: is no YAML: found character that cannot start any token\n",
         .flags = 0},
        {"no such file", S, "error cannot open n.yaml: No such file or directory\n",
         .files = "n.yaml"},
        {"a folder", "=== d/x\n", "error cannot read d: it is not a regular file\n", .files = "d"},
        {"not UTF-8", S "  a: {image: \xff}\n",
         "error compose.yaml: is no YAML: invalid leading UTF-8 octet at byte 23\n", .flags = 0},
        {"no anchor", S "  a: *b\n", "error compose.yaml:2:6: no anchor &b stands before this\n",
         .flags = 0},
        {"anchors end with their document", "x: &a 1\n---\n" S "  a: *a\n",
         "error compose.yaml:4:6: no anchor &a stands before this\n", .flags = 0},
        {"a list as key", S "  ? [a]\n  : b\n",
         "error compose.yaml:2:5: a key must be a text, not a list or a mapping\n", .flags = 0},
        {"two merge keys", "x: &x {A: 1}\n" S "  a: {<<: *x, <<: *x}\n",
         "error compose.yaml:3:15: the key \"<<\" is there twice; the first is in line 3\n",
         .flags = 0},
        {"merging a list of texts", S "  a: {<<: [b]}\n",
         "error compose.yaml:2:12: a merge key (<<) takes a mapping, or a list of mappings\n",
         .flags = 0},
        {"NUL by an escape", S "  a: {image: \"x\\0y\"}\n",
         "error compose.yaml:2:14: a text with a NUL in it\n", .flags = 0},
        {"a service that is a text", S "  a: x\n",
         "error compose.yaml:2:6: a service must be a mapping\n", .flags = 0},
        {"image: []", S "  a: {image: []}\n",
         "error compose.yaml:2:14: image of the service a must be a text\n", .flags = 0},
        {"environment: x", S "  a: {environment: x}\n",
         "error compose.yaml:2:20: environment of the service a must be a mapping or a list\n",
         .flags = 0},
        {"maps in the environment's list", S "  a:\n    environment:\n      - A: 1\n",
         "error compose.yaml:4:9: an item of environment or extra_hosts of the service a must be a "
         "text\n",
         .flags = 0},
        {"command: {}", S "  a: {command: {x: y}}\n",
         "error compose.yaml:2:16: command of the service a must be a text or a list\n",
         .flags = 0},
        {"networks: x", S "  a: {networks: x}\n",
         "error compose.yaml:2:17: networks of the service a must be a list or a mapping\n",
         .flags = 0},
    };

    (void)state;
    check_rows(rows, COUNT(rows));
}

/* ---- Limits: what is beyond one is refused, and at once */

#define AT_ONCE_S 30 /* with the sanitizers, too; what has no bound takes years */

static void load_bytes(const struct buf *buf, const char *expected)
{
    struct error error = {.code = EXIT_OK};
    struct compose *compose = NULL;
    clock_t start = clock();

    write_file("compose.yaml", buf->data, buf->length);
    if (load("compose.yaml", NULL, &compose, &error) == 0) {
        if (expected)
            fail_msg("was to be refused: %s", expected);
        compose_free(compose);
    } else if (!expected || !strstr(error.text, expected)) {
        fail_msg("%s, not %s", error.text, expected ? expected : "fine");
    }
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < AT_ONCE_S);
}

static void test_limits(void **state)
{
    /* head, then `many` times `body`, which may hold one %d, then tail. */
    static const struct {
        const char *head, *body, *tail;
        int many;
        const char *expected; /* NULL: it is read */
    } rows[] = {
        {"a: ", "[", "", 100000, "more than 64 deep"},
        {"a: ", "{a: ", "", 100000, "more than 64 deep"},
        {S "  a: {image: x}\nx:\n", "- a\n", "", 1000000, "more than 250000 values"},
        {"x: [", "{a: b}, ", "]\n" S "  a: {image: x}\n", 500000, "more than 250000 values"},
        {"#", " 12345678\n#", "\n", LIMIT_COMPOSE_BYTES / 11 + 1, "more than 4194304"},
        {"services: {", "k%d: {image: x}, ", "}\n", 5000, "more than 2048 services"},
        {"services: {", "k%d: {image: x}, ", "}\n", 2048, NULL},
        {S "  k0: {image: x}\n  k1: {extends: k0}\n", "", "", 0, NULL},
        {"services: {a: {ports: [", "1-65535, ", "]}}", 1000, "more than 65536 published ports"},
        {"services: {a: {image: \"", "${", "\"}}", 65537, "has 131074 bytes, more than 131072"},
        {"services: {a: {image: \"", "${A:-", "\"}}", 26000, "make too much"},
        {"services: {a: {image: \"", "$A", "\"}}", 65536, NULL},
        {"services: {a: {environment: [", "\"k%d=$A$A$A$A$A\", ", "]}}", 100000, "make too much"},
        {"services: {a: {command: \"", "a b ", "\"}}", 32768, "make too much"},
        {"services: {a: {networks: [", "n%d, ", "]}}", 100000, "too many networks"},
        {"services: {a: {depends_on: &d [", "s%d, ", "], links: *d, profiles: *d}}", 100000, NULL},
        {"x: &a {", "k%d: v, ", "}\n" S "  a: {environment: *a}\n  b: {environment: *a}\n", 20000,
         NULL},
        {"a0: &a {", "k%d: v, ", "}\nb: [{<<: *a}, {<<: *a}]\n" S "  a: {}\n", 100000, NULL},
    };
    struct buf buf = {0};

    (void)state;
    empty_folder();
    for (size_t i = 0; i < COUNT(rows); i++) {
        buf.length = 0;
        buf_text(&buf, rows[i].head);
        for (int k = 0; k < rows[i].many; k++) {
            const char *number = strstr(rows[i].body, "%d");
            if (!number) {
                buf_text(&buf, rows[i].body);
                continue;
            }
            buf_add(&buf, rows[i].body, (size_t)(number - rows[i].body));
            buf_format(&buf, "%d", k);
            buf_text(&buf, number + 2);
        }
        buf_text(&buf, rows[i].tail);
        load_bytes(&buf, rows[i].expected);
    }
    buf_free(&buf);
}

/* Small files that aliases make large. */
static void test_laughs(void **state)
{
    struct buf buf = {0};

    (void)state;
    empty_folder();
    buf_text(&buf, "e: &e {");
    for (int i = 0; i < 50000; i++)
        buf_format(&buf, "k%d: v, ", i);
    buf_text(&buf, "}\nservices:\n");
    for (int i = 0; i < 2000; i++)
        buf_format(&buf, "  s%d: {environment: *e}\n", i);
    load_bytes(&buf, "make too much");
    buf.length = 0;
    buf_text(&buf, "a0: &a0 {x: y}\n");
    for (int i = 1; i < 50000; i++)
        buf_format(&buf, "a%d: &a%d {<<: *a%d, z%d: 1}\n", i, i, i - 1, i);
    load_bytes(&buf, "merge keys make too much");
    buf.length = 0;
    buf_text(&buf, "a0: &a0 [x, x, x, x]\n");
    for (int i = 1; i < 50; i++)
        buf_format(&buf, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1, i - 1, i - 1);
    buf_text(&buf, "services: {a: {image: x, x-y: *a49, unknown: *a49, labels: *a49}}\n");
    load_bytes(&buf, NULL);
    buf_text(&buf, "---\nservices: {a: {ports: [[x]]}}\n");
    load_bytes(&buf, "must be a text");
    buf.length = 0;
    buf_text(&buf, "services:\n  s0: {image: x}\n");
    for (int i = 1; i < 100; i++)
        buf_format(&buf, "  s%d: {extends: s%d}\n", 100 - i, 99 - i);
    load_bytes(&buf, "more than 64 services extend one another");
    buf_free(&buf);
}

static void add_service(struct buf *buf, int number)
{
    buf_format(buf,
               "  kafka%d:\n    image: confluentinc/cp-kafka:7.6.0\n    depends_on: [kafka0]\n"
               "    ports:\n      - \"%d:%d\"\n    environment:\n      KAFKA_BROKER_ID: %d\n"
               "      KAFKA_ADVERTISED_LISTENERS: A://kafka%d:9092,B://localhost:%d\n"
               "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: A:PLAINTEXT,B:PLAINTEXT\n"
               "      KAFKA_INTER_BROKER_LISTENER_NAME: ${NAME:-A}\n    networks: [n]\n",
               number, 10000 + number, 10000 + number, number, number, 10000 + number);
}

static void test_thousand_services(void **state)
{
    struct buf buf = {0};
    struct compose *compose;
    struct error error;

    (void)state;
    empty_folder();
    buf_text(&buf, "services:\n");
    for (int i = 0; i < 1000; i++)
        add_service(&buf, i);
    buf_text(&buf, "networks: {n: }\n");
    write_file("compose.yaml", buf.data, buf.length);
    assert_int_equal(load("compose.yaml", NULL, &compose, &error), 0);
    assert_int_equal(compose->service_count, 1000);
    assert_string_equal(compose_service(compose, "kafka999")->name, "kafka999");
    assert_null(compose_service(compose, "kafka1000"));
    assert_string_equal(
        compose_variable(compose_service(compose, "kafka7"), "KAFKA_BROKER_ID")->value.text, "7");
    assert_null(compose_variable(compose_service(compose, "kafka7"), "KAFKA"));
    compose_free(compose);
    buf_free(&buf);
}

/* ---- Which files */

/* The paths, with blanks between them. */
static void put_paths(struct buf *out, char **paths)
{
    for (size_t i = 0; paths && paths[i]; i++) {
        buf_format(out, "%s%s", i ? " " : "", paths[i]);
        free(paths[i]);
    }
    free(paths);
}

static void test_find(void **state)
{
    static const struct {
        const char *files, *from, *found; /* found: "": none */
    } rows[] = {
        {"=== compose.yaml\n", "", "compose.yaml"},
        {"=== compose.yml\n=== docker-compose.yml\n", "", "compose.yml"},
        {"=== docker-compose.yml\n=== docker-compose.yaml\n", "", "docker-compose.yml"},
        {"=== docker-compose.yaml\n=== docker-compose.override.yml\n", "",
         "docker-compose.yaml docker-compose.override.yml"},
        {"=== compose.yaml\n=== compose.override.yaml\n", "", "compose.yaml compose.override.yaml"},
        {"=== compose.yaml\n=== d/e/x\n", "/d/e", "compose.yaml"},
        {"=== compose.yaml\n=== d/docker-compose.yml\n=== d/e/x\n", "/d/e", "d/docker-compose.yml"},
        {"=== x\n", "", ""},
        {"=== x\n", "/none", ""},
        {"=== compose.yaml\n=== .env\nX=a\nCOMPOSE_FILE=$X.yml:b.yml\n", "",
         "a.yml b.yml, by .env"},
        {"=== .env\nCOMPOSE_FILE=d/a.yml;b.yml\nCOMPOSE_PATH_SEPARATOR=;\n=== d/.env\n", "",
         "d/a.yml b.yml, by d/.env .env"},
        {"=== d/.env\nCOMPOSE_FILE=a.yml\n", "/d", "d/a.yml, by d/.env"},
        {"=== compose.yaml\n=== .env\nCOMPOSE_FILE=\n", "", "compose.yaml"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *from = mem_format("%s%s", folder, rows[i].from);
        struct compose_found files;
        struct buf found = {0};
        struct error error = {.code = EXIT_OK};
        empty_folder();
        write_files(rows[i].files);
        buf_reserve(&found, 0);
        if (compose_find(from, NULL, &files, &error) == 0) {
            put_paths(&found, files.files);
            buf_text(&found, files.env_files ? ", by " : "");
            put_paths(&found, files.env_files);
            drop_folder(found.data);
        } else {
            assert_int_equal(error.code, EXIT_INPUT);
        }
        assert_string_equal(found.data, rows[i].found);
        buf_free(&found);
        free(from);
    }
}

/* Variables of the environment that say which files give others. */
static void test_env_files_named(void **state)
{
    static const struct {
        const char *name, *value, *expected;
    } rows[] = {
        {"COMPOSE_ENV_FILES", "e", "a image:e$\n"},
        {"COMPOSE_ENV_FILES", "e,,f", "a image:f$\n"},
        {"COMPOSE_ENV_FILES", "", "a image:env$\n"},
        {"COMPOSE_ENV_FILES", "e,n", "error cannot open n: No such file or directory\n"},
        {"COMPOSE_DISABLE_ENV_FILE", "true", "a image:$?V\n"},
        {"COMPOSE_DISABLE_ENV_FILE", "1", "a image:$?V\n"},
        {"COMPOSE_DISABLE_ENV_FILE", "0", "a image:env$\n"},
        {"COMPOSE_DISABLE_ENV_FILE", "", "a image:env$\n"},
    };
    char *here = get_current_dir_name();

    (void)state;
    empty_folder();
    assert_int_equal(chdir(folder), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row row = {rows[i].value,
                                "=== compose.yaml\n" S "  a: {image: $V}\n=== .env\nV=env\n"
                                "=== e\nV=e\n=== f\nV=f\n",
                                rows[i].expected, .flags = 0};
        setenv(rows[i].name, rows[i].value, 1);
        check_rows(&row, 1);
        unsetenv(rows[i].name);
    }
    assert_int_equal(chdir(here), 0);
    free(here);
}

/* A link out of the folder is read; a pipe and a device are not waited for. */
static void test_links(void **state)
{
    char *link = path_in("link.yaml"), *pipe = path_in("pipe.yaml");
    const struct row rows[] = {
        {"a link", "=== d/x.yaml\n" S "  a: {image: x}\n", "a image:x\n", .files = "link.yaml"},
        {"a pipe", "", "error cannot read pipe.yaml: it is not a regular file\n",
         .files = "pipe.yaml"},
        {"a device", S "  a: {env_file: /dev/zero}\n",
         "a\nunknown a 2:17: env_file: cannot read /dev/zero: it is not a regular file\n",
         .flags = 0},
    };

    (void)state;
    empty_folder();
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *found;
        empty_folder();
        assert_int_equal(symlink("d/x.yaml", link), 0);
        assert_int_equal(mkfifo(pipe, 0600), 0);
        write_files(rows[i].text);
        found = dump(&rows[i]);
        assert_string_equal(found, rows[i].expected);
        free(found);
    }
    free(link);
    free(pipe);
}

/* ---- Mutations of files like real ones. TALLY_FUZZ sets the rounds. */

static uint64_t random_state = 20151111;

/* xorshift64* */
static uint32_t random_number(uint32_t below)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)((random_state * 2685821657736338717u) >> 32) % below;
}

static void mutate(struct buf *buf)
{
    static const char *const pieces[] = {"&a ",
                                         "*a",
                                         "<<: *a",
                                         "{",
                                         "}",
                                         "[",
                                         "]",
                                         ": ",
                                         "\n",
                                         "\n  ",
                                         "\n    ",
                                         "- ",
                                         "${",
                                         "}",
                                         "$A",
                                         ":-",
                                         "\"",
                                         "'",
                                         "|",
                                         ">-\n",
                                         "!reset",
                                         "\r\n",
                                         "\t",
                                         "\0",
                                         "#",
                                         "---\n",
                                         "~",
                                         "\xef\xbb\xbf",
                                         "=",
                                         "9092:9092",
                                         "!override []",
                                         "extends: kafka",
                                         "\xe5\xa5\xb3",
                                         "include: [b.yaml]\n"};

    for (uint32_t i = random_number(6); i > 0 && buf->length > 0; i--) {
        uint32_t at = random_number((uint32_t)buf->length);
        const char *piece = pieces[random_number(COUNT(pieces))];
        size_t length = *piece ? strlen(piece) : 1, cut = random_number(20);
        if (random_number(2)) {
            cut = cut < buf->length - at ? cut : buf->length - at;
            memmove(buf->data + at, buf->data + at + cut, buf->length - at - cut);
            buf->length -= cut;
            continue;
        }
        buf_reserve(buf, length);
        memmove(buf->data + at + length, buf->data + at, buf->length - at);
        memcpy(buf->data + at, piece, length);
        buf->length += length;
    }
}

static void check_service(const struct compose *compose, const struct compose_service *service)
{
    struct buf out = {0};

    assert_ptr_equal(compose_service(compose, service->name), service);
    for (size_t i = 0; i < service->environment_count; i++)
        assert_ptr_equal(compose_variable(service, service->environment[i].name),
                         &service->environment[i]);
    for (size_t i = 0; i < service->port_count; i++) {
        assert_in_range(service->ports[i].published, 0, 65535);
        assert_in_range(service->ports[i].target, 1, 65535);
    }
    dump_service(&out, service, true);
    dump_gaps(&out, service);
    buf_free(&out);
}

static const char *const real_files[] = {
    "version: '3'\nservices:\n  zookeeper:\n    image: zk\n  kafka: &a\n"
    "    image: confluentinc/cp-kafka:${TAG:-7.6.0}\n    depends_on:\n      - zookeeper\n"
    "    ports:\n      - \"9092:9092\"\n      - 127.0.0.1:29092-29093:29092-29093/tcp\n"
    "    environment:\n      KAFKA_BROKER_ID: 1\n"
    "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092,HOST://localhost:9092\n"
    "      KAFKA_LISTENERS: >-\n        PLAINTEXT://:29092,\n        HOST://:9092\n"
    "  other:\n    <<: *a\n    hostname: 'o'\n",
    "x-env: &a\n  A: 1\n  B: \"$A\"\nservices:\n  kafka:\n    environment: {<<: *a, C: ${D?no}}\n"
    "    env_file: [.env]\n    extends: {file: b.yaml, service: b}\n    networks:\n"
    "      n: {aliases: [k], ipv4_address: 1.2.3.4}\n    command: redpanda start \"--a b\"\n"
    "    volumes:\n      - ./v:/v\n      - {type: bind, source: x, target: /y}\n"
    "    healthcheck: {test: [CMD, nc, -z, localhost]}\nnetworks: {n: {external: true}}\n",
    "include: [b.yaml]\nservices:\r\n  a:\r\n    build: {context: ., args: [X=1]}\r\n"
    "    environment:\r\n      - \"A=1\"\r\n      - 'B=2'\r\n      - C\r\n    ports:\r\n"
    "      - {target: 1, published: \"2\"}\r\n---\nservices: {a: {ports: !override ['1:1']}}\n",
};

static void test_mutations(void **state)
{
    const char *text = getenv("TALLY_FUZZ");
    struct buf buf = {0};

    (void)state;
    empty_folder();
    write_files("=== b.yaml\n" S "  b: {image: x, environment: {A: 1}}\n=== .env\nA=x\nB=\"$A\"\n"
                "=== Dockerfile\nARG X\nFROM a:$X AS b\nFROM b\n");
    for (int i = text ? atoi(text) : 20000; i > 0; i--) {
        struct error error = {.code = EXIT_OK};
        const char *file = real_files[random_number(COUNT(real_files))];
        struct compose *compose;
        buf.length = 0;
        buf_text(&buf, file);
        mutate(&buf);
        write_file("compose.yaml", buf.data, buf.length);
        if (load("compose.yaml", NULL, &compose, &error) < 0) {
            assert_int_equal(error.code, EXIT_INPUT);
            assert_null(strchr(error.text, '\n'));
            continue;
        }
        for (size_t k = 0; k < compose->service_count; k++)
            check_service(compose, &compose->services[k]);
        compose_free(compose);
    }
    buf_free(&buf);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/tally-compose-XXXXXX");
    setenv("SHELLVAR", "fromshell", 1);
    setenv("COMPOSE_PROJECT_NAME", "p", 1);
    setenv("HOME", "/home/me", 1);
    unsetenv("A");
    unsetenv("E");
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_needed_variable),
        cmocka_unit_test(test_plain_values),
        cmocka_unit_test(test_env_files),
        cmocka_unit_test(test_env_file_forms),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_merging),
        cmocka_unit_test(test_extending),
        cmocka_unit_test(test_including),
        cmocka_unit_test(test_project_name),
        cmocka_unit_test(test_styles),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_laughs),
        cmocka_unit_test(test_thousand_services),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_env_files_named),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests_name("compose", tests, set_up, tear_down);
}
