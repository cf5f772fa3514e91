"""A bar for every number."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.rendering import Image
from wit_world.imports.types import (
    Diagnostic,
    Error,
    ErrorKind,
    Manifest,
    Position,
    Severity,
)

HIGHEST = 1000


def fault(code, message, line, column):
    return Diagnostic(Severity.ERROR, code, message, Position(line, column), None)


def parse(source):
    """One number a line; blank lines are skipped."""
    heights, faults = [], []
    for line, text in enumerate(source.split("\n"), start=1):
        word = text.strip()
        if not word:
            continue
        if word.isascii() and word.isdigit() and len(word) < 10 and int(word) <= HIGHEST:
            heights.append(int(word))
            continue
        message = f"`{word}` is not a whole number from 0 to {HIGHEST}"
        faults.append(fault("number", message, line, len(text) - len(text.lstrip()) + 1))
    if not heights and not faults:
        faults.append(fault("empty", "there is no number in it", 1, 1))
    return heights, faults


def svg(heights):
    width, height = len(heights) * 12, max(1, *heights)
    bars = "".join(
        f"<rect x='{n * 12}' y='{height - bar}' width='10' height='{bar}'/>"
        for n, bar in enumerate(heights)
    )
    head = f"viewBox='0 0 {width} {height}' width='{width}' height='{height}'"
    return width, height, f"<svg xmlns='http://www.w3.org/2000/svg' {head}>{bars}</svg>"


class Rendering(exports.Rendering):
    def describe(self):
        return Manifest(
            id="plugin-name",
            name="plugin-name",
            version="0.1.0",
            author="You",
            licence="MIT",
            description="A bar for every number",
            handles=["plugin-name"],
            attributes=[],
        )

    def validate(self, format, source):
        return parse(source)[1]

    def render(self, request):
        heights, faults = parse(request.source)
        if faults:
            raise Err(Error(ErrorKind.INVALID_INPUT, "the source has faults", faults, None))
        width, height, text = svg(heights)
        return Image("image/svg+xml", width, height, text.encode(), [])
