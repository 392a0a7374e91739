"""The office's desk: the one process that sees both stores."""
