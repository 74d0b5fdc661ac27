"""The rules, by what they look at; the catalogue lists them."""
