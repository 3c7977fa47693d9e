"""Who may be meant by a name that is typed, as far as both databases can tell."""

from __future__ import annotations

import unicodedata
from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, false, func, or_, type_coerce

from domain.recipient import NAME_SIGNS
from storage import tables as t

_ESCAPED = str.maketrans({sign: f"/{sign}" for sign in "/%_"})
_ANY_VOWEL = str.maketrans(dict.fromkeys("aeiouy", "_"))


def may_be_called(typed: str) -> ColumnElement[bool]:
    """Whether each of these words is somewhere in a name or its passport spelling; `name_matches` decides.

    No database folds accents, and SQLite only the capitals of A to Z: so a vowel stands for any letter,
    and a word of another script is looked for as it is typed and with a capital.
    """
    person: Any = type_coerce(t.recipient.c.person, Text)
    spelled = reduce(
        lambda text, sign: func.replace(text, sign, ""), NAME_SIGNS, func.replace(person, '"sex":"', "")
    )
    words = "".join(" " if sign in NAME_SIGNS else sign for sign in typed).split()
    if not words:
        return false()
    return and_(
        *(or_(*(spelled.ilike(f"%{form}%", escape="/") for form in sorted(_forms(word)))) for word in words)
    )


def _forms(word: str) -> set[str]:
    apart = unicodedata.normalize("NFKD", word.casefold())
    bare = unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c)))
    escaped = {form.translate(_ESCAPED) for form in (word, word.capitalize())}
    return escaped | {bare.translate(_ESCAPED).translate(_ANY_VOWEL)}
