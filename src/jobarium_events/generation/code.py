"""Source text as the formatter would write it: what does not fit on a line is opened, one part a line.

Expressions are taken as text and read by `ast`, so that whoever prints a type need not care for its layout, for the
names that it may not use, or for the imports that it needs.
"""

from __future__ import annotations

import ast
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jobarium_events.validation.shapes import Record

__all__ = ["WIDTH", "Expression", "assigned", "docstring", "fitted"]

WIDTH = 120
"""The longest line."""

_INDENT = 4


class Expression:
    """A type or a value.

    Args:
        source: As Python.
        renamed: Gives the name to print for each name that it uses.
    """

    def __init__(self, source: str, renamed: Callable[[str], str]) -> None:
        self.node: ast.expr = _Rewriting(renamed).visit(ast.parse(source, mode="eval").body)

    def names(self) -> set[str]:
        """Return the names that it uses, as they are printed."""
        return {each.id for each in ast.walk(self.node) if isinstance(each, ast.Name)}

    def __str__(self) -> str:
        return _flat(self.node)


class _Rewriting(ast.NodeTransformer):
    """Puts names in place of others, and ``Literal["a"] | None`` for ``Literal["a", None]``."""

    def __init__(self, renamed: Callable[[str], str]) -> None:
        self.renamed = renamed

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self.renamed(node.id))

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.Subscript(value=ast.Name(id="Literal" | "_Literal") as literal, slice=ast.Tuple(elts=values)):
                others = [each for each in values if not _is_none(each)]
                inner = ast.Tuple(others) if len(others) > 1 else others[0]
                listed = ast.Subscript(literal, inner)
                return listed if others == values else ast.BinOp(listed, ast.BitOr(), ast.Constant(None))
            case _:
                return node


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def fitted(before: str, expression: Expression, after: str, *, level: int = 0) -> str:
    """Return the lines of an expression between two texts, at a level of indentation."""
    return _fitted(before, expression.node, after, level, enclosed=False)


def assigned(name: str, kind: Expression, value: Expression | None, *, level: int = 1) -> str:
    """Return the lines of an annotated name and, if it has one, its value."""
    if value is None:
        return fitted(f"{name}: ", kind, "", level=level)
    head = f"{name}: {kind} = "
    # The value is opened before the annotation is.
    opening = "(" if isinstance(value.node, ast.BinOp) else _opened(value.node)[0]
    if opening and _INDENT * level + len(head) + len(opening) <= WIDTH:
        return fitted(head, value, "", level=level)
    return fitted(f"{name}: ", kind, f" = {value}", level=level)


def docstring(summary: str, record: Record, names: Mapping[str, str], *, level: int = 1) -> str:
    """Return the docstring of a record's class.

    Args:
        summary: Its first line.
        record: Described by the schema.
        names: What the class calls each of its fields.
        level: Of indentation.
    """
    indent = " " * _INDENT * level
    described = [(names[each.name], each.description) for each in record.fields if each.description]
    lines = [summary]
    if record.description:
        lines += ["", *_wrapped(record.description, WIDTH - len(indent))]
    if described:
        lines += ["", "Attributes:"]
    for name, description in described:
        lines += _wrapped(f"{name}: {description}", WIDTH - len(indent), first=" " * 4, hanging=" " * 8)
    lines = [_printable(line) for line in lines]
    raw = "r" if any("\\" in line for line in lines) else ""
    if len(lines) == 1:
        return f'{indent}{raw}"""{lines[0]}"""'
    return "\n".join(f"{indent}{line}".rstrip() for line in (f'{raw}"""{lines[0]}', *lines[1:], '"""'))


def _wrapped(text: str, width: int, first: str = "", hanging: str = "") -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )


def _printable(line: str) -> str:
    """Return a line without what would end a docstring or could not be seen in it."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line.replace('"""', "'''"))


def _fitted(before: str, node: ast.expr, after: str, level: int, *, enclosed: bool) -> str:
    indent = " " * _INDENT * level
    line = f"{indent}{before}{_flat(node)}{after}"
    if len(line) <= WIDTH:
        return line
    if isinstance(node, ast.BinOp):
        return _fitted_union(before, node, after, level, enclosed=enclosed)
    opening, parts, closing = _opened(node)
    if not parts:
        return line
    inner = level + 1
    # A comma after a single index would make it a tuple.
    comma = "" if isinstance(node, ast.Subscript) and len(parts) == 1 else ","
    lines = [_fitted(name, part, comma, inner, enclosed=True) for name, part in parts]
    return "\n".join([f"{indent}{before}{opening}", *lines, f"{indent}{closing}{after}"])


def _fitted_union(before: str, node: ast.BinOp, after: str, level: int, *, enclosed: bool) -> str:
    """Open ``A | B``, in parentheses of its own unless brackets enclose it already."""
    members = _members(node)
    inner = level if enclosed else level + 1
    lines = [_fitted("| " if place else "", member, "", inner, enclosed=False) for place, member in enumerate(members)]
    if enclosed:
        return "\n".join(lines) + after
    indent = " " * _INDENT * level
    return "\n".join([f"{indent}{before}(", *lines, f"{indent}){after}"])


def _opened(node: ast.expr) -> tuple[str, list[tuple[str, ast.expr]], str]:
    """Return an expression's opening, its parts with the keyword of each, and its closing; or no parts."""
    match node:
        case ast.Subscript(value=value, slice=ast.Tuple(elts=parts)):
            return f"{_flat(value)}[", [("", part) for part in parts], "]"
        case ast.Subscript(value=value, slice=part):
            return f"{_flat(value)}[", [("", part)], "]"
        case ast.Call(func=function, args=args, keywords=keywords):
            named = [(f"{each.arg}=", each.value) for each in keywords]
            return f"{_flat(function)}(", [*(("", each) for each in args), *named], ")"
        case ast.Tuple(elts=parts):
            return "(", [("", part) for part in parts], ")"
        case ast.Dict(keys=keys, values=values):
            return "{", [(f"{_flat(key)}: ", value) for key, value in zip(keys, values, strict=True) if key], "}"
        case _:
            return "", [], ""


def _flat(node: ast.expr) -> str:
    """Return an expression on one line."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Constant(value=str() as text):
            return _quoted(text)
        case ast.Constant(value=value):
            return repr(value).replace("e+", "e")
        case ast.UnaryOp(operand=operand):
            return f"-{_flat(operand)}"
        case ast.BinOp():
            return " | ".join(map(_flat, _members(node)))
        case _:
            opening, parts, closing = _opened(node)
            return f"{opening}{', '.join(name + _flat(part) for name, part in parts)}{closing}"


def _members(node: ast.expr) -> Sequence[ast.expr]:
    """Return the members of a union, None as the last."""
    if isinstance(node, ast.BinOp):
        return sorted([*_members(node.left), *_members(node.right)], key=_is_none)
    return [node]


def _quoted(text: str) -> str:
    """Return a string in the quotes that need fewer escapes, double ones if both need as many."""
    escaped = repr(f'{text}"')[1:-2]  # for the sake of the double quote, `repr` takes single ones
    if text.count('"') > text.count("'"):
        return f"'{escaped}'"
    return '"' + escaped.replace(r"\'", "'").replace('"', r"\"") + '"'
