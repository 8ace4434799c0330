"""Which addresses may be sent to: a name that somebody typed must not lead into the house."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from tallystick.stream.errors import AddressRefusedError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE: Final = IPv6Network("::/96")
_LAST_32: Final = 0xFFFF_FFFF


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return networks as an operator writes them."""
    return tuple(ip_network(text, strict=False) for text in texts)


def check_address(text: str, allowed: Iterable[Network]) -> bool:
    """Return whether an operator allowed this address by name of its network; False for one that is open to all.

    Raises AddressRefusedError for one of this machine, of a private network, multicast, or one that carries such an
    address inside (mapped IPv4, 6to4, Teredo, NAT64), unless it was allowed.
    """
    address = ip_address(text.partition("%")[0])
    carried = (address, *_carried(address))
    networks = tuple(allowed)
    if all(any(each.version == network.version and each in network for network in networks) for each in carried[-1:]):
        return True
    for each in carried:
        if not each.is_global or each.is_multicast or each.is_reserved:
            raise AddressRefusedError(f"{text} is an address of this machine or of a private network")
    return False


def _carried(address: Address) -> Iterator[Address]:
    """Yield the IPv4 addresses that an IPv6 address leads to."""
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if any(address in network for network in _NAT64) or (address in _COMPATIBLE and int(address) > 1):
        yield IPv4Address(int(address) & _LAST_32)
