"""Seeded changes of a genuine SEV-SNP report and its certificates. A change is (description, Case)."""

import datetime
import random

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

SIGNED_SIZE = 0x2A0
PARTS = ("report", "vcek", "ask", "ark")


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def edges(case):
    """Yields both ends of each certificate's validity, and the times one second before and after each end."""
    ends = set()
    for part in ("vcek", "ask", "ark"):
        certificate = x509.load_der_x509_certificate(getattr(case, part))
        ends |= {int(certificate.not_valid_before_utc.timestamp()), int(certificate.not_valid_after_utc.timestamp())}
    return [end + step for end in sorted(ends) for step in (-1, 0, 1)]


def flip(data, rng):
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 3])):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def resize(data, rng):
    return rng.choice([data[: rng.randrange(len(data))], data + bytes(rng.randrange(1, 9)), b""])


def seeded_cases(genuine, seed, count):
    rng = random.Random(seed)
    times = edges(genuine)
    for _ in range(count):
        kind = rng.randrange(10)
        part = rng.choice(PARTS)
        if kind < 4:
            report = flip(genuine.report, rng)
            where = "signature" if report[:SIGNED_SIZE] == genuine.report[:SIGNED_SIZE] else "report"
            yield where + " bits", genuine._replace(report=report)
        elif kind < 7:
            part = rng.choice(PARTS[1:])
            yield part + " bits", genuine._replace(**{part: flip(getattr(genuine, part), rng)})
        elif kind < 8:
            yield part + " size", genuine._replace(**{part: resize(getattr(genuine, part), rng)})
        elif kind < 9:
            yield "time", genuine._replace(time=rng.choice(times))
        else:
            one, other = rng.sample(PARTS[1:], 2)
            yield "certificates swapped", genuine._replace(**{one: getattr(genuine, other), other: getattr(genuine, one)})


# ---- a chain of the attacker's own, with AMD's names and extensions ----


def signed_by(template, public_key, issuer_key, issuer_name):
    """Returns `template` with another key, signed as AMD signs."""
    builder = x509.CertificateBuilder().subject_name(template.subject).issuer_name(issuer_name).public_key(public_key)
    builder = builder.serial_number(template.serial_number or x509.random_serial_number())
    builder = builder.not_valid_before(template.not_valid_before_utc).not_valid_after(template.not_valid_after_utc)
    for extension in template.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    form = padding.PSS(mgf=padding.MGF1(hashes.SHA384()), salt_length=48)
    return builder.sign(issuer_key, hashes.SHA384(), rsa_padding=form)


def sign_report(report, key):
    r, s = utils.decode_dss_signature(key.sign(report[:SIGNED_SIZE], ec.ECDSA(hashes.SHA384())))
    return report[:SIGNED_SIZE] + r.to_bytes(72, "little") + s.to_bytes(72, "little") + report[SIGNED_SIZE + 144 :]


def forged_chains(genuine):
    """Forges each step of the chain. The holder of the forged chip key signs the report."""
    vcek, ask, ark = (x509.load_der_x509_certificate(getattr(genuine, part)) for part in ("vcek", "ask", "ark"))
    chip_key, ask_key, ark_key = ec.generate_private_key(ec.SECP384R1()), *(rsa.generate_private_key(65537, 4096) for _ in range(2))
    own_ark = signed_by(ark, ark_key.public_key(), ark_key, ark.subject)
    own_ask = signed_by(ask, ask_key.public_key(), ark_key, ark.subject)
    own_vcek = der(signed_by(vcek, chip_key.public_key(), ask_key, ask.subject))
    changed = sign_report(genuine.report[:0x90] + bytes(48) + genuine.report[0xC0:], chip_key)
    yield "own chain", genuine._replace(report=changed, vcek=own_vcek, ask=der(own_ask), ark=der(own_ark))
    yield "own chain under AMD's root", genuine._replace(report=changed, vcek=own_vcek, ask=der(own_ask))
    yield "own chip under AMD's authority", genuine._replace(report=changed, vcek=own_vcek)
    yield "genuine chain, own signature", genuine._replace(report=changed)


def other_products(genuine, chains):
    """Puts certificates of AMD's other processors in place of one or both authorities. `chains` is [(ask, ark)]."""
    for ask, ark in chains:
        yield "other product", genuine._replace(ask=ask, ark=ark)
        yield "other product", genuine._replace(ask=ask)
        yield "other product", genuine._replace(ark=ark)


def other_layout(genuine):
    """Changes the fields that decide how the rest is parsed. Every one of them is signed."""
    for at, values in ((0, (0, 1, 2, 3, 4, 5, 6, 255)), (0x34, (0, 1, 2, 255)), (0x48, (0, 1, 2, 4, 28, 255))):
        for value in values:
            yield "layout", genuine._replace(report=genuine.report[:at] + bytes([value]) + genuine.report[at + 1 :])


def timestamp(text):
    return int(datetime.datetime.fromisoformat(text).timestamp())
