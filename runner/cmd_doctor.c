#include "runner/commands.h"
#include "runner/doctor_live.h"

static int run_doctor(const struct options *options, struct error *error)
{
    if (!options->live)
        return error_set(error, EXIT_USAGE, "only --live is there: see tally doctor --help");
    return doctor_live(options, (const char *const *)options->arguments, NULL, error);
}

const struct command command_doctor = {
    .name = "doctor",
    .usage = "--live [BOOTSTRAP...]",
    .summary = "whether Kafka can be reached, from where, and why not",
    .text =
        "Tries Kafka's addresses from this machine and, through the Docker engine, from inside\n"
        "each network that has a broker: resolve, connect, ApiVersions, metadata, who answers;\n"
        "then the same at every address that the metadata sends clients to. Without BOOTSTRAP\n"
        "the published ports of the brokers in Docker. Exit code 1: something is broken; 4:\n"
        "nothing answers at all.\n\n"
        "  tally doctor --live\n"
        "  tally doctor --live localhost:9092 --round-trip",
    .options = " live round-trip from json set kafka-config ",
    .least_arguments = 0,
    .most_arguments = 64,
    .run = run_doctor,
};
