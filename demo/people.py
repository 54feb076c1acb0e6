"""The forty people of the demo clinic, all made up.

Phone numbers are from the ranges that Ofcom keeps free for drama, e-mail addresses from
the domain that is reserved for examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from physioflow_clinical.patients import Gender
from physioflow_clinical.regions import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What somebody is treated for, and the instrument that follows it."""

    words: str
    region: str
    side: Side
    instrument: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One patient.

    Attributes:
        legal: the legal name, where people call them otherwise.
        seen: days ago and score of the last visit, where the first screen shows it.
    """

    name: str
    age: int
    gender: Gender
    problem: Problem
    legal: str = ""
    language: str = "en"
    alerts: tuple[str, ...] = ()
    seen: tuple[int, float] | None = None


F: Final = Gender.FEMALE
M: Final = Gender.MALE
L: Final = Side.LEFT
R: Final = Side.RIGHT
BOTH: Final = Side.BILATERAL
MID: Final = Side.MIDLINE


def neck(side: Side, words: str = "neck pain") -> Problem:
    """A problem of the neck, followed by the NDI."""
    return Problem(words=words, region="neck", side=side, instrument="ndi")


def back(side: Side, words: str = "low back pain") -> Problem:
    """A problem of the low back, followed by the ODI."""
    return Problem(words=words, region="lumbar_spine", side=side, instrument="odi")


def leg(region: str, side: Side, words: str) -> Problem:
    """A problem of the lower limb, followed by the LEFS."""
    return Problem(words=words, region=region, side=side, instrument="lefs")


def arm(region: str, side: Side, words: str) -> Problem:
    """A problem of the upper limb, followed by the QuickDASH."""
    return Problem(words=words, region=region, side=side, instrument="quickdash")


def own(region: str, side: Side, words: str) -> Problem:
    """A problem followed by the patient's own activities."""
    return Problem(words=words, region=region, side=side, instrument="psfs")


def _viet(
    name: str,
    legal: str,
    age: int,
    gender: Gender,
    problem: Problem,
    *,
    alerts: tuple[str, ...] = (),
    seen: tuple[int, float] | None = None,
) -> Person:
    return Person(
        name=name,
        legal=legal,
        age=age,
        gender=gender,
        problem=problem,
        language="vi",
        alerts=alerts,
        seen=seen,
    )


def _(
    name: str,
    age: int,
    gender: Gender,
    problem: Problem,
    *,
    alerts: tuple[str, ...] = (),
    seen: tuple[int, float] | None = None,
) -> Person:
    return Person(name=name, age=age, gender=gender, problem=problem, alerts=alerts, seen=seen)


AMELIA: Final = _("Amelia Novak", 58, F, neck(R), alerts=("Anticoagulants",))

