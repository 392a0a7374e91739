"""What a policy may say: the notice's rules and the office's settings, frozen and checked."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)

from scoring.points import decimal_text, parse_points

Ground = Literal["service", "remote_county", "below_county", "junior", "non_public"]
GROUNDS: dict[str, tuple[str, str]] = {
    "service": ("基层服务（访惠聚等）", "grass-roots service"),
    "remote_county": ("在且末县或若羌县工作", "working in Qiemo or Ruoqiang county"),
    "below_county": ("县级以下基层单位", "grass-roots unit below county level"),
    "junior": ("申报初级职称", "applying for a junior title"),
    "non_public": ("非公有制领域", "non-public sector"),
}


def _points(value: object) -> Fraction:
    if isinstance(value, Fraction):
        return value
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError("points")
    try:
        return parse_points(str(value))
    except ValueError:
        raise ValueError("points") from None


def _share(value: object) -> Fraction:
    if isinstance(value, Fraction):
        return value
    parts = value.split("/") if isinstance(value, str) else []
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise ValueError("share")
    numerator, denominator = (int(part) for part in parts)
    if not 0 < numerator <= denominator:
        raise ValueError("share")
    return Fraction(numerator, denominator)


def _positive(value: Fraction) -> Fraction:
    if value <= 0:
        raise ValueError("positive")
    return value


def _said(value: str) -> str:
    if not value.strip():
        raise ValueError("blank")
    return value


Text = Annotated[StrictStr, AfterValidator(_said)]
Points = Annotated[Fraction, BeforeValidator(_points), PlainSerializer(decimal_text, str)]
PositivePoints = Annotated[Points, AfterValidator(_positive)]
Share = Annotated[Fraction, BeforeValidator(_share), PlainSerializer(str, str)]
Count = Annotated[StrictInt, Field(ge=1)]


class Part(BaseModel):
    """A frozen table of a policy that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Notice(Part):
    """The notice that the rules come from."""

    title: Text
    number: Text | None = None
    year: Count | None = None
    committee: Text | None = None
    series: Text | None = None


class BlindReview(Part):
    """Whether the notice asks for blind review and for the applicant's masking check."""

    required: StrictBool
    masking_check: StrictBool | None = None
    clause: Text


class Exemption(Part):
    """A ground that frees from the defence, with its evidence."""

    ground: Ground
    clause: Text
    evidence: Text | None = None
    note: Text | None = None


class Substitution(Part):
    """Who is given the average of those who defended, and whose average it is."""

    grounds: tuple[Ground, ...]
    pool: tuple[Literal["year", "specialty", "level"], ...] = ("year", "specialty")
    clause: Text


class Defence(Part):
    """The defence: how it is counted and what exemption and absence mean."""

    mode: Literal["scored", "pass_fail", "none"] | None = None
    who: Text | None = None
    max: PositivePoints | None = None
    step: PositivePoints | None = None
    pass_score: Points | None = None
    method: Literal["mean", "trimmed"] | None = None
    trim_min_n: Annotated[StrictInt, Field(ge=3)] | None = None
    veto: StrictBool | None = None
    veto_exempt: Literal["pass", "compare", "undetermined"] | None = None
    video_counts: StrictBool | None = None
    unscored_exempt: Literal["pass", "undetermined"] | None = None
    absent: Literal["fail", "zero", "undetermined"] | None = None
    substitution: Substitution | None = None
    clause: Text | None = None
    unscored_clause: Text | None = None


class Criterion(Part):
    """One line of the rubric; `step` None: any value up to `max` with at most 6 places."""

    id: Text
    name: Text
    max: PositivePoints
    step: PositivePoints | None = None
    guidance: Text | None = None


class Aggregate(Part):
    """How the sheets of one candidate become review points."""

    method: Literal["mean", "trimmed"] | None = None
    trim_min_n: Annotated[StrictInt, Field(ge=3)] | None = None
    per: Literal["criterion", "total"] | None = None
    min_sheets: Count | None = None


class Rounding(Part):
    """How results are shown."""

    places: Annotated[StrictInt, Field(ge=0, le=6)] | None = None
    mode: Literal["half_up"] | None = None


class Vote(Part):
    """The ballot of the committee."""

    used: StrictBool | None = None
    quorum: Share | None = None
    approve: Share | None = None
    denominator: Literal["present", "present_minus_recused"] | None = None


