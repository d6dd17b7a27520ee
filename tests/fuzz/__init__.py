"""python -m tests.fuzz: every parser under guided noise, a real server under a hundred thousand hostile requests.

targets.py   one function per parser: noise in, nothing out but a ServiceError; two readings must agree
guided.py    atheris drives one of them, from valid bodies, towards what no case has reached yet
hostile.py   real workers and models: no 5xx, no crash, no growth, and the right answer in between
found/       what once went wrong, by target; tests/service/test_found.py tries it again
"""
