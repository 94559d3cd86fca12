"""Binance in a box: Spot and USD-M behind the venue's own wire."""
