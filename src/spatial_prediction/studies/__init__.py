"""The studies, which use the library: each is a package, and none imports another."""
