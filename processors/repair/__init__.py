"""An operator's repair of a partition whose ledger stops."""
