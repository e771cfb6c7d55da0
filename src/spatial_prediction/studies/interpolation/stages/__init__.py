"""Stages of the interpolation study, from files to files; each is what a rule's script calls."""
