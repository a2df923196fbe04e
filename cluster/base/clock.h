/* clock.h: the two clocks. Event times and records use the wall clock; waiting
 * and measuring use the monotonic one, which nobody sets back. */
#ifndef TALLY_CLOCK_H
#define TALLY_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void);      /* ms since the epoch */
int64_t clock_wall_us(void);      /* the same in microseconds */
int64_t clock_monotonic_ms(void); /* ms since some start */
int64_t clock_monotonic_us(void);

#endif
