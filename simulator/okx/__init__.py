"""OKX v5 in a box: Spot, USDT-margined and coin-margined perpetuals on its own wire."""
