"""Ray Data for real: a local cluster, on loopback."""

import collections
import os

import pytest

ray = pytest.importorskip("ray")


@pytest.fixture(scope="module")
def cluster():
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0")
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=200 << 20,
        _node_ip_address="127.0.0.1",
        log_to_driver=False,
    )
    yield
    ray.shutdown()


def test_ray_gives_what_the_command_gives(cluster, log, converted):
    import pyarrow as pa

    import udmap
    from udmap.ray import to_udm

    rows = log.split(b"\n")[:-1]
    tables = [pa.table({"value": pa.array(rows[n::5], pa.binary()), "n": [n] * len(rows[n::5])}) for n in range(5)]
    made = to_udm(ray.data.from_arrow(tables), mapping=udmap.Mapping.load("duo_telephony"))
    out = made.take_all()
    events = collections.Counter(row["event"].encode() for row in out if row["event"])
    assert events == collections.Counter(converted[0].split(b"\n")[:-1])
    reasons = collections.Counter(row["reject"]["reason"] for row in out if row["reject"])
    assert reasons == collections.Counter(reject["reason"] for reject in converted[1])
    assert {row["n"] for row in out} == set(range(5))
    with pytest.raises(udmap.MappingError):
        to_udm(ray.data.from_arrow(tables), mapping="nothing")
    with pytest.raises(Exception, match="there is no column `nothing`"):
        to_udm(ray.data.from_arrow(tables), "nothing").take_all()
