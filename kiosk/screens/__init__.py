"""Screens: one a context, each made when somebody goes there."""
