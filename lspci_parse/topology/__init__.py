"""Bridges, buses, slots and links of one dump, put together to a tree."""
