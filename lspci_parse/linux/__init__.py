"""What Linux makes of a machine: ACS verdicts, quirks, IOMMU groups."""
