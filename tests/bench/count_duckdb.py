"""`tally count` by DuckDB: FILE, ROWS in a window, THREADS. The types and the dialect are given, so nothing is guessed
(duckdb.org/docs/stable/data/csv/overview); rows have to keep their order, since their number is their time."""

import sys

import duckdb

file, rows, threads = sys.argv[1:]
columns = ", ".join(f"'c{i}': '{'TINYINT' if i == 9 else 'VARCHAR'}'" for i in range(11))
query = f"""SELECT n // {int(rows)}, c9, count(*) FROM (
    SELECT row_number() OVER () - 1 AS n, c9
    FROM read_csv($file, auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', new_line = '\\n',
                  columns = {{{columns}}})
) GROUP BY ALL"""
for window, value, count in duckdb.connect(config={"threads": int(threads)}).execute(query, {"file": file}).fetchall():
    print(window, value, count)