PEOPLE: Final[tuple[Person, ...]] = (
    AMELIA,
    _viet("Binh Trần", "Trần Quốc Bình", 44, M, back(MID), seen=(3, 28)),
    _("Carlos Medina", 35, M, leg("knee", L, "knee pain after a fall"), seen=(12, 52)),
    _("Dorothy Quinn", 67, F, arm("shoulder", R, "frozen shoulder"), seen=(9, 41)),
    _("Emeka Okafor", 51, M, back(L, "sciatica"), seen=(12, 36)),
    _("Freya Lindqvist", 29, F, neck(L), seen=(15, 22)),
    _("Giulia Ferri", 73, F, own("hip", R, "hip osteoarthritis"), seen=(14, 4.3)),
    _viet(
        "Hoa Nguyễn", "Nguyễn Thị Hoa", 62, F, leg("knee", BOTH, "knee osteoarthritis"),
        alerts=("Type 2 diabetes",), seen=(20, 49),
    ),
    _(
        "Isaac Bright", 81, M, leg("ankle_foot", L, "ankle fracture, after surgery"),
        alerts=("Pacemaker", "Falls risk"), seen=(21, 47),
    ),
    _("Jade Whitmore", 24, F, leg("ankle_foot", R, "ankle sprain")),
    _viet("Khoa Phạm", "Phạm Đăng Khoa", 39, M, back(R)),
    _("Liam O'Connell", 31, M, leg("knee", R, "ligament reconstruction of the knee")),
    _viet("Mai Lê", "Lê Thị Mai", 47, F, arm("wrist_hand", R, "wrist fracture")),
    _("Nadia Haddad", 55, F, neck(BOTH, "neck pain and headache")),
    _("Oliver Grant", 63, M, back(MID), alerts=("Osteoporosis",)),
    _("Priya Raman", 37, F, arm("elbow", R, "tennis elbow")),
    _viet("Quang Vũ", "Vũ Minh Quang", 52, M, arm("shoulder", L, "rotator cuff pain")),
    _("Rosa Delgado", 70, F, leg("hip", R, "hip replacement"), alerts=("Latex allergy",)),
    _("Samuel Adeyemi", 28, M, own("thigh", L, "hamstring strain")),
    _viet("Thảo Đặng", "Đặng Phương Thảo", 33, F, neck(R)),
    _("Ursula Becker", 76, F, leg("knee", L, "knee replacement"), alerts=("Anticoagulants",)),
    _("Victor Hughes", 59, M, arm("shoulder", R, "shoulder pain")),
    _("Wanjiru Kamau", 42, F, back(L)),
    _viet("Xuân Hoàng", "Hoàng Thanh Xuân", 66, F, back(MID, "spinal stenosis")),
    _("Yusuf Demir", 48, M, leg("hip", L, "hip pain")),
    _("Zofia Kowalska", 36, F, own("pelvis", BOTH, "pelvic girdle pain"), alerts=("Pregnant",)),
    _("Aaron Blake", 19, M, leg("knee", R, "kneecap pain")),
    _("Beatrice Moreau", 53, F, arm("wrist_hand", BOTH, "carpal tunnel syndrome")),
    _viet("Chi Bùi", "Bùi Lan Chi", 27, F, neck(MID)),
    _("Daniel Foster", 45, M, back(R)),
    _("Eleni Papadaki", 61, F, arm("shoulder", BOTH, "shoulder pain")),
    _("Farid Rahimi", 34, M, neck(L, "neck pain after a collision")),
    _("Grace Mensah", 57, F, leg("knee", L, "knee osteoarthritis")),
    _viet("Hải Đỗ", "Đỗ Ngọc Hải", 71, M, own("shoulder", R, "shoulder replacement")),
    _("Ingrid Solberg", 40, F, back(MID)),
    _("Jack Turner", 17, M, leg("lower_leg", L, "shin pain from running")),
    _("Kirsten Dahl", 68, F, arm("upper_arm", L, "humerus fracture"), alerts=("Osteoporosis",)),
    _viet("Linh Ngô", "Ngô Khánh Linh", 30, F, back(L)),
    _("Mateus Silva", 49, M, leg("ankle_foot", R, "Achilles tendon pain")),
    _("Nora Fitzgerald", 79, F, neck(MID), alerts=("Vertigo",)),
)  # fmt: skip

EARLIER_PROBLEMS: Final = (
    neck(MID),
    back(MID),
    leg("knee", R, "knee pain"),
    leg("ankle_foot", L, "ankle sprain"),
    arm("shoulder", L, "shoulder pain"),
)
"""What somebody may have come with before; by nature of the thing, gone by now."""

ACTIVITIES: Final = {
    "hip": ("climbing the stairs", "putting on socks", "walking to the market"),
    "thigh": ("sprinting", "kicking a ball", "sitting through a lecture", "stairs two at a time"),
    "pelvis": ("turning over in bed", "carrying the toddler", "standing to cook"),
    "shoulder": ("combing hair", "reaching the top shelf", "sleeping on the side", "driving"),
}
"""Activities as patients name them, by region."""

ANY_ACTIVITIES: Final = ("housework", "sleeping through the night", "working a whole day")

REFERRERS: Final = ("", "", "Dr Hollis", "Dr Patel", "Dr Nguyễn Thu Hà", "Orthopaedic clinic")
PAYERS: Final = ("self-pay", "self-pay", "Harbour Health", "National insurance")
STREETS: Final = ("Mill Lane", "Station Road", "Harbour Street", "Elm Grove", "Church Walk")
RELATIONSHIPS: Final = ("spouse", "daughter", "son", "sister", "friend")
NOTES: Final = (
    "Worse after a long drive.",
    "Did the exercises most days.",
    "Sleeps better this week.",
    "Filled in with the daughter's help.",
    "Back at work half days.",
)
