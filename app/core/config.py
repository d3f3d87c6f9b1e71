"""Settings: one class, read from the environment (prefix ``PENTIMENTO_``), each with its help."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path

from platformdirs import user_cache_path
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="PENTIMENTO_", extra="ignore", frozen=True, hide_input_in_errors=True)

    # Places
    data_dir: Path = Field(Path("data"), description="Folder of the database, pictures, secret and the embedded broker.")
    cache: Path = Field(
        default_factory=lambda: user_cache_path("pentimento"), description="Folder of converted network weights, shared by checkouts."
    )
    artefacts: Path | None = Field(None, description="Folder of already downloaded package files, for machines with no network.")
    database_url: str | None = Field(None, description="SQLAlchemy URL; default: SQLite in the data folder.")
    redis_url: str | None = Field(None, description="Redis or Valkey URL; default: the embedded Valkey server of `pentimento serve`.")
    blobs_url: str | None = Field(None, description="fsspec URL for pictures, such as s3://bucket/prefix; default: the data folder.")

    secret: SecretStr | None = Field(None, min_length=32, description="Signs cookies; default: made at the first start in the data folder.")

    # Web
    host: str = Field("127.0.0.1", description="Address the web server listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port the web server listens on; 0 picks a free one.")
    secure_cookies: bool = Field(False, description="Mark cookies Secure; set it when the site is served over TLS.")
    password: SecretStr | None = Field(None, min_length=8, description="Password that everybody signs in with; default: nobody has to.")
    proxy_header: str | None = Field(
        None,
        pattern="^[A-Za-z0-9-]+$",
        description="Header in which a reverse proxy names who has signed in there; default: none is believed.",
    )
    proxy_addresses: str = Field(
        "127.0.0.1,::1", description="Addresses or networks of the reverse proxies whose headers are believed, with commas between."
    )
    max_connections: int = Field(1000, ge=10, description="Open connections, beyond which more are answered with 503.")
    max_address_connections: int = Field(
        200,
        ge=5,
        description="Open connections from one address, beyond which more are answered with 429; believed proxies have no such bound.",
    )
    max_streams: int = Field(20, ge=1, description="Event streams that one person may have open, beyond which more are answered with 429.")
    body_seconds: float = Field(20, gt=0, description="Silence in the middle of a request's body after which it is given up.")
    least_body_rate: float = Field(
        4000, ge=0, description="Bytes a second that a request's body has to bring; it may be ten seconds behind."
    )

    # Limits
    max_upload_mb: float = Field(25, gt=0, description="Largest accepted picture file, in megabytes.")
    max_megapixels: float = Field(50, gt=0, description="Largest accepted picture, in millions of pixels.")
    decode_seconds: float = Field(20, gt=0, description="Seconds that opening one picture may take, after which it is refused.")
    max_active_jobs: int = Field(20, ge=1, description="Jobs one person may have waiting or running.")
    max_active_verdicts: int = Field(50, ge=1, description="Pictures, given alone, that one person may have waiting for a verdict.")
    uploads_per_minute: int = Field(
        60, ge=0, description="Forms with pictures that one person, or newcomers from one address, may send within a minute; 0: any number."
    )
    max_forms: int = Field(48, ge=2, description="Forms with pictures that may be on their way in at once, beyond which more hear 503.")
    max_queue: int = Field(1000, ge=1, description="Jobs that may wait in all.")
    min_free_mb: float = Field(500, ge=0, description="Free disk space below which new jobs are refused.")
    undo_seconds: float = Field(600, ge=0, description="How long a deleted job can be brought back.")

    # Retention
    keep_days: int = Field(0, ge=0, description="Days after which finished pictures, verdicts and datasets are deleted; 0: never.")
    quota_gb: float = Field(
        0, ge=0, description="Gigabytes that stored pictures may take: over it, the oldest finished ones are deleted; 0: any number."
    )
    orphan_seconds: float = Field(3600, ge=0, description="Age at which a stored file that no row names is removed.")
    janitor_seconds: float = Field(600, gt=0, description="Time between two cleanings of the picture store.")

    # Lab
    max_archive_mb: float = Field(500, gt=0, description="Largest upload of a dataset, in megabytes; unpacked four times as much.")
    max_dataset_pictures: int = Field(5000, ge=1, description="Pictures one dataset may hold, stylised ones included.")
    max_lab_pictures: int = Field(20000, ge=1, description="Pictures that one person's datasets may hold in all.")
    max_experiments: int = Field(5, ge=1, description="Experiments one person may have waiting or running.")

    log_format: str = Field("text", pattern="^(text|json)$", description="Log lines as text, or as JSON objects.")

    # Workers
    lease_seconds: float = Field(30, gt=0, description="How long a claimed job stays claimed without a heartbeat.")
    heartbeat_seconds: float = Field(10, gt=0, description="Time between a worker's heartbeats.")
    sweep_seconds: float = Field(15, gt=0, description="Time between sweeps for expired leases and lost wake-ups.")
    checkpoint_seconds: float = Field(
        10, ge=0, description="Seconds of work that a killed painter's job may lose; one iteration, where that is longer."
    )
    stall_seconds: float = Field(300, gt=0, description="Time without progress after which a worker gives its job up.")
    hard_limit_seconds: float = Field(
        21600, gt=0, description="Time after which a worker that still has the same job is killed; a picture is ended some minutes before."
    )
    max_crashes: int = Field(
        3, ge=1, description="Lost leases after which a job is given up: ended with the picture of its last state, or failed."
    )
    preview_seconds: float = Field(0.5, ge=0, description="Least time between two preview pictures.")
    precision: str = Field("auto", pattern="^(auto|float32|bfloat16)$", description="Convolution precision: auto, float32 or bfloat16.")
    xla: str = Field("auto", pattern="^(auto|on|off)$", description="Compile the painting's graphs with XLA: auto (on a GPU), on or off.")
    first_gpu: int = Field(
        0,
        ge=0,
        description="Which of the GPUs shared out a worker's first process takes, from 0, its next the next; after the last comes the first.",
    )
    worker_memory_mb: int = Field(
        2500, ge=0, description="A worker process that has ever held more starts afresh after its job; 0: never, as GPU machines want."
    )
    warm_up: bool = Field(True, description="Load the networks when a worker starts rather than at its first job.")

    @field_validator("proxy_addresses")
    @classmethod
    def _are_addresses(cls, value: str) -> str:
        for one in value.split(","):
            ip_network(one.strip())
        return value

    @classmethod
    def is_confidential(cls, name: str) -> bool:
        """Tell whether the value may be a secret or hold a password, as addresses do: it is never shown."""
        field = cls.model_fields.get(name)
        return field is None or "SecretStr" in str(field.annotation) or name.endswith("_url")

    @property
    def data(self) -> Path:
        return self.data_dir.expanduser().resolve()

    @property
    def max_upload_bytes(self) -> int:
        return int(self.max_upload_mb * 1_000_000)

    @property
    def max_archive_bytes(self) -> int:
        return int(self.max_archive_mb * 1_000_000)

    @property
    def max_pixels(self) -> int:
        return int(self.max_megapixels * 1_000_000)

    @property
    def sql_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data / 'pentimento.db'}"

    @property
    def picture_url(self) -> str:
        # Not quoted as a URI: fsspec takes the path as it stands, and would make a folder named with "%20".
        return self.blobs_url or f"file://{self.data / 'pictures'}"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    return Settings()
