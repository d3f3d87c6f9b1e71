"""Sample pictures of ink, water and chalk: marbling, watercolour, charcoal hatching, autumn gouache."""

from __future__ import annotations

import numpy as np
from fields import Field, displaced, grid, lit, multiply, noise, over, ramp, rgb, smoothstep
from scipy import ndimage


def marbling(rng: np.random.Generator) -> Field:
    """Ebru: drops of ink on water, combed into feathers.

    Drops and tine lines move the surface as in Lu, Jaffer, Jin, Zhao and Mao, "Mathematical
    marbling" (2012); here each pixel is traced backwards from the finished sheet.
    """
    shape = (704, 704)
    zoom = 2
    py, px = np.mgrid[: shape[0] * zoom, : shape[1] * zoom].astype(float) / zoom
    inks = ["f3ead6", "14264f", "c8372d", "e9a93a", "1f7a78", "f3ead6", "7a2440", "2f5fa8"]
    steps: list[tuple[str, tuple[float, ...]]] = []
    for ring in range(240):
        spot = rng.uniform(-40, 744, 2)
        steps.append(("drop", (spot[0], spot[1], rng.uniform(26, 70) * (1 - ring / 420), float(rng.integers(len(inks))))))
    steps += [("tine", (0.0, 30 + k * 60, 150 * (-1) ** k, 13)) for k in range(12)]
    steps += [("tine", (1.0, 15 + k * 30, 46, 7)) for k in range(24)]
    steps += [("swirl", (*rng.uniform(110, 600, 2), rng.uniform(50, 95), 190 * rng.choice([-1, 1]))) for _ in range(5)]
    for _ in range(20):
        spot = rng.uniform(0, 704, 2)
        steps.append(("drop", (spot[0], spot[1], rng.uniform(4, 15), float(rng.integers(len(inks))))))
    ink = np.full(py.shape, -1)
    for kind, numbers in reversed(steps):
        if kind == "drop":
            cy, cx, r, which = numbers
            dy, dx = py - cy, px - cx
            distance = np.hypot(dy, dx) + 1e-9
            ink = np.where((ink < 0) & (distance < r), int(which), ink)
            back = np.sqrt(np.maximum(distance**2 - r * r, 0)) / distance
            py, px = cy + dy * back, cx + dx * back
        elif kind == "tine":
            across, at, pull, width = numbers
            bend = 6 * np.sin((py if across == 0 else px) / 50)
            if across == 0:
                py = py - pull * width / (np.abs(px - at + bend) + width)
            else:
                px = px - pull * width / (np.abs(py - at + bend) + width)
        else:
            cy, cx, r, pull = numbers
            dy, dx = py - cy, px - cx
            distance = np.hypot(dy, dx) + 1e-9
            turn = -pull * np.exp(-np.abs(distance - r) / 22) / np.maximum(distance, 14)
            py = cy + dy * np.cos(turn) - dx * np.sin(turn)
            px = cx + dy * np.sin(turn) + dx * np.cos(turn)
    colours = np.array([rgb(code) for code in [*inks, "24406f"]])
    big = colours[ink]
    picture = big.reshape(shape[0], zoom, shape[1], zoom, 3).mean(axis=(1, 3))
    pooled = noise(shape, 90, rng, 4)
    speck = noise(shape, 3, rng, 2)
    picture = np.clip(picture * (0.86 + 0.24 * pooled + 0.10 * speck)[..., None], 0, 1)
    rim = ndimage.gaussian_gradient_magnitude(picture.mean(axis=-1), 1.0)
    picture = picture * (1 - np.clip(rim * 1.2, 0, 0.25))[..., None]
    return lit(picture, noise(shape, 4, rng, 2) * 1.4, 0.7, gloss=0.05)


