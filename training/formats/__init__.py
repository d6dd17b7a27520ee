"""Readers of rows that a person brings: tables of their own, and formats that data sets come in."""
