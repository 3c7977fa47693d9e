"""The rules of the clinic as questions to the records: each finds the rows that break it.

They are SQL as it stands, so that an auditor can read them and run them by hand. The first column names
the row; the others are the facts that contradict each other, never anything about a person.
No question is asked anew for every row: there is no index for most of them, and a clinic has a million.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.tables import metadata


@dataclass(frozen=True)
class Rule:
    """One rule by its number in `docs/domain.md`; 0 is what a database itself should see to."""

    number: int
    table: str
    says: str
    sql: str


def twice(number: int, table: str, says: str, columns: str, where: str) -> Rule:
    """Rows that share what only one of them may have; all but the first are named."""
    same = " AND ".join(f"t.{column} = first.{column}" for column in columns.split(", "))
    found = f"SELECT {columns}, MIN(seq) AS seq FROM {table} WHERE {where} GROUP BY {columns}"
    return Rule(number, table, says, f"""
        SELECT t.code, f.code AS other
        FROM ({found} HAVING COUNT(*) > 1) first
        JOIN {table} t ON {same} AND t.seq > first.seq AND t.{where} JOIN {table} f ON f.seq = first.seq
    """)  # fmt: skip


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
    # A dose comes back from either when it turns out to be the one that was given.
    Rule(9, "lot", "no more doses of a lot come back than were written off, or quarantined", """
        SELECT lot, vaccine, kind, SUM(stock_delta) AS doses
        FROM ledger WHERE kind IN ('written-off', 'quarantined')
        GROUP BY lot, vaccine, kind HAVING SUM(stock_delta) > 0
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
            (kind = 'received' AND stock_delta > 0 AND reserved_delta = 0 AND lot > '')
            OR (kind = 'reserved' AND stock_delta = 0 AND reserved_delta = 1)
            OR (kind = 'released' AND stock_delta = 0 AND reserved_delta = -1)
            OR (kind = 'given' AND stock_delta = -1 AND reserved_delta = -1 AND lot > '')
            OR (kind = 'written-off' AND reserved_delta = 0 AND lot > '' AND reason > ''
                AND (stock_delta < 0 OR stock_delta = 1 AND reference > ''))
            OR (kind = 'corrected' AND stock_delta IN (-1, 1) AND reserved_delta = 0
                AND lot > '' AND reason > '')
            OR (kind = 'quarantined' AND reserved_delta = 0 AND lot > '' AND reason > '')
        )
    """),
    # Its own words since it is given any; before that only the event told, which names the same booking.
    Rule(9, "ledger", "a reserved dose is free again for a reason", """
        SELECT l.seq, l.kind, l.reference
        FROM ledger l LEFT JOIN (
            SELECT DISTINCT CAST(payload ->> 'booking' AS TEXT) AS booking FROM event
            WHERE name IN ('BookingCancelled', 'BookingNoShow', 'BookingWaitlisted')
        ) e ON e.booking = l.reference
        WHERE l.kind = 'released' AND l.reason = '' AND e.booking IS NULL
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
            OR (l.lot > '' AND lot.number IS NULL)
    """),
    Rule(9, "booking", "a booking that is reserved holds one dose in the ledger, any other none", """
        SELECT b.code, b.status, COALESCE(h.doses, 0) AS ledger
        FROM booking b LEFT JOIN (
            SELECT CAST(COALESCE(i.booking, l.reference) AS TEXT) AS booking, SUM(l.reserved_delta) AS doses
            FROM ledger l LEFT JOIN injection i ON i.code = l.reference
            WHERE l.reserved_delta <> 0 GROUP BY 1
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
        WITH both_sides AS (
            SELECT vaccine, lot, stock_delta AS received, 0 AS told FROM ledger WHERE kind = 'received'
            UNION ALL
            SELECT CAST(payload ->> 'vaccine' AS TEXT), CAST(payload ->> 'lot' AS TEXT), 0,
                CAST(payload ->> 'doses' AS INTEGER)
            FROM event WHERE name = 'StockAdded'
        )
        SELECT lot, vaccine, SUM(received) AS received, SUM(told) AS told
        FROM both_sides GROUP BY lot, vaccine HAVING SUM(received) <> SUM(told)
    """),
)  # fmt: skip

BOOKINGS = (
    twice(2, "booking", "a person has one live booking of a vaccine", "recipient, vaccine",
           "status IN ('reserved', 'waiting')"),
    Rule(3, "vaccine", "nobody waits while a dose is free", """
        SELECT v.code, v.stock, v.reserved, w.people AS waiting
        FROM vaccine v JOIN (
            SELECT vaccine, COUNT(*) AS people FROM booking WHERE status = 'waiting' GROUP BY vaccine
        ) w ON w.vaccine = v.code
        WHERE v.stock > v.reserved
    """),
    # Whoever is here keeps the dose, and whose injection was voided has it back: both out of turn. So does
    # a dose leave whoever did not come in their slot and lost it then.
    Rule(3, "booking", "doses go to those who have waited longest", """
        WITH come AS (SELECT DISTINCT booking FROM injection WHERE status IN ('checked-in', 'voided')),
        lost AS (SELECT reference AS booking, MAX(at) AS at FROM ledger WHERE kind = 'released' GROUP BY 1),
        next AS (
            SELECT b.vaccine, MIN(b.seq) AS seq FROM booking b
            LEFT JOIN come ON come.booking = b.code LEFT JOIN lost ON lost.booking = b.code
            WHERE b.status = 'waiting' AND come.booking IS NULL AND (lost.at IS NULL OR lost.at <= b.slot)
            GROUP BY b.vaccine
        )
        SELECT r.code, w.code AS still_waiting
        FROM next JOIN booking w ON w.seq = next.seq
        JOIN booking r ON r.vaccine = next.vaccine AND r.status = 'reserved' AND r.seq > next.seq
        LEFT JOIN come ON come.booking = r.code
        WHERE come.booking IS NULL
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
    twice(4, "injection", "a booking has one live visit", "booking",
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
    twice(5, "application", "an injection has one live application", "injection",
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
    twice(7, "certificate", "an application has one live certificate", "application",
           "status IN ('ready', 'issued')"),
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
        twice(0, table.name, f"its {column.name} is its own", column.name, f"{column.name} IS NOT NULL")
        for table in metadata.sorted_tables
        for column in table.columns
        if column.unique
    ]


PROMISES = (*_orphans(), *_doubles())
"""What constraints keep, as long as they are there and were there all the time."""
