/* unit.h: what every unit test includes. Tests are tables: one row, one case. */
#ifndef TALLY_UNIT_H
#define TALLY_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* Fails with the row's name. */
#define CHECK(condition, name)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("%s: %s", (name), #condition);                                                \
    } while (0)

#endif
