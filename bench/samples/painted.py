"""Sample paintings made of brush strokes: night sky, sunset, poppies, pointillism."""

from __future__ import annotations

import numpy as np
from fields import Field, grid, lit, noise, over, ramp, rgb, smoothstep
from scipy import ndimage
from strokes import Brush, Canvas


def _vortex(y: Field, x: Field, centres: list[tuple[float, float, float, float]], base: Field) -> Field:
    """Angle of a flow of ``base`` direction turned round each centre (y, x, radius, spin)."""
    fy, fx = np.sin(base), np.cos(base)
    for cy, cx, radius, spin in centres:
        dy, dx = y - cy, x - cx
        pull = spin * np.exp(-(dy**2 + dx**2) / radius**2) * 3
        distance = np.sqrt(dy**2 + dx**2) + 1e-6
        fy, fx = fy + pull * dx / distance, fx - pull * dy / distance
    return np.arctan2(fy, fx)


def night(rng: np.random.Generator) -> Field:
    """A swirling night over a village: thick strokes that follow the wind."""
    shape = (608, 768)
    y, x = grid(shape)
    swirls = [(0.27, 0.42, 0.13, 1.6), (0.36, 0.62, 0.10, -1.5), (0.14, 0.20, 0.07, 1.3), (0.14, 0.84, 0.12, 1.5), (0.10, 0.57, 0.06, 1.2)]
    flow = _vortex(y, x, swirls, 0.25 * np.sin(x * 9) + 0.5 * (noise(shape, 180, rng, 2) - 0.5))
    bands = noise(shape, 46, rng, 3)
    for _ in range(14):  # smear the noise along the wind so that the colour runs in streams
        bands = (
            ndimage.map_coordinates(
                bands,
                [np.mgrid[: shape[0], : shape[1]][0] + 5 * np.sin(flow), np.mgrid[: shape[0], : shape[1]][1] + 5 * np.cos(flow)],
                order=1,
                mode="reflect",
            )
            * 0.75
            + bands * 0.25
        )
    bands = (bands - bands.min()) / np.ptp(bands)
    sky = ramp(bands * 0.85 + 0.25 * y, "0b1a4a", "14347f", "1f5aa8", "4d8fc4", "a9cfd0", "e9e6b0")
    for cy, cx, size, warm in [
        (0.14, 0.84, 0.085, 1.0),
        (0.14, 0.20, 0.045, 0.7),
        (0.10, 0.57, 0.036, 0.6),
        (0.24, 0.10, 0.03, 0.5),
        (0.07, 0.36, 0.026, 0.5),
        (0.25, 0.735, 0.032, 0.6),
        (0.38, 0.92, 0.03, 0.6),
        (0.40, 0.27, 0.028, 0.7),
    ]:
        distance = np.hypot(y - cy, x - cx)
        halo = 0.5 + 0.5 * np.cos(distance / size * 5.5)
        sky = over(sky, ramp(halo, "6fa8c8", "f2d75c"), np.exp(-((distance / size / 1.5) ** 2)) * 0.9)
        sky = over(sky, rgb("fff3b8") if warm < 0.9 else rgb("ffb930"), smoothstep(size * 0.62, size * 0.34, distance))
    picture = sky
    for level, colour, light in [(0.505, "27508f", "5c8fb5"), (0.56, "1b3f73", "3f7a86"), (0.625, "12343f", "2f6a57")]:
        crest = level + 0.04 * np.sin(x * 7 + level * 40) + 0.02 * np.sin(x * 17 + level * 90)
        inside = smoothstep(crest - 0.003, crest + 0.003, y)
        picture = over(picture, ramp(noise(shape, 40, rng, 3), colour, light), inside)
        slope = np.arctan2(0.28 * np.cos(x * 7 + level * 40) + 0.34 * np.cos(x * 17 + level * 90), 1.0)
        flow = np.where(inside > 0.5, slope, flow)
    for _ in range(46):
        hx, hy = rng.uniform(0.3, 1.0), rng.uniform(0.66, 0.76)
        w, h = rng.uniform(0.014, 0.026), rng.uniform(0.016, 0.03)
        wall = (np.abs(x - hx) < w) & (np.abs(y - hy) < h / 2)
        roof = (y < hy - h / 2) & (y > hy - h / 2 - w * 0.9) & (np.abs(x - hx) < (y - (hy - h / 2 - w * 0.9)) * 1.2)
        picture = over(picture, rgb(rng.choice(["2a4468", "35506f", "1f3557", "476a80"])), wall * 1.0)
        picture = over(picture, rgb(rng.choice(["16233d", "7a3b2c", "39415f", "0f1b33"])), roof * 1.0)
        if rng.random() < 0.7:
            lamp = (np.abs(x - hx) < w * 0.3) & (np.abs(y - hy) < h * 0.25)
            picture = over(picture, rgb("ffcf4a"), lamp * 1.0)
    trunk = 0.135 + 0.012 * np.sin(y * 22)
    reach = np.clip((y - 0.08) * 0.16, 0, 0.075) * (1 + 0.25 * np.sin(y * 60 + x * 30))
    tree = smoothstep(0.004, -0.004, np.abs(x - trunk) - reach)
    picture = over(picture, ramp(noise(shape, 22, rng, 3, stretch=0.4), "06140f", "123322", "3b5a2a", "5b4a1e"), tree)
    flow = np.where(tree > 0.5, np.pi / 2 + 0.5 * np.sin(y * 45 + x * 25), flow)
    canvas = Canvas(np.broadcast_to(rgb("24365a"), (*shape, 3)), rng)
    canvas.paint(picture, flow, Brush(22, 80, 10, hue=0.04, tolerance=0.4))
    canvas.paint(picture, flow, Brush(10, 46, 6.5, hue=0.045, tolerance=0.25))
    detail = np.clip(ndimage.gaussian_gradient_magnitude(picture.mean(axis=-1), 2) * 28, 0.25, 1)
    canvas.paint(picture, flow, Brush(5.5, 26, 4.2, hue=0.05, tolerance=0.2, relief=1.2), where=detail)
    return lit(canvas.colour, ndimage.gaussian_filter(canvas.height, 0.6), 1.5)


