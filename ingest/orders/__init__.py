"""The edge of orders: which commands may be sent, and what became of them."""
