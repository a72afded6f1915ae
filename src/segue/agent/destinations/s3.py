"""S3 and what speaks its protocol: an object per parcel, put only if it is not there."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from segue.agent.destinations.plain import write_rows
from segue.agent.options import CheckedKind
from segue.errors import DestinationError, MissingExtraError, ParcelRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from segue.agent.options import Options
    from segue.protocols.edge import Parcel
    from segue.spec.edge import DestinationSpec

_REFUSALS = ("EntityTooLarge", "InvalidArgument", "KeyTooLongError")
"""Answers about the object itself."""


class S3Destination(CheckedKind):
    """Puts ``<prefix>/<stream>/<node>/<epoch>/<first>-<last>.parquet``; a parcel stands once."""

    exact = True
    required = ("bucket",)
    optional: Mapping[str, Any] = {
        "prefix": "",
        "format": "parquet",
        "endpoint": "",
        "region": "",
        "access_key": "",
        "secret_key": "",
        "conditional": True,
        "timeout": "60s",
    }
    shapes: Mapping[str, tuple[str, ...]] = {
        "format": ("choice", "parquet", "jsonl.gz"),
        "timeout": ("seconds",),
    }

    def open(self, destination: DestinationSpec) -> S3Target:
        """Read the options; a connection is made with the first parcel."""
        return S3Target(self.fill_destination(destination))


class S3Target:
    """A client of a bucket."""

    def __init__(self, options: Options) -> None:
        """Make the client.

        Raises:
            DestinationError: An option is wrong.
            MissingExtraError: botocore is not installed.
        """
        self._where = options.where
        self._bucket = options.text("bucket")
        self._prefix = options.text("prefix").strip("/")
        self._format = options.choice("format", "parquet", "jsonl.gz")
        self._condition = {"IfNoneMatch": "*"} if options.flag("conditional") else {}
        try:
            self._client = _make_client(options)
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                "the destination 's3' needs the library botocore", hint="pip install 'segue[s3]'"
            ) from error

    def deliver(self, parcel: Parcel) -> None:
        """Put the object, or find that it stands there."""
        from botocore.exceptions import BotoCoreError, ClientError

        folder = [self._prefix] if self._prefix else []
        folder += [quote(each, safe="") for each in (parcel.stream, parcel.node, parcel.epoch)]
        # as many digits as sequences can have: keys are listed in their order
        name = f"{parcel.first:019d}-{parcel.last:019d}.{self._format}"
        key = "/".join([*folder, name])
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=_write(parcel.table, self._format),
                ChecksumAlgorithm="SHA256",
                **self._condition,
            )
        except ClientError as error:
            self._judge(error.response)
        except BotoCoreError as error:
            raise DestinationError(f"{self._where}: {self._bucket}: {error}") from None

    def _judge(self, answer: Any) -> None:
        """Raise what an answer means; nothing if the object is there already."""
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        code, said = answer["Error"].get("Code", ""), answer["Error"].get("Message", "")
        if code == "PreconditionFailed" or status == 412:  # noqa: PLR2004  # its number in HTTP
            return
        kind = ParcelRefusedError if code in _REFUSALS else DestinationError
        hint = ""
        if code == "NotImplemented" and self._condition:
            hint = "a store without conditional puts needs conditional = false"
        raise kind(f"{self._where}: {self._bucket} answers {status} {code}: {said}", hint=hint)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _make_client(options: Options) -> Any:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    seconds = options.seconds("timeout")
    endpoint = options.text("endpoint") or None
    config = Config(
        connect_timeout=min(seconds, 10.0),
        read_timeout=seconds,
        retries={"total_max_attempts": 1},  # deliveries try again, with a growing wait
        s3={"addressing_style": "path"} if endpoint else {},
    )
    try:
        return Session().create_client(
            "s3",
            region_name=options.text("region") or ("us-east-1" if endpoint else None),
            endpoint_url=endpoint,
            aws_access_key_id=options.text("access_key") or None,
            aws_secret_access_key=options.text("secret_key") or None,
            config=config,
        )
    except (BotoCoreError, ValueError) as error:
        raise DestinationError(f"{options.where}: {error}") from None


def _write(table: pa.Table, format_: str) -> bytes:
    if format_ == "jsonl.gz":
        lines = b"".join(row + b"\n" for row in write_rows(table))
        return gzip.compress(lines, 6, mtime=0)
    import pyarrow as pa
    from pyarrow import parquet

    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())
