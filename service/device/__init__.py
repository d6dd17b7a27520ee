"""One engine process per device, beside the HTTP workers and under the same gunicorn.

HTTP worker: batcher ─▶ engines/device.py ─┐ a Unix socket per device           device process
HTTP worker: batcher ─▶ engines/device.py ─┴─▶ wire.py ─▶ host.py ─▶ engines/saved_model.py
                                                         process.py: gunicorn's supervision
                                                         handover.py: who has a device, and who is next
"""
