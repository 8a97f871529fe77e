"""Which operation is meant? HOST/PATH and a method in, candidates out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from connectors.sandbox.contract import Operation, path_pattern, placeholders

PlatformT = TypeVar("PlatformT")


@dataclass(frozen=True, slots=True)
class Route(Generic[PlatformT]):
    """One operation of one platform, and how its path looks."""

    platform: PlatformT
    operation: Operation
    pattern: re.Pattern[str]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match(Generic[PlatformT]):
    """A route that fits the path and the method, with the raw path values."""

    route: Route[PlatformT]
    values: Mapping[str, str]


class Router(Generic[PlatformT]):
    """Finds operations by host, path and method.

    Platforms may share a host (graph.facebook.com) and even a path: then there are several matches, and the server
    asks the platforms which one is meant.
    """

    def __init__(self, operations: Iterable[tuple[PlatformT, Operation]]) -> None:
        self._hosts: dict[str, list[Route[PlatformT]]] = {}
        for platform, operation in operations:
            route = Route(platform, operation, path_pattern(operation.path), placeholders(operation.path))
            self._hosts.setdefault(operation.host, []).append(route)
        self._host_patterns = [(path_pattern(host), host) for host in self._hosts if "{" in host]
        for routes in self._hosts.values():
            # The template with more literal text is the more special one: /me before /{id}.
            routes.sort(key=lambda route: -len(re.sub(r"\{[^}]+\}", "", route.operation.path)))

    def platforms_at(self, host: str) -> list[PlatformT]:
        """The platforms that live at a host; empty when none does."""
        return list(dict.fromkeys(route.platform for route in self._routes(host)))

    def find(self, host: str, path: str, method: str) -> tuple[list[Match[PlatformT]], bool]:
        """All matches, most special first, and whether the path is known under any method."""
        matches: list[Match[PlatformT]] = []
        path_known = False
        for route in self._routes(host):
            found = route.pattern.fullmatch(path)
            if found is None:
                continue
            path_known = True
            if route.operation.method == method:
                matches.append(Match(route, dict(zip(route.names, found.groups(), strict=True))))
        return matches, path_known

    def _routes(self, host: str) -> list[Route[PlatformT]]:
        if host in self._hosts:
            return self._hosts[host]
        return [
            route for pattern, name in self._host_patterns if pattern.fullmatch(host) for route in self._hosts[name]
        ]
