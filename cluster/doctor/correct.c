#include "cluster/doctor/correct.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/limits.h"

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

struct source *correct_source(const struct source *source, const struct edit *const *edits,
                              size_t count)
{
    const struct edit **sorted = mem_alloc(count + 1, sizeof *sorted);
    struct source *result = mem_alloc(1, sizeof *result);
    struct buf bytes = {0};
    size_t at = 0, used = 0;

    for (size_t i = 0; i < count; i++)
        if (edits[i]->end <= source->length && edits[i]->start <= edits[i]->end)
            sorted[used++] = edits[i];
    qsort(sorted, used, sizeof *sorted, compare_edits);
    for (size_t i = 0; i < used; i++) {
        if (sorted[i]->start < at || (i > 0 && is_same(sorted[i - 1], sorted[i])))
            continue;
        buf_add(&bytes, source->bytes + at, sorted[i]->start - at);
        buf_text(&bytes, sorted[i]->text);
        at = sorted[i]->end;
    }
    buf_add(&bytes, source->bytes + at, source->length - at);
    free(sorted);
    *result = (struct source){
        .path = mem_text(source->path), .bytes = bytes.data, .length = bytes.length};
    return result;
}

/* The edits of one source among all findings. */
static const struct edit **edits_of(const struct diagnosis *diagnosis, const struct source *source,
                                    size_t *count)
{
    const struct edit **edits = NULL;

    *count = 0;
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        const struct finding *finding = &diagnosis->findings[i];
        for (size_t j = 0; j < finding->edit_count; j++) {
            if (finding->severity == SEVERITY_NOTE || finding->edits[j].source != source)
                continue;
            edits = mem_grow(edits, *count + 1, sizeof *edits);
            edits[(*count)++] = &finding->edits[j];
        }
    }
    return edits;
}

static struct correction *correction_of(struct corrections *corrections, const char *path)
{
    for (size_t i = 0; i < corrections->count; i++)
        if (strcmp(corrections->list[i].before->path, path) == 0)
            return &corrections->list[i];
    return NULL;
}

static const struct source *original(const struct corrections *corrections, const char *path)
{
    for (size_t i = 0; i < corrections->first->source_count; i++)
        if (strcmp(corrections->first->sources[i]->path, path) == 0)
            return corrections->first->sources[i];
    return NULL;
}

/* Puts the new text of a file in the place of the one of the last round, or of
 * the file itself. A file that only the corrected ones refer to is left alone. */
static bool keep(struct corrections *corrections, const char *path, struct source *after)
{
    struct correction *correction = correction_of(corrections, path);
    const struct source *before = original(corrections, path);

    if (!before) {
        source_free(after);
        return false;
    }
    if (!correction) {
        corrections->list =
            mem_grow(corrections->list, corrections->count + 1, sizeof *corrections->list);
        correction = &corrections->list[corrections->count++];
        *correction = (struct correction){.before = before};
    }
    source_free(correction->after);
    correction->after = after;
    return true;
}

/* One round: true when something changed. */
static bool change(struct corrections *corrections)
{
    const struct compose *compose = corrections->last;
    bool changed = false;

    for (size_t i = 0; i < compose->source_count; i++) {
        const struct source *source = compose->sources[i];
        size_t count;
        const struct edit **edits = edits_of(corrections->after, source, &count);
        struct source *after = count ? correct_source(source, edits, count) : NULL;

        if (after && (after->length != source->length ||
                      memcmp(after->bytes, source->bytes, source->length) != 0))
            changed |= keep(corrections, source->path, after);
        else
            source_free(after);
        free(edits);
    }
    return changed;
}

/* Reads the files anew, with the corrected ones in their place. */
static int look_again(const struct compose_request *request, struct corrections *corrections,
                      struct error *error)
{
    const struct source **instead = mem_alloc(corrections->count + 1, sizeof *instead);
    struct compose_request corrected = *request;
    struct compose *compose;
    int result;

    for (size_t i = 0; i < corrections->count; i++)
        instead[i] = corrections->list[i].after;
    corrected.instead = instead;
    result = compose_load(&corrected, &compose, error);
    free(instead);
    if (result < 0)
        return error_wrap(error, "the corrected file");
    if (corrections->after != corrections->before) {
        diagnosis_free(corrections->after);
        compose_free(corrections->last);
    }
    corrections->last = compose;
    corrections->after = diagnose(compose);
    return 0;
}

/* What was found holds, though an edit has made of the file what nobody can read. */
static void give_up(struct corrections *corrections)
{
    if (corrections->after != corrections->before) {
        diagnosis_free(corrections->after);
        compose_free(corrections->last);
    }
    corrections->last = corrections->first;
    corrections->after = corrections->before;
    while (corrections->count)
        source_free(corrections->list[--corrections->count].after);
}

int correct(const struct compose_request *request, struct corrections *corrections,
            struct error *error)
{
    int result;

    memset(corrections, 0, sizeof *corrections);
    result = compose_load(request, &corrections->first, error);
    if (result < 0)
        return result;
    corrections->last = corrections->first;
    corrections->before = corrections->after = diagnose(corrections->first);
    for (int round = 0; round < LIMIT_FIX_ROUNDS; round++) {
        if (!change(corrections))
            break;
        if (look_again(request, corrections, error) < 0) {
            give_up(corrections);
            break;
        }
    }
    return result;
}

void corrections_free(struct corrections *corrections)
{
    if (corrections->after != corrections->before) {
        diagnosis_free(corrections->after);
        compose_free(corrections->last);
    }
    diagnosis_free(corrections->before);
    compose_free(corrections->first);
    for (size_t i = 0; i < corrections->count; i++)
        source_free(corrections->list[i].after);
    free(corrections->list);
}
