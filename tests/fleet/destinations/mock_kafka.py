"""Kafka as librdkafka itself plays it, in a process that can be killed; no real broker."""

import sys


def main():
    from confluent_kafka import Producer

    producer = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "unused", "log_level": 0})
    brokers = producer.list_topics(timeout=10).brokers.values()
    sys.stdout.write(",".join(f"{each.host}:{each.port}" for each in brokers) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
