"""Configuration that all models share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from cofilter.core.config import Config
from cofilter.core.matrix import Interactions
from cofilter.recommender.bias import BiasConfig

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass as _WithKindDefaults
else:

    class _WithKindDefaults(type(Config)):
        """Lays what a kind has differently under the arguments of a constructor.

        Not a validator: one that runs before the fields would have JSON validated as Python values.
        """

        def __call__(cls, **values: Any) -> Any:
            return super().__call__(**cls.completed(values))


class ModelConfig(Config, metaclass=_WithKindDefaults):
    """What every model has beside its own hyper-parameters.

    A subclass with a field ``kind`` may name in ``kind_defaults`` what a kind has differently from
    the defaults of the fields.

    Attributes
    ----------
    scale:
        (lowest, highest) rating; predictions are clipped to it. None takes the extremes of the
        ratings that the model is fitted on. A model that predicts ratings learns them on the
        scale 1 to 5 that these ends are mapped to (`cofilter.recommender.scale`).
    unit:
        Learn ratings divided by this instead. With 1 they are learned as they are: for
        reproductions of published procedures, and so not a key of ``conf/``.
    seed:
        Seed of every random choice; models without any ignore it.
    bias:
        How the user and item biases of the fallback are regularised.
    keep_seen:
        Whether the model carries what each user has rated, so that `recommend` can leave it out and
        `explain` can name it: about 5 bytes a rating and 8 a user.
    """

    kind_defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    scale: tuple[float, float] | None = None
    unit: float | None = Field(default=None, gt=0)
    seed: int = 0
    bias: BiasConfig = BiasConfig()
    keep_seen: bool = True

    def settled(self, data: Interactions) -> Self:
        """The configuration with all that is left to the data decided by what is fitted."""
        return self

    @classmethod
    def completed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values with the defaults of their kind beneath."""
        field = cls.model_fields.get("kind")
        kind = values.get("kind", None if field is None else field.default)
        special = cls.kind_defaults.get(kind, {}) if isinstance(kind, str) else {}
        return {**special, **values}

    @model_validator(mode="after")
    def _ordered_scale(self) -> Self:
        if self.scale is not None and self.scale[0] >= self.scale[1]:
            raise ValueError(f"scale must be [lowest, highest], got {list(self.scale)}")
        return self


class IterativeConfig(ModelConfig):
    """What every model that is fitted in epochs has.

    Attributes
    ----------
    epochs:
        At most so many passes over the ratings. Where a model allows None, `settled` says how many.
    patience:
        Early stopping after so many epochs without a better value of the watched metric on
        validation; the best epoch's parameters are kept. None: all epochs run and the last one's
        parameters are kept.
    """

    epochs: int | None = Field(gt=0)
    patience: int | None = Field(gt=0)


class DeviceConfig(IterativeConfig):
    """What models have that can be trained on a GPU; the others know the CPU alone.

    Attributes
    ----------
    device:
        Where it is trained; a named device that is absent is an error.
    """

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
