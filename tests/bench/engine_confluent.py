"""The windowed count by confluent-kafka: SERVERS, SOURCE, SINK, RECORDS. Many messages a call, as Consumer.consume()'s
documentation has it for throughput; fetching goes on, however small the records are (queued.min.messages)."""

import sys

from confluent_kafka import Consumer, Producer, TopicPartition

from engine_window import Windows

servers, source, sink, records = sys.argv[1:]
producer = Producer({"bootstrap.servers": servers, "enable.idempotence": True, "acks": "all", "linger.ms": 5,
                     "compression.type": "lz4"})
consumer = Consumer({"bootstrap.servers": servers, "group.id": sink, "enable.auto.commit": False,
                     "queued.min.messages": 10000000, "queued.max.messages.kbytes": 1048576,
                     "fetch.message.max.bytes": 10485760})
consumer.assign([TopicPartition(source, 0, 0)])
windows = Windows(lambda key, value: producer.produce(sink, value, key))
left = int(records)
while left:
    messages = consumer.consume(min(left, 10000), 10)
    for message in messages:
        windows.count(message.timestamp()[1], message.value())
    left -= len(messages)
    producer.poll(0)
windows.close()
producer.flush()
consumer.commit(offsets=[TopicPartition(source, 0, int(records))], asynchronous=False)
consumer.close()
