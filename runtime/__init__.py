"""The process shell: settings, Kafka, clock, logs, metrics, health. It knows no domain."""
