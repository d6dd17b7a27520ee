"""Tests of what an operator applies: rendered by kubectl and Helm's own code, held against schemas and the service."""
