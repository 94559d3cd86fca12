"""Folds recorded steps again, and compares what comes of them with what was written."""
