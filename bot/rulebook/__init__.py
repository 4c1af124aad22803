"""The rules as they live: read, changed while matches run, compared with what they told before."""
