"""The windowed count by kafka-python: SERVERS, SOURCE, SINK, RECORDS. poll() gives many records a call; sizes of fetches and
batches are what its documentation has to set."""

import sys

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

from engine_window import Windows

servers, source, sink, records = sys.argv[1:]
producer = KafkaProducer(bootstrap_servers=servers, acks="all", linger_ms=5)
consumer = KafkaConsumer(bootstrap_servers=servers, group_id=sink, enable_auto_commit=False, check_crcs=False,
                         metrics_enabled=False, max_poll_records=10000, fetch_max_bytes=52428800,
                         max_partition_fetch_bytes=10485760)
partition = TopicPartition(source, 0)
consumer.assign([partition])
consumer.seek(partition, 0)
windows = Windows(lambda key, value: producer.send(sink, value, key))
left = int(records)
while left:
    messages = consumer.poll(timeout_ms=10000, max_records=min(left, 10000)).get(partition, [])
    for message in messages:
        windows.count(message.timestamp, message.value)
    left -= len(messages)
windows.close()
producer.flush()
consumer.commit({partition: OffsetAndMetadata(int(records), "", -1)})
consumer.close()
producer.close()
