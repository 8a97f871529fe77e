"""A request finds its operation by host, path and method, also where platforms share a host."""

from __future__ import annotations

from dataclasses import replace

from connectors.sandbox.contract import Operation
from connectors.sandbox.routing import Router
from connectors.sandbox.shapes import Shape

ANY = Shape({}, {})


def operation(name: str, path: str, *, host: str = "graph.example.com", method: str = "GET") -> Operation:
    return Operation(
        connector="x", id=name, method=method, host=host, path=path, security=None, path_shape=ANY, query_shape=ANY
    )


def names(router: Router[str], host: str, path: str, method: str = "GET") -> list[str]:
    return [match.route.operation.id for match in router.find(host, path, method)[0]]


def test_literal_paths_come_before_placeholders() -> None:
    router = Router([("a", operation("node", "/v1/{id}")), ("a", operation("me", "/v1/me"))])
    assert names(router, "graph.example.com", "/v1/me") == ["me", "node"]
    assert names(router, "graph.example.com", "/v1/17") == ["node"]


def test_platforms_that_share_a_path_are_all_found() -> None:
    node = operation("node", "/v1/{id}")
    router = Router([("a", node), ("b", replace(node, id="other"))])
    matches, _ = router.find("graph.example.com", "/v1/17", "GET")
    assert [(match.route.platform, match.values) for match in matches] == [("a", {"id": "17"}), ("b", {"id": "17"})]
    assert router.platforms_at("graph.example.com") == ["a", "b"]


def test_placeholders_stop_at_slashes_and_at_the_next_sign() -> None:
    router = Router([("a", operation("mutate", "/customers/{id}/ads:mutate", method="POST"))])
    assert names(router, "graph.example.com", "/customers/1/ads:mutate", "POST") == ["mutate"]
    assert names(router, "graph.example.com", "/customers/1/2/ads:mutate", "POST") == []
    assert router.find("graph.example.com", "/customers/1/ads:mutate", "GET") == ([], True)
    assert router.find("graph.example.com", "/customers/1", "GET") == ([], False)


def test_hosts_may_hold_placeholders() -> None:
    router = Router([("shop", operation("query", "/graphql", host="{shop}.example.com"))])
    assert names(router, "spring.example.com", "/graphql") == ["query"]
    assert router.platforms_at("example.org") == []


def test_encoded_slashes_stay_inside_one_value() -> None:
    router = Router([("a", operation("site", "/sites/{url}/map"))])
    [match] = router.find("graph.example.com", "/sites/https%3A%2F%2Fx.example/map", "GET")[0]
    assert match.values == {"url": "https%3A%2F%2Fx.example"}
    assert match.route.operation.read_path(match.values) == {"url": "https://x.example"}
