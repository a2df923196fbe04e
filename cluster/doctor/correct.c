#include "cluster/doctor/correct.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/limits.h"

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

char *correct_path(const char *path)
{
    const char *dot = strrchr(base_of(path), '.');

    /* ".env" has no ending. */
    if (!dot || dot == base_of(path))
        return mem_format("%s.fixed", path);
    return mem_format("%.*s.fixed%s", (int)(dot - path), path, dot);
}

static int compare_edits(const void *a, const void *b)
{
    const struct edit *left = *(const struct edit *const *)a;
    const struct edit *right = *(const struct edit *const *)b;

    if (left->start != right->start)
        return left->start < right->start ? -1 : 1;
    if (left->end != right->end)
        return left->end < right->end ? -1 : 1;
    return strcmp(left->text, right->text);
}

static bool is_same(const struct edit *a, const struct edit *b)
{
    return a->start == b->start && a->end == b->end && strcmp(a->text, b->text) == 0;
}

/* Its lines end with CR LF. */
static bool is_crlf(const struct source *source)
{
    const char *end = memchr(source->bytes, '\n', source->length);

    return end && end > source->bytes && end[-1] == '\r';
}

/* Lines that are put in end as the others do. */
static void add_text(struct buf *bytes, const char *text, bool crlf)
{
    for (; *text; text++) {
        if (*text == '\n' && crlf)
            buf_char(bytes, '\r');
        buf_char(bytes, *text);
    }
}

struct source *correct_source(const struct source *source, const struct edit *const *edits,
                              size_t count)
{
    const struct edit **sorted = mem_alloc(count + 1, sizeof *sorted);
    struct source *result = mem_alloc(1, sizeof *result);
    struct buf bytes = {0};
    size_t at = 0, used = 0;
    bool crlf = is_crlf(source);

    for (size_t i = 0; i < count; i++)
        if (edits[i]->end <= source->length && edits[i]->start <= edits[i]->end)
            sorted[used++] = edits[i];
    qsort(sorted, used, sizeof *sorted, compare_edits);
    for (size_t i = 0; i < used; i++) {
        size_t start = sorted[i]->start;

        if (start < at || (i > 0 && is_same(sorted[i - 1], sorted[i])))
            continue;
        /* A line behind another one: before the end of that, CR and LF. */
        if (crlf && start > at && start == sorted[i]->end && source->bytes[start - 1] == '\r')
            start--;
        buf_add(&bytes, source->bytes + at, start - at);
        add_text(&bytes, sorted[i]->text, crlf);
        at = start + (sorted[i]->end - sorted[i]->start);
    }
    buf_add(&bytes, source->bytes + at, source->length - at);
    free(sorted);
    *result = (struct source){
        .path = mem_text(source->path), .bytes = bytes.data, .length = bytes.length};
    return result;
}

/* Whose edits are made: of one finding, or (NULL) of all that are so severe. */
struct choice {
    enum severity severity;
    const struct finding *only;
};

static bool is_chosen(const struct choice *choice, const struct finding *finding)
{
    return choice->only ? finding == choice->only : finding->severity == choice->severity;
}

static const struct edit **edits_of(const struct diagnosis *diagnosis, const struct choice *choice,
                                    const struct source *source, size_t *count)
{
    const struct edit **edits = NULL;

    *count = 0;
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        const struct finding *finding = &diagnosis->findings[i];
        for (size_t j = 0; j < finding->edit_count; j++) {
            if (!is_chosen(choice, finding) || finding->edits[j].source != source)
                continue;
            edits = mem_grow(edits, *count + 1, sizeof *edits);
            edits[(*count)++] = &finding->edits[j];
        }
    }
    return edits;
}

/* Among the sources; their count: it is none of them. */
static size_t index_of(const struct compose *compose, const char *path)
{
    size_t i = 0;

    while (i < compose->source_count && strcmp(compose->sources[i]->path, path) != 0)
        i++;
    return i;
}

static const struct source *source_of(const struct compose *compose, const char *path)
{
    size_t i = index_of(compose, path);

    return i < compose->source_count ? compose->sources[i] : NULL;
}

