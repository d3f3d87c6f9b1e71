"""The product's version, as receipts and the API state it."""

VERSION = "0.1.0"