def _wash(picture: Field, inside: Field, colour: Field, rng: np.random.Generator, strength: float = 0.7) -> Field:
    """Lay one transparent wash on ``inside`` (signed: above 0 within, in pixels): dark rim, granulation, back-runs."""
    shape = inside.shape
    ragged = inside + 7 * (noise(shape, 34, rng, 5, gain=0.6) - 0.5) + 2.0 * (noise(shape, 5, rng, 2) - 0.5)
    body = smoothstep(-0.6, 1.4, ragged)
    rim = np.exp(-(((ragged - 1.8) / 1.8) ** 2)) * 0.42
    flow = noise(shape, 70, rng, 5, gain=0.6)
    bloom = np.exp(-((((flow * 5) % 1 - 0.5) / 0.07) ** 2)) * 0.10
    grain = noise(shape, 2.5, rng, 3)
    amount = strength * body * np.clip(0.30 + 0.75 * flow + rim + bloom + 0.25 * (grain - 0.5), 0, 1.25)
    return multiply(picture, colour, np.clip(amount, 0, 1))


def watercolour(rng: np.random.Generator) -> Field:
    """Misty mountains over a lake, wash upon wash on rough paper."""
    shape = (576, 768)
    y, x = grid(shape)
    size = max(shape)
    tooth = noise(shape, 4.5, rng, 3)
    picture = ramp(tooth * 0.6 + 0.2, "f3eee2", "fdfbf4")
    picture = multiply(
        picture,
        ramp(y / 0.4 + 0.3 * (noise(shape, 150, rng, 4) - 0.5), "6fa0cf", "b7cfe0", "f6d9b8", "f4b98f"),
        0.8 * noise(shape, 140, rng, 4) ** 0.8,
    )
    sun = 0.055 - np.hypot(y - 0.13, x - 0.64)
    picture = _wash(picture, sun * size, rgb("f58a3c"), rng, 0.75)
    shore = 0.52
    for level, rough, colour, strength in [
        (0.30, 0.10, "9ab4f0", 0.60),
        (0.36, 0.10, "7f8ff0", 0.66),
        (0.42, 0.09, "3fa8b8", 0.72),
        (0.47, 0.06, "1f7f9a", 0.80),
    ]:
        crest = level - rough * (noise((1, shape[1]), 170, rng, 6, gain=0.55)[0] - 0.35)
        fade = np.clip(1.15 - (y - crest) / (shore - level) * 0.75, 0.15, 1)
        layer = _wash(picture, np.minimum(y - crest, shore - y + 0.004) * size, rgb(colour), rng, strength)
        picture = over(picture, layer, fade)
    lake = noise(shape, 14, rng, 3, stretch=9)
    reflected = picture[np.clip((2 * shore * size - np.mgrid[: shape[0], : shape[1]][0]).astype(int), 0, shape[0] - 1), np.arange(shape[1])]
    reflected = displaced(reflected, 10 * (lake - 0.5), 22 * (lake - 0.5))
    below = smoothstep(shore, shore + 0.003, y)
    picture = over(picture, multiply(reflected, rgb("9fc4d6"), 0.35 + 0.5 * lake), below)
    picture = over(picture, rgb("fbf8ef"), below * smoothstep(0.80, 0.92, lake) * 0.8)
    bank = (y - 0.665 - 0.035 * noise((1, shape[1]), 120, rng, 4)[0] + 0.05 * np.exp(-(((x - 0.1) / 0.2) ** 2))) * size
    picture = _wash(picture, bank, rgb("8fb02f"), rng, 0.95)
    picture = _wash(picture, bank - 22, rgb("c08a2f"), rng, 0.7)
    for tx, base, tall in [(0.08, 0.70, 0.34), (0.135, 0.71, 0.27), (0.20, 0.72, 0.20), (0.90, 0.72, 0.25), (0.955, 0.73, 0.33)]:
        up = (base - y) / tall
        tiers = 0.5 + 0.5 * np.abs(((up * 8) % 1) - 0.1)
        crown = np.where((up > 0) & (up < 1), 0.21 * tall * (1 - up) * (1.45 - tiers) - np.abs(x - tx), -0.05) * size
        picture = _wash(picture, crown, rgb("1f7a5a"), rng, 0.92)
        picture = _wash(picture, crown - 4 - 90 * np.clip(tx - x + 0.004, 0, 1), rgb("2f7a9a"), rng, 0.5)
    for _ in range(130):
        sy, sx, r = rng.uniform(0.1, 0.74), rng.uniform(0, 1), min(rng.exponential(1.0) + 0.5, 4.0)
        colour = rgb(str(rng.choice(["c8553a", "4f6fa8", "5f7a33", "e0a03a"])))
        spot = smoothstep(r + 0.8, r - 0.5, np.hypot(y - sy, x - sx) * size)
        picture = multiply(picture, colour, spot * rng.uniform(0.2, 0.7))
    settled = 1 - 0.16 * (1 - picture.mean(axis=-1)) * (1 - tooth)
    # Pigment is brighter wet than the washes multiply to.
    grey = picture.mean(axis=-1, keepdims=True)
    picture = np.clip(grey + (picture - grey) * 1.55, 0, 1)
    return lit(picture * settled[..., None], tooth * 1.1, 0.8, gloss=0.0)


