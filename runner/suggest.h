/* suggest.h: which name was meant. */
#ifndef TALLY_SUGGEST_H
#define TALLY_SUGGEST_H

/* The nearest of the names (NULL-terminated) to what was written, where it is
 * near enough to be meant; else NULL. */
const char *suggest(const char *written, const char *const *names);

#endif
