#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/base/buf.h"
#include "cluster/base/output.h"
#include "runner/doctor.h"
#include "runner/suggest.h"
#include "runner/wrap.h"

#define NARROW 24

/* Whether stdout may be coloured (https://no-color.org). */
static bool is_coloured(void)
{
    const char *no = getenv("NO_COLOR");

    return isatty(STDOUT_FILENO) && (!no || !*no);
}

static const char *colour_of(enum severity severity)
{
    switch (severity) {
    case SEVERITY_ERROR:
        return "31";
    case SEVERITY_WARNING:
        return "33";
    case SEVERITY_NOTE:
        return "36";
    }
    return "0";
}

static enum severity severity_of(enum verdict verdict)
{
    return verdict == VERDICT_BROKEN       ? SEVERITY_ERROR
           : verdict == VERDICT_SUSPICIOUS ? SEVERITY_WARNING
                                           : SEVERITY_NOTE;
}

static void print_coloured(const char *colour, const char *text)
{
    if (is_coloured())
        printf("\033[1;%sm%s\033[0m", colour, text);
    else
        printf("%s", text);
}

/* In a pipe a message is one line, as a compiler's is; on a terminal it is broken into lines. */
static void print_text(const char *text, int column, int indent)
{
    if (isatty(STDOUT_FILENO))
        wrap_print(stdout, text, strlen(text), column, indent, wrap_width(stdout));
    else
        printf("%s\n", text);
}

static void print_lines(const char *first, const char *indent, const char *text)
{
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");
        printf("%s%.*s\n", line == text ? first : indent, (int)length, line);
        line += length + (line[length] == '\n');
    }
}

static void print_fix(const struct finding *finding)
{
    struct buf change = {0};

    if (*finding->fix && !strchr(finding->fix, '\n')) {
        printf("    fix: ");
        print_text(finding->fix, 9, 9);
    } else {
        print_lines("    fix: ", "         ", finding->fix);
    }
    correct_change(&change, finding);
    buf_char(&change, '\0');
    print_lines("    ", "    ", change.data);
    buf_free(&change);
}

static void print_finding(const struct finding *finding, const char *file)
{
    const struct place *place = &finding->place;
    char *text = mem_format("%s [%s]", finding->message, finding->rule->id);

    if (place->source)
        printf("%s:%zu:%zu: ", place->source->path, place->line, place->column);
    else
        printf("%s: ", file);
    print_coloured(colour_of(finding->severity), severity_name(finding->severity));
    if (isatty(STDOUT_FILENO)) {
        printf(":\n    ");
        print_text(text, 4, 4);
    } else {
        printf(": %s\n", text);
    }
    print_fix(finding);
    free(text);
}

static void print_vantage(const struct vantage *vantage, int width)
{
    bool works = vantage->addresses && vantage->addresses[0];
    /* Beside the names there would be room for a word or two. */
    bool narrow = isatty(STDOUT_FILENO) && wrap_width(stdout) < width + 9 + NARROW;

    if (narrow)
        printf("  from %s\n    ", vantage->from);
    else
        printf("  from %-*s  ", width, vantage->from);
    for (char **address = vantage->addresses; address && *address; address++)
        printf("%s%s", address == vantage->addresses ? "" : ", ", *address);
    if (works)
        putchar('\n');
    else
        print_text(vantage->failure, narrow ? 4 : width + 9, narrow ? 4 : width + 9);
}

static void print_vantages(const struct diagnosis *diagnosis)
{
    size_t width = 0;

    for (size_t i = 0; i < diagnosis->vantage_count; i++)
        if (strlen(diagnosis->vantages[i].from) > width)
            width = strlen(diagnosis->vantages[i].from);
    if (diagnosis->vantage_count)
        printf("bootstrap address\n");
    for (size_t i = 0; i < diagnosis->vantage_count; i++)
        print_vantage(&diagnosis->vantages[i], (int)width);
}

static void print_verdict(const struct checkup *checkup)
{
    enum verdict verdict = checkup->result.before->verdict;

    for (char **file = checkup->files; *file; file++)
        printf("%s%s", file == checkup->files ? "" : " + ", *file);
    printf(": ");
    print_coloured(verdict == VERDICT_OK ? "32" : colour_of(severity_of(verdict)),
                   verdict_name(verdict));
    putchar('\n');
}

void doctor_print(const struct checkup *checkup)
{
    const struct diagnosis *diagnosis = checkup->result.before;

    print_verdict(checkup);
    for (size_t i = 0; i < diagnosis->finding_count; i++)
        print_finding(&diagnosis->findings[i], checkup->files[0]);
    print_vantages(diagnosis);
}

int doctor_print_diff(const struct checkup *checkup, struct error *error)
{
    const struct corrections *result = &checkup->result;
    struct buf out = {0};
    int written;

    for (size_t i = 0; i < result->count; i++) {
        const struct correction *correction = &result->list[i];
        char *path = correct_path(correction->before->path);
        correct_diff(&out, correction->before, correction->after, path);
        free(path);
    }
    fflush(stdout);
    written = out.length ? output_write(STDOUT_FILENO, out.data, out.length, error) : 0;
    buf_free(&out);
    return written;
}

static void print_example(const char *title, const char *colour, const char *example)
{
    putchar('\n');
    print_coloured(colour, title);
    putchar('\n');
    for (const char *line = example; *line;) {
        size_t length = strcspn(line, "\n");
        printf("  %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

static int unknown_rule(const char *id, struct error *error)
{
    const char **names = NULL, *near;
    size_t count = 0;
    struct buf list = {0};

    for (const struct rule *rule = rules; rule->id; rule++) {
        names = mem_grow(names, count + 2, sizeof *names);
        names[count++] = rule->id;
        names[count] = NULL;
        buf_format(&list, "%s%s", count > 1 ? ", " : "", rule->id);
    }
    near = suggest(id, names);
    if (near)
        error_set(error, EXIT_USAGE, "--explain '%s': there is no such rule; did you mean %s?", id,
                  near);
    else
        error_set(error, EXIT_USAGE, "--explain '%s': there is no such rule; there are %s", id,
                  list.data);
    free(names);
    buf_free(&list);
    return -1;
}

int doctor_explain(const char *id, struct error *error)
{
    const struct rule *rule = rule_find(id);
    const struct example *example;

    if (!rule)
        return unknown_rule(id, error);
    example = rule_example(rule);
    print_coloured(colour_of(rule->severity), rule->id);
    printf(" (%s)\n", severity_name(rule->severity));
    wrap_print(stdout, rule->title, strlen(rule->title), 0, 0, wrap_width(stdout));
    putchar('\n');
    wrap_print(stdout, rule->why, strlen(rule->why), 0, 0, wrap_width(stdout));
    print_example("wrong", "31", example->wrong);
    print_example("right", "32", example->right);
    return 0;
}
