"""The processes that are measured: each a program of its own, told what to do by `bench`."""
