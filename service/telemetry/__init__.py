"""What is told of requests besides metrics: traces by OpenTelemetry, and a line of the log each. Off unless asked for.

    trace of the client      POST /predict/<model>     SERVER
                             ├─ parse                  body to tensors
                             ├─ queue                  until its batch began
                             ├─ engine ─── link ──╮    until its batch was answered
                             └─ encode            │    outputs to bytes
    a trace of its own       batch ◀──────────────╯    links to every request that is in it

A Record goes with each request; it is filled where the request passes anyway (the WSGI app, `wait`, the batcher), by
classes that stand in the place of the plain ones. Spans are made of it at its end: the clocks are those of the
Server-Timing header. With everything off nothing of this is imported but `record`, and nothing is in the way.
"""
