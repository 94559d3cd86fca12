"""Binance, simulated: Spot and USD-M behind the venue's own wire."""
