"""What the images take on disk, beside those that others publish. Nothing is pulled: their sizes are their authors' own
figures, at the addresses given."""

import subprocess
import sys

from tests.bench.common import versions

DEFAULT = ["tally/kafka", "tally/spark", "tally/tally"]
ALL = [*DEFAULT, "tally/hadoop", "tally/postgresql", "tally/hive", "tally/presto"]

# image -> of ours, its size in MB uncompressed, who says so.
KIP_975 = "https://cwiki.apache.org/confluence/display/KAFKA/KIP-975%3A+Docker+Image+for+Apache+Kafka"
SPARK_55327 = "https://github.com/apache/spark/pull/54107"
OTHERS = {"apache/kafka 3.5.1": ("tally/kafka", 461, KIP_975), "bitnami/kafka 3.5.1": ("tally/kafka", 517, KIP_975),
          "confluentinc/cp-kafka 7.5.0": ("tally/kafka", 876, KIP_975),
          "apache/spark-py 4.1.1": ("tally/spark", 2240, SPARK_55327),
          "apache/spark-py with SPARK-55327": ("tally/spark", 1830, SPARK_55327)}


def megabytes(image):
    """None where it is not there."""
    done = subprocess.run(["docker", "image", "inspect", "-f", "{{.Size}}", image], capture_output=True, text=True)
    return int(done.stdout) / 1e6 if done.returncode == 0 else None


def together(images):
    """MB; what they share, layers made by the same step at the same time, counted once."""
    layers = set()
    for image in images:
        layers.update(subprocess.run(
            ["docker", "history", "--no-trunc", "--human=false", "--format", "{{.Size}} {{.CreatedAt}} {{.CreatedBy}}", image],
            check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines())
    return sum(int(layer.split()[0]) for layer in layers if layer) / 1e6


def main():
    sizes = {image: size for image in ALL if (size := megabytes(image))}
    if not sizes.keys() >= set(DEFAULT):
        print("left out: the images are not there (docker/cluster build)")
        return
    print("### images: MB uncompressed\n\n| image | MB | ratio | who says so |\n|---|--:|--:|---|")
    for image, size in sizes.items():
        print(f"| {image} | {size:.0f} | | |")
    for image, (ours, size, source) in OTHERS.items():
        print(f"| {image} | {size} | {size / sizes[ours]:.2f} of {ours} | <{source}> |")
    print(f"| Kafka, Spark and the program, what they share once | {together(DEFAULT):.0f} | | |")
    if sizes.keys() == set(ALL):
        print(f"| with `PROFILE=all` | {together(ALL):.0f} | | |")
    print("\nFor the tutorial's other images (Hadoop, Hive, Presto) no size was found that its authors publish.\n")
    versions(docker=["docker", "version", "-f", "{{.Server.Version}}"])


if __name__ == "__main__":
    sys.exit(main())
