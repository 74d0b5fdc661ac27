"""The chain in words: from a failed driver back to the lost capability, as far as the evidence goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lspci_parse.evidence.log_facts import DomainEvent
from lspci_parse.findings.private_domains import (
    PASSTHROUGH,
    identity_default,
    kernel_advice,
    private_domain_status,
    wants_dma_domain,
)
from lspci_parse.model.display import listed, short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.findings.host_view import HostView, Refusal
    from lspci_parse.model.address import Address


def explain_refusal(view: HostView, refusal: Refusal) -> str:
    """Return the whole story of a refused device: what it wanted, why it could not get it, and under what."""
    return " ".join((*_request(view, refusal), *_kept(view, refusal), *_parameters(view)))


def explain_request(view: HostView, refusal: Refusal) -> str:
    """Return what a refused device wanted, and what is known of that in its kernel."""
    known = [private_domain_status(view)] if isinstance(refusal.event, DomainEvent) else []
    return " ".join((*_request(view, refusal), *known))


def _request(view: HostView, refusal: Refusal) -> Iterator[str]:
    slot = short(refusal.device)
    if not isinstance(refusal.event, DomainEvent):
        yield f"The log says that {slot} could not be added to group {refusal.group}, error {refusal.event.error}."
        return
    if not refusal.told:
        yield f"The message names no device; {slot} was the last one added before it (inferred)."
    reason = wants_dma_domain(view, refusal.device)
    if reason is not None:
        default = identity_default(view)
        others = f", not the identity domain that {default} gives the others" if default else ""
        yield (
            f"{slot} is {reason}; such devices share one requester ID, so the kernel wants a DMA domain for "
            f"them{others}."
        )


def _kept(view: HostView, refusal: Refusal) -> Iterator[str]:
    """Say what kept a device from its domain: its group is shared."""
    if refusal.others and isinstance(refusal.event, DomainEvent):
        group = f"Group {refusal.group}" if refusal.group is not None else "Its group"
        source = " (predicted from the dump; the log does not show it)" if refusal.predicted else ""
        yield (
            f"{group} also holds {listed(refusal.others)}{source}, and the type of a group with several devices "
            "cannot be changed."
        )
        yield from _shared(view, refusal)


def _parameters(view: HostView) -> Iterator[str]:
    touching = () if view.host.cmdline is None else view.host.cmdline.touching
    if touching:
        yield f"It happened with {' '.join(map(str, touching))}."


def _shared(view: HostView, refusal: Refusal) -> Iterator[str]:
    """Say why the devices share a group: by what the healthy host has, else by the dump alone."""
    lost = acs_lost_in(view, refusal)
    if lost:
        have = "has" if len(lost) == 1 else "have"
        yield f"They share it because {listed(lost)} {have} no ACS here and {have} it on A."
        yield from _bios(view)
        return
    without = unisolated_in(view, refusal)
    if without:
        yield f"They share it because {listed(without)} {'does' if len(without) == 1 else 'do'} not isolate (no ACS)."


def acs_lost_in(view: HostView, refusal: Refusal) -> tuple[Address, ...]:
    """Return the functions in a refused device's group, or above it, whose ACS capability the healthy host has."""
    if view.healthy is None:
        return ()
    return tuple(address for address in functions_above(view, refusal) if address in view.healthy.lost_acs)


def unisolated_in(view: HostView, refusal: Refusal) -> tuple[Address, ...]:
    """Return the functions that the prediction holds responsible for a refused device's shared group."""
    group = view.groups.of(refusal.device) if view.groups is not None else None
    if group is None or not set(refusal.others) & set(group.devices):
        return ()
    blamed = {
        culprit for join in group.joined_by for culprit in join.culprits if join.how in ("path", "slot")
    }
    known = (address for address in sorted(blamed) if view.device(address) is not None)
    return tuple(
        address
        for address in known
        if view.isolation[address].needed and view.isolation[address].isolated is False
    )


def functions_above(view: HostView, refusal: Refusal) -> list[Address]:
    """Return the members of a refused device's group and the bridges above them, as far as the dump has them."""
    found = {address for address in (refusal.device, *refusal.others) if view.device(address) is not None}
    for address in tuple(found):
        found.update(view.tree.ancestors(address))
    return sorted(found)


class _Bios(NamedTuple):
    here: str
    healthy: str


def _bios_of(view: HostView) -> _Bios | None:
    """Return the BIOS versions of both hosts, ``None`` if one is not known or the models differ."""
    if view.healthy is None:
        return None
    here, healthy = view.host.dmi, view.healthy.dmi
    if here is None or healthy is None or here.system != healthy.system:
        return None
    return _Bios(f"{here.bios} ({here.date})", f"{healthy.bios} ({healthy.date})")


def _bios(view: HostView) -> Iterator[str]:
    bios = _bios_of(view)
    if bios is None:
        return
    if bios.here == bios.healthy:
        yield f"Both hosts run BIOS {bios.here}, so the version is not why."
    else:
        yield f"BIOS versions differ: {bios.here} here, {bios.healthy} on A; that may be why (inferred)."


def advise(view: HostView, refusal: Refusal) -> str:
    """Return what to try about a refused device, the best first, numbered."""
    steps = [*_restore(view, refusal)]
    if isinstance(refusal.event, DomainEvent):
        steps.append(kernel_advice(view))
        parameter = view.given(*PASSTHROUGH)
        if parameter is not None:
            steps.append(
                f"Until then leave out {parameter}: every group gets a DMA domain, and none has to change. DMA then "
                "costs some speed."
            )
    bridge = view.tree.parent(refusal.device) if view.device(refusal.device) is not None else None
    what = f" or the bridge {short(bridge)}" if bridge is not None else ""
    if refusal.others:
        steps.append(f"If {short(refusal.device)} is not needed, disable it{what} in BIOS setup.")
    return " ".join(f"{number}. {step}" for number, step in enumerate(steps, 1))


def _restore(view: HostView, refusal: Refusal) -> Iterator[str]:
    """Say how to get ACS back, so that the group is no longer shared."""
    lost = acs_lost_in(view, refusal)
    bios = _bios_of(view)
    if lost and bios is not None and bios.here != bios.healthy:
        yield (
            f"Power off fully, and bring BIOS {bios.here} to A's {bios.healthy}, or both to the newest. lspci then "
            f"shows ACS on {listed(lost)} again, or lspci -xxxx a hole in its list of capabilities."
        )
    elif lost:
        yield (
            f"Power off fully, and compare BIOS{' settings' if bios else ' versions and settings'} (ACS, PCIe "
            f"isolation) with A's. lspci then shows ACS on {listed(lost)} again, or lspci -xxxx a hole in its list of "
            "capabilities."
        )
    elif without := unisolated_in(view, refusal):
        yield (
            f"Look for ACS in BIOS setup, or for a newer BIOS, for {listed(without)}; compare with a healthy machine "
            "of the model (lspci-parse diff HEALTHY THIS)."
        )
