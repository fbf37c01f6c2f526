"""What every HTTP server of the axis stands on: the gateway for agencies and the console for browsers.

The server with its deadlines and TLS (`serving`, `protocol`, `certificate`), bounds on what a client may ask and send
(`limits`, `headers`, `body`), refusals as answers (`problems`), and what both tell: `logs`, `health`, `proofs`.

It knows neither of the two and no route; they stand beside each other above it, and neither imports the other.
"""
