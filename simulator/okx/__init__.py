"""OKX v5, simulated: Spot, USDT-margined and coin-margined perpetuals on its own wire."""
