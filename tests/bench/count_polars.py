"""`tally count` by polars: FILE, ROWS in a window. Threads by POLARS_MAX_THREADS. Lazily, so that it reads one column only,
and by the engine that its makers call the faster one (docs.pola.rs/user-guide/concepts/streaming); the types are given."""

import sys

import polars as pl

schema = {f"c{i}": pl.Int8 if i == 9 else pl.String for i in range(11)}
rows = pl.scan_csv(sys.argv[1], has_header=False, schema=schema, row_index_name="n")
counts = rows.group_by((pl.col("n") // int(sys.argv[2])).alias("window"), "c9").agg(pl.len())
for window, value, count in counts.collect(engine="streaming").iter_rows():
    print(window, value, count)
