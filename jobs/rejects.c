#include "jobs/rejects.h"

#include <inttypes.h>

static const char *const names[REJECT_KINDS] = {
    [REJECT_SHORT] = "short row",      [REJECT_NUL] = "NUL byte",  [REJECT_LONG] = "over-long row",
    [REJECT_QUOTING] = "bad quoting",  [REJECT_TIME] = "bad time", [REJECT_JSON] = "bad JSON",
    [REJECT_FUTURE] = "too far ahead",
};

const char *reject_name(enum reject reject)
{
    return names[reject];
}

uint64_t rejects_total(const struct rejects *rejects)
{
    uint64_t total = 0;

    for (int i = 0; i < REJECT_KINDS; i++)
        total += rejects->of[i];
    return total;
}

void rejects_describe(const struct rejects *rejects, struct buf *buf)
{
    uint64_t total = rejects_total(rejects);
    const char *before = " (";

    buf_format(buf, "%" PRIu64 " rejected", total);
    for (int i = 0; i < REJECT_KINDS; i++) {
        if (rejects->of[i] == 0)
            continue;
        buf_format(buf, "%s%s %" PRIu64, before, names[i], rejects->of[i]);
        before = ", ";
    }
    if (total)
        buf_char(buf, ')');
}
