"""What `spark-submit --help` lists, and whether `tally submit` knows each of its options."""

import re

# Values that pass where the option is taken; the others get "x".
VALUES = {"--master": "spark://h", "--deploy-mode": "cluster", "--conf": "spark.a=b", "-c": "spark.a=b",
          "--properties-file": "/dev/null", "--driver-memory": "1g", "--executor-memory": "1g", "--driver-cores": "1",
          "--executor-cores": "1", "--total-executor-cores": "1", "--num-executors": "1"}
FLAGS = {"--supervise", "--verbose", "-v", "--help", "-h", "--version", "--load-spark-defaults"}
ALONE = {"--kill", "--status"}  # ask the master


def listed(text):
    """The options in the order of the text."""
    found = []
    for line in text.splitlines():
        if match := re.match(r" {2,3}(-[\w-]+(?:, -[\w-]+)*)", line):
            found += re.findall(r"-[\w-]+", match[1])
    return found


def unknown(run, text):
    """Of the options in the text those that `tally submit` does neither take nor refuse with a reason of its own.
    run(*args): (exit code, stdout, stderr)"""
    found = []
    for option in listed(text):
        value = [] if option in FLAGS else [VALUES.get(option, "x")]
        if option in ALONE:
            code, _, said = run("submit", "-m", "spark://127.0.0.1", "--rest-port", "1", "--ui-port", "1", option, "driver-1")
            fine = code == 4
        else:
            code, _, said = run("submit", "--dry-run", "-m", "spark://h", "--class", "A", option, *value, "x.jar")
            fine = code == 0 or code == 2 and re.search(rf"{re.escape(option)}: \w.{{20}}", said)
        if not fine or "no option" in said or "see tally" in said:
            found.append((option, code, said))
    return found
