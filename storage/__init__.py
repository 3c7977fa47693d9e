"""Where facts are kept: records and outbox in one database, my page in another."""
