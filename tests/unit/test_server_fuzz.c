/* What of the live server takes bytes from outside (tests/fuzz/targets.h), on
 * mutations of good input. TALLY_FUZZ sets the rounds, TALLY_SEED the seed. */
#include "tests/unit/unit.h"

#include "tests/fuzz/targets.h"

static uint64_t random_state;

/* xorshift64* */
static uint32_t random_number(uint32_t below)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)((random_state * 2685821657736338717u) >> 32) % below;
}

static int number_from(const char *name, int usual)
{
    const char *text = getenv(name);

    return text ? atoi(text) : usual;
}

/* Bytes that the formats care for, and pieces that decide something. */
static void insert(struct buf *buf, uint32_t at)
{
    static const char *const pieces[] = {"token=",
                                         "&",
                                         "?",
                                         "localhost",
                                         "zh",
                                         "gzip",
                                         ";q=",
                                         "\"",
                                         "=",
                                         "-",
                                         ".",
                                         "[",
                                         "]",
                                         ":",
                                         "\n",
                                         "{\"0\":1}",
                                         ",",
                                         "\"total\":",
                                         "9999999999999999999",
                                         "\xe5\xa5\xb3",
                                         "\xff",
                                         "\\",
                                         "%00",
                                         " ",
                                         ";",
                                         "W/"};
    const char *piece = pieces[random_number(COUNT(pieces))];
    size_t length = strlen(piece), old = buf->length;

    buf_text(buf, piece);
    memmove(buf->data + at + length, buf->data + at, old - at);
    memcpy(buf->data + at, piece, length);
}

static void mutate(struct buf *buf)
{
    for (uint32_t i = random_number(6); i > 0 && buf->length > 0; i--) {
        uint32_t at = random_number((uint32_t)buf->length);
        uint32_t count = random_number((uint32_t)buf->length - at) + 1;
        switch (random_number(4)) {
        case 0:
            buf->data[at] = (char)random_number(256);
            break;
        case 1:
            memmove(buf->data + at, buf->data + at + count, buf->length - at - count);
            buf->length -= count;
            break;
        case 2: /* a part again: it twice, a longer number */
            if (buf->length + count > 4096)
                break;
            buf_reserve(buf, count);
            memmove(buf->data + at + count, buf->data + at, buf->length - at);
            buf->length += count;
            break;
        default:
            insert(buf, at);
        }
    }
}

static void run(const struct target *target)
{
    int rounds = number_from("TALLY_FUZZ", target->take == fuzz_topic ? 5000 : 20000);
    uint32_t seeds = 0;

    while (seeds < COUNT(target->seeds) && target->seeds[seeds])
        seeds++;
    for (int i = 0; i < rounds; i++) {
        const char *seed = target->seeds[random_number(seeds)];
        struct buf buf = {0};
        char *exact; /* the sanitizer then sees every byte read beyond it */
        buf_text(&buf, seed);
        if (i >= (int)seeds)
            mutate(&buf);
        exact = malloc(buf.length + (buf.length == 0));
        memcpy(exact, buf.data, buf.length);
        target->take(exact, buf.length);
        free(exact);
        buf_free(&buf);
    }
}

static void test_target(void **state)
{
    const struct target *target = *state;
    int seed = number_from("TALLY_SEED", 20151111);

    fprintf(stderr, "%s: TALLY_SEED=%d\n", target->name, seed); /* shown with what fails */
    random_state = (uint64_t)seed * 2654435761u + 1;
    run(target);
}

int main(void)
{
    struct CMUnitTest tests[TARGETS];

    for (size_t i = 0; i < TARGETS; i++)
        tests[i] = (struct CMUnitTest){.name = targets[i].name,
                                       .test_func = test_target,
                                       .initial_state = (void *)(uintptr_t)&targets[i]};
    return _cmocka_run_group_tests("server fuzz", tests, TARGETS, NULL, NULL);
}
