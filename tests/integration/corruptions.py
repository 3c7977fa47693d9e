"""Records that were tampered with, each in one way."""

from __future__ import annotations

CORRUPTIONS = {
    "more reserved than there is": (
        "UPDATE vaccine SET reserved = stock + 1 WHERE code = '{scarce}'",
        "1 {scarce}", "2 {scarce}", "9 {scarce}",
    ),
    "a dose that nobody received": (
        "UPDATE vaccine SET stock = stock + 1 WHERE code = '{plenty}'",
        "9 {plenty}",
    ),
    "a free dose while people wait": (
        "UPDATE vaccine SET stock = stock + 1 WHERE code = '{scarce}'",
        "3 {scarce}", "9 {scarce}",
    ),
    "a dose in quarantine that can be used": (
        "UPDATE lot SET remaining = remaining + 1 WHERE number = 'LOT3'",
        "1 LOT3", "9 LOT3", "9 {plenty}",
    ),
    "two live bookings of one person": (
        "DROP INDEX uq_booking_live; UPDATE booking SET recipient = (SELECT recipient FROM booking "
        "WHERE code = '{waiting[0]}') WHERE code = '{waiting[1]}'",
        "0 uq_booking_live", "2 {waiting[1]}", "8 {waiting[1]}",
    ),
    "somebody passed over": (
        "UPDATE booking SET seq = 0 WHERE code = '{waiting[1]}'",
        "3 {reserved[0]}", "3 {reserved[1]}",
    ),
    "a dose given without an entry": (
        "DELETE FROM ledger WHERE kind = 'given' AND reference = '{first}'",
        "4 {first}", "9 {plenty}", "9 LOT1", "9 {first}",
        "9 SELECT booking FROM injection WHERE code = '{first}'",
    ),
    "a dose given twice": (
        "UPDATE ledger SET kind = 'given', reserved_delta = -1 "
        "WHERE kind = 'corrected' AND stock_delta = -1 AND reference = '{corrected}'",
        "4 {corrected}", "9 {plenty}", "9 SELECT booking FROM injection WHERE code = '{corrected}'",
    ),
    "an entry about nothing": (
        "UPDATE ledger SET reference = 'BNOTTHERE' WHERE reference = '{expected}'",
        "9 SELECT seq FROM ledger WHERE reference = '{expected}'", "9 {expected}",
    ),
    "a dose that is free again for no reason": (
        "UPDATE ledger SET reason = '' WHERE kind = 'released' AND reference = '{given_back}'; "
        "DELETE FROM event WHERE name = 'BookingCancelled' "
        "AND replace(payload, '{given_back}', '') <> payload",
        "8 {given_back}", "9 SELECT seq FROM ledger WHERE kind = 'released' AND reference = '{given_back}'",
    ),
    "an entry that is not what it says": (
        "UPDATE ledger SET kind = 'received' WHERE kind = 'written-off'",
        "9 SELECT seq FROM ledger WHERE kind = 'written-off'", "9 LOT2",
    ),
    "a dose back from a write-off that there was not": (
        "UPDATE ledger SET kind = 'written-off' "
        "WHERE kind = 'corrected' AND stock_delta = 1 AND reference = '{corrected}'",
        "9 LOT1", "9 {corrected}",
    ),
    "an application with somebody else's injection": (
        "UPDATE application SET recipient = (SELECT recipient FROM injection WHERE code = '{first}') "
        "WHERE code = '{applied}'",
        "5 {applied}", "7 {ready}", "8 {applied}",
    ),
    "an injection voided on the quiet": (
        "UPDATE injection SET status = 'voided' WHERE code = '{second}'",
        "5 SELECT code FROM application WHERE injection = '{second}'", "6 {both}", "8 {second}",
    ),
    "a correction that reached no certificate": (
        "UPDATE certificate SET injection_version = 1 WHERE code = '{reissued}'",
        "6 {reissued}",
    ),
    "a certificate of somebody by another name": (
        """UPDATE certificate SET facts = replace(facts, '"name":"', '"name":"가') WHERE code = '{both}'""",
        "6 {both}",
    ),
    "details that were put right on the quiet": (
        "UPDATE recipient SET identity = 'x' || substr(identity, 2) WHERE code = "
        "(SELECT recipient FROM injection WHERE code = '{first}')",
        "0 SELECT recipient FROM injection WHERE code = '{first}'",
        "8 SELECT recipient FROM injection WHERE code = '{first}'",
    ),
    "details that were put right in one place alone": (
        """UPDATE recipient SET person = replace(person, '"birth_date":"1945', '"birth_date":"1954') """
        "WHERE code = (SELECT recipient FROM booking WHERE code = '{expected}')",
        "0 SELECT recipient FROM booking WHERE code = '{expected}'",
    ),
    "a key by which nobody is found": (
        "DELETE FROM secret WHERE name = 'identity-key'",
        "0 identity-key",
    ),
    "a key that is none": (
        "UPDATE secret SET value = 'x' || value WHERE name = 'identity-key'",
        "0 identity-key",
    ),
    "an earlier dose that is not as its certificate states it": (
        """UPDATE injection SET dose = replace(dose, '"site":"LA"', '"site":"RA"') WHERE code = '{first}'""",
        "6 {both}",
    ),
    "a second dose of a series of one": (
        """UPDATE injection SET dose = replace(dose, '"dose_number":1', '"dose_number":3') """
        "WHERE code = '{applied_for}'",
        "6 {applied_for}",
    ),
    "a revoked certificate that is valid again": (
        "UPDATE certificate SET status = 'issued' WHERE code = '{revoked}'",
        "6 {revoked}", "7 {revoked}", "8 {revoked}",
    ),
    "a cancelled application with an issue prepared": (
        "UPDATE application SET status = 'cancelled' WHERE code = '{applied}'",
        "8 {applied}", "8 {ready}",
    ),
    "a cancellation that is told of and not done": (
        "UPDATE application SET status = 'applied' WHERE code = '{cancelled}'",
        "8 {cancelled}",
    ),
    "an issued application without a certificate": (
        "DELETE FROM certificate WHERE code = '{both}'",
        "7 SELECT application FROM certificate WHERE code = '{both}'", "8 {both}",
    ),
    "a lost event": (
        "DELETE FROM event WHERE name = 'IssuePrepared' AND replace(payload, '{ready}', '') <> payload",
        "8 {ready}",
    ),
    "an event of something that is not there": (
        "DELETE FROM booking WHERE code = '{expected}'",
        "0 SELECT code FROM injection WHERE booking = '{expected}'", "2 {plenty}", "8 {expected}",
        "9 SELECT seq FROM ledger WHERE reference = '{expected}'",
    ),
    "nobody expected who comes": (
        "UPDATE injection SET status = 'withdrawn' WHERE booking = '{expected}'",
        "8 {expected}",
    ),
    "somebody expected who does not come": (
        "UPDATE injection SET status = 'expected' WHERE code = (SELECT MIN(code) FROM injection "
        "WHERE status = 'withdrawn')",
        "8 SELECT MIN(code) FROM injection WHERE status = 'withdrawn'",
    ),
    "a part ahead of the events": (
        "UPDATE position SET seq = 100000 WHERE listener = 'issuing'",
        "8 issuing",
    ),
    "a person who is gone": (
        "DELETE FROM recipient WHERE code = (SELECT recipient FROM booking WHERE code = '{expected}')",
        "0 {expected}", "0 SELECT code FROM injection WHERE booking = '{expected}'",
        "8 SELECT recipient FROM booking WHERE code = '{expected}'",
    ),
    "a word that is none": (
        "UPDATE booking SET status = 'perhaps' WHERE code = '{waiting[0]}'",
        "0 {waiting[0]}", "8 {waiting[0]}",
    ),
    "JSON that is none": (
        "UPDATE injection SET screening = 'torn' WHERE code = '{first}'",
        "0 {first}",
    ),
    "an event that cannot be read": (
        """UPDATE event SET payload = '{{"vaccine":' WHERE seq = 1""",
        "0 1", "8 {plenty}",
    ),
    "an index that is gone": (
        "DROP INDEX ix_booking_slot",
        "0 ix_booking_slot",
    ),
    "records that do not say of which layout they are": (
        "DELETE FROM alembic_version",
        "0 alembic_version",
    ),
    "records that say so in a table that is gone": (
        "DROP TABLE alembic_version",
        "0 alembic_version",
    ),
    "records that name no layout": (
        "UPDATE alembic_version SET version_num = 'perhaps'",
        "0 alembic_version",
    ),
    "a table that is gone": (
        "DROP TABLE ledger",
        "0 ledger",
    ),
    "a column that is gone": (
        "ALTER TABLE task DROP COLUMN problem",
        "0 task.problem",
    ),
}  # fmt: skip
"""What is done to the records, and the rule and the row of each violation: all of them, and no other."""
