"""`orderloom demo`: everything on this machine, through faults and kills, and a verdict."""

from cli.demo.play import DemoOptions, Play, plan_of, run

__all__ = ["DemoOptions", "Play", "plan_of", "run"]
