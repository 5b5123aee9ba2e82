"""Parses evidence by hand, TDX v4 quotes and NVIDIA's SPDM reports, without any code of Cloister. The offsets are those of Intel's TDX DCAP
quote format v4 (little-endian) and of SPDM 1.1 GET_MEASUREMENTS in NVIDIA's layout."""

import hashlib
import re
import struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)


def raw_signature(raw):
    """Converts r || s to DER."""
    half = len(raw) // 2
    return utils.encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))


def raw_public_key(raw):
    """Returns the public key x || y on P-256."""
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + raw)


class Quote:
    SIGNED = 632  # header 48 and TD report 584

    def __init__(self, data):
        self.bytes = data
        self.version, self.key_type, self.tee_type = struct.unpack_from("<HHI", data, 0)
        self.vendor = data[12:28].hex()
        self.td_attributes = data[168:176]
        self.mr_td = data[184:232]
        self.mr_config_id = data[232:280]
        self.rtmr = [data[376 + 48 * i : 424 + 48 * i] for i in range(4)]
        self.report_data = data[568:632]
        (size,) = struct.unpack_from("<I", data, 632)
        part = data[636 : 636 + size]
        self.trailing = data[636 + size :]
        self.signature, self.attestation_key = part[:64], part[64:128]
        outer_type, outer_size = struct.unpack_from("<HI", part, 128)
        assert outer_type == 6 and outer_size == len(part) - 134, (outer_type, outer_size, len(part))
        inner = part[134:]
        self.qe_report, self.qe_signature = inner[:384], inner[384:448]
        (auth_size,) = struct.unpack_from("<H", inner, 448)
        self.auth_data = inner[450 : 450 + auth_size]
        self.certification_type, chain_size = struct.unpack_from("<HI", inner, 450 + auth_size)
        self.chain_pem = inner[456 + auth_size :]
        assert chain_size == len(self.chain_pem)

    def certificates(self):
        return [x509.load_pem_x509_certificate(pem) for pem in PEM.findall(self.chain_pem)]

    def verify(self):
        """Verifies every signature from the quote up to the root of its own chain. Raises on the first failure."""
        algorithm = ec.ECDSA(hashes.SHA256())
        raw_public_key(self.attestation_key).verify(raw_signature(self.signature), self.bytes[: self.SIGNED], algorithm)
        bound = hashlib.sha256(self.attestation_key + self.auth_data).digest() + bytes(32)
        assert self.qe_report[320:384] == bound, "the QE report does not bind the attestation key"
        chain = self.certificates()
        chain[0].public_key().verify(raw_signature(self.qe_signature), self.qe_report, algorithm)
        verify_chain(chain)


def verify_chain(chain):
    """Verifies a chain with the leaf first. The next certificate issues each one, and the last issues itself."""
    for certificate, issuer in zip(chain, chain[1:] + chain[-1:]):
        assert certificate.issuer == issuer.subject
        certificate.verify_directly_issued_by(issuer)


class GpuReport:
    def __init__(self, report, certificates_pem):
        self.bytes = report
        self.chain = [x509.load_pem_x509_certificate(pem) for pem in PEM.findall(certificates_pem)]
        assert report[0] == 0x11 and report[1] == 0xE0, report[:2].hex()
        self.request_nonce = report[4:36]
        response = report[37:]
        assert response[0] == 0x11 and response[1] == 0x60, response[:2].hex()
        self.measurement_count = response[4]
        record = int.from_bytes(response[5:8], "little")
        (opaque,) = struct.unpack_from("<H", response, 40 + record)
        end = 37 + 42 + record + opaque
        self.signed, self.signature = report[:end], report[end : end + 96]
        assert not any(report[end + 96 :]), "bytes after the signature"

    def verify(self):
        self.chain[0].public_key().verify(raw_signature(self.signature), self.signed, ec.ECDSA(hashes.SHA384()))
        verify_chain(self.chain)


def replay(event_log, register):
    """Returns the RTMR after the events of that register. The digest of each runtime event is computed again."""
    value = bytes(48)
    for event in event_log:
        if event["imr"] != register:
            continue
        digest = bytes.fromhex(event["digest"])
        if event["event_type"] == 0x08000001:
            payload = bytes.fromhex(event["event_payload"])
            made = hashlib.sha384(struct.pack("<I", 0x08000001) + b":" + event["event"].encode() + b":" + payload)
            assert made.digest() == digest, event["event"]
        value = hashlib.sha384(value + digest).digest()
    return value
