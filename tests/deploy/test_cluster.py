"""The manifests: what the API would take, and what has to fit together."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from domain.parts import Part
from kiosk.paper.print_jobs import CLOSE_SECONDS
from kiosk.paper.printer import VERIFY_SECONDS
from kiosk.setting_rules import LONGEST_PRINT
from kiosk.status import SECONDS
from kiosk.supervisor import GRACE, Scale
from tests.deploy.conftest import tool
from tests.deploy.files import (
    KUBERNETES,
    Workload,
    examples,
    image_variables,
    variables,
    workloads,
)

Cluster = list[dict[str, Any]]
VERSIONS = ["1.29", kubernetes_validate.latest_version()]


def _one(cluster: Cluster, kind: str) -> dict[str, Any]:
    [found] = [document for document in cluster if document["kind"] == kind]
    return found


def _processes(cluster: Cluster) -> list[Workload]:
    return [workload for workload in workloads(cluster) if workload.kind != "CronJob"]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_one_that_the_cluster_takes(cluster: Cluster, version: str) -> None:
    for document in [*cluster, *examples()]:
        kubernetes_validate.validate(document, version, strict=True)


def test_a_manifest_with_a_misspelt_field_would_not_be_taken(cluster: Cluster) -> None:
    wrong = _one(cluster, "StatefulSet") | {"specs": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_the_files_are_written_plainly() -> None:
    rules = "{extends: default, rules: {document-start: disable, line-length: {max: 110}}}"
    done = subprocess.run(
        [tool("yamllint"), "-s", "-d", rules, KUBERNETES], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_part_has_workers_and_no_node_takes_two_of_them_away(cluster: Cluster) -> None:
    workers = {w.name: w for w in workloads(cluster) if w.kind == "Deployment"}
    assert set(workers) == set(Part)
    for part, worker in workers.items():
        assert worker.container["args"] == ["worker", part]
        assert worker.spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    kept = _one(cluster, "PodDisruptionBudget")["spec"]
    assert kept["maxUnavailable"] == 1
    [rule] = kept["selector"]["matchExpressions"]
    assert {worker.labels[rule["key"]] for worker in workers.values()} == set(rule["values"])


def test_issuing_grows_and_shrinks_as_under_a_supervisor(cluster: Cluster) -> None:
    scaler = _one(cluster, "HorizontalPodAutoscaler")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (Scale().least, Scale().most)
    [metric] = scaler["metrics"]
    assert metric["resource"]["target"]["averageUtilization"] == 50
    [scaled] = [w for w in workloads(cluster) if w.name == scaler["scaleTargetRef"]["name"]]
    requested = {w.name: w.container["resources"]["requests"]["cpu"] for w in _processes(cluster)}
    assert requested.pop(scaled.name) == "500m"  # of which the half is meant
    assert set(requested.values()) == {"100m"}
    assert "replicas" not in scaled.spec  # which would take back what the autoscaler chose


def test_every_process_is_asked_whether_it_lives_and_whether_it_can_work(cluster: Cluster) -> None:
    for process in _processes(cluster):
        live, ready = ["kiosk", "health", "--live"], ["kiosk", "health", "--ready"]
        probes = {name: process.container[f"{name}Probe"] for name in ("startup", "liveness", "readiness")}
        asked = {name: probe["exec"]["command"] for name, probe in probes.items()}
        assert asked == {"startup": live, "liveness": live, "readiness": ready}, process.name
        # A process that does not answer is still an answer of the probe, not a probe that was cut off.
        assert all(probe["timeoutSeconds"] > SECONDS + 1 for probe in probes.values())
        where = image_variables()["KIOSK_RUN_FOLDER"]
        [place] = [m for m in process.container["volumeMounts"] if m["mountPath"] == where]
        [volume] = [v for v in process.pod["volumes"] if v["name"] == place["name"]]
        assert "emptyDir" in volume  # of this pod alone, or it would answer for others


def test_a_sheet_that_is_being_printed_has_time_to_end(cluster: Cluster) -> None:
    for process in _processes(cluster):
        allowed = process.pod["terminationGracePeriodSeconds"]
        assert allowed > GRACE > LONGEST_PRINT + VERIFY_SECONDS + CLOSE_SECONDS, process.name


def test_nothing_runs_as_root_or_may_become_it(cluster: Cluster) -> None:
    namespace = _one(cluster, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for workload in workloads(cluster):
        pod = workload.pod["securityContext"]
        assert pod["runAsNonRoot"]
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
        assert workload.pod["automountServiceAccountToken"] is False
        for container in [workload.container, *workload.pod.get("initContainers", [])]:
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False
            assert own["readOnlyRootFilesystem"] is True
            assert own["capabilities"] == {"drop": ["ALL"]}


def test_only_what_signs_has_the_keys(cluster: Cluster) -> None:
    holders = {
        workload.name
        for workload in workloads(cluster)
        for volume in workload.pod["volumes"]
        if volume.get("secret", {}).get("secretName") == "clinic-keys"
    }
    assert holders == {"issuing", "kiosk"}


def test_whatever_is_mounted_or_read_is_there(cluster: Cluster) -> None:
    claims = {d["metadata"]["name"] for d in cluster if d["kind"] == "PersistentVolumeClaim"}
    secrets = {secret["metadata"]["name"]: secret for secret in examples()}
    maps = {d["metadata"]["name"] for d in cluster if d["kind"] == "ConfigMap"}
    for workload in workloads(cluster):
        volumes = {volume["name"]: volume for volume in workload.pod["volumes"]}
        for container in [workload.container, *workload.pod.get("initContainers", [])]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= set(volumes)
            for source in container.get("envFrom", []):
                assert source["configMapRef"]["name"] in maps
        for volume in volumes.values():
            assert volume.get("persistentVolumeClaim", {}).get("claimName", "data") in claims
            assert volume.get("secret", {}).get("secretName", "clinic-keys") in secrets
    addresses = {name for name in variables(KUBERNETES / "settings.env") if name.endswith("_FILE")}
    files = {Path(variables(KUBERNETES / "settings.env")[name]).name for name in addresses}
    assert files == set(secrets["clinic-database"]["stringData"])


def test_every_folder_of_the_image_can_be_written_to(cluster: Cluster) -> None:
    folders = {n: f for n, f in image_variables().items() if n.endswith("_FOLDER")}
    assert len(folders) == 5
    for process in _processes(cluster):
        writable = [m["mountPath"] for m in process.container["volumeMounts"] if not m.get("readOnly")]
        for folder in folders.values():
            assert any(Path(folder).is_relative_to(place) for place in writable), (process.name, folder)


def test_the_screens_wait_until_somebody_wants_them(cluster: Cluster) -> None:
    [screens] = [w for w in workloads(cluster) if w.kind == "StatefulSet"]
    assert screens.spec["replicas"] == 0
    assert screens.container["stdin"]
    assert screens.container["tty"]
    assert "args" not in screens.container


def test_the_image_is_the_version_that_is_here(cluster: Cluster) -> None:
    import tomllib

    version = tomllib.loads((KUBERNETES.parents[2] / "pyproject.toml").read_text())["project"]["version"]
    images = {c["image"] for w in workloads(cluster) for c in [w.container, *w.pod.get("initContainers", [])]}
    assert images == {f"clinic-kiosk:{version}"}


def test_no_real_secret_is_among_the_examples() -> None:
    text = (KUBERNETES / "secrets.example.yaml").read_text()
    named = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]
    assert "secrets.example.yaml" not in named
    assert text.count("EXAMPLE@") == text.count("postgresql+psycopg://") == 2
