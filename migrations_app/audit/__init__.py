"""Who did what: append-only, written in the transaction that did it, hash-chained, verifiable offline."""
