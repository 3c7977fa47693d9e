"""What an administrator does from the command line: a module a command, named as it is typed.

Each has ``arguments(parser)`` and ``run(settings, asked)``, which answers the exit code. Only
the module of the command that was typed is imported.
"""

COMMANDS: dict[str, str] = {
    "check": "test every rule of the clinic on the records",
    "backup": "records and keys in one file, beside a running kiosk",
    "restore": "a backup in the place of the records; --list shows what there is",
    "recall": "whoever was given a dose of a lot, as CSV",
    "mypage": "the view that my page is read from",
    "printers": "the printers that can be chosen in the settings",
    "worker": "parts of the clinic in a process of their own",
    "supervise": "all parts as processes, brought back when they die",
    "parts": "how the parts are getting on; pause, resume, retry",
    "health": "whether what runs here is alive, or ready",
    "bench": "what this machine can take, against a bare database",
    "staff": "who works here",
    "keys": "the signing keys, and what others verify with",
    "config": "what is set, and where each value comes from",
    "verify": "judge a certificate, offline",
}
"""Every command, in the order of the help."""

LOGGED = frozenset({"check", "backup", "restore", "mypage", "parts", "staff", "keys", "recall"})
"""Those that do or judge something, and then are gone; what stays at work has a log of its own."""
