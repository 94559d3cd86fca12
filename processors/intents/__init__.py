"""Order entry, decided: what intents want, which commands follow, what became of them."""
