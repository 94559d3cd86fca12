"""Bybit v5, simulated: spot, linear and inverse contracts of a unified account on its own wire."""
