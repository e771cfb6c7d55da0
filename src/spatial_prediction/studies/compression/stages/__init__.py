"""Stages of the study: from files to files, one module for each."""
