"""Address, dump, device, capability, register: immutable and typed; and how people read them."""
