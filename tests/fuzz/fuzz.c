/* One target of targets.h under libFuzzer: the one that FUZZ in the environment
 * names. `make fuzz` runs them all, one after the other. */
#include "tests/fuzz/targets.h"

static const struct target *chosen;

/* The seeds go where libFuzzer looks for its corpus: the last argument. */
static void write_seeds(const char *folder)
{
    for (size_t i = 0; i < 4 && chosen->seeds[i]; i++) {
        char *path = mem_format("%s/seed-%zu", folder, i);
        FILE *file = fopen(path, "w");
        MUST(file);
        fputs(chosen->seeds[i], file);
        fclose(file);
        free(path);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *name = getenv("FUZZ");

    for (size_t i = 0; name && i < TARGETS; i++)
        if (strcmp(targets[i].name, name) == 0)
            chosen = &targets[i];
    if (!chosen) { /* `make fuzz` asks so for the names */
        for (size_t i = 0; i < TARGETS; i++)
            puts(targets[i].name);
        exit(0);
    }
    write_seeds((*argv)[*argc - 1]);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + (size == 0));

    if (size)
        memcpy(copy, data, size);
    chosen->take(copy, size);
    free(copy);
    return 0;
}
