"""Topics carried to the outside, idempotently."""
