"""`kiosk config`: what is set, and where each value comes from. Passwords are never shown."""

from __future__ import annotations

import argparse
import json
import sys

from kiosk.configuration import Configuration, configured
from kiosk.formulary import load_formulary
from kiosk.setting_values import plain, shown
from kiosk.settings import Settings


def arguments(parser: argparse.ArgumentParser) -> None:
    """Two actions."""
    parser.epilog = "exit codes: 0 every setting is right, 2 one is not; then each is named on stderr"
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser("show", help="every setting, its value, and where that comes from")
    show.add_argument("--json", action="store_true", help="one JSON object a setting, one a line")
    actions.add_parser("check", help="whether every setting is right")


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """A wrong setting never comes as far as here; what a setting only names is looked into.

    Raises SettingsInvalid.
    """
    configuration = configured(asked)
    if asked.action == "show":
        _show(configuration, as_json=asked.json)
    else:
        load_formulary(configuration.settings.formulary_file)
        print(f"every setting is right ({configuration.file or 'there is no file'})", file=sys.stderr)
    return 0


def _show(configuration: Configuration, *, as_json: bool) -> None:
    for setting, value, source in configuration:
        if as_json:
            about = {"setting": setting.name, "value": plain(value), "source": source.kind}
            about |= {"place": source.place} if source.place else {}
            about |= {"line": source.line} if source.line else {}
            print(json.dumps(about, ensure_ascii=False))
        else:
            print(f"{setting.name}\t{shown(setting, value)}\t{source}")