def _hatch(tone: Field, angle: Field | float, pitch: float, threshold: float, rng: np.random.Generator) -> Field:
    """Ink of one family of hand-drawn lines where ``tone`` (0 dark) is below ``threshold``; thicker in the dark."""
    shape = tone.shape
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    wander = 5 * (noise(shape, 90, rng, 3) - 0.5) + 1.2 * (noise(shape, 14, rng, 2) - 0.5)
    across = -x * np.sin(angle) + y * np.cos(angle) + wander
    along = x * np.cos(angle) + y * np.sin(angle)
    line = np.floor(across / pitch).astype(int)
    # Each line presses differently, and lifts now and then.
    press = rng.uniform(0.6, 1.15, 4096)[line % 4096]
    lift = np.sin(along / rng.uniform(30, 55) + rng.uniform(0, 7, 4096)[line % 4096] * 3)
    dark = np.clip((threshold - tone + 0.04 * lift) / 0.28, 0, 1)
    half = 0.5 * pitch * (0.16 + 0.46 * dark) * press
    gap = np.abs(across % pitch - pitch / 2)
    return smoothstep(half + 0.7, half - 0.5, gap) * smoothstep(0, 0.1, dark) * press


def charcoal(rng: np.random.Generator) -> Field:
    """A bare tree by an old mill, cross-hatched in charcoal and sanguine on toned paper."""
    shape = (640, 704)
    y, x = grid(shape)
    sky = 0.86 - 0.46 * smoothstep(0.35, 0.85, noise(shape, 110, rng, 4, stretch=1.8)) - 0.25 * (0.45 - y).clip(0)
    tone = sky.copy()
    hill = 0.60 + 0.05 * np.sin(x * 5 + 0.6) + 0.015 * np.sin(x * 13)
    tone = np.where(y > hill, 0.58 + 0.5 * (hill + 0.06 - y) + 0.22 * (noise(shape, 36, rng, 4, stretch=2.5) - 0.5), tone)
    tower = np.clip((y - 0.30) * 0.13 + 0.06, 0, 1)
    mill = (np.abs(x - 0.70) < tower) & (y > 0.33) & (y < 0.66)
    tone = np.where(mill, 0.72 - 0.55 * smoothstep(-0.9, 1.0, (x - 0.70) / tower), tone)
    cap = np.hypot((x - 0.70) / 0.085, (y - 0.335) / 0.07) < 1
    tone = np.where(cap & (y < 0.338), 0.14, tone)
    for wx, wy in [(0.68, 0.43), (0.71, 0.52)]:
        tone = np.where((np.abs(x - wx) < 0.012) & (np.abs(y - wy) < 0.02), 0.05, tone)
    tone = np.where((np.abs(x - 0.69) < 0.026) & (y > 0.59) & (y < 0.66), 0.03, tone)
    for blade in range(4):
        turn = 0.45 + blade * np.pi / 2
        u = (x - 0.69) * np.cos(turn) + (y - 0.325) * np.sin(turn)
        v = -(x - 0.69) * np.sin(turn) + (y - 0.325) * np.cos(turn)
        sail = (u > 0.045) & (u < 0.245) & (v > 0) & (v < 0.052)
        lattice = (np.abs((u * 60) % 1 - 0.5) > 0.36) | (np.abs((v * 75) % 1 - 0.5) > 0.36)
        tone = np.where(sail & lattice, 0.1, tone)
        tone = np.where((u > 0) & (u < 0.25) & (np.abs(v) < 0.005), 0.05, tone)
    path = np.abs(x - 0.55 - 0.35 * (y - 0.66) - 0.03 * np.sin(y * 30)) < 0.02 + 0.22 * (y - 0.64)
    tone = np.where(path & (y > 0.655), 0.88, tone)
    shadow = (y > hill) & (np.abs((y - 0.672) - (x - 0.79) * 0.12) < 0.022) & (x > 0.74)
    tone = np.where(shadow, 0.2, tone)

    def branch(ay: float, ax: float, heading: float, length: float, thick: float) -> None:
        nonlocal tone
        bend = heading + rng.normal(0, 0.18)
        by, bx = ay + length * np.sin(bend), ax + length * np.cos(bend)
        t = np.clip(((y - ay) * (by - ay) + (x - ax) * (bx - ax)) / (length**2), 0, 1)
        offset = (y - ay) * np.cos(bend) - (x - ax) * np.sin(bend)
        near = np.hypot(y - ay - t * (by - ay), x - ax - t * (bx - ax)) < thick * (1 - 0.35 * t)
        tone = np.where(near, np.clip(0.22 + offset / thick * 0.2, 0.02, 0.5), tone)
        if thick > 0.0011 and length > 0.012:
            for side in rng.choice([-1, 1], 2) if thick < 0.02 else (-1, 1, -0.2):
                branch(by, bx, bend + side * rng.uniform(0.25, 0.62), length * rng.uniform(0.68, 0.84), thick * rng.uniform(0.58, 0.72))

    branch(0.76, 0.24, -np.pi / 2 + 0.05, 0.22, 0.030)
    tone = ndimage.gaussian_filter(tone, 0.8)
    turning = np.where(mill, np.pi / 2 + (x - 0.70) * 2.5, np.where(y > hill, -0.15 + 0.25 * np.cos(x * 5 + 0.6), -0.75))
    paper = noise(shape, 3, rng, 3)
    laid = np.sin(y * 704 * 1.15) * 0.012
    sheet = ramp(noise(shape, 160, rng, 4), "d6c29a", "e3d3ae", "dccaa2") + laid[..., None] + 0.07 * (paper - 0.5)[..., None]
    catch = smoothstep(0.15, 0.6, paper)
    smudge = ndimage.gaussian_filter(1 - tone, 9) * 0.30
    picture = multiply(sheet, rgb("6a5a4a"), np.clip(smudge * (0.6 + 0.6 * noise(shape, 60, rng, 4)), 0, 1))
    rubbed = smoothstep(0.42, 0.05, tone) * 0.62 * (0.55 + 0.45 * catch)
    picture = multiply(picture, rgb("1c1816"), rubbed)
    strokes = [
        (turning, 7.0, 0.74, "8a3f24", 0.75),
        (turning + 0.55, 6.5, 0.56, "2b2522", 0.85),
        (turning - 0.75, 6.0, 0.42, "1c1816", 0.88),
        (turning + 1.5, 5.0, 0.27, "141110", 0.92),
        (turning + 0.2, 3.6, 0.16, "0e0c0c", 0.95),
    ]
    for angle, pitch, threshold, colour, weight in strokes:
        line = _hatch(tone, angle, pitch, threshold, rng)
        picture = multiply(picture, rgb(colour), line * weight * (0.35 + 0.65 * catch))
    contour = smoothstep(0.035, 0.1, ndimage.gaussian_gradient_magnitude(tone, 1.3)) * (0.5 + 0.5 * noise(shape, 20, rng))
    picture = multiply(picture, rgb("15110f"), contour * 0.85 * catch)
    chalk = _hatch(1 - tone, -0.5, 6.0, 0.13, rng)
    picture = over(picture, rgb("fbf5e6"), chalk * catch * 0.75)
    return np.clip(picture, 0, 1)


