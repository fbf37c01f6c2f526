"""The signatures that agencies put on documents themselves: on an edXML package (XML), and inside a PDF.

They are not the signature of an envelope, which the axis demands and verifies on its way (axis.trust). These are
looked at beside the way, never before somebody has the document, and their absence stops nothing: what they make is a
difference in law (QĐ 28/2018 article 4: signed documents replace paper, others are for information).
"""
