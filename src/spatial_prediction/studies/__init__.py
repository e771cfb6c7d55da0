"""The studies, on top of the library: each a package, and none imports another."""
