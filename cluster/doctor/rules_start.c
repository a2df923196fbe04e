/* rules_start.c: why a broker refuses to start. */
#include "cluster/doctor/rules.h"

void check_parse(struct diagnosis *diagnosis)
{
    (void)diagnosis;
}
