"""Read and write edXML packages (QCVN 102:2016), and turn them into envelopes and statuses."""