def sunset(rng: np.random.Generator) -> Field:
    """A sun going down over the sea, laid on with a palette knife."""
    shape = (576, 768)
    y, x = grid(shape)
    horizon = 0.43
    clouds = noise(shape, 120, rng, 4, stretch=3.0)
    sky = ramp(y / horizon + 0.35 * (clouds - 0.5), "2b2a66", "6d3b7e", "c2487a", "f0674f", "fb9d3f", "ffd76a")
    sky = over(sky, ramp(clouds, "4b2f6b", "ff8f5a"), smoothstep(0.55, 0.8, clouds) * 0.8)
    distance = np.hypot(y - 0.345, x - 0.6)
    sky = over(sky, rgb("ffe9a0"), np.exp(-((distance / 0.15) ** 2)) * 0.85)
    sky = over(sky, rgb("fffbe2"), smoothstep(0.06, 0.052, distance))
    depth = np.clip((y - horizon) / (0.75 - horizon), 0, 1)
    waves = noise(shape, 26, rng, 3, stretch=6.0)
    sea = ramp(depth * 0.8 + 0.45 * (waves - 0.5), "e8795a", "a34a72", "4d3f85", "223a70", "0e2149")
    glitter = np.exp(-(((x - 0.6) / (0.035 + 0.16 * depth)) ** 2)) * smoothstep(0.42, 0.62, waves)
    sea = over(sea, ramp(depth, "fff0b0", "ffb04a"), glitter)
    picture = over(sky, sea, smoothstep(horizon - 0.002, horizon + 0.002, y))
    headland = horizon - 0.055 * np.exp(-(((x - 0.12) / 0.17) ** 2)) - 0.015 * np.sin(x * 30) * (x < 0.33)
    land = ((y > headland) & (y < horizon + 0.012) & (x < 0.37)) * 1.0
    picture = over(picture, ramp(noise(shape, 20, rng), "1b1436", "43285c", "7a3a5e"), land)
    for sx, size in [(0.78, 0.075), (0.87, 0.045), (0.475, 0.035)]:
        foot = horizon + 0.03 + size * 0.35
        sail = (y < foot) & (y > foot - size * 1.5) & (x > sx) & (x < sx + (y - foot + size * 1.5) * 0.45)
        jib = (y < foot) & (y > foot - size * 1.2) & (x < sx - 0.003) & (x > sx - (y - foot + size * 1.2) * 0.35)
        hull = (y >= foot) & (y < foot + size * 0.2) & (np.abs(x - sx) < size * 0.55 - (y - foot))
        picture = over(picture, rgb("fff2d8"), sail * 1.0)
        picture = over(picture, rgb("f6b27a"), jib * 1.0)
        picture = over(picture, rgb("2a1230"), hull * 1.0)
    flow = np.where(y > horizon, 0.06 * np.sin(x * 20 + y * 40), 0.5 * (noise(shape, 160, rng, 2) - 0.5) - 0.25)
    canvas = Canvas(np.broadcast_to(rgb("8a3f4a"), (*shape, 3)), rng)
    canvas.paint(picture, flow, Brush(34, 84, 15, hue=0.045, bristle=0.14, dryness=0.5, tolerance=0.45, wobble=0.35, flat=True, relief=1.6))
    canvas.paint(picture, flow, Brush(18, 50, 10, hue=0.05, bristle=0.14, dryness=0.5, tolerance=0.25, wobble=0.3, flat=True, relief=1.5))
    detail = np.clip(ndimage.gaussian_gradient_magnitude(picture.mean(axis=-1), 2) * 24, 0.06, 1)
    canvas.paint(
        picture,
        flow,
        Brush(8, 26, 5, hue=0.04, bristle=0.15, dryness=0.45, tolerance=0.18, wobble=0.2, flat=True, relief=1.3),
        where=detail,
    )
    return lit(canvas.colour, ndimage.gaussian_filter(canvas.height, 0.7), 1.8, gloss=0.25)