class Decision(Part):
    """What makes a candidate pass, and what decides between equals."""

    rule: Literal["vote", "score", "vote_and_score", "rank"] | None = None
    pass_score: Points | None = None
    quota: Count | None = None
    tie_break: tuple[Text, ...] | None = None
    seed: Text | None = None


class Material(Part):
    """One category of attachment; the fields of `scoring.materials.MaterialRule`."""

    category: Text
    required: StrictBool
    clause: Text
    years: tuple[StrictInt, ...] | None = None
    note: Text | None = None
    paper: StrictBool | None = None
    instead: tuple[Text, ...] | None = None
    levels: tuple[Text, ...] | None = None


class Submission(Part):
    """How often a dossier may be handed in, and the clock after a return (hours)."""

    max_times: Count | None = None
    revise_hours: Count | None = None
    clause: Text


class Publicity(Part):
    """The unit's own public notice, in working days."""

    working_days: Count
    clause: Text


class Fees(Part):
    """Fees in yuan by kind (`scoring.fees`)."""

    middle: Count | None = None
    junior: Count | None = None
    first_fixed_junior: Count | None = None
    first_fixed_middle: Count | None = None
    clause: Text


class Fraud(Part):
    """What fraud costs, in years; `years` where the notice does not say whose."""

    unit_years: Count | None = None
    person_years: Count | None = None
    years: Count | None = None
    revoked: StrictBool | None = None
    clause: Text


class Education(Part):
    """Continuing education: one requirement (`scoring.continuing_education.EducationRule`)."""

    kind: Literal["public", "specialty"]
    years: tuple[StrictInt, ...] = ()
    hours: Count | None = None
    levels: tuple[Text, ...] | None = None
    clause: Text


class Policy(Part):
    """A whole policy. A section that is None is one on which notice and office are silent.

    The properties give the project's documented defaults (docs/POLICIES.md); a setting without
    a property has no default and is asked for when the arithmetic needs it.
    """

    name: Text | None = None
    notice: Notice | None = None
    blind_review: BlindReview | None = None
    exemption: tuple[Exemption, ...] = ()
    defence: Defence = Defence()
    criterion: tuple[Criterion, ...] = ()
    aggregate: Aggregate = Aggregate()
    rounding: Rounding = Rounding()
    vote: Vote = Vote()
    decision: Decision = Decision()
    material: tuple[Material, ...] = ()
    submission: Submission | None = None
    publicity: Publicity | None = None
    fees: Fees | None = None
    fraud: Fraud | None = None
    education: tuple[Education, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Policy:
        doubles = [
            *_doubles("criterion", [item.id for item in self.criterion]),
            *_doubles("exemption", [item.ground for item in self.exemption]),
        ]
        if doubles:
            raise ValueError("double:" + "、".join(doubles))
        return self

    @property
    def places(self) -> int:
        return 2 if self.rounding.places is None else self.rounding.places

    @property
    def trim_min_n(self) -> int:
        return self.aggregate.trim_min_n or 5

    @property
    def defence_trim_min_n(self) -> int:
        return self.defence.trim_min_n or self.trim_min_n

    @property
    def quorum(self) -> Fraction:
        return self.vote.quorum or Fraction(2, 3)

    @property
    def approve(self) -> Fraction:
        return self.vote.approve or Fraction(2, 3)

    @property
    def denominator(self) -> Literal["present", "present_minus_recused"]:
        return self.vote.denominator or "present_minus_recused"

    @property
    def uses_vote(self) -> bool:
        return self.decision.rule in ("vote", "vote_and_score") or bool(self.vote.used)

    @property
    def uses_score(self) -> bool:
        return self.decision.rule in ("score", "vote_and_score", "rank")

    def exemption_on(self, ground: str | None) -> Exemption | None:
        """The notice's exemption on this ground, or None where it has none."""
        return next((item for item in self.exemption if item.ground == ground), None)

    def document(self) -> dict[str, Any]:
        """The policy as plain JSON values without what is silent; `Policy(**document)` is equal."""
        document: dict[str, Any] = self.model_dump(mode="json", exclude_none=True)
        return {key: value for key, value in document.items() if value not in ({}, [])}


def _doubles(section: str, names: list[str]) -> list[str]:
    return sorted({f"{section}.{name}" for name in names if names.count(name) > 1})
