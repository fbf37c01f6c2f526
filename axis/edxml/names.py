"""Element names: the spelling we emit, and what else is taken for it.

Packages in the wild spell names in several ways (`Bussiness` is the official wire spelling, `Business` the correct
English). Names are compared without regard to case; anything but the official spelling is reported as a deviation.
"""

NAMESPACE = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"

ROOTS = ("edXML", "edXMLEnvelope")
SIGNATURES = ("Signature", "DigitalSignature")

_OFFICIAL = """
edXML edXMLEnvelope edXMLHeader edXMLBody edXMLManifest MessageHeader TraceHeaderList TraceHeader AttachmentEncoded
From To OrganId OrganizationInCharge OrganName OrganAdd Email Telephone Fax Website
DocumentId Code CodeNumber CodeNotation PromulgationInfo Place PromulgationDate DocumentType Type TypeDetail TypeName
Subject Content SignerInfo Competence Position FullName DueDate OtherInfo Priority SphereOfPromulgation TyperNotation
PromulgationAmount PageAmount Direction Appendixes Appendix ReplyFors ReferenceCodes ResponseFor SteeringType
ResponseForTask ApplicationType ToPlaces Timestamp
Bussiness BussinessDocType BussinessDocReason BussinessDocumentInfo DocumentInfo DocumentReceiver ReceiverList Receiver
ReceiverType Paper ReplacementInfoList ReplacementInfo OrganIdList StaffInfo Department Staff Mobile
StatusCode Description Reference ContentId ContentType AttachmentName Attachment ContentTransferEncoded
Signature DigitalSignature
""".split()  # noqa: SIM905 - lines that follow the parts of a package read better than ninety quoted strings

_ALIASES = {
    "organincharge": "OrganizationInCharge",
    "business": "Bussiness",
    "businessdoctype": "BussinessDocType",
    "businessdocreason": "BussinessDocReason",
    "businessdocumentinfo": "BussinessDocumentInfo",
    "manifest": "edXMLManifest",
}
# The deviation's code for each alias; every other spelling is `name-case`.
_ALIAS_CODES = {"organincharge": "organ-in-charge", "manifest": "manifest-name"}

_BY_FOLDED = {name.lower(): name for name in _OFFICIAL} | _ALIASES


def official(spelled: str) -> str:
    """Return the official spelling of a name, or the name itself if it is none of ours."""
    return _BY_FOLDED.get(spelled.lower(), spelled)


def spelling_code(spelled: str) -> str:
    """Return the deviation code for a spelling that is not the official one."""
    folded = spelled.lower()
    return _ALIAS_CODES.get(folded) or ("business-spelling" if folded in _ALIASES else "name-case")