def poppies(rng: np.random.Generator) -> Field:
    """A summer meadow of poppies in short broken strokes."""
    shape = (576, 768)
    y, x = grid(shape)
    clouds = noise(shape, 130, rng, 4, stretch=1.8)
    sky = over(ramp(y / 0.3, "6f9fd0", "a9c9e2", "e6e3d6"), rgb("fbf6ea"), smoothstep(0.5, 0.78, clouds) * 0.9)
    hills = 0.27 + 0.03 * np.sin(x * 6 + 1) + 0.012 * np.sin(x * 19)
    picture = over(sky, ramp(noise(shape, 30, rng), "5a7fa0", "7f9fa5", "8fae8f"), smoothstep(hills - 0.003, hills + 0.003, y))
    trees = 0.315 - 0.06 * noise((1, shape[1]), 70, rng, 4)[0][None] * np.ones(shape)
    picture = over(
        picture,
        ramp(noise(shape, 24, rng) * 0.8 + (y - trees) * 2, "8aa64f", "4d7a3a", "24503a", "1b3a44"),
        smoothstep(trees - 0.003, trees + 0.003, y),
    )
    field = 0.335 + 0.012 * np.sin(x * 5)
    near = np.clip((y - field) / 0.42, 0, 1)
    grass = ramp(noise(shape, 40, rng, 4, stretch=2) * 0.6 + 0.4 * (1 - near), "1f4a2c", "4a7d34", "86a944", "c9c564", "e4d98a")
    picture = over(picture, grass, smoothstep(field - 0.002, field + 0.002, y))
    flow = np.where(y > field, np.pi / 2 + 0.7 * (noise(shape, 60, rng, 2) - 0.5) + 0.25, 0.9 * (noise(shape, 120, rng, 2) - 0.5))
    canvas = Canvas(np.broadcast_to(rgb("b9a878"), (*shape, 3)), rng)
    canvas.paint(picture, flow, Brush(24, 44, 11, hue=0.05, tolerance=0.5, wobble=0.4))
    canvas.paint(picture, flow, Brush(10, 30, 6.5, hue=0.04, tolerance=0.3, wobble=0.35))
    canvas.paint(picture, flow, Brush(5, 22, 5, hue=0.05, tolerance=0.3, wobble=0.4), where=np.clip(0.2 + near, 0, 0.9))
    patches = noise(shape, 110, rng, 3, stretch=2.2)
    for _ in range(4200):
        py = field.min() + 0.41 * rng.random() ** 1.2
        px = rng.uniform(0, 1)
        iy, ix = min(int(py * 768), shape[0] - 1), min(int(px * 768), shape[1] - 1)
        if y[iy, ix] < field[iy, ix] + 0.008 or patches[iy, ix] < 0.38 + 0.25 * rng.random():
            continue
        size = 2.5 + 13 * near[iy, ix] * rng.uniform(0.6, 1.2)
        colour = rgb(
            rng.choice(["e0301e", "c81d25", "f2512d", "f47b4a", "a8141f", "f6a0a0", "5a6fc4"], p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.05, 0.05])
        )
        for _ in range(3 if size > 6 else 1):
            angle = rng.uniform(-0.7, 0.7)
            ahead = np.array([np.sin(angle), np.cos(angle)]) * size * 0.45
            spot = np.array([iy, ix]) + rng.normal(0, size * 0.18, 2)
            canvas.stroke(
                np.stack([spot - ahead, spot - [size * 0.12, 0], spot + ahead]),
                np.clip(colour + rng.normal(0, 0.04), 0, 1),
                Brush(size * 0.7, size, 1, bristle=0.3, dryness=0.2, relief=1.5),
            )
        if size > 8:
            canvas.stroke(np.stack([spot, spot + 1.2]), rgb("1d1420"), Brush(size * 0.22, 2, 1, dryness=0.0))
    return lit(canvas.colour, ndimage.gaussian_filter(canvas.height, 0.6), 1.3)


