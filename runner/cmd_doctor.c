#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cluster/base/buf.h"
#include "cluster/base/log.h"
#include "cluster/base/output.h"
#include "runner/commands.h"
#include "runner/doctor.h"
#include "runner/doctor_live.h"

struct checkups {
    struct checkup *list;
    size_t count;
};

/* At its list of files. */
static void look(struct checkup *checkup, const struct options *options)
{
    char **files = checkup->files;
    struct compose_request request = {.files = (const char *const *)(void *)files,
                                      .env_files = options->env_files};

    if (checkup->env_files)
        request.env_files = (const char *const *)(void *)checkup->env_files;
    checkup->known = examine(&request, &checkup->result, &checkup->error) == 0;
    if (checkup->known && (options->fix || options->diff))
        correct(&request, &checkup->result);
    if (checkup->known && checkup->result.before->brokers.count == 0) {
        checkup->known = false;
        error_set(&checkup->error, EXIT_INPUT,
                  "%s has no Kafka broker: there is nothing to check; give the file that has it",
                  files[0]);
    }
}

static void free_list(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

static void finish(struct checkup *checkup)
{
    corrections_free(&checkup->result);
    free_list(checkup->files);
    free_list(checkup->env_files);
}

static char **copy_list(const char *const *list)
{
    char **copy = NULL;
    size_t count = 0;

    do {
        copy = mem_grow(copy, count + 1, sizeof *copy);
        copy[count] = list[count] ? mem_text(list[count]) : NULL;
    } while (list[count++]);
    return copy;
}

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* -1: the folder has none. */
static int find_files(struct checkup *checkup, const char *folder, const struct options *options,
                      struct error *error)
{
    struct compose_found found;

    if (compose_find(folder, options->env_files, &found, error) < 0)
        return -1;
    checkup->files = found.files;
    checkup->env_files = found.env_files;
    return 0;
}

/* An operand: a file, or a folder that has one. */
static void look_at(struct checkup *checkup, const char *operand, const struct options *options)
{
    const char *const one[] = {operand, NULL};

    if (is_folder(operand) && find_files(checkup, operand, options, &checkup->error) == 0) {
        look(checkup, options);
        return;
    }
    checkup->files = copy_list(one);
    if (!is_folder(operand))
        look(checkup, options);
}

/* An operand is an answer of its own; without one the files of -f, or those of this folder,
 * are one together. */
static int look_at_all(const struct options *options, struct checkups *checkups,
                       struct error *error)
{
    size_t count = options->argument_count > 0 ? (size_t)options->argument_count : 1;

    if (options->argument_count > 0 && options->files)
        return error_set(error, EXIT_USAGE, "either FILEs, each by itself, or --file, all merged");
    checkups->list = mem_alloc(count, sizeof *checkups->list);
    checkups->count = count;
    if (options->files)
        checkups->list[0].files = copy_list(options->files);
    else if (options->argument_count == 0 && find_files(checkups->list, ".", options, error) < 0)
        return -1;
    if (checkups->list[0].files)
        look(&checkups->list[0], options);
    for (int i = 0; i < options->argument_count; i++)
        look_at(&checkups->list[i], options->arguments[i], options);
    return 0;
}

static void free_all(struct checkups *checkups)
{
    for (size_t i = 0; i < checkups->count; i++)
        finish(&checkups->list[i]);
    free(checkups->list);
}

static void print_json(const struct options *options, const struct checkups *checkups)
{
    json_t *files = json_array(), *root = json_pack("{so}", "files", files);

    for (size_t i = 0; i < checkups->count; i++)
        json_array_append_new(files, doctor_json(&checkups->list[i], options->fix));
    json_dumpf(root, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(root);
}

static int tell(const struct options *options, const struct checkups *checkups, struct error *error)
{
    int result = 0;

    if (options->json)
        print_json(options, checkups);
    for (size_t i = 0; i < checkups->count && result == 0; i++) {
        const struct checkup *checkup = &checkups->list[i];
        if (!checkup->known)
            continue;
        if (options->diff)
            result = doctor_print_diff(checkup, error);
        else if (!options->json)
            doctor_print(checkup);
        if (result == 0 && options->fix)
            result = doctor_write(checkup, error);
    }
    return result == 0 ? output_flush(error) : result;
}

/* With --fix and --diff the corrected files are judged. */
static enum verdict verdict_of(const struct options *options, const struct checkup *checkup)
{
    return options->fix || options->diff ? checkup->result.after->verdict
                                         : checkup->result.before->verdict;
}

static int fail(const struct options *options, const struct checkups *checkups, size_t failed,
                const struct checkup *first, struct error *error)
{
    const char *how = verdict_name(verdict_of(options, first));

    if (checkups->count > 1)
        return error_set(error, EXIT_FAILED, "%zu of %zu files are not right, the first is %s",
                         failed, checkups->count, first->files[0]);
    if (options->fix || options->diff)
        return error_set(error, EXIT_FAILED,
                         "%s is still %s when corrected: see what is left for you", first->files[0],
                         how);
    return error_set(error, EXIT_FAILED, "%s is %s", first->files[0], how);
}

/* The exit code: broken before unreadable before fine. Of files that cannot be read the
 * first one's error is the command's, if none is broken; the others are told at once. */
static int judge(const struct options *options, const struct checkups *checkups,
                 struct error *error)
{
    enum verdict most = options->strict ? VERDICT_OK : VERDICT_SUSPICIOUS;
    const struct checkup *unknown = NULL, *first = NULL;
    size_t failed = 0;

    for (size_t i = 0; i < checkups->count; i++) {
        const struct checkup *checkup = &checkups->list[i];
        if (!checkup->known && unknown)
            log_error("%s", checkup->error.text);
        else if (!checkup->known)
            unknown = checkup;
        else if (verdict_of(options, checkup) > most && ++failed == 1)
            first = checkup;
    }
    if (unknown && first)
        log_error("%s", unknown->error.text);
    if (first)
        return fail(options, checkups, failed, first, error);
    if (!unknown)
        return 0;
    *error = unknown->error;
    return -1;
}

/* The files of -f tell the line to change. */
static int run_live(const struct options *options, struct error *error)
{
    struct checkup checkup = {0};
    int result;

    if (options->fix || options->diff)
        return error_set(error, EXIT_USAGE,
                         "--fix and --diff are for files: give them without --live");
    if (options->files) {
        checkup.files = copy_list(options->files);
        look(&checkup, options);
    }
    if (options->files && !checkup.known) {
        *error = checkup.error;
        result = -1;
    } else {
        result = doctor_live(options, (const char *const *)options->arguments,
                             checkup.result.before, error);
    }
    finish(&checkup);
    return result;
}

static bool names_input(const char *const *list)
{
    for (; list && *list; list++)
        if (strcmp(*list, "-") == 0)
            return true;
    return false;
}

static int run_doctor(const struct options *options, struct error *error)
{
    struct checkups checkups = {0};
    int result;

    if (options->explain)
        return doctor_explain(options->explain, error);
    if (options->live)
        return run_live(options, error);
    if (options->fix && (names_input(options->files) ||
                         names_input((const char *const *)(void *)options->arguments)))
        return error_set(error, EXIT_USAGE,
                         "--fix writes beside a file, not beside standard input: see --diff");
    result = look_at_all(options, &checkups, error);
    if (result == 0)
        result = tell(options, &checkups, error);
    if (result == 0)
        result = judge(options, &checkups, error);
    free_all(&checkups);
    return result;
}

const struct command command_doctor = {
    .name = "doctor",
    .usage = "[FILE...] | --live [HOST:PORT...]",
    .summary = "find what is wrong with Kafka's listeners",
    .text =
        "Reads compose files and says for each whether Kafka's listeners in it are right: which\n"
        "broker would not start, which client would not get through, from where each address "
        "works,\n"
        "and which line to change. Without FILE: the compose file of this folder, with its\n"
        "override, or what COMPOSE_FILE (in .env, too) names. Several FILEs (or folders) are "
        "several\n"
        "answers; files given with -f are merged in order; - is standard input.\n"
        "Docker is not needed.\n\n"
        "A file is ok, suspicious (it works for some and not for others whom it seems to invite,\n"
        "or only if something outside of it is as hoped) or broken. Exit code: 1 for a broken "
        "one,\n"
        "and with --strict for a suspicious one; 3 for a file that is no compose file, or has no\n"
        "Kafka.\n\n"
        "  tally doctor\n"
        "  tally doctor --diff docker-compose.yml\n"
        "  tally doctor --fix docker-compose.yml\n"
        "  tally doctor --explain LOCAL-INTERNAL\n\n"
        "--live tries the addresses themselves, from this machine and, through the Docker engine,\n"
        "from inside each network that has a broker: resolve, connect, ApiVersions, metadata, who\n"
        "answers; then the same at every address that clients are sent to. Without HOST:PORT the\n"
        "published ports of the brokers in Docker; -f names the compose file whose line is at\n"
        "fault. Exit code: 1 when something is broken, 4 when nothing answers at all.\n\n"
        "  tally doctor --live\n"
        "  tally doctor --live localhost:9092 --round-trip",
    .options = " file env-file fix diff strict json explain live round-trip from set kafka-config ",
    .least_arguments = 0,
    .most_arguments = INT_MAX,
    .run = run_doctor,
};
