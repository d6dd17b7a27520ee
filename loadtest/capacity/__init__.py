"""What a fleet of this service takes: costs measured on this machine, a model of them, and a fleet simulated.

measure ─▶ docs/measurements/capacity.json ─▶ costs ─▶ worker ─▶ model ─▶ __main__    how many cores, and the price
                                                         │
                                                         ├▶ fleet ─▶ validate         every request: is it true?
                                                         └▶ day   ─▶ simulate, plot   every second of a day
"""
