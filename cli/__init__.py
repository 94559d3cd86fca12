"""The `orderloom` command: one file per command family."""
