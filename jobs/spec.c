#include "jobs/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/assets.h"
#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/base/log.h"

static bool is_file(const char *job)
{
    size_t length = strlen(job);

    return strchr(job, '/') || (length > 5 && strcmp(job + length - 5, ".yaml") == 0) ||
           (length > 4 && strcmp(job + length - 4, ".yml") == 0);
}

static struct spec *load_file(const char *path, struct error *error)
{
    FILE *file = fopen(path, "re");
    struct spec *spec = NULL;
    char *text;
    size_t length;

    if (!file) {
        error_set(error, EXIT_INPUT, "cannot read the job spec %s: %s", path, strerror(errno));
        return NULL;
    }
    text = mem_alloc(LIMIT_SPEC_BYTES + 1, 1);
    length = fread(text, 1, LIMIT_SPEC_BYTES + 1, file);
    if (ferror(file))
        error_set(error, EXIT_INPUT, "cannot read the job spec %s: %s", path, strerror(errno));
    else if (length > LIMIT_SPEC_BYTES)
        error_set(error, EXIT_INPUT, "%s: longer than %d bytes: no job spec is", path,
                  LIMIT_SPEC_BYTES);
    else
        spec = spec_parse(text, length, path, error);
    free(text);
    fclose(file);
    return spec;
}

/* "action, gender, ...": the names that ship, for the message. */
static char *shipped_names(void)
{
    struct buf names = {0};

    for (const struct asset *asset = assets; asset->name; asset++) {
        const char *slash = strrchr(asset->name, '/'), *dot = strrchr(asset->name, '.');
        if (strncmp(asset->name, "jobs/", 5) != 0)
            continue;
        buf_text(&names, names.length ? ", " : "");
        buf_add(&names, slash + 1, (size_t)(dot - slash - 1));
    }
    return names.data ? names.data : mem_text("none");
}

struct spec *spec_load(const char *job, struct error *error)
{
    const struct asset *asset;
    char *name;

    if (is_file(job))
        return load_file(job, error);
    name = mem_format("jobs/%s.yaml", job);
    asset = asset_find(name);
    free(name);
    if (asset)
        log_verbose("job %s: %s, as it ships", job, asset->name);
    if (asset)
        return spec_parse(asset->data, asset->length, asset->name, error);
    name = shipped_names();
    error_set(error, EXIT_INPUT,
              "no job '%s': there are %s; a spec of your own is given by its path (./%s.yaml)", job,
              name, job);
    free(name);
    return NULL;
}

void spec_free(struct spec *spec)
{
    if (!spec)
        return;
    for (size_t i = 0; i < spec->series_count; i++) {
        free(spec->series[i].name);
        free(spec->series[i].zh);
    }
    for (size_t i = 0; i < spec->label_count; i++)
        free(spec->labels[i].value);
    for (size_t i = 0; i < spec->spark_count; i++) {
        free(spec->spark[i].name);
        free(spec->spark[i].value);
    }
    free(spec->spark);
    free(spec->series);
    free(spec->labels);
    free(spec->name);
    free(spec->topic);
    free(spec->column_name);
    free(spec->field);
    free(spec->sink);
    free(spec);
}
