"""IOMMU groups, predicted as Linux makes them."""
