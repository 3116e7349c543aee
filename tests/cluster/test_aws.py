"""cluster.yaml, up to the machines that it launches in a mock of AWS."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.conftest import RAY, ROOT
from tests.conftest import free_port

REGION = "us-west-2"
SCRIPTS = Path(sys.executable).parent

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of commands that are to reach the mock, and nothing else."""
    pytest.importorskip("moto")
    port = free_port()
    log = (tmp_path_factory.mktemp("moto") / "log").open("wb")
    server = subprocess.Popen(
        [str(SCRIPTS / "moto_server"), "-p", str(port)], stdout=log, stderr=log
    )
    url = f"http://127.0.0.1:{port}"
    home = tmp_path_factory.mktemp("home")
    (home / ".ray").mkdir()
    (home / ".ray" / "auth_token").write_text("0" * 64)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "mock",
        "AWS_SECRET_ACCESS_KEY": "mock",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    try:
        yield environment
    finally:
        server.terminate()
        server.wait()
        log.close()


@pytest.fixture(scope="module")
def access(aws: dict[str, str]) -> dict[str, str]:
    """The account, with what aws-access.yaml makes in it."""
    clouds = client(aws, "cloudformation")
    clouds.create_stack(
        StackName="kneepoint",
        TemplateBody=(ROOT / "aws-access.yaml").read_text(),
        Parameters=[{"ParameterKey": "Bucket", "ParameterValue": "runs"}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    return aws


def client(aws: dict[str, str], service: str) -> Any:
    import boto3
    from botocore.exceptions import EndpointConnectionError

    made = boto3.client(
        service,
        endpoint_url=aws["AWS_ENDPOINT_URL"],
        region_name=REGION,
        aws_access_key_id="mock",
        aws_secret_access_key="mock",
    )
    for _ in range(60):
        try:
            boto3.client("sts", endpoint_url=aws["AWS_ENDPOINT_URL"], region_name=REGION,
                         aws_access_key_id="mock", aws_secret_access_key="mock",
                         ).get_caller_identity()  # fmt: skip
            return made
        except EndpointConnectionError:
            time.sleep(0.5)
    raise TimeoutError("the mock of AWS does not answer")


@pytest.mark.parametrize("name", ["cluster.yaml", "cluster-onprem.yaml"])
def test_the_shape_is_ray_s(name: str) -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = yaml.safe_load((ROOT / name).read_text())
    validate_config(prepare_config(config))


@pytest.mark.parametrize("name", ["cluster.yaml", "cluster-onprem.yaml"])
def test_every_start_of_ray_wants_the_token(name: str) -> None:
    config = yaml.safe_load((ROOT / name).read_text())
    starts = config["head_start_ray_commands"] + config["worker_start_ray_commands"]
    assert all("RAY_AUTH_MODE=token ~/kneepoint/.venv/bin/ray" in each for each in starts)
    assert "--dashboard-host=127.0.0.1" in config["head_start_ray_commands"][-1]
    assert config["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"


def test_roles_and_bucket(access: dict[str, str]) -> None:
    roles = client(access, "iam")
    policies = {}
    for name in ("kneepoint-head", "kneepoint-worker"):
        profile = roles.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
        assert [role["RoleName"] for role in profile["Roles"]] == [name]
        attached = roles.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        documents = [document(roles, each["PolicyArn"]) for each in attached]
        policies[name] = {a for d in documents for s in d["Statement"] for a in words(s["Action"])}
    assert {action.split(":")[0] for action in policies["kneepoint-worker"]} == {"s3"}
    assert "ec2:RunInstances" in policies["kneepoint-head"]
    assert "*" not in policies["kneepoint-head"] and "iam:*" not in policies["kneepoint-head"]
    assert [b["Name"] for b in client(access, "s3").list_buckets()["Buckets"]] == ["runs"]


def document(roles: Any, arn: str) -> dict[str, Any]:
    version = roles.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = roles.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return json.loads(found) if isinstance(found, str) else found


def words(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_ray_up_launches_the_head(access: dict[str, str], tmp_path: Path) -> None:
    """Until the mock's machine is to be reached by SSH, which it is not."""
    machines = client(access, "ec2")
    log = tmp_path / "log"
    with log.open("wb") as out:
        command = [RAY, "up", "--yes", "--no-config-cache", str(ROOT / "cluster.yaml")]
        up = subprocess.Popen(command, cwd=ROOT, env=access, stdout=out, stderr=out)
        try:
            deadline = time.monotonic() + 120
            # The mock shows a machine a moment before it shows what the machine may do.
            while not (found := [each for each in instances(machines) if profile(machines, each)]):
                assert up.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
                time.sleep(1)
        finally:
            up.kill()
            up.wait()
    (head,) = found
    tags = {tag["Key"]: tag["Value"] for tag in head["Tags"]}
    assert tags["ray-cluster-name"] == "kneepoint" and tags["ray-node-type"] == "head"
    assert head["InstanceType"] == "m7i.xlarge" and "InstanceLifecycle" not in head
    assert profile(machines, head) == "kneepoint-head"
    assert "0" * 64 not in log.read_text()
    groups = machines.describe_security_groups(
        GroupIds=[group["GroupId"] for group in head["SecurityGroups"]]
    )["SecurityGroups"]
    assert [group["GroupName"] for group in groups] == ["kneepoint"]
    open_to_all = [
        (rule.get("FromPort"), rule.get("ToPort"))
        for group in groups
        for rule in group["IpPermissions"]
        if rule["IpRanges"] or rule.get("Ipv6Ranges")
    ]
    assert open_to_all == [(22, 22)]


def instances(machines: Any) -> list[dict[str, Any]]:
    found = machines.describe_instances(
        Filters=[{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    )
    return [each for group in found["Reservations"] for each in group["Instances"]]


def profile(machines: Any, machine: dict[str, Any]) -> str | None:
    found = machines.describe_iam_instance_profile_associations(
        Filters=[{"Name": "instance-id", "Values": [machine["InstanceId"]]}]
    )["IamInstanceProfileAssociations"]
    return found[0]["IamInstanceProfile"]["Arn"].split("/")[-1] if found else None


LAUNCH = """
import sys, yaml
from ray.autoscaler._private.commands import _bootstrap_config
from ray.autoscaler._private.providers import _get_node_provider
from ray.autoscaler.tags import TAG_RAY_NODE_KIND, TAG_RAY_USER_NODE_TYPE

config = _bootstrap_config(yaml.safe_load(open(sys.argv[1])), no_config_cache=True)
provider = _get_node_provider(config["provider"], config["cluster_name"])
for kind in ("gpu-spot", "gpu-on-demand"):
    tags = {TAG_RAY_NODE_KIND: "worker", TAG_RAY_USER_NODE_TYPE: kind}
    provider.create_node(config["available_node_types"][kind]["node_config"], tags, 1)
"""
"""What the autoscaler on the head does when trials wait."""


def test_workers_are_on_spot_or_on_demand(access: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-c", LAUNCH, str(ROOT / "cluster.yaml")], env=access, check=True
    )
    found = {}
    for machine in instances(client(access, "ec2")):
        tags = {tag["Key"]: tag["Value"] for tag in machine["Tags"]}
        if tags["ray-node-type"] == "worker":
            found[tags["ray-user-node-type"]] = machine
    assert set(found) == {"gpu-spot", "gpu-on-demand"}
    assert found["gpu-spot"]["InstanceLifecycle"] == "spot"
    assert "InstanceLifecycle" not in found["gpu-on-demand"]
    for machine in found.values():
        assert machine["InstanceType"] == "g6.xlarge"
        assert profile(client(access, "ec2"), machine) == "kneepoint-worker"
        assert [group["GroupName"] for group in machine["SecurityGroups"]] == ["kneepoint"]


@pytest.mark.parametrize(
    ("spot", "kind"),
    [(1.0, "gpu-spot"), (0.0, "gpu-on-demand")],
    ids=["to be had", "not to be had"],
)
def test_spot_first_and_on_demand_where_there_is_none(spot: float, kind: str) -> None:
    """What Ray's autoscaler launches for three lanes that wait."""
    from ray.autoscaler.v2.instance_manager.config import AutoscalingConfig
    from ray.autoscaler.v2.scheduler import ResourceDemandScheduler, SchedulingRequest
    from ray.autoscaler.v2.utils import ResourceRequestUtil

    file = yaml.safe_load((ROOT / "cluster.yaml").read_text())
    config = AutoscalingConfig(file, skip_content_hash=True)
    lanes = [ResourceRequestUtil.make({"GPU": 1, "CPU": 1}) for _ in range(3)]
    request = SchedulingRequest(
        disable_launch_config_check=True,
        node_type_configs=config.get_node_type_configs(),
        max_num_nodes=config.get_max_num_nodes(),
        resource_requests=ResourceRequestUtil.group_by_count(lanes),
        recoverable_resource_availabilities={"gpu-spot": spot},
    )
    launched = ResourceDemandScheduler(None).schedule(request).to_launch
    assert {each.instance_type: each.count for each in launched} == {kind: 3}
