"""Traffic for a running service: Locust users, a smoke question per model, a benchmark with wrk."""
