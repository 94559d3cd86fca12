"""One account: its positions, balances and streams, what to ask, and what is published."""
