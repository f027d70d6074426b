"""The cast of the demonstration. These people exist nowhere else: a real site refuses to start with them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.i18n import N_
from equipment.models import Lab, LabStaff
from members import queries, service
from members.models import Organisation, OrganisationKind, Person, Role

PASSWORD = "yixiang-demo"
DOMAIN = "@example.com"


@dataclass(frozen=True)
class Part:
    """One person of the cast: what one can see as this person."""

    email: str
    name: str
    organisation: str
    role: Role
    shows: str
    lab: str = ""


@dataclass(frozen=True)
class Startup:
    code: str
    name_zh: str
    name_en: str
    kind: OrganisationKind
    credit_body: str


STARTUPS = (
    Startup("DEMO-XH", "星环传感（示例）", "Starloop Sensors (example)", OrganisationKind.COMPANY, "91420100MA4K12340"),
    Startup(
        "DEMO-JG", "江光微纳（示例）", "Jiangguang Micro-Nano (example)", OrganisationKind.COMPANY, "91420100MA4K12341"
    ),
    Startup("DEMO-CL", "础力材料（示例）", "Chuli Materials (example)", OrganisationKind.COMPANY, "91420100MA4K12342"),
    Startup("DEMO-TD", "清源团队（示例）", "Qingyuan team (example)", OrganisationKind.TEAM, ""),
)
AUTHORITIES = (
    ("DEMO-OFFICE", "东湖示范区管委会（示例）", "East Lake zone office (example)"),
    ("DEMO-FINANCE", "东湖示范区财政局（示例）", "East Lake finance office (example)"),
    ("DEMO-AUDIT", "第三方审计（示例）", "Third-party auditor (example)"),
)
HUST, WHU = "华中科技大学", "武汉大学"
#: The labs that the cast runs, by institution.
LABS = {HUST: "分析测试中心", WHU: "科研公共服务条件平台"}
CAST = (
    Part(
        "startup@example.com",
        "陈晓",
        "DEMO-XH",
        Role.STARTUP_OWNER,
        N_("finds an instrument, books it, pays with a voucher"),
    ),
    Part("member@example.com", "李想", "DEMO-XH", Role.STARTUP_MEMBER, N_("books for the same startup")),
    Part("researcher@example.com", "周宁", HUST, Role.RESEARCHER, N_("books at the internal rate, without a voucher")),
    Part("lab@example.com", "林静", HUST, Role.LAB_MANAGER, N_("approves, runs the day, reads the usage report")),
    Part("otherlab@example.com", "吴越", WHU, Role.LAB_MANAGER, N_("runs another university's lab")),
    Part(
        "finance@example.com", "王芳", "DEMO-FINANCE", Role.FINANCE_OFFICER, N_("issues vouchers and follows every fen")
    ),
    Part("zone@example.com", "赵岚", "DEMO-OFFICE", Role.ZONE_ADMIN, N_("sees all institutions and the trail")),
    Part("auditor@example.com", "孙明", "DEMO-AUDIT", Role.AUDITOR, N_("reads everything, changes nothing")),
)
#: People of the other startups, so that the calendar is not one company's.
EXTRAS = (
    Part("jiangguang@example.com", "何帆", "DEMO-JG", Role.STARTUP_OWNER, ""),
    Part("chuli@example.com", "罗毅", "DEMO-CL", Role.STARTUP_OWNER, ""),
    Part("qingyuan@example.com", "苏晴", "DEMO-TD", Role.STARTUP_OWNER, ""),
    Part("operator@example.com", "马超", HUST, Role.LAB_OPERATOR, ""),
)


def load_people(session: Session, *, now: datetime) -> None:
    """Register the cast with its organisations; the institutions are in the catalogue already."""
    for startup in STARTUPS:
        service.register_organisation(
            session,
            kind=startup.kind,
            code=startup.code,
            name_zh=startup.name_zh,
            name_en=startup.name_en,
            credit_code=service.complete_credit_code(startup.credit_body) if startup.credit_body else None,
            is_demonstration=True,
        )
    for code, name_zh, name_en in AUTHORITIES:
        service.register_organisation(
            session, kind=OrganisationKind.AUTHORITY, code=code, name_zh=name_zh, name_en=name_en, is_demonstration=True
        )
    for part in (*CAST, *EXTRAS):
        organisation = _organisation(session, part.organisation)
        person = service.register_person(
            session, email=part.email, name=part.name, password=PASSWORD, now=now, checked=False
        )
        service.grant_role(session, person, organisation, part.role, now=now)
        if part.role in (Role.LAB_MANAGER, Role.LAB_OPERATOR):
            labs = session.scalars(
                select(Lab.id).where(Lab.organisation_id == organisation.id, Lab.name_zh == LABS[organisation.name_zh])
            )
            session.add_all([LabStaff(lab_id=lab_id, person_id=person.id) for lab_id in labs])
    session.flush()


def are_present(session: Session) -> bool:
    """Whether anybody of the demonstration is registered here."""
    found = session.scalar(select(func.count()).select_from(Person).where(Person.email.endswith(DOMAIN)))
    return bool(found)


def _organisation(session: Session, name: str) -> Organisation:
    if name.startswith("DEMO-"):
        return queries.get_organisation_by_code(session, name)
    return session.scalars(select(Organisation).where(Organisation.name_zh == name)).one()
