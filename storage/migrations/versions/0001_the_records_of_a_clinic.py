"""The records of a clinic."""

import sqlalchemy as sa
from alembic import op

from storage.types import Instant

revision = "0001"
down_revision = None

PLACE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "command",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "event",
        sa.Column("seq", PLACE, nullable=False),
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_event")),
    )
    op.create_table(
        "position",
        sa.Column("listener", sa.String(length=40), nullable=False),
        sa.Column("seq", PLACE, nullable=False),
        sa.PrimaryKeyConstraint("listener", name=op.f("pk_position")),
    )
    op.create_table(
        "recipient",
        sa.Column("seq", PLACE, nullable=False),
        sa.Column("code", sa.String(length=9), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_recipient")),
        sa.UniqueConstraint("code", name=op.f("uq_recipient_code")),
        sa.UniqueConstraint("identity", name=op.f("uq_recipient_identity")),
    )
    op.create_index("ix_recipient_name", "recipient", ["name"], unique=False)

    op.create_table(
        "secret",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secret")),
    )
    op.create_table(
        "staff",
        sa.Column("seq", PLACE, nullable=False),
        sa.Column("code", sa.String(length=9), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("pin_hash", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_staff")),
        sa.UniqueConstraint("code", name=op.f("uq_staff_code")),
        sa.UniqueConstraint("name", name=op.f("uq_staff_name")),
    )
    op.create_table(
        "vaccine",
        sa.Column("seq", PLACE, nullable=False),
        sa.Column("code", sa.String(length=9), nullable=False),
        sa.Column("presentation", sa.Text(), nullable=False),
        sa.Column("stock", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("presentation_key", sa.String(length=80), nullable=False),
        sa.CheckConstraint(
            "0 <= reserved AND reserved <= stock", name=op.f("ck_vaccine_reserved_within_stock")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_vaccine")),
        sa.UniqueConstraint("code", name=op.f("uq_vaccine_code")),
        sa.UniqueConstraint("presentation_key", name=op.f("uq_vaccine_presentation_key")),
    )
    op.create_table(
        "booking",
        sa.Column("seq", PLACE, nullable=False),
        sa.Column("code", sa.String(length=9), nullable=False),
        sa.Column("recipient", sa.String(length=9), nullable=False),
        sa.Column("vaccine", sa.String(length=9), nullable=False),
        sa.Column("slot", Instant(), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("booked_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["recipient"], ["recipient.code"], name=op.f("fk_booking_recipient")),
        sa.ForeignKeyConstraint(["vaccine"], ["vaccine.code"], name=op.f("fk_booking_vaccine")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_booking")),
        sa.UniqueConstraint("code", name=op.f("uq_booking_code")),
    )
    op.create_index("ix_booking_queue", "booking", ["vaccine", "status", "seq"], unique=False)
    op.create_index("ix_booking_slot", "booking", ["slot", "status"], unique=False)
    op.create_index(
        "uq_booking_live",
        "booking",
        ["recipient", "vaccine"],
        unique=True,
        sqlite_where=sa.text("status IN ('reserved', 'waiting')"),
        postgresql_where=sa.text("status IN ('reserved', 'waiting')"),
    )

    op.create_table(
        "ledger",
        sa.Column("seq", PLACE, nullable=False),
        sa.Column("vaccine", sa.String(length=9), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("stock_delta", sa.Integer(), nullable=False),
        sa.Column("reserved_delta", sa.Integer(), nullable=False),
        sa.Column("lot", sa.String(length=20), nullable=False),
        sa.Column("reference", sa.String(length=9), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["vaccine"], ["vaccine.code"], name=op.f("fk_ledger_vaccine")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_ledger")),
    )
    op.create_index("ix_ledger_vaccine_seq", "ledger", ["vaccine", "seq"], unique=False)

    op.create_table(
        "lot",
        sa.Column("vaccine", sa.String(length=9), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.CheckConstraint("remaining >= 0", name=op.f("ck_lot_remaining_not_negative")),
        sa.ForeignKeyConstraint(["vaccine"], ["vaccine.code"], name=op.f("fk_lot_vaccine")),
        sa.PrimaryKeyConstraint("vaccine", "number", name=op.f("pk_lot")),
    )
    op.create_table(
        "injection",
        sa.Column("seq", PLACE, nullable=False),
        sa.Column("code", sa.String(length=9), nullable=False),
        sa.Column("booking", sa.String(length=9), nullable=False),
        sa.Column("recipient", sa.String(length=9), nullable=False),
        sa.Column("vaccine", sa.String(length=9), nullable=False),
        sa.Column("slot", Instant(), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("checked_in_at", Instant(), nullable=True),
        sa.Column("screening", sa.Text(), nullable=True),
        sa.Column("dose", sa.Text(), nullable=True),
        sa.Column("observation_finished_at", Instant(), nullable=True),
        sa.Column("adverse_events", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lot", sa.String(length=20), nullable=False),
        sa.CheckConstraint(
            "status <> 'completed' OR dose IS NOT NULL", name=op.f("ck_injection_completed_has_dose")
        ),
        sa.ForeignKeyConstraint(["booking"], ["booking.code"], name=op.f("fk_injection_booking")),
        sa.ForeignKeyConstraint(["recipient"], ["recipient.code"], name=op.f("fk_injection_recipient")),
        sa.ForeignKeyConstraint(["vaccine"], ["vaccine.code"], name=op.f("fk_injection_vaccine")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_injection")),
        sa.UniqueConstraint("code", name=op.f("uq_injection_code")),
    )
    op.create_index("ix_injection_lot", "injection", ["vaccine", "lot"], unique=False)
    op.create_index("ix_injection_recipient", "injection", ["recipient"], unique=False)
    op.create_index("ix_injection_slot", "injection", ["slot"], unique=False)
    op.create_index(
        "uq_injection_live",
        "injection",
        ["booking"],
        unique=True,
        sqlite_where=sa.text("status IN ('expected', 'checked-in', 'completed')"),
        postgresql_where=sa.text("status IN ('expected', 'checked-in', 'completed')"),
    )

    op.create_table(
        "application",
        sa.Column("seq", PLACE, nullable=False),
        sa.Column("code", sa.String(length=9), nullable=False),
        sa.Column("injection", sa.String(length=9), nullable=False),
        sa.Column("recipient", sa.String(length=9), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("applied_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["injection"], ["injection.code"], name=op.f("fk_application_injection")),
        sa.ForeignKeyConstraint(["recipient"], ["recipient.code"], name=op.f("fk_application_recipient")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_application")),
        sa.UniqueConstraint("code", name=op.f("uq_application_code")),
    )
    op.create_index("ix_application_recipient", "application", ["recipient"], unique=False)
    op.create_index(
        "uq_application_live",
        "application",
        ["injection"],
        unique=True,
        sqlite_where=sa.text("status IN ('applied', 'issued')"),
        postgresql_where=sa.text("status IN ('applied', 'issued')"),
    )

    op.create_table(
        "certificate",
        sa.Column("seq", PLACE, nullable=False),
        sa.Column("code", sa.String(length=9), nullable=False),
        sa.Column("application", sa.String(length=9), nullable=False),
        sa.Column("injection", sa.String(length=9), nullable=False),
        sa.Column("recipient", sa.String(length=9), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("injection_version", sa.Integer(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=True),
        sa.Column("credential", sa.Text(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("prints", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status <> 'issued' OR credential IS NOT NULL", name=op.f("ck_certificate_issued_is_signed")
        ),
        sa.ForeignKeyConstraint(
            ["application"], ["application.code"], name=op.f("fk_certificate_application")
        ),
        sa.ForeignKeyConstraint(["injection"], ["injection.code"], name=op.f("fk_certificate_injection")),
        sa.ForeignKeyConstraint(["recipient"], ["recipient.code"], name=op.f("fk_certificate_recipient")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_certificate")),
        sa.UniqueConstraint("code", name=op.f("uq_certificate_code")),
    )
    op.create_index("ix_certificate_status", "certificate", ["status", "seq"], unique=False)
    op.create_index(
        "uq_certificate_live",
        "certificate",
        ["application"],
        unique=True,
        sqlite_where=sa.text("status IN ('ready', 'issued')"),
        postgresql_where=sa.text("status IN ('ready', 'issued')"),
    )
