"""Local servers in place of the makers' services. They replay recorded answers, and use the tests' own answers where none are recorded."""

import base64
import datetime
import hashlib
import http.server
import ipaddress
import json
import ssl
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID


class Service:
    """Answers by path and query. answers[target] is (status, headers, body), or a list of them of which the last one stays. The service
    records its requests."""

    def __init__(self, tls=None):
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                service.asked.append((self.path, body))
                found = service.answers.get(self.path, (404, {}, b""))
                if isinstance(found, list):
                    found = found.pop(0) if len(found) > 1 else found[0]
                status, headers, content = found
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.answers, self.asked = {}, []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def targets(self):
        return [target for target, _ in self.asked]


def make_tls(folder):
    """Returns (authority, identity): files with the test's own certificate authority, and with a server's chain and its key."""
    now = datetime.datetime.now(datetime.timezone.utc)

    def issue(subject, key, issuer, signer, ca):
        common = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])  # noqa: E731
        builder = (x509.CertificateBuilder().subject_name(common(subject)).issuer_name(common(issuer)).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=2))
                   .add_extension(x509.BasicConstraints(ca, None), critical=True))
        if not ca:
            names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(signer, hashes.SHA256())

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = issue("test authority", ca_key, "test authority", ca_key, True)
    leaf = issue("test server", key, "test authority", ca_key, False)
    pem = lambda certificate: certificate.public_bytes(serialization.Encoding.PEM)  # noqa: E731
    authority, identity = folder / "ca.pem", folder / "server.pem"
    authority.write_bytes(pem(ca))
    identity.write_bytes(pem(leaf) + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                       serialization.NoEncryption()))
    return authority, identity


def escaped(text):
    return "".join(chr(b) if chr(b).isalnum() else f"%{b:02X}" for b in text.encode())


def intel_answers(bundle):
    """Returns the answers of a PCCS for the platform of this bundle, which has dcap-qvl's form."""
    signed = lambda member, text, signature: f'{{"{member}":{text},"signature":"{signature}"}}'.encode()  # noqa: E731
    tcb = signed("tcbInfo", bundle["tcb_info"], bundle["tcb_info_signature"])
    identity = signed("enclaveIdentity", bundle["qe_identity"], bundle["qe_identity_signature"])
    fmspc = json.loads(bundle["tcb_info"])["fmspc"].lower()
    return {
        f"/tdx/certification/v4/tcb?fmspc={fmspc}&update=standard":
            (200, {"TCB-Info-Issuer-Chain": escaped(bundle["tcb_info_issuer_chain"])}, tcb),
        "/tdx/certification/v4/qe/identity?update=standard":
            (200, {"SGX-Enclave-Identity-Issuer-Chain": escaped(bundle["qe_identity_issuer_chain"])}, identity),
        "/sgx/certification/v4/pckcrl?ca=platform&encoding=der":
            (200, {"SGX-PCK-CRL-Issuer-Chain": escaped(bundle["pck_crl_issuer_chain"])}, bytes.fromhex(bundle["pck_crl"])),
        "/sgx/certification/v4/rootcacrl": (200, {}, bundle["root_ca_crl"].encode()),
    }


def rim_answer(rim_id, document):
    body = {"id": rim_id, "rim": base64.b64encode(document).decode(), "sha256": hashlib.sha256(document).hexdigest(),
            "rim_format": "SWID"}
    return 200, {"content-type": "application/json"}, json.dumps(body).encode()


class Nras:
    """Makes tokens as NVIDIA's remote attestation service signs them, with the test's own key."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP384R1())

    def jwks(self):
        numbers = self.key.public_key().public_numbers()
        encode = lambda number: base64.urlsafe_b64encode(number.to_bytes(48, "big")).rstrip(b"=").decode()  # noqa: E731
        key = {"kty": "EC", "crv": "P-384", "alg": "ES384", "use": "sig", "kid": "test", "x": encode(numbers.x), "y": encode(numbers.y)}
        return 200, {"content-type": "application/json"}, json.dumps({"keys": [key]}).encode()

    def jwt(self, claims):
        encode = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()  # noqa: E731
        text = encode(json.dumps({"alg": "ES384", "kid": "test", "typ": "JWT"}).encode()) + "." + encode(json.dumps(claims).encode())
        r, s = utils.decode_dss_signature(self.key.sign(text.encode(), ec.ECDSA(hashes.SHA384())))
        return text + "." + encode(r.to_bytes(48, "big") + s.to_bytes(48, "big"))

    def answer(self, nonce, devices, **overall):
        """Makes a token. `devices` maps the name of the submodule to the UEID."""
        now = int(time.time())
        common = {"iss": "https://nras.attestation.nvidia.com", "eat_nonce": nonce, "iat": now, "nbf": now - 5, "exp": now + 3600}
        parts = {name: self.jwt(common | {"measres": "success", "secboot": True, "dbgstat": "disabled", "ueid": ueid})
                 for name, ueid in devices.items()}
        submods = {name: ["DIGEST", ["SHA-256", hashlib.sha256(text.encode()).hexdigest()]] for name, text in parts.items()}
        whole = common | {"sub": "NVIDIA-PLATFORM-ATTESTATION", "x-nvidia-ver": "3.0", "x-nvidia-overall-att-result": True,
                          "submods": submods} | overall
        return 200, {"content-type": "application/json"}, json.dumps([["JWT", self.jwt(whole)], parts]).encode()
