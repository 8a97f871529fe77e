"""From where may a file be fetched? From public addresses on port 443, and the one that was checked is the one used."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

HTTPS_PORT = 443

_SLOWEST_S = 10.0
"""For TLS and for the head of an answer, each: a timeout of single reads would let a server trickle for days."""

# RFC 6890 and IANA's registry of special-purpose addresses.
_NOT_PUBLIC_4 = [
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        # Azure's hosts answer here; the address looks public.
        "168.63.129.16/32",
    )
]
_GLOBAL_6 = ip_network("2000::/3")
# Tunnels (Teredo, 6to4) are among them: inside one may be any IPv4 address.
_NOT_PUBLIC_6 = [ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
# IPv4 addresses in other clothes: mapped (RFC 4291), and translated by a NAT64 on the way (RFC 6052).
_HOLDS_4 = [ip_network(text) for text in ("::ffff:0:0/96", "64:ff9b::/96")]

_MOST_TRIED = 4


class AddressRefused(Exception):
    """Nothing may be fetched from there; the text says why and shows no address that is not public."""


def is_public(address: str) -> bool:
    """Whether an address is a public one of a single host, whatever its spelling.

    Args:
        address: IPv4 or IPv6, as text; a zone (``%eth0``) makes it one that is not public.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return _is_public_4(found) if isinstance(found, IPv4Address) else _is_public_6(found)


def _is_public_4(address: IPv4Address) -> bool:
    return address.is_global and not any(address in network for network in _NOT_PUBLIC_4)


def _is_public_6(address: IPv6Address) -> bool:
    if address.scope_id is not None:
        return False
    if any(address in network for network in _HOLDS_4):
        return _is_public_4(IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in _GLOBAL_6 and not any(address in network for network in _NOT_PUBLIC_6)


def _resolve(host: str) -> list[str]:
    found = socket.getaddrinfo(host, HTTPS_PORT, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


def _dial(address: str, timeout_s: float | None) -> socket.socket:
    return socket.create_connection((address, HTTPS_PORT), timeout_s)


@dataclass(frozen=True)
class Network:
    """How names become addresses, and addresses connections.

    Attributes:
        resolve: All addresses of a host name; raises OSError.
        dial: Opens a connection to port 443 of an address within so many seconds; raises OSError.
        ca_file: Certificates that are trusted; those that requests brings if left out.
    """

    resolve: Callable[[str], Sequence[str]] = _resolve
    dial: Callable[[str, float | None], socket.socket] = _dial
    ca_file: str | None = None

    def connect(self, host: str, timeout_s: float | None) -> socket.socket:
        """Connect to a host, to an address that was checked: no second look-up could give another one.

        Raises:
            AddressRefused: One of its addresses is not public.
            OSError: It has no address, or none answers.
        """
        addresses = self.resolve(host)
        if not all(map(is_public, addresses)):
            raise AddressRefused("its host is not on the public internet")
        failure = OSError("no address")
        for address in addresses[:_MOST_TRIED]:
            try:
                return self.dial(address, timeout_s)
            except OSError as error:
                failure = error
        raise failure


PUBLIC = Network()
"""The internet as this machine sees it."""


class _GuardedConnection(HTTPSConnection):
    """Checks at the moment of connecting; the name stays what TLS asks the certificate for."""

    def __init__(self, *args: Any, network: Network, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._network = network
        self._cord: socket.socket | None = None

    def connect(self) -> None:
        with self._limited():
            super().connect()

    def getresponse(self) -> Any:
        with self._limited():
            return super().getresponse()

    def close(self) -> None:
        super().close()
        cord, self._cord = self._cord, None
        if cord is not None:
            cord.close()

    def _new_conn(self) -> socket.socket:
        if self.port != HTTPS_PORT:
            raise AddressRefused(f"only port {HTTPS_PORT} may be asked")
        timeout_s = self.timeout
        found = self._network.connect(self.host, timeout_s if isinstance(timeout_s, (int, float)) else None)
        # TLS takes the socket over; this second handle on it can still cut the connection.
        self._cord = found.dup()
        return found

    @contextmanager
    def _limited(self) -> Iterator[None]:
        too_slow = threading.Event()

        def cut() -> None:
            too_slow.set()
            cord = self._cord
            if cord is not None:
                with suppress(OSError):
                    cord.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(_SLOWEST_S, cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
        if too_slow.is_set():
            # What came before the cut may look like a whole head.
            raise TimeoutError("too slow")


class GuardedAdapter(HTTPAdapter):
    """Sends https only, to checked addresses only, without proxies, and never repeats a request by itself."""

    def __init__(self, network: Network) -> None:
        self._network = network
        super().__init__(pool_connections=4, pool_maxsize=2)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pool manager as requests does, with guarded connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": self._pool}

    def _pool(self, *args: Any, **kwargs: Any) -> HTTPSConnectionPool:
        pool = HTTPSConnectionPool(*args, **kwargs)
        pool.ConnectionCls = partial(_GuardedConnection, network=self._network)  # type: ignore[assignment]
        return pool
