"""Kraken, simulated: Spot and Kraken Futures, two systems with a wire each."""
