"""What assets/deploy holds, read as its users read it: units, manifests, settings, command lines."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kiosk.locations import ASSETS

DEPLOY = ASSETS / "deploy"
SYSTEMD = DEPLOY / "systemd"
UNITS = SYSTEMD / "units"
KUBERNETES = DEPLOY / "kubernetes"
CONTAINERFILE = DEPLOY / "container" / "Containerfile"
GUIDE = ASSETS.parent / "docs" / "deploying.md"

PROGRAM = "/opt/clinic-kiosk/bin/kiosk"
TYPED = re.compile(r"\s*(?:.* -- |podman run .* )?(?:clinic|kiosk|clinic-kiosk:\S+) ([-a-z]+.*)")
"""A command line of this program in the guide."""
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))


def lines_of(unit: Path, key: str) -> list[str]:
    """Every value of this key in a unit, in order."""
    found = re.findall(rf"^{re.escape(key)}=(.*)$", unit.read_text(), re.MULTILINE)
    return [value.strip() for value in found]


def seconds(span: str) -> int:
    """A time span as the units write it."""
    return int(span[:-1]) * 3600 if span.endswith("h") else int(span)


def variables(file: Path) -> dict[str, str]:
    """What an environment file sets, with what it offers behind a ``#``."""
    found = re.findall(r"^#?(KIOSK_\w+)=(.*)$", file.read_text(), re.MULTILINE)
    return {name: " ".join(shlex.split(value)) for name, value in found}


def image_variables() -> dict[str, str]:
    """The settings that the image brings."""
    return dict(re.findall(r"\b(KIOSK_\w+)=(\S+)", CONTAINERFILE.read_text()))


def examples() -> list[dict[str, Any]]:
    """The secrets that the manifests need, as the example shows them."""
    return list(yaml.safe_load_all((KUBERNETES / "secrets.example.yaml").read_text()))


@dataclass(frozen=True)
class Workload:
    """What runs in the cluster, and its pods."""

    kind: str
    name: str
    spec: dict[str, Any]
    template: dict[str, Any]

    @property
    def pod(self) -> dict[str, Any]:
        """The specification of its pods."""
        spec: dict[str, Any] = self.template["spec"]
        return spec

    @property
    def container(self) -> dict[str, Any]:
        """The one that is not there for preparing."""
        [container] = self.pod["containers"]
        assert isinstance(container, dict)
        return container

    @property
    def labels(self) -> dict[str, str]:
        """By which its pods are found."""
        labels: dict[str, str] = self.template["metadata"]["labels"]
        return labels


def workloads(cluster: list[dict[str, Any]]) -> Iterator[Workload]:
    """Every workload of the manifests."""
    for document in cluster:
        spec = document.get("spec", {})
        inner = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in inner:
            yield Workload(document["kind"], document["metadata"]["name"], spec, inner["template"])


def command_lines(cluster: list[dict[str, Any]]) -> dict[str, list[str]]:
    """What ``kiosk`` is told, wherever somebody starts it, by where that stands."""
    found: dict[str, list[str]] = {}
    for name in SERVICES:
        for value in lines_of(UNITS / name, "ExecStart"):
            program, *words = shlex.split(value)
            assert program == PROGRAM, name
            found[name] = ["issuing" if word == "%i" else word for word in words]
    for workload in workloads(cluster):
        where = f"{workload.kind} {workload.name}"
        found[where] = workload.container.get("args", [])
        for key, value in workload.container.items():
            if key.endswith("Probe"):
                program, *words = value["exec"]["command"]
                assert program == "kiosk", where
                found[f"{where} {key}"] = words
    for number, line in enumerate(GUIDE.read_text().splitlines(), 1):
        for code in [line, *re.findall(r"`([^`]+)`", line)]:
            if told := re.fullmatch(
                r"\s*(?:.* -- |podman run .* )?(?:clinic|kiosk|clinic-kiosk:\S+) ([-a-z]+.*)", code
            ):
                found[f"{GUIDE.name}:{number} {told[1]}"] = shlex.split(told[1])
    found[CONTAINERFILE.name] = re.findall(r'"([^"]+)"', CONTAINERFILE.read_text().rpartition("CMD")[2])
    return found
