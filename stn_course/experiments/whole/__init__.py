"""The whole table: `cluster` runs it, `board` says how far it is, `table` prints it."""
