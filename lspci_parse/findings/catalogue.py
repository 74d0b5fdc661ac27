"""Every rule, in the order in which findings of one severity are shown: an explicit table, whatever imports what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lspci_parse.findings.rules import (
    acs,
    capabilities,
    drivers,
    evidence_quality,
    kernel_log,
    links,
    machine,
    not_comparable,
    presence,
    settings,
)

if TYPE_CHECKING:
    from lspci_parse.findings.rule import Rule

RULES: Final[tuple[Rule, ...]] = (
    kernel_log.probe_failed,
    kernel_log.iommu_rolled_back,
    kernel_log.iommu_refused,
    kernel_log.resource_unassigned,
    kernel_log.group_shared,
    kernel_log.acs_missing,
    kernel_log.dma_fault,
    kernel_log.link_lost,
    kernel_log.aer_reported,
    kernel_log.bandwidth_limited,
    evidence_quality.log_foreign,
    evidence_quality.log_cut,
    evidence_quality.groups_contradict,
    evidence_quality.groups_unpredicted,
    machine.bios_changed,
    machine.kernel_changed,
    machine.cmdline_changed,
    machine.firmware_changed,
    machine.driver_version_changed,
    not_comparable.access_denied,
    not_comparable.extended_config_unreadable,
    not_comparable.less_detail,
    not_comparable.dump_cut,
    not_comparable.other_system,
    acs.acs_lost,
    acs.acs_off,
    acs.acs_gained,
    acs.groups_merged,
    acs.groups_split,
    acs.iommu_off,
    presence.device_dead,
    presence.device_missing,
    presence.device_replaced,
    presence.device_new,
    presence.device_moved,
    presence.revision_changed,
    links.link_degraded,
    drivers.driver_missing,
    drivers.driver_changed,
    capabilities.capability_lost,
    capabilities.capability_gained,
    capabilities.sriov_changed,
    capabilities.ats_changed,
    settings.region_lost,
    settings.bar_resized,
    settings.payload_changed,
    settings.aspm_changed,
    settings.power_state,
    settings.msi_off,
    settings.aer_masked,
    settings.errors_logged,
)

CATALOGUE: Final[dict[str, Rule]] = {rule.name: rule for rule in RULES}
"""The rules by their names."""
