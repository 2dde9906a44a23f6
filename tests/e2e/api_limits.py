"""Checks requests against an AWS API's limits, as given by the model in botocore."""

import re
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.model import Shape
from botocore.validate import ParamValidator

# Java's notation for every character beyond the first 65,536.
SURROGATES = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")


def objections(service: str, operation: str, request: dict[str, Any]) -> list[str]:
    """Why a request would be refused: unknown, missing or mistyped members, and values past their limits."""
    model = botocore.session.get_session().get_service_model(service)
    shape = model.operation_model(operation).input_shape
    report = ParamValidator().validate(request, shape)
    return [report.generate_report()] if report.has_errors() else list(past_limits(request, shape, operation))


def past_limits(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """Limits that botocore knows but leaves to the service: sizes, patterns, enumerations."""
    limits = shape.metadata
    size = value if isinstance(value, int) else len(value)
    if not limits.get("min", size) <= size <= limits.get("max", size):
        yield f"{path}: {size} is not in {limits.get('min')} to {limits.get('max')}"
    if "pattern" in limits and not re.fullmatch(limits["pattern"].replace(*SURROGATES), value):
        yield f"{path}: {value!r} does not match {limits['pattern']}"
    if value not in limits.get("enum", [value]):
        yield f"{path}: {value!r} is not one of {limits['enum']}"
    for name, part, part_shape in parts(value, shape):
        yield from past_limits(part, part_shape, f"{path}.{name}")


def parts(value: Any, shape: Shape) -> Iterator[tuple[str, Any, Shape]]:
    """The members of a value, each with its shape."""
    match shape.type_name:
        case "structure":
            yield from ((name, part, shape.members[name]) for name, part in value.items())
        case "list":
            yield from ((str(index), part, shape.member) for index, part in enumerate(value))
        case "map":
            yield from ((f"key {name}", name, shape.key) for name in value)
            yield from ((name, part, shape.value) for name, part in value.items())
