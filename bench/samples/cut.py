"""Sample pictures made of pieces: stained glass, woodblock waves, cubist facets, geometric shapes, tapestry."""

from __future__ import annotations

import numpy as np
from fields import Field, displaced, grid, lit, multiply, noise, over, ramp, rgb, smoothstep
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.spatial import cKDTree
from strokes import Brush, Canvas


def stained_glass(rng: np.random.Generator) -> Field:
    """A rose window: rings of coloured glass held by lead, light falling through."""
    shape = (704, 704)
    y, x = grid(shape)
    y, x = y - 0.5, x - 0.5
    radius, angle = np.hypot(y, x), np.arctan2(y, x)
    points, hues = [(0.0, 0.0)], [0]
    for ring, (distance, count) in enumerate([(0.055, 6), (0.12, 12), (0.19, 12), (0.26, 24), (0.33, 24), (0.40, 36), (0.46, 24)]):
        for k in range(count):
            turn = 2 * np.pi * (k + 0.5 * (ring % 2)) / count
            wave = distance * (1 + 0.06 * np.cos(6 * turn))
            points.append((wave * np.sin(turn), wave * np.cos(turn)))
            hues.append(1 + ring * 3 + (k % 2) + (k % 3 == 0))
    inside = len(points)
    for py, px in rng.uniform(-0.56, 0.56, (420, 2)):
        if np.hypot(py, px) > 0.5:
            points.append((py, px))
            hues.append(int(rng.integers(40, 46)))
    wobble = 0.004
    at = np.stack([y + wobble * (noise(shape, 50, rng) - 0.5), x + wobble * (noise(shape, 50, rng) - 0.5)], axis=-1)
    distance, owner = cKDTree(np.array(points)).query(at.reshape(-1, 2), k=2)
    cell = owner[:, 0].reshape(shape)
    pair = np.array(points)[owner]
    between = np.linalg.norm(pair[:, 0] - pair[:, 1], axis=1)
    edge = ((distance[:, 1] ** 2 - distance[:, 0] ** 2) / (2 * between)).reshape(shape)
    glass = ["d11f2f", "1b3fa8", "f2b520", "1f8f4a", "7a2a9a", "e8601c", "1aa0b8", "f4e2a0", "b3154f", "2f5fd0"]
    dark = ["0f2f6f", "17457f", "5a1440", "1a5a52", "3a1f6a", "7a1f2a"]
    palette = np.array([rgb(dark[h - 40]) if h >= 40 else rgb(glass[(h * 7 + h // 3) % len(glass)]) for h in hues])
    palette = np.clip(palette + rng.normal(0, 0.03, palette.shape), 0, 1)
    picture = palette[cell]
    bubbles = noise(shape, 9, rng, 3)
    streaks = noise(shape, 60, rng, 4)
    glow = 0.72 + 0.5 * smoothstep(0, 0.035, edge) * streaks + 0.2 * (bubbles - 0.5) + 0.28 * np.exp(-((radius / 0.42) ** 2))
    picture = np.clip(picture * glow[..., None], 0, 1)
    picture = over(picture, np.ones(3), smoothstep(0.8, 1.0, streaks * smoothstep(0.004, 0.03, edge)) * 0.35)
    lead = np.minimum(edge, np.where(cell < inside, 1, edge))
    for circle, half in [(0.022, 0.003), (0.155, 0.0035), (0.295, 0.004), (0.43, 0.004), (0.495, 0.009)]:
        lead = np.minimum(lead, np.abs(radius - circle) - half + 0.0035)
    spokes = np.abs((angle * 6 / np.pi + 0.5) % 1 - 0.5) * np.pi / 6 * radius
    lead = np.minimum(lead, np.where((radius > 0.155) & (radius < 0.495), spokes, 1))
    bar = smoothstep(0.0052, 0.0032, lead)
    metal = ramp(noise(shape, 6, rng, 3), "0c0c10", "2a2a32", "4a4a52")
    picture = over(picture, metal, bar)
    return lit(picture, ndimage.gaussian_filter(bar * 4 + bubbles * 1.0, 1.0), 1.4, gloss=0.3)


def woodblock(rng: np.random.Generator) -> Field:
    """Great waves under a mountain, printed from carved blocks on fibrous paper."""
    shape = (1120, 1536)
    y, x = grid(shape)
    paper = ramp(noise(shape, 5, rng, 2, stretch=6) * 0.5 + noise(shape, 200, rng) * 0.5, "e6d6b0", "f1e5c6", "ecdcb8")
    picture = multiply(paper, ramp(y / 0.36, "8f9aa0", "c9c3ae", "f2e3c0", "f4c9a0"), np.full(shape, 0.9))
    sun = np.hypot(y - 0.17, x - 0.24)
    picture = over(picture, rgb("d1442f"), smoothstep(0.075, 0.0735, sun))
    peak = 0.235 + 0.95 * np.abs(x - 0.64) ** 1.15 + 0.004 * np.sin(x * 60)
    mountain = smoothstep(peak - 0.001, peak + 0.001, y)
    snow = 0.315 + 0.02 * np.sin(x * 75) + 0.012 * np.sin(x * 170 + 1)
    blue = ramp((y - 0.24) / 0.2, "33507f", "5a7a9f", "a9b9b4")
    picture = over(picture, np.where((y < snow)[..., None], rgb("f6efdc"), blue), mountain)
    outline = np.exp(-(((y - peak) / 0.0016) ** 2))
    picture = over(picture, rgb("1a2748"), outline)
    for band in range(6):
        top = 0.08 + 0.035 * band + 0.01 * np.sin(x * 4 + band * 2)
        middle, half = rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.2)
        thick = 0.010 * np.sqrt(np.clip(1 - ((x - middle) / half) ** 2, 0, 1))
        picture = over(picture, rgb("f7f0dd"), smoothstep(thick + 0.001, thick, np.abs(y - top)) * (thick > 0.0005) * 0.9)
    layers = [(0.44, 0.030, 5.0, 0.3), (0.50, 0.045, 3.6, 1.9), (0.57, 0.060, 2.9, 3.7), (0.66, 0.055, 2.3, 5.2)]
    tones = [("7fa3ad", "4a7a96"), ("3f7396", "285a86"), ("2b5a8c", "1c4576"), ("1f4a7f", "132f5c")]
    for (level, rise, rate, phase), (light, deep) in zip(layers, tones, strict=True):
        turn = x * rate * 2 * np.pi + phase
        # A wave leans: its phase runs ahead of itself near the crest.
        lean = turn + 0.9 * np.cos(turn) + 0.35 * np.cos(2 * turn + 0.5)
        crest = level - rise * np.sin(lean) - 0.25 * rise * np.sin(2 * lean + 0.8)
        claws = 0.008 * np.abs(np.sin(x * 95 + phase)) + 0.005 * np.abs(np.sin(x * 210 + phase * 3))
        high = smoothstep(0.1, 0.7, np.sin(lean))
        edge = crest - claws * high
        wave = smoothstep(edge - 0.0008, edge + 0.0008, y)
        below = y - crest
        picture = over(picture, rgb(light), wave)
        stripes = np.sin((below + 0.010 * np.sin(turn * 3 + 1)) * (210 - rate * 18) + 2.2 * np.sin(turn + 1))
        picture = over(picture, rgb(deep), wave * smoothstep(-0.05, 0.05, stripes) * smoothstep(0.02, 0.03, below))
        foam_low = (0.016 + 0.010 * np.sin(x * 130 + phase) + 0.007 * np.sin(x * 260)) * (0.25 + high)
        foam = wave * smoothstep(foam_low + 0.0008, foam_low - 0.0008, below)
        picture = over(picture, rgb("f8f2e0"), foam)
        picture = over(picture, rgb("14233f"), wave * np.exp(-(((below - foam_low) / 0.0013) ** 2)))
        picture = over(picture, rgb("14233f"), np.exp(-(((y - edge) / 0.0016) ** 2)))
        for _ in range(60):
            sx = rng.uniform(0, 1)
            column = int(sx * (shape[1] - 1))
            if high[0, column] < 0.4:
                continue
            sy = crest[0, column] - rng.exponential(0.02) - 0.008
            drop = np.hypot(y - sy, x - sx)
            picture = over(picture, rgb("f8f2e0"), smoothstep(0.0045, 0.0035, drop))
            picture = over(picture, rgb("27406a"), np.exp(-(((drop - 0.0045) / 0.0009) ** 2)) * 0.8)
    grain = noise(shape, 12, rng, 3, stretch=22)
    rings = 0.5 + 0.5 * np.sin(grain * 60)
    ink = 1 - picture.mean(axis=-1)
    picture = over(picture, paper, rings * ink * 0.20 + smoothstep(0.7, 1.0, noise(shape, 3, rng, 2)) * ink * 0.3)
    picture = picture * (0.93 + 0.07 * noise(shape, 4, rng, 2, stretch=4))[..., None]
    return np.asarray(Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8)).reduce(2), float) / 255


def _still_life(shape: tuple[int, int], rng: np.random.Generator) -> Field:
    """A guitar, a bottle, a fruit bowl and a window: something to break into facets."""
    y, x = grid(shape)
    picture = ramp(y * 1.1 + 0.3 * (noise(shape, 160, rng) - 0.5), "8a9aa0", "b9a98a", "a5713f", "5a3a26")
    picture = over(picture, ramp(y, "d9d2b8", "8fb0b8"), ((np.abs(x - 0.2) < 0.13) & (np.abs(y - 0.25) < 0.2)) * 1.0)
    body = np.minimum(np.hypot((x - 0.5), (y - 0.70) * 0.95) - 0.19, np.hypot(x - 0.55, y - 0.47) - 0.135)
    picture = over(picture, ramp(noise(shape, 40, rng, stretch=0.2), "7a4a1f", "c98a3a", "e8b55f"), smoothstep(0.003, -0.003, body))
    neck = (np.abs((x - 0.56) - (0.45 - y) * 0.28) < 0.028) & (y < 0.55)
    picture = over(picture, rgb("2a1a14"), neck * 1.0)
    picture = over(picture, rgb("140f10"), smoothstep(0.062, 0.058, np.hypot(x - 0.53, y - 0.58)))
    bottle = ((np.abs(x - 0.80) < 0.075) & (y > 0.4) & (y < 0.86)) | ((np.abs(x - 0.80) < 0.03) & (y > 0.18) & (y <= 0.42))
    picture = over(picture, ramp(x * 6 - 4.4, "16302a", "3f7a5f", "a9c9a0"), bottle * 1.0)
    for fx, fy, colour in [(0.18, 0.74, "c2402a"), (0.29, 0.77, "d99a2f"), (0.22, 0.66, "7a8f3a"), (0.90, 0.88, "b93a3a")]:
        picture = over(picture, rgb(colour), smoothstep(0.068, 0.064, np.hypot(x - fx, y - fy)))
    strings = (np.abs(np.sin((x - 0.56 - (0.45 - y) * 0.28) * 190)) < 0.3) & (np.abs((x - 0.56) - (0.45 - y) * 0.28) < 0.025) & (y < 0.86)
    return over(picture, rgb("e8dcc0"), strings * 0.8)


def cubist(rng: np.random.Generator) -> Field:
    """A still life seen from several sides at once, each facet shaded like folded tin."""
    shape = (768, 640)
    y, x = grid(shape)
    scene = _still_life(shape, rng)
    facet = np.zeros(shape, int)
    for _ in range(16):
        cy, cx, angle = rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.75), rng.choice([0.3, 0.9, 1.35, 1.9, 2.4, 2.9]) + rng.normal(0, 0.12)
        side = ((x - cx) * np.sin(angle) - (y - cy) * np.cos(angle)) > 0
        # A cut reaches only so far, or all facets would be slivers.
        reach = np.abs(x - cx) * 0.8 + np.abs(y - cy) < rng.uniform(0.3, 1.1)
        facet = facet * 2 + (side & reach)
        _, facet = np.unique(facet, return_inverse=True)
        facet = facet.reshape(shape)
    labels = np.unique(facet)
    picture, flow = np.zeros((*shape, 3)), np.zeros(shape)
    tints = [rgb(code) for code in ("e0a840", "3f7f9f", "9a4f2a", "f0dfb0", "26405f", "c8502f", "5f8f6a", "1f2a3a", "e8c890")]
    sizes = ndimage.sum_labels(np.ones(shape), facet, labels)
    for label, size in zip(labels, sizes, strict=True):
        mask = facet == label
        shift, turn = rng.normal(0, 26, 2), rng.normal(0, 0.16)
        my, mx = (v.mean() for v in np.nonzero(mask))
        gy, gx = np.nonzero(mask)
        sy = np.clip(my + (gy - my) * np.cos(turn) - (gx - mx) * np.sin(turn) + shift[0], 0, shape[0] - 1).astype(int)
        sx = np.clip(mx + (gx - mx) * np.cos(turn) + (gy - my) * np.sin(turn) + shift[1], 0, shape[1] - 1).astype(int)
        colour = scene[sy, sx]
        direction = rng.uniform(0, 2 * np.pi)
        slope = ((gx - mx) * np.cos(direction) + (gy - my) * np.sin(direction)) / np.sqrt(size + 1)
        tint = tints[rng.integers(len(tints))]
        colour = colour * 0.64 + tint * 0.36
        picture[gy, gx] = np.clip(colour * (1 + 0.55 * slope[:, None]) + 0.08 * slope[:, None], 0, 1)
        flow[gy, gx] = direction + np.pi / 2
    canvas = Canvas(picture, rng)
    canvas.paint(picture, flow, Brush(17, 44, 9, hue=0.035, bristle=0.22, tolerance=0.22, wobble=0.08))
    canvas.paint(picture, flow, Brush(8, 26, 6, hue=0.045, bristle=0.25, tolerance=0.14, wobble=0.12))
    detail = np.clip(ndimage.gaussian_gradient_magnitude(picture.mean(axis=-1), 1.5) * 26, 0, 1)
    canvas.paint(picture, flow, Brush(3.6, 13, 2.8, hue=0.03, bristle=0.2, tolerance=0.10, wobble=0.1), where=detail)
    picture = canvas.colour
    border = ndimage.morphological_gradient(facet, size=3) > 0
    near = ndimage.distance_transform_edt(~border)
    picture = picture * (1 - 0.7 * np.exp(-((near / 1.6) ** 2)) * (0.6 + 0.4 * noise(shape, 25, rng)))[..., None]
    picture = over(picture, rgb("f3e6c8"), np.exp(-(((near - 5) / 2.2) ** 2)) * 0.20 * smoothstep(0.4, 0.7, noise(shape, 60, rng)))
    weave = np.sin(np.arange(shape[1]) * 2.1)[None] + np.sin(np.arange(shape[0]) * 2.1)[:, None]
    return lit(picture, ndimage.gaussian_filter(canvas.height, 0.7) + 0.05 * weave, 1.2)


def geometry(rng: np.random.Generator) -> Field:
    """Circles, wedges and lines in balance, coloured by hand on cream."""
    width, height, zoom = 736, 576, 3
    y, x = grid((height, width))
    base = ramp(noise((height, width), 170, rng), "efe0bd", "f6ecd2", "e9d9c4")
    for cy, cx, size, code in [(0.2, 0.25, 0.3, "f3c65a"), (0.6, 0.75, 0.3, "a9c9d8"), (0.65, 0.2, 0.25, "e8b0a0")]:
        base = multiply(base, rgb(code), np.exp(-(np.hypot(y - cy, x - cx) ** 2) / size**2) * 0.55)
    image = Image.fromarray((base * 255).astype(np.uint8)).resize((width * zoom, height * zoom), Image.Resampling.BICUBIC)
    ink = ["1a1a22", "c7281f", "f0b41c", "1f4fa3", "2f8f6f", "e8702a", "6a3a8f", "f6efe0", "e88aa0", "59b6c9"]

    def put(draw_shape: object, alpha: float, colour: str) -> None:
        mask = Image.new("L", image.size, 0)
        draw_shape(ImageDraw.Draw(mask))  # type: ignore[operator]
        image.paste(Image.new("RGB", image.size, f"#{colour}"), mask=mask.point(lambda v: int(v * alpha)))

    def ring(cx: float, cy: float, radii: list[float], colours: list[str], alpha: float = 0.95) -> None:
        for r, colour in zip(radii, colours, strict=True):
            box = [(cx - r) * zoom, (cy - r) * zoom, (cx + r) * zoom, (cy + r) * zoom]
            put(lambda d, box=box: d.ellipse(box, fill=255), alpha, colour)

    def polygon(points: list[tuple[float, float]], colour: str, alpha: float) -> None:
        put(lambda d: d.polygon([(px * zoom, py * zoom) for px, py in points], fill=255), alpha, colour)

    def line(ax: float, ay: float, bx: float, by: float, thick: float, colour: str = "1a1a22") -> None:
        put(lambda d: d.line([ax * zoom, ay * zoom, bx * zoom, by * zoom], fill=255, width=int(thick * zoom)), 1.0, colour)

    polygon([(60, 560), (330, 60), (420, 560)], "f0b41c", 0.55)
    polygon([(300, 30), (700, 250), (380, 330)], "59b6c9", 0.6)
    polygon([(430, 560), (700, 330), (730, 560)], "c7281f", 0.7)
    ring(190, 165, [118, 96, 92, 60, 34, 14], ["1a1a22", "e8b0a0", "6a3a8f", "c7281f", "f0b41c", "1a1a22"])
    ring(560, 400, [84, 78, 52, 26], ["1f4fa3", "f6efe0", "e8702a", "1a1a22"])
    ring(430, 170, [46, 30], ["2f8f6f", "f6efe0"])
    ring(640, 110, [38, 33, 16], ["1a1a22", "f0b41c", "c7281f"])
    ring(95, 430, [50, 44, 20], ["1a1a22", "59b6c9", "1f4fa3"])
    for _ in range(22):
        ring(rng.uniform(20, 716), rng.uniform(20, 556), [r := rng.uniform(4, 17), r * 0.5], [str(c) for c in rng.choice(ink, 2)], 0.9)
    for k in range(7):
        line(330 + k * 17, 350 + k * 5, 290 + k * 30, 520 - k * 9, 2.2)
    for k in range(9):
        line(455, 30 + k * 9, 600 - k * 9, 20 + k * 22, 1.6)
    for ax, ay, bx, by, thick in [
        (20, 330, 716, 90, 5),
        (250, 20, 470, 556, 7),
        (30, 60, 330, 540, 2.5),
        (360, 470, 720, 200, 3.5),
        (20, 500, 300, 470, 4),
    ]:
        line(ax, ay, bx, by, thick)
    for row in range(4):
        for column in range(6):
            if (row + column) % 2 == 0:
                corner = (590 + column * 17 - row * 6, 210 + row * 17 + column * 5)
                polygon(
                    [corner, (corner[0] + 17, corner[1] + 5), (corner[0] + 11, corner[1] + 22), (corner[0] - 6, corner[1] + 17)],
                    str(rng.choice(ink)),
                    0.92,
                )
    for start, end, r, thick, colour in [
        (200, 340, 70, 6, "1a1a22"),
        (190, 350, 88, 4, "c7281f"),
        (20, 160, 120, 8, "1f4fa3"),
        (30, 150, 138, 3, "1a1a22"),
    ]:
        box = [(300 - r) * zoom, (440 - r) * zoom, (300 + r) * zoom, (440 + r) * zoom]
        put(lambda d, a=start, b=end, box=box, w=thick: d.arc(box, a, b, fill=255, width=w * zoom), 1.0, colour)
    picture = np.asarray(image.resize((width, height), Image.Resampling.LANCZOS), float) / 255
    chalk = noise((height, width), 3, rng, 2)
    cloud = noise((height, width), 45, rng, 4)
    colourful = np.ptp(picture, axis=-1)
    picture = np.clip(picture * (1 + (0.34 * (cloud - 0.5) + 0.16 * (chalk - 0.5)) * (0.3 + colourful))[..., None], 0, 1)
    return lit(picture, chalk * 0.9 + ndimage.gaussian_filter(picture.mean(axis=-1), 1) * 2, 0.8)


def tapestry(rng: np.random.Generator) -> Field:
    """A woven hanging: diamonds, birds and borders in dyed wool."""
    rows, columns, pitch = 116, 116, 6
    y, x = np.mgrid[:rows, :columns]
    cy, cx = np.abs(y - (rows - 1) / 2), np.abs(x - (columns - 1) / 2)
    madder, indigo, ochre, cream, moss, dark, rose = (
        rgb(c) for c in ("9a2b23", "1f3560", "d09a3a", "eadbb8", "4f6a3a", "2a1a18", "c9705a")
    )
    cloth = np.broadcast_to(madder, (rows, columns, 3)).copy()
    diamond = (cy * 0.8 + cx) % 28
    for low, high, colour in [
        (0, 4, indigo),
        (4, 6, cream),
        (6, 11, madder),
        (11, 13, ochre),
        (13, 18, moss),
        (18, 20, cream),
        (20, 23, rose),
        (23, 28, dark),
    ]:
        cloth[(diamond >= low) & (diamond < high)] = colour
    stepped = (np.abs((cx // 3) - (cy // 3)) % 6 == 0) & (cy < 44)
    cloth[stepped & (diamond > 6) & (diamond < 18)] = ochre
    bird = [
        "....##......",
        "...####.....",
        "..##.##....#",
        "#######...##",
        "..########..",
        "...#######..",
        "....#####...",
        ".....#.#....",
        "....##.##...",
    ]
    stamp = np.array([[c == "#" for c in row] for row in bird])
    for top, left, colour, flip in [
        (24, 12, cream, 0),
        (24, 92, cream, 1),
        (83, 12, ochre, 0),
        (83, 92, ochre, 1),
        (53, 30, indigo, 0),
        (53, 74, indigo, 1),
    ]:
        region = cloth[top - 3 : top + 12, left - 2 : left + 14]
        region[:] = np.where(np.broadcast_to(np.all(colour == indigo), region.shape), cream, indigo)
        cloth[top : top + 9, left : left + 12][stamp[:, ::-1] if flip else stamp] = colour
    edge = np.minimum(np.minimum(y, rows - 1 - y), np.minimum(x, columns - 1 - x))
    cloth[edge < 11] = dark
    cloth[(edge >= 9) & (edge < 11)] = ochre
    cloth[(edge >= 2) & (edge < 9) & (((x + y) // 4) % 3 == 0)] = madder
    cloth[(edge >= 2) & (edge < 9) & (((x - y) // 4) % 3 == 1)] = cream
    cloth[(edge >= 4) & (edge < 7) & ((x // 3 + y // 3) % 2 == 0)] = indigo
    cloth[edge < 2] = ochre
    # Dye takes unevenly: bands along the weft, and every knot a little different.
    dyed = cloth * (0.86 + 0.28 * noise((rows, columns), 5, rng, 2, stretch=12))[..., None] + rng.normal(0, 0.025, cloth.shape)
    big = np.kron(np.clip(dyed, 0, 1), np.ones((pitch, pitch, 1)))
    shape = big.shape[:2]
    py, px = np.mgrid[: shape[0], : shape[1]].astype(float)
    sway = 2.2 * (noise(shape, 80, rng, 2) - 0.5), 2.2 * (noise(shape, 80, rng, 2) - 0.5)
    big = displaced(big, sway[0] * 2 + 0.6 * np.sin(px / pitch * np.pi), sway[1] * 2)
    weft = np.abs(np.sin((py + sway[0] * 2 + (px // pitch % 2) * pitch / 2) / pitch * np.pi))
    warp = np.abs(np.sin((px + sway[1] * 2) / pitch * np.pi))
    fibre = noise(shape, 2.2, rng, 2, stretch=2)
    height = ndimage.gaussian_filter(weft**0.6 * 2.2 + warp**0.5 * 1.6 + fibre * 1.1, 0.5)
    shaded = big * (0.45 + 0.40 * weft**0.7 + 0.30 * warp**0.6)[..., None] * (0.86 + 0.28 * fibre)[..., None]
    return lit(np.clip(shaded * 1.12, 0, 1), height, 0.9, gloss=0.05)
