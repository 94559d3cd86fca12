"""`orderloom demo`: everything on this machine, through faults and kills, and a verdict."""

from cli.demo.play import DemoOptions, run

__all__ = ["DemoOptions", "run"]
