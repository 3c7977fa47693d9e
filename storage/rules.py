"""The rules of the clinic as questions to the records: each finds the rows that break it.

They are SQL as it stands, so that an auditor can read them and run them by hand. The first column names
the row; the others are the facts that contradict each other, never anything about a person. Whatever
is on its way by relay is no violation: those rules look away from what a part has not dealt with yet.

No question is asked anew for every row: there is no index for most of them, and a clinic has a million.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.parts import Part
from domain.policies import BY_RELAY
from storage.tables import metadata


@dataclass(frozen=True)
class Rule:
    """One rule of `language.md` by its number there; 0 is what a database itself should see to."""

    number: int
    table: str
    says: str
    sql: str


def _twice(number: int, table: str, says: str, columns: str, where: str) -> Rule:
    """Rows that share what only one of them may have; all but the first are named."""
    same = " AND ".join(f"t.{column} = first.{column}" for column in columns.split(", "))
    found = f"SELECT {columns}, MIN(seq) AS seq FROM {table} WHERE {where} GROUP BY {columns}"
    return Rule(number, table, says, f"""
        SELECT t.code, f.code AS other
        FROM ({found} HAVING COUNT(*) > 1) first
        JOIN {table} t ON {same} AND t.seq > first.seq AND t.{where} JOIN {table} f ON f.seq = first.seq
    """)  # fmt: skip


def _in_flight(part: Part, key: str) -> str:
    """The codes that this part still has to deal with, or was told by an administrator to leave alone."""
    names = ", ".join(f"'{kind.__name__}'" for kind in BY_RELAY[part])
    return f"""
        SELECT payload ->> '{key}' AS code FROM event WHERE name IN ({names})
            AND seq > COALESCE((SELECT seq FROM position WHERE listener = '{part}'), 0)
        UNION SELECT subject AS code FROM task WHERE part = '{part}' AND kind = 'event' AND status <> 'done'
    """


_COMING = f"WITH flight AS ({_in_flight(Part.INJECTION_INTAKE, 'booking')})"
_APPLYING = f"WITH flight AS ({_in_flight(Part.ISSUING, 'application')})"

STOCK = (
    Rule(1, "vaccine", "0 <= reserved <= stock", """
        SELECT code, reserved, stock FROM vaccine WHERE reserved < 0 OR reserved > stock
    """),
    Rule(1, "lot", "a lot holds no fewer doses than none, and none in quarantine", """
        SELECT number, vaccine, remaining, status FROM lot
        WHERE remaining < 0 OR (status = 'quarantined' AND remaining <> 0)
    """),
    Rule(2, "vaccine", "as many doses are reserved as bookings hold one", """
        SELECT v.code, v.reserved, COALESCE(h.held, 0) AS held
        FROM vaccine v LEFT JOIN (
            SELECT vaccine, COUNT(*) AS held FROM booking WHERE status = 'reserved' GROUP BY vaccine
        ) h ON h.vaccine = v.code
        WHERE v.reserved <> COALESCE(h.held, 0)
    """),
    Rule(9, "vaccine", "a vaccine's counters are the sums of its ledger", """
        SELECT v.code, v.stock, COALESCE(s.stock, 0) AS ledger_stock,
            v.reserved, COALESCE(s.reserved, 0) AS ledger_reserved
        FROM vaccine v LEFT JOIN (
            SELECT vaccine, SUM(stock_delta) AS stock, SUM(reserved_delta) AS reserved
            FROM ledger GROUP BY vaccine
        ) s ON s.vaccine = v.code
        WHERE v.stock <> COALESCE(s.stock, 0) OR v.reserved <> COALESCE(s.reserved, 0)
    """),
    Rule(9, "lot", "a lot's doses are the sum of its ledger", """
        SELECT l.number, l.vaccine, l.remaining, COALESCE(s.doses, 0) AS ledger
        FROM lot l LEFT JOIN (
            SELECT vaccine, lot, SUM(stock_delta) AS doses FROM ledger GROUP BY vaccine, lot
        ) s ON s.vaccine = l.vaccine AND s.lot = l.number
        WHERE l.remaining <> COALESCE(s.doses, 0)
    """),
    Rule(9, "vaccine", "a vaccine's stock is what its lots hold", """
        SELECT v.code, v.stock, COALESCE(s.doses, 0) AS in_lots
        FROM vaccine v LEFT JOIN (
            SELECT vaccine, SUM(remaining) AS doses FROM lot GROUP BY vaccine
        ) s ON s.vaccine = v.code
        WHERE v.stock <> COALESCE(s.doses, 0)
    """),
    Rule(9, "ledger", "an entry changes what its kind says, with an actor, and a reason where one is due", """
        SELECT seq, kind, stock_delta, reserved_delta FROM ledger WHERE actor = '' OR NOT (
            (kind = 'received' AND stock_delta > 0 AND reserved_delta = 0 AND lot <> '')
            OR (kind = 'reserved' AND stock_delta = 0 AND reserved_delta = 1)
            OR (kind = 'released' AND stock_delta = 0 AND reserved_delta = -1)
            OR (kind = 'given' AND stock_delta = -1 AND reserved_delta = -1 AND lot <> '')
            OR (kind = 'written-off' AND stock_delta < 0 AND reserved_delta = 0 AND lot <> '' AND reason <> '')
            OR (kind = 'corrected' AND stock_delta IN (-1, 1) AND reserved_delta = 0
                AND lot <> '' AND reason <> '')
            OR (kind = 'quarantined' AND reserved_delta = 0 AND lot <> '' AND reason <> '')
        )
    """),
    Rule(9, "ledger", "an entry is about a booking, an injection and a lot of its vaccine that exist", """
        SELECT l.seq, l.kind, l.reference, l.lot
        FROM ledger l
        LEFT JOIN booking b ON b.code = l.reference AND b.vaccine = l.vaccine
        LEFT JOIN injection i ON i.code = l.reference AND i.vaccine = l.vaccine
        LEFT JOIN lot ON lot.vaccine = l.vaccine AND lot.number = l.lot
        WHERE (l.kind IN ('reserved', 'released') AND b.code IS NULL)
            OR (l.kind IN ('given', 'corrected') AND i.code IS NULL)
            OR (l.reference <> '' AND b.code IS NULL AND i.code IS NULL)
            OR (l.lot <> '' AND lot.number IS NULL)
    """),
    Rule(9, "booking", "a booking that is reserved holds one dose in the ledger, any other none", """
        SELECT b.code, b.status, COALESCE(h.doses, 0) AS ledger
        FROM booking b LEFT JOIN (
            SELECT COALESCE(i.booking, l.reference) AS booking, SUM(l.reserved_delta) AS doses
            FROM ledger l LEFT JOIN injection i ON i.code = l.reference
            WHERE l.reserved_delta <> 0 GROUP BY COALESCE(i.booking, l.reference)
        ) h ON h.booking = b.code
        WHERE COALESCE(h.doses, 0) <> CASE b.status WHEN 'reserved' THEN 1 ELSE 0 END
    """),
    Rule(9, "injection", "a dose that was given has left the lot it is recorded with, and no other", """
        WITH moved AS (
            SELECT reference, lot, SUM(stock_delta) AS doses
            FROM ledger WHERE kind IN ('given', 'corrected') GROUP BY reference, lot
        )
        SELECT i.code, i.lot, COALESCE(m.doses, 0) AS ledger
        FROM injection i LEFT JOIN moved m ON m.reference = i.code AND m.lot = i.lot
        WHERE i.status = 'completed' AND COALESCE(m.doses, 0) <> -1
        UNION ALL
        SELECT i.code, m.lot, m.doses FROM injection i JOIN moved m ON m.reference = i.code
        WHERE i.status = 'completed' AND m.lot <> i.lot AND m.doses <> 0
    """),
    Rule(9, "lot", "the ledger received what was told of", """
        SELECT COALESCE(l.lot, e.lot) AS lot, COALESCE(e.doses, 0) AS told, COALESCE(l.doses, 0) AS received
        FROM (
            SELECT vaccine, lot, SUM(stock_delta) AS doses FROM ledger
            WHERE kind = 'received' GROUP BY vaccine, lot
        ) l FULL JOIN (
            SELECT payload ->> 'vaccine' AS vaccine, payload ->> 'lot' AS lot,
                SUM(CAST(payload ->> 'doses' AS INTEGER)) AS doses
            FROM event WHERE name = 'StockAdded' GROUP BY payload ->> 'vaccine', payload ->> 'lot'
        ) e ON e.vaccine = l.vaccine AND e.lot = l.lot
        WHERE COALESCE(l.doses, 0) <> COALESCE(e.doses, 0)
    """),
)  # fmt: skip

BOOKINGS = (
    _twice(2, "booking", "a person has one live booking of a vaccine", "recipient, vaccine",
           "status IN ('reserved', 'waiting')"),
    Rule(3, "vaccine", "nobody waits while a dose is free", """
        SELECT v.code, v.stock, v.reserved, w.people AS waiting
        FROM vaccine v JOIN (
            SELECT vaccine, COUNT(*) AS people FROM booking WHERE status = 'waiting' GROUP BY vaccine
        ) w ON w.vaccine = v.code
        WHERE v.stock > v.reserved
    """),
    # Whoever is here keeps the dose, and whose injection was voided has it back: both out of turn.
    Rule(3, "booking", "doses go to those who have waited longest", """
        WITH come AS (SELECT DISTINCT booking FROM injection WHERE status IN ('checked-in', 'voided')),
        next AS (
            SELECT b.vaccine, MIN(b.seq) AS seq FROM booking b LEFT JOIN come ON come.booking = b.code
            WHERE b.status = 'waiting' AND come.booking IS NULL GROUP BY b.vaccine
        )
        SELECT r.code, w.code AS still_waiting
        FROM next JOIN booking w ON w.seq = next.seq
        JOIN booking r ON r.vaccine = next.vaccine AND r.status = 'reserved' AND r.seq > next.seq
        LEFT JOIN come ON come.booking = r.code
        WHERE come.booking IS NULL
    """),
    Rule(8, "booking", "the desk expects whoever has a dose reserved, in their slot", f"""
        {_COMING}
        SELECT b.code, i.code AS visit, i.status AS visit_status
        FROM booking b
        LEFT JOIN injection i ON i.booking = b.code AND i.status IN ('expected', 'checked-in', 'completed')
        LEFT JOIN flight ON flight.code = b.code
        WHERE b.status = 'reserved' AND flight.code IS NULL
            AND (i.code IS NULL OR i.status = 'completed' OR i.slot <> b.slot)
    """),
    Rule(8, "injection", "the desk expects nobody whose booking holds no dose", f"""
        {_COMING}
        SELECT i.code, i.status, b.code AS booking, b.status AS booking_status
        FROM injection i JOIN booking b ON b.code = i.booking LEFT JOIN flight ON flight.code = b.code
        WHERE i.status IN ('expected', 'checked-in') AND b.status <> 'reserved' AND flight.code IS NULL
    """),
)  # fmt: skip

INJECTIONS = (
    Rule(4, "injection", "one dose is taken for what was injected, and none for anything else", """
        SELECT i.code, i.status, COALESCE(g.doses, 0) AS taken
        FROM injection i LEFT JOIN (
            SELECT reference, COUNT(*) AS doses FROM ledger WHERE kind = 'given' GROUP BY reference
        ) g ON g.reference = i.code
        WHERE COALESCE(g.doses, 0) <> CASE WHEN i.status IN ('completed', 'voided') THEN 1 ELSE 0 END
    """),
    Rule(4, "injection", "a completed injection completes its booking", """
        SELECT i.code, b.code AS booking, b.status AS booking_status
        FROM injection i JOIN booking b ON b.code = i.booking
        WHERE i.status = 'completed' AND b.status <> 'completed'
    """),
    Rule(4, "booking", "a completed booking has an injection that was given", """
        SELECT b.code FROM booking b LEFT JOIN (
            SELECT DISTINCT booking FROM injection WHERE status IN ('completed', 'voided')
        ) i ON i.booking = b.code
        WHERE b.status = 'completed' AND i.booking IS NULL
    """),
    Rule(4, "injection", "a visit is of the person and the vaccine that its booking is of", """
        SELECT i.code, b.code AS booking FROM injection i JOIN booking b ON b.code = i.booking
        WHERE i.recipient <> b.recipient OR i.vaccine <> b.vaccine
    """),
    _twice(4, "injection", "a booking has one live visit", "booking",
           "status IN ('expected', 'checked-in', 'completed')"),
)  # fmt: skip

CERTIFICATES = (
    Rule(5, "application", "an application is of the person who was injected", """
        SELECT a.code, i.code AS injection FROM application a JOIN injection i ON i.code = a.injection
        WHERE a.recipient <> i.recipient
    """),
    Rule(5, "application", "a live application has a completed injection", """
        SELECT a.code, a.status, i.code AS injection, i.status AS injection_status
        FROM application a JOIN injection i ON i.code = a.injection
        WHERE a.status IN ('applied', 'issued') AND i.status <> 'completed'
    """),
    _twice(5, "application", "an injection has one live application", "injection",
           "status IN ('applied', 'issued')"),
    Rule(6, "certificate", "an issued certificate has a completed injection, as it is now", """
        SELECT c.code, i.code AS injection, i.status AS injection_status,
            i.version, c.injection_version AS states_version
        FROM certificate c JOIN injection i ON i.code = c.injection
        WHERE c.status = 'issued' AND (i.status <> 'completed' OR i.version <> c.injection_version)
    """),
    Rule(7, "certificate", "a certificate is of its application's person and injection", """
        SELECT c.code, a.code AS application
        FROM certificate c JOIN application a ON a.code = c.application
        WHERE c.recipient <> a.recipient OR c.injection <> a.injection
    """),
    Rule(7, "certificate", "an issued certificate has an issued application", """
        SELECT c.code, a.code AS application, a.status AS application_status
        FROM certificate c JOIN application a ON a.code = c.application
        WHERE c.status = 'issued' AND a.status <> 'issued'
    """),
    Rule(7, "application", "an issued application has an issued certificate", """
        SELECT a.code FROM application a
        LEFT JOIN certificate c ON c.application = a.code AND c.status IN ('ready', 'issued')
        WHERE a.status = 'issued' AND (c.code IS NULL OR c.status = 'ready')
    """),
    _twice(7, "certificate", "an application has one live certificate", "application",
           "status IN ('ready', 'issued')"),
    Rule(8, "application", "an issue is prepared for what was applied for", f"""
        {_APPLYING}
        SELECT a.code FROM application a
        LEFT JOIN certificate c ON c.application = a.code AND c.status IN ('ready', 'issued')
        LEFT JOIN flight ON flight.code = a.code
        WHERE a.status = 'applied' AND c.code IS NULL AND flight.code IS NULL
    """),
    Rule(8, "certificate", "an issue that is prepared has an application that stands", f"""
        {_APPLYING}
        SELECT c.code, a.code AS application, a.status AS application_status
        FROM certificate c JOIN application a ON a.code = c.application
        LEFT JOIN flight ON flight.code = a.code
        WHERE c.status = 'ready' AND a.status <> 'applied' AND flight.code IS NULL
    """),
)  # fmt: skip


def _told(table: str, key: str, statuses: dict[str, str], more: str = "FALSE", facts: str = "") -> Rule:
    """The last event about a row tells of its status; ``statuses`` says of which, by the event's name."""
    names = ", ".join(f"'{name}'" for name in statuses)
    words = " ".join(f"WHEN '{name}' THEN '{status}'" for name, status in statuses.items())
    return Rule(8, table, f"the events tell of every {table} as it is", f"""
        WITH told AS (
            SELECT payload ->> '{key}' AS code, MAX(seq) AS seq, COUNT(*) AS times{facts}
            FROM event WHERE name IN ({names}) GROUP BY payload ->> '{key}'
        )
        SELECT t.code, t.status, e.name AS told
        FROM {table} t LEFT JOIN told ON told.code = t.code LEFT JOIN event e ON e.seq = told.seq
        WHERE e.seq IS NULL OR CASE e.name {words} END <> t.status OR {more}
        UNION ALL
        SELECT told.code, 'missing', e.name FROM told JOIN event e ON e.seq = told.seq
        LEFT JOIN {table} t ON t.code = told.code WHERE t.code IS NULL
    """)  # fmt: skip


