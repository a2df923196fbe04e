/* rules.c: all rules, one row each. */
#include "cluster/doctor/rules.h"

#include <string.h>

const struct rule rules[] = {
    /* ---- A broker refuses to start: rules_start.c */

    /* ---- It starts, and clients fail: rules_reach.c */

    {.id = NULL},
};

const struct rule *rule_find(const char *id)
{
    for (const struct rule *rule = rules; rule->id; rule++)
        if (!strcmp(rule->id, id))
            return rule;
    return NULL;
}
