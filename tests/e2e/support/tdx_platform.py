"""A TDX platform of the tests' own, including its root. A test can choose every field of its quotes and collateral, and all of them are
signed correctly. The code is separate from the program's own writers, so that both sides of a comparison read what neither of them
wrote."""

import copy
import datetime
import hashlib
import json
import struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID

NOW = 1750086400
ISSUED, NEXT = NOW - 86400, NOW + 29 * 86400
SERIALS = {"root": 1, "ca": 2, "signing": 3, "leaf": 4}
VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
PPID = b"\x11" * 16
SGX_OID = bytes.fromhex("2a864886f84d010d01")


def key(number):
    return ec.derive_private_key(number, ec.SECP256R1())


ROOT_KEY, CA_KEY, SIGNING_KEY, PCK_KEY, ATTESTATION_KEY = (key(n) for n in (11, 12, 13, 14, 15))


def when(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


def text_time(seconds):
    return when(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def raw_signature(signer, message):
    r, s = utils.decode_dss_signature(signer.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def point(private):
    numbers = private.public_key().public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test")])


def der(tag, content):
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def der_integer(value):
    return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def entry(suffix, value):
    return der(0x30, der(6, SGX_OID + bytes(suffix)) + value)


def pck_extension(pck):
    tcb = b"".join(entry([2, i + 1], der_integer(svn)) for i, svn in enumerate(pck["components"]))
    tcb += entry([2, 17], der_integer(pck["pcesvn"])) + entry([2, 18], der(4, bytes(pck["components"])))
    configuration = b"".join(entry([7, i], der(1, b"\xff")) for i in (1, 2, 3))
    return der(0x30, entry([1], der(4, PPID)) + entry([2], der(0x30, tcb)) + entry([3], der(4, pck["pce_id"]))
               + entry([4], der(4, pck["fmspc"])) + entry([5], der(10, b"\x01")) + entry([6], der(4, b"\x66" * 16))
               + entry([7], der(0x30, configuration)))


def certificate(subject, issuer, serial, public, signer, ca=None, extension=None, valid=(NOW - 10**8, NOW + 10**8)):
    """Makes a certificate. `ca` is the path length of an authority."""
    builder = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).serial_number(serial)
               .public_key(public.public_key()).not_valid_before(when(valid[0])).not_valid_after(when(valid[1]))
               .add_extension(x509.BasicConstraints(ca is not None, ca), critical=True)
               .add_extension(x509.KeyUsage(ca is None, ca is None, False, False, False, ca is not None, ca is not None, False, False),
                              critical=True)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(public.public_key()), critical=False)
               .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False))
    if extension is not None:
        sgx = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.840.113741.1.13.1"), extension)
        builder = builder.add_extension(sgx, critical=False)
    return builder.sign(signer, hashes.SHA256())


def pem(*certificates):
    return "".join(c.public_bytes(serialization.Encoding.PEM).decode() for c in certificates)


def revocation_list(issuer, signer, window, serials):
    builder = (x509.CertificateRevocationListBuilder().issuer_name(name(issuer)).last_update(when(window[0])).next_update(when(window[1]))
               .add_extension(x509.CRLNumber(1), critical=False)
               .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False))
    for serial in serials:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(when(window[0])).build())
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


ROOT = certificate("Intel SGX Root CA", "Intel SGX Root CA", 1, ROOT_KEY, ROOT_KEY, ca=1)


def components(*first):
    return [{"svn": svn} for svn in first] + [{"svn": 0}] * (16 - len(first))


def level(sgx, pcesvn, tdx, status, date, advisories=()):
    out = {"tcb": {"sgxtcbcomponents": components(*sgx), "pcesvn": pcesvn, "tdxtcbcomponents": components(*tdx)},
           "tcbDate": date, "tcbStatus": status}
    return out | ({"advisoryIDs": list(advisories)} if advisories else {})


def isv_level(svn, status, date, advisories=()):
    out = {"tcb": {"isvsvn": svn}, "tcbDate": date, "tcbStatus": status}
    return out | ({"advisoryIDs": list(advisories)} if advisories else {})


SIGNER = {"mrsigner": "0" * 96, "attributes": "0" * 16, "attributesMask": "F" * 16}


