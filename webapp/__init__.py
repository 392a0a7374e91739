"""The command line, and the place of the two web applications: office and review."""
