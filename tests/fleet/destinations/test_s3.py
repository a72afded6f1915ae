"""S3 as a destination, at a server that speaks its protocol."""

import gzip
import io
import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from segue.errors import DestinationError
from segue.spec.edge import DestinationSpec
from tests.fleet.destinations.drain import Deliveries, Origin, drain, wait_drained
from tests.fleet.destinations.killing import POINTS, drain_killed
from tests.fleet.destinations.spools import fill, open_spool


@pytest.fixture(scope="module")
def store():
    """A server of its own, and a client of it."""
    pytest.importorskip("botocore")
    from botocore.session import Session
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    endpoint = f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    client = Session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    try:
        yield endpoint, client
    finally:
        client.close()
        server.stop()


@pytest.fixture
def bucket(store, request):
    name = f"b{abs(hash(request.node.name))}"
    store[1].create_bucket(Bucket=name)
    return name


def spec(store, bucket, **options):
    keys = {"access_key": "a", "secret_key": "b", "endpoint": store[0]}
    return DestinationSpec("archive", "s3", {"bucket": bucket, "prefix": "raw", **keys, **options})


def read(store, bucket):
    """Return the objects of a bucket, in the order of their keys."""
    client = store[1]
    keys = [each["Key"] for each in client.list_objects_v2(Bucket=bucket).get("Contents", ())]
    return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def numbers(objects):
    tables = [parquet.read_table(io.BytesIO(body)) for body in objects.values()]
    return pa.concat_tables(tables).column("n").to_pylist()


def test_an_object_for_each_parcel(tmp_path, store, bucket):
    epoch = fill(tmp_path / "spool.db", batches=3)
    drain(tmp_path / "spool.db", [spec(store, bucket)])
    found = read(store, bucket)
    assert [*found] == [f"raw/clean/node-1/{epoch}/{1:019d}-{3:019d}.parquet"]
    assert numbers(found) == [*range(15)]


def test_lines_as_an_object(tmp_path, store, bucket):
    fill(tmp_path / "spool.db", batches=3)
    drain(tmp_path / "spool.db", [spec(store, bucket, format="jsonl.gz", prefix="")])
    ((key, body),) = read(store, bucket).items()
    assert key.startswith("clean/node-1/")
    assert key.endswith("-0000000000000000003.jsonl.gz")
    assert [json.loads(line)["n"] for line in gzip.decompress(body).splitlines()] == [*range(15)]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("conditional", [True, False])
def test_killed_at_each_point_rows_stand_there_once(tmp_path, store, bucket, point, conditional):
    target = spec(store, bucket, conditional=conditional)
    expected = drain_killed(tmp_path / "spool.db", target, point)
    assert numbers(read(store, bucket)) == expected


def test_a_bucket_that_is_made_later_gets_everything(tmp_path, store):
    path = tmp_path / "spool.db"
    fill(path, batches=3)
    deliveries = Deliveries(lambda: open_spool(path), tmp_path / "d", Origin("node-1", {}))
    deliveries.start([spec(store, "later")])
    try:
        while "NoSuchBucket" not in deliveries.status()[0]["error"]:
            pass
        store[1].create_bucket(Bucket="later")
        wait_drained(path, ["archive"])
    finally:
        assert deliveries.close()
    assert numbers(read(store, "later")) == [*range(15)]


def test_an_option_that_is_wrong_is_told():
    from segue.agent.destinations.s3 import S3Destination

    with pytest.raises(DestinationError, match="format must be one of parquet"):
        S3Destination().open(DestinationSpec("a", "s3", {"bucket": "b", "format": "csv"}))
    with pytest.raises(DestinationError, match="no option 'buckett'"):
        S3Destination().open(DestinationSpec("a", "s3", {"buckett": "b"}))
