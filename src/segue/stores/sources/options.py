"""What ``[tables.<name>]`` says for every kind of file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from segue.errors import SourceError
from segue.settings import Table
from segue.spec.types import parse_type

if TYPE_CHECKING:
    from segue.spec.step import SourceSpec
    from segue.spec.types import DataType

Model = TypeVar("Model", bound=BaseModel)


def _check_type(text: str) -> str:
    parse_type(text)
    return text


TypeName = Annotated[str, AfterValidator(_check_type)]


class FileOptions(Table):
    """Keys that every kind of file has."""

    path: str = Field(
        description="File, folder or pattern (`data/*.csv`, `data/**/*.csv`), relative to the "
        "project's folder."
    )
    types: dict[str, TypeName] = Field(
        default_factory=dict, description="Types of columns, in place of those that are found."
    )
    hive: bool | None = Field(
        None,
        description="Whether folders named `name=value` are columns; by default, if all files "
        "lie in such folders.",
    )

    @property
    def column_types(self) -> dict[str, DataType]:
        """The stated types."""
        return {name: parse_type(text) for name, text in self.types.items()}


def read_options(model: type[Model], source: SourceSpec) -> Model:
    """Return a source's options, validated.

    Raises:
        SourceError: One of them is wrong.
    """
    values: dict[str, Any] = dict(source.options)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_context=False)[0]
    # raised out here: pydantic's error would keep the caller's frames alive for ever
    key = ".".join(map(str, found["loc"]))
    message = found["msg"].removeprefix("Value error, ")
    told = f"{key}: {message}" if key else message
    raise SourceError(f"table {source.name!r}: {told}", location=source.location)
