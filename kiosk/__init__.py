"""Where people meet the clinic: the terminal app, its paper and its credentials."""
