"""What both loops in Python do with a record: it counts in its window of a second; a window is sent once a later one has
begun, in the form of the program's own records. Times ascend, as in the benchmark's topic; nothing here could cope with
others, with a crash, or with several partitions."""

SERIES = {b"0": "a", b"1": "bb", b"2": "bb"}


class Windows:
    def __init__(self, send):
        self.send, self.start, self.end = send, 0, 0
        self.counts = {}

    def count(self, time, value):
        if time >= self.end:
            self.close()
            self.start = time // 1000 * 1000
            self.end = self.start + 1000
            self.counts = {"a": 0, "bb": 0, "other": 0}
        self.counts[SERIES.get(value, "other")] += 1

    def close(self):
        if not self.counts:
            return
        counts = ",".join([f'"{name}":{count}' for name, count in self.counts.items()])
        value = f'{{"job":"b","start":{self.start},"end":{self.end},"counts":{{{counts}}},' \
                f'"total":{sum(self.counts.values())}}}'
        self.send(f"b/{self.start}".encode(), value.encode())
