"""The order as a join of evidence, and all orders of one account."""