/* A round of corrections: `texts` are the new ones of the first diagnosis's files, by their
 * order; NULL: as it is. */
struct round {
    const struct compose_request *request;
    struct corrections *corrections;
    struct source **texts;
    bool
        careful; /* no step makes it worse: KAFKA_LISTENER: x, called rightly, is read, and wrong */
};

/* The file with the edits in it; NULL when they change nothing, or it is read no more. */
static struct source *change(const struct round *round, size_t file, const struct choice *choice)
{
    const struct corrections *corrections = round->corrections;
    const struct source *source =
        source_of(corrections->last, corrections->first->sources[file]->path);
    struct source *after = NULL;
    const struct edit **edits;
    size_t count;

    if (!source)
        return NULL;
    edits = edits_of(corrections->after, choice, source, &count);
    if (count > 0)
        after = correct_source(source, edits, count);
    free(edits);
    if (after && after->length == source->length &&
        memcmp(after->bytes, source->bytes, source->length) == 0) {
        source_free(after);
        after = NULL;
    }
    return after;
}

/* What was made of the corrected files, to make room for more. */
static void drop_last(struct corrections *corrections)
{
    if (corrections->after != corrections->before) {
        diagnosis_free(corrections->after);
        compose_free(corrections->last);
    }
}

/* Reads the files with the changed ones in their place; false if that cannot be read, or is
 * worse. */
static bool look_again(struct round *round, struct source *const *changed)
{
    struct corrections *corrections = round->corrections;
    struct compose_request request = *round->request;
    size_t files = corrections->first->source_count, count = 0;
    const struct source **instead = mem_alloc(files + 1, sizeof *instead);
    struct compose *compose;
    struct diagnosis *diagnosis;
    struct error error;
    int result;

    for (size_t i = 0; i < files; i++)
        if (changed[i] || round->texts[i])
            instead[count++] = changed[i] ? changed[i] : round->texts[i];
    request.instead = instead;
    result = compose_load(&request, &compose, &error);
    free(instead);
    if (result < 0)
        return false;
    diagnosis = diagnose(compose);
    if (round->careful && diagnosis->verdict > corrections->after->verdict) {
        diagnosis_free(diagnosis);
        compose_free(compose);
        return false;
    }
    drop_last(corrections);
    corrections->last = compose;
    corrections->after = diagnosis;
    return true;
}

/* False when that changes nothing, or makes what cannot be read. */
static bool try(struct round *round, const struct choice *choice)
{
    size_t files = round->corrections->first->source_count;
    struct source **changed = mem_alloc(files + 1, sizeof *changed);
    bool any = false, good;

    for (size_t i = 0; i < files; i++) {
        changed[i] = change(round, i, choice);
        any |= changed[i] != NULL;
    }
    good = any && look_again(round, changed);
    for (size_t i = 0; i < files; i++) {
        source_free(good && changed[i] ? round->texts[i] : changed[i]);
        if (good && changed[i])
            round->texts[i] = changed[i];
    }
    free(changed);
    return good;
}

/* Two findings may each add the same key, say: then one at a time. */
static bool improve_by(struct round *round, enum severity severity)
{
    const struct diagnosis *diagnosis = round->corrections->after;
    int tries = 0;

    if (try(round, &(struct choice){severity, NULL}))
        return true;
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        const struct finding *finding = &diagnosis->findings[i];
        if (finding->severity != severity || finding->edit_count == 0 ||
            tries++ >= LIMIT_FIX_ROUNDS)
            continue;
        if (try(round, &(struct choice){severity, finding}))
            return true;
    }
    return false;
}

/* What is suspicious often is not any more once what is broken has been corrected. */
static bool improve(struct round *round)
{
    return improve_by(round, SEVERITY_ERROR) || improve_by(round, SEVERITY_WARNING);
}

/* The files as they are again. */
static void start_over(struct round *round)
{
    struct corrections *corrections = round->corrections;

    drop_last(corrections);
    corrections->after = corrections->before;
    corrections->last = corrections->first;
    for (size_t i = 0; i < corrections->first->source_count; i++) {
        source_free(round->texts[i]);
        round->texts[i] = NULL;
    }
}