def autumn(rng: np.random.Generator) -> Field:
    """Fallen leaves in opaque gouache, each painted over the last."""
    shape = (704, 704)
    y, x = grid(shape)
    size = max(shape)
    dry = noise(shape, 10, rng, 4, stretch=4)
    picture = ramp(noise(shape, 120, rng, 4) * 0.7 + 0.3 * dry, "13302f", "1d4a45", "2f5f4f")
    height = dry * 1.5
    coats = [
        ("7a1f1a", "b5301f", "e0582f"),
        ("a8481a", "e07a22", "f6b04a"),
        ("b5801a", "e8b52f", "f8dc7a"),
        ("5a2a2a", "8a3f3a", "c27a5a"),
        ("3f4f1f", "7a8a2f", "b9b85a"),
        ("8a1f3f", "c23f4f", "f0907a"),
        ("c9a878", "e6cfa0", "f8ecd0"),
    ]
    for k in range(120):
        cy, cx = rng.uniform(-0.03, 1.03, 2)
        length = rng.uniform(0.07, 0.17) * (1.15 - 0.4 * k / 120)
        turn = rng.uniform(0, 2 * np.pi)
        reach = int(length * size * 1.25)
        rows = slice(max(int(cy * size) - reach, 0), min(int(cy * size) + reach, shape[0]))
        columns = slice(max(int(cx * size) - reach, 0), min(int(cx * size) + reach, shape[1]))
        if rows.stop <= rows.start or columns.stop <= columns.start:
            continue
        ly, lx = y[rows, columns] - cy, x[rows, columns] - cx
        u = (lx * np.cos(turn) + ly * np.sin(turn)) / length
        v = (-lx * np.sin(turn) + ly * np.cos(turn)) / length
        v = v + 0.10 * np.sin(u * 2.5 + k)
        kind = k % 4
        around = np.arctan2(v, u + 0.35)
        if kind == 0:  # beech: a pointed oval with fine teeth
            edge = 0.44 * np.sqrt(np.clip(1 - u * u, 0, 1)) * (1 - 0.25 * u) + 0.02 * np.abs(((u * 9) % 1) - 0.5) - np.abs(v)
        elif kind == 1:  # willow
            edge = 0.20 * np.clip(1 - u * u, 0, 1) - np.abs(v)
        elif kind == 2:  # maple: five lobes
            lobes = 0.52 + 0.36 * np.abs(np.cos(around * 2.5)) ** 1.6 + 0.06 * np.abs(np.cos(around * 12.5))
            edge = lobes * (1.12 - 0.28 * np.abs(around) / np.pi) - np.hypot(u + 0.35, v)
        else:  # oak: round lobes along the rib
            edge = (0.30 + 0.13 * np.cos(u * 14)) * np.sqrt(np.clip(1 - u * u, 0, 1)) - np.abs(v)
        inside = smoothstep(-0.008, 0.008, edge)
        dark, middle, light = coats[rng.integers(len(coats))]
        brushed = noise(u.shape, 5, rng, 3, stretch=6)
        shade = 0.45 + 0.30 * np.sign(v) * smoothstep(0.0, 0.03, np.abs(v)) + 0.6 * (brushed - 0.5) + 0.22 * u
        body = ramp(shade, dark, middle, light)
        if kind == 2:
            ribs = np.abs(np.sin(around * 2.5)) * np.hypot(u + 0.35, v)
        else:
            ribs = np.minimum(np.abs(v) * 1.4, np.abs(((u * 6 - np.abs(v) * 5) % 1) - 0.5) * 0.16 + 0.004)
        vein = smoothstep(0.016, 0.008, ribs) * smoothstep(0.0, 0.05, edge)
        body = over(body, rgb(light) * 0.6 + 0.4, vein * 0.75)
        body = over(body, rgb(dark) * 0.6, np.exp(-((edge / 0.022) ** 2)) * 0.7)
        cast = ndimage.shift(ndimage.gaussian_filter(inside, 5), (6, 5), order=1) * (1 - inside)
        region = picture[rows, columns] * (1 - 0.5 * cast)[..., None]
        cover = inside * smoothstep(0.02, 0.16, brushed + 0.1)
        stem = (np.abs(v) < 0.016) & (u < -0.8) & (u > -1.2) & (kind != 2)
        region = over(region, rgb(dark), stem * 1.0)
        picture[rows, columns] = over(region, body, cover)
        height[rows, columns] = height[rows, columns] * (1 - inside) + (brushed * 2.4 + 1.2 + vein) * inside
    for sy, sx in rng.uniform(0, 1, (150, 2)):
        drop = smoothstep(2.4, 1.2, np.hypot(y - sy, x - sx) * size / rng.uniform(0.5, 1.4))
        picture = over(picture, rgb(str(rng.choice(["f6d98a", "f8ecd0", "e07a22"]))), drop * 0.75)
    return lit(picture, ndimage.gaussian_filter(height, 0.7) + noise(shape, 3, rng, 2) * 0.8, 0.8, gloss=0.05)
