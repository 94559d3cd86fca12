"""The brain: evidence in, one provable state per order out. No socket but Kafka's."""
