"""Values for Hypothesis that several tests draw."""

from __future__ import annotations

from typing import Any, TypeGuard

from hypothesis import strategies as st

SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "none": st.none(),
    "bool": st.booleans(),
    # What the narrowest of the fields takes.
    "int": st.integers(0, 127),
    # Eighths: what `f32` holds exactly, too.
    "float": st.integers(-800, 800).map(lambda eighths: eighths / 8),
    "str": st.text(max_size=5),
}


def values(shape: Any, around: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """All values of a shape; a record that encloses itself ends after three levels."""
    if isinstance(shape, str):
        return SCALARS[shape]
    ((kind, content),) = shape.items()

    def inner(item: Any) -> st.SearchStrategy[Any]:
        return values(item, around, depth)

    match kind:
        case "list":
            ends = "enclosing" in content and depth > 1
            return st.just([]) if ends else st.lists(inner(content), max_size=2)
        case "dict":
            return st.dictionaries(st.text(max_size=3), inner(content[1]), max_size=2)
        case "tuple":
            return st.tuples(*map(inner, content)).map(list)
        case "union":
            members = [item for item in content if depth < 2 or "enclosing" not in item]
            return st.one_of(*map(inner, members))
        case "literal":
            return st.sampled_from(content)
        case "record":
            return record(content, {**around, content["name"]: content}, depth)
        case _:
            return record(around[content], around, depth + 1)


def record(content: dict[str, Any], around: dict[str, Any], depth: int) -> st.SearchStrategy[dict[str, Any]]:
    fields = {field["name"]: values(field["type"], around, depth) for field in content["fields"]}
    required = {field["name"] for field in content["fields"] if field["required"]}
    return st.fixed_dictionaries(
        {name: fields[name] for name in fields if name in required},
        optional={name: fields[name] for name in fields if name not in required},
    )


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return type(value) is dict


def is_list(value: Any) -> TypeGuard[list[Any]]:
    return type(value) is list
