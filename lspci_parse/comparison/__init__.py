"""Which device is which, what differs, and what differs at every boot. Judges nothing."""