def pointillism(rng: np.random.Generator) -> Field:
    """A river bank in dots of pure colour, each shadow answered by its complement."""
    shape = (576, 768)
    y, x = grid(shape)
    sky = ramp(y / 0.32, "7fa6d8", "b9cfe6", "f5dfc0", "f7c99a")
    bank = 0.30 + 0.012 * np.sin(x * 9)
    water = ramp((y - 0.3) / 0.25 + 0.18 * (noise(shape, 16, rng, 2, stretch=5) - 0.5), "e8cfae", "9dbcd6", "4f86c0", "2f5aa0")
    picture = over(sky, water, smoothstep(bank - 0.002, bank + 0.002, y))
    far = 0.30 - 0.05 * noise((1, shape[1]), 80, rng, 4)[0][None] * np.ones(shape)
    picture = over(picture, ramp(noise(shape, 30, rng), "6f7fb8", "6f9f7f", "a8b86a"), ((y > far) & (y < bank)) * 1.0)
    shore = 0.50 + 0.17 * x - 0.06 * np.sin(x * 4)
    shade = 0.9 * smoothstep(0.58, 0.72, noise(shape, 70, rng, 3, stretch=3.0))
    lawn = ramp(1 - shade, "3a5f86", "3f8a56", "7fae4a", "b9c860")
    picture = over(picture, lawn, smoothstep(shore - 0.002, shore + 0.002, y))
    for tx, base, size in [(0.87, 0.66, 0.27), (0.70, 0.62, 0.16), (0.99, 0.6, 0.2)]:
        stem = (np.abs(x - tx - 0.012 * np.sin(y * 16)) < size * 0.055) & (y < base) & (y > base - size * 1.6)
        picture = over(picture, rgb("4a3560"), stem * 1.0)
        crown = np.hypot((x - tx) / 1.0, (y - base + size * 1.6) / 0.85) + 0.09 * (noise(shape, 40, rng, 3) - 0.5)
        leaf = ramp(
            0.55 + (tx - x) * 1.6 + 0.7 * (noise(shape, 26, rng) - 0.5) - (y - base + size * 1.6), "27406f", "2f6f4f", "6fa046", "d9cf62"
        )
        picture = over(picture, leaf, smoothstep(size * 0.95, size * 0.9, crown))
    for sx, sy, size in [(0.2, 0.40, 0.1), (0.43, 0.36, 0.06), (0.08, 0.345, 0.035)]:
        sail = (y < sy) & (y > sy - size * 1.7) & (x > sx) & (x < sx + (y - sy + size * 1.7) * 0.5)
        hull = (y >= sy) & (y < sy + size * 0.18) & (np.abs(x - sx - size * 0.2) < size * 0.6)
        mirror = (y > sy + size * 0.2) & (y < sy + size * 1.3) & (np.abs(x - sx - size * 0.25) < size * 0.3)
        picture = over(picture, rgb("fdf3dc"), sail * 1.0)
        picture = over(picture, rgb("8a3340"), hull * 1.0)
        picture = over(picture, rgb("f4e6cc"), mirror * 0.55)
    for fx, fy, size, dress in [(0.33, 0.64, 0.075, "c2405a"), (0.40, 0.65, 0.07, "33408a"), (0.57, 0.62, 0.05, "e8a03f")]:
        skirt = (y > fy - size * 0.3) & (y < fy + size) & (np.abs(x - fx) < 0.16 * size + (y - fy + size * 0.3) * 0.3)
        head = np.hypot(x - fx, y - fy + size * 0.5) < size * 0.17
        parasol = (np.hypot((x - fx - size * 0.2) / 1.2, y - fy + size * 0.62) < size * 0.5) & (y < fy - size * 0.62)
        shadow = (np.abs(y - fy - size) < size * 0.1) & (x > fx - size * 1.3) & (x < fx + size * 0.2)
        picture = over(picture, rgb("2c4a86"), shadow * 0.8)
        picture = over(picture, rgb(dress), skirt * 1.0)
        picture = over(picture, rgb("f0c09a"), head * 1.0)
        picture = over(picture, rgb("e85a3a"), parasol * 1.0)
    canvas = Canvas(np.broadcast_to(rgb("efe3c8"), (*shape, 3)), rng)
    still = np.zeros(shape)
    for width, spacing, hue in [(8.5, 5.5, 0.05), (6.5, 4.6, 0.09), (5.2, 4.8, 0.13)]:
        vivid = np.clip(picture + (picture - picture.mean(axis=-1, keepdims=True)) * 0.45, 0, 1)
        canvas.paint(vivid, still, Brush(width, 1.0, spacing, hue=hue, bristle=0.12, dryness=0.05, wobble=3.0, relief=1.4))
    grey = picture.mean(axis=-1)
    answer = np.where((grey < 0.5)[..., None], rgb("3a4fd0"), rgb("ff9a3c"))
    answer = over(answer, rgb("e85a8a"), smoothstep(0.55, 0.6, noise(shape, 25, rng)))
    canvas.paint(answer, still, Brush(4.6, 1.0, 11, hue=0.06, dryness=0.05, wobble=3.0, relief=1.4))
    return lit(canvas.colour, ndimage.gaussian_filter(canvas.height, 0.7), 1.0)
