"""The OpenAPI 3.1 document of what is served, made from cards and signatures, and the page that shows it.

catalog ─▶ models.served ─▶ document.build ─▶ {native,tfs,oip,health}.paths ─▶ /openapi.json ─▶ /docs
                                               inputs, outputs: JSON Schemas of one row
                                               parameters, responses, examples: what operations share
"""