static void improve_all(struct round *round)
{
    for (int i = 0; i < LIMIT_FIX_ROUNDS && improve(round); i++)
        ;
}

/* ---- Who names a corrected file */

/* The name of the corrected file where that of the old one stands; NULL where a variable put it
 * there. */
static struct edit *rename_reference(const struct compose_reference *reference)
{
    const struct place *place = &reference->place;
    const char *name = base_of(reference->path), *bytes = place->source->bytes;
    size_t length = strlen(name);
    char *path;
    struct edit *edit;

    for (size_t at = place->end; at >= place->start + length; at--) {
        if (memcmp(bytes + at - length, name, length) != 0)
            continue;
        edit = mem_alloc(1, sizeof *edit);
        path = correct_path(reference->path);
        *edit = (struct edit){place->source, at - length, at, mem_text(base_of(path))};
        free(path);
        return edit;
    }
    return NULL;
}

/* Marks the files that name a changed one: they change, too. `edits`: one for each reference. */
static void follow(const struct round *round, struct edit **edits, bool *changes)
{
    const struct compose *first = round->corrections->first, *last = round->corrections->last;
    bool more = true;

    for (size_t i = 0; i < first->source_count; i++)
        changes[i] = round->texts[i] != NULL;
    while (more) {
        more = false;
        for (size_t i = 0; i < last->reference_count; i++) {
            const struct compose_reference *reference = &last->references[i];
            size_t from = index_of(first, reference->place.source->path);
            if (edits[i] || !changes[index_of(first, reference->path)] ||
                !(edits[i] = rename_reference(reference)))
                continue;
            changes[from] = more = true;
        }
    }
}

/* A corrected file stands beside the old one: what names that has to name the new one. */
static void refer(struct round *round)
{
    const struct compose *first = round->corrections->first, *last = round->corrections->last;
    size_t count = last->reference_count;
    struct edit **edits = mem_alloc(count + 1, sizeof *edits);
    const struct edit **own = mem_alloc(count + 1, sizeof *own);
    bool *changes = mem_alloc(first->source_count + 1, sizeof *changes);

    follow(round, edits, changes);
    for (size_t i = 0; i < first->source_count; i++) {
        const struct source *source = source_of(last, first->sources[i]->path);
        size_t used = 0;
        for (size_t k = 0; source && k < count; k++)
            if (edits[k] && edits[k]->source == source)
                own[used++] = edits[k];
        if (used == 0)
            continue;
        source_free(round->texts[i]);
        round->texts[i] = correct_source(source, own, used);
    }
    for (size_t k = 0; k < count; k++) {
        if (edits[k])
            free(edits[k]->text);
        free(edits[k]);
    }
    free(edits);
    free(own);
    free(changes);
}

int examine(const struct compose_request *request, struct corrections *corrections,
            struct error *error)
{
    memset(corrections, 0, sizeof *corrections);
    if (compose_load(request, &corrections->first, error) < 0)
        return -1;
    corrections->last = corrections->first;
    corrections->before = corrections->after = diagnose(corrections->first);
    return 0;
}

void correct(const struct compose_request *request, struct corrections *corrections)
{
    struct round round = {.request = request, .corrections = corrections};

    round.texts = mem_alloc(corrections->first->source_count + 1, sizeof *round.texts);
    corrections->list = mem_alloc(corrections->first->source_count + 1, sizeof *corrections->list);
    improve_all(&round);
    if (corrections->after->verdict > corrections->before->verdict) {
        start_over(&round);
        round.careful = true;
        improve_all(&round);
    }
    refer(&round);
    for (size_t i = 0; i < corrections->first->source_count; i++)
        if (round.texts[i])
            corrections->list[corrections->count++] =
                (struct correction){corrections->first->sources[i], round.texts[i]};
    free(round.texts);
}

void corrections_free(struct corrections *corrections)
{
    drop_last(corrections);
    diagnosis_free(corrections->before);
    compose_free(corrections->first);
    for (size_t i = 0; i < corrections->count; i++)
        source_free(corrections->list[i].after);
    free(corrections->list);
}
