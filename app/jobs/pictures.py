"""Where the pictures of a job are stored."""

from __future__ import annotations

from typing import Literal

INPUTS: tuple[Literal["content", "style"], ...] = ("content", "style")


def folder(job_id: str) -> str:
    return f"jobs/{job_id}"


def key(job_id: str, name: str) -> str:
    return f"{folder(job_id)}/{name}"


def input_name(role: str) -> str:
    return f"{role}.png"


def thumbnail_name(role: str) -> str:
    return f"{role}-small.jpg"


def preview_name(attempt: int, number: int) -> str:
    return f"preview-{attempt}-{number:04d}.jpg"


def result_name(attempt: int) -> str:
    return f"result-{attempt}.png"