def _registered(table: str, name: str) -> Rule:
    """Every row is told of once, by one event."""
    return Rule(8, table, f"the events tell of every {table} once", f"""
        SELECT COALESCE(t.code, told.code) AS code, COALESCE(told.times, 0) AS told
        FROM {table} t FULL JOIN (
            SELECT payload ->> '{table}' AS code, COUNT(*) AS times
            FROM event WHERE name = '{name}' GROUP BY payload ->> '{table}'
        ) told ON told.code = t.code
        WHERE t.code IS NULL OR told.times IS NULL OR told.times <> 1
    """)  # fmt: skip


EVENTS = (
    _registered("vaccine", "VaccineRegistered"),
    _registered("recipient", "RecipientRegistered"),
    _told("booking", "booking", {
        "Booked": "reserved", "BookingPromoted": "reserved", "BookingReopened": "reserved",
        "BookingWaitlisted": "waiting", "BookingCancelled": "cancelled", "BookingNoShow": "no-show",
        "InjectionCompleted": "completed",
    }, more="e.payload ->> 'recipient' <> t.recipient OR e.payload ->> 'vaccine' <> t.vaccine"),
    # A visit that is checked in or withdrawn is told of by nothing: only the desk sees it.
    Rule(8, "injection", "the events tell of every injection as it is", """
        WITH told AS (
            SELECT payload ->> 'injection' AS code, MAX(seq) AS seq,
                SUM(CASE name WHEN 'InjectionCompleted' THEN 1 ELSE 0 END) AS given,
                SUM(CASE WHEN name IN ('InjectionCorrected', 'InjectionVoided') THEN 1 ELSE 0 END) AS changes
            FROM event WHERE name IN
                ('InjectionRegistered', 'InjectionCompleted', 'InjectionCorrected', 'InjectionVoided')
            GROUP BY payload ->> 'injection'
        )
        SELECT i.code, i.status, i.version, e.name AS told, told.given, told.changes
        FROM injection i LEFT JOIN told ON told.code = i.code LEFT JOIN event e ON e.seq = told.seq
        WHERE e.seq IS NULL OR i.version <> 1 + told.changes OR e.payload ->> 'recipient' <> i.recipient
            OR given <> CASE WHEN i.status IN ('completed', 'voided') THEN 1 ELSE 0 END
            OR (e.name = 'InjectionVoided') <> (i.status = 'voided')
            OR (e.name IN ('InjectionCompleted', 'InjectionCorrected') AND e.payload ->> 'lot' <> i.lot)
        UNION ALL
        SELECT told.code, 'missing', 0, e.name, told.given, told.changes
        FROM told JOIN event e ON e.seq = told.seq LEFT JOIN injection i ON i.code = told.code
        WHERE i.code IS NULL
    """),
    _told("application", "application", {
        "CertificateApplied": "applied", "ApplicationCancelled": "cancelled", "CertificateIssued": "issued",
        "CertificateReissued": "issued", "CertificateRevoked": "revoked",
    }, more="e.payload ->> 'recipient' <> t.recipient"),
    Rule(8, "certificate", "the events tell of every certificate as it is", """
        WITH said AS (
            SELECT payload ->> 'certificate' AS code, seq FROM event WHERE name IN
                ('IssuePrepared', 'CertificateIssued', 'CertificateReissued', 'CertificateRevoked',
                 'IssueCancelled')
            UNION ALL
            SELECT payload ->> 'supersedes' AS code, seq FROM event WHERE name = 'CertificateReissued'
        ),
        told AS (SELECT code, MAX(seq) AS seq FROM said GROUP BY code)
        SELECT c.code, c.status, e.name AS told
        FROM certificate c LEFT JOIN told ON told.code = c.code LEFT JOIN event e ON e.seq = told.seq
        WHERE e.seq IS NULL OR e.payload ->> 'recipient' <> c.recipient OR c.status <> CASE e.name
            WHEN 'IssuePrepared' THEN 'ready' WHEN 'CertificateIssued' THEN 'issued'
            WHEN 'CertificateRevoked' THEN 'revoked' WHEN 'IssueCancelled' THEN 'cancelled'
            ELSE CASE WHEN e.payload ->> 'certificate' = c.code THEN 'issued' ELSE 'revoked' END END
        UNION ALL
        SELECT told.code, 'missing', e.name FROM told JOIN event e ON e.seq = told.seq
        LEFT JOIN certificate c ON c.code = told.code WHERE c.code IS NULL
    """),
    Rule(8, "position", "no part is ahead of the events", """
        SELECT listener, seq, (SELECT COALESCE(MAX(seq), 0) FROM event) AS last_event FROM position
        WHERE seq > (SELECT COALESCE(MAX(seq), 0) FROM event) OR seq < 0
    """),
    Rule(8, "task", "an event that was put aside is there", """
        SELECT t.code, t.event FROM task t LEFT JOIN event e ON e.seq = t.event
        WHERE t.kind = 'event' AND e.seq IS NULL
    """),
)  # fmt: skip


def _orphans() -> list[Rule]:
    """What the foreign keys promise, wherever they were not looked at."""
    return [
        Rule(0, table.name, f"its {key.parent.name} is there", f"""
            SELECT c.{next(c for c in ("code", "number", "seq") if c in table.c)}, c.{key.parent.name}
            FROM {table.name} c LEFT JOIN {key.column.table.name} p ON p.code = c.{key.parent.name}
            WHERE p.code IS NULL
        """)
        for table in metadata.sorted_tables
        for key in sorted(table.foreign_keys, key=lambda key: key.parent.name)
    ]  # fmt: skip


def _doubles() -> list[Rule]:
    """What the unique constraints promise, should one be gone."""
    return [
        _twice(0, table.name, f"its {column.name} is its own", column.name, f"{column.name} IS NOT NULL")
        for table in metadata.sorted_tables
        for column in table.columns
        if column.unique
    ]


RULES = (*_orphans(), *_doubles(), *STOCK, *BOOKINGS, *INJECTIONS, *CERTIFICATES, *EVENTS)
