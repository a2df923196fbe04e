#include "cluster/doctor/finding.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/doctor/rules.h"

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {"ok", "suspicious", "broken"};

    return names[verdict];
}

const char *severity_name(enum severity severity)
{
    static const char *const names[] = {"note", "warning", "error"};

    return names[severity];
}

static char *format_text(const char *format, va_list arguments)
{
    char *text = NULL;

    if (vasprintf(&text, format, arguments) < 0)
        abort();
    return text;
}

struct finding *finding_add(struct diagnosis *diagnosis, const char *id,
                            const struct compose_service *service, const struct place *place,
                            const char *format, ...)
{
    const struct rule *rule = rule_find(id);
    struct finding *finding;
    va_list arguments;

    if (!rule)
        abort(); /* only a typing mistake in a check gets here */
    diagnosis->findings =
        mem_grow(diagnosis->findings, diagnosis->finding_count + 1, sizeof *diagnosis->findings);
    finding = &diagnosis->findings[diagnosis->finding_count++];
    va_start(arguments, format);
    *finding = (struct finding){
        .rule = rule,
        .severity = rule->severity,
        .service = mem_text(service ? service->name : ""),
        .message = format_text(format, arguments),
        .fix = mem_text(""),
    };
    va_end(arguments);
    if (place && place->source)
        finding->place = *place;
    else if (service)
        finding->place = service->place;
    return finding;
}

void finding_fix(struct finding *finding, const char *format, ...)
{
    va_list arguments;

    free(finding->fix);
    va_start(arguments, format);
    finding->fix = format_text(format, arguments);
    va_end(arguments);
}

void finding_edit(struct finding *finding, const struct source *source, size_t start, size_t end,
                  char *text)
{
    finding->edits = mem_grow(finding->edits, finding->edit_count + 1, sizeof *finding->edits);
    finding->edits[finding->edit_count++] =
        (struct edit){.source = source, .start = start, .end = end, .text = text};
}

static void finding_free(struct finding *finding)
{
    free(finding->service);
    free(finding->message);
    free(finding->fix);
    for (size_t i = 0; i < finding->edit_count; i++)
        free(finding->edits[i].text);
    free(finding->edits);
}

static size_t source_index(const struct compose *compose, const struct source *source)
{
    size_t i = 0;

    while (i < compose->source_count && compose->sources[i] != source)
        i++;
    return i;
}

static int compare(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

/* By file, line, column; at one place the worse first, then in the table's order. */
static int compare_findings(const void *left, const void *right, void *context)
{
    const struct compose *compose = ((const struct diagnosis *)context)->compose;
    const struct finding *a = left, *b = right;
    int order =
        compare(source_index(compose, a->place.source), source_index(compose, b->place.source));

    if (!order)
        order = compare(a->place.line, b->place.line);
    if (!order)
        order = compare(a->place.column, b->place.column);
    if (!order)
        order = compare(b->severity, a->severity);
    if (!order)
        order = compare((uintptr_t)a->rule, (uintptr_t)b->rule);
    return order ? order : strcmp(a->message, b->message);
}

/* What several services share by an anchor is said once. */
static bool same(const struct finding *a, const struct finding *b)
{
    return a->rule == b->rule && a->place.source && a->place.source == b->place.source &&
           a->place.line == b->place.line && a->place.column == b->place.column &&
           !strcmp(a->message, b->message);
}

static void sort_findings(struct diagnosis *diagnosis)
{
    size_t kept = 0;

    if (!diagnosis->finding_count)
        return;
    qsort_r(diagnosis->findings, diagnosis->finding_count, sizeof *diagnosis->findings,
            compare_findings, diagnosis);
    for (size_t i = 1; i < diagnosis->finding_count; i++) {
        if (same(&diagnosis->findings[kept], &diagnosis->findings[i]))
            finding_free(&diagnosis->findings[i]);
        else
            diagnosis->findings[++kept] = diagnosis->findings[i];
    }
    diagnosis->finding_count = kept + 1;
}

static enum verdict verdict(const struct diagnosis *diagnosis)
{
    enum verdict worst = VERDICT_OK;

    for (size_t i = 0; i < diagnosis->finding_count; i++)
        if ((int)diagnosis->findings[i].severity > (int)worst)
            worst = (enum verdict)diagnosis->findings[i].severity;
    return worst;
}

struct diagnosis *diagnose(const struct compose *compose)
{
    struct diagnosis *diagnosis = mem_alloc(1, sizeof *diagnosis);

    diagnosis->compose = compose;
    brokers_find(compose, &diagnosis->brokers);
    clients_find(diagnosis);
    for (const struct rule *rule = rules; rule->id; rule++)
        if (rule->check)
            rule->check(diagnosis);
    sort_findings(diagnosis);
    diagnosis->verdict = verdict(diagnosis);
    vantages_find(diagnosis);
    return diagnosis;
}

void diagnosis_free(struct diagnosis *diagnosis)
{
    if (!diagnosis)
        return;
    vantages_free(diagnosis);
    clients_free(diagnosis);
    for (size_t i = 0; i < diagnosis->finding_count; i++)
        finding_free(&diagnosis->findings[i]);
    free(diagnosis->findings);
    brokers_free(&diagnosis->brokers);
    free(diagnosis);
}
