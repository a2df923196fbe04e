/* correct.h: corrected files: a finding's edits put into the bytes, and the
 * difference shown. */
#ifndef TALLY_DOCTOR_CORRECT_H
#define TALLY_DOCTOR_CORRECT_H

#include <stddef.h>

#include "cluster/base/buf.h"
#include "cluster/compose/compose.h"
#include "cluster/doctor/finding.h"

struct correction {
    const struct source *before; /* belongs to `first` */
    struct source *after;
};

struct corrections {
    struct correction *list; /* the files that change */
    size_t count;
    struct compose *first,
        *last; /* the files as they are, and corrected: the same if nothing changes */
    struct diagnosis *before, *after;
};

/* Reads the files and finds what is wrong; nothing is corrected yet. What compose_load gives.
 * Free with corrections_free, also after a failure. */
int examine(const struct compose_request *request, struct corrections *corrections,
            struct error *error);
/* Corrects what was examined, by the same request, until no finding has an edit left that does
 * no harm. Of the files, those that name a corrected one (env_file, include, extends) name its
 * new path. */
void correct(const struct compose_request *request, struct corrections *corrections);
void corrections_free(struct corrections *corrections);

/* Where the corrected file goes: docker-compose.yml becomes docker-compose.fixed.yml; free() it. */
char *correct_path(const char *path);
/* The bytes with the edits of this source in them; of edits that overlap the
 * first one holds, of equal insertions one. A new source of the same path. */
struct source *correct_source(const struct source *source, const struct edit *const *edits,
                              size_t count);
/* The lines that the finding's edits change: those as they are behind "-", the new ones
 * behind "+"; nothing if it has none. */
void correct_change(struct buf *out, const struct finding *finding);
/* As `diff -u` shows it, three lines around each change; nothing if there is none. */
void correct_diff(struct buf *out, const struct source *before, const struct source *after,
                  const char *after_path);

#endif
