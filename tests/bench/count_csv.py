"""`tally count` by Python's csv module: FILE, ROWS in a window. Prints window, value, count."""

import csv
import sys

counts = {}
with open(sys.argv[1], newline="") as file:
    for n, row in enumerate(csv.reader(file)):
        key = n // int(sys.argv[2]), row[9]
        counts[key] = counts.get(key, 0) + 1
for (window, value), count in counts.items():
    print(window, value, count)
