"""Rule 8 as questions to the records: what the events tell is so, and what follows by relay has followed.

Whatever is still on its way to a part is no violation: those questions look away from what the part has not
dealt with yet, and from what an administrator told it to leave alone.
"""

from __future__ import annotations

from domain.parts import Part
from domain.policies import HEARS
from storage.rules import Rule


def _told(table: str, key: str, statuses: dict[str, str], more: str) -> Rule:
    """The last event about a row tells of its status; ``statuses`` says of which, by the event's name."""
    names = ", ".join(f"'{name}'" for name in statuses)
    words = " ".join(f"WHEN '{name}' THEN '{status}'" for name, status in statuses.items())
    return Rule(8, table, f"the events tell of every {table} as it is", f"""
        WITH told AS (
            SELECT CAST(payload ->> '{key}' AS TEXT) AS code, MAX(seq) AS seq
            FROM event WHERE name IN ({names}) GROUP BY 1
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
        SELECT code, SUM(told) AS told, SUM(there) AS there FROM (
            SELECT code, 0 AS told, 1 AS there FROM {table}
            UNION ALL
            SELECT CAST(payload ->> '{table}' AS TEXT), 1, 0 FROM event WHERE name = '{name}'
        ) both_sides
        GROUP BY code HAVING SUM(told) <> 1 OR SUM(there) <> 1
    """)  # fmt: skip


TOLD = (
    _registered("vaccine", "VaccineRegistered"),
    _registered("recipient", "RecipientRegistered"),
    Rule(8, "recipient", "the events tell by what everybody is found", """
        WITH told AS (
            SELECT CAST(payload ->> 'recipient' AS TEXT) AS code, MAX(seq) AS seq
            FROM event WHERE name IN ('RecipientRegistered', 'RecipientCorrected') GROUP BY 1
        )
        SELECT r.code, e.name AS told
        FROM recipient r JOIN told ON told.code = r.code JOIN event e ON e.seq = told.seq
        WHERE e.payload ->> 'identity' <> r.identity
    """),
    _told("booking", "booking", {
        "Booked": "reserved", "BookingPromoted": "reserved", "BookingReopened": "reserved",
        "BookingWaitlisted": "waiting", "BookingCancelled": "cancelled", "BookingNoShow": "no-show",
        "InjectionCompleted": "completed",
    }, more="e.payload ->> 'recipient' <> t.recipient OR e.payload ->> 'vaccine' <> t.vaccine"),
    # A visit that is checked in or withdrawn is told of by nothing: only the desk sees it.
    Rule(8, "injection", "the events tell of every injection as it is", """
        WITH told AS (
            SELECT CAST(payload ->> 'injection' AS TEXT) AS code, MAX(seq) AS seq,
                SUM(CASE name WHEN 'InjectionCompleted' THEN 1 ELSE 0 END) AS given,
                SUM(CASE WHEN name IN ('InjectionCorrected', 'InjectionVoided') THEN 1 ELSE 0 END) AS changes
            FROM event WHERE name IN
                ('InjectionRegistered', 'InjectionCompleted', 'InjectionCorrected', 'InjectionVoided')
            GROUP BY 1
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
            SELECT CAST(payload ->> 'certificate' AS TEXT) AS code, seq FROM event WHERE name IN
                ('IssuePrepared', 'CertificateIssued', 'CertificateReissued', 'CertificateRevoked',
                 'IssueCancelled')
            UNION ALL
            SELECT CAST(payload ->> 'supersedes' AS TEXT) AS code, seq FROM event
            WHERE name = 'CertificateReissued'
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
        SELECT p.listener, p.seq, last.seq AS last_event
        FROM position p JOIN (SELECT COALESCE(MAX(e.seq), 0) AS seq FROM event e) last
        ON p.seq > last.seq OR p.seq < 0
    """),
    Rule(8, "task", "an event that was put aside is there", """
        SELECT t.code, t.event FROM task t LEFT JOIN event e ON e.seq = t.event
        WHERE t.kind = 'event' AND e.seq IS NULL
    """),
)  # fmt: skip


def _in_flight(part: Part, key: str) -> str:
    """The codes that this part still has to deal with, or was told by an administrator to leave alone."""
    names = ", ".join(f"'{name}'" for name in HEARS[part])
    return f"""
        SELECT CAST(payload ->> '{key}' AS TEXT) AS code FROM event WHERE name IN ({names})
            AND seq > COALESCE((SELECT seq FROM position WHERE listener = '{part}'), 0)
        UNION SELECT subject AS code FROM task WHERE part = '{part}' AND kind = 'event' AND status <> 'done'
    """


_COMING = f"WITH flight AS ({_in_flight(Part.INJECTION_INTAKE, 'booking')})"
_APPLYING = f"WITH flight AS ({_in_flight(Part.ISSUING, 'application')})"

FOLLOWED = (
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
