"""What requests and answers hold, as JSON; the OpenAPI document is made of these."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

MOST_ITEMS = 1_000  # of a list, a history or a batch
MOST_EXCLUDED = 20_000  # items that a list may not give
MOST_BATCHED = 50_000  # items of all lists of a batch
_INT64 = 2**63

Id = (
    Annotated[int, Field(strict=True, ge=-_INT64, lt=_INT64)]
    | Annotated[str, StringConstraints(strict=True, min_length=1, max_length=512)]
)
Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=200)]
SessionId = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9_-]{8,64}$")]
ListLength = Annotated[int, Field(strict=True, ge=1, le=MOST_ITEMS)]


def _absent() -> Any:
    """What a field has that was left out, whatever its type; null is no value that it takes."""
    return None


class _Body(BaseModel):
    """Base of requests: no unknown fields, no conversions, no NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Rated(_Body):
    """A person's rating of an item, in ratings of the source."""

    item: Id
    rating: float


class Asking(_Body):
    """A request to one of the models."""

    model: Text = Field(
        default_factory=_absent, description="Name from /models; the default one without."
    )


_ONE_PERSON = ConfigDict(
    json_schema_extra={"oneOf": [{"required": [name]} for name in ("user", "ratings", "session")]}
)


class Who(_Body):
    """One person: a user of the data, ratings, or a session; exactly one of them."""

    model_config = _ONE_PERSON
    user: Id = Field(default_factory=_absent, description="A user that the model was fitted with.")
    ratings: Annotated[list[Rated], Field(max_length=MOST_ITEMS)] = Field(
        default_factory=_absent, description="Of a person who is folded in; none: a newcomer."
    )
    session: SessionId = Field(default_factory=_absent, description="Of /rate.")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if len(self.model_fields_set & {"user", "ratings", "session"}) != 1:
            raise ValueError("exactly one of user, ratings and session is expected")
        return self


class Rerank(_Body):
    """How a list is re-ranked (`cofilter.reranking`)."""

    kind: Literal["mmr", "popularity", "genres"]
    strength: Annotated[float, Field(ge=0, le=1)]


class Listing(Who):
    """The best items of one person."""

    k: ListLength = 10
    exclude: Annotated[list[Id], Field(max_length=MOST_EXCLUDED)] = Field(
        default=[], description="Further items never to recommend."
    )
    exclude_seen: bool = Field(default=True, description="Leave out what the person has rated.")
    rerank: Rerank = Field(default_factory=_absent)
    explain: bool = Field(default=False, description="Give each item's reasons.")


class RecommendRequest(Listing, Asking):
    """Asks for the best items of one person."""


class BatchRequest(Asking):
    """Asks for the best items of many people, with one call of the model for all of them."""

    requests: Annotated[list[Listing], Field(min_length=1, max_length=MOST_ITEMS)]

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if sum(each.k for each in self.requests) > MOST_BATCHED:
            raise ValueError(f"at most {MOST_BATCHED:,} items may be asked for at once")
        return self


class PredictRequest(Who, Asking):
    """Asks what ratings a person would give."""

    items: Annotated[list[Id], Field(min_length=1, max_length=MOST_ITEMS)]


class SimilarRequest(Asking):
    """Asks for items like one."""

    item: Id
    k: ListLength = 10


class ExplainRequest(Who, Asking):
    """Asks which of a person's ratings speak for an item."""

    item: Id
    n: Annotated[int, Field(strict=True, ge=1, le=100)] = 3


class SearchRequest(Asking):
    """Asks for items by their titles, or by id where there are none."""

    text: Text
    n: Annotated[int, Field(strict=True, ge=1, le=100)] = 10


class Change(_Body):
    """A session's rating of an item; null takes it back."""

    item: Id
    rating: float | None


class RateRequest(Asking):
    """Adds to a session's ratings; without a session begins one."""

    session: SessionId = Field(default_factory=_absent, description="Without: a new one begins.")
    ratings: Annotated[list[Change], Field(max_length=MOST_ITEMS)] = []


# Answers: made as plain dictionaries, described here.


class Item(BaseModel):
    """An item as people know it; without titles its id is its title."""

    item: int | str
    title: str
    genres: list[str]


class Reason(Item):
    """One of the person's own ratings, and its share in the score."""

    share: float


class Recommended(Item):
    """One of a list, best first."""

    score: float
    predicted: float | None = Field(
        default=None, description="Rating, of models that predict ratings."
    )
    reasons: list[Reason] | None = None


class Ranked(BaseModel):
    """The best items of one person."""

    fallback: Literal["popularity"] | None = Field(
        description="What answered where the model had nothing of its own to say of the person."
    )
    unknown_items: int = Field(
        description="Ratings of the session whose items the model does not know."
    )
    items: list[Recommended]


class RecommendAnswer(Ranked):
    """The best items of one person, and which model says so."""

    model: str


class BatchAnswer(BaseModel):
    """Lists in the order of the requests."""

    model: str
    lists: list[Ranked]


class Predicted(Item):
    """A predicted rating, clipped to the scale."""

    predicted: float
    fallback: bool = Field(description="Whether mean and biases answered for the model.")


class PredictAnswer(BaseModel):
    """Predicted ratings in the order of the items."""

    model: str
    scale: tuple[float, float]
    items: list[Predicted]


class Similar(Item):
    """An item like another."""

    score: float
    fallback: bool = Field(description="Whether popularity filled the list.")


class SimilarAnswer(BaseModel):
    """Items like one, most similar first."""

    model: str
    items: list[Similar]


class ExplainAnswer(BaseModel):
    """The person's own ratings that speak most for an item."""

    model: str
    item: Item
    reasons: list[Reason]


class SearchAnswer(BaseModel):
    """Items, best match first."""

    model: str
    items: list[Item]


class SessionRating(Item):
    """A rating as the session has it."""

    rating: float


class RateAnswer(BaseModel):
    """All ratings of a session, in the order they were first given."""

    session: str
    ratings: list[SessionRating]


class ModelAnswer(BaseModel):
    """A model that can be asked."""

    name: str
    default: bool
    family: str
    users: int
    items: int
    ratings: int
    scale: tuple[float, float]
    id_kind: dict[str, Literal["integer", "string"]]
    can: dict[str, bool] = Field(description="predict, recommend, explain.")
    search: Literal["exact", "index"] = Field(
        description="exact: lists are the model's; index: approximate, see the card."
    )
    has_titles: bool
    has_genres: bool
    card: dict[str, Any] = Field(description="How good it was measured to be; empty if unknown.")


class ModelsAnswer(BaseModel):
    """The models that are served."""

    models: list[ModelAnswer]


class StateAnswer(BaseModel):
    """Whether the service lives, or takes requests."""

    status: Literal["ok", "stopping"]


class ErrorBody(BaseModel):
    """What is wrong with a request."""

    field: str
    reason: str
    request_id: str


class ErrorAnswer(BaseModel):
    """The one form of every error."""

    error: ErrorBody
