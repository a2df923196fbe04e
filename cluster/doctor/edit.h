/* edit.h: changes to compose files for --fix: only what is plainly written in
 * the file, and only where the change hits this service alone. Each returns
 * false, adding nothing, where that is not so. */
#ifndef TALLY_DOCTOR_EDIT_H
#define TALLY_DOCTOR_EDIT_H

#include "cluster/doctor/finding.h"

/* Whether the value stands in the file letter by letter: no variable, no
 * escape, not over several lines. */
bool edit_possible(const struct compose_text *value);
/* Puts `text` in the place of `length` bytes of the value, from `offset`. */
bool edit_value(struct finding *finding, const struct compose_text *value, size_t offset,
                size_t length, const char *text);
/* Makes the whole value `text`, where it is A${NAME:-B}C in the file, and B is what differs: the
 * default is what changes. */
bool edit_default(struct finding *finding, const struct compose_text *value, const char *text);
/* The item of a list, and a comma beside it. */
bool edit_remove_item(struct finding *finding, const struct compose_text *value, size_t offset,
                      size_t length);
/* A new variable, a line of its own. */
bool edit_add_variable(struct finding *finding, const struct compose_service *service,
                       const char *name, const char *text);
/* The line of a variable; its name becomes another. */
bool edit_remove_variable(struct finding *finding, const struct compose_pair *pair);
bool edit_rename_variable(struct finding *finding, const struct compose_pair *pair,
                          const char *name);

#endif
