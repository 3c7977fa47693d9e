"""What paper says, in Korean and English, and how it writes dates."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from domain.presentation import Disease, Route, Site
from domain.recipient import Sex


class Both(NamedTuple):
    """One phrase in both languages."""

    ko: str
    en: str


CERTIFICATE = Both("예방접종 증명서", "Certificate of Vaccination")
CONFIRMATION = Both("예방접종 확인서", "Confirmation of Vaccination")
CERTIFIES = Both(
    "위 사람이 아래와 같이 예방접종을 받았음을 증명합니다.",
    "This certifies that the person named above has received the vaccination recorded below.",
)
CONFIRMS = Both(
    "위 사람이 아래와 같이 예방접종을 받았음을 확인합니다. (접종 미완료)",
    "This confirms that the person named above has received the vaccination recorded below."
    " The series is not complete.",
)
NUMBER = Both("증명서 번호", "Certificate No.")
NAME = Both("성명", "Name")
BIRTH = Both("생년월일", "Date of birth")
SEX = Both("성별", "Sex")
VACCINE = Both("백신", "Vaccine")
DISEASE = Both("예방 대상", "Disease")
MANUFACTURER = Both("제조사", "Manufacturer")
LOT = Both("제조번호", "Lot")
DOSE = Both("접종 차수", "Dose")
GIVEN_ON = Both("접종일", "Date given")
SITE = Both("부위 · 경로", "Site, route")
GIVEN_BY = Both("접종 관리자", "Vaccinator")
HISTORY = Both("접종 이력", "Doses")
NEXT = Both("다음 접종 가능일", "Next dose from")
ISSUED_BY = Both("발급기관", "Issued by")
ISSUED_ON = Both("발급일", "Date of issue")
OFFICER = Both("발급 관리자", "Issuing officer")
SIGNATURE = Both("서명", "Signature")
STAMP = Both("직인", "Stamp")
CHECK_HOW = Both(
    "이 코드는 발급기관이 공개한 키로 확인됩니다.",
    "Verifies against this clinic’s published key.",
)
CARD = Both("SMART Health Card", "SMART Health Card")
CARD_HOW = Both(
    "SMART Health Card를 읽는 앱에서 이 코드를 스캔하세요. 내용은 첫 쪽과 같습니다.",
    "Scan this code with an app that reads SMART Health Cards. It states the same as the first page.",
)
ON_PAGE_2 = Both("접종 이력은 2쪽에 있습니다.", "All doses are listed on page 2.")
PHOTO_ID = Both(
    "사진이 있는 신분증과 함께 제시할 때에만 유효합니다.",
    "Valid only together with photo ID.",
)
LATIN_NAME = Both(
    "성명의 고유 문자를 인쇄할 수 없어 여권 영문 표기로 적었습니다.",
    "The name’s own script cannot be printed here; the passport spelling is shown.",
)

SEXES = {
    Sex.FEMALE: Both("여", "Female"),
    Sex.MALE: Both("남", "Male"),
    Sex.UNKNOWN: Both("표시 안 함", "Not stated"),
}
DISEASES = {
    Disease.COVID_19: Both("코로나19", "COVID-19"),
    Disease.INFLUENZA: Both("인플루엔자", "Influenza"),
}
SITES = {
    Site.LEFT_ARM: Both("왼팔", "left arm"),
    Site.RIGHT_ARM: Both("오른팔", "right arm"),
    Site.LEFT_THIGH: Both("왼쪽 허벅지", "left thigh"),
    Site.RIGHT_THIGH: Both("오른쪽 허벅지", "right thigh"),
}
ROUTES = {
    Route.INTRAMUSCULAR: Both("근육", "intramuscular"),
    Route.SUBCUTANEOUS: Both("피하", "subcutaneous"),
    Route.INTRADERMAL: Both("피내", "intradermal"),
    Route.NASAL: Both("비강", "nasal"),
}
COUNTRIES = {"KR": Both("대한민국", "Republic of Korea")}

TICKET = Both("예약표", "Booking")
TICKET_WAITING = Both("대기표", "Wait list")
NO_DOSE_YET = Both(
    "아직 백신이 배정되지 않았습니다.",
    "No dose is reserved for you yet.",
)
CHECK_FIRST = Both(
    "오시기 전에 예약 상태를 꼭 확인해 주세요.",
    "Please check your booking before you come.",
)
REQUESTED = Both("희망 일시", "Requested time")
WHEN = Both("예약 일시", "Your time")
BRING = Both("사진이 있는 신분증을 꼭 가져오세요.", "Bring photo ID.")
UNWELL = Both(
    "열이 나거나 몸이 아프면 오시기 전에 알려 주세요.",
    "If you have a fever or feel ill, tell us before you come.",
)
CODE = Both("예약번호", "Booking code")

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = (
    Both("월", "Mon"), Both("화", "Tue"), Both("수", "Wed"), Both("목", "Thu"),
    Both("금", "Fri"), Both("토", "Sat"), Both("일", "Sun"),
)  # fmt: skip


def long_date(day: date) -> Both:
    """A day in words; the English month is never a number, so that it cannot be misread."""
    return Both(f"{day.year}년 {day.month}월 {day.day}일", f"{day.day} {_MONTHS[day.month - 1]} {day.year}")


def day_and_time(slot: datetime) -> tuple[Both, Both]:
    """A slot's day with its weekday, and its time."""
    weekday, half = _DAYS[slot.weekday()], "오전" if slot.hour < 12 else "오후"
    minutes = f" {slot.minute}분" if slot.minute else ""
    day = Both(
        f"{slot.month}월 {slot.day}일 ({weekday.ko})",
        f"{weekday.en} {slot.day} {_MONTHS[slot.month - 1]} {slot.year}",
    )
    return day, Both(f"{half} {slot.hour % 12 or 12}시{minutes}", f"{slot:%H:%M}")


def nth_dose(number: int) -> Both:
    """Which dose of its series one is."""
    return Both(f"{number}차 접종", f"dose {number}")


def replaces(number: str) -> Both:
    """That an earlier certificate is no longer the valid one."""
    return Both(f"이 문서는 {number}를 대체합니다.", f"Replaces {number}, which is no longer valid.")
