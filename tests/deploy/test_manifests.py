"""The files that others run: valid to their own tools, and of one mind with the service."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from bgremove.api.multipart import FORM_OVERHEAD_BYTES
from bgremove.settings import PREFIX, Settings
from harness.nginx import broken_upstream
from tests.support.http import ROOT, free_port

DEPLOY = ROOT / "deploy"
KUBERNETES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
MANIFESTS = [path for path in KUBERNETES if path.name != "kustomization.yaml"]
UNIT = DEPLOY / "systemd/bgremove@.service"
MOST_EXPOSURE = 2.0  # of 10; systemd's own word for that is OK
MIB = 1024 * 1024


def tool(name: str) -> str:
    """Return a program of the virtual environment or the machine; skips where there is none."""
    path = shutil.which(str(Path(sys.executable).parent / name)) or shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def said(*command: str | Path) -> str:
    """Run a checker, which must find no fault; return what it says."""
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def manifest(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(
        (DEPLOY / f"kubernetes/{name}.yaml").read_text("utf-8")
    )
    return document


def pod() -> dict[str, Any]:
    spec: dict[str, Any] = manifest("deployment")["spec"]["template"]["spec"]
    return spec


def number(pattern: str, name: str) -> int:
    """Return the one number that a pattern finds in a file of deploy/."""
    (found,) = re.findall(pattern, (DEPLOY / name).read_text("utf-8"), re.M)
    return int(found)


def test_hadolint_finds_no_fault_in_the_dockerfile() -> None:
    said(tool("hadolint"), DEPLOY / "Dockerfile")


def test_the_compose_file_is_one() -> None:
    said(
        tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"
    )


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_kubernetes_would_take_it(path: Path) -> None:
    said(tool("kubernetes-validate"), "--strict", "--quiet", path)


def test_systemd_takes_the_unit_and_thinks_it_is_hardened(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    unit = tmp_path / UNIT.name
    command = "/opt/bgremove/current/.venv/bin/gunicorn"  # systemd wants it to be there
    text = UNIT.read_text("utf-8")
    assert command in text
    assert "\nWorkingDirectory=/opt/bgremove/current\n" in text
    unit.write_text(text.replace(command, sys.executable), "utf-8")
    said(analyze, "verify", unit)
    words = said(analyze, "security", "--offline=true", "--no-pager", unit)
    (exposure,) = re.findall(r"Overall exposure level for .*: ([\d.]+)", words)
    assert float(exposure) <= MOST_EXPOSURE


def test_kustomize_is_told_of_every_manifest() -> None:
    assert sorted(manifest("kustomization")["resources"]) == [path.name for path in MANIFESTS]


def test_everything_selects_the_pods_there_are() -> None:
    deployment, service = manifest("deployment"), manifest("service")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    assert service["spec"]["selector"] == labels
    assert manifest("disruption-budget")["spec"]["selector"]["matchLabels"] == labels
    assert manifest("network-policy")["spec"]["podSelector"]["matchLabels"] == labels
    assert {
        spread["labelSelector"]["matchLabels"] == labels
        for spread in pod()["topologySpreadConstraints"]
    } == {True}
    target = manifest("autoscaler")["spec"]["scaleTargetRef"]
    assert target == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": deployment["metadata"]["name"],
    }
    backend = manifest("ingress")["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend["name"] == service["metadata"]["name"]


def test_the_pod_runs_as_the_images_user_and_writes_only_where_it_must() -> None:
    (user,) = re.findall(r"^USER (\d+):\1$", (DEPLOY / "Dockerfile").read_text("utf-8"), re.M)
    assert pod()["securityContext"]["runAsUser"] == int(user)
    (container,) = pod()["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    writable = [
        mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")
    ]
    assert writable == ["/tmp", "/dev/shm"]


def test_every_setting_that_is_named_exists() -> None:
    known = {PREFIX + row.name.upper() for row in fields(Settings)} | {"BGREMOVE_WEIGHTS_MIRROR"}
    for path in (p for p in DEPLOY.rglob("*") if p.is_file() and p.suffix != ".pyc"):
        lines = path.read_text("utf-8").splitlines()
        code = (
            lines
            if path.suffix == ".env"
            else [line for line in lines if not line.lstrip().startswith("#")]
        )
        named = {name for line in code for name in re.findall(r"\bBGREMOVE_[A-Z_]+\b", line)}
        assert named <= known, path


def test_the_limits_of_a_body_and_of_time_are_a_ladder() -> None:
    settings = Settings()
    largest = settings.max_upload_bytes + FORM_OVERHEAD_BYTES
    assert number(r"client_max_body_size (\d+)m;", "nginx.conf") * MIB == largest
    worker = number(r"^timeout = (\d+)$", "../bgremove/gunicorn_conf.py")
    proxy = number(r"proxy_read_timeout (\d+)s;", "nginx/proxy.conf")
    assert (
        settings.timeout_s
        < worker
        < proxy
        < number(r"worker_shutdown_timeout (\d+)s;", "nginx.conf")
    )
    grace = number(r"^graceful_timeout = (\d+)$", "../bgremove/gunicorn_conf.py")
    assert grace < number(r"^TimeoutStopSec=(\d+)$", f"systemd/{UNIT.name}")
    assert grace < number(r"stop_grace_period: (\d+)s  # gunicorn", "compose.yaml")
    assert grace + 5 < pod()["terminationGracePeriodSeconds"]


def test_nginx_closes_idle_connections_to_gunicorn_before_gunicorn_does() -> None:
    """The other way round, a request could be sent into a connection that is being closed."""
    for name in ("nginx/upstream.conf", "compose/upstream.conf"):
        idle = re.findall(r"keepalive_timeout (\d+)s;", (DEPLOY / name).read_text("utf-8"))
        assert len(idle) == 2
        assert max(map(int, idle)) < number(r"^keepalive = (\d+)$", "../bgremove/gunicorn_conf.py")


def servers(block: str) -> list[str]:
    return re.findall(r"server (\S+:\d+)", block)


def test_both_groups_of_nginx_and_prometheus_name_the_same_processes() -> None:
    for name in ("nginx/upstream.conf", "compose/upstream.conf"):
        first, second = (DEPLOY / name).read_text("utf-8").split("\nupstream ")[1:]
        assert servers(first) == servers(second) != []
    own = servers((DEPLOY / "nginx/upstream.conf").read_text("utf-8"))
    scraped = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text("utf-8"))
    (targets,) = (group["targets"] for group in scraped["scrape_configs"][0]["static_configs"])
    assert set(targets) == set(own)


def test_how_many_pods_there_are_is_the_autoscalers_alone() -> None:
    """A number in the deployment would come back with every `kubectl apply`."""
    assert "replicas" not in manifest("deployment")["spec"]
    assert manifest("autoscaler")["spec"]["minReplicas"] >= 2


def health_checks(port: int) -> dict[str, list[str]]:
    """Return the commands of the image's and of nginx's health check, to ask ``port``."""
    (image,) = re.findall(r"^ +CMD (\[.*)$", (DEPLOY / "Dockerfile").read_text("utf-8"), re.M)
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    _, *nginx = compose["services"]["nginx"]["healthcheck"]["test"]
    asked = [word.replace("127.0.0.1/", f"127.0.0.1:{port}/") for word in nginx]
    return {"image": [sys.executable, *json.loads(image)[1:]], "nginx": asked}


@pytest.mark.parametrize("name", ["image", "nginx"])
def test_a_health_check_asks_the_service_whatever_proxy_there_is(name: str) -> None:
    with broken_upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as port:
        command = health_checks(port)[name]
        tool(command[0])
        nowhere = {"http_proxy": f"http://127.0.0.1:{free_port()}", "no_proxy": "", "NO_PROXY": ""}
        env = os.environ | nowhere | {"PORT": str(port)}
        assert subprocess.run(command, env=env, check=False, timeout=60).returncode == 0


def test_composes_upstream_is_the_shipped_one_with_other_servers() -> None:
    own, shipped = (
        [
            re.sub(r" +#.*|server \S+:\d+", "", line)
            for line in lines
            if not line.lstrip().startswith("#")
        ]
        for lines in (
            (DEPLOY / name).read_text("utf-8").splitlines()
            for name in ("compose/upstream.conf", "nginx/upstream.conf")
        )
    )
    assert own == shipped
