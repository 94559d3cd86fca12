"""Pure machines of one order: one track, one table, one file each."""
