"""Settings, read once at the edge of each process and passed down; nothing below reads the environment.

Every field can be set as `AXIS_<FIELD>` in the environment; `axis local up` and `axis up` write what they started
into `.axis/axis.env` and `.axis/stack.env`, which are read where a variable is not set.
"""

import os
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from axis.core.lanes import LANES
from axis.core.messages import Lane
from axis.errors import Misconfigured

HOME_VARIABLE = "AXIS_HOME"
ENV_FILES = ("axis.env", "stack.env")  # written by `axis local up` (nodes) and by `axis up` (the axis's own processes)


class Settings(BaseSettings):
    """What a process of the axis needs to know about the machine it runs on."""

    model_config = SettingsConfigDict(env_prefix="AXIS_", frozen=True, extra="ignore", env_file_encoding="utf-8")

    home: Path = Field(Path(".axis"), description="Folder of data, keys and logs on this machine.")
    amqp_url: SecretStr = Field(
        description="amqp://user:password@host:port[,host:port…]/vhost; an account that may set up the vhost."
    )
    rabbitmq_api_url: SecretStr = Field(description="Management API: http://user:password@host:port")
    database_url: SecretStr = Field(
        description="postgresql://user:password@host:port/database; host:port,host:port for one that fails over"
    )
    worker_amqp_url: SecretStr | None = Field(None, description="The workers' own account; default: amqp_url.")
    blobs_url: str | None = Field(None, description="file:///path, s3://bucket/prefix, …; default: <home>/blobs.")
    gateway_host: str = "127.0.0.1"
    gateway_port: int = Field(0, ge=0, le=65_535, description="0: any free port.")
    gateway_url: str | None = Field(None, description="Where agencies reach the gateway.")
    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(0, ge=0, le=65_535, description="0: any free port.")
    key_folder: Path | None = Field(
        None, description="The axis's own key.pem and certificate.pem; default <home>/axis-key."
    )
    max_blob_bytes: int = Field(2 * 1024**3, gt=0)
    id_past_days: int = Field(31, gt=0, description="How old the time in an id may be.")
    id_future_minutes: int = Field(60, gt=0, description="How far ahead the time in an id may be.")
    batch_size: int = Field(256, gt=0, le=2_000)
    batch_linger_ms: float = Field(3.0, ge=0)
    lanes: tuple[Lane, ...] = Field(
        LANES,
        min_length=1,
        description='The lanes a router takes from, as a JSON list; a router for ["urgent"] alone is never busy.',
    )
    mailbox_limit: int = Field(
        50_000, gt=0, description="With so many documents waiting in one queue of a mailbox, further ones are held."
    )
    relay_seconds: float = Field(30.0, gt=0, description="What is unmarked for longer is published again.")
    stuck_seconds: float = Field(
        15.0, gt=0, description="A worker whose loop does not turn for so much processor time ends itself."
    )
    log_format: str | None = Field(None, pattern="^(json|console)$", description="Default: json unless on a terminal.")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$")

    @classmethod
    def load(cls, home: Path | None = None) -> Self:
        """Read the environment and `<home>/axis.env`; raise Misconfigured naming every wrong or missing setting."""
        folder = home or Path(os.environ.get(HOME_VARIABLE, ".axis"))
        try:
            return cls(_env_file=[folder / name for name in ENV_FILES], home=folder.absolute())
        except ValidationError as error:
            lines = [f"AXIS_{'_'.join(map(str, e['loc'])).upper()}: {e['msg'].lower()}" for e in error.errors()]
            raise Misconfigured(
                "; ".join(lines)
                + f" (set them in the environment, or run `axis local up`, which writes {folder}/axis.env)"
            ) from error

    @property
    def blobs(self) -> str:
        """The blob store's URL."""
        return self.blobs_url or (self.home.absolute() / "blobs").as_uri()

    @property
    def axis_key(self) -> Path:
        """Folder of the axis's own key and certificate."""
        return self.key_folder or self.home / "axis-key"

    @property
    def worker_url(self) -> str:
        """The AMQP URL for the workers."""
        return (self.worker_amqp_url or self.amqp_url).get_secret_value()
