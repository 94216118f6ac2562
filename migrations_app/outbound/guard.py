"""Which places may be asked: none of the machine or a network inside, unless the administrator named the host."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from migrations_app.engine.errors import Refused
from migrations_app.outbound.address import PORTS, Address, Host

_Ip = IPv4Address | IPv6Address
# Where clouds answer with credentials, beside the link-local 169.254.169.254.
_METADATA = frozenset({ip_address("fd00:ec2::254"), ip_address("100.100.100.200"), ip_address("192.0.0.192")})
_NAT64 = IPv6Network("64:ff9b::/96")
_NEVER = tuple(map(ip_network, ("0.0.0.0/8", "64:ff9b:1::/48", "2001::/32", "fec0::/10")))


def refuse_unusual(address: Address, hosts: Sequence[Host]) -> None:
    """Before anything is looked up: http and other ports are for hosts that the administrator named."""
    if any(host.covers(address) for host in hosts):
        return
    if address.scheme != "https":
        raise _refused(address, "it is not https")
    if address.port != PORTS["https"]:
        raise _refused(address, f"port {address.port} is not the usual one")


def refuse_denied(address: Address, found: str, hosts: Sequence[Host]) -> None:
    """`found` is one of the IP addresses behind it."""
    place = _meant(ip_address(found))
    if _never(place):
        raise Refused(
            "address_denied",
            f"{address.text} leads to {found}, which is never asked.",
            not_done="Nothing was asked.",
            next_step="Use the address of a server.",
        )
    if not place.is_global and not any(host.covers(address) for host in hosts):
        raise _refused(address, f"it leads to {found}, which lies inside a network")


def _meant(found: _Ip) -> _Ip:
    """The IPv4 address inside of an IPv6 one, where it stands for that."""
    if isinstance(found, IPv4Address):
        return found
    if found in _NAT64:
        return IPv4Address(int(found) & 0xFFFFFFFF)
    return found.ipv4_mapped or found.sixtofour or found


def _never(place: _Ip) -> bool:
    return (
        place.is_link_local
        or place.is_multicast
        or place.is_unspecified
        or (place.is_reserved and not place.is_loopback)
        or place in _METADATA
        or any(place.version == net.version and place in net for net in _NEVER)
    )


def _refused(address: Address, why: str) -> Refused:
    host = f"[{address.host}]" if ":" in address.host else address.host
    entry = host if address.port in PORTS.values() else f"{host}:{address.port}"
    return Refused(
        "address_denied",
        f"{address.text} is not asked: {why}.",
        not_done="Nothing was sent.",
        next_step=f"If it may be, the machine's administrator adds {entry} to LOCKSTEP_OUTBOUND_HOSTS.",
    )