def fresh():
    """Returns a platform without faults, as a dict to change before build()."""
    new, old = "2024-03-13T00:00:00Z", "2023-02-15T00:00:00Z"
    return copy.deepcopy({
        "time": NOW,
        "version": 4, "svn": [4, 1, 2], "svn2": None, "td_attributes": "0000001000000000", "seam_attributes": "0" * 16,
        "mr_signer_seam": "0" * 96,
        "pck": {"components": [2, 2, 2] + [0] * 13, "pcesvn": 11, "pce_id": b"\0\0", "fmspc": bytes.fromhex("b0c06f000000")},
        "qe": {"misc_select": 0, "attributes": "1100000000000000e700000000000000", "mr_signer": "dd" * 32, "prod": 2, "svn": 4},
        "certification_type": 5, "certification_data": None,
        "names": {"ca": "Intel SGX PCK Platform CA", "signing": "Intel SGX TCB Signing", "leaf": "Intel SGX PCK Certificate"},
        "root_crl": {"window": [ISSUED, NEXT], "serials": []},
        "pck_crl": {"window": [ISSUED, NEXT], "serials": []},
        "leaf_window": [NOW - 10**8, NOW + 10**8],
        "tcb_info": {
            "id": "TDX", "version": 3, "issueDate": text_time(ISSUED), "nextUpdate": text_time(NEXT), "fmspc": "B0C06F000000",
            "pceId": "0000", "tcbType": 0, "tcbEvaluationDataNumber": 17, "tdxModule": SIGNER,
            "tdxModuleIdentities": [
                {"id": "TDX_03"} | SIGNER | {"tcbLevels": [isv_level(3, "UpToDate", new)]},
                {"id": "TDX_01"} | SIGNER | {"tcbLevels": [isv_level(4, "UpToDate", new), isv_level(2, "OutOfDate", old, ["INTEL-SA-3"])]}],
            "tcbLevels": [level([2, 2, 2], 11, [5, 0, 2], "UpToDate", new),
                          level([2, 2, 1], 5, [5, 0, 1], "OutOfDate", old, ["INTEL-SA-1", "INTEL-SA-2"])]},
        "qe_identity": {
            "id": "TD_QE", "version": 2, "issueDate": text_time(ISSUED), "nextUpdate": text_time(NEXT), "tcbEvaluationDataNumber": 17,
            "miscselect": "00000000", "miscselectMask": "FFFFFFFF", "attributes": "11000000000000000000000000000000",
            "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000", "mrsigner": "DD" * 32, "isvprodid": 2,
            "tcbLevels": [isv_level(4, "UpToDate", new), isv_level(2, "OutOfDate", old, ["INTEL-SA-4"])]},
    })


def td_report(p):
    report = bytes(p["svn"]).ljust(16, b"\0") + b"\x51" * 48 + bytes.fromhex(p["mr_signer_seam"]) + bytes.fromhex(p["seam_attributes"])
    report += bytes.fromhex(p["td_attributes"]) + bytes.fromhex("e702060000000000") + b"\x52" * 48 + b"\0" * 144
    report += b"\x53" * 192 + b"\x54" * 64
    return report if p["svn2"] is None else report + bytes(p["svn2"]).ljust(16, b"\0") + b"\0" * 48


def certification_data(p):
    """Returns the name of the PCK certificate for certification types 1 to 3, unless the test set one."""
    if p["certification_data"] is not None:
        return p["certification_data"]
    ppid = {1: PPID, 2: bytes(range(256)), 3: bytes(range(256)) + bytes(128)}[p["certification_type"]]
    return ppid + bytes(p["pck"]["components"]) + struct.pack("<H", p["pck"]["pcesvn"]) + p["pck"]["pce_id"]


def build(p):
    """Returns (quote, collateral): bytes and the members of a bundle."""
    ca = certificate(p["names"]["ca"], "Intel SGX Root CA", SERIALS["ca"], CA_KEY, ROOT_KEY, ca=0)
    signing = certificate(p["names"]["signing"], "Intel SGX Root CA", SERIALS["signing"], SIGNING_KEY, ROOT_KEY)
    leaf = certificate(p["names"]["leaf"], p["names"]["ca"], SERIALS["leaf"], PCK_KEY, CA_KEY, extension=pck_extension(p["pck"]),
                       valid=p["leaf_window"])

    header = struct.pack("<HHI4x", p["version"], 2, 0x81) + VENDOR + b"\0" * 20
    body = td_report(p)
    if p["version"] == 5:
        header += struct.pack("<HI", 2 if p["svn2"] is None else 3, len(body))
    authentication = bytes(range(32))
    qe, attestation_key = p["qe"], point(ATTESTATION_KEY)
    qe_report = b"\x02" * 16 + struct.pack("<I", qe["misc_select"]) + b"\0" * 28 + bytes.fromhex(qe["attributes"]) + b"\x61" * 32
    qe_report += b"\0" * 32 + bytes.fromhex(qe["mr_signer"]) + b"\0" * 96 + struct.pack("<HH", qe["prod"], qe["svn"]) + b"\0" * 60
    qe_report += hashlib.sha256(attestation_key + authentication).digest() + b"\0" * 32
    chain = pem(leaf, ca, ROOT).encode()
    certification = qe_report + raw_signature(PCK_KEY, qe_report) + struct.pack("<H", 32) + authentication
    data = chain if p["certification_type"] == 5 else certification_data(p)
    certification += struct.pack("<HI", p["certification_type"], len(data)) + data
    signed = raw_signature(ATTESTATION_KEY, header + body) + attestation_key + struct.pack("<HI", 6, len(certification)) + certification
    quote = header + body + struct.pack("<I", len(signed)) + signed

    tcb_info, qe_identity = json.dumps(p["tcb_info"]), json.dumps(p["qe_identity"])
    beside = {} if p["certification_type"] == 5 else {"pck_certificate_chain": chain.decode()}
    return quote, beside | {
        "pck_crl_issuer_chain": pem(ca, ROOT),
        "root_ca_crl": revocation_list("Intel SGX Root CA", ROOT_KEY, **p["root_crl"]).hex(),
        "pck_crl": revocation_list(p["names"]["ca"], CA_KEY, **p["pck_crl"]).hex(),
        "tcb_info_issuer_chain": pem(signing, ROOT),
        "tcb_info": tcb_info,
        "tcb_info_signature": raw_signature(SIGNING_KEY, tcb_info.encode()).hex(),
        "qe_identity_issuer_chain": pem(signing, ROOT),
        "qe_identity": qe_identity,
        "qe_identity_signature": raw_signature(SIGNING_KEY, qe_identity.encode()).hex(),
    }
